package sudokus_test

import (
	"testing"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/task/sudokus"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// TestSpoilt: a spoilt row has as many solutions as its fault says, and no cell of it has an answer; for evaluation
// rows stay as they are.
func TestSpoilt(t *testing.T) {
	s, err := sudoku.NewSolver(9)
	if err != nil {
		t.Fatal(err)
	}
	in, label := make([]int32, 81), make([]int32, 81)
	for fault, want := range map[sudoku.Fault]int{sudoku.NoSolution: 0, sudoku.TwoSolutions: 2, sudoku.WrongGuess: 0} {
		name := "spoilt:" + string(fault) + ":sudoku:minimal"
		rows, err := task.Open(name, 1, false)
		if err != nil {
			t.Fatal(err)
		}
		spoilt := 0
		for range 20 {
			if _, err := rows.Source.Next(in, label); err != nil {
				t.Fatal(err)
			}
			unanswerable := false
			for _, l := range label {
				unanswerable = unanswerable || l == puzzle.NoAnswer
			}
			if !unanswerable { // nothing that was drawn made the fault
				continue
			}
			spoilt++
			cells := sudokus.Digits(in)
			if n := s.Count(cells, 3); n != want {
				t.Errorf("%s: %d solutions, want %d", name, n, want)
			}
			for i, d := range cells {
				if l := map[bool]int32{true: puzzle.NoAnswer, false: puzzle.Ignore}[d == 0]; label[i] != l {
					t.Fatalf("%s: cell %d, %d in it, has label %d, want %d", name, i, d, label[i], l)
				}
			}
		}
		if spoilt < 3 {
			t.Errorf("%s: %d of 20 rows are spoilt", name, spoilt)
		}
		if rows, err = task.Open(name, 1, true); err != nil {
			t.Fatal(err)
		}
		if _, err := rows.Source.Next(in, label); err != nil || s.Count(sudokus.Digits(in), 2) != 1 {
			t.Errorf("%s, held out: %d solutions, error %v", name, s.Count(sudokus.Digits(in), 2), err)
		}
	}
	for _, bad := range []string{"spoilt:three:sudoku:minimal", "spoilt:none:maze:7", "spoilt:none"} {
		if _, err := task.Open(bad, 1, false); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}
