package sudoku

import (
	"errors"
	"fmt"

	"github.com/ponder-agents/ponder/env"
)

// A Plan is the oracle that knows the solution. It takes back what is wrong and then fills in as a
// person would: cells with one candidate first, then digits with one place, and, where neither is
// left, the cell with the fewest candidates.
type Plan struct{ w *World }

// NewPlan plans for w.
func NewPlan(w *World) *Plan { return &Plan{w} }

// Act implements env.Oracle.
func (p *Plan) Act() (int, error) {
	w := p.w
	if w.filled == w.cells && w.valid(w.grid) {
		return 0, errors.New("sudoku: solved")
	}
	for i, d := range w.grid {
		if d != 0 && d != w.solution[i] {
			if len(w.past) == 0 {
				return 0, fmt.Errorf("sudoku: %s is wrong and cannot be taken back", w.name(i))
			}
			return w.Undo(), nil
		}
	}
	var cand [maxCells]uint32 // bit d of digit d
	best, fewest := -1, maxSide+1
	for i, d := range w.grid {
		if d != 0 {
			continue
		}
		n := 0
		for d := uint8(1); int(d) <= w.side; d++ {
			if !w.stands(i, d) {
				cand[i] |= 1 << d
				n++
			}
		}
		if n < fewest {
			best, fewest = i, n
		}
	}
	if fewest > 1 {
		for _, unit := range w.units[:3*w.side] {
			var once, twice uint32
			for _, cell := range unit[:w.side] {
				twice |= once & cand[cell]
				once |= cand[cell]
			}
			for _, cell := range unit[:w.side] {
				if cand[cell]&(once&^twice) != 0 {
					return w.Place(int(cell), w.solution[cell]), nil
				}
			}
		}
	}
	return w.Place(best, w.solution[best]), nil
}

// stands reports whether the digit stands in a row, column or box of the cell.
func (w *World) stands(cell int, digit uint8) bool {
	for _, p := range w.peers[cell][:w.peerN] {
		if w.grid[p] == digit {
			return true
		}
	}
	return false
}

var _ env.Oracle = (*Plan)(nil)
