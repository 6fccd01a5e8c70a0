//go:build cgo && !notorch

package torch

import (
	"math"
	"testing"
)

// gpu is the first GPU; the test ends where there is none.
func gpu(t *testing.T) Device {
	t.Helper()
	dev, err := ParseDevice("cuda")
	if err != nil {
		t.Skip(err)
	}
	if !dev.Records() {
		t.Log("libtch was compiled without CUDA's headers: libtorch's own operations are tried")
	}
	return dev
}

// angles is a table of cosines or sines [n, hd], both halves equal.
func angles(f func(float64) float64, n, hd int) (x []float32) {
	for p := range n {
		for i := range hd {
			x = append(x, float32(f(float64(p)*math.Pow(100, -float64(i%(hd/2))/float64(hd)))))
		}
	}
	return x
}

// TestGPU compares the operations on a GPU, and their gradients, with those of the CPU.
func TestGPU(t *testing.T) {
	dev := gpu(t)
	const n, heads, hd = 11, 2, 16
	turn := func(s *Scope, dev Device) (cos, sin *Tensor) {
		return From(s, dev, angles(math.Cos, n, hd), n, hd), From(s, dev, angles(math.Sin, n, hd), n, hd)
	}
	for _, tt := range []struct {
		name   string
		shapes [][]int64
		f      func(s *Scope, x []*Tensor) *Tensor
	}{
		{"rms", [][]int64{{6, 5, 64}, {6, 5, 64}}, func(s *Scope, x []*Tensor) *Tensor { return s.RMSAdd(x[0], x[1], 1e-5) }},
		{"rms of a wide row", [][]int64{{3, 516}, {3, 516}}, func(s *Scope, x []*Tensor) *Tensor { return s.RMSAdd(x[0], x[1], 1e-5) }},
		{"rms of an odd row", [][]int64{{3, 7}, {3, 7}}, func(s *Scope, x []*Tensor) *Tensor { return s.RMSAdd(x[0], x[1], 1e-5) }},
		{"swiglu", [][]int64{{7, 3, 80}}, func(s *Scope, x []*Tensor) *Tensor { return s.SwiGLU(x[0]) }},
		{"attention", [][]int64{{3, n, 3 * heads * hd}}, func(s *Scope, x []*Tensor) *Tensor {
			return s.Attention(x[0], heads, nil, nil, nil)
		}},
		{"attention with rotation", [][]int64{{3, n, 3 * heads * hd}}, func(s *Scope, x []*Tensor) *Tensor {
			cos, sin := turn(s, DeviceOf(x[0]))
			return s.Attention(x[0], heads, cos, sin, nil)
		}},
		{"convolution", [][]int64{{2, 1 + 12, 20}, {9, 20}}, func(s *Scope, x []*Tensor) *Tensor { return s.Conv3x3(x[0], x[1], 3, 4, 1) }},
	} {
		run := func(dev Device, dtype DType) (out [][]float64) {
			err := Do(Grad, func(s *Scope) {
				var x []*Tensor
				for i, shape := range tt.shapes {
					size := int64(1)
					for _, d := range shape {
						size *= d
					}
					x = append(x, s.Own(s.To(From(s, dev, wave(int(size), float64(i)), shape...), dtype).SetRequiresGrad(true, false)))
				}
				y := tt.f(s, x)
				w := s.To(From(s, dev, wave(int(y.Numel()), 5), Shape(y)...), dtype)
				out = append(out, Read[float64](nil, y))
				for _, g := range s.Gradients(s.Sum(s.Mul(y, w)), x) {
					out = append(out, Read[float64](nil, g))
				}
			})
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			return out
		}
		want := run(CPU, Float32)
		for dtype, limit := range map[DType]float64{Float32: 2e-5, BFloat16: 0.03} {
			for i, got := range run(dev, dtype) {
				top, off := 1.0, 0.0
				for j, w := range want[i] {
					top = max(top, math.Abs(w))
					if d := math.Abs(got[j] - w); !(d <= off) {
						off = d
					}
				}
				if !(off <= limit*top) {
					t.Errorf("%s in %v, part %d (0 is the value, then gradients) is off by %g of %g", tt.name, dtype, i, off, top)
				}
			}
		}
	}
}

// TestRecord replays a recording on other numbers than it was made with.
func TestRecord(t *testing.T) {
	dev := gpu(t)
	if !dev.Records() {
		t.Skip("no recordings")
	}
	err := Do(NoGrad, func(s *Scope) {
		x := From(s, dev, wave(64, 1), 4, 16)
		var y *Tensor
		r := s.Record(dev, func(s *Scope) {
			y = s.RMSAdd(x, s.MatMul(x, s.Transpose(s.MatMul(s.Transpose(x, 0, 1), x), 0, 1)), 1e-5)
		})
		defer r.Close()
		for k := range 3 {
			Write(x, wave(64, float64(2+k)))
			r.Replay()
			got := s.ReadFloats(nil, y)
			want := s.ReadFloats(nil, s.RMSAdd(x, s.MatMul(x, s.Transpose(s.MatMul(s.Transpose(x, 0, 1), x), 0, 1)), 1e-5))
			for i := range want {
				if !(math.Abs(float64(got[i]-want[i])) <= 1e-5) {
					t.Fatalf("replay %d, number %d: %g, want %g", k, i, got[i], want[i])
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
