package exam_test

import (
	"testing"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// TestDrawFaulty: no two givens disagree, and there is no solution, or there are two.
func TestDrawFaulty(t *testing.T) {
	s, err := sudoku.NewSolver(9)
	if err != nil {
		t.Fatal(err)
	}
	for f, want := range map[sudoku.Fault]int{sudoku.NoSolution: 0, sudoku.TwoSolutions: 2, sudoku.WrongGuess: 0} {
		list, err := exam.DrawFaulty(f, 8, 1)
		if err != nil || len(list) != 8 {
			t.Fatalf("%s: %d puzzles, error %v", f, len(list), err)
		}
		for _, c := range list {
			if n := s.Count(c.Cells, 3); n != want {
				t.Errorf("%s: %d solutions, want %d", f, n, want)
			}
			for i, d := range c.Cells {
				for j, e := range c.Cells[:i] {
					if d != 0 && d == e && (i/9 == j/9 || i%9 == j%9 || i/27 == j/27 && i%9/3 == j%9/3) {
						t.Errorf("%s: the givens at %d and %d disagree", f, i, j)
					}
				}
			}
		}
	}
	if _, err := exam.DrawFaulty("three", 1, 0); err == nil {
		t.Error("an unknown fault")
	}
}
