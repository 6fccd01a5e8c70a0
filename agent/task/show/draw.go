// Package show draws puzzles as text or as a picture.
package show

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/task/puzzles"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/grid/draw"
	"github.com/ponder-agents/ponder/viz"
)

// boardsOf are the puzzle's pictures: input and, if it is known, answer. marked has the cells that the answer
// marks.
func boardsOf(p *puzzles.Puzzle) (boards []grid.Board, marked []int) {
	for _, tokens := range [][]int32{p.In, p.Label} {
		if tokens == nil {
			continue
		}
		if p.Family == nil || p.Family.Draw == nil {
			b := squareBoard(tokens)
			for c, t := range tokens {
				b.Cells[c].Kind = uint8(t) // Ignore is 156
			}
			boards = append(boards, b)
			continue
		}
		var b grid.Board
		if b, marked = p.Family.Draw(p.In, tokens); b.Rows > 0 {
			boards = append(boards, b)
		}
	}
	return boards, marked
}

// squareBoard is a board as square as the number of cells allows.
func squareBoard(tokens []int32) grid.Board {
	cols := int(math.Sqrt(float64(len(tokens))))
	for cols < len(tokens) && len(tokens)%cols != 0 {
		cols++
	}
	return grid.Board{Rows: len(tokens) / cols, Cols: cols, Cells: make([]grid.Cell, len(tokens))}
}

// Text draws input and answer beside each other; ansi colours the cells of a terminal.
func Text(p *puzzles.Puzzle, ansi bool) string {
	boards, marks := boardsOf(p)
	blocks, widths := make([][]string, len(boards)), make([]int, len(boards))
	tallest := 0
	for i, b := range boards {
		text := numbers
		if p.Family != nil && p.Family.Text != nil {
			text = p.Family.Text
		}
		if i == 0 {
			blocks[i], widths[i] = text(b, nil, ansi)
		} else {
			blocks[i], widths[i] = text(b, marks, ansi)
		}
		tallest = max(tallest, len(blocks[i]))
	}
	var out strings.Builder
	for row := range tallest {
		line := ""
		for i, b := range blocks {
			if i > 0 {
				line += "     "
			}
			if row < len(b) {
				line += b[row]
			} else {
				line += strings.Repeat(" ", widths[i])
			}
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}

// numbers writes each cell as its token.
func numbers(b grid.Board, _ []int, _ bool) (lines []string, width int) {
	for row := range slices.Chunk(b.Cells, b.Cols) {
		line := ""
		for _, cell := range row {
			line += fmt.Sprintf("%4d", cell.Kind)
		}
		lines = append(lines, line)
	}
	return lines, 4 * b.Cols
}

// maxPixels bounds a picture.
const maxPixels = 1 << 26

// ErrLarge is a picture of too many pixels.
var ErrLarge = errors.New("the picture is too large")

// Paint draws puzzles below each other, the answer right of its input, tile pixels a cell.
func Paint(list []puzzles.Puzzle, tile int) (image.Image, error) {
	gap := max(4, tile/2)
	type placed struct {
		grid.Board
		at    image.Rectangle
		paint viz.Painter
		marks []int
	}
	var all []placed
	w, h := 0, gap
	painters := viz.FamilyPainters()
	for _, p := range list {
		boards, marks := boardsOf(&p)
		x, tallest := gap, 0
		for i, b := range boards {
			at := placed{Board: b, paint: paintTokens, at: image.Rect(x, h, x+b.Cols*tile, h+b.Rows*tile)}
			if art := painters[b.Family]; art != nil {
				at.paint = art
			}
			if i > 0 {
				at.marks = marks
			}
			all = append(all, at)
			x += b.Cols*tile + gap
			tallest = max(tallest, b.Rows*tile)
		}
		w, h = max(w, x), h+tallest+gap
	}
	if w*h > maxPixels {
		return nil, fmt.Errorf("%w: %d x %d pixels", ErrLarge, w, h)
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Fill(img, img.Rect, color.RGBA{0xf4, 0xf4, 0xf2, 0xff})
	for _, b := range all {
		dst := image.NewRGBA(image.Rect(0, 0, b.at.Dx(), b.at.Dy()))
		b.paint(b.Board, dst)
		f := draw.Fit(b.Rows, b.Cols, dst.Rect)
		for _, c := range b.marks {
			cx, cy := f.Center(c%b.Cols, c/b.Cols)
			draw.Disc(dst, cx, cy, .2*f.Tile, color.RGBA{0xd8, 0x43, 0x15, 0xff})
		}
		for y := range dst.Rect.Dy() {
			copy(img.Pix[img.PixOffset(b.at.Min.X, b.at.Min.Y+y):], dst.Pix[y*dst.Stride:y*dst.Stride+4*dst.Rect.Dx()])
		}
	}
	return img, nil
}

// paintTokens draws each cell in a colour of its token.
func paintTokens(b grid.Board, dst *image.RGBA) {
	f := draw.Fit(b.Rows, b.Cols, dst.Rect)
	for i, cell := range b.Cells {
		v := uint32(cell.Kind) * 2654435761 // spreads neighbouring tokens (Knuth, TAOCP 6.4)
		draw.Fill(dst, f.Cells(i%b.Cols, i/b.Cols, 1, 1), color.RGBA{uint8(v >> 24), uint8(v >> 16), uint8(v >> 8), 0xff})
	}
}
