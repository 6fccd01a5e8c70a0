package sudoku

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWalk follows walks: every stop is a minimal puzzle with the one solution and the rating that it says,
// the rating never falls below where it was until it is enough, and one walk in a hundred steps gets far
// above the median of random minimal puzzles, 2.
func TestWalk(t *testing.T) {
	for _, side := range []int{6, 9} {
		const enough = 12
		s := solver(t, side)
		rng := newRand(uint64(side))
		w, err := NewWalk(side, enough)
		if err != nil {
			t.Fatal(err)
		}
		w.Begin(rng)
		highest := 0
		for step := range 100 {
			_, _, before := w.Puzzle()
			w.Step(rng)
			puzzle, solution, rating := w.Puzzle()
			got := make([]uint8, side*side)
			guesses, err := s.Check(got, puzzle)
			if err != nil || guesses != rating || cmp.Diff(solution, got) != "" {
				t.Fatalf("side %d, step %d: rated %d (%v), solution %v; want %d, %v", side, step, guesses, err, got, rating, solution)
			}
			if rating < min(before, enough) {
				t.Errorf("side %d, step %d: the rating fell from %d to %d", side, step, before, rating)
			}
			highest = max(highest, rating)
			for i, d := range puzzle {
				if d == 0 {
					continue
				}
				puzzle[i] = 0
				if s.Count(puzzle, 2) < 2 {
					t.Errorf("side %d, step %d: not minimal, %s may go", side, step, s.name(i))
				}
				puzzle[i] = d
			}
		}
		if side == 9 && highest < enough {
			t.Errorf("the highest rating of 100 steps is %d, want %d or more", highest, enough)
		}
	}
}
