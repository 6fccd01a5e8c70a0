package sudokus

import (
	"fmt"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// reader reads the answer for every empty cell; as an agent it fills in the digit that it is
// most certain of.
type reader struct {
	side  int
	cells []byte // tokens of the observation
	probs []float32
}

func newReader(spec env.Spec) (task.Reader, error) {
	if len(spec.Layout) == 0 || spec.Layout[0].Name != "cells" || len(spec.Layout[0].Shape) != 2 ||
		spec.Layout[0].Shape[0] != spec.Layout[0].Shape[1] || len(spec.Actions) < spec.Layout[0].Len()*spec.Layout[0].Shape[0] {
		return nil, fmt.Errorf("a model for %s cannot act in %s", Task, spec.ID)
	}
	return &reader{side: spec.Layout[0].Shape[0]}, nil
}

func (r *reader) Tokens(dst []int32, obs []byte) ([]int32, int, int) {
	r.cells = append(r.cells[:0], obs[:r.side*r.side]...)
	for _, t := range r.cells {
		dst = append(dst, int32(t))
	}
	return dst, r.side, r.side
}

func (r *reader) Cell(token int) int   { return token }
func (r *reader) Cells() int           { return r.side * r.side }
func (r *reader) Answer() trace.Answer { return trace.AnswerDigit }

// digit is the most likely digit of an empty cell and its probability among the digits.
func (r *reader) digit(logits []float32, cell int) (d int, p float32) {
	w := len(logits) / (r.side * r.side)
	r.probs = task.Softmax(r.probs, logits[cell*w+2:cell*w+2+r.side])
	d = task.Largest(r.probs)
	return d + 1, r.probs[d]
}

func (r *reader) Action(logits []float32) int {
	best, action := float32(-1), -1
	for i, t := range r.cells {
		if t != sudoku.TokenBlank {
			continue
		}
		if d, p := r.digit(logits, i); p > best {
			best, action = p, i*r.side+d-1
		}
	}
	return action
}

func (r *reader) Describe(g *trace.Segment, logits []float32) {
	g.Answer = task.Fill(g.Answer, r.Cells(), 0)
	g.Confidence = task.Fill(g.Confidence, r.Cells(), 255)
	for i, t := range r.cells {
		if t != sudoku.TokenBlank {
			g.Answer[i] = t - 1
			continue
		}
		d, p := r.digit(logits, i)
		g.Answer[i], g.Confidence[i] = uint8(d), uint8(255*p+0.5)
	}
}
