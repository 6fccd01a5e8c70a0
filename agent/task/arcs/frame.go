package arcs

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// Grids sit in a frame of Side x Side tokens: 0 pad, 1 end marker, colour + 2.
const (
	Side  = arc.MaxSide
	Vocab = 12

	end    = int32(arc.TokenEnd)
	colour = int32(arc.TokenColor)
)

// Frame writes g's tokens into dst, [Side*Side], with its top left cell at (row, col). End
// markers follow in the row below and the column right of g, where the frame has room; the corner
// between them stays pad. An empty grid leaves the frame empty.
func Frame(dst []int32, g *arc.Grid, row, col int) {
	clear(dst)
	for i := range g.Rows {
		for j := range g.Cols {
			dst[(row+i)*Side+col+j] = int32(g.Cells[i*g.Cols+j]) + colour
		}
		if col+g.Cols < Side {
			dst[(row+i)*Side+col+g.Cols] = end
		}
	}
	if row+g.Rows < Side {
		for j := range g.Cols {
			dst[(row+g.Rows)*Side+col+j] = end
		}
	}
}

// ReadFrame is the inverse of Frame: the grid in a frame and its place. The grid is empty if the frame
// is, and Ignore counts as pad. An error names the first cell that Frame would not have written so;
// Crop reads frames that are not perfect.
func ReadFrame(frame []int32) (g arc.Grid, row, col int, err error) {
	if len(frame) != Side*Side {
		return arc.Grid{}, 0, 0, fmt.Errorf("%d cells, want %d", len(frame), Side*Side)
	}
	isColour := func(i int) bool { return frame[i] >= colour && frame[i] < Vocab }
	first := 0
	for first < len(frame) && !isColour(first) {
		first++
	}
	if first < len(frame) {
		row, col = first/Side, first%Side
		for col+g.Cols < Side && isColour(first+g.Cols) {
			g.Cols++
		}
		for row+g.Rows < Side && isColour(first+g.Rows*Side) {
			g.Rows++
		}
	}
	for i := range g.Rows * g.Cols {
		at := first + i/g.Cols*Side + i%g.Cols
		if !isColour(at) {
			return arc.Grid{}, 0, 0, fmt.Errorf("cell %d: token %d inside the grid of %d x %d", at, frame[at], g.Rows, g.Cols)
		}
		g.Cells = append(g.Cells, uint8(frame[at]-colour))
	}
	want := make([]int32, len(frame))
	Frame(want, &g, row, col)
	for i, t := range frame {
		if t != want[i] && !(t == puzzle.Ignore && want[i] == 0) {
			return arc.Grid{}, 0, 0, fmt.Errorf("cell %d: token %d, want %d beside a grid of %d x %d at (%d, %d)", i, t, want[i], g.Rows, g.Cols, row, col)
		}
	}
	return g, row, col, nil
}

// Crop is the grid in a frame: the rectangle of colours with the largest area that is anchored at
// the top left. It may be empty (0 x 0).
func Crop(frame []int32) arc.Grid {
	var rows, cols int
	width := Side
	for r := range Side {
		for c := range width { // the usable width never grows downwards
			if t := frame[r*Side+c]; t < colour || t >= Vocab {
				width = c
				break
			}
		}
		if area := (r + 1) * width; area > rows*cols { // a tie keeps the earlier one
			rows, cols = r+1, width
		}
	}
	g := arc.Grid{Rows: rows, Cols: cols, Cells: make([]uint8, rows*cols)}
	for i := range g.Cells {
		g.Cells[i] = uint8(frame[i/cols*Side+i%cols] - colour)
	}
	return g
}

// FramePairs calls example for each pair in frames of tokens, valid during the call. With a
// generator every pair but one, chosen at random, is moved to a random place where both grids fit
// (training); with nil all stay at (0, 0).
func FramePairs(rng *rand.Rand, pairs []arc.Pair, example func(in, label []int32)) {
	in, label := make([]int32, Side*Side), make([]int32, Side*Side)
	stay := 0
	if rng != nil && len(pairs) > 0 {
		stay = rng.IntN(len(pairs))
	}
	for i, p := range pairs {
		row, col := 0, 0
		if rng != nil && i != stay {
			row = rng.IntN(Side - max(p.Input.Rows, p.Output.Rows) + 1)
			col = rng.IntN(Side - max(p.Input.Cols, p.Output.Cols) + 1)
		}
		Frame(in, &p.Input, row, col)
		Frame(label, &p.Output, row, col)
		example(in, label)
	}
}

// kind is the rows of ARC datasets.
var kind = puzzle.Kind{
	Name:   Task,
	Fits:   func(s puzzle.Shape) bool { return s.Vocab == Vocab && s.SeqLen == Side*Side },
	Verify: verify,
}

// verify reports what is wrong with a row: input and label hold one grid each, at the same place. Labels that
// are puzzle.Ignore count as pad; a label may be empty.
func verify(in, label []int32) error {
	g, row, col, err := ReadFrame(in)
	if err != nil {
		return fmt.Errorf("input: %w", err)
	}
	if g.Rows == 0 {
		return errors.New("input: the frame is empty")
	}
	h, lrow, lcol, err := ReadFrame(label)
	if err != nil {
		return fmt.Errorf("label: %w", err)
	}
	if h.Rows > 0 && (lrow != row || lcol != col) {
		return fmt.Errorf("the label's grid is at (%d, %d), the input's at (%d, %d)", lrow, lcol, row, col)
	}
	return nil
}
