//go:build cgo && !notorch

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/spf13/cobra"
)

func newSolveARCCmd() *cobra.Command {
	var f solveFlags
	var steps int
	var lr float64
	cmd := &cobra.Command{
		Use:   "arc TASK.json",
		Short: "Fit a model to the demonstrations of an ARC task, then answer its tests",
		Long: `A network for ARC knows a task by a vector alone. For a task it has not seen the vectors of the task and
of its augmented copies are learned first from the demonstrations, the rest of the network staying as it
is; then the copies vote on each test. What is printed are the two best answers, and whether they are
right where the file tells. A trace shows the thought about the tests themselves, not about their copies.`,
		Example: "  ponder solve arc task.json --model runs/arc",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.model == "" || steps < 1 || !(lr > 0) {
				return cli.Usagef("solve arc: name a model by --model; --steps wants 1 or more, --lr more than 0")
			}
			if err := f.check(); err != nil {
				return err
			}
			sol, err := f.fitAndSolve(cmd, args[0], steps, lr)
			if err := f.done(err); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			err = f.print(out, sol, func() error { return printARC(out, sol) })
			if err == nil && sol.Solved != nil && !*sol.Solved {
				err = cli.WithCode(cli.ExitUnsolved, errors.New("neither of two answers is right for every test"))
			}
			return err
		},
	}
	f.add(cmd, "", "fitting")
	cmd.Flags().IntVar(&steps, "steps", 300, "steps of fitting")
	cmd.Flags().Float64Var(&lr, "lr", 1e-2, "of fitting")
	hide(cmd, "votes")
	return cmd
}

func (f *solveFlags) fitAndSolve(cmd *cobra.Command, path string, steps int, lr float64) (*exam.ARCSolution, error) {
	c, err := openCheckpoint(f.model)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	n, err := f.load(f.model, c)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	before, err := n.Thinking()
	if err != nil {
		return nil, err
	}
	defer before.Close()
	frame, err := exam.ReadARC(before, path)
	if err != nil {
		return nil, err
	}
	if len(frame.Tasks) != 1 {
		return nil, fmt.Errorf("%s: %d tasks, want one", path, len(frame.Tasks))
	}
	demos, _ := frame.Sets()
	src, err := demos.Shuffle(puzzle.Order{Seed: f.seed})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	begin := time.Now()
	meter := runlog.NewMeter(os.Stderr, 0, int64(steps), time.Now)
	exact, finished := 0, 0
	err = n.Fit(cmd.Context(), src, frame.Side, frame.Side, steps, lr, f.seed, func(step int, r learn.Result) {
		if step > steps*4/5 {
			exact += r.Metrics.ExactAccuracy
			finished += r.Metrics.Count
		}
		meter.Update(int64(step), fmt.Sprintf("fitting, loss %.3f", r.Loss.LM/float64(r.Rows)))
	})
	meter.Done()
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
	cfg, err := f.config(m)
	if err != nil {
		return nil, err
	}
	sol, err := exam.SolveARC(cmd.Context(), m, frame, ids, exam.Config{Config: cfg, Batch: f.batch}, f.recorder())
	if err != nil {
		return nil, err
	}
	sol.FitTime, sol.FitExact = fitted, float64(exact)/float64(max(1, finished))
	return sol, nil
}

func printARC(w io.Writer, s *exam.ARCSolution) error {
	for i, t := range s.Tests {
		for k, a := range t.Answers {
			g := arc.Grid{Rows: a.Grid.Rows, Cols: a.Grid.Cols, Cells: a.Grid.Cells}
			right := ""
			if t.Rank == k+1 {
				right = ", right"
			}
			fmt.Fprintf(w, "test %d, answer %d: %d votes, confidence %.3f%s\n%s", i+1, k+1, a.Votes, a.Confidence, right, g.AppendText(nil))
		}
	}
	_, err := fmt.Fprintf(w, "fitted in %.1f s (%.1f %% of demonstrations exact), %d copies, %.2f segments\n", s.FitTime, 100*s.FitExact, s.Copies, s.Segments)
	return err
}
