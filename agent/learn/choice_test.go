//go:build cgo && !notorch

package learn

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/models"
	"github.com/ponder-agents/ponder/torch"
)

// TestChoice: auto measures each precision that the network has, takes the fastest, and keeps what it found: the next time
// it is read, not measured.
func TestChoice(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	auto := func(name string) think.Precision {
		m, err := Shipped(name, models.Open, hrm.Run{Device: torch.CPU, Precision: open.Auto})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		return m.Precision
	}
	first := auto("sudoku-static")
	if diff := cmp.Diff([]string{"bf16", "float32", "int8"}, slices.Sorted(maps.Keys(first.Times))); diff != "" {
		t.Errorf("measured (-want +got):\n%s", diff)
	}
	for name, ms := range first.Times {
		if !(ms > 0) || ms < first.Times[first.Name] {
			t.Errorf("%s takes %g ms, the choice was %s", name, ms, first)
		}
	}
	files, err := filepath.Glob(filepath.Join(cache, "ponder", "precision", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("kept in %q, %v, want one file", files, err)
	}
	if err := os.WriteFile(files[0], []byte(`{"name":"int8","ms":{"int8":1,"float32":2}}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(think.Precision{Name: "int8", Times: map[string]float64{"int8": 1, "float32": 2}}, auto("sudoku-static")); diff != "" {
		t.Errorf("the second time (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(files[0], []byte(`{"name":"int9"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if again := auto("sudoku-static"); len(again.Times) != 3 {
		t.Errorf("of a broken file: %s", again)
	}
}
