package sudoku

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// Errors of Check; errors.Is finds them.
var (
	ErrConflict   = errors.New("conflict")
	ErrImpossible = errors.New("no solution")
	ErrAmbiguous  = errors.New("has 2+ solutions")
	ErrUndecided  = errors.New("not decided")
)

// maxGuesses bounds the searches of Check to some seconds. The hardest of the 2,000 hard
// puzzles in the tests needs 2,382; only puzzles made to be hopeless need as many. At 16x16,
// where a guess takes longer and most puzzles with few givens need many, it is maxGuesses16.
const (
	maxGuesses   = 10_000_000
	maxGuesses16 = 20_000
)

// Check writes the puzzle's only solution into solution and returns its rating, as Solve does. The
// error of a puzzle that has none or several says where: the cells with the same digit
// (ErrConflict), a cell or digit that has no place left or else that guessing found none
// (ErrImpossible), or the first cell in which two solutions differ (ErrAmbiguous), at 16x16 those found first. ErrUndecided
// ends a search of ten million guesses, at 16x16 of twenty thousand.
func (s *Solver) Check(solution, puzzle []uint8) (rating int, err error) {
	if len(puzzle) != s.cells {
		return 0, fmt.Errorf("sudoku: %d cells, want %d", len(puzzle), s.cells)
	}
	for i, d := range puzzle {
		if int(d) > s.side {
			return 0, fmt.Errorf("sudoku: %s: digit %d, want 1 to %d", s.name(i), d, s.side)
		}
		for _, p := range s.peers[i][:s.peerN] {
			if d != 0 && int(p) > i && puzzle[p] == d {
				return 0, fmt.Errorf("sudoku: %w: %s and %s both have %d", ErrConflict, s.name(i), s.name(int(p)), d)
			}
		}
	}
	if s.limit = maxGuesses; s.side > 9 {
		s.limit = maxGuesses16
	}
	most := s.limit
	defer func() { s.limit = 0 }()
	rating, ok := s.Solve(solution, puzzle)
	undecided := func() (int, error) {
		return 0, fmt.Errorf("sudoku: %w: %d guesses found no end; is it a proper puzzle?", ErrUndecided, most)
	}
	if s.gaveUp {
		return undecided()
	}
	if !ok {
		return 0, fmt.Errorf("sudoku: %w: %s", ErrImpossible, s.deadEnd(puzzle))
	}
	second := make([]uint8, s.cells)
	another := s.another(second, puzzle, solution)
	if s.gaveUp {
		return undecided()
	}
	if !another {
		return rating, nil
	}
	i := 0
	for second[i] == solution[i] {
		i++
	}
	other := second[i]
	for before := 0; before < i && s.bound == 0; before++ {
		if d := s.Without(puzzle, before, solution[before]); puzzle[before] == 0 && d != 0 {
			i, other = before, d
		}
	}
	return 0, fmt.Errorf("sudoku: %w: %s may be %d or %d", ErrAmbiguous, s.name(i), min(other, solution[i]), max(other, solution[i]))
}

// another looks for a solution of the puzzle that is not the given one, into dst.
func (s *Solver) another(dst, puzzle, solution []uint8) (found bool) {
	if !s.start(puzzle) {
		return false
	}
	guesses := 0
	s.search(0, nil, &guesses, func(st *state) bool {
		s.write(dst, st)
		found = !slices.Equal(dst[:s.cells], solution[:s.cells])
		return found
	})
	return found
}

// deadEnd says where a puzzle without a solution fails, if the givens alone show it.
func (s *Solver) deadEnd(puzzle []uint8) string {
	var cand [maxCells]uint16
	for i, d := range puzzle {
		if d != 0 {
			cand[i] = 1 << (d - 1)
			continue
		}
		cand[i] = s.all
		for _, p := range s.peers[i][:s.peerN] {
			if d := puzzle[p]; d != 0 {
				cand[i] &^= 1 << (d - 1)
			}
		}
		if cand[i] == 0 {
			return fmt.Sprintf("no digit is left for %s", s.name(i))
		}
	}
	for u, unit := range s.units[:3*s.side] {
		var places uint16
		for _, cell := range unit[:s.side] {
			places |= cand[cell]
		}
		if missing := s.all &^ places; missing != 0 {
			kind := [3]string{"row", "column", "box"}[u/s.side]
			return fmt.Sprintf("no place is left for %d in %s %d", bits.TrailingZeros16(missing)+1, kind, u%s.side+1)
		}
	}
	return "every way to fill it ends in a conflict"
}

// Solves reports whether answer is a full grid by the rules that keeps all givens of the puzzle.
func Solves(answer, puzzle []uint8) bool {
	l := layouts[sideOf(len(puzzle))]
	if l == nil || len(answer) != len(puzzle) {
		return false
	}
	for i, d := range puzzle {
		if answer[i] == 0 || int(answer[i]) > l.side || d != 0 && answer[i] != d {
			return false
		}
		for _, p := range l.peers[i][:l.peerN] {
			if answer[i] == answer[p] {
				return false
			}
		}
	}
	return true
}
