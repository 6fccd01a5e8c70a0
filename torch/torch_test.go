//go:build cgo && !notorch

package torch

import (
	"errors"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sugarme/gotch/ts"
)

func TestFailuresAreErrors(t *testing.T) {
	for name, f := range map[string]func(*Scope){
		"shapes": func(s *Scope) { s.MatMul(s.Floats([]float32{1, 2}, 1, 2), s.Floats([]float32{1, 2, 3}, 3, 1)) },
		"memory": func(s *Scope) { s.Own(ts.Zeros([]int64{1 << 55}, Float32, CPU.Gotch())) },
		"fused":  func(s *Scope) { s.RMSAdd(s.Floats([]float32{1, 2}, 1, 2), s.Floats([]float32{1, 2, 3}, 1, 3), 1e-5) },
	} {
		err := Do(Grad, func(s *Scope) {
			s.Do(NoGrad, f)
			t.Errorf("%s: went on after the failure", name)
		})
		var e Error
		if !errors.As(err, &e) || e.Msg == "" {
			t.Errorf("%s: error %v, want an Error with a message", name, err)
		}
	}
}

// records says whether operations record gradients now.
func records(s *Scope) bool {
	x := s.Own(s.Floats([]float32{1}, 1).SetRequiresGrad(true, false))
	return s.Scale(x, 2).MustRequiresGrad()
}

