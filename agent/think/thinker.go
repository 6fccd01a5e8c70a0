package think

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
)

// A Thinker thinks about many sequences of one shape. Those that halt leave the batch, so that fewer
// segments really is less time: new ones take their place, and when there are none the batch shrinks.
// Where the most segments end without the rule being content, the segment of the largest q_halt has
// the answer; the rule Never takes the last one's.
type Thinker struct {
	Core    Core
	Halting act.Config // ExplorationProb is of no account
	Slots   int        // most sequences at once; 0 means 1
	Shape   Shape

	// Restarts is how often a sequence begins again, from a random state, if its last segment ends
	// without the rule being content. The try of the largest q_halt counts.
	Restarts int

	// Many thinks several times about each sequence; Run then hands over one Thought of each, the one that
	// was picked.
	Many
	Asked func(token int32) bool // of the question: whether its answer counts in a vote; nil means all do
	Check Check                  // what PickCheck asks

	// Hear, if not nil, hears every segment of every thought about a sequence; thoughts count from 0.
	Hear func(x *Thought, thought int) error
}

// A Check says whether an answer keeps the rules of the task, without knowing the right one, and how good it is (task.Task.Check).
type Check func(question, answer []int32) (worth float64, ok bool)

var errNoCheck = errors.New("think: pick check, and the task has no rules that an answer can be checked by")

// CheckOf is that of a task in grids of cols columns; nil where it has none.
func CheckOf(t task.Task, cols int) Check {
	if t.Check == nil {
		return nil
	}
	return func(question, answer []int32) (float64, bool) { return t.Check(question, answer, cols) }
}

// A Feed yields the next sequence into in and its puzzle identifier; ok is false when there is none.
type Feed func(in []int32) (id int32, ok bool, err error)

// Run thinks about all sequences that feed yields and hands every segment of each to each. It returns
// ctx's cause if ctx ends.
func (t *Thinker) Run(ctx context.Context, feed Feed, each func(*Thought) error) error {
	if err := t.Halting.Check(); err != nil {
		return err
	}
	if err := t.Many.check(); err != nil {
		return err
	}
	if t.several() && t.Pick == PickCheck && t.Check == nil {
		return errNoCheck
	}
	thoughts, err := t.Many.For(t.Core)
	if err != nil {
		return fmt.Errorf("think: %w", err)
	}
	many := t.thoughts()
	slots := max(t.Slots, many)
	rows, err := t.Core.Open(slots, t.Shape)
	if err != nil {
		return err
	}
	defer rows.Close()
	spec := t.Core.Spec()
	th := newThinking(t.Core, rows, slots, Config{Halting: t.Halting, Restarts: t.Restarts, Many: thoughts})
	th.asked, th.check = t.Asked, t.Check
	var free []int
	for row := slots - 1; row >= 0; row-- {
		free = append(free, row)
	}
	th.free = func(row int) { free = append(free, row) }
	if t.Hear != nil {
		th.hear = func(x *Thought) error { return t.Hear(x, x.k) }
	}
	answer := each
	if many > 1 {
		answer = func(x *Thought) error {
			if !x.Halted {
				return nil
			}
			return each(x)
		}
	}
	in := Input{Tokens: make([]int32, t.Shape.Seq)}
	for asked, gone := 0, false; ; {
		for !gone && len(free) >= many {
			id, ok, err := feed(in.Tokens)
			if err != nil {
				return err
			}
			if gone = !ok; gone {
				break
			}
			in.ID = id
			if err = spec.check(in); err == nil {
				group := slices.Clone(free[len(free)-many:])
				slices.Reverse(group)
				free = free[:len(free)-many]
				err = th.begin(asked, asked, group, in, false)
			}
			if err != nil {
				return fmt.Errorf("sequence %d: %w", asked, err)
			}
			asked++
		}
		if len(th.active) == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := th.segment(answer); err != nil {
			return err
		}
	}
}
