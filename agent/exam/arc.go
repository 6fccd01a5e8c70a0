package exam

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/task/arcs"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// An ARCResult is what a model achieved on ARC tasks.
type ARCResult struct {
	Model          string          `json:"model"`
	Engine         string          `json:"engine"`    // what computed it: "torch" or "go"
	Precision      think.Precision `json:"precision"` // of its products, and the choice
	Tasks          int             `json:"tasks"`
	Skipped        int             `json:"skipped"`              // tasks that fit the frame but were not learned
	InFloat32      *ARCResult      `json:"in_float32,omitempty"` // the same in float32, where another precision was asked for
	Tests          int             `json:"tests"`
	Known          int             `json:"known"`  // tests whose answer the files tell; the others count in nothing
	Copies         int             `json:"copies"` // of all tests, that voted
	Pass1          float64         `json:"pass1"`  // share of tasks, of those with known tests alone, with every test right
	Pass2          float64         `json:"pass2"`  // the same with two answers a test
	Pass1Partial   float64         `json:"pass1_partial"`
	Pass2Partial   float64         `json:"pass2_partial"`   // mean share of a task's tests
	CopyAccuracy   float64         `json:"copy_accuracy"`   // share of copies answered exactly, before the vote
	JudgedAccuracy float64         `json:"judged_accuracy"` // of copies: share that does what q_halt foresees
	QHaltAccuracy  float64         `json:"q_halt_accuracy"` // of copies: share where q_halt ≥ 0 agrees with that
	CellAccuracy   float64         `json:"cell_accuracy"`   // of copies, padding included
	MeanSegments   float64         `json:"mean_segments"`
	PerSecond      float64         `json:"puzzles_per_second"`

	Votes []arcs.TaskVote `json:"-"` // the answers themselves, the best first
}

// ReadARC reads the tasks at path that fit the frame of m, with as many copies as it learned.
func ReadARC(m *think.Model, how arc.Reading, path string) (*arcs.Corpus, error) {
	if err := answers(m, arcs.Task, arcs.Task); err != nil {
		return nil, err
	}
	data := strings.Join(m.Usage.Data, ", ")
	var side, copies int
	if _, err := fmt.Sscanf(data, "arc:%d:%d", &side, &copies); err != nil {
		return nil, fmt.Errorf("model %s learned from %q, want arc:SIDE:COPIES:DIR", m.Name, data)
	}
	return arcs.ReadCorpus(how, path, side, copies)
}

// ARC answers the tests of the tasks of frame that m has learned, and counts the votes of their copies.
func ARC(ctx context.Context, m *think.Model, frame *arcs.Corpus, cfg Config) (ARCResult, error) {
	_, tests := frame.Sets()
	var names []string
	for _, t := range frame.Tasks {
		names = append(names, t.Name)
	}
	return arcVotes(ctx, m, frame, tests, names, cfg)
}

