//go:build cgo && !notorch

package hrm_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// three is a network of three levels, each of a time scale of its own.
func three() hrm.Config {
	c := small()
	c.Levels = []hrm.Level{{Name: "slow", Layers: 1, Cycles: 2}, {Name: "middle", Layers: 1, Cycles: 2}, {Name: "fast", Layers: 1, Cycles: 3}}
	return c
}

// TestThreeLevels: a segment updates the levels as their time scales nest, each of them injected with its
// neighbours, and gradients reach every parameter.
func TestThreeLevels(t *testing.T) {
	for _, g := range []hrm.Gradient{hrm.LastPass, hrm.LastCycle} {
		params := torch.NewParams(torch.CPU)
		defer params.Close()
		m, err := hrm.New(three(), params, 3)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		m.Training.Gradient = g
		if got, want := params.Count(), 3*(4*16*16+3*16*24)+2*5*16+2*16+2; got != want {
			t.Errorf("%d parameters, want %d", got, want)
		}
		var order []string
		m.Observe(func(name string, _ *torch.Tensor) {
			if level, ok := strings.CutSuffix(name, "_level.out"); ok {
				order = append(order, level)
			}
		})
		mustDo(t, torch.Grad, func(s *torch.Scope) {
			y := output(s, m)
			names, trained := params.Trained()
			for i, grad := range s.Gradients(y, trained) {
				norm := 0.0
				for _, x := range s.ReadFloats(nil, grad) {
					norm += float64(x) * float64(x)
				}
				if !(norm > 0) || math.IsInf(norm, 0) {
					t.Errorf("%s: the gradient of %s has the squared norm %v", g, names[i], norm)
				}
			}
		})
		want := []string{"fast", "fast", "fast", "middle", "fast", "fast", "fast", "middle", "slow"}
		if diff := cmp.Diff(append(want, want...), order); diff != "" {
			t.Errorf("updates (-want +got):\n%s", diff)
		}
	}
}

// TestInjection: the state of a level depends on its neighbours' of the segment before, and on no other's.
func TestInjection(t *testing.T) {
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	cfg := three()
	for i := range cfg.Levels {
		cfg.Levels[i].Cycles = 1
	}
	cfg.Levels = append(cfg.Levels, hrm.Level{Name: "fastest", Layers: 1, Cycles: 1})
	m, err := hrm.New(cfg, params, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	mustDo(t, torch.NoGrad, func(s *torch.Scope) {
		at := m.Start(s, 2, 12)
		after := func(c hrm.Carry) [][]float32 {
			next, _ := m.Segment(s, c, grids(s))
			return next.Floats(s)
		}
		plain := after(at)
		for moved := range at {
			c := append(hrm.Carry{}, at...)
			x := s.ReadFloats(nil, c[moved])
			for i := range x {
				x[i] += float32(i%7) / 7
			}
			c[moved] = s.Floats(x, torch.Shape(c[moved])...)
			got := after(c)
			// The fastest is updated first; a level sees those below as they are after, those above as they were.
			for k := range at {
				want := k <= moved+1
				if same := cmp.Equal(plain[k], got[k]); same == want {
					t.Errorf("level %d moved: level %d changed: %v, want %v", moved, k, !same, want)
				}
			}
		}
	})
}

// TestHistory: with all cycles recorded and the history of the carry kept, two segments are one of twice the cycles:
// what they answer, and every gradient of it.
func TestHistory(t *testing.T) {
	for _, name := range []string{"rope", "static mix", "groups"} {
		var answers [2][]float32
		var grads [2]map[string][]float32
		for i, segments := range []int{1, 2} {
			cfg := small()
			variants[name](&cfg)
			cfg.Feedback = false // it ends in the segment
			cfg.Levels = hrm.HL(1, 1, 4/segments, 2)
			params := torch.NewParams(torch.CPU)
			defer params.Close()
			m, err := hrm.New(cfg, params, 3)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			m.Training = hrm.Training{Gradient: hrm.AllCycles, Unroll: segments}
			grads[i] = map[string][]float32{}
			mustDo(t, torch.Grad, func(s *torch.Scope) {
				c := m.Start(s, 2, 12)
				var out hrm.Output
				for range segments {
					c, out = m.Segment(s, c, grids(s))
				}
				answers[i] = s.ReadFloats(nil, out.Logits)
				names, trained := params.Trained()
				for k, grad := range s.Gradients(s.Sum(s.Mul(out.Logits, out.Logits)), trained) {
					grads[i][names[k]] = s.ReadFloats(nil, grad)
				}
			})
		}
		same := cmp.Comparer(func(a, b float32) bool {
			return math.Abs(float64(a-b)) <= 1e-4*max(1, math.Abs(float64(a)))
		})
		if diff := cmp.Diff(answers[0], answers[1], same); diff != "" {
			t.Errorf("%s: logits of one segment and of two (-one +two):\n%s", name, diff)
		}
		if diff := cmp.Diff(grads[0], grads[1], same); diff != "" {
			t.Errorf("%s: gradients (-one +two):\n%s", name, diff)
		}
	}
}
