//go:build cgo && !notorch

package rl

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch"
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
			return nil, &problems.Field{Name: "policy.film", What: fmt.Sprintf(", and an observation of %s has no grid and mission", spec.ID)}
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
	var parts []*torch.Tensor
	var told *torch.Tensor // [missions, ...]
	of := make([]int64, rows)
	if e.film != nil {
		var ids, begins []int64
		ids, begins, of = e.film.mission.entries(obs, rows, e.obsLen, e.vocab, true)
		told = s.Bag(e.film.mission.table, ids, begins)
		parts = append(parts, s.Bag(told, of, nil))
	}
	if e.rows > 0 {
		parts = append(parts, e.look(s, obs, rows, told, of))
	}
	for _, o := range e.others {
		ids, begins, at := o.entries(obs, rows, e.obsLen, e.vocab, false)
		parts = append(parts, s.Bag(s.Bag(o.table, ids, begins), at, nil))
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
		parts = append(parts, s.Tanh(s.Linear(torch.From(s, e.params.Device(), x, int64(rows), int64(r.n)), r.w, r.b)))
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
	t, ids := e.tile(obs, rows, of)
	shaped := func(x *torch.Tensor, layer int) *torch.Tensor {
		if e.film == nil {
			return x
		}
		c := torch.Shape(x)[1]
		by := s.Bag(s.Linear(told, e.film.layers[layer].w, e.film.layers[layer].b), t.of, nil)
		return s.Add(s.Add(x, s.Mul(x, s.Narrow(by, 1, 0, c))), s.Narrow(by, 1, c, c))
	}
	x := shaped(s.Bag(e.cells, ids, every(e.channels, len(ids))), 0) // [patches, 16], from here on [patches, width]
	four := func(t *tiling, stride int) *torch.Tensor {
		next, ids := t.windows(stride)
		*t = next
		return s.Bag(x, ids, nil) // [patches·4, width]
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
	if x = s.Bag(x, t.at, nil); t.rows*t.cols == 1 {
		return x
	}
	return s.Reshape(s.Transpose(s.Reshape(x, int64(rows), int64(t.rows*t.cols), width), 1, 2), int64(rows), -1)
}

// every is where bags of n of all ids begin.
func every(n, all int) (begins []int64) {
	for i := 0; i < all; i += n {
		begins = append(begins, int64(i))
	}
	return begins
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
	found := takeIndex()
	defer found.give()
	for i := range images {
		grid := obs[i*e.obsLen+e.gridAt:][:e.rows*e.cols*e.channels]
		for at := 0; at < len(grid); at += e.channels {
			cell := grid[at : at+e.channels]
			var key uint64 // the numbers of the cell, at most four
			for _, v := range cell {
				key = key<<8 | uint64(v)
			}
			k, fresh := found.of(key, uint64(of[i]))
			if fresh {
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
	found := takeIndex()
	defer found.give()
	for grid := t.at; len(grid) > 0; grid = grid[t.rows*t.cols:] {
		for y := range next.rows {
			for x := range next.cols {
				p := stride * (y*t.cols + x)
				a, b, c, d := grid[p], grid[p+1], grid[p+t.cols], grid[p+t.cols+1]
				k, fresh := found.of(uint64(a)<<32|uint64(b), uint64(c)<<32|uint64(d))
				if fresh {
					parts = append(parts, a, b, c, d)
					next.of = append(next.of, t.of[a])
				}
				next.at = append(next.at, k)
			}
		}
	}
	return next, parts
}

// An index numbers different keys from 0 in the order in which they come. It is a table of open addresses: a map took half of the
// time of an encoder, which looks up every window of every image.
type index struct {
	keys  [][2]uint64
	ids   []int64 // 1 more than the number of a key; 0 is a place without
	count int64
}

// indexes are those that nobody uses: their tables are as large as what is encoded.
var indexes = sync.Pool{New: func() any { return new(index) }}

// takeIndex is an empty index, to be given back.
func takeIndex() *index { return indexes.Get().(*index) }

func (x *index) give() {
	clear(x.ids)
	x.count = 0
	indexes.Put(x)
}

// of is the number of a key, and whether it is a new one.
func (x *index) of(a, b uint64) (id int64, fresh bool) {
	if int(x.count)*2 >= len(x.keys) {
		x.grow()
	}
	at := x.place(a, b)
	if x.ids[at] != 0 {
		return x.ids[at] - 1, false
	}
	x.count++
	x.keys[at], x.ids[at] = [2]uint64{a, b}, x.count
	return x.count - 1, true
}

// place is where a key is, or is to be.
func (x *index) place(a, b uint64) int {
	h := (a ^ b*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd // odd numbers without a pattern: golden ratio, MurmurHash3
	mask := len(x.keys) - 1
	at := int(h>>32) & mask
	for x.ids[at] != 0 && x.keys[at] != [2]uint64{a, b} {
		at = (at + 1) & mask
	}
	return at
}

func (x *index) grow() {
	keys, ids := x.keys, x.ids
	n := max(1<<10, 4*len(keys))
	x.keys, x.ids = make([][2]uint64, n), make([]int64, n)
	for i, id := range ids {
		if id != 0 {
			at := x.place(keys[i][0], keys[i][1])
			x.keys[at], x.ids[at] = keys[i], id
		}
	}
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
