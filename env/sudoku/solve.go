package sudoku

import (
	"math/bits"
	"math/rand/v2"
)

// A Solver solves puzzles of one size by naked singles (a cell with one candidate), hidden singles
// (a digit with one cell in a row, column or box) and guesses. It reuses its memory; one goroutine
// uses it at a time.
type Solver struct {
	*layout
	stack  []state  // one for each guess in force
	queue  []uint8  // cells that became single
	twin   Symmetry // of a pattern, of Fill
	left   []uint8  // of a grid, of refill
	limit  int      // most digits tried at guesses; 0 means no limit
	gaveUp bool     // the limit stopped the last search
}

// A state is what is known of a grid. A cell is settled when one candidate is left and its peers
// know.
type state struct {
	left  int    // cells not yet settled
	dirty uint64 // units to be searched for hidden singles
	cand  [maxCells]uint16
}

// NewSolver makes a Solver for boards with side rows: 4, 6, 9 or 16.
func NewSolver(side int) (*Solver, error) {
	l, err := layoutOf(side)
	if err != nil {
		return nil, err
	}
	return &Solver{layout: l, stack: make([]state, l.cells+1), queue: make([]uint8, 0, l.cells)}, nil
}

// Side is the number of rows of the boards.
func (s *Solver) Side() int { return s.side }

// start loads a puzzle into the first state and draws its consequences; false if it has none.
func (s *Solver) start(puzzle []uint8) bool {
	st := &s.stack[0]
	s.gaveUp = false
	st.left = s.cells
	st.dirty = 1<<(3*s.side) - 1
	for i := range s.cells {
		st.cand[i] = s.all
	}
	s.queue = s.queue[:0]
	for i, d := range puzzle[:s.cells] {
		if d != 0 {
			st.cand[i] = 1 << (d - 1)
			s.queue = append(s.queue, uint8(i))
		}
	}
	return s.propagate(st)
}

// propagate follows the singles from the queue on; false if a cell or digit has no place left.
func (s *Solver) propagate(st *state) bool {
	for {
		for len(s.queue) > 0 {
			cell := s.queue[len(s.queue)-1]
			s.queue = s.queue[:len(s.queue)-1]
			bit := st.cand[cell]
			st.left--
			for _, p := range s.peers[cell][:s.peerN] {
				c := st.cand[p]
				if c&bit == 0 {
					continue
				}
				c &^= bit
				st.cand[p] = c
				st.dirty |= s.unitsOf[p]
				if c&(c-1) == 0 {
					if c == 0 {
						return false
					}
					s.queue = append(s.queue, p)
				}
			}
		}
		if st.dirty == 0 {
			return true
		}
		u := bits.TrailingZeros64(st.dirty)
		st.dirty &^= 1 << u
		unit := s.units[u][:s.side]
		var once, twice uint16
		for _, cell := range unit {
			c := st.cand[cell]
			twice |= once & c
			once |= c
		}
		if once != s.all {
			return false
		}
		hidden := once &^ twice
		if hidden == 0 {
			continue
		}
		for _, cell := range unit {
			c := st.cand[cell]
			h := c & hidden
			if h == 0 || c == h && h&(h-1) == 0 {
				continue
			}
			if h&(h-1) != 0 {
				return false
			}
			st.cand[cell] = h
			st.dirty |= s.unitsOf[cell]
			s.queue = append(s.queue, cell)
		}
	}
}

// branch is the first of the cells with the fewest candidates, two or more.
func (s *Solver) branch(st *state) int {
	best, fewest := -1, maxSide+1
	for i, c := range st.cand[:s.cells] {
		if c&(c-1) == 0 {
			continue
		}
		if n := bits.OnesCount16(c); n < fewest {
			if n == 2 {
				return i
			}
			best, fewest = i, n
		}
	}
	return best
}

// search goes on from the state at depth. At each guess it tries the digits of the branch cell
// upwards, or, if rng is not nil, in random order. It counts the digits tried in guesses and calls
// found at each solution until that returns true. It returns true if it was stopped so or by the limit.
func (s *Solver) search(depth int, rng *rand.Rand, guesses *int, found func(*state) bool) bool {
	st := &s.stack[depth]
	if st.left == 0 {
		return found(st)
	}
	cell := s.branch(st)
	for c := st.cand[cell]; c != 0; {
		bit := c & -c
		if rng != nil {
			for range rng.IntN(bits.OnesCount16(c)) {
				bit = (c &^ (bit<<1 - 1)) & -(c &^ (bit<<1 - 1))
			}
		}
		c &^= bit
		if *guesses++; s.limit > 0 && *guesses > s.limit {
			s.gaveUp = true
			return true
		}
		next := &s.stack[depth+1]
		next.left, next.dirty = st.left, st.dirty
		copy(next.cand[:s.cells], st.cand[:])
		next.cand[cell] = bit
		next.dirty |= s.unitsOf[cell]
		s.queue = append(s.queue[:0], uint8(cell))
		if s.propagate(next) && s.search(depth+1, rng, guesses, found) {
			return true
		}
	}
	return false
}

// Solve writes the first solution into dst and returns the number of digits that were tried at
// guesses on the way: the puzzle's rating, 0 if singles are enough. A guess is made in the first of
// the cells with the fewest candidates, its digits tried upwards. (On the 2,000 hard puzzles of
// tdoku's benchmark files this equals the published ratings without exception; see the test.)
// ok is false if there is no solution. dst and puzzle have side*side digits, 0 is empty, and may be
// the same.
func (s *Solver) Solve(dst, puzzle []uint8) (guesses int, ok bool) {
	if !s.start(puzzle) {
		return 0, false
	}
	s.search(0, nil, &guesses, func(st *state) bool {
		s.write(dst, st)
		ok = true
		return true
	})
	return guesses, ok
}

func (s *Solver) write(dst []uint8, st *state) {
	for i, c := range st.cand[:s.cells] {
		dst[i] = uint8(bits.TrailingZeros16(c)) + 1
	}
}

// Count is the number of solutions, not more than limit.
func (s *Solver) Count(puzzle []uint8, limit int) int {
	if !s.start(puzzle) {
		return 0
	}
	n, guesses := 0, 0
	s.search(0, nil, &guesses, func(*state) bool {
		n++
		return n >= limit
	})
	return n
}

// Without looks for a solution whose digit in cell, empty in the puzzle, is not the given one, and
// returns the digit that it has there, 0 if there is none. A unique puzzle stays unique without a
// given if Without returns 0 for it.
func (s *Solver) Without(puzzle []uint8, cell int, digit uint8) (other uint8) {
	if !s.start(puzzle) {
		return 0
	}
	st := &s.stack[0]
	bit := uint16(1) << (digit - 1)
	c := st.cand[cell]
	switch {
	case c == bit:
		return 0
	case c&bit != 0:
		c &^= bit
		st.cand[cell] = c
		st.dirty |= s.unitsOf[cell]
		if c&(c-1) == 0 {
			s.queue = append(s.queue[:0], uint8(cell))
		}
		if !s.propagate(st) {
			return 0
		}
	}
	guesses := 0
	s.search(0, nil, &guesses, func(st *state) bool {
		other = uint8(bits.TrailingZeros16(st.cand[cell])) + 1
		return true
	})
	return other
}
