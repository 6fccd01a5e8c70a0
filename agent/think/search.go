package think

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"math"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
)

// A Search thinks about questions on several branches. Where a thought ends without an answer by the rules, it writes
// what may be where the network is unsure into the question, on a branch each, and thinks on in each from the state in which the
// thought was: a clone of the world and of the carry. The likeliest branch goes on first. Nothing deduces: what chooses
// are the network's probabilities, what puts a branch last is the network too (Unanswerable), and what ends it is the check of
// the rules on a full answer, with the network's own halting where that check does not tell a right answer (task.Rules).
type Search struct {
	Core    Core
	Halting act.Config
	Slots   int // most questions at once; 0 means 1
	Shape   Shape
	task.Rules
	Unanswerable bool // q_continue says that a question has no answer, see Usage: branches of which it does are put last

	First    int // segments of the first thought before it branches; 0 means 16
	Patience int // and of every other; 0 means 6
	Calls    int // most segments about a question, of all branches; 0 means 2000
}

// A Found is what a Search came to about a question.
type Found struct {
	Job    int     // which question, in the order in which they were asked for
	Answer []int32 // [seq], by Rules.Read: of those that keep the rules the best, else that of the largest q_halt
	Right  bool    // it keeps the rules
	QHalt  float32
	Calls  int // segments of all branches
	Nodes  int // branches thought about, the first included
}

// promiseOfHalt weighs q_halt of the thought from which a branch comes against the logarithm of how likely the branch is.
const promiseOfHalt = 0.1

// A network that was taught that a question may have no answer (Unanswerable) says of a board that contradicts itself that it
// has none. The logarithm of its odds is weighed as it is against that of the branch, no further than mostDoubt: what it
// is wrong about is found later, not never. From hopelessFrom on (98 %) a branch is not thought about any longer.
const (
	mostDoubt    = 5
	hopelessFrom = 4
)

// nearlyAsLikely is the share of the likelihood of a branch that a thought was content with from which others are
// looked at too.
const nearlyAsLikely = 0.05

// A branch is a question with something written into it, and the state of thinking about it.
type branch struct {
	tokens   []int32
	state    Memory // of the thought that it goes on from
	segments int
	likely   float64 // logarithm of the probability of what was written
	promise  float64
}

type branches []*branch

func (b branches) Len() int           { return len(b) }
func (b branches) Less(i, j int) bool { return b[i].promise > b[j].promise }
func (b branches) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }
func (b *branches) Push(x any)        { *b = append(*b, x.(*branch)) }

func (b *branches) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}

// A quest is a question under way.
type quest struct {
	Found
	in      Input
	worth   float64 // of Answer; less than any other where it is not Right
	least   float64 // likelihood, as branch.likely, below which branches are not thought about
	now     *branch
	waiting branches
}

// Run searches for the answers to all questions that feed yields and hands each to each. It returns ctx's cause if ctx
// ends.
func (s *Search) Run(ctx context.Context, feed Feed, each func(*Found) error) error {
	if err := s.Halting.Check(); err != nil {
		return err
	}
	rows, err := s.Core.Open(max(s.Slots, 1), s.Shape)
	if err != nil {
		return err
	}
	defer rows.Close()
	quests := make([]*quest, max(s.Slots, 1))
	var out Output
	for asked, gone := 0, false; ; {
		var active []int
		for row := range quests {
			if quests[row] == nil && !gone {
				q := &quest{Found: Found{Job: asked, Nodes: 1}, in: Input{Tokens: make([]int32, s.Shape.Seq)}, least: math.Inf(-1)}
				id, ok, err := feed(q.in.Tokens)
				if err != nil {
					return err
				}
				if gone = !ok; gone {
					continue
				}
				q.in.ID = id
				err = s.Core.Spec().check(q.in)
				if err == nil {
					err = rows.Begin(row, q.in)
				}
				if err != nil {
					return fmt.Errorf("sequence %d: %w", asked, err)
				}
				q.now = &branch{tokens: q.in.Tokens}
				quests[row] = q
				asked++
			}
			if quests[row] != nil {
				active = append(active, row)
			}
		}
		if len(active) == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := rows.Segment(active, &out); err != nil {
			return err
		}
		width := len(out.Logits) / len(active)
		for i, row := range active {
			q := quests[row]
			over, err := s.hear(q, rows, row, &Thought{Logits: out.Logits[i*width : (i+1)*width], QHalt: out.QHalt[i], QContinue: out.QContinue[i]})
			if err == nil && over {
				quests[row] = nil
				err = each(&q.Found)
			}
			if err != nil {
				return err
			}
		}
	}
}

// hear takes a segment about the branch of q that row thinks about, and where that is over goes on with another.
func (s *Search) hear(q *quest, rows Rows, row int, th *Thought) (over bool, err error) {
	b := q.now
	b.segments++
	q.Calls++
	answer, worth, right := s.Read(q.in.Tokens, b.tokens, th.Logits)
	if !right {
		worth = math.Inf(-1)
	}
	if q.Answer == nil || worth > q.worth || worth == q.worth && th.QHalt > q.QHalt {
		q.Answer, q.QHalt, q.Right, q.worth = answer, th.QHalt, right, worth
	}
	content := s.Halting.Content(th.QHalt, th.QContinue)
	if right && s.Enough || q.Calls >= cmp.Or(s.Calls, 2000) {
		return true, nil
	}
	patience := cmp.Or(s.Patience, 6)
	if b.state == nil {
		patience = cmp.Or(s.First, 16)
	}
	hopeless := s.Unanswerable && b.state != nil && len(q.waiting) > 0 && th.QContinue > hopelessFrom
	switch {
	case right && content:
		q.least = max(q.least, b.likely+math.Log(nearlyAsLikely))
	case b.segments < patience && !hopeless && !content:
		return false, nil
	default:
		if err := s.branch(q, rows, row, th); err != nil {
			return false, err
		}
	}
	for {
		if len(q.waiting) == 0 {
			return true, nil
		}
		if q.now = heap.Pop(&q.waiting).(*branch); q.now.likely >= q.least {
			break
		}
	}
	q.Nodes++
	if err := rows.Turn(row, Input{Tokens: q.now.tokens, ID: q.in.ID}); err != nil {
		return false, err
	}
	return false, rows.Load(row, q.now.state)
}

// branch makes the branches of the one that row has thought about.
func (s *Search) branch(q *quest, rows Rows, row int, th *Thought) error {
	guesses := s.Guess(q.now.tokens, th.Logits)
	if len(guesses) == 0 {
		return nil
	}
	state, err := rows.Save(row)
	if err != nil {
		return err
	}
	promise := promiseOfHalt * float64(th.QHalt)
	if s.Unanswerable {
		promise -= float64(min(max(th.QContinue, -mostDoubt), mostDoubt))
	}
	for _, g := range guesses {
		b := &branch{tokens: g.Tokens, state: state, likely: q.now.likely + math.Log(g.P)}
		b.promise = b.likely + promise
		heap.Push(&q.waiting, b)
	}
	return nil
}
