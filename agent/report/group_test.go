package report

import (
	"path/filepath"
	"testing"

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
