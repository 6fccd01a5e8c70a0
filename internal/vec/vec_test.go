package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// kernels runs a test with the assembly, where this machine has the instructions, and without.
func kernels(t *testing.T, test func(t *testing.T)) {
	defer Use(Kernels())
	for _, name := range []string{"go", "avx2"} {
		t.Run(name, func(t *testing.T) {
			if !Use(name) {
				t.Skip("no such instructions here")
			}
			test(t)
		})
	}
}

// fill is n numbers around 0.
func fill(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// near fails if a number differs by more than tolerance, relative to numbers above 1.
func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= tolerance*max(1, math.Abs(want[i]))) {
			t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// guard is what stands behind a slice that a function is to write, to see that it writes no more.
const guard = 1234.5

func guarded(n int) []float32 {
	x := make([]float32, n+Lanes)
	for i := n; i < len(x); i++ {
		x[i] = guard
	}
	return x
}

func checkGuard(t *testing.T, what string, x []float32) {
	t.Helper()
	for _, v := range x[len(x)-Lanes:] {
		if v != guard {
			t.Fatalf("%s: wrote beyond its rows", what)
		}
	}
}

func TestProduct(t *testing.T) {
	kernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, tt := range []struct{ rows, k, n, more int }{
			{1, 1, 1, 0}, {6, 64, 16, 0}, {7, 3, 17, 5}, {13, 5, 40, 0}, {82, 160, 64, 16}, {0, 4, 4, 0},
		} {
			what := fmt.Sprintf("%dx%d times %dx%d", tt.rows, tt.k, tt.k, tt.n)
			w := fill(r, tt.n*tt.k) // [n, k]
			m := NewMatrix(tt.k, tt.n)
			m.SetTransposed(w)
			rows, lda, ldc := PadRows(tt.rows), tt.k+tt.more, Pad(tt.n)+tt.more
			a, c := fill(r, rows*lda), guarded(rows*ldc)
			Product(c, ldc, a, lda, rows, m)
			want := make([]float64, Pad(tt.n))
			for i := range rows {
				clear(want)
				for j := range tt.n {
					for p := range tt.k {
						want[j] += float64(a[i*lda+p]) * float64(w[j*tt.k+p])
					}
				}
				near(t, what, c[i*ldc:], want, 2e-5) // float32, sums of up to 160
			}
			checkGuard(t, what, c)
		}
	})
}

// TestProductAlone: a row has the same answer, bit for bit, whatever the other rows are.
func TestProductAlone(t *testing.T) {
	kernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		m := NewMatrix(33, 48)
		m.SetTransposed(fill(r, 33*48))
		a := fill(r, 18*33)
		all, one := make([]float32, 18*48), make([]float32, 6*48)
		Product(all, 48, a, 33, 18, m)
		for i := range 18 {
			alone := make([]float32, 6*33)
			copy(alone, a[i*33:(i+1)*33])
			Product(one, 48, alone, 33, 6, m)
			for j := range 48 {
				if all[i*48+j] != one[j] {
					t.Fatalf("row %d, column %d: %v in company, %v alone", i, j, all[i*48+j], one[j])
				}
			}
		}
	})
}

func TestMatrix(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	x := fill(r, 5*19) // [In, Out]
	rows, columns, transposed := NewMatrix(5, 19), NewMatrix(5, 19), NewMatrix(5, 19)
	turned := make([]float32, len(x))
	for p := range 5 {
		rows.SetRow(p, x[p*19:(p+1)*19])
		for j := range 19 {
			turned[j*5+p] = x[p*19+j]
		}
	}
	for j := range 19 {
		columns.SetColumn(j, turned[j*5:(j+1)*5])
	}
	transposed.SetTransposed(turned)
	for i, v := range rows.Panels {
		if columns.Panels[i] != v || transposed.Panels[i] != v {
			t.Fatalf("number %d is %v by rows, %v by columns, %v transposed", i, v, columns.Panels[i], transposed.Panels[i])
		}
	}
	if got, want := rows.Panels[(1*5+3)*Lanes+2], x[3*19+18]; got != want {
		t.Errorf("element (3, 18) is %v, want %v", got, want)
	}
}

func TestRMSAdd(t *testing.T) {
	kernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 4))
		const rows, width, d, eps = 5, 48, 40, 1e-2
		x, y, out := fill(r, rows*width), fill(r, rows*width), guarded(rows*width)
		for i := range x {
			if i%width >= d {
				x[i], y[i] = 0, 0
			}
		}
		RMSAdd(out, x, y, rows, width, d, eps)
		want := make([]float64, rows*width)
		for i := range rows {
			var sum float64
			for j := range d {
				z := float64(x[i*width+j]) + float64(y[i*width+j])
				want[i*width+j] = z
				sum += z * z
			}
			for j := range d {
				want[i*width+j] /= math.Sqrt(sum/d + eps)
			}
		}
		near(t, "rms", out, want, 1e-6)
		checkGuard(t, "rms", out)
		RMSAdd(x, x, y, rows, width, d, eps)
		near(t, "rms in place", x, want, 1e-6)
	})
}

