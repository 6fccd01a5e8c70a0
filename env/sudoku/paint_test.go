package sudoku

import (
	"image"
	"image/color"
	"testing"

	"github.com/ponder-agents/ponder/env/grid"
)

// count of the pixels of one colour in the cell (x, y) of tiles of 40.
func pixels(img *image.RGBA, x, y int, c color.RGBA) (n int) {
	for py := 40*y + 4; py < 40*y+36; py++ {
		for px := 40*x + 4; px < 40*x+36; px++ {
			if img.RGBAAt(px, py) == c {
				n++
			}
		}
	}
	return n
}

func TestPaint(t *testing.T) {
	cells, givens := make([]uint8, 81), make([]uint8, 81)
	cells[0], givens[0] = 8, 8
	cells[1], cells[2] = 8, 1
	b := BoardOf(cells, givens)
	b.Cells[1].Flags |= grid.FlagWrong
	b.Cells[3].Flags |= grid.FlagFocus
	img := image.NewRGBA(image.Rect(0, 0, 360, 360))
	PaintBoard(b, img)
	for _, tt := range []struct {
		name  string
		x     int
		ink   color.RGBA
		least int // fully covered; edges are mixed with the ground
	}{{"given 8", 0, colorGiven, 60}, {"wrong 8", 1, colorWrong, 45}, {"answer 1", 2, colorAnswer, 30}} {
		if n := pixels(img, tt.x, 0, tt.ink); n < tt.least {
			t.Errorf("%s: %d pixels of its ink, want %d", tt.name, n, tt.least)
		}
	}
	if n := pixels(img, 4, 0, colorPaper); n != 32*32 {
		t.Errorf("empty cell: %d pixels of paper of %d", n, 32*32)
	}
	if n := pixels(img, 3, 0, colorPaper); n != 0 {
		t.Error("the focus does not show")
	}
	// Thick lines around boxes, thin ones else.
	if img.RGBAAt(120, 60) != colorFrame || img.RGBAAt(80, 60) != colorLine || img.RGBAAt(60, 120) != colorFrame {
		t.Errorf("lines: %v, %v, %v", img.RGBAAt(120, 60), img.RGBAAt(80, 60), img.RGBAAt(60, 120))
	}
}

func TestPaintAnySize(t *testing.T) {
	for _, id := range []string{"sudoku/4x4-v0", "sudoku/6x6-v0", "sudoku/9x9-v0", "sudoku/16x16-v0"} {
		b := makeWorld(t, id).Board()
		for side := range 60 {
			a := image.NewRGBA(image.Rect(0, 0, side+5, side))
			moved := image.NewRGBA(image.Rect(-7, 11, side-2, side+11))
			PaintBoard(b, a)
			PaintBoard(b, moved)
			if string(a.Pix) != string(moved.Pix) {
				t.Fatalf("%s side %d: another picture elsewhere", id, side)
			}
		}
	}
	PaintBoard(grid.Board{}, image.NewRGBA(image.Rect(0, 0, 5, 5)))
	PaintBoard(grid.Board{Rows: 9, Cols: 9}, image.NewRGBA(image.Rect(0, 0, 5, 5)))
}
