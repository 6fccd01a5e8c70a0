package maze

import (
	"image"
	"image/color"

	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/grid/draw"
)

// Kinds of a cell of a board of this family.
const (
	KindFloor uint8 = iota
	KindWall
	KindStart
	KindGoal
)

// BoardOf is the board of a maze by itself, without an agent.
func BoardOf(m *Maze) grid.Board {
	b := grid.Board{Family: "maze", Cols: m.Cols, Rows: m.Rows, Cells: make([]grid.Cell, len(m.Wall))}
	for i, wall := range m.Wall {
		switch {
		case wall:
			b.Cells[i].Kind = KindWall
		case i == m.Start:
			b.Cells[i].Kind = KindStart
		case i == m.Goal:
			b.Cells[i].Kind = KindGoal
		}
	}
	return b
}

// The colours of start, goal and agent are from Okabe and Ito's palette, which eyes of every kind
// of colour vision tell apart; each has a shape of its own besides.
var (
	colorWall   = color.RGBA{0x35, 0x3d, 0x4a, 255}
	colorFloor  = color.RGBA{0xf6, 0xf4, 0xef, 255}
	colorHidden = color.RGBA{0x9a, 0xa0, 0xa8, 255} // laid over what is not known
	colorStart  = color.RGBA{0x56, 0xb4, 0xe9, 255} // sky blue ring
	colorGoal   = color.RGBA{0x00, 0x9e, 0x73, 255} // bluish green diamond
	colorAgent  = color.RGBA{0xd5, 0x5e, 0x00, 255} // vermilion disc
)

// PaintBoard draws a board of this family, cells and pieces, into all of dst.
func PaintBoard(b grid.Board, dst *image.RGBA) {
	draw.Fill(dst, dst.Rect, colorWall)
	if b.Rows < 1 || b.Cols < 1 || len(b.Cells) != b.Rows*b.Cols {
		return
	}
	f := draw.Fit(b.Rows, b.Cols, dst.Rect)
	for i, cell := range b.Cells {
		x, y := i%b.Cols, i/b.Cols
		r := f.Cells(x, y, 1, 1)
		cx, cy := f.Center(x, y)
		if cell.Kind != KindWall {
			draw.Fill(dst, r, colorFloor)
		}
		switch cell.Kind {
		case KindStart:
			draw.Ring(dst, cx, cy, .27*f.Tile, max(1, .09*f.Tile), colorStart)
		case KindGoal:
			draw.Diamond(dst, cx, cy, .4*f.Tile, colorGoal)
		}
		if cell.Flags&grid.FlagHidden != 0 {
			draw.Tint(dst, r, colorHidden, .8)
		}
		if cell.Flags&grid.FlagFocus != 0 {
			draw.Border(dst, r, max(1, int(f.Tile/12)), colorAgent)
		}
	}
	for _, p := range b.Pieces {
		if p.Kind == grid.PieceAgent {
			cx, cy := f.Center(p.X, p.Y)
			draw.Disc(dst, cx, cy, .38*f.Tile, colorFloor)
			draw.Disc(dst, cx, cy, .32*f.Tile, colorAgent)
		}
	}
}
