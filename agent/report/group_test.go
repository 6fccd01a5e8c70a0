package report

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/run"
)

// A group's name is what its folders' names begin with, in whole letters.
func TestCommon(t *testing.T) {
	for want, dirs := range map[string][]string{
		"hrm":  {"hrm-1", "hrm-2"},
		"maze": {"ä1", "ö1"}, // both begin with the byte c3
		"ä":    {"äö1", "äü1"},
	} {
		g := &Group{}
		for _, dir := range dirs {
			g.Runs = append(g.Runs, &Run{Summary: &run.Summary{Dir: filepath.Join("runs", dir)}, Config: map[string]string{"env": "maze"}})
		}
		if got := g.common(); got != want {
			t.Errorf("%q: %q, want %q", dirs, got, want)
		}
	}
}

func TestReach(t *testing.T) {
	s := Series{{1, 0.9}, {2, 0.5}, {3, 0.2}, {4, 0.95}}
	for name, want := range map[string]float64{"loss": 2, "mean_segments": 2, "mean_regret": 2, "success": 1} {
		k := Key{"train", name}
		if steps, never := group(map[Key]Series{k: s}).Reach(k, 0.5); !cmp.Equal(steps, []float64{want}) || never != 0 {
			t.Errorf("%s: after %v, %d never; want after %v", name, steps, never, want)
		}
	}
}

// A level of what no run has, or that is no number, is refused; a group without the metric has not missed it.
func TestLevels(t *testing.T) {
	loss := Key{"train", "loss"}
	groups := []*Group{group(map[Key]Series{loss: {{1, 0.9}, {2, 0.5}}}), group(map[Key]Series{{"eval", "success"}: {{1, 1}}})}
	for want, l := range map[string]Level{"NaN": {"loss", math.NaN()}, "los: no run": {"los", 0.5}} {
		if _, err := New(groups, nil, Options{Levels: []Level{l}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", l, err, want)
		}
	}
	p, err := New(groups, nil, Options{Levels: []Level{{"loss", 0.5}, {"success", 2}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []tableRow{{hex(Color(0)), []string{"g", "after 2 steps", "–"}}, {hex(Color(1)), []string{"g", "–", "1 of 1 never"}}}
	if d := cmp.Diff(want, p.reached().Rows); d != "" {
		t.Error(d)
	}
}
