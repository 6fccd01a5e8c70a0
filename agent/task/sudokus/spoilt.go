package sudokus

import (
	"math/rand/v2"
	"strings"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// tries is how often a fault is drawn for a row before it stays as it is.
const tries = 24

// openSpoilt spoils the rows of FAULT:A, see sudoku.Fault, so that a network may learn that there is no answer.
func openSpoilt(arg string, seed uint64, heldOut bool) (task.Rows, error) {
	name, of, _ := strings.Cut(arg, ":")
	fault := sudoku.Fault(name)
	if err := fault.Check(); err != nil {
		return task.Rows{}, task.NameErrorf("spoilt:%w", err)
	}
	rows, err := task.Open(of, rng.Stream(seed, "spoilt").Uint64(), heldOut)
	if err != nil || heldOut {
		return rows, err
	}
	if rows.Task != Task {
		return task.Rows{}, task.NameErrorf("spoilt: rows of %s, want sudokus", rows.Task)
	}
	s, err := sudoku.NewSolver(rows.Rows)
	if err != nil {
		return task.Rows{}, err
	}
	rows.Source = puzzle.Augmented(rows.Source, seed, func(rng *rand.Rand, in, label []int32) {
		board, solution := Digits(in), Digits(in)
		for i, l := range label {
			if l >= 0 {
				solution[i] = uint8(l - int32(sudoku.TokenBlank))
			}
		}
		for range tries {
			if !fault.Make(board, solution, s, rng.IntN) {
				continue
			}
			Tokens(in, board)
			for i, d := range board {
				if d == 0 {
					label[i] = puzzle.NoAnswer
				} else {
					label[i] = puzzle.Ignore
				}
			}
			return
		}
	})
	return rows, nil
}
