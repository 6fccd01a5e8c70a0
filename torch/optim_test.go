//go:build cgo && !notorch

package torch

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

// params is a set with a trained a [2], a buffer c [1] and a trained b [1, 2], in this order.
func params(t *testing.T) *Params {
	t.Helper()
	p := NewParams(CPU)
	t.Cleanup(p.Close)
	if err := Do(NoGrad, func(s *Scope) {
		p.Add(s, "b", s.Floats([]float32{1, -2}, 2))
		p.AddFixed(s, "c", s.Floats([]float32{7}, 1))
		p.Add(s, "a", s.Floats([]float32{0.5, 3}, 1, 2))
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParams(t *testing.T) {
	p := params(t)
	if got, want := p.Names(), []string{"b", "c", "a"}; !slices.Equal(got, want) {
		t.Errorf("names %v, want %v", got, want)
	}
	if got, _ := p.Trained(); !slices.Equal(got, []string{"b", "a"}) || p.Count() != 4 {
		t.Errorf("trained %v of %d numbers, want [b a] of 4", got, p.Count())
	}
	before, err := p.Save()
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(map[string]safetensors.Tensor){
		`tensor "a" is missing`:                 func(m map[string]safetensors.Tensor) { delete(m, "a") },
		`tensor "d" is unknown to this network`: func(m map[string]safetensors.Tensor) { m["d"] = m["c"] },
		`tensor "c": number 0 is -Inf, want a f`: func(m map[string]safetensors.Tensor) {
			m["c"] = safetensors.OfFloat32s([]int64{1}, []float32{float32(math.Inf(-1))})
		},
		`tensor "b": shape [1], want [2]`:        func(m map[string]safetensors.Tensor) { m["b"] = m["c"] },
		`"c" is missing; tensor "x1" is unknown`: func(m map[string]safetensors.Tensor) { m["x1"] = m["c"]; delete(m, "c") },
		`tensor "y3" is unknown to this network; an`: func(m map[string]safetensors.Tensor) {
			for i := range 9 {
				m[fmt.Sprint("y", i)] = m["c"]
			}
		},
	} {
		src := map[string]safetensors.Tensor{
			"a": safetensors.OfFloat32s([]int64{1, 2}, []float32{9, 9}),
			"b": safetensors.OfFloat32s([]int64{2}, []float32{9, 9}),
			"c": safetensors.OfFloat32s([]int64{1}, []float32{9}),
		}
		change(src)
		if err := p.Load(src); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		after, err := p.Save()
		if err != nil {
			t.Fatal(err)
		}
		for n := range before {
			if string(after[n].Data) != string(before[n].Data) {
				t.Errorf("%s: a refused Load changed %q", want, n)
			}
		}
	}
}

// moves compares the parameters b and a after one step of f with want.
func moves(t *testing.T, cfg AdamConfig, want []float64) {
	t.Helper()
	p := params(t)
	a, err := NewAdam(p, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var got []float64
	if err := Do(NoGrad, func(s *Scope) {
		g := []*Tensor{s.Floats([]float32{0.5, -0.25}, 2), s.Floats([]float32{0, 4}, 1, 2)}
		a.Step(g, 0.1, 1)
		got = append(Read[float64](nil, p.Get("b")), Read[float64](nil, p.Get("a"))...)
	}); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-6 { // float32
			t.Errorf("%s: parameters %v, want %v", cfg.Rule, got, want)
			return
		}
	}
	if got := Read[float32](nil, p.Get("c"))[0]; got != 7 || a.Steps() != 1 {
		t.Errorf("buffer %v after %d steps, want 7 after 1", got, a.Steps())
	}
}

// TestAdam: at the first step m/(1-b1) = g and sqrt(v/(1-b2)) = |g|. AdamW divides them: ±1. ATan2 takes
// the arc of m = (1-b1) g against |g| and divides by 1-b1: ±10 atan(0.1) at b1 = 0.9. Before, every
// parameter shrinks by 1 - 0.1·0.5.
func TestAdam(t *testing.T) {
	const keep = 1 - 0.1*0.5
	arc := 0.1 * 10 * math.Atan(0.1)
	moves(t, AdamConfig{Rule: AdamW, WeightDecay: 0.5}, []float64{keep - 0.1, -2*keep + 0.1, 0.5 * keep, 3*keep - 0.1})
	moves(t, AdamConfig{WeightDecay: 0.5}, []float64{keep - arc, -2*keep + arc, 0.5 * keep, 3*keep - arc})
}

// TestSignSGD: rows 2 and 0 occur, row 2 twice with gradients that partly cancel; row 1 does not decay.
func TestSignSGD(t *testing.T) {
	err := Do(NoGrad, func(s *Scope) {
		table := s.Floats([]float32{1, 1, 2, 2, 4, 4}, 3, 2)
		s.SignSGD(table, s.Floats([]float32{3, -5, 1, 0, -2, 5}, 3, 2), s.Ints([]int64{2, 0, 2}, 3), 0.1, 0.5)
		want := []float64{0.95 - 0.1, 0.95, 2, 2, 4*0.95 - 0.1, 4 * 0.95}
		for i, got := range Read[float64](nil, table) {
			if math.Abs(got-want[i]) > 1e-6 { // float32
				t.Errorf("entry %d is %v, want %v", i, got, want[i])
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEMA(t *testing.T) {
	p := params(t)
	e, err := NewEMA(p)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := Do(NoGrad, func(*Scope) { Write(p.Get("b"), []float32{3, 0}) }); err != nil {
		t.Fatal(err)
	}
	e.Update(0.75) // b was 1, -2
	if err := e.Swap(); err != nil {
		t.Fatal(err)
	}
	if got, want := Read[float32](nil, p.Get("b")), []float32{1.5, -1.5}; !slices.Equal(got, want) {
		t.Errorf("average %v, want %v", got, want)
	}
	if err := e.Swap(); err != nil {
		t.Fatal(err)
	}
	if got, want := Read[float32](nil, p.Get("b")), []float32{3, 0}; !slices.Equal(got, want) {
		t.Errorf("after two swaps %v, want %v", got, want)
	}
}

func TestSchedule(t *testing.T) {
	s := Schedule{LR: 2, MinRatio: 0.1, Warmup: 10, Steps: 110}
	// Half a cosine from 2 down to 0.2: a quarter of its way is cos 45°.
	for step, want := range map[int64]float64{1: 0.2, 5: 1, 10: 2, 35: 0.2 + 0.9*(1+math.Sqrt2/2), 60: 1.1, 110: 0.2} {
		if got := s.At(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d: rate %v, want %v", step, got, want)
		}
	}
	if got := (Schedule{LR: 3, MinRatio: 1, Steps: 10}).At(7); got != 3 {
		t.Errorf("constant rate %v, want 3", got)
	}
}

// TestGoroutines: scopes of many goroutines, half of which fail, keep their grad modes and errors apart.
func TestGoroutines(t *testing.T) {
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			for range 50 {
				mode := Mode(g % 2)
				err := Do(mode, func(s *Scope) {
					if records(s) != (mode == Grad) {
						t.Errorf("goroutine %d: records %v in mode %v", g, records(s), mode)
					}
					x := s.Floats([]float32{float32(g), 1}, 1, 2)
					if got := s.ReadFloats(nil, s.Add(x, x)); got[0] != float32(2*g) {
						t.Errorf("goroutine %d: %v", g, got)
					}
					if g%4 < 2 {
						s.RMSAdd(x, s.Floats(make([]float32, g+3), 1, int64(g+3)), 1e-5)
					}
				})
				if g%4 >= 2 {
					if err != nil {
						t.Errorf("goroutine %d: %v", g, err)
					}
				} else if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("[1, %d]", g+3)) {
					t.Errorf("goroutine %d: error %v, want one with its own shape [1, %d]", g, err, g+3)
				}
			}
		})
	}
	wg.Wait()
}

func TestKeepOfAForeignTensorPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Keep of another scope's tensor did not panic")
		}
	}()
	_ = Do(NoGrad, func(s *Scope) {
		x := s.Floats([]float32{1}, 1)
		s.Do(NoGrad, func(in *Scope) { in.Keep(x) })
	})
}

// TestErrorsAreShort: a message is one line, without libtorch's backtrace.
func TestErrorsAreShort(t *testing.T) {
	for name, f := range map[string]func(*Scope){
		"gotch": func(s *Scope) { s.MatMul(s.Floats([]float32{1, 2}, 1, 2), s.Floats([]float32{1, 2, 3}, 3, 1)) },
		"fused": func(s *Scope) { s.RMSAdd(s.Floats([]float32{1, 2}, 1, 2), s.Floats([]float32{1, 2, 3}, 1, 3), 1e-5) },
	} {
		err := Do(NoGrad, f)
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		if n := len(err.Error()); n > 250 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: message of %d bytes: %q", name, n, err)
		}
	}
}

