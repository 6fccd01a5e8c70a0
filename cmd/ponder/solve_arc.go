//go:build cgo && !notorch

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/spf13/cobra"
)

// arcSolution is what solve arc prints with --json.
type arcSolution struct {
	Task     string      `json:"task"`
	Solved   *bool       `json:"solved"` // every test right with two answers; null where the task does not tell
	Tests    []arcAnswer `json:"tests"`
	Segments float64     `json:"segments"`         // of thought a copy
	FitExact float64     `json:"fit_exact"`        // share of demonstrations answered exactly in the last fitting steps
	FitTime  float64     `json:"fit_time_seconds"` //
	Copies   int         `json:"copies"`
}

// arcAnswer is the two best answers to a test.
type arcAnswer struct {
	Answers []puzzle.Answer `json:"answers"`
	Rank    int             `json:"rank"` // of the right one, if it is known: 0 means it is none of all answers
}

func newSolveARCCmd() *cobra.Command {
	var net netFlags
	var halt haltFlags
	var steps int
	var lr float64
	var seed uint64
	var asJSON bool
	var out string
	cmd := &cobra.Command{
		Use:   "arc TASK.json",
		Short: "Fit a model to the demonstrations of an ARC task, then answer its tests",
		Long: `A network for ARC knows a task by a vector alone. For a task it has not seen the vectors of the task and
of its augmented copies are learned first from the demonstrations, the rest of the network staying as it
is; then the copies vote on each test. What is printed are the two best answers, and whether they are
right where the file tells.`,
		Example: "  ponder solve arc task.json --model runs/arc",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if net.model == "" || steps < 1 || !(lr > 0) {
				return usagef("solve arc: name a model by --model; --steps wants 1 or more, --lr more than 0")
			}
			sol, err := solveARC(cmd, &net, &halt, args[0], steps, lr, seed, out)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(sol)
			} else {
				sol.print(cmd.OutOrStdout())
			}
			if err == nil && sol.Solved != nil && !*sol.Solved {
				err = withCode(exitUnsolved, errors.New("neither of two answers is right for every test"))
			}
			return err
		},
	}
	net.add(cmd.Flags(), "")
	halt.add(cmd)
	cmd.Flags().IntVar(&steps, "steps", 300, "steps of fitting")
	cmd.Flags().Float64Var(&lr, "lr", 1e-2, "of fitting")
	cmd.Flags().Uint64Var(&seed, "seed", 0, "of fitting")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.Flags().StringVar(&out, "trace", "", "write what was thought about the tests themselves to this file, for ponder play --trace")
	return cmd
}

func solveARC(cmd *cobra.Command, f *netFlags, halt *haltFlags, path string, steps int, lr float64, seed uint64, out string) (*arcSolution, error) {
	n, frame, err := openARC(f, path)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	if err := halt.apply(cmd, n); err != nil {
		return nil, err
	}
	if len(frame.Tasks) != 1 {
		return nil, fmt.Errorf("%s: %d tasks, want one", path, len(frame.Tasks))
	}
	demos, tests := frame.Sets()
	src, err := demos.Shuffle(puzzle.Order{Seed: seed})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	sol := &arcSolution{Task: frame.Tasks[0].Name}
	begin := time.Now()
	meter := runlog.NewMeter(os.Stderr, 0, int64(steps), time.Now)
	exact, finished := 0, 0
	err = n.Fit(cmd.Context(), src, frame.Side, frame.Side, steps, lr, seed, func(step int, r learn.Result) {
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
	sol.FitTime, sol.FitExact = time.Since(begin).Seconds(), float64(exact)/float64(max(1, finished))
	ids := map[string]int32{}
	for id, name := range demos.Names {
		ids[name] = int32(id)
	}
	votes, e, err := voteARC(cmd.Context(), n, halt, frame, tests, func(name string) (int32, bool) {
		id, ok := ids[name]
		return id, ok
	}, 64)
	if err != nil {
		return nil, err
	}
	sol.Segments, sol.Copies = e.MeanSegments, e.Count
	known, solved := true, true
	for _, t := range votes[0].Tests {
		sol.Tests = append(sol.Tests, arcAnswer{t.Answers[:min(2, len(t.Answers))], t.Rank()})
		known = known && t.Truth.Rows > 0
		solved = solved && t.Rank() > 0 && t.Rank() <= 2
	}
	if known {
		sol.Solved = &solved
	}
	if out == "" {
		return sol, nil
	}
	return sol, traceARC(cmd.Context(), n, frame, ids[frame.Tasks[0].Name], out)
}

// traceARC writes a decision for each test of the only task, known to n as id, to a file.
func traceARC(ctx context.Context, n *learn.Net, frame *task.ARC, id int32, out string) (err error) {
	t := arcTask(frame.Tasks[0])
	var file *trace.Writer
	for k := range t.Test {
		board, corner := arc.AnswerBoard(t, k, frame.Side)
		mind := learn.MindOf(n, &task.ARCReader{Side: frame.Side, BoardRows: board.Rows, BoardCols: board.Cols, Corner: corner}, id)
		defer mind.Close()
		if file == nil {
			h := trace.Header{EnvID: "arc/" + t.Name + "-v0"}
			mind.Describe(&h)
			if file, err = trace.Create(out, h); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, file.Close()) }()
		}
		step := trace.Step{Episode: k, Board: board, Action: -1, Terminated: true}
		mind.Begin(frame.Question(0, k))
		for halted := false; !halted; {
			var g trace.Segment
			if err := mind.Think(ctx, &g); err != nil {
				return err
			}
			step.Thought = append(step.Thought, g)
			halted = g.Halted
		}
		if err := file.Put(&step); err != nil {
			return err
		}
	}
	return nil
}

// arcTask is a task of the datasets as one of the worlds.
func arcTask(t puzzle.Task) *arc.Task {
	of := func(g puzzle.Grid) arc.Grid { return arc.Grid{Rows: g.Rows, Cols: g.Cols, Cells: g.Cells} }
	pairs := func(from []puzzle.Pair) (to []arc.Pair) {
		for _, p := range from {
			to = append(to, arc.Pair{Input: of(p.Input), Output: of(p.Output)})
		}
		return to
	}
	return &arc.Task{Name: t.Name, Train: pairs(t.Train), Test: pairs(t.Test)}
}

func (s *arcSolution) print(w io.Writer) {
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
	fmt.Fprintf(w, "fitted in %.1f s (%.1f %% of demonstrations exact), %d copies, %.2f segments\n", s.FitTime, 100*s.FitExact, s.Copies, s.Segments)
}
