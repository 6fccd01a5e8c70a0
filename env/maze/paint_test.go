package maze

import (
	"image"
	"image/color"
	"testing"

	"github.com/ponder-agents/ponder/env/grid"
)

func TestPaint(t *testing.T) {
	w := open1(t, "maze/7x5-v0", "view=fog", "radius=1")
	if err := w.SetLevel(corridor); err != nil {
		t.Fatal(err)
	}
	w.Step(Right, make([]byte, 35))
	img := image.NewRGBA(image.Rect(0, 0, 140+3, 100)) // tiles of 20, one column of pixels left over
	w.Paint(img)
	hidden := img.RGBAAt(1+5*20+10, 3*20+10)
	for _, tt := range []struct {
		name string
		x, y int // of the cell
		want color.RGBA
	}{
		{"wall", 0, 0, colorWall},
		{"agent", 2, 1, colorAgent},
		{"floor", 3, 1, colorFloor},
		{"start, inside the ring", 1, 1, colorFloor},
		{"fog", 4, 3, hidden},
	} {
		if got := img.RGBAAt(1+tt.x*20+10, tt.y*20+10); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if hidden == colorFloor || hidden == colorWall {
		t.Error("what is hidden looks like what is known")
	}
	goal := image.NewRGBA(image.Rect(0, 0, 140, 100))
	PaintBoard(BoardOf(&w.maze), goal)
	if got := goal.RGBAAt(30, 70); got != colorGoal {
		t.Errorf("goal: %v, want %v", got, colorGoal)
	}
}

// A picture of any size and place is painted whole and the same; boards that are none, too.
func TestPaintAnySize(t *testing.T) {
	w := open1(t, "maze/9x9-v0", "view=fog")
	b := w.Board()
	for side := range 40 {
		a := image.NewRGBA(image.Rect(0, 0, side, side+3))
		moved := image.NewRGBA(image.Rect(-7, 11, side-7, side+14))
		PaintBoard(b, a)
		PaintBoard(b, moved)
		if string(a.Pix) != string(moved.Pix) {
			t.Fatalf("side %d: another picture elsewhere", side)
		}
		for i := 3; i < len(a.Pix); i += 4 {
			if a.Pix[i] != 255 {
				t.Fatalf("side %d: pixel %d is not opaque", side, i/4)
			}
		}
	}
	PaintBoard(grid.Board{}, image.NewRGBA(image.Rect(0, 0, 5, 5)))
	PaintBoard(grid.Board{Rows: 2, Cols: 2, Cells: make([]grid.Cell, 1)}, image.NewRGBA(image.Rect(0, 0, 5, 5)))
}
