package minigrid_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env/minigrid"
)

// TestReplayAll replays a recording of MiniGrid, compressed, and one that does not go on.
func TestReplayAll(t *testing.T) {
	f, err := os.Open("testdata/traces-3.2.0.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum, err := minigrid.ReplayAll(t.Context(), f, func(what string) { t.Error(what) })
	if err != nil || sum.Episodes < 10 || sum.IDs < 10 || sum.Steps < sum.Episodes || sum.Differ != 0 {
		t.Errorf("%+v, error %v", sum, err)
	}
	if _, err := minigrid.ReplayAll(t.Context(), strings.NewReader(`{"id":"MiniGrid-Empty-5x5-v0",`), nil); err == nil || !strings.HasPrefix(err.Error(), "trace 1: ") {
		t.Errorf("a cut trace: error %v", err)
	}
	if sum, err := minigrid.ReplayAll(t.Context(), io.MultiReader(), nil); err != nil || sum != (minigrid.Replayed{}) {
		t.Errorf("nothing: %+v, error %v", sum, err)
	}
}
