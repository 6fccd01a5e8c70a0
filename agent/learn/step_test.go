//go:build cgo && !notorch

package learn

import (
	"testing"
	"time"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

func mazeRecipe() Recipe {
	r := Recipe{
		Task: "maze-directions",
		Model: hrm.Config{
			Vocab: task.MazeVocab, Outputs: 4, Seq: 121, Rows: 11, Cols: 11, Hidden: 64, Heads: 2, HLayers: 1, LLayers: 1,
			HCycles: 2, LCycles: 2, Inner: 160, Positions: hrm.Rope2D, RopeTheta: 100, Registers: 1, Conv: true,
		},
		Halting:    act.Config{MaxSegments: 6, ExplorationProb: 0.4, Rule: act.HaltAbove, Threshold: 3},
		Evaluation: act.Config{MaxSegments: 6, Rule: act.HaltAbove},
		Loss:       AnyOf, NoContinue: true,
		Adam: torch.AdamConfig{Rule: torch.AdamW, WeightDecay: 0.1},
		LR:   2e-3, MinRatio: 0.1, Warmup: 100, EMA: 0.999, EMAWarmup: true,
		Batch: 32, Steps: 6400, Seed: 1,
		Stages: []Stage{
			{Data: "maze-directions:7", Until: 0.25, Exact: 0.8, Window: 60, MinSteps: 100},
			{Data: "maze-directions:9", Until: 0.45, Exact: 0.8, Window: 60, MinSteps: 100},
			{Data: "maze-directions:11", Until: 0.65, Exact: 0.8, Window: 60, MinSteps: 100},
			{Data: "maze-directions:13", Until: 1},
		},
	}
	return r
}

func open(name string, seed uint64) (Data, error) {
	src, rows, cols, err := task.Open(name, seed, false)
	return Data{src, rows, cols}, err
}

func TestSpeed(t *testing.T) {
	torch.SetThreads(1)
	r := mazeRecipe()
	for _, data := range []string{"maze-directions:9", "maze-directions:13", "sudoku:30-36"} {
		if data[0] == 's' {
			r = Sudoku()
		}
		r.Stages = []Stage{{Data: data, Until: 1}}
		tr, err := NewTrainer(r, open, torch.CPU)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			tr.Step()
		}
		best := time.Hour
		for range 30 {
			b := time.Now()
			if _, err := tr.Step(); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(b))
		}
		t.Log(data, "best step", best, "params", tr.Model().Params().Count())
		tr.Close()
	}
}
