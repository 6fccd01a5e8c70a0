package think

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/act"
)

// A Search thinks about questions on several branches. Where a thought ends without an answer by the rules, it writes
// what a doubtful cell may be into the question, on a branch each, and thinks on in each from the state in which the
// thought was: a clone of the world and of the carry. The likeliest branch goes on first. Nothing deduces: what chooses
// are the network's probabilities, what puts a branch last is the network too (Unanswerable), and what ends it is the check of
// the rules on a full answer.
type Search struct {
	Core    Core
	Halting act.Config
	Slots   int // most questions at once; 0 means 1
	Shape   Shape
	Rules
	Unanswerable bool // q_continue says that a question has no answer, see Usage: branches of which it does are put last

	First    int // segments of the first thought before it branches; 0 means 16
	Patience int // and of every other; 0 means 6
	Calls    int // most segments about a question, of all branches; 0 means 2000
}

// Rules are what a Search knows of a task. The solution is not known to it.
type Rules struct {
	Open    func(token int32) bool              // of a question: whether the cell is to be answered
	Choices []int32                             // tokens that its answer may be, and that a question may hold
	Right   func(question, answer []int32) bool // an answer keeps the rules and the question
}

// A Found is what a Search came to about a question.
type Found struct {
	Job    int     // which question, in the order in which they were asked for
	Answer []int32 // [seq]: the question with its open cells filled
	Right  bool    // by the rules; else it is the answer of the largest q_halt
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

// leastLikely is the probability from which a choice becomes a branch.
const leastLikely = 0.01

// A branch is a question with cells written into it, and the state of thinking about it.
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
				q := &quest{Found: Found{Job: asked, Nodes: 1}, in: Input{Tokens: make([]int32, s.Shape.Seq)}}
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
	cells := s.cells(b.tokens, th.Logits)
	answer := slices.Clone(b.tokens)
	for _, c := range cells {
		answer[c.at] = c.choices[0].token
	}
	right := s.Right(q.in.Tokens, answer)
	if right || q.Answer == nil || th.QHalt > q.QHalt {
		q.Answer, q.QHalt, q.Right = answer, th.QHalt, right
	}
	if right || q.Calls >= cmp.Or(s.Calls, 2000) {
		return true, nil
	}
	patience := cmp.Or(s.Patience, 6)
	if b.state == nil {
		patience = cmp.Or(s.First, 16)
	}
	hopeless := s.Unanswerable && b.state != nil && len(q.waiting) > 0 && th.QContinue > hopelessFrom
	if b.segments < patience && !hopeless && !s.Halting.Content(th.QHalt, th.QContinue) {
		return false, nil
	}
	if err := s.branch(q, rows, row, cells, th); err != nil || len(q.waiting) == 0 {
		return true, err
	}
	q.now = heap.Pop(&q.waiting).(*branch)
	q.Nodes++
	if err := rows.Turn(row, Input{Tokens: q.now.tokens, ID: q.in.ID}); err != nil {
		return false, err
	}
	return false, rows.Load(row, q.now.state)
}

// A cell is an open one of a branch, and what it may be, the likeliest first.
type cell struct {
	at      int
	choices []choice
}

type choice struct {
	token int32
	p     float64
}

// cells are what a segment says of the open cells.
func (s *Search) cells(tokens []int32, logits []float32) []cell {
	outputs := len(logits) / len(tokens)
	var all []cell
	for at, token := range tokens {
		if !s.Open(token) {
			continue
		}
		l := logits[at*outputs : (at+1)*outputs]
		c := cell{at: at}
		most := float32(math.Inf(-1))
		for _, v := range s.Choices {
			most = max(most, l[v])
		}
		sum := 0.0
		for _, v := range s.Choices {
			p := math.Exp(float64(l[v] - most))
			c.choices = append(c.choices, choice{v, p})
			sum += p
		}
		for i := range c.choices {
			c.choices[i].p /= sum
		}
		slices.SortStableFunc(c.choices, func(a, b choice) int { return cmp.Compare(b.p, a.p) })
		all = append(all, c)
	}
	return all
}

// doubtful is the cell to branch on: of those where no choice is more likely than not, the one where two are nearly
// all; where there is none, the least sure of all. It is nil where no cell is open.
func doubtful(cells []cell) *cell {
	var best *cell
	key := func(c *cell) float64 {
		if c.choices[0].p > 0.5 || len(c.choices) < 2 {
			return -c.choices[0].p
		}
		return c.choices[0].p + c.choices[1].p
	}
	for i := range cells {
		if best == nil || key(&cells[i]) > key(best) {
			best = &cells[i]
		}
	}
	return best
}

// branch makes the branches of the one that row has thought about.
func (s *Search) branch(q *quest, rows Rows, row int, cells []cell, th *Thought) error {
	c := doubtful(cells)
	if c == nil {
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
	for _, x := range c.choices {
		if x.p < leastLikely {
			break
		}
		b := &branch{tokens: slices.Clone(q.now.tokens), state: state, likely: q.now.likely + math.Log(x.p)}
		b.tokens[c.at] = x.token
		b.promise = b.likely + promise
		heap.Push(&q.waiting, b)
	}
	return nil
}
