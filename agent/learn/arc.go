//go:build cgo && !notorch

package learn

import (
	"context"
	"fmt"
	"time"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// An ARCFit says how SolveARC learns a task and thinks about its tests.
type ARCFit struct {
	Steps    int // of fitting
	LR       float64
	Seed     uint64
	Thinking think.Wishes
	Batch    int                          // copies thought about at once
	Progress func(step int, loss float64) // of fitting; may be nil
}

// SolveARC answers the tests of the ARC task in a file. A network for ARC knows a task by a vector alone: those of the
// task and of its augmented copies are learned from the demonstrations first (Net.Fit), then the copies vote.
func (n *Net) SolveARC(ctx context.Context, path string, f ARCFit, record exam.Recorder) (*exam.ARCSolution, error) {
	before, err := n.Thinking()
	if err != nil {
		return nil, err
	}
	defer before.Close()
	frame, err := exam.ReadARC(before, arc.Reading{}, path)
	if err != nil {
		return nil, err
	}
	if len(frame.Tasks) != 1 {
		return nil, fmt.Errorf("%s: %d tasks, want one", path, len(frame.Tasks))
	}
	demos, _ := frame.Sets()
	src, err := demos.Shuffle(puzzle.Order{Seed: f.Seed})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	begin := time.Now()
	exact, finished := 0, 0
	err = n.Fit(ctx, src, frame.Side, frame.Side, f.Steps, f.LR, f.Seed, func(step int, r Result) {
		if step > f.Steps*4/5 {
			exact += r.Metrics.ExactAccuracy
			finished += r.Metrics.Count
		}
		if f.Progress != nil {
			f.Progress(step, r.Loss.LM/float64(r.Rows))
		}
	})
	if err != nil {
		return nil, err
	}
	fitted := time.Since(begin).Seconds()
	ids := map[string]int32{}
	for id, name := range demos.Names {
		ids[name] = int32(id)
	}
	m, err := n.Thinking()
	if err != nil {
		return nil, err
	}
	defer m.Close()
	cfg, err := f.Thinking.Config(m)
	if err != nil {
		return nil, err
	}
	sol, err := exam.SolveARC(ctx, m, frame, ids, exam.Config{Config: cfg, Batch: f.Batch}, record)
	if err != nil {
		return nil, err
	}
	sol.FitTime, sol.FitExact = fitted, float64(exact)/float64(max(1, finished))
	return sol, nil
}
