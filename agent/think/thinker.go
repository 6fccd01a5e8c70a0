package think

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ponder-agents/ponder/act"
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

	// Hear, if not nil, hears every segment of every thought about a sequence; thoughts count from 0.
	Hear func(x *Thought, thought int) error
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
	many := t.thoughts()
	slots := max(t.Slots, many)
	rows, err := t.Core.Open(slots, t.Shape)
	if err != nil {
		return err
	}
	defer rows.Close()
	th := newThinking(rows, slots, Config{Halting: t.Halting, Restarts: t.Restarts})
	spec := t.Core.Spec()
	in := Input{Tokens: make([]int32, t.Shape.Seq)}
	free := make([]int, slots)
	for i := range free {
		free[i] = slots - 1 - i
	}
	pick := cmp.Or(t.Pick, PickQ)
	content := func(x *Thought) bool { return t.Halting.Content(x.QHalt, x.QContinue) }
	councils := map[int]*council{}
	before := make([]Memory, slots) // of each row's last segment, for PickResidual
	which := make([]int, slots)     // thought about its sequence each row has
	hear := func(x *Thought) error {
		c, residual := councils[x.Job], 0.0
		if pick == PickResidual {
			now, err := x.State()
			if err != nil {
				return err
			}
			residual, before[x.row] = Moved(now, before[x.row]), now
		}
		c.hear(x, pick, content(x), residual)
		return nil
	}
	asked, gone := 0, false
	for {
		for !gone && len(free) >= many {
			var ok bool
			if in.ID, ok, err = feed(in.Tokens); err != nil {
				return err
			}
			if gone = !ok; gone {
				break
			}
			if err := spec.check(in); err != nil {
				return fmt.Errorf("sequence %d: %w", asked, err)
			}
			for k := range many {
				row := free[len(free)-1]
				free = free[:len(free)-1]
				if err := rows.Begin(row, in); err != nil {
					return fmt.Errorf("sequence %d: %w", asked, err)
				}
				if err := t.start(rows, row, asked, k); err != nil {
					return fmt.Errorf("sequence %d: %w", asked, err)
				}
				th.begin(row, asked)
				which[row] = k
				if many > 1 && pick == PickResidual {
					if before[row], err = rows.Save(row); err != nil {
						return err
					}
				}
			}
			if many > 1 {
				c := &council{open: many, answers: cmp.Or(spec.Answers, t.Shape.Seq)}
				for _, token := range in.Tokens {
					c.asked = append(c.asked, t.Asked == nil || t.Asked(token))
				}
				councils[asked] = c
			}
			asked++
		}
		if len(th.active) == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := th.segment(func(x *Thought) error {
			if x.Halted {
				free = append(free, x.row)
			}
			if t.Hear != nil {
				if err := t.Hear(x, which[x.row]); err != nil {
					return err
				}
			}
			if many > 1 {
				return hear(x)
			}
			return each(x)
		})
		if err != nil {
			return err
		}
		for _, job := range slices.Sorted(maps.Keys(councils)) {
			c := councils[job]
			if !c.over() {
				continue
			}
			th.drop(job, func(row int) { free = append(free, row) })
			delete(councils, job)
			if err := each(c.pick(pick, content)); err != nil {
				return err
			}
		}
	}
}
