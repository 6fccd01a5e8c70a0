package sudokus_test

import (
	"testing"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/task/sudokus"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// TestCheck: the solution keeps the rules whatever stands on the givens; a wrong digit and an empty cell do not.
func TestCheck(t *testing.T) {
	of, err := task.Find(sudokus.Task)
	if err != nil {
		t.Fatal(err)
	}
	src, err := sudokus.Generate(sudoku.Difficulty(9, 0), 2)
	if err != nil {
		t.Fatal(err)
	}
	in, pred := make([]int32, 81), make([]int32, 81)
	if _, err := src.Next(in, pred); err != nil {
		t.Fatal(err)
	}
	open := -1
	for i, x := range in {
		if x == int32(sudoku.TokenBlank) {
			open = i
		} else {
			pred[i] = 0
		}
	}
	if _, ok := of.Check(in, pred, 9); !ok {
		t.Error("the solution breaks the rules")
	}
	right := pred[open]
	for _, wrong := range []int32{0, int32(sudoku.TokenBlank), right%9 + 2} {
		if pred[open] = wrong; wrong == right {
			continue
		}
		if _, ok := of.Check(in, pred, 9); ok {
			t.Errorf("%d in the place of %d keeps the rules", wrong, right)
		}
	}
}