// TestTrainingMemoryStaysFlat does 1,000 steps through 64 KiB of graph each: one graph in ten kept
// would show as 6 MB, a few hundred of them as far more than the limit.
func TestTrainingMemoryStaysFlat(t *testing.T) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("resident memory is read from /proc: ", err)
	}
	p := NewParams(CPU)
	defer p.Close()
	if err := Do(NoGrad, func(s *Scope) { p.Add(s, "w", s.Floats(wave(64*64, 0), 64, 64)) }); err != nil {
		t.Fatal(err)
	}
	a, err := NewAdam(p, AdamConfig{Rule: AdamW})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	e, err := NewEMA(p)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	data := wave(64*64, 1)
	step := func(n int) {
		for range n {
			if err := Do(Grad, func(s *Scope) {
				x := s.Floats(data, 64, 64)
				y := s.RMSAdd(x, s.Linear(x, p.Get("w"), nil), 1e-5)
				loss := s.Sum(s.SwiGLU(s.Linear(y, p.Get("w"), nil)))
				a.Step(s.Gradients(loss, []*Tensor{p.Get("w")}), 1e-4, 1)
				e.Update(0.99)
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	step(200)
	before := resident(t)
	step(1000)
	if grown := resident(t) - before; grown > 4<<20 {
		t.Errorf("1,000 training steps left %d kB more resident memory", grown>>10)
	}
}

// TestAdamWSteps compares three steps with the formula in float64, for whole vectors and broken ones, on every instruction set; threads
// do not change a bit.
func TestAdamWSteps(t *testing.T) {
	before := Threads()
	defer SetThreads(before)
	cfg := AdamConfig{Rule: AdamW, Beta1: 0.9, Beta2: 0.99, Eps: 1e-5, WeightDecay: 0.1}
	const lr, scale, steps = 0.01, 0.5, 3
	for _, n := range []int{1, 15, 16, 17, 100_003} {
		g := func(step, i int) float64 { return math.Sin(float64(step*n+i)) * float64(i%5) }
		want, m, v := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range want {
			want[i] = math.Cos(float64(i))
			for k := range steps {
				d := scale * g(k, i)
				m[i], v[i] = 0.9*m[i]+0.1*d, 0.99*v[i]+0.01*d*d
				c1, c2 := 1-math.Pow(0.9, float64(k+1)), 1-math.Pow(0.99, float64(k+1))
				want[i] = want[i]*(1-lr*0.1) - lr*m[i]/c1/(math.Sqrt(v[i]/c2)+1e-5)
			}
		}
		for _, isa := range instructionSets(t) {
			if err := UseKernels(isa); err != nil {
				t.Fatal(err)
			}
			var first []float32
			for _, threads := range []int{1, 3} {
				SetThreads(threads)
				p := NewParams(CPU)
				defer p.Close()
				var got []float32
				if err := Do(NoGrad, func(s *Scope) {
					x := make([]float32, n)
					for i := range x {
						x[i] = float32(math.Cos(float64(i)))
					}
					p.Add(s, "x", s.Floats(x, int64(n)))
					a, err := NewAdam(p, cfg)
					if err != nil {
						t.Fatal(err)
					}
					defer a.Close()
					for k := range steps {
						for i := range x {
							x[i] = float32(g(k, i))
						}
						a.Step([]*Tensor{s.Floats(x, int64(n))}, lr, scale)
					}
					got = Read[float32](nil, p.Get("x"))
				}); err != nil {
					t.Fatal(err)
				}
				for i := range want {
					if math.Abs(float64(got[i])-want[i]) > 1e-6 { // float32
						t.Fatalf("%s, %d numbers: number %d is %v, want %v", isa, n, i, got[i], want[i])
					}
				}
				if first == nil {
					first = got
				} else if !slices.Equal(first, got) {
					t.Errorf("%s, %d numbers: %d threads give other bits", isa, n, threads)
				}
			}
		}
	}
}
