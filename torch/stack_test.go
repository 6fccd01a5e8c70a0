//go:build cgo && !notorch

package torch

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// A stackCase is a stack of two blocks and what it thinks about.
type stackCase struct {
	mixing          Mixing
	heads           int
	d, inner        int64
	n, skip         int64 // positions, of which the first are not on the grid
	rows, cols      int   // n - skip cells
	conv, rope      bool
	bias, one, both bool // of attention; what is added to the state
}

func (c stackCase) name() string {
	return fmt.Sprintf("mixing=%d d=%d heads=%d inner=%d n=%d conv=%v rope=%v bias=%v added=%v,%v", c.mixing, c.d, c.heads, c.inner, c.n, c.conv, c.rope, c.bias, c.one, c.both)
}

const stackBlocks = 2

// tensors are the weights of the blocks, the layout, and the state and what is added to it for batch rows.
func (c stackCase) tensors(s *Scope, batch int64) (weights [][]*Tensor, l Layout, state []*Tensor) {
	phase := 0.0
	make := func(scale float64, shape ...int64) *Tensor {
		size := int64(1)
		for _, n := range shape {
			size *= n
		}
		phase++
		return s.Scale(s.Floats(wave(int(size), phase), shape...), scale)
	}
	weight := func(out, in int64) *Tensor { return make(1.5/math.Sqrt(float64(in)), out, in) }
	h := int64(c.heads)
	l = Layout{Rows: c.rows, Cols: c.cols, Skip: int(c.skip), Eps: 1e-5}
	for range stackBlocks {
		var w []*Tensor
		switch c.mixing {
		case MixAttention:
			w = append(w, weight(3*c.d, c.d), weight(c.d, c.d))
		case MixMatrices:
			w = append(w, weight(c.d, c.d), weight(c.d, c.d), make(.2, h, c.n, c.n))
		case MixTokens:
			w = append(w, weight(2*19, c.n), weight(c.n, 19))
		}
		w = append(w, weight(2*c.inner, c.d), weight(c.d, c.inner))
		if c.conv {
			w = append(w, make(.5, 9, c.inner))
		}
		weights = append(weights, w)
		if c.bias {
			l.Bias = append(l.Bias, make(1, h, c.n, c.n))
		}
	}
	if c.rope {
		l.Cos, l.Sin = make(1, c.n, c.d/h), make(1, c.n, c.d/h)
	}
	return weights, l, []*Tensor{make(1, batch, c.n, c.d), make(.5, batch, c.n, c.d), make(.5, batch, c.n, c.d)}
}

// added are the tensors that c adds to the state, nil in the place of those that it does not.
func (c stackCase) added(state []*Tensor) (plus, too *Tensor) {
	if c.one {
		plus = state[1]
	}
	if c.both {
		plus, too = state[1], state[2]
	}
	return plus, too
}

// plain is the same by the operations of a block.
func (c stackCase) plain(s *Scope, weights [][]*Tensor, l Layout, state []*Tensor) *Tensor {
	return c.of(s, weights, l, state, func(x, w *Tensor) *Tensor { return s.Linear(x, w, nil) })
}

