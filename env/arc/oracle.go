package arc

import (
	"errors"

	"github.com/ponder-agents/ponder/env"
)

// A Plan is the oracle that knows the answer. It starts from a copy of the input where that saves
// painting, brings the canvas to its size, floods where that only mends, paints the other wrong
// cells from the nearest on, and submits.
type Plan struct {
	w    *World
	seen []bool // for a try at flooding
}

// NewPlan plans for w.
func NewPlan(w *World) *Plan { return &Plan{w: w, seen: make([]bool, FrameLen)} }

// Act implements env.Oracle.
func (p *Plan) Act() (int, error) {
	w := p.w
	g, a, q := &w.canvas, &w.answer, &w.question
	if !w.live {
		return 0, errors.New("arc: the episode has ended")
	}
	if p.cost(q)+1 < p.cost(g) {
		return Input, nil
	}
	switch {
	case g.Rows < a.Rows:
		return Taller, nil
	case g.Rows > a.Rows:
		return Shorter, nil
	case g.Cols < a.Cols:
		return Wider, nil
	case g.Cols > a.Cols:
		return Narrower, nil
	}
	best, nearest := -1, 2*MaxSide
	for i, c := range g.Cells {
		if c == a.Cells[i] {
			continue
		}
		if d := abs(i/g.Cols-w.row) + abs(i%g.Cols-w.col); d < nearest {
			best, nearest = i, d
		}
	}
	switch r, c := best/g.Cols, best%g.Cols; {
	case best < 0:
		return Submit, nil
	case w.selecting:
		return Select, nil
	case r < w.row:
		return Up, nil
	case r > w.row:
		return Down, nil
	case c < w.col:
		return Left, nil
	case c > w.col:
		return Right, nil
	}
	if p.mends(best) {
		return Flood + int(a.Cells[best]), nil
	}
	return Paint + int(a.Cells[best]), nil
}

// cost is about how many actions it takes from a grid to the answer: one for each cell to paint,
// row or column to add or take.
func (p *Plan) cost(from *Grid) int {
	a := &p.w.answer
	n := abs(from.Rows-a.Rows) + abs(from.Cols-a.Cols)
	for i, want := range a.Cells {
		have := uint8(0)
		if r, c := i/a.Cols, i%a.Cols; r < from.Rows && c < from.Cols {
			have = from.Cells[r*from.Cols+c]
		}
		if have != want {
			n++
		}
	}
	return n
}

// mends reports whether flooding the cell in its right colour changes more than it, and nothing
// that is right or gets another colour in the answer.
func (p *Plan) mends(cell int) bool {
	g, a := &p.w.canvas, &p.w.answer
	clear(p.seen)
	p.seen[cell] = true
	stack := append(p.w.stack[:0], cell)
	n := 0
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if a.Cells[at] != a.Cells[cell] {
			return false
		}
		n++
		r, c := at/g.Cols, at%g.Cols
		for dir := range 4 {
			nr, nc := r+[4]int{-1, 1, 0, 0}[dir], c+[4]int{0, 0, -1, 1}[dir]
			if nr < 0 || nc < 0 || nr >= g.Rows || nc >= g.Cols {
				continue
			}
			next := nr*g.Cols + nc
			if !p.seen[next] && g.Cells[next] == g.Cells[cell] {
				p.seen[next] = true
				stack = append(stack, next)
			}
		}
	}
	return n > 1
}

func abs(n int) int { return max(n, -n) }

var _ env.Oracle = (*Plan)(nil)
