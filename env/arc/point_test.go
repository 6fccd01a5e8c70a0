package arc

import (
	"slices"
	"testing"

	"github.com/ponder-agents/ponder/env"
)

// TestPoint: a tool does at the cell that is pointed at what it does at the cursor, whatever was selected before.
func TestPoint(t *testing.T) {
	task, err := Parse("pointed", []byte(`{"train":[{"input":[[1]],"output":[[2]]},{"input":[[3]],"output":[[4]]}],"test":[{"input":[[5,5]],"output":[[6]]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWorld("arc/test-v0", WorldConfig{Task: task})
	if err != nil {
		t.Fatal(err)
	}
	obs := make([]byte, w.Spec().ObsLen)
	w.Reset(obs)
	const canvas = 3 // its first column on the board, after the input and a gap
	for _, tt := range []struct {
		x, y, action int
		want         []int
	}{
		{canvas, 0, Paint + 7, []int{Paint + 7}},
		{canvas + 2, 1, Paint + 8, []int{Down, Right, Right, Paint + 8}},
		{canvas + 1, 1, Select, []int{Left, Select}},
		{canvas + 2, 2, -1, []int{Down, Right}},                              // the rectangle grows
		{canvas, 0, Flood + 9, []int{Select, Up, Up, Left, Left, Flood + 9}}, // and is dropped
		{0, 0, Paint, nil}, // the input
		{canvas + 3, 0, Paint, nil},
	} {
		got := w.Point(nil, tt.x, tt.y, tt.action)
		if !slices.Equal(got, tt.want) {
			t.Errorf("action %d at (%d, %d): %v, want %v", tt.action, tt.x, tt.y, got, tt.want)
		}
		for _, a := range got {
			w.Step(a, obs)
		}
	}
	if got, want := w.Canvas().Cells, []uint8{9, 0, 0, 0, 0, 8, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("canvas %v, want %v", got, want)
	}

	// A demonstration as the question, and nothing of its output beside it.
	text, err := w.Rehearsal(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.Leveler(w).SetLevel(text); err != nil {
		t.Fatal(err)
	}
	if w.Question().Cells[0] != 3 || w.Answer().Cells[0] != 4 || len(w.Demos()) != 1 || len(w.Board().Beside) != 1 {
		t.Errorf("asked %v for %v beside %d demonstrations", w.Question().Cells, w.Answer().Cells, len(w.Demos()))
	}
	if _, err := w.Rehearsal(1); err == nil {
		t.Error("the demonstration that is asked for can be asked for")
	}
}
