package sudokus

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/sudoku"
)

func open(t *testing.T, name string, seed uint64, heldOut bool) task.Rows {
	t.Helper()
	rows, err := task.Open(name, seed, heldOut)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func next(t *testing.T, src puzzle.Source) (id int32, in, label []int32) {
	t.Helper()
	in, label = make([]int32, src.Shape().SeqLen), make([]int32, src.Shape().SeqLen)
	id, err := src.Next(in, label)
	if err != nil {
		t.Fatal(err)
	}
	return id, in, label
}

// TestHardSudokus reads on from a state, across the end of a walk, and asks whether the rows are hard.
func TestHardSudokus(t *testing.T) {
	const n, cut = hardWalks*hardRows + 40, hardWalks*hardRows - 20
	src := open(t, "sudoku6:hard", 3, false)
	var rows [][]int32
	var state []byte
	for i := range n {
		if i == cut {
			state = src.AppendState(nil)
		}
		_, in, label := next(t, src)
		rows = append(rows, slices.Concat(in, label))
	}
	again := open(t, "sudoku6:hard", 3, false)
	if err := again.SetState(state); err != nil {
		t.Fatal(err)
	}
	for i := cut; i < n; i++ {
		_, in, label := next(t, again)
		if diff := cmp.Diff(rows[i], slices.Concat(in, label)); diff != "" {
			t.Fatalf("row %d after reading on:\n%s", i, diff)
		}
	}
	if other := open(t, "sudoku6:hard", 4, false); other.SetState(state) == nil {
		t.Error("the state of another seed was taken")
	}

	src = open(t, "sudoku:hard", 1, false)
	s, err := sudoku.NewSolver(9)
	if err != nil {
		t.Fatal(err)
	}
	hard, full := 0, make([]uint8, 81)
	for range 30 * hardWalks {
		_, in, label := next(t, src)
		cells := make([]uint8, 81)
		for i, v := range in {
			cells[i] = uint8(v - 1)
		}
		guesses, err := s.Check(full, cells)
		if err != nil {
			t.Fatal(err)
		}
		if guesses >= 4 {
			hard++
		}
		for i, l := range label {
			if (l == puzzle.Ignore) != (cells[i] > 0) || l != puzzle.Ignore && l != int32(full[i])+1 {
				t.Fatalf("cell %d is %d, its label %d, the solution %d", i, cells[i], l, full[i])
			}
		}
	}
	if hard < 15*hardWalks {
		t.Errorf("%d of %d puzzles need 4 guesses or more, want half", hard, 30*hardWalks)
	}
}

// TestReveal: half of the rows are as they were, the others have answers given that are scored no more.
func TestReveal(t *testing.T) {
	const n = 400
	src := open(t, "reveal:40:sudoku6:minimal", 5, false)
	if src.Rows != 6 || src.Cols != 6 {
		t.Errorf("a grid of %dx%d, want 6x6", src.Rows, src.Cols)
	}
	s, err := sudoku.NewSolver(6)
	if err != nil {
		t.Fatal(err)
	}
	full, more := make([]uint8, 36), 0
	for range n {
		_, in, label := next(t, src)
		cells := make([]uint8, 36)
		for i, v := range in {
			cells[i] = uint8(v - 1)
			if (label[i] == puzzle.Ignore) != (v > 1) {
				t.Fatalf("token %d has label %d", v, label[i])
			}
		}
		if _, err := s.Check(full, cells); err != nil {
			t.Fatal(err)
		}
		if 36-count(in, 1) > 14 { // minimal 6x6 puzzles have about 10
			more++
		}
	}
	if more < n/4 || more > n/2 {
		t.Errorf("%d of %d rows have more than 14 givens, want up to half, and most of those", more, n)
	}
	for range 50 { // held out, as they are
		as := open(t, "reveal:40:sudoku6:14-14", 5, true)
		if _, in, _ := next(t, as); len(in)-count(in, 1) != 14 {
			t.Errorf("a held-out row has %d givens, want 14", len(in)-count(in, 1))
		}
	}
}

func count(in []int32, v int32) (n int) {
	for _, x := range in {
		if x == v {
			n++
		}
	}
	return n
}

func TestAppendDigits(t *testing.T) {
	puzzle := make([]uint8, 16)
	puzzle[3] = 2
	logits := make([]float32, 16*6)
	for i := range 16 {
		logits[i*6], logits[i*6+1] = 9, 8 // padding and blank are never an answer
		logits[i*6+2+i%4] = 1
	}
	got := AppendDigits(nil, puzzle, logits)
	want := []uint8{1, 2, 3, 2, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
