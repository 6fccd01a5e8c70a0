package sudoku

import (
	"image"
	"image/color"

	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/grid/draw"
)

// BoardOf is the board of a grid: the kind of a cell is its digit, 0 if it is empty, and cells with
// a digit in givens have grid.FlagGiven. givens may be nil. There must be 16, 36, 81 or 256 cells.
func BoardOf(cells, givens []uint8) grid.Board {
	side := sideOf(len(cells))
	b := grid.Board{Family: "sudoku", Cols: side, Rows: side, Cells: make([]grid.Cell, len(cells))}
	for i, d := range cells {
		b.Cells[i].Kind = d
		if givens != nil && givens[i] != 0 {
			b.Cells[i].Flags |= grid.FlagGiven
		}
	}
	return b
}

// Givens are dark and medium, answers blue and regular; a wrong one is vermilion on a tint. Blue and
// vermilion are from Okabe and Ito's palette, which eyes of every kind of colour vision tell apart.
var (
	colorPaper  = color.RGBA{0xfc, 0xfb, 0xf8, 255}
	colorLine   = color.RGBA{0xc9, 0xcc, 0xd1, 255}
	colorFrame  = color.RGBA{0x35, 0x3d, 0x4a, 255}
	colorGiven  = color.RGBA{0x22, 0x28, 0x32, 255}
	colorAnswer = color.RGBA{0x00, 0x72, 0xb2, 255}
	colorWrong  = color.RGBA{0xd5, 0x5e, 0x00, 255}
	colorFocus  = color.RGBA{0xf0, 0xe4, 0x42, 255}
	colorKnown  = color.RGBA{0xf0, 0xee, 0xe9, 255} // behind givens
)

// PaintBoard draws a board of this family into all of dst.
func PaintBoard(b grid.Board, dst *image.RGBA) {
	draw.Fill(dst, dst.Rect, colorPaper)
	l := layouts[b.Rows]
	if l == nil || b.Cols != b.Rows || len(b.Cells) != l.cells {
		return
	}
	f := draw.Fit(b.Rows, b.Cols, dst.Rect)
	for i, cell := range b.Cells {
		x, y := i%b.Cols, i/b.Cols
		r := f.Cells(x, y, 1, 1)
		ink, weight := colorAnswer, draw.Regular
		if cell.Flags&grid.FlagGiven != 0 {
			ink, weight = colorGiven, draw.Medium
			draw.Fill(dst, r, colorKnown)
		}
		if cell.Flags&grid.FlagWrong != 0 {
			ink = colorWrong
			draw.Tint(dst, r, colorWrong, .15)
		}
		if cell.Flags&grid.FlagFocus != 0 {
			draw.Tint(dst, r, colorFocus, .5)
		}
		if cell.Kind >= 1 && int(cell.Kind) <= l.side {
			cx, cy := f.Center(x, y)
			draw.Char(dst, rune(char(cell.Kind)), cx, cy, .68*f.Tile, weight, ink)
		}
	}
	thin, thick := max(1, int(f.Tile/40)), max(1, int(f.Tile/16))
	board := f.Cells(0, 0, b.Cols, b.Rows)
	line := func(r image.Rectangle, width int, c color.RGBA) {
		draw.Fill(dst, r.Inset(-width/2).Intersect(board), c)
	}
	for _, bold := range []bool{false, true} { // bold lines lie over the others
		width, c := thin, colorLine
		if bold {
			width, c = thick, colorFrame
		}
		for i := 1; i < b.Rows; i++ {
			if (i%l.boxRows == 0) == bold {
				y := f.Cells(0, i, 1, 1).Min.Y
				line(image.Rect(board.Min.X, y, board.Max.X, y+width%2), width, c)
			}
			if (i%l.boxCols == 0) == bold {
				x := f.Cells(i, 0, 1, 1).Min.X
				line(image.Rect(x, board.Min.Y, x+width%2, board.Max.Y), width, c)
			}
		}
	}
	draw.Border(dst, board, thick, colorFrame)
}
