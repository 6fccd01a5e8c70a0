//go:build cgo && !notorch

package torch

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/sugarme/gotch/ts"
)

// wave is n numbers in [-1, 1] without a pattern that a wrong index would repeat.
func wave(n int, phase float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.Sin(1.7*float64(i) + phase + 0.3*math.Cos(0.11*float64(i)*float64(i))))
	}
	return x
}

// leaf is data of the given type as a tensor that records gradients.
func leaf(s *Scope, dtype DType, data []float32, shape ...int64) *Tensor {
	return s.Own(s.To(s.Floats(data, shape...), dtype).SetRequiresGrad(true, false))
}

// fused is an operation, the same from libtorch's plain ones, and the inputs that have gradients.
type fused struct {
	inputs [][]float32
	shapes [][]int64
	ours   func(s *Scope, x []*Tensor) *Tensor
	plain  func(s *Scope, x []*Tensor) *Tensor
}

// run is the result of f and its gradients, of which the result's is a wave.
func (c fused) run(t *testing.T, f func(*Scope, []*Tensor) *Tensor, dtype DType) (out [][]float64) {
	t.Helper()
	err := Do(Grad, func(s *Scope) {
		var x []*Tensor
		for i, data := range c.inputs {
			x = append(x, leaf(s, dtype, data, c.shapes[i]...))
		}
		y := f(s, x)
		w := s.To(s.Floats(wave(int(y.Numel()), 5), Shape(y)...), dtype)
		out = append(out, Read[float64](nil, y))
		for _, g := range s.Gradients(s.Sum(s.Mul(y, w)), x) {
			out = append(out, Read[float64](nil, g))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// check compares the operation in float32 with the plain one in float64, relative to the largest
// value: 5e-6 is some 40 roundings of float32, for exponentials of 2 ulp and sums of up to 100 terms.
// It does so for every instruction set that this processor has; threads must not change a bit.
func (c fused) check(t *testing.T) {
	t.Helper()
	want := c.run(t, c.plain, Float64)
	for _, isa := range instructionSets(t) {
		if err := UseKernels(isa); err != nil {
			t.Fatal(err)
		}
		c.checkOne(t, isa, want)
	}
}

func (c fused) checkOne(t *testing.T, isa string, want [][]float64) {
	t.Helper()
	before := Threads()
	defer SetThreads(before)
	SetThreads(1)
	got := c.run(t, c.ours, Float32)
	for i := range want {
		top, off := 1.0, 0.0
		if len(got[i]) != len(want[i]) {
			t.Fatalf("%s, part %d: %d values, want %d", isa, i, len(got[i]), len(want[i]))
		}
		for j, w := range want[i] {
			top = max(top, math.Abs(w))
			if d := math.Abs(got[i][j] - w); !(d <= off) {
				off = d
			}
		}
		if !(off <= 5e-6*top) {
			t.Errorf("%s, part %d (0 is the value, then gradients) is off by %g of %g", isa, i, off, top)
		}
	}
	SetThreads(2)
	for i, two := range c.run(t, c.ours, Float32) {
		if !slices.Equal(got[i], two) {
			t.Errorf("%s, part %d differs between 1 and 2 threads", isa, i)
		}
	}
}

// attend is softmax(q kᵀ / sqrt(hd) + bias) v of packed projections.
func attend(s *Scope, qkv *Tensor, heads, n, hd int64, cos, sin, bias *Tensor) *Tensor {
	batch := Shape(qkv)[0]
	part := func(i int64) *Tensor { // [batch, heads, n, hd]
		return s.Transpose(s.Reshape(s.Narrow(qkv, 2, i*heads*hd, heads*hd), batch, n, heads, hd), 1, 2)
	}
	rotate := func(x *Tensor) *Tensor {
		if cos == nil {
			return x
		}
		turned := s.Cat(3, s.Scale(s.Narrow(x, 3, hd/2, hd/2), -1), s.Narrow(x, 3, 0, hd/2))
		return s.Add(s.Mul(x, cos), s.Mul(turned, sin))
	}
	scores := s.Scale(s.MatMul(rotate(part(0)), s.Transpose(rotate(part(1)), 2, 3)), 1/math.Sqrt(float64(hd)))
	if bias != nil {
		scores = s.Add(scores, bias)
	}
	y := s.MatMul(s.Own(scores.Softmax(-1, scores.DType(), false)), part(2))
	return s.Reshape(s.Transpose(y, 1, 2), batch, n, heads*hd)
}

func TestAttention(t *testing.T) {
	const batch, heads = 2, 3
	for _, n := range []int{5, 17, 50, 82} { // one block of rows and two, whole and broken vectors
		for _, hd := range []int{8, 20, 32} {
			for _, with := range []struct{ rope, bias bool }{{}, {rope: true}, {bias: true}, {true, true}} {
				t.Run(fmt.Sprintf("n=%d hd=%d rope=%v bias=%v", n, hd, with.rope, with.bias), func(t *testing.T) {
					cos, sin := make([]float32, n*hd), make([]float32, n*hd)
					for i := range cos {
						angle := float64(i/hd) / float64(1+i%hd%(hd/2))
						cos[i], sin[i] = float32(math.Cos(angle)), float32(math.Sin(angle))
					}
					table := func(s *Scope, x []float32, dtype DType) *Tensor {
						if !with.rope {
							return nil
						}
						return s.To(s.Floats(x, int64(n), int64(hd)), dtype)
					}
					bias := func(x []*Tensor) *Tensor {
						if !with.bias {
							return nil
						}
						return x[1]
					}
					c := fused{
						inputs: [][]float32{wave(batch*n*3*heads*hd, 0)},
						shapes: [][]int64{{batch, int64(n), int64(3 * heads * hd)}},
						ours: func(s *Scope, x []*Tensor) *Tensor {
							return s.Attention(x[0], heads, table(s, cos, Float32), table(s, sin, Float32), bias(x))
						},
						plain: func(s *Scope, x []*Tensor) *Tensor {
							return attend(s, x[0], heads, int64(n), int64(hd), table(s, cos, Float64), table(s, sin, Float64), bias(x))
						},
					}
					if with.bias {
						c.inputs = append(c.inputs, wave(heads*n*n, 2))
						c.shapes = append(c.shapes, []int64{heads, int64(n), int64(n)})
					}
					c.check(t)
				})
			}
		}
	}
}

// TestAttentionBFloat16: attention in bfloat16, and its gradient, are those of float64 for the same numbers
// but for the rounding of the result.
func TestAttentionBFloat16(t *testing.T) {
	const batch, heads, n, hd = 2, 3, 82, 20
	qkv := make([]float32, batch*n*3*heads*hd)
	if err := Do(NoGrad, func(s *Scope) {
		x := s.Scale(s.Floats(wave(len(qkv), 0), int64(len(qkv))), 3) // scores that matter
		qkv = s.ReadFloats(qkv, s.To(x, BFloat16))
	}); err != nil {
		t.Fatal(err)
	}
	c := fused{inputs: [][]float32{qkv}, shapes: [][]int64{{batch, n, 3 * heads * hd}}}
	want := c.run(t, func(s *Scope, x []*Tensor) *Tensor { return attend(s, x[0], heads, n, hd, nil, nil, nil) }, Float64)
	got := c.run(t, func(s *Scope, x []*Tensor) *Tensor { return s.Attention(x[0], heads, nil, nil, nil) }, BFloat16)
	for j, w := range want[0] {
		if d := math.Abs(got[0][j] - w); !(d <= math.Abs(w)/256+1e-5) { // bfloat16 has 8 bits, float32 sums 82 terms
			t.Fatalf("value %d is %v, want %v", j, got[0][j], w)
		}
	}
	for j, w := range want[1] {
		if d := math.Abs(got[1][j] - w); !(d <= math.Abs(w)/256+0.02) { // the gradient of the result is rounded too
			t.Fatalf("gradient %d is %v, want %v", j, got[1][j], w)
		}
	}
}

// TestAttentionFarScores: scores beyond the range of exp, and a row that all but forbids everything.
func TestAttentionFarScores(t *testing.T) {
	const n, hd = 17, 8
	qkv := wave(n*3*hd, 0)
	for i := range qkv {
		if i%(3*hd) < 2*hd {
			qkv[i] *= 20
		}
	}
	bias := make([]float32, n*n)
	for j := range n {
		bias[3*n+j] = -1e4
	}
	fused{
		inputs: [][]float32{qkv, bias}, shapes: [][]int64{{1, n, 3 * hd}, {1, n, n}},
		ours:  func(s *Scope, x []*Tensor) *Tensor { return s.Attention(x[0], 1, nil, nil, x[1]) },
		plain: func(s *Scope, x []*Tensor) *Tensor { return attend(s, x[0], 1, n, hd, nil, nil, x[1]) },
	}.near(t, 1e-4) // scores of some hundreds carry 1e-5 of rounding themselves
}

// near is the comparison of check within a share of the largest value.
func (c fused) near(t *testing.T, limit float64) {
	t.Helper()
	want, got := c.run(t, c.plain, Float64), c.run(t, c.ours, Float32)
	for i := range want {
		top := 1.0
		for _, w := range want[i] {
			top = max(top, math.Abs(w))
		}
		for j, w := range want[i] {
			if d := math.Abs(got[i][j] - w); !(d <= limit*top) {
				t.Fatalf("part %d, value %d is %v, want %v", i, j, got[i][j], w)
			}
		}
	}
}

func TestSwiGLU(t *testing.T) {
	for _, f := range []int{1, 7, 16, 33, 100} {
		gu := wave(3*2*f, 1)
		for i := range gu {
			gu[i] *= 6
		}
		t.Run(fmt.Sprint(f), fused{
			inputs: [][]float32{gu}, shapes: [][]int64{{3, int64(2 * f)}},
			ours: func(s *Scope, x []*Tensor) *Tensor { return s.SwiGLU(x[0]) },
			plain: func(s *Scope, x []*Tensor) *Tensor {
				g, u := s.Narrow(x[0], 1, 0, int64(f)), s.Narrow(x[0], 1, int64(f), int64(f))
				return s.Mul(s.Mul(g, s.Sigmoid(g)), u)
			},
		}.check)
	}
}

func TestRMSAddInCompany(t *testing.T) {
	for _, d := range []int{1, 15, 16, 64, 82} {
		t.Run(fmt.Sprint(d), fused{
			inputs: [][]float32{wave(6*d, 0), wave(6*d, 3)}, shapes: [][]int64{{2, 3, int64(d)}, {2, 3, int64(d)}},
			ours: func(s *Scope, x []*Tensor) *Tensor { return s.RMSAdd(x[0], x[1], 1e-5) },
			plain: func(s *Scope, x []*Tensor) *Tensor {
				z := s.Add(x[0], x[1])
				eps := ts.FloatScalar(1e-5)
				defer eps.Drop()
				mean := s.Own(s.Mul(z, z).MeanDim([]int64{-1}, true, z.DType(), false))
				return s.Mul(z, s.Own(s.Own(mean.AddScalar(eps, false)).Rsqrt(false)))
			},
		}.check)
	}
}

// TestConv3x3 compares with the nine shifted grids, each times its row of the kernel.
func TestConv3x3(t *testing.T) {
	const batch = 2
	for _, g := range []struct{ rows, cols, skip, f int64 }{
		{3, 4, 0, 16}, {3, 4, 2, 20}, {1, 5, 1, 7}, {5, 1, 3, 33}, {1, 1, 0, 1}, {9, 9, 1, 40},
	} {
		n := g.skip + g.rows*g.cols
		t.Run(fmt.Sprintf("%+v", g), fused{
			inputs: [][]float32{wave(int(batch*n*g.f), 0), wave(int(9*g.f), 4)},
			shapes: [][]int64{{batch, n, g.f}, {9, g.f}},
			ours: func(s *Scope, x []*Tensor) *Tensor {
				return s.Conv3x3(x[0], x[1], int(g.rows), int(g.cols), int(g.skip))
			},
			plain: func(s *Scope, x []*Tensor) *Tensor {
				grid := s.Reshape(s.Narrow(x[0], 1, g.skip, g.rows*g.cols), batch, g.rows, g.cols, g.f)
				grid = s.Own(grid.ConstantPadNd([]int64{0, 0, 1, 1, 1, 1}, false))
				var sum *Tensor
				for k := range int64(9) {
					y := s.Mul(s.Narrow(s.Narrow(grid, 1, k/3, g.rows), 2, k%3, g.cols), s.Narrow(x[1], 0, k, 1))
					if sum == nil {
						sum = y
					} else {
						sum = s.Add(sum, y)
					}
				}
				sum = s.Reshape(sum, batch, g.rows*g.cols, g.f)
				if g.skip == 0 {
					return sum
				}
				return s.Cat(1, s.Narrow(x[0], 1, 0, g.skip), sum)
			},
		}.check)
	}
}

// TestLinear: few rows and more than are worked on at once, widths of whole panels and not, laid out and not.
func TestLinear(t *testing.T) {
	for _, m := range []int{1, 9, 300} {
		for _, size := range [][2]int{{5, 2}, {16, 33}, {64, 96}, {264, 70}, {256, 32}} { // in, out
			in, out := size[0], size[1]
			for _, bias := range []bool{false, true} {
				t.Run(fmt.Sprintf("m=%d in=%d out=%d bias=%v", m, in, out, bias), func(t *testing.T) {
					c := fused{
						inputs: [][]float32{wave(m*in, 0), wave(out*in, 1)},
						shapes: [][]int64{{1, int64(m), int64(in)}, {int64(out), int64(in)}},
						ours:   func(s *Scope, x []*Tensor) *Tensor { return s.Linear(x[0], x[1], append(x, nil)[2]) },
						plain: func(s *Scope, x []*Tensor) *Tensor {
							y := s.MatMul(x[0], s.Transpose(x[1], 0, 1))
							if len(x) > 2 {
								y = s.Add(y, x[2])
							}
							return y
						},
					}
					if bias {
						c.inputs, c.shapes = append(c.inputs, wave(out, 2)), append(c.shapes, []int64{int64(out)})
					}
					c.check(t)
				})
			}
		}
	}
}

// TestRoundedLinear: the products there and back are those of rounded factors, whatever computes them.
func TestRoundedLinear(t *testing.T) {
	for _, isa := range instructionSets(t) {
		for _, size := range [][3]int{{1, 5, 2}, {9, 64, 96}, {40, 33, 17}, {600, 70, 264}, {300, 256, 32}} { // rows, in, out
			m, in, out := size[0], size[1], size[2]
			t.Run(fmt.Sprintf("%s m=%d in=%d out=%d", isa, m, in, out), func(t *testing.T) {
				if err := UseKernels(isa); err != nil {
					t.Fatal(err)
				}
				err := Do(Grad, func(s *Scope) {
					num := func(phase float64, shape ...int64) *Tensor {
						return s.Floats(wave(int(shape[0]*shape[1]), phase), shape...)
					}
					x, w, g := num(0, int64(m), int64(in)), num(1, int64(out), int64(in)), num(2, int64(m), int64(out))
					b := s.Floats(wave(out, 3), int64(out))
					var leaves []*Tensor
					for _, p := range []*Tensor{x, w, b} {
						leaves = append(leaves, s.Own(s.Detach(p).SetRequiresGrad(true, false)))
					}
					y := s.RoundedLinear(leaves[0], leaves[1], leaves[2])
					got := append([]*Tensor{y}, s.Gradients(s.Sum(s.Mul(y, g)), leaves)...)
					ones := s.Floats(slices.Repeat([]float32{1}, m), 1, int64(m))
					round := func(x *Tensor) *Tensor { return s.To(s.To(x, BFloat16), Float64) }
					rx, rw, rg := round(x), round(w), round(g)
					want := []*Tensor{
						s.Add(s.MatMul(rx, s.Transpose(rw, 0, 1)), s.To(b, Float64)), s.MatMul(rg, rw), s.MatMul(s.Transpose(rg, 0, 1), rx),
						s.Reshape(s.MatMul(s.To(ones, Float64), s.To(g, Float64)), int64(out)),
					}
					for i, name := range []string{"output", "gradient of x", "gradient of w", "gradient of b"} {
						is, should := s.ReadFloats(nil, got[i]), s.ReadFloats(nil, want[i])
						if off := apart(is, should); !(off <= 1e-5) { // float32, sums of up to 600
							t.Errorf("%s: off by %g", name, off)
						}
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
