package arcs

import (
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
)

// Reader reads the answer to one grid in a frame of Side rows and columns, as [Corpus] crops it, onto a
// board that has room for it. It is no agent: Action is -1.
type Reader struct {
	Side                 int
	BoardRows, BoardCols int
	Corner               int // cell of the board where the frame begins
	probs                []float32
}

// Tokens implements task.Reader; the observation is the frame's tokens.
func (r *Reader) Tokens(dst []int32, obs []byte) ([]int32, int, int) {
	for _, t := range obs {
		dst = append(dst, int32(t))
	}
	return dst, r.Side, r.Side
}

// Cell implements task.Reader.
func (r *Reader) Cell(token int) int {
	return r.Corner + token/r.Side*r.BoardCols + token%r.Side
}

// Cells implements task.Reader.
func (r *Reader) Cells() int { return r.BoardRows * r.BoardCols }

// Answer implements task.Reader.
func (r *Reader) Answer() trace.Answer { return trace.AnswerColor }

// Action implements task.Reader.
func (r *Reader) Action([]float32) int { return -1 }

// Describe implements task.Reader.
func (r *Reader) Describe(g *trace.Segment, logits []float32) {
	g.Answer = task.Fill(g.Answer, r.Cells(), trace.NoAnswer)
	g.Confidence = task.Fill(g.Confidence, r.Cells(), 0)
	n := r.Side * r.Side
	w := len(logits) / n
	for i := range n {
		r.probs = task.Softmax(r.probs, logits[i*w:(i+1)*w])
		best := task.Largest(r.probs)
		if best >= int(colour) {
			g.Answer[r.Cell(i)] = uint8(best - int(colour))
		}
		g.Confidence[r.Cell(i)] = uint8(255*r.probs[best] + 0.5)
	}
}
