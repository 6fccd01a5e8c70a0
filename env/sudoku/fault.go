package sudoku

import (
	"fmt"
	"slices"
)

// A Fault is what keeps a puzzle from having exactly one solution. With none of them do two givens disagree.
type Fault string

// The faults.
const (
	NoSolution   Fault = "none"  // another digit stands for a given, and there is no solution
	TwoSolutions Fault = "two"   // a given is gone, and there are two
	WrongGuess   Fault = "guess" // a digit that is not the solution's stands in an empty cell: there is no solution
)

// Faults are all of them.
func Faults() []Fault { return []Fault{NoSolution, TwoSolutions, WrongGuess} }

// Check reports an unknown fault.
func (f Fault) Check() error {
	if !slices.Contains(Faults(), f) {
		return fmt.Errorf("fault %q, want one of %q", f, Faults())
	}
	return nil
}

// Make spoils a puzzle with one solution, at random; false if what was drawn makes no such fault, or at 16x16 if a short
// search does not show it: the puzzle is then as it was.
func (f Fault) Make(puzzle, solution []uint8, s *Solver, intN func(n int) int) bool {
	var cells []int
	for i, d := range puzzle {
		if (d == 0) == (f == WrongGuess) {
			cells = append(cells, i)
		}
	}
	if len(cells) == 0 {
		return false
	}
	at := cells[intN(len(cells))]
	old := puzzle[at]
	wrong := uint8(1 + (int(solution[at])+intN(s.side-1))%s.side) // any digit but the solution's
	fits := !slices.ContainsFunc(s.peers[at][:s.peerN], func(i uint8) bool { return puzzle[i] == wrong })
	s.limit = s.bound
	defer func() { s.limit = 0 }()
	switch f {
	case TwoSolutions:
		puzzle[at] = 0
		fits = s.Count(puzzle, 3) == 2 && !s.gaveUp
	case NoSolution:
		puzzle[at] = wrong
		fits = fits && s.Count(puzzle, 1) == 0 && !s.gaveUp
	case WrongGuess:
		puzzle[at] = wrong
	}
	if !fits {
		puzzle[at] = old
	}
	return fits
}
