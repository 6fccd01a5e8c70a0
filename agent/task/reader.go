package task

import (
	"fmt"
	"math"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
)

// The tasks that networks are trained for.
const (
	MazeDirectionsTask = "maze-directions"
	MazePathTask       = "maze-path"
	SudokuTask         = "sudoku"
	ARCTask            = "arc"
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
	case MazeDirectionsTask:
		if len(spec.Actions) != 4 || len(spec.Layout) != 1 || len(spec.Layout[0].Shape) != 2 || spec.Vocab > MazeVocab {
			return nil, fmt.Errorf("a model for %s cannot act in %s: it needs a full view of a maze and the actions up, down, left, right", task, spec.ID)
		}
		return &mazeReader{rows: spec.Layout[0].Shape[0], cols: spec.Layout[0].Shape[1]}, nil
	case SudokuTask:
		return newSudokuReader(spec)
	}
	return nil, fmt.Errorf("a model for %s is no agent in %s", task, spec.ID)
}

// mazeReader follows a map of directions from where the agent stands.
type mazeReader struct {
	rows, cols int // of the board
	crop       int
	agent      int // token on which the agent stands
	open       []bool
	probs      []float32
}

func (r *mazeReader) Tokens(dst []int32, obs []byte) ([]int32, int, int) {
	r.crop = 1
	for i, b := range obs {
		y, x := i/r.cols, i%r.cols
		if (y == 0 || x == 0 || y == r.rows-1 || x == r.cols-1) && b != maze.TokenWall {
			r.crop = 0
		}
	}
	begin := len(dst)
	dst = MazeObservation(dst, obs, r.cols, r.crop)
	r.agent, r.open = 0, r.open[:0]
	for i, t := range dst[begin:] {
		if t == int32(maze.TokenStart) {
			r.agent = i
		}
		r.open = append(r.open, t == int32(maze.TokenStart) || t == int32(maze.TokenOpen))
	}
	return dst, r.rows - 2*r.crop, r.cols - 2*r.crop
}

func (r *mazeReader) Cell(token int) int {
	cols := r.cols - 2*r.crop
	return (token/cols+r.crop)*r.cols + token%cols + r.crop
}

func (r *mazeReader) Cells() int { return r.rows * r.cols }

func (r *mazeReader) Answer() trace.Answer { return trace.AnswerDirection }

func (r *mazeReader) Action(logits []float32) int { return largest(logits[4*r.agent : 4*r.agent+4]) }

func (r *mazeReader) Describe(g *trace.Segment, logits []float32) {
	g.Answer = fill(g.Answer, r.Cells(), trace.NoAnswer)
	g.Confidence = fill(g.Confidence, r.Cells(), 0)
	for i, open := range r.open {
		if !open {
			continue
		}
		r.probs = Softmax(r.probs, logits[4*i:4*i+4])
		best := largest(r.probs)
		g.Answer[r.Cell(i)] = uint8(best)
		g.Confidence[r.Cell(i)] = uint8(255*r.probs[best] + 0.5)
		if i == r.agent {
			g.Actions = append(g.Actions[:0], r.probs...)
		}
	}
}

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
