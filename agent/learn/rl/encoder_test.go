//go:build cgo && !notorch

package rl

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/torch"
	"github.com/sugarme/gotch/ts"
)

// TestEncode: that what is alike is computed once changes nothing, neither what is encoded nor a gradient. The same is
// written with an embedding of every cell and convolutions of whole images here.
func TestEncode(t *testing.T) {
	for _, c := range []struct {
		name string
		size int
		film bool
	}{
		{"view", 7, false},
		{"small view, no convolution", 3, false},
		{"odd rest of the pool", 8, false},
		{"pairs of rows", 5, false},
		{"view, film", 7, true},
		{"small view, film", 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := env.Spec{Vocab: 5, Layout: []env.Field{{Name: "image", Shape: []int{c.size, c.size, 3}}, {Name: "direction", Shape: []int{1}}, {Name: "mission", Shape: []int{6}}}}
			for _, f := range spec.Layout {
				spec.ObsLen += f.Len()
			}
			const rows = 9
			r := rand.New(rand.NewPCG(1, 2))
			obs := make([]byte, rows*spec.ObsLen)
			for i := range obs {
				obs[i] = byte(r.IntN(2 + i%spec.ObsLen%2))
			}
			copy(obs[spec.ObsLen:], obs[:spec.ObsLen]) // two that are equal
			params := torch.NewParams(torch.CPU)
			defer params.Close()
			gen := torch.NewGenerator(3)
			defer gen.Close()
			var e *encoder
			err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
				var err error
				if e, err = newEncoder(&builder{s: s, gen: gen, p: params}, spec, 11, c.film); err != nil {
					t.Fatal(err)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			outcome := func(encode func(s *torch.Scope) *torch.Tensor) (values [][]float32) {
				err := torch.Do(torch.Grad, func(s *torch.Scope) {
					x := encode(s)
					_, trained := params.Trained()
					values = append(values, s.ReadFloats(nil, x))
					for _, g := range s.Gradients(s.Sum(s.Mul(x, x)), trained) {
						values = append(values, s.ReadFloats(nil, g))
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				return values
			}
			got := outcome(func(s *torch.Scope) *torch.Tensor {
				x, err := e.encode(s, obs, rows)
				if err != nil {
					t.Fatal(err)
				}
				return x[0]
			})
			want := outcome(func(s *torch.Scope) *torch.Tensor { return e.plainly(s, obs, rows) })
			if len(got) != len(want) {
				t.Fatalf("%d tensors, want %d", len(got), len(want))
			}
			for i := range want {
				for k, x := range want[i] { // 1e-4: float32, sums of hundreds
					if d := math.Abs(float64(got[i][k] - x)); d > 1e-4*max(1, math.Abs(float64(x))) {
						t.Fatalf("tensor %d: number %d is %v, want %v", i, k, got[i][k], x)
					}
				}
			}
		})
	}
}

// plainly is encode of an observation of bytes.
func (e *encoder) plainly(s *torch.Scope, obs []byte, rows int) *torch.Tensor {
	ids := func(at, n, period int) *torch.Tensor {
		var x []int64
		for i := range rows {
			for j, v := range obs[i*e.obsLen+at:][:n] {
				x = append(x, int64(j%period*e.vocab)+int64(v))
			}
		}
		return torch.From(s, torch.CPU, x, int64(rows), int64(n))
	}
	sum := func(x *torch.Tensor, dim int64) *torch.Tensor {
		return s.Own(x.SumDimIntlist([]int64{dim}, false, torch.Float32, false))
	}
	cells := int64(e.rows * e.cols)
	x := s.Reshape(s.Embedding(e.cells, ids(e.gridAt, int(cells)*e.channels, e.channels)), int64(rows), cells, int64(e.channels), embedding)
	x = s.Reshape(s.Transpose(sum(x, 2), 1, 2), int64(rows), embedding, int64(e.rows), int64(e.cols))
	var told *torch.Tensor
	if e.film != nil { // the rows of padding count with nothing
		o := e.film.mission
		words := make([]float32, 0, rows*o.n)
		for i := range rows {
			for _, v := range obs[i*e.obsLen+o.at:][:o.n] {
				words = append(words, float32(min(v, 1)))
			}
		}
		each := s.Mul(s.Embedding(o.table, ids(o.at, o.n, o.n)), torch.From(s, torch.CPU, words, int64(rows), int64(o.n), 1))
		told = sum(each, 1)
	}
	film := func(x *torch.Tensor, layer int) *torch.Tensor {
		if e.film == nil {
			return x
		}
		c := torch.Shape(x)[1]
		by := s.Reshape(s.Linear(told, e.film.layers[layer].w, e.film.layers[layer].b), int64(rows), 2*c, 1, 1)
		return s.Add(s.Add(x, s.Mul(x, s.Narrow(by, 1, 0, c))), s.Narrow(by, 1, c, c))
	}
	x = film(x, 0)
	for i, c := range e.convs {
		x = s.Own(film(s.Own(ts.Conv2d(x, c.w, c.b, []int64{1, 1}, []int64{0, 0}, []int64{1, 1}, 1)), i+1).Relu(false))
		if i == 0 && e.pool {
			x = s.Own(x.MaxPool2d([]int64{2, 2}, []int64{2, 2}, []int64{0, 0}, []int64{1, 1}, false, false))
		}
	}
	var parts []*torch.Tensor
	if told != nil {
		parts = append(parts, told)
	}
	parts = append(parts, s.Reshape(x, int64(rows), -1))
	for _, o := range e.others {
		parts = append(parts, sum(s.Embedding(o.table, ids(o.at, o.n, o.n)), 1))
	}
	return s.Linear(s.Cat(1, parts...), e.out, e.outB)
}

// TestFilmNeedsAMission: what has none is refused before a frame.
func TestFilmNeedsAMission(t *testing.T) {
	for _, layout := range [][]env.Field{
		{{Name: "image", Shape: []int{7, 7, 3}}, {Name: "direction", Shape: []int{1}}},
		{{Name: "mission", Shape: []int{9}}},
		{{Name: "map", Shape: []int{5, 5}, Agent: 3, Under: 1}},
	} {
		spec := env.Spec{ID: "x", Vocab: 5, Actions: []string{"go"}, Layout: layout}
		for _, f := range layout {
			spec.ObsLen += f.Len()
		}
		want := "film, and "
		if n, err := NewNetwork(NetworkConfig{FiLM: true}, spec, torch.CPU, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: network %v, error %v, want %q", layout, n, err, want)
		}
	}
}

// TestIndex: keys get the numbers that a map gives them, over several growths.
func TestIndex(t *testing.T) {
	var x index
	want := map[[2]uint64]int64{}
	for i := range uint64(20_000) {
		a, b := i*i%7001<<32, i%13
		n, ok := want[[2]uint64{a, b}]
		if !ok {
			n = int64(len(want))
			want[[2]uint64{a, b}] = n
		}
		if id, fresh := x.of(a, b); id != n || fresh == ok {
			t.Fatalf("key %d, %d: number %d, new %v; want %d, %v", a, b, id, fresh, n, !ok)
		}
	}
	if len(want) < 4000 {
		t.Errorf("%d keys: too few to grow", len(want))
	}
}