// of is plain with another linear map.
func (c stackCase) of(s *Scope, weights [][]*Tensor, l Layout, state []*Tensor, linear func(x, w *Tensor) *Tensor) *Tensor {
	x := state[0]
	plus, too := c.added(state)
	if plus != nil && too != nil {
		plus = s.Add(plus, too)
	}
	if plus != nil {
		x = s.Add(x, plus)
	}
	for i, w := range weights {
		shape := Shape(x)
		switch c.mixing {
		case MixAttention:
			var bias *Tensor
			if c.bias {
				bias = l.Bias[i]
			}
			y := s.Attention(linear(x, w[0]), c.heads, l.Cos, l.Sin, bias)
			x = s.RMSAdd(x, linear(y, w[1]), l.Eps)
		case MixMatrices:
			h, hd := int64(c.heads), c.d/int64(c.heads)
			v := s.Transpose(s.Reshape(linear(x, w[0]), shape[0], c.n, h, hd), 1, 2)
			y := s.Reshape(s.Transpose(s.MatMul(w[2], v), 1, 2), shape...)
			x = s.RMSAdd(x, linear(y, w[1]), l.Eps)
		case MixTokens:
			t := s.Own(s.Transpose(x, 1, 2).Contiguous(false))
			t = s.RMSAdd(t, linear(s.SwiGLU(linear(t, w[0])), w[1]), l.Eps)
			x = s.Own(s.Transpose(t, 1, 2).Contiguous(false))
		}
		k := len(w) - 2
		if c.conv {
			k--
		}
		hid := s.SwiGLU(linear(x, w[k]))
		if c.conv {
			hid = s.Conv3x3(hid, w[k+2], c.rows, c.cols, int(c.skip))
		}
		x = s.RMSAdd(x, linear(hid, w[k+1]), l.Eps)
	}
	return x
}

func wide(s *Scope, ts [][]*Tensor) (out [][]*Tensor) {
	for _, row := range ts {
		var to []*Tensor
		for _, x := range row {
			to = append(to, s.To(x, Float64))
		}
		out = append(out, to)
	}
	return out
}

func (l Layout) wide(s *Scope) Layout {
	if l.Cos != nil {
		l.Cos, l.Sin = s.To(l.Cos, Float64), s.To(l.Sin, Float64)
	}
	if l.Bias != nil {
		l.Bias = wide(s, [][]*Tensor{l.Bias})[0]
	}
	return l
}

var stackCases = []stackCase{
	{mixing: MixAttention, d: 32, heads: 2, inner: 48, n: 50, skip: 1, rows: 7, cols: 7, rope: true, both: true},
	{mixing: MixAttention, d: 256, heads: 8, inner: 700, n: 101, skip: 1, rows: 10, cols: 10, rope: true, both: true},
	{mixing: MixAttention, d: 30, heads: 3, inner: 37, n: 11, skip: 2, rows: 3, cols: 3, bias: true, conv: true, one: true},
	{mixing: MixAttention, d: 64, heads: 2, inner: 21, n: 3, rows: 1, cols: 3, conv: true},
	{mixing: MixMatrices, d: 64, heads: 4, inner: 90, n: 17, skip: 1, rows: 4, cols: 4, both: true},
	{mixing: MixTokens, d: 67, heads: 1, inner: 33, n: 26, skip: 1, rows: 5, cols: 5, conv: true, one: true},
	{mixing: MixNone, d: 64, heads: 2, inner: 33, n: 26, skip: 1, rows: 5, cols: 5, conv: true, both: true},
}

