//go:build cgo && !notorch

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/spf13/cobra"
)

// arcResult is what eval arc prints.
type arcResult struct {
	Model        string  `json:"model"`
	Tasks        int     `json:"tasks"`
	Skipped      int     `json:"skipped"` // tasks that fit the frame but were not learned
	Tests        int     `json:"tests"`
	Copies       int     `json:"copies"` // of all tests, that voted
	Pass1        float64 `json:"pass1"`  // share of tasks with every test right
	Pass2        float64 `json:"pass2"`  // the same with two answers a test
	Pass1Partial float64 `json:"pass1_partial"`
	Pass2Partial float64 `json:"pass2_partial"` // mean share of a task's tests
	CopyAccuracy float64 `json:"copy_accuracy"` // share of copies answered exactly, before the vote
	CellAccuracy float64 `json:"cell_accuracy"` // of copies, padding included
	MeanSegments float64 `json:"mean_segments"`
	PerSecond    float64 `json:"puzzles_per_second"`
}

func newEvalARCCmd() *cobra.Command {
	var net netFlags
	var halt haltFlags
	var dir string
	var batch int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "arc",
		Short: "Answer the tests of ARC tasks whose demonstrations the model has learned",
		Long: `Every test is asked once for each augmented copy of its task; the answers are turned back and vote, the
number of votes first and their mean sigmoid(q_halt) second. pass1 and pass2 are the shares of tasks all
of whose tests are right with one and with two answers; _partial counts tests instead. Tasks that the
model did not learn are left out and counted as skipped: ponder solve arc fits one.`,
		Example: "  ponder train arc --tasks tasks --out runs/arc\n  ponder eval arc --tasks tasks --model runs/arc --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" || net.model == "" {
				return usagef("eval arc: name the tasks by --tasks DIR and a model by --model")
			}
			if batch < 1 {
				return usagef("--batch %d: want 1 or more", batch)
			}
			n, frame, err := openARC(&net, dir)
			if err != nil {
				return err
			}
			defer n.Close()
			if err := halt.apply(cmd, n); err != nil {
				return err
			}
			_, tests := frame.Sets()
			res := arcResult{Model: n.Name}
			known := map[string]int32{}
			for id, name := range n.Recipe.Identifiers {
				known[name] = int32(id)
			}
			for _, t := range frame.Tasks {
				if _, ok := known[t.Name]; !ok {
					res.Skipped++
				}
			}
			votes, e, err := voteARC(cmd.Context(), n, &halt, frame, tests, func(name string) (int32, bool) {
				id, ok := known[name]
				return id, ok && name != tests.Name(0)
			}, batch)
			if err != nil {
				return err
			}
			if e.Count == 0 {
				return fmt.Errorf("%s: none of the %d tasks that fit was learned by model %s", dir, len(frame.Tasks), n.Name)
			}
			res.score(votes, e)
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(res)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d tasks with %d tests in %d copies, %d skipped\npass@1 %6.2f %% of tasks, %.2f %% of their tests\npass@2 %6.2f %% of tasks, %.2f %% of their tests\n"+
				"copies right %.2f %%, cells right %.2f %%\nsegments     %.2f\n", res.Tasks, res.Tests, res.Copies, res.Skipped, 100*res.Pass1, 100*res.Pass1Partial, 100*res.Pass2, 100*res.Pass2Partial,
				100*res.CopyAccuracy, 100*res.CellAccuracy, res.MeanSegments)
			return nil
		},
	}
	net.add(cmd.Flags(), "")
	halt.add(cmd)
	cmd.Flags().StringVar(&dir, "tasks", "", "a task's JSON file, or a folder of them")
	cmd.Flags().IntVar(&batch, "batch", 64, "copies thought about at once")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

func (r *arcResult) score(votes []puzzle.TaskVote, e learn.Evaluation) {
	r.Tasks = len(votes)
	for _, v := range votes {
		r.Tests += len(v.Tests)
	}
	r.Pass1, r.Pass1Partial = puzzle.Pass(votes, 1)
	r.Pass2, r.Pass2Partial = puzzle.Pass(votes, 2)
	r.Copies, r.CopyAccuracy, r.CellAccuracy = e.Count, e.ExactAccuracy, e.CellAccuracy
	r.MeanSegments, r.PerSecond = e.MeanSegments, e.PuzzlesPerSecond
}

// openARC opens a network for ARC and reads the tasks at path that fit its frame, with as many copies
// as it learned.
func openARC(f *netFlags, path string) (*learn.Net, *task.ARC, error) {
	n, err := f.open()
	if err != nil {
		return nil, nil, err
	}
	frame, err := arcFrame(n, path)
	if err != nil {
		n.Close()
		return nil, nil, err
	}
	return n, frame, nil
}

func arcFrame(n *learn.Net, path string) (*task.ARC, error) {
	r := n.Recipe
	if r.Task != task.ARCTask || len(r.Stages) == 0 {
		return nil, fmt.Errorf("model %s answers %s, want one for %s", n.Name, r.Task, task.ARCTask)
	}
	var side, copies int
	data := r.Stages[len(r.Stages)-1].Data
	if _, err := fmt.Sscanf(strings.TrimPrefix(data, "arc:"), "%d:%d", &side, &copies); err != nil {
		return nil, fmt.Errorf("model %s learned from %q, want arc:SIDE:COPIES:DIR", n.Name, data)
	}
	return task.ReadARC(path, side, copies)
}

// arcExam asks for the examples of a Set whose identifier the network knows.
type arcExam struct {
	set   *puzzle.Set
	id    func(name string) (int32, bool)
	names []string // by job
	at    int
}

func (x *arcExam) Next(in, label []int32) (int32, bool, error) {
	for x.at < x.set.Len() {
		id, err := x.set.Example(x.at, in, label)
		x.at++
		if err != nil {
			return 0, false, err
		}
		name := x.set.Name(id)
		if known, ok := x.id(name); ok {
			x.names = append(x.names, name)
			return known, true, nil
		}
	}
	return 0, false, nil
}

// voteARC answers all examples of set that id knows and counts the votes.
func voteARC(ctx context.Context, n *learn.Net, halt *haltFlags, frame *task.ARC, set *puzzle.Set, id func(name string) (int32, bool), batch int) ([]puzzle.TaskVote, learn.Evaluation, error) {
	x := &arcExam{set: set, id: id}
	type ballot struct {
		label, answer []int32
		q             float32
	}
	var ballots []ballot // by job, so that votes are counted in the order of the copies
	t := halt.thinker(n, batch)
	t.Rows, t.Cols = frame.Side, frame.Side
	e, err := t.Evaluate(ctx, n.Recipe.Loss, frame.Side*frame.Side, x, func(th *learn.Thought, pred, label []int32, _ learn.Score) error {
		for len(ballots) <= th.Job {
			ballots = append(ballots, ballot{})
		}
		ballots[th.Job] = ballot{label: slices.Clone(label), answer: slices.Clone(pred), q: th.QHalt}
		return nil
	})
	if err != nil {
		return nil, e, err
	}
	again := &arcExam{set: set, id: id}
	var v puzzle.Voter
	in, label := make([]int32, frame.Side*frame.Side), make([]int32, frame.Side*frame.Side)
	for _, b := range ballots {
		if _, _, err := again.Next(in, label); err != nil {
			return nil, e, err
		}
		v.Add(again.names[len(again.names)-1], frame.Frame(nil, in), frame.Frame(nil, b.label), frame.Frame(nil, b.answer), b.q)
	}
	return v.Tasks(), e, nil
}
