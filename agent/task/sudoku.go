package task

import (
	"fmt"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// SudokuTokens writes the tokens of a board with sides up to 9, 0 for an empty cell: 1 is blank, a
// digit d is 1+d (the reference's; 0 is padding).
func SudokuTokens(in []int32, cells []uint8) {
	for i, d := range cells {
		in[i] = int32(d) + 1
	}
}

// SudokuVocab is the vocabulary of a board: padding, blank and the digits.
func SudokuVocab(side int) int { return side + 2 }

// Sudokus is generated puzzles with one solution; the givens are not scored.
func Sudokus(cfg sudoku.Config, seed uint64) (puzzle.Source, error) {
	gen, err := sudoku.NewGenerator(cfg)
	if err != nil {
		return nil, err
	}
	n := cfg.Side * cfg.Side
	board, solution := make([]uint8, n), make([]uint8, n)
	shape := puzzle.Shape{SeqLen: n, Vocab: SudokuVocab(cfg.Side), Identifiers: 1}
	return puzzle.Generate(shape, seed, func(rng *rand.Rand, in, label []int32) (int32, error) {
		gen.Next(board, solution, rng)
		SudokuRow(in, label, board, solution)
		return 0, nil
	}), nil
}

// SudokuRow writes a puzzle as tokens and its solution as labels; the givens are not scored.
func SudokuRow(in, label []int32, board, solution []uint8) {
	SudokuTokens(in, board)
	SudokuTokens(label, solution)
	for i, d := range board {
		if d != 0 {
			label[i] = puzzle.Ignore
		}
	}
}

// sudokuReader reads the answer for every empty cell; as an agent it fills in the digit that it is
// most certain of.
type sudokuReader struct {
	side  int
	cells []byte // tokens of the observation
	probs []float32
}

func newSudokuReader(spec env.Spec) (Reader, error) {
	if len(spec.Layout) == 0 || spec.Layout[0].Name != "cells" || len(spec.Layout[0].Shape) != 2 ||
		spec.Layout[0].Shape[0] != spec.Layout[0].Shape[1] || len(spec.Actions) < spec.Layout[0].Len()*spec.Layout[0].Shape[0] {
		return nil, fmt.Errorf("a model for %s cannot act in %s", SudokuTask, spec.ID)
	}
	return &sudokuReader{side: spec.Layout[0].Shape[0]}, nil
}

func (r *sudokuReader) Tokens(dst []int32, obs []byte) ([]int32, int, int) {
	r.cells = append(r.cells[:0], obs[:r.side*r.side]...)
	for _, t := range r.cells {
		dst = append(dst, int32(t))
	}
	return dst, r.side, r.side
}

func (r *sudokuReader) Cell(token int) int   { return token }
func (r *sudokuReader) Cells() int           { return r.side * r.side }
func (r *sudokuReader) Answer() trace.Answer { return trace.AnswerDigit }

// digit is the most likely digit of an empty cell and its probability among the digits.
func (r *sudokuReader) digit(logits []float32, cell int) (d int, p float32) {
	w := len(logits) / (r.side * r.side)
	r.probs = Softmax(r.probs, logits[cell*w+2:cell*w+2+r.side])
	d = largest(r.probs)
	return d + 1, r.probs[d]
}

func (r *sudokuReader) Action(logits []float32) int {
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

func (r *sudokuReader) Describe(g *trace.Segment, logits []float32) {
	g.Answer = fill(g.Answer, r.Cells(), 0)
	g.Confidence = fill(g.Confidence, r.Cells(), 255)
	for i, t := range r.cells {
		if t != sudoku.TokenBlank {
			g.Answer[i] = t - 1
			continue
		}
		d, p := r.digit(logits, i)
		g.Answer[i], g.Confidence[i] = uint8(d), uint8(255*p+0.5)
	}
}
