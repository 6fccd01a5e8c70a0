package sudoku

import (
	"fmt"
	"math/rand/v2"
)

// A Walk goes from a minimal puzzle to ever harder ones: it takes a few givens away, puts others in their
// place until the solution is unique again, makes that minimal, and stays there unless the rating fell.
// Hard puzzles have hard neighbours, which is how the lists of the hardest were searched; random minimal
// puzzles almost never are that hard. It reuses its memory; one goroutine uses it at a time.
type Walk struct {
	gen    *Generator
	enough int

	puzzle, solution []uint8
	rating           int

	next, answer, other []uint8
	cells               []uint8
}

// NewWalk begins nowhere: call Begin. The rating rises to enough, as Solve counts it, and may then vary
// above.
func NewWalk(side, enough int) (*Walk, error) {
	g, err := NewGenerator(Config{Side: side})
	if err != nil {
		return nil, err
	}
	if g.solver.bound > 0 {
		return nil, fmt.Errorf("sudoku: a walk of %dx%d: its searches may take hours, want 9 rows or fewer", side, side)
	}
	n := g.solver.cells
	board := func() []uint8 { return make([]uint8, n) }
	return &Walk{gen: g, enough: enough, puzzle: board(), solution: board(), next: board(), answer: board(), other: board()}, nil
}

// Begin starts from a random minimal puzzle.
func (w *Walk) Begin(rng *rand.Rand) { w.rating = w.gen.Next(w.puzzle, w.solution, rng) }

// Puzzle is where the walk is, its solution and its rating. The slices are the walk's.
func (w *Walk) Puzzle() (puzzle, solution []uint8, rating int) { return w.puzzle, w.solution, w.rating }

// Step tries one neighbour.
func (w *Walk) Step(rng *rand.Rand) {
	s := w.gen.solver
	copy(w.next, w.puzzle)
	w.cells = w.cells[:0]
	for i, d := range w.next {
		if d != 0 {
			w.cells = append(w.cells, uint8(i))
		}
	}
	for i := range 1 + rng.IntN(3) {
		j := i + rng.IntN(len(w.cells)-i)
		w.cells[i], w.cells[j] = w.cells[j], w.cells[i]
		w.next[w.cells[i]] = 0
	}
	s.start(w.next)
	guesses := 0
	s.search(0, rng, &guesses, func(st *state) bool {
		s.write(w.answer, st)
		return true
	})
	for s.another(w.other, w.next, w.answer) {
		w.cells = w.cells[:0]
		for i, d := range w.other {
			if d != w.answer[i] {
				w.cells = append(w.cells, uint8(i))
			}
		}
		c := w.cells[rng.IntN(len(w.cells))]
		w.next[c] = w.answer[c]
	}
	w.gen.Dig(w.next, w.answer, 0, rng)
	rating, _ := s.Solve(w.gen.full, w.next)
	if rating >= min(w.rating, w.enough) {
		copy(w.puzzle, w.next)
		copy(w.solution, w.answer)
		w.rating = rating
	}
}
