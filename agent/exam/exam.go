// Package exam asks a model questions that it has not seen and adds up what came of it: what `ponder
// eval` and `ponder solve` do, for programs. It knows the questions and the models of package think,
// not the networks.
//
// [Mazes], [Sudokus] and [ARC] are exams of a family; [Rows] is one of any rows with labels. All take
// one [Config], which means the same for each of them.
package exam

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// A Config says how a model is asked. The zero value asks once, by the model's own halting.
type Config struct {
	think.Config
	Batch int    // sequences thought about at once; 0 means 64
	Votes int    // symmetric copies of every question that vote, itself included; 0 means 1
	Seed  uint64 // of the copies

	Sure   float64 // confidence that an answer needs; 0 answers all, see Sureness
	Search bool    // by think.Search where a thought does not solve: sudokus and mazes whose way is marked

	Progress func() // told of every answer (a copy's too), decision of a solution or episode, by one goroutine; may be nil
}

// tell is Progress, if there is one.
func (c Config) tell() {
	if c.Progress != nil {
		c.Progress()
	}
}

// telling is each, or nothing if it is nil, after Progress.
func (c Config) telling(each func(*think.Thought, []int32, []int32, think.Score) error) func(*think.Thought, []int32, []int32, think.Score) error {
	return func(th *think.Thought, pred, label []int32, s think.Score) error {
		if c.tell(); each == nil {
			return nil
		}
		return each(th, pred, label, s)
	}
}

// picked is how one of several thoughts or copies is picked, "" where there is but one.
func (c Config) picked() think.Pick {
	if c.Thoughts <= 1 && (c.votes() == 1 || c.Pick != think.PickCheck) { // copies vote, unless they are checked
		return ""
	}
	return cmp.Or(c.Pick, think.PickQ)
}

// A Several says by what thoughts each question was answered, where there was more than one.
type Several struct {
	Thoughts int           `json:"thoughts"` // about each question
	Noise    float64       `json:"noise"`    // of all but the first
	Disturb  think.Disturb `json:"disturb"`  // what of them it disturbed
}

// several is nil where c has one thought about each question.
func (c Config) several(m *think.Model) (*Several, error) {
	if c.Thoughts <= 1 {
		return nil, nil
	}
	many, err := c.Many.For(m.Core)
	return &Several{many.Thoughts, many.Noise, many.Disturb}, err
}

// printPick says where answers were checked by the rules, which the network does not know.
func printPick(w io.Writer, p think.Pick) {
	if p == think.PickCheck {
		fmt.Fprintln(w, "of several answers one that keeps the rules was taken: their check is not the network's")
	}
}

func (c Config) votes() int { return max(c.Votes, 1) }
func (c Config) batch() int { return cmp.Or(max(c.Batch, 0), 64) }

// halting fills in the model's own halting.
func (c Config) halting(m *think.Model) Config {
	if c.Halting.MaxSegments == 0 {
		c.Halting = m.Usage.Halting
	}
	return c
}

// thinker thinks about sequences of a shape as c says.
func (c Config) thinker(m *think.Model, shape think.Shape) *think.Thinker {
	th := &think.Thinker{Core: m.Core, Halting: c.halting(m).Halting, Restarts: c.Restarts, Many: c.Many, Slots: c.batch(), Shape: shape}
	if t, err := task.Find(m.Usage.Task); err == nil {
		th.Asked, th.Check = t.Asked, think.CheckOf(t, shape.Cols)
	}
	return th
}

// ErrNoSearch is the error of a Config with Search for a model whose task has no rules that a search could go by.
var ErrNoSearch = errors.New("has no rules of a search")

// rules are those of the search that c asks for, if it does.
func (c Config) rules(m *think.Model) (func(cols int) task.Rules, error) {
	if !c.Search {
		return nil, nil
	}
	t, err := task.Find(m.Usage.Task)
	if err == nil && t.Rules == nil {
		err = fmt.Errorf("model %s: its task %s %w; sudoku has, and maze-path, which marks ways", m.Name, t.Name, ErrNoSearch)
	}
	return t.Rules, err
}

// search hands each what think.Search came to about every question of feed.
func (c Config) search(ctx context.Context, m *think.Model, shape think.Shape, feed think.Feed, each func(*think.Found)) error {
	rules, err := c.rules(m)
	if err != nil {
		return err
	}
	s := &think.Search{
		Core: m.Core, Halting: c.halting(m).Halting, Slots: c.batch(), Shape: shape,
		Rules: rules(shape.Cols), Unanswerable: m.Usage.Unanswerable,
	}
	return s.Run(ctx, feed, func(f *think.Found) error {
		each(f)
		c.tell()
		return nil
	})
}

// answers reports whether m answers one of the tasks.
func answers(m *think.Model, what string, tasks ...string) error {
	for _, t := range tasks {
		if m.Usage.Task == t {
			return nil
		}
	}
	return fmt.Errorf("model %s answers %s, want one for %s", m.Name, m.Usage.Task, what)
}

