//go:build cgo && !notorch

package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/torch"
)

// train trains a small network on mazes of 7x7 into a folder, which ponder's commands take for a run, and asks it for mazes
// that were held out.
func train(ctx context.Context, folder string) error {
	r, err := learn.Preset("maze")
	if err != nil {
		return err
	}
	r.Model.Hidden, r.Model.Inner = 32, 48
	r.Steps, r.Batch = 150, 32
	for i := range r.Stages {
		r.Stages[i].Data = "maze-directions:7"
	}
	t, err := learn.NewTrainer(r, task.Open, torch.CPU)
	if err != nil {
		return err
	}
	defer t.Close()
	plan := run.Plan{LogEvery: 50, SaveEvery: 50, EvalCount: 100}
	if err := run.Begin(ctx, folder, t, plan, run.Options{}); err != nil {
		return err
	}
	c, err := checkpoint.Find(folder)
	if err != nil {
		return err
	}
	m, err := engine.Open(folder, c) // thinks in pure Go; learn.Load thinks on libtorch
	if err != nil {
		return err
	}
	defer m.Close()
	res, err := exam.Rows(ctx, m, "maze-directions:7", 100, exam.Config{})
	if err != nil {
		return err
	}
	fmt.Printf("%.1f %% of the cells right after %.1f segments\n", 100*res.CellAccuracy, res.MeanSegments)
	return nil
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: train FOLDER")
	}
	if err := train(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}