// TestStack: a stack is as near to its operations in float64 as they are in float32, on every instruction set, with whole and broken panels,
// strips and vectors. Neither threads nor the other rows change a bit of a row.
func TestStack(t *testing.T) {
	before := Threads()
	defer SetThreads(before)
	for _, c := range stackCases {
		for _, isa := range instructionSets(t) {
			if err := UseKernels(isa); err != nil {
				t.Fatal(err)
			}
			t.Run(c.name()+" "+isa, func(t *testing.T) {
				err := Do(NoGrad, func(s *Scope) {
					const batch = 5
					weights, l, state := c.tensors(s, batch)
					packed := s.PackStack(slices.Concat(weights...), stackBlocks, c.mixing, c.heads, Float32)
					plus, too := c.added(state)
					exact := Read[float64](nil, c.plain(s, wide(s, weights), l.wide(s), wide(s, [][]*Tensor{state})[0]))
					plain := Read[float64](nil, c.plain(s, weights, l, state))
					SetThreads(1)
					got := s.ReadFloats(nil, s.Stack(packed, state[0], plus, too, l))
					var off, allowed float64
					for i, x := range exact {
						off, allowed = max(off, math.Abs(float64(got[i])-x)), max(allowed, math.Abs(plain[i]-x))
					}
					if !(off <= 4*allowed+1e-5) {
						t.Fatalf("off by %g, the operations by %g", off, allowed)
					}
					SetThreads(3)
					if two := s.ReadFloats(nil, s.Stack(packed, state[0], plus, too, l)); !slices.Equal(got, two) {
						t.Error("differs between 1 and 3 threads")
					}
					size := len(got) / batch
					row := func(x *Tensor) *Tensor {
						if x == nil {
							return nil
						}
						return s.Narrow(x, 0, 3, 1)
					}
					if alone := s.ReadFloats(nil, s.Stack(packed, row(state[0]), row(plus), row(too), l)); !slices.Equal(got[3*size:4*size], alone) {
						t.Error("a row alone differs from the same among others")
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// TestNarrowStack: with factors of bf16 or int8 a stack is as near to float32 as their roundings allow, on every instruction
// set, and int8 in the same whole numbers on each. Neither threads nor the other rows change a bit of a row.
func TestNarrowStack(t *testing.T) {
	before := Threads()
	defer SetThreads(before)
	// How far roundings of factors take a chain of up to 8 products and a gate, each of which doubles what comes in at most:
	// half a unit of the last place, 2^-9 of a number in bf16 and 1/254 of the largest in int8, in both factors, and the
	// largest of a row is 3 times the root of its mean square.
	bounds := map[DType]float64{BFloat16: 2 * 2 * 8. * 2 / 512, Int8: 2 * 2 * 8 * 3. / 254}
	for in, bound := range bounds {
		for _, c := range stackCases {
			for _, isa := range instructionSets(t) {
				if err := UseKernels(isa); err != nil {
					t.Fatal(err)
				}
				t.Run(fmt.Sprint(in, " ", c.name(), " ", isa), func(t *testing.T) {
					err := Do(NoGrad, func(s *Scope) {
						const batch = 5
						weights, l, state := c.tensors(s, batch)
						all := slices.Concat(weights...)
						packed := s.PackStack(all, stackBlocks, c.mixing, c.heads, in)
						for i, w := range s.UnpackStack(packed, len(all)) {
							was, is := s.ReadFloats(nil, all[i]), s.ReadFloats(nil, w)
							top := 0.0
							for _, x := range was {
								top = max(top, math.Abs(float64(x)))
							}
							for j, x := range was {
								if off := math.Abs(float64(is[j] - x)); !(off <= 1.001*top/254) {
									t.Fatalf("weight %d, number %d: %g became %g", i, j, x, is[j])
								}
							}
						}
						plus, too := c.added(state)
						SetThreads(1)
						want := s.ReadFloats(nil, s.Stack(s.PackStack(all, stackBlocks, c.mixing, c.heads, Float32), state[0], plus, too, l))
						got := s.ReadFloats(nil, s.Stack(packed, state[0], plus, too, l))
						if off := apart(got, want); !(off <= bound) || off == 0 {
							t.Errorf("off by %g of float32, want at most %g, and not nothing", off, bound)
						}
						// The same by operations on rounded factors, but for ties that fall to the other side.
						round := func(x *Tensor) *Tensor { return rounded(s, x, in) }
						same := s.ReadFloats(nil, c.of(s, weights, l, state, func(x, w *Tensor) *Tensor { return s.Linear(round(x), round(w), nil) }))
						if off := apart(got, same); !(off <= bound/4) {
							t.Errorf("off by %g of operations on rounded factors, want at most %g", off, bound/4)
						}
						SetThreads(3)
						if two := s.ReadFloats(nil, s.Stack(packed, state[0], plus, too, l)); !slices.Equal(got, two) {
							t.Error("differs between 1 and 3 threads")
						}
						row := func(x *Tensor) *Tensor {
							if x == nil {
								return nil
							}
							return s.Narrow(x, 0, 3, 1)
						}
						size := len(got) / batch
						if alone := s.ReadFloats(nil, s.Stack(packed, row(state[0]), row(plus), row(too), l)); !slices.Equal(got[3*size:4*size], alone) {
							t.Error("a row alone differs from the same among others")
						}
					})
					if err != nil {
						t.Fatal(err)
					}
				})
			}
		}
	}
}

// rounded is x with the numbers of each row of its last axis as products of type in see them.
func rounded(s *Scope, x *Tensor, in DType) *Tensor {
	if in == BFloat16 {
		return s.To(s.To(x, BFloat16), Float32)
	}
	shape := Shape(x)
	k, v := int(shape[len(shape)-1]), s.ReadFloats(nil, x)
	for row := range slices.Chunk(v, k) {
		var most float32
		for _, y := range row {
			most = max(most, float32(math.Abs(float64(y))))
		}
		for i, y := range row {
			row[i] = float32(math.RoundToEven(float64(y*(127/most)))) * (most / 127)
		}
	}
	return s.Floats(v, shape...)
}

// apart is the distance of two vectors, relative to the length of the second.
func apart(x, y []float32) float64 {
	var off, size float64
	for i := range x {
		d := float64(x[i]) - float64(y[i])
		off, size = off+d*d, size+float64(y[i])*float64(y[i])
	}
	return math.Sqrt(off / size)
}

// TestStackRefuses: shapes that do not fit are an error that names them, not memory read beyond its end.
func TestStackRefuses(t *testing.T) {
	c := stackCase{mixing: MixAttention, d: 32, heads: 2, inner: 48, n: 10, skip: 1, rows: 3, cols: 3, conv: true, rope: true, bias: true}
	for name, f := range map[string]func(s *Scope, w [][]*Tensor, l Layout, z []*Tensor){
		"a weight is missing": func(s *Scope, w [][]*Tensor, l Layout, z []*Tensor) {
			s.PackStack(w[0][:3], 1, c.mixing, c.heads, Float32)
		},
		"weights are swapped": func(s *Scope, w [][]*Tensor, l Layout, z []*Tensor) {
			w[0][0], w[0][1] = w[0][1], w[0][0]
			s.PackStack(w[0], 1, c.mixing, c.heads, Float32)
		},
		"heads do not divide": func(s *Scope, w [][]*Tensor, l Layout, z []*Tensor) { s.PackStack(w[0], 1, c.mixing, 5, Float32) },
		"another width": func(s *Scope, w [][]*Tensor, l Layout, z []*Tensor) {
			s.Stack(s.PackStack(w[0], 1, c.mixing, 2, Float32), s.Narrow(z[0], 2, 0, 31), nil, nil, Layout{})
		},
		"another grid": func(s *Scope, w [][]*Tensor, l Layout, z []*Tensor) {
			l.Cols++
			s.Stack(s.PackStack(slices.Concat(w...), 2, c.mixing, 2, Float32), z[0], nil, nil, l)
		},
		"bias of fewer blocks": func(s *Scope, w [][]*Tensor, l Layout, z []*Tensor) {
			l.Bias = l.Bias[:1]
			s.Stack(s.PackStack(slices.Concat(w...), 2, c.mixing, 2, Float32), z[0], nil, nil, l)
		},
		"another rope table": func(s *Scope, w [][]*Tensor, l Layout, z []*Tensor) {
			l.Cos = s.Narrow(l.Cos, 0, 0, 5)
			s.Stack(s.PackStack(slices.Concat(w...), 2, c.mixing, 2, Float32), z[0], nil, nil, l)
		},
		"another addend": func(s *Scope, w [][]*Tensor, l Layout, z []*Tensor) {
			s.Stack(s.PackStack(slices.Concat(w...), 2, c.mixing, 2, Float32), z[0], s.Narrow(z[1], 0, 0, 1), nil, l)
		},
	} {
		if err := Do(NoGrad, func(s *Scope) { w, l, z := c.tensors(s, 2); f(s, w, l, z) }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