// ARCSet is ARC of the split test of a dataset's folder, as the published programs build it. A model that does not
// tell the names of its identifiers, as an imported one, has learned those of this dataset.
func ARCSet(ctx context.Context, m *think.Model, dir string, cfg Config) (ARCResult, error) {
	if err := answers(m, arcs.Task, arcs.Task); err != nil {
		return ARCResult{}, err
	}
	tests, err := puzzle.Open(dir, "test")
	if err != nil {
		return ARCResult{}, fmt.Errorf("%s: no dataset: %w", dir, err)
	}
	defer tests.Close()
	if tests.Names == nil {
		return ARCResult{}, fmt.Errorf("%s: no identifiers.json, want the names of the %d identifiers", dir, tests.Meta.NumIdentifiers)
	}
	if err := fits(m, tests.Shape()); err != nil {
		return ARCResult{}, err
	}
	if len(m.Usage.Identifiers) == 0 {
		if n := m.Core.Spec().IDs; n != len(tests.Names) {
			return ARCResult{}, fmt.Errorf("%s: %d identifiers, model %s has learned %d of another dataset", dir, len(tests.Names), m.Name, n)
		}
		m.Usage.Identifiers = tests.Names
	}
	var names []string
	for p := range tests.Puzzles() {
		id, _, _ := tests.Puzzle(p)
		if name, _ := arcs.ParseName(tests.Name(id)); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return arcVotes(ctx, m, &arcs.Corpus{Side: arcs.Side}, tests, names, cfg)
}

// arcVotes answers the tests of the tasks called names that m has learned.
func arcVotes(ctx context.Context, m *think.Model, frame *arcs.Corpus, tests *puzzle.Set, names []string, cfg Config) (ARCResult, error) {
	res := ARCResult{Model: m.Name, Engine: m.Engine, Precision: m.Precision}
	known := map[string]int32{}
	for id, name := range m.Usage.Identifiers {
		known[name] = int32(id)
	}
	for _, name := range names {
		if _, ok := known[name]; !ok {
			res.Skipped++
		}
	}
	votes, e, err := VoteARC(ctx, m, frame, tests, func(name string) (int32, bool) {
		id, ok := known[name]
		return id, ok && name != tests.Name(0)
	}, cfg)
	if err != nil {
		return res, err
	}
	if e.Count == 0 {
		return res, fmt.Errorf("none of the %d tasks that fit was learned by model %s", len(names), m.Name)
	}
	res.Tasks, res.Votes = len(votes), votes
	var told []arcs.TaskVote // tasks whose tests are all known
	for _, v := range votes {
		res.Tests += len(v.Tests)
		all := true
		for _, t := range v.Tests {
			res.Known += int(count(t.Truth.Rows > 0))
			all = all && t.Truth.Rows > 0
		}
		if all {
			told = append(told, v)
		}
	}
	res.Pass1, res.Pass1Partial = arcs.Pass(told, 1)
	res.Pass2, res.Pass2Partial = arcs.Pass(told, 2)
	res.Copies, res.CopyAccuracy, res.CellAccuracy = e.Count, e.ExactAccuracy, e.CellAccuracy
	res.JudgedAccuracy, res.QHaltAccuracy = e.JudgedAccuracy, e.QHaltAccuracy
	res.MeanSegments, res.PerSecond = e.MeanSegments, e.PuzzlesPerSecond
	return res, nil
}

// VoteARC answers all examples of set that id knows and counts the votes.
func VoteARC(ctx context.Context, m *think.Model, frame *arcs.Corpus, set *puzzle.Set, id func(name string) (int32, bool), cfg Config) ([]arcs.TaskVote, think.Evaluation, error) {
	x := &arcExam{set: set, id: id}
	type ballot struct {
		label, answer []int32
		q             float32
	}
	var ballots []ballot // by job, so that votes are counted in the order of the copies
	n := frame.Side * frame.Side
	sc, err := m.Usage.Scorer(frame.Side)
	if err != nil {
		return nil, think.Evaluation{}, err
	}
	thinker := cfg.thinker(m, think.Shape{Seq: n, Rows: frame.Side, Cols: frame.Side})
	e, err := thinker.Evaluate(ctx, sc, x, cfg.telling(func(th *think.Thought, pred, label []int32, _ think.Score) error {
		for len(ballots) <= th.Job {
			ballots = append(ballots, ballot{})
		}
		ballots[th.Job] = ballot{label: slices.Clone(label), answer: slices.Clone(pred), q: th.QHalt}
		return nil
	}))
	if err != nil {
		return nil, e, err
	}
	again := &arcExam{set: set, id: id}
	var v arcs.Voter
	in, label := make([]int32, n), make([]int32, n)
	for _, b := range ballots {
		if _, _, err := again.Next(in, label); err != nil {
			return nil, e, err
		}
		v.Add(again.names[len(again.names)-1], frame.Frame(nil, in), frame.Frame(nil, b.label), frame.Frame(nil, b.answer), b.q)
	}
	return v.Tasks(), e, nil
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

// Print writes the result for people.
func (r *ARCResult) Print(w io.Writer) error {
	if r.Known == 0 {
		_, err := fmt.Fprintf(w, "%d tasks with %d tests in %d copies, %d skipped\nthe files tell no answer: nothing is scored\nsegments     %.2f\n",
			r.Tasks, r.Tests, r.Copies, r.Skipped, r.MeanSegments)
		return err
	}
	_, err := fmt.Fprintf(w, "%d tasks with %d tests in %d copies, %d skipped\npass@1 %6.2f %% of tasks, %.2f %% of their tests\npass@2 %6.2f %% of tasks, %.2f %% of their tests\n"+
		"copies right %.2f %%, cells right %.2f %%\nsegments     %.2f\n", r.Tasks, r.Tests, r.Copies, r.Skipped, 100*r.Pass1, 100*r.Pass1Partial, 100*r.Pass2, 100*r.Pass2Partial,
		100*r.CopyAccuracy, 100*r.CellAccuracy, r.MeanSegments)
	if m := r.InFloat32; err == nil && m != nil {
		err = printInFloat32(w, r.Precision, "pass@2", r.Pass2, m.Pass2, 0, 0)
	}
	return err
}
