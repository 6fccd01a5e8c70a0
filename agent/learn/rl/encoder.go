//go:build cgo && !notorch

package rl

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/torch"
	"github.com/sugarme/gotch/ts"
)

// embedding is the width of what stands for one number of an image.
const embedding = arch.PolicyEmbedding

// An encoder makes one vector [rows, width] of an observation: the grid of numbers through embeddings
// and convolutions, as rl-starter-files has it (2x2 with 16, pooled, 2x2 with 32, 2x2 with 64, ReLU),
// real numbers through a layer with tanh, whatever else there is (a direction, a mission) through embeddings
// of its own, summed.
type encoder struct {
	obsLen int
	vocab  int

	rows, cols, channels int // of the grid; 0 without
	gridAt               int // its first byte
	cells                *torch.Tensor
	convs                []conv
	pool                 bool

	film *film // nil without

	others []other
	reals  []real
	out    *torch.Tensor // [width, all]
	outB   *torch.Tensor
	params *torch.Params
}

type conv struct{ w, b *torch.Tensor }

// An other is a field that is no grid.
type other struct {
	at, n int
	table *torch.Tensor // [n·vocab, width], a part for each place
}

// A film lets a mission scale and shift the channels of what is seen (Perez et al. 2018, arXiv:1709.07871): which of the things
// is meant is decided where each of them is seen, and not after all are one vector.
type film struct {
	mission other    // summed, but for places without a word
	layers  []affine // of the cells and of every convolution, [2·channels, mission]: what is added to a scale of 1, and the shift
}

type affine struct{ w, b *torch.Tensor }

// A real is a field of real numbers, read by a layer with tanh.
type real struct {
	at, n int // its first byte; its numbers
	w, b  *torch.Tensor
}

// newEncoder adds the parameters of an encoder for observations of spec to b; with filmed the mission is a film.
func newEncoder(b *builder, spec env.Spec, width int, filmed bool) (*encoder, error) {
	e := &encoder{obsLen: spec.ObsLen, vocab: spec.Vocab, params: b.p}
	at, all := 0, 0
	for _, f := range spec.Layout {
		n := f.Len()
		switch {
		case f.Real:
			r := real{at: at, n: n / 4}
			r.w, r.b = b.linear("encoder."+f.Name, width, r.n)
			e.reals = append(e.reals, r)
			all += width
		case e.rows == 0 && (len(f.Shape) == 3 && f.Shape[2] <= 4 || len(f.Shape) == 2) && min(f.Shape[0], f.Shape[1]) > 1:
			e.rows, e.cols, e.channels, e.gridAt = f.Shape[0], f.Shape[1], 1, at
			if len(f.Shape) == 3 {
				e.channels = f.Shape[2]
			}
			all += e.stack(b)
		case n <= 4:
			e.others = append(e.others, other{at: at, n: n, table: b.normal("encoder."+f.Name, 0.3, int64(n*spec.Vocab), embedding)})
			all += embedding
		case f.Name == "mission":
			o := other{at: at, n: n, table: b.normal("encoder."+f.Name, 0.3, int64(n*spec.Vocab), arch.PolicyMission)}
			all += arch.PolicyMission
			if filmed {
				e.film = &film{mission: o}
			} else {
				e.others = append(e.others, o)
			}
		default:
			e.others = append(e.others, other{at: at, n: n, table: b.normal("encoder."+f.Name, 1/math.Sqrt(float64(n)), int64(n*spec.Vocab), int64(width))})
			all += width
		}
		at += n
	}
	if all == 0 {
		return nil, fmt.Errorf("%s has no observation to encode", spec.ID)
	}
	if filmed {
		if e.film == nil || e.rows == 0 {
			return nil, fmt.Errorf("policy: film, and an observation of %s has no grid and mission", spec.ID)
		}
		channels := []int{embedding}
		for _, c := range e.convs {
			channels = append(channels, int(torch.Shape(c.w)[0]))
		}
		for i, c := range channels {
			w, bias := b.linear(fmt.Sprintf("encoder.film.%d", i), 2*c, arch.PolicyMission)
			e.film.layers = append(e.film.layers, affine{w, bias})
		}
	}
	e.out, e.outB = b.linear("encoder.out", width, all)
	return e, nil
}

// stack adds the convolutions and returns the numbers that come out.
func (e *encoder) stack(b *builder) int {
	e.cells = b.normal("encoder.cells", 1, int64(e.channels*e.vocab), embedding)
	rows, cols, in := e.rows, e.cols, embedding
	for i, out := range []int{16, 32, 64} {
		if min(rows, cols) < 2 || min(e.rows, e.cols) < 5 {
			break
		}
		k := 1 / math.Sqrt(float64(4*in))
		name := fmt.Sprintf("encoder.conv.%d", i)
		e.convs = append(e.convs, conv{b.uniform(name+".weight", k, int64(out), int64(in), 2, 2), b.uniform(name+".bias", k, int64(out))})
		rows, cols, in = rows-1, cols-1, out
		if i == 0 {
			e.pool = true
			rows, cols = rows/2, cols/2
		}
	}
	return rows * cols * in
}

