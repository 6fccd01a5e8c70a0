package task

import (
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// ARCReader reads the answer to one grid in a frame of Side rows and columns, as [ARC] crops it, onto a
// board that has room for it. It is no agent: Action is -1.
type ARCReader struct {
	Side                 int
	BoardRows, BoardCols int
	Corner               int // cell of the board where the frame begins
	probs                []float32
}

// Tokens implements Reader; the observation is the frame's tokens.
func (r *ARCReader) Tokens(dst []int32, obs []byte) ([]int32, int, int) {
	for _, t := range obs {
		dst = append(dst, int32(t))
	}
	return dst, r.Side, r.Side
}

// Cell implements Reader.
func (r *ARCReader) Cell(token int) int {
	return r.Corner + token/r.Side*r.BoardCols + token%r.Side
}

// Cells implements Reader.
func (r *ARCReader) Cells() int { return r.BoardRows * r.BoardCols }

// Answer implements Reader.
func (r *ARCReader) Answer() trace.Answer { return trace.AnswerColor }

// Action implements Reader.
func (r *ARCReader) Action([]float32) int { return -1 }

// Describe implements Reader.
func (r *ARCReader) Describe(g *trace.Segment, logits []float32) {
	g.Answer = fill(g.Answer, r.Cells(), trace.NoAnswer)
	g.Confidence = fill(g.Confidence, r.Cells(), 0)
	n := r.Side * r.Side
	w := len(logits) / n
	for i := range n {
		r.probs = Softmax(r.probs, logits[i*w:(i+1)*w])
		best := largest(r.probs)
		if best >= puzzle.ARCColour0 {
			g.Answer[r.Cell(i)] = uint8(best - puzzle.ARCColour0)
		}
		g.Confidence[r.Cell(i)] = uint8(255*r.probs[best] + 0.5)
	}
}