func TestAdd(t *testing.T) {
	kernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 5))
		x, y, out := fill(r, 48), fill(r, 48), guarded(48)
		Add(out[:48], x, y)
		want := make([]float64, 48)
		for i := range want {
			want[i] = float64(x[i] + y[i])
		}
		near(t, "sum", out, want, 0)
		checkGuard(t, "sum", out)
	})
}

func TestSwiGLU(t *testing.T) {
	kernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 6))
		const rows, width = 3, 32
		in, out := fill(r, rows*2*width), guarded(rows*width)
		copy(in, []float32{0, 100, -100, 50, -50, 1e-6, -1e-6, 88, -88, 1e30, -1e30}) // far out too
		SwiGLU(out, in, rows, width)
		want := make([]float64, rows*width)
		for i := range want {
			g, u := float64(in[i/width*2*width+i%width]), float64(in[i/width*2*width+width+i%width])
			want[i] = g / (1 + math.Exp(-max(min(g, 87), -88))) * u // exp is cut there: e^88 is 1.7e38
		}
		near(t, "swiglu", out, want, 1e-6)
		checkGuard(t, "swiglu", out)
		in[3] = float32(math.NaN())
		if SwiGLU(out, in, rows, width); out[3] == out[3] {
			t.Errorf("what is not a number became %v", out[3])
		}
	})
}

func TestSoftmax(t *testing.T) {
	kernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 7))
		for _, width := range []int{16, 48, 240} {
			const rows = 3
			s := guarded(rows * width)
			copy(s, fill(r, rows*width))
			s[0], s[1], s[width-1] = 300, 299, -1e30 // large; masked
			want := make([]float64, rows*width)
			for i := range rows {
				top, sum := math.Inf(-1), 0.0
				for j := range width {
					top = max(top, float64(s[i*width+j]))
				}
				for j := range width {
					want[i*width+j] = math.Exp(float64(s[i*width+j]) - top)
					sum += want[i*width+j]
				}
				for j := range width {
					want[i*width+j] /= sum
				}
			}
			Softmax(s, rows, width)
			near(t, fmt.Sprint("softmax of ", width), s, want, 1e-6)
			checkGuard(t, "softmax", s)
		}
		s := fill(r, 32)
		s[17] = float32(math.NaN())
		if Softmax(s, 1, 32); s[0] == s[0] {
			t.Errorf("beside what is not a number stands %v", s[0])
		}
	})
}

func TestConvolve3x3(t *testing.T) {
	kernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 8))
		const cols, width, stride = 4, 32, 7 * 32
		in, w, out := fill(r, 3*stride), fill(r, 9*width), guarded(cols*width)
		Convolve3x3(out, in, w, cols, width, stride)
		want := make([]float64, cols*width)
		for x := range cols {
			for i := range width {
				for k := range 9 {
					want[x*width+i] += float64(w[k*width+i]) * float64(in[k/3*stride+(x+k%3)*width+i])
				}
			}
		}
		near(t, "convolution", out, want, 1e-5)
		checkGuard(t, "convolution", out)
	})
}

// TestExp: 2e-7 relative over its whole range, as the comment on exp says.
func TestExp(t *testing.T) {
	for x := float32(-86.9); x < 88; x += 0.0137 {
		want := math.Exp(float64(x))
		if d := math.Abs(float64(exp(x))-want) / want; d > 2e-7 {
			t.Fatalf("exp(%v) is off by %v of itself", x, d)
		}
	}
}

// The products of a block of the shipped agent on 15x15 cells, and of the published network on a sudoku.
func BenchmarkProduct(b *testing.B) {
	for _, s := range []struct{ rows, k, n int }{{226, 64, 192}, {226, 160, 64}, {226, 226, 32}, {82, 512, 1536}, {82, 1536, 512}} {
		b.Run(fmt.Sprintf("%dx%dx%d", s.rows, s.k, s.n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 9))
			rows := PadRows(s.rows)
			m := NewMatrix(s.k, s.n)
			m.SetTransposed(fill(r, s.k*s.n))
			a, c := fill(r, rows*s.k), make([]float32, rows*Pad(s.n))
			n := 0
			for b.Loop() {
				Product(c, Pad(s.n), a, s.k, rows, m)
				n++
			}
			b.ReportMetric(2*float64(n*s.rows*s.k*s.n)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkRows(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 10))
	const rows, cols, width = 225, 15, 160
	in, out, w := fill(r, 2*rows*width), make([]float32, rows*width), fill(r, 9*width)
	for _, f := range []struct {
		name string
		run  func()
	}{
		{"swiglu", func() { SwiGLU(out, in, rows, width) }},
		{"rms", func() { RMSAdd(out, in, in, rows, width, width, 1e-5) }},
		{"softmax", func() { Softmax(out, rows, width) }},
		{"convolution", func() {
			for y := range rows / cols {
				Convolve3x3(out[y*cols*width:], in, w, cols, width, (cols+2)*width)
			}
		}},
	} {
		b.Run(f.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				f.run()
				n++
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(n*rows*width), "ns/number")
		})
	}
}