// checkObs reports observations that a network was not made for.
func checkObs(obs []byte, rows, obsLen, vocab int) error {
	if len(obs) != rows*obsLen {
		return fmt.Errorf("%d bytes are not %d observations of %d", len(obs), rows, obsLen)
	}
	if top := slices.Max(obs); int(top) >= vocab {
		return fmt.Errorf("an observation has %d, want below %d", top, vocab)
	}
	return nil
}

// encode is one tensor [rows, width].
func (e *encoder) encode(s *torch.Scope, obs []byte, rows int) (Seen, error) {
	if err := checkObs(obs, rows, e.obsLen, e.vocab); err != nil {
		return nil, err
	}
	dev := e.params.Device()
	var parts []*torch.Tensor
	var told *torch.Tensor // [missions, ...]
	of := make([]int64, rows)
	if e.film != nil {
		var ids, begins []int64
		ids, begins, of = e.film.mission.entries(obs, rows, e.obsLen, e.vocab, true)
		told = sums(s, dev, e.film.mission.table, ids, begins)
		parts = append(parts, bag(s, dev, told, of, 1))
	}
	if e.rows > 0 {
		parts = append(parts, e.look(s, obs, rows, told, of))
	}
	for _, o := range e.others {
		ids, begins, at := o.entries(obs, rows, e.obsLen, e.vocab, false)
		parts = append(parts, bag(s, dev, sums(s, dev, o.table, ids, begins), at, 1))
	}
	for _, r := range e.reals {
		x := make([]float32, 0, rows*r.n)
		for i := range rows {
			for j := range r.n {
				v := math.Float32frombits(binary.LittleEndian.Uint32(obs[i*e.obsLen+r.at+4*j:]))
				if v-v != 0 {
					return nil, fmt.Errorf("an observation has %v, want a number", v)
				}
				x = append(x, v)
			}
		}
		parts = append(parts, s.Tanh(s.Linear(torch.From(s, dev, x, int64(rows), int64(r.n)), r.w, r.b)))
	}
	x := parts[0]
	if len(parts) > 1 {
		x = s.Cat(1, parts...)
	}
	return Seen{s.Linear(x, e.out, e.outB)}, nil
}

// look is what the convolutions make of the grids, [rows, channels·rows·cols], by what is told, of which a row has of[row]. Grids
// of a batch are much alike: every patch of cells that is told the same is computed once, wherever and however often it lies.
func (e *encoder) look(s *torch.Scope, obs []byte, rows int, told *torch.Tensor, of []int64) *torch.Tensor {
	dev := e.params.Device()
	t, ids := e.tile(obs, rows, of)
	shaped := func(x *torch.Tensor, layer int) *torch.Tensor {
		if e.film == nil {
			return x
		}
		c := torch.Shape(x)[1]
		by := bag(s, dev, s.Linear(told, e.film.layers[layer].w, e.film.layers[layer].b), t.of, 1)
		return s.Add(s.Add(x, s.Mul(x, s.Narrow(by, 1, 0, c))), s.Narrow(by, 1, c, c))
	}
	x := shaped(bag(s, dev, e.cells, ids, e.channels), 0) // [patches, 16], from here on [patches, width]
	four := func(t *tiling, stride int) *torch.Tensor {
		next, ids := t.windows(stride)
		*t = next
		return bag(s, dev, x, ids, 1) // [patches·4, width]
	}
	for i, c := range e.convs {
		shape := torch.Shape(c.w) // [out, in, 2, 2]
		w := s.Reshape(s.Own(c.w.Permute([]int64{0, 2, 3, 1}, false)), shape[0], 4*shape[1])
		x = s.Own(shaped(s.Linear(s.Reshape(four(&t, 1), -1, 4*shape[1]), w, c.b), i+1).Relu(false))
		if i == 0 && e.pool {
			x = s.Own(s.Reshape(four(&t, 2), -1, 4, shape[0]).Amax([]int64{1}, false, false))
		}
	}
	width := torch.Shape(x)[1]
	x = bag(s, dev, x, t.at, 1)
	return s.Reshape(s.Transpose(s.Reshape(x, int64(rows), int64(t.rows*t.cols), width), 1, 2), int64(rows), -1)
}

// bag is the sums [len(ids)/n, width] of n rows of table each.
func bag(s *torch.Scope, dev torch.Device, table *torch.Tensor, ids []int64, n int) *torch.Tensor {
	begins := make([]int64, len(ids)/n)
	for i := range begins {
		begins[i] = int64(i * n)
	}
	return sums(s, dev, table, ids, begins)
}

