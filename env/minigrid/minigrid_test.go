package minigrid

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"testing"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/envtest"
)

// replayFile replays all traces of a file and returns how many there were.
func replayFile(t *testing.T, path string) (traces, steps int) {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is not here", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bufio.NewReader(z))
	for {
		var tr Trace
		if err := dec.Decode(&tr); err == io.EOF {
			return traces, steps
		} else if err != nil {
			t.Fatal(err)
		}
		diffs, n, err := tr.Replay()
		if err != nil {
			t.Error(err)
		}
		for _, d := range diffs {
			t.Error(d)
		}
		traces, steps = traces+1, steps+n
	}
}

// TestGolden replays the golden traces of MiniGrid 3.2.0, one a id.
func TestGolden(t *testing.T) {
	traces, steps := replayFile(t, "../../../shared/minigrid/golden-3.2.0.jsonl.gz")
	if want := len(miniLevels()); traces != want || steps == 0 {
		t.Errorf("%d traces of %d steps, want %d", traces, steps, want)
	}
}

// TestTraces replays episodes of two more seeds an id, one of them after a reset without a seed, with
// rendered frames (testdata/record.py --seeds 1000:1002 --steps 60).
func TestTraces(t *testing.T) {
	traces, steps := replayFile(t, "testdata/traces-3.2.0.jsonl.gz")
	if want := 2 * len(miniLevels()); traces != want || steps == 0 {
		t.Errorf("%d traces of %d steps, want %d", traces, steps, want)
	}
}

// TestBabyAI replays two episodes of each BabyAI id
// (testdata/record.py --ids 'BabyAI-*' --seeds 0:2 --steps 60).
func TestBabyAI(t *testing.T) {
	traces, steps := replayFile(t, "testdata/babyai-3.2.0.jsonl.gz")
	if traces != 2*96 || len(babyLevels()) != 96 || steps == 0 {
		t.Errorf("%d traces of %d steps for %d ids, want 192 for 96", traces, steps, len(babyLevels()))
	}
}

func TestConformance(t *testing.T) {
	for _, e := range append(env.List("MiniGrid-*"), env.List("BabyAI-*")...) {
		t.Run(e.ID, func(t *testing.T) {
			envtest.Run(t, func() env.Env {
				e, err := env.Make(e.ID)
				if err != nil {
					t.Fatal(err)
				}
				return e
			}, 0, 42)
		})
	}
}
