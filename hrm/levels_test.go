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
