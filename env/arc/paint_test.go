package arc

import (
	"image"
	"testing"

	"github.com/ponder-agents/ponder/env/grid"
)

func TestPaint(t *testing.T) {
	g := mustGrid(t, "01234\n56789")
	img := image.NewRGBA(image.Rect(0, 0, 100, 40))
	PaintBoard(BoardOf(&g), img)
	for c, want := range Palette {
		if got := img.RGBAAt(c%5*20+10, c/5*20+10); got != want {
			t.Errorf("colour %d: %v, want %v", c, got, want)
		}
	}
	if got := img.RGBAAt(20, 10); got != colorGrid || img.RGBAAt(19, 10) != colorGrid {
		t.Errorf("between cells: %v, want %v", got, colorGrid)
	}
}

func TestTaskBoard(t *testing.T) {
	task := &Task{
		Train: []Pair{{Input: mustGrid(t, "12\n34"), Output: mustGrid(t, "567")}},
		Test:  []Pair{{Input: mustGrid(t, "8")}},
	}
	b := TaskBoard(task)
	// 12. .8
	// 34.
	//
	// 567
	want := "12..8" + "34..." + "....." + "567.."
	if b.Rows != 4 || b.Cols != 5 {
		t.Fatalf("board of %d x %d", b.Rows, b.Cols)
	}
	for i, cell := range b.Cells {
		got := byte('.')
		if cell.Kind == KindColor {
			got = '0' + cell.Color
		}
		if got != want[i] {
			t.Errorf("cell %d: %c, want %c", i, got, want[i])
		}
	}
}

func TestPaintAnySize(t *testing.T) {
	w := makeWorld(t, "arc")
	obs := make([]byte, w.Spec().ObsLen)
	w.Reset(obs)
	w.Step(Select, obs)
	w.Step(Down, obs)
	b := w.Board()
	for side := range 60 {
		a := image.NewRGBA(image.Rect(0, 0, side+5, side))
		moved := image.NewRGBA(image.Rect(-7, 11, side-2, side+11))
		PaintBoard(b, a)
		PaintBoard(b, moved)
		if string(a.Pix) != string(moved.Pix) {
			t.Fatalf("side %d: another picture elsewhere", side)
		}
	}
	PaintBoard(grid.Board{}, image.NewRGBA(image.Rect(0, 0, 5, 5)))
	PaintBoard(grid.Board{Rows: 2, Cols: 2, Cells: make([]grid.Cell, 1)}, image.NewRGBA(image.Rect(0, 0, 5, 5)))
}

// TestAnswerBoard: the room for the answer is empty, below the input of the test, right of all pairs.
func TestAnswerBoard(t *testing.T) {
	one := Grid{Rows: 1, Cols: 2, Cells: []uint8{3, 4}}
	tall := Grid{Rows: 3, Cols: 1, Cells: []uint8{1, 1, 1}}
	task := &Task{Name: "t", Train: []Pair{{one, tall}}, Test: []Pair{{tall, one}, {one, one}}}
	b, corner := AnswerBoard(task, 1, 4)
	// Columns: 2 of the demonstration, a gap, 4 of the room; rows: 1, a gap, 4.
	if b.Rows != 6 || b.Cols != 7 || corner != 2*7+3 {
		t.Fatalf("%d rows, %d columns, corner %d; want 6, 7, 17", b.Rows, b.Cols, corner)
	}
	for i := range 16 {
		if c := b.Cells[corner+i/4*7+i%4]; c.Kind != KindOutside {
			t.Errorf("cell %d of the room is %+v", i, c)
		}
	}
	if c := b.Cells[3]; c.Kind != KindColor || c.Color != 3 {
		t.Errorf("the test's input begins with %+v, want colour 3", c)
	}
}
