package learn

import (
	"fmt"
	"strings"

	"github.com/ponder-agents/ponder/agent/task"
)

// Open makes the data of a stage from its name, or what is held out of it for evaluation; equal
// arguments give equal rows. task.Open is one.
type Open func(name string, seed uint64, heldOut bool) (task.Rows, error)

// LearnFrom makes r learn from the data of one name and its task that of the data; see Learn.
func (r *Recipe) LearnFrom(name string, open Open) error {
	data, err := open(name, 0, false)
	if err != nil {
		return err
	}
	r.Learn(name, data.Source.Shape(), data.Rows, data.Cols)
	if data.Task != "" {
		r.Task = data.Task
	}
	return nil
}

// NameIdentifiers records the names of the rows of the puzzle table, where the last stage's data has any.
func (r *Recipe) NameIdentifiers(open Open) error {
	if len(r.Stages) == 0 || r.Model.PuzzleDim == 0 {
		return nil
	}
	data, err := open(r.Stages[len(r.Stages)-1].Data, 0, false)
	if err != nil {
		return err
	}
	r.Identifiers = data.Names
	return nil
}

// CheckData makes sure, before anything begins, that the data of every stage is there and fits r, and
// that count held-out puzzles can be read.
func (r Recipe) CheckData(open Open, count int) error {
	checked := map[string]bool{}
	for _, st := range r.Stages {
		if checked[st.Data] {
			continue
		}
		checked[st.Data] = true
		data, err := open(st.Data, 0, false)
		if err != nil {
			return err
		}
		shape := data.Source.Shape()
		if data.Task != "" && data.Task != r.Task {
			return fmt.Errorf("data %q is for task %q, the recipe's is %q", st.Data, data.Task, r.Task)
		}
		if err := r.Fits(shape); err != nil {
			return fmt.Errorf("data %q: %w", st.Data, err)
		}
	}
	last := r.Stages[len(r.Stages)-1].Data
	data, err := open(last, r.Seed+1, true)
	if err != nil {
		return err
	}
	shape := data.Source.Shape()
	if err := r.Fits(shape); err != nil {
		return fmt.Errorf("data %q, held out: %w", last, err)
	}
	if !strings.Contains(last, "dataset:") {
		return nil // generated, or read as a whole
	}
	in, label := make([]int32, shape.SeqLen), make([]int32, shape.SeqLen)
	for range count {
		if _, err := data.Source.Next(in, label); err != nil {
			return fmt.Errorf("data %q: %w", last, err)
		}
	}
	return nil
}
