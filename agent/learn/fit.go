//go:build cgo && !notorch

package learn

import (
	"context"
	"fmt"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// Fit empties the network's puzzle table and learns the vectors of new puzzles from src, by sign SGD
// at rate lr, as in training; everything else of the network stays as it is. each, which may be nil,
// sees every step, counted from 1. It returns ctx's cause if ctx ends.
func (n *Net) Fit(ctx context.Context, src puzzle.Source, rows, cols, steps int, lr float64, seed uint64, each func(step int, r Result)) error {
	r := n.Recipe
	if n.Network.Spec().IDs == 0 {
		return fmt.Errorf("model %s has no puzzle table to fit", n.Name)
	}
	if err := r.Fits(src.Shape()); err != nil {
		return fmt.Errorf("model %s: %w", n.Name, err)
	}
	opt, err := NewOptimizer(n.Network.Params(), OptimizerConfig{
		Schedule: torch.Schedule{MinRatio: 0.1, Steps: int64(steps)}, // LR 0: the parameters stay
		TableLR:  lr, TableDecay: r.PuzzleDecay,
	})
	if err != nil {
		return err
	}
	defer opt.Close()
	if err := n.Network.Params().Get(hrm.PuzzleTable).Zero_(); err != nil {
		return err
	}
	loop, err := NewLoop(n.Network, LoopConfig{Halting: r.Halting, Loss: r.Loss, NoContinue: r.NoContinue},
		r.Batch, src.Shape().SeqLen, act.FromRand(rng.Stream(seed, "fit").Rand))
	if err != nil {
		return err
	}
	defer loop.Close()
	loop.Grid = [2]int{rows, cols}
	for step := 1; step <= steps; step++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		res, err := learn(loop, src, opt, r.Clip)
		if err != nil {
			return err
		}
		if each != nil {
			each(step, res)
		}
	}
	return nil
}
