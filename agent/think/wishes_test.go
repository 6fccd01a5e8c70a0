package think_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/think"
)

func TestWishes(t *testing.T) {
	two := float32(2)
	own := act.Config{MaxSegments: 8, Rule: act.HaltOverContinue, Threshold: 1}
	for _, tt := range []struct {
		name string
		w    think.Wishes
		want think.Config
	}{
		{"none", think.Wishes{}, think.Config{Halting: own}},
		{"segments", think.Wishes{Segments: 20, Restarts: 3}, think.Config{Halting: act.Config{MaxSegments: 20, Rule: own.Rule, Threshold: 1}, Restarts: 3}},
		{"another rule begins at threshold 0", think.Wishes{Rule: "halt-above"}, think.Config{Halting: act.Config{MaxSegments: 8, Rule: act.HaltAbove}}},
		{"threshold", think.Wishes{Rule: "halt-above", Threshold: &two, KeepCarry: true}, think.Config{Halting: act.Config{MaxSegments: 8, Rule: act.HaltAbove, Threshold: 2}, KeepCarry: true}},
	} {
		got, err := tt.w.Config(&think.Model{Usage: think.Usage{Halting: own}})
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(think.Config{})); err != nil || diff != "" {
			t.Errorf("%s: error %v, -want +got:\n%s", tt.name, err, diff)
		}
	}
	for _, w := range []think.Wishes{{Rule: "sometimes"}, {Segments: -1}} {
		if _, err := w.Config(&think.Model{Usage: think.Usage{Halting: own}}); err == nil {
			t.Errorf("%+v is taken", w)
		}
	}
}