// sums are those [len(begins), width] of the rows ids of table, of which each begins where begins says. Their gradient is much
// faster than that of an index on the CPU.
func sums(s *torch.Scope, dev torch.Device, table *torch.Tensor, ids, begins []int64) *torch.Tensor {
	const sum = 0
	none := s.Own(ts.NewTensor(), nil) // no weights of the rows
	x, a, b, c, err := ts.EmbeddingBag(table, torch.From(s, dev, ids, int64(len(ids))), torch.From(s, dev, begins, int64(len(begins))), false, sum, false, none, false)
	return s.OwnAll([]*torch.Tensor{x, a, b, c}, err)[0]
}

// entries are those of the table that each different value of the field is the sum of, which begin where begins says, and which of
// these values a row has; where there are words, a byte of 0 is none.
func (o other) entries(obs []byte, rows, obsLen, vocab int, words bool) (ids, begins, at []int64) {
	found := map[string]int64{}
	for i := range rows {
		value := obs[i*obsLen+o.at:][:o.n]
		k, ok := found[string(value)]
		if !ok {
			k = int64(len(found))
			found[string(value)] = k
			begins = append(begins, int64(len(ids)))
			for j, v := range value {
				if v > 0 || !words {
					ids = append(ids, int64(j*vocab)+int64(v))
				}
			}
		}
		at = append(at, k)
	}
	return ids, begins, at
}

// A tiling says which of the different patches of a batch lies where.
type tiling struct {
	at         []int64 // [images][rows][cols]
	rows, cols int
	of         []int64 // what each different patch is told
}

// tile is the tiling of cells, where an image is told of[image], and the entries of their table that each different one is the sum of.
func (e *encoder) tile(obs []byte, images int, of []int64) (t tiling, ids []int64) {
	t = tiling{make([]int64, 0, images*e.rows*e.cols), e.rows, e.cols, nil}
	type told struct {
		cell uint32
		of   int64
	}
	found := map[told]int64{}
	for i := range images {
		grid := obs[i*e.obsLen+e.gridAt:][:e.rows*e.cols*e.channels]
		for cell := range slices.Chunk(grid, e.channels) {
			key := told{of: of[i]}
			for _, v := range cell {
				key.cell = key.cell<<8 | uint32(v)
			}
			k, ok := found[key]
			if !ok {
				k = int64(len(found))
				found[key] = k
				t.of = append(t.of, of[i])
				for j, v := range cell {
					ids = append(ids, int64(j*e.vocab)+int64(v))
				}
			}
			t.at = append(t.at, k)
		}
	}
	return t, ids
}

// windows is the tiling of the windows of 2x2, stride apart, and the four patches that each different one is made of.
func (t tiling) windows(stride int) (next tiling, parts []int64) {
	next.rows, next.cols = (t.rows-2)/stride+1, (t.cols-2)/stride+1
	next.at = make([]int64, 0, len(t.at)/(t.rows*t.cols)*next.rows*next.cols)
	found := map[[4]int64]int64{}
	for grid := range slices.Chunk(t.at, t.rows*t.cols) {
		for y := range next.rows {
			for x := range next.cols {
				p := stride * (y*t.cols + x)
				key := [4]int64{grid[p], grid[p+1], grid[p+t.cols], grid[p+t.cols+1]}
				k, ok := found[key]
				if !ok {
					k = int64(len(found))
					found[key] = k
					parts = append(parts, key[:]...)
					next.of = append(next.of, t.of[key[0]])
				}
				next.at = append(next.at, k)
			}
		}
	}
	return next, parts
}

// A builder adds initialised parameters.
type builder struct {
	s   *torch.Scope
	gen *torch.Generator
	p   *torch.Params
}

func (b *builder) normal(name string, std float64, shape ...int64) *torch.Tensor {
	return b.p.Add(b.s, name, b.gen.TruncNormal(b.s, std, shape...))
}

func (b *builder) uniform(name string, k float64, shape ...int64) *torch.Tensor {
	return b.p.Add(b.s, name, b.gen.Uniform(b.s, -k, k, shape...))
}

// linear is a matrix [out, in] and a bias [out], as PyTorch begins them.
func (b *builder) linear(name string, out, in int) (w, bias *torch.Tensor) {
	k := 1 / math.Sqrt(float64(in))
	return b.uniform(name+".weight", k, int64(out), int64(in)), b.uniform(name+".bias", k, int64(out))
}

// small is a matrix that begins near zero, and a bias of zeros: a head whose first answers are even.
func (b *builder) small(name string, out, in int) (w, bias *torch.Tensor) {
	return b.normal(name+".weight", 0.01, int64(out), int64(in)), b.p.Add(b.s, name+".bias", b.s.Floats(make([]float32, out), int64(out)))
}
