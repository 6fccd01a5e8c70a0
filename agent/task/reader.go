package task

import (
	"fmt"
	"math"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// The tasks that networks are trained for.
const (
	MazeDirectionsTask = "maze-directions"
	MazePathTask       = "maze-path"
	MazeWayTask        = "maze-way"
	SudokuTask         = "sudoku"
	ARCTask            = "arc"
	PolicyTask         = "policy" // a logit for each action; see package rl
)

// A Reader relates one world to the tokens and answers of a network. One goroutine uses it at a time.
type Reader interface {
	// Tokens appends the tokens of an observation, and says how they form a grid.
	Tokens(dst []int32, obs []byte) (tokens []int32, rows, cols int)
	// Describe fills in what a segment answers, from logits [seq·outputs] about the observation that
	// Tokens saw last: Answer, Confidence and Actions.
	Describe(g *trace.Segment, logits []float32)
	// Cell is the token's place on the board, so that what the network holds for a token can be shown.
	Cell(token int) int
	// Cells is the number of cells of the board.
	Cells() int
	// Action is what the answer says to do now; -1 if the answer itself is all.
	Action(logits []float32) int
	// Answer is how trace.Segment.Answer is to be read.
	Answer() trace.Answer
}

// NewReader returns the reader of a task in a world.
func NewReader(task string, spec env.Spec) (Reader, error) {
	switch task {
	case MazeDirectionsTask, MazePathTask, MazeWayTask:
		return newMazeReader(task, spec)
	case SudokuTask:
		return newSudokuReader(spec)
	case PolicyTask:
		return new(policyReader), nil
	}
	return nil, fmt.Errorf("a model for %s is no agent in %s", task, spec.ID)
}

// A policyReader reads one logit for each action; the tokens are the bytes of the observation.
type policyReader struct{ probs []float32 }

func (r *policyReader) Tokens(dst []int32, obs []byte) ([]int32, int, int) {
	for _, b := range obs {
		dst = append(dst, int32(b))
	}
	return dst, 0, 0
}

func (r *policyReader) Describe(g *trace.Segment, logits []float32) {
	r.probs = Softmax(r.probs, logits)
	g.Actions = append(g.Actions, r.probs...)
}

func (r *policyReader) Cell(int) int                { return 0 }
func (r *policyReader) Cells() int                  { return 0 }
func (r *policyReader) Action(logits []float32) int { return largest(logits) }
func (r *policyReader) Answer() trace.Answer        { return trace.AnswerNone }

// Softmax writes the probabilities of logits into dst, which it grows if needed.
func Softmax(dst, logits []float32) []float32 {
	dst = append(dst[:0], logits...)
	top := logits[largest(logits)]
	sum := 0.0
	for i, x := range logits {
		e := math.Exp(float64(x - top))
		dst[i] = float32(e)
		sum += e
	}
	for i := range dst {
		dst[i] /= float32(sum)
	}
	return dst
}

// largest is the index of the largest entry, the first of equals.
func largest(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

func fill(s []uint8, n int, v uint8) []uint8 {
	s = append(s[:0], make([]uint8, n)...)
	for i := range s {
		s[i] = v
	}
	return s
}
