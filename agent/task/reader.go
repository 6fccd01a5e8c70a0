package task

import (
	"math"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// PolicyTask is that of networks with a logit for each action; see package rl.
const PolicyTask = "policy"

func init() {
	Register(Family{Name: "policy", Tasks: []Task{{
		Name:   PolicyTask,
		Reader: func(spec env.Spec) (Reader, error) { return newPolicyReader(spec), nil },
	}}})
}

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

// A policyReader reads one logit for each action; the tokens are the bytes of the observation, which form
// a grid if they are a map.
type policyReader struct {
	rows, cols int // 0 if the observation is no map
	probs      []float32
}

func newPolicyReader(spec env.Spec) *policyReader {
	r := new(policyReader)
	if len(spec.Layout) == 1 && spec.Layout[0].Agent != 0 && len(spec.Layout[0].Shape) == 2 {
		r.rows, r.cols = spec.Layout[0].Shape[0], spec.Layout[0].Shape[1]
	}
	return r
}

func (r *policyReader) Tokens(dst []int32, obs []byte) ([]int32, int, int) {
	for _, b := range obs {
		dst = append(dst, int32(b))
	}
	return dst, r.rows, r.cols
}

func (r *policyReader) Describe(g *trace.Segment, logits []float32) {
	r.probs = Softmax(r.probs, logits)
	g.Actions = append(g.Actions, r.probs...)
}

func (r *policyReader) Cell(token int) int          { return token }
func (r *policyReader) Cells() int                  { return r.rows * r.cols }
func (r *policyReader) Action(logits []float32) int { return Largest(logits) }
func (r *policyReader) Answer() trace.Answer        { return trace.AnswerNone }

// Softmax writes the probabilities of logits into dst, which it grows if needed.
func Softmax(dst, logits []float32) []float32 {
	dst = append(dst[:0], logits...)
	top := logits[Largest(logits)]
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

// Largest is the index of the largest entry, the first of equals.
func Largest(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// Fill makes s n values v, in its own memory if that suffices.
func Fill(s []uint8, n int, v uint8) []uint8 {
	s = append(s[:0], make([]uint8, n)...)
	for i := range s {
		s[i] = v
	}
	return s
}
