package task

import (
	"fmt"
	"math"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// A Row is the tokens of a question and its labels, of one length; puzzle.Ignore is a label that is not known.
type Row struct{ In, Label []int32 }

// A Quiz is a world that shows rows, for families without a world of their own: an episode is a row, that of seed n
// the n-th, counted from 0 and round and round. Its observation is the row's tokens, [rows, cols] where their number is
// a square, else [1, n]. The only action shows the answer, and ends the episode; an agent that answers a row as a whole
// has no use for it, and is told by Grade whether it was right.
type Quiz struct {
	spec   env.Spec
	family *Family
	rows   []Row
	at     int // the row
	next   int // that of the next episode
	shown  bool
	live   bool
}

// NewQuiz makes a Quiz that reports id, of rows of one length. family may be nil, and draws them if it can; else their
// tokens are drawn as digits.
func NewQuiz(id string, family *Family, rows []Row) (*Quiz, error) {
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: no rows", id)
	}
	n, top := len(rows[0].In), int32(0)
	for i, r := range rows {
		if len(r.In) != n || len(r.Label) != n {
			return nil, fmt.Errorf("%s: row %d has %d tokens and %d labels, want %d", id, i, len(r.In), len(r.Label), n)
		}
		for _, t := range r.In {
			if t < 0 || t > math.MaxUint8 {
				return nil, fmt.Errorf("%s: row %d has the token %d, want 0 to %d to show it", id, i, t, math.MaxUint8)
			}
			top = max(top, t)
		}
	}
	shape := []int{1, n}
	if side := int(math.Sqrt(float64(n))); side*side == n {
		shape = []int{side, side}
	}
	return &Quiz{family: family, rows: rows, spec: env.Spec{
		ID: id, ObsLen: n, Layout: []env.Field{{Name: "row", Shape: shape}}, Vocab: int(top) + 1,
		Actions: []string{"answer"}, MaxSteps: 1, Fixed: len(rows) == 1,
	}}, nil
}

// Spec implements env.Env.
func (q *Quiz) Spec() env.Spec { return q.spec }

// Seed implements env.Env.
func (q *Quiz) Seed(seed uint64) { q.next = int(seed % uint64(len(q.rows))) }

// Reset implements env.Env.
func (q *Quiz) Reset(obs []byte) {
	q.at, q.shown, q.live = q.next, false, true
	q.next = (q.next + 1) % len(q.rows)
	q.Observe(obs)
}

// Observe implements env.Observer.
func (q *Quiz) Observe(obs []byte) {
	for i, t := range q.rows[q.at].In {
		obs[i] = byte(t)
	}
}

// Step implements env.Env.
func (q *Quiz) Step(action int, obs []byte) env.Outcome {
	if !q.live {
		panic("task: step after the end of the episode")
	}
	if action != 0 {
		panic(fmt.Sprintf("task: action %d, want 0", action))
	}
	q.shown, q.live = true, false
	q.Observe(obs)
	return env.Outcome{Terminated: true, Truncated: true} // the only step is the last that is allowed
}

// Levels implements env.Counted: the number of rows.
func (q *Quiz) Levels() int { return len(q.rows) }

// Grade implements env.Grader: 1 if the answer has the token of every label that is known, else 0.
func (q *Quiz) Grade(answer []uint8) float64 {
	for i, t := range q.rows[q.at].Label {
		if t != puzzle.Ignore && (i >= len(answer) || int32(answer[i]) != t) {
			return 0
		}
	}
	return 1
}

// Board implements env.Boarder: the question or, once it was shown, the answer.
func (q *Quiz) Board() grid.Board {
	r := q.rows[q.at]
	tokens := r.In
	if q.shown {
		tokens = make([]int32, len(r.In))
		for i, t := range r.Label {
			if t == puzzle.Ignore {
				t = r.In[i]
			}
			tokens[i] = t
		}
	}
	b := grid.Board{Family: "rows"}
	if q.family != nil && q.family.Draw != nil {
		b, _ = q.family.Draw(r.In, tokens)
	}
	if len(b.Cells) == 0 {
		shape := q.spec.Layout[0].Shape
		b.Rows, b.Cols = shape[0], shape[1]
		for _, t := range tokens {
			b.Cells = append(b.Cells, grid.Cell{Kind: uint8(t)})
		}
	}
	b.Caption = fmt.Sprintf("row %d of %d", q.at+1, len(q.rows))
	return b
}