func TestGradModeIsRestored(t *testing.T) {
	err := Do(Grad, func(s *Scope) {
		s.Do(NoGrad, func(in *Scope) {
			if records(in) {
				t.Error("NoGrad records")
			}
			in.Do(Grad, func(in *Scope) {
				if !records(in) {
					t.Error("Grad inside NoGrad does not record")
				}
			})
			if records(in) {
				t.Error("NoGrad records after an inner Grad")
			}
		})
		func() {
			defer func() {
				if recover() != "foreign" {
					t.Error("a foreign panic did not pass through")
				}
			}()
			_ = Do(NoGrad, func(*Scope) { panic("foreign") })
		}()
		if !records(s) {
			t.Error("grad mode lost after a panic")
		}
		if Do(NoGrad, func(in *Scope) { in.MatMul(in.Floats([]float32{1}, 1, 1), in.Floats([]float32{1, 2}, 2, 1)) }) == nil {
			t.Error("no error")
		}
		if !records(s) {
			t.Error("grad mode lost after an error")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestKeepAndLend(t *testing.T) {
	var kept *Tensor
	err := Do(NoGrad, func(s *Scope) {
		var lent *Tensor
		s.Do(NoGrad, func(in *Scope) {
			lent = in.Lend(s, in.Floats([]float32{1, 2}, 2))
			kept = in.Keep(in.Floats([]float32{3, 4}, 2))
		})
		if got := s.ReadFloats(nil, s.Add(lent, kept)); got[0] != 4 || got[1] != 6 {
			t.Errorf("lent + kept = %v, want [4 6]", got)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	kept.Drop()
}

// TestRMSAdd compares the fused operation and its gradients with the formula in float64.
func TestRMSAdd(t *testing.T) {
	const eps = 1e-5
	for _, n := range []int{5, 16, 17, 64, 82} {
		const rows = 3
		x, y, w := make([]float32, rows*n), make([]float32, rows*n), make([]float32, rows*n)
		for i := range x {
			x[i], y[i], w[i] = float32(math.Sin(float64(i))), float32(math.Cos(3*float64(i))), float32(math.Sin(7*float64(i)+1))
		}
		var got, grad []float32
		err := Do(Grad, func(s *Scope) {
			xt := s.Own(s.Floats(x, rows, int64(n)).SetRequiresGrad(true, false))
			z := s.RMSAdd(xt, s.Floats(y, rows, int64(n)), eps)
			got = s.ReadFloats(nil, z)
			grad = s.ReadFloats(nil, s.Gradients(s.Sum(s.Mul(z, s.Floats(w, rows, int64(n)))), []*Tensor{xt})[0])
		})
		if err != nil {
			t.Fatal(err)
		}
		for r := range rows {
			var sq, dot float64
			at := func(i int) float64 { return float64(x[r*n+i]) + float64(y[r*n+i]) }
			for i := range n {
				sq += at(i) * at(i)
				dot += at(i) * float64(w[r*n+i])
			}
			inv := 1 / math.Sqrt(sq/float64(n)+eps)
			for i := range n {
				want := at(i) * inv
				wantGrad := inv*float64(w[r*n+i]) - at(i)*inv*inv*inv*dot/float64(n)
				if d := math.Abs(want - float64(got[r*n+i])); d > 2e-6 {
					t.Fatalf("n=%d: value off by %g", n, d)
				}
				if d := math.Abs(wantGrad - float64(grad[r*n+i])); d > 5e-6 {
					t.Fatalf("n=%d: gradient off by %g", n, d)
				}
			}
		}
	}
}

func resident(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("resident memory is read from /proc: ", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// TestMemoryStaysFlat runs 100,000 operations on tensors of 4 KiB: a leak of one in ten would show as 40 MB.
func TestMemoryStaysFlat(t *testing.T) {
	data := make([]float32, 1024)
	run := func(scopes int) {
		for range scopes {
			if err := Do(NoGrad, func(s *Scope) {
				x := s.Floats(data, 32, 32)
				y := s.Own(x.Add(x, false))
				x.MustAdd_(y)
				s.OwnAll(y.Split(16, 0))
				s.RMSAdd(x, y, 1e-5)
				s.MatMul(x, y)
				s.Sum(s.Sigmoid(s.Tanh(s.Scale(x, 2))))
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(1000)
	before := resident(t)
	run(10000)
	if grown := resident(t) - before; grown > 16<<20 {
		t.Errorf("100,000 operations left %d MB more resident memory", grown>>20)
	}
}

// TestBag: sums of rows, their gradient, which counts how often a row is taken, and what is refused.
func TestBag(t *testing.T) {
	p := NewParams(CPU)
	defer p.Close()
	if err := Do(Grad, func(s *Scope) {
		table := p.Add(s, "table", s.Floats([]float32{1, 10, 2, 20, 4, 40}, 3, 2))
		for _, tt := range []struct {
			ids, begins []int64
			want, grad  []float32
		}{
			{[]int64{2, 0, 2}, nil, []float32{4, 40, 1, 10, 4, 40}, []float32{2, 2, 0, 0, 4, 4}}, // bag i has the weight i + 1
			{[]int64{2, 0, 2, 1}, []int64{0, 3, 3}, []float32{9, 90, 0, 0, 2, 20}, []float32{1, 1, 3, 3, 2, 2}},
		} {
			y := s.Bag(table, tt.ids, tt.begins)
			if got := Read[float32](nil, y); !slices.Equal(got, tt.want) {
				t.Errorf("%v from %v: %v, want %v", tt.ids, tt.begins, got, tt.want)
			}
			weights := s.Floats([]float32{1, 2, 3}, 3, 1)
			g := s.Gradients(s.Sum(s.Mul(y, weights)), []*Tensor{table})
			if got := Read[float32](nil, g[0]); !slices.Equal(got, tt.grad) {
				t.Errorf("%v from %v: gradient %v, want %v", tt.ids, tt.begins, got, tt.grad)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	for want, bag := range map[string][2][]int64{
		"row 3 of a table":       {{3}, nil},
		"row -1 of a table":      {{-1}, nil},
		"bag 1 begins at 0 of 2": {{0, 1}, {1, 0}},
		"bag 0 begins at 3 of 2": {{0, 1}, {3}},
	} {
		err := Do(NoGrad, func(s *Scope) { s.Bag(p.Get("table"), bag[0], bag[1]) })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