// A RowsResult is what Rows achieved.
type RowsResult struct {
	Model     string          `json:"model"`
	Engine    string          `json:"engine"`    // what computed it: "torch" or "go"
	Precision think.Precision `json:"precision"` // of its products, and the choice
	Data      string          `json:"data"`
	InFloat32 *RowsResult     `json:"in_float32,omitempty"` // the same in float32, where another precision was asked for
	think.Evaluation
	*Sureness // of what q_halt foresees, where it was asked for
}

// Rows asks for the first n held-out rows of the data of that name, as labelled: any family that task
// can open.
func Rows(ctx context.Context, m *think.Model, data string, n int, cfg Config) (RowsResult, error) {
	res := RowsResult{Model: m.Name, Engine: m.Engine, Precision: m.Precision, Data: data}
	rows, err := task.Open(data, cfg.Seed, true)
	if err != nil {
		return res, err
	}
	if rows.Task != "" && rows.Task != m.Usage.Task {
		return res, fmt.Errorf("data %q: its rows are for the task %s, model %s answers %s", data, rows.Task, m.Name, m.Usage.Task)
	}
	var all []answered
	res.Evaluation, err = EvaluateEach(ctx, m, rows.Source, rows.Rows, rows.Cols, n, cfg, func(th *think.Thought, _, _ []int32, s think.Score) error {
		all = append(all, answeredOne(th, s.Judged))
		return nil
	})
	if err != nil {
		return res, fmt.Errorf("data %q: %w", data, err)
	}
	if cfg.Sure > 0 {
		res.Sureness = sureness(cfg.Sure, all)
	}
	return res, nil
}

// Evaluate asks for the first n rows of src, which form grids of rows and cols (0: the model's own).
func Evaluate(ctx context.Context, m *think.Model, src puzzle.Source, rows, cols, n int, cfg Config) (think.Evaluation, error) {
	return EvaluateEach(ctx, m, src, rows, cols, n, cfg, nil)
}

// EvaluateEach is Evaluate; each, if not nil, sees the last thought about every row, of which Job is the number, its answer
// and its labels.
func EvaluateEach(ctx context.Context, m *think.Model, src puzzle.Source, rows, cols, n int, cfg Config, each func(*think.Thought, []int32, []int32, think.Score) error) (think.Evaluation, error) {
	if err := fits(m, src.Shape()); err != nil {
		return think.Evaluation{}, err
	}
	sc, err := m.Usage.Scorer(cmp.Or(cols, m.Core.Spec().Shape.Cols))
	if err != nil {
		return think.Evaluation{}, err
	}
	shape := think.Shape{Seq: src.Shape().SeqLen, Rows: rows, Cols: cols}
	return cfg.thinker(m, shape).Evaluate(ctx, sc, think.First(src, n), cfg.telling(each))
}

// fits reports whether the model can read and be scored on rows of this shape.
func fits(m *think.Model, s puzzle.Shape) error {
	spec := m.Core.Spec()
	switch {
	case s.Vocab > max(spec.Vocab, spec.Tokens(s.SeqLen)):
		return fmt.Errorf("its vocabulary is %d, model %s reads %d tokens", s.Vocab, m.Name, spec.Tokens(s.SeqLen))
	case spec.Fixed && s.SeqLen != spec.Shape.Seq:
		return fmt.Errorf("its rows have %d tokens, model %s takes %d", s.SeqLen, m.Name, spec.Shape.Seq)
	case m.Usage.Loss == think.AnyOf && s.Labels == 0:
		return fmt.Errorf("its labels are tokens, model %s answers sets of classes", m.Name)
	}
	return nil
}

// Print writes the result for people.
func (r RowsResult) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d rows of %s\nexact           %6.2f %%\nas judged       %6.2f %%\ncells right     %6.2f %%\nsegments        %6.2f\nrows/second     %6.1f\n",
		r.Count, r.Data, 100*r.ExactAccuracy, 100*r.JudgedAccuracy, 100*r.CellAccuracy, r.MeanSegments, r.PuzzlesPerSecond)
	if err == nil && r.Sureness != nil {
		err = r.Sureness.Print(w)
	}
	if m := r.InFloat32; err == nil && m != nil {
		err = printInFloat32(w, r.Precision, "exact", r.ExactAccuracy, m.ExactAccuracy, r.PuzzlesPerSecond, m.PuzzlesPerSecond)
	}
	return err
}

// printInFloat32 says what a precision costs: a share in it and in float32, and the rates of both unless they are 0.
func printInFloat32(w io.Writer, p think.Precision, what string, is, was, rate, rateWas float64) error {
	speed := ""
	if rate > 0 && rateWas > 0 {
		speed = fmt.Sprintf(", at %.2f times the rate", rate/rateWas)
	}
	_, err := fmt.Fprintf(w, "in float32: %s %.2f %%; %s costs %.2f points%s\n", what, 100*was, p.Name, 100*(was-is), speed)
	return err
}

func count(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
