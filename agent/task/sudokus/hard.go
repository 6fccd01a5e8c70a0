package sudokus

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// Of the walks that hard sudokus come from: how many go on side by side, so that rows that follow each other
// have nothing in common; the steps between two rows of one; the rows after which it begins anew; and the
// rating from which on it need not rise.
const (
	hardWalks  = 16
	hardSteps  = 4
	hardRows   = 100
	hardEnough = 150
)

// A hardSource is sudokus on walks towards hard ones. Row n depends on the seed and n alone; reading on
// from a state takes the walks under way again.
type hardSource struct {
	side  int
	seed  uint64
	next  uint64
	walks [hardWalks]*hardWalk
}

type hardWalk struct {
	*sudoku.Walk
	rng   *rng.Rand
	begun uint64 // which walk of its place
	rows  uint64 // made of it
}

// Hard is minimal puzzles that grow harder, see sudoku.Walk; the givens are not scored.
func Hard(side int, seed uint64) (puzzle.Source, error) {
	if _, err := sudoku.NewWalk(side, hardEnough); err != nil {
		return nil, &task.NameError{Err: err}
	}
	return &hardSource{side: side, seed: seed}, nil
}

func (h *hardSource) Shape() puzzle.Shape {
	return puzzle.Shape{SeqLen: h.side * h.side, Vocab: Vocab(h.side), Identifiers: 1}
}

func (h *hardSource) Next(in, label []int32) (int32, error) {
	place, row := h.next%hardWalks, h.next/hardWalks
	w := h.walks[place]
	if w == nil || w.begun != row/hardRows || w.rows > row%hardRows {
		walk, err := sudoku.NewWalk(h.side, hardEnough)
		if err != nil {
			return 0, err
		}
		w = &hardWalk{Walk: walk, rng: rng.Stream(h.seed, fmt.Sprintf("walk/%d/%d", place, row/hardRows)), begun: row / hardRows}
		w.Begin(w.rng.Rand)
		h.walks[place] = w
	}
	for ; w.rows <= row%hardRows; w.rows++ {
		for range hardSteps {
			w.Step(w.rng.Rand)
		}
	}
	board, solution, _ := w.Puzzle()
	Row(in, label, board, solution)
	h.next++
	return 0, nil
}

func (h *hardSource) AppendState(dst []byte) []byte {
	dst = append(dst, "hard"...)
	dst = binary.LittleEndian.AppendUint64(dst, h.seed)
	return binary.LittleEndian.AppendUint64(dst, h.next)
}

func (h *hardSource) SetState(state []byte) error {
	if len(state) != 20 || string(state[:4]) != "hard" {
		return errors.New("the bytes are no state of hard sudokus")
	}
	if seed := binary.LittleEndian.Uint64(state[4:]); seed != h.seed {
		return fmt.Errorf("state of hard sudokus with seed %d, these have seed %d", seed, h.seed)
	}
	h.next = binary.LittleEndian.Uint64(state[12:])
	return nil
}
