package sudokus

import (
	"math/rand/v2"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// Tokens writes the tokens of a board, 0 for an empty cell: 1 is blank, a
// digit d is 1+d (the reference's; 0 is padding).
func Tokens(in []int32, cells []uint8) {
	for i, d := range cells {
		in[i] = int32(d) + 1
	}
}

// Digits are the cells of tokens that Tokens wrote.
func Digits(tokens []int32) []uint8 {
	cells := make([]uint8, len(tokens))
	for i, t := range tokens {
		cells[i] = uint8(t - 1)
	}
	return cells
}

// Vocab is the vocabulary of a board: padding, blank and the digits.
func Vocab(side int) int { return side + 2 }

// Generate is generated puzzles with one solution; the givens are not scored.
func Generate(cfg sudoku.Config, seed uint64) (puzzle.Source, error) {
	gen, err := sudoku.NewGenerator(cfg)
	if err != nil {
		return nil, err
	}
	n := cfg.Side * cfg.Side
	board, solution := make([]uint8, n), make([]uint8, n)
	shape := puzzle.Shape{SeqLen: n, Vocab: Vocab(cfg.Side), Identifiers: 1}
	return puzzle.Generate(shape, seed, func(rng *rand.Rand, in, label []int32) (int32, error) {
		gen.Next(board, solution, rng)
		Row(in, label, board, solution)
		return 0, nil
	}), nil
}

// Row writes a puzzle as tokens and its solution as labels; the givens are not scored.
func Row(in, label []int32, board, solution []uint8) {
	Tokens(in, board)
	Tokens(label, solution)
	for i, d := range board {
		if d != 0 {
			label[i] = puzzle.Ignore
		}
	}
}

// AppendDigits appends the most likely digit of every empty cell, by logits [cells·outputs], to dst;
// the givens keep theirs. Padding and blank are no digits, however likely.
func AppendDigits(dst, puzzle []uint8, logits []float32) []uint8 {
	side := 1
	for side*side < len(puzzle) {
		side++
	}
	w := len(logits) / len(puzzle)
	for i, d := range puzzle {
		if d == 0 {
			d = uint8(task.Largest(logits[i*w+2:i*w+2+side])) + 1
		}
		dst = append(dst, d)
	}
	return dst
}

// rules are those of a search on boards with so many rows.
func rules(side int) task.Rules {
	f := task.Filling{
		Open:  func(token int32) bool { return token == blank },
		Right: func(question, answer []int32) bool { return sudoku.Solves(Digits(answer), Digits(question)) },
	}
	for d := range side {
		f.Choices = append(f.Choices, blank+1+int32(d))
	}
	return f.Rules()
}

// check is the check of Task: the givens with what was answered for the other cells keep the rules.
func check(in, pred []int32, _ int) (worth float64, ok bool) {
	answer := Digits(in)
	for i, d := range answer {
		if d == 0 {
			answer[i] = Digits(pred[i : i+1])[0]
		}
	}
	return 0, sudoku.Solves(answer, Digits(in))
}
