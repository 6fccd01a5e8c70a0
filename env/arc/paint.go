package arc

import (
	"image"
	"image/color"

	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/grid/draw"
)

// Codes of a cell of a board of this family.
const (
	KindOutside uint8 = iota // no cell
	KindColor                // Cell.Color is 0 to 9

	StateSelected uint8 = 1 // Cell.State: inside the selected rectangle
)

// Palette is the ten colours of ARC's own editor.
var Palette = [Colors]color.RGBA{
	{0x00, 0x00, 0x00, 255},
	{0x00, 0x74, 0xd9, 255},
	{0xff, 0x41, 0x36, 255},
	{0x2e, 0xcc, 0x40, 255},
	{0xff, 0xdc, 0x00, 255},
	{0xaa, 0xaa, 0xaa, 255},
	{0xf0, 0x12, 0xbe, 255},
	{0xff, 0x85, 0x1b, 255},
	{0x7f, 0xdb, 0xff, 255},
	{0x87, 0x0c, 0x25, 255},
}

var (
	colorGround = color.RGBA{0x2e, 0x33, 0x3b, 255} // no colour of ARC, quiet on light and on dark
	colorGrid   = color.RGBA{0x55, 0x55, 0x55, 255} // around cells, as in ARC's editor
	colorMark   = color.RGBA{0xff, 0xff, 0xff, 255}
)

// BoardOf is the board of one grid.
func BoardOf(g *Grid) grid.Board {
	b := grid.Board{Family: "arc", Rows: g.Rows, Cols: g.Cols, Cells: make([]grid.Cell, len(g.Cells))}
	put(&b, g, 0, 0)
	return b
}

// TaskBoard is the board of a whole task: a pair beside the other, inputs above outputs, first the
// demonstrations and then the tests. An unknown output is left out.
func TaskBoard(t *Task) grid.Board {
	b := grid.Board{Family: "arc", Caption: t.Name}
	pairs := append(append([]Pair(nil), t.Train...), t.Test...)
	top, bottom := 0, 0
	for _, p := range pairs {
		top, bottom = max(top, p.Input.Rows), max(bottom, p.Output.Rows)
		b.Cols += max(p.Input.Cols, p.Output.Cols) + 1
	}
	b.Cols--
	b.Rows = top + 1 + bottom
	b.Cells = make([]grid.Cell, b.Rows*b.Cols)
	x := 0
	for i := range pairs {
		p := &pairs[i]
		put(&b, &p.Input, 0, x)
		put(&b, &p.Output, top+1, x)
		x += max(p.Input.Cols, p.Output.Cols) + 1
	}
	return b
}

// pairBoard is the board of an input and its output, a column between them.
func pairBoard(p *Pair) grid.Board {
	b := grid.Board{Family: "arc", Rows: max(p.Input.Rows, p.Output.Rows), Cols: p.Input.Cols + 1 + p.Output.Cols}
	b.Cells = make([]grid.Cell, b.Rows*b.Cols)
	put(&b, &p.Input, 0, 0)
	put(&b, &p.Output, 0, p.Input.Cols+1)
	return b
}

// AnswerBoard is the board of a task with one of its tests, and room for an answer of up to side rows and
// columns below its input; corner is the cell in the room's upper left.
func AnswerBoard(t *Task, test, side int) (b grid.Board, corner int) {
	q := t.Test[test]
	q.Output = Grid{Rows: side, Cols: side, Cells: make([]uint8, side*side)}
	b = TaskBoard(&Task{Name: t.Name, Train: t.Train, Test: []Pair{q}})
	top := q.Input.Rows
	for _, p := range t.Train {
		top = max(top, p.Input.Rows)
	}
	corner = (top+1)*b.Cols + b.Cols - max(q.Input.Cols, side)
	for i := range side * side {
		b.Cells[corner+i/side*b.Cols+i%side] = grid.Cell{Kind: KindOutside}
	}
	return b, corner
}

// put copies g into b, its corner in row y and column x.
func put(b *grid.Board, g *Grid, y, x int) {
	for i, c := range g.Cells {
		b.Cells[(y+i/g.Cols)*b.Cols+x+i%g.Cols] = grid.Cell{Kind: KindColor, Color: c}
	}
}

// PaintBoard draws a board of this family into all of dst.
func PaintBoard(b grid.Board, dst *image.RGBA) {
	draw.Fill(dst, dst.Rect, colorGround)
	if b.Rows < 1 || b.Cols < 1 || len(b.Cells) != b.Rows*b.Cols {
		return
	}
	f := draw.Fit(b.Rows, b.Cols, dst.Rect)
	line := 0 // half of the line between two cells
	if f.Tile >= 8 {
		line = max(1, int(f.Tile/48))
	}
	for i, cell := range b.Cells {
		if cell.Kind != KindColor || cell.Color >= Colors {
			continue
		}
		r := f.Cells(i%b.Cols, i/b.Cols, 1, 1)
		draw.Fill(dst, r, colorGrid)
		inner := r.Inset(line)
		draw.Fill(dst, inner, Palette[cell.Color])
		if cell.State == StateSelected {
			draw.Tint(dst, inner, colorMark, .35)
		}
		if cell.Flags&grid.FlagWrong != 0 {
			cx, cy := f.Center(i%b.Cols, i/b.Cols)
			draw.Disc(dst, cx, cy, .22*f.Tile, colorMark)
			draw.Disc(dst, cx, cy, .15*f.Tile, Palette[0])
		}
	}
	for i, cell := range b.Cells {
		if cell.Flags&grid.FlagFocus != 0 {
			r := f.Cells(i%b.Cols, i/b.Cols, 1, 1)
			width := max(1, int(f.Tile/18)) // white between black, to show on any colour
			draw.Border(dst, r, 3*width, Palette[0])
			draw.Border(dst, r.Inset(width), width, colorMark)
		}
	}
}
