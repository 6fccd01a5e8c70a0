package viz

import (
	"image"
	"image/color"
	"math"
	"strconv"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// An overlay draws what was thought over a board.
type overlay struct {
	*canvas.Canvas
	*View
	area image.Rectangle // of the cells, in pixels
	cell int             // side of a cell in pixels
}

// rect is cell i in points.
func (o *overlay) rect(i int) canvas.Rect {
	cols := o.Step.Board.Cols
	x, y := o.area.Min.X+i%cols*o.cell, o.area.Min.Y+i/cols*o.cell
	s := o.Scale
	return canvas.Rect{X: float64(x) / s, Y: float64(y) / s, W: float64(o.cell) / s, H: float64(o.cell) / s}
}

func (o *overlay) center(i int) canvas.Point {
	r := o.rect(i)
	return canvas.Point{X: r.X + r.W/2, Y: r.Y + r.H/2}
}

// side is a cell's side in points.
func (o *overlay) side() float64 { return float64(o.cell) / o.Scale }

// whole reports whether v has one element a cell.
func (o *overlay) whole(n int) bool { return n == len(o.Step.Board.Cells) && n > 0 }

// heat lays a scale over the cells; where g is given, cells that it does not answer stay bare.
func (o *overlay) heat(value func(i int) float64, g *trace.Segment) {
	strength := 0.82 // so that walls and pieces shine through
	if o.Header.Answer == trace.AnswerDigit && o.cell >= leastCell {
		strength = 0.96 // digits are written over it
	}
	for i := range o.Step.Board.Cells {
		if g != nil && i < len(g.Answer) && g.Answer[i] == trace.NoAnswer {
			continue
		}
		o.Fill(o.rect(i), alpha(Viridis(value(i)), strength))
	}
}

// confidence is the probability of cell i's answer, 1 if g has none.
func confidence(g *trace.Segment, i int) float64 {
	if i < len(g.Confidence) {
		return float64(g.Confidence[i]) / 255
	}
	return 1
}

// newWords says how an answer that is new in the segment is marked.
var newWords = [...]string{
	trace.AnswerPath:      ", large: new",
	trace.AnswerDirection: ", orange: new",
	trace.AnswerDigit:     ", tinted: new, underlined: in conflict",
	trace.AnswerColor:     ", framed: new",
}

func (o *overlay) answer(g *trace.Segment) {
	switch o.Header.Answer {
	case trace.AnswerPath:
		o.path(g)
	case trace.AnswerDirection:
		o.directions(g)
	case trace.AnswerDigit:
		o.digits(g)
	case trace.AnswerColor:
		o.colors(g)
	}
}

// fresh reports whether cell i's answer is new in the segment shown.
func (o *overlay) fresh(g *trace.Segment, i int) bool {
	b := o.before()
	return b != nil && len(b.Answer) == len(g.Answer) && b.Answer[i] != g.Answer[i]
}

// opacity never falls to nothing: an answer that is given is seen.
func opacity(p float64) float64 { return 0.25 + 0.75*p*p }

// path draws the marked cells as a line where they are neighbours, discs where new.
func (o *overlay) path(g *trace.Segment) {
	b := &o.Step.Board
	s := o.side()
	col := o.theme().Halt
	on := func(i int) bool { return g.Answer[i] == 1 }
	disc := func(r float64) *image.Alpha {
		return o.Mask(2*r, 2*r, func(c *canvas.Canvas) { c.Disc(r, r, r, col) })
	}
	large, small := disc(s*0.26), disc(s*0.16)
	link := func(i, j int) {
		p, q := o.center(i), o.center(j)
		r := canvas.Rect{X: p.X, Y: p.Y - s*0.09, W: q.X - p.X, H: s * 0.18}
		if i+1 != j {
			r = canvas.Rect{X: p.X - s*0.09, Y: p.Y, W: s * 0.18, H: q.Y - p.Y}
		}
		o.Fill(r, alpha(col, opacity(min(confidence(g, i), confidence(g, j)))))
	}
	for i := range b.Cells {
		if !on(i) {
			continue
		}
		if i%b.Cols+1 < b.Cols && on(i+1) {
			link(i, i+1)
		}
		if i+b.Cols < len(b.Cells) && on(i+b.Cols) {
			link(i, i+b.Cols)
		}
		p := o.center(i)
		m := small
		if o.fresh(g, i) {
			m = large
		}
		o.Stamp(p.X, p.Y, m, alpha(col, opacity(confidence(g, i))))
	}
}

// dirX and dirY are the steps of trace.AnswerDirection: up, down, left, right.
var (
	dirX = [4]int{0, 0, -1, 1}
	dirY = [4]int{-1, 1, 0, 0}
)

// follow is the way from the agent along the directions, until it repeats itself or leaves them.
func follow(b *grid.Board, answer []uint8) []int {
	at := -1
	for _, p := range b.Pieces {
		if p.Kind == grid.PieceAgent && p.X >= 0 && p.X < b.Cols && p.Y >= 0 && p.Y < b.Rows {
			at = p.Y*b.Cols + p.X
			break
		}
	}
	if at < 0 {
		return nil
	}
	been := make([]bool, len(b.Cells))
	var way []int
	for !been[at] {
		been[at] = true
		way = append(way, at)
		d := answer[at]
		if d > 3 {
			break
		}
		x, y := at%b.Cols+dirX[d], at/b.Cols+dirY[d]
		if x < 0 || x >= b.Cols || y < 0 || y >= b.Rows {
			break
		}
		at = y*b.Cols + x
	}
	return way
}

// Below so many pixels a cell has no room for signs.
const leastCell = 7

// directions draws an arrowhead in every cell and, strongly, the way that the agent would go.
func (o *overlay) directions(g *trace.Segment) {
	s := o.side()
	t := o.theme()
	way := follow(&o.Step.Board, g.Answer)
	o.way(way, s*0.3, t.Halt)
	onWay := make([]bool, len(g.Answer))
	for _, cell := range way {
		onWay[cell] = true
	}
	if o.cell < leastCell {
		for i, d := range g.Answer {
			if d <= 3 && !onWay[i] && o.fresh(g, i) {
				o.Fill(o.rect(i), alpha(t.Continue, 0.5))
			}
		}
		return
	}
	var heads [4]*image.Alpha
	for d := range heads {
		heads[d] = o.Mask(s, s, func(c *canvas.Canvas) { arrow(c, s/2, s/2, d, s*0.17) })
	}
	for i, d := range g.Answer {
		if d > 3 {
			continue
		}
		col := alpha(t.Halt, opacity(confidence(g, i)))
		if onWay[i] {
			col = rgb(0xffffff)
		} else if o.fresh(g, i) {
			col = alpha(t.Continue, max(opacity(confidence(g, i)), 0.6))
		}
		p := o.center(i)
		o.Stamp(p.X, p.Y, heads[d], col)
	}
}

// way draws a line of the given width through neighbouring cells, round at its ends and corners.
func (o *overlay) way(cells []int, width float64, col color.RGBA) {
	if len(cells) < 2 {
		return
	}
	end := o.Mask(width, width, func(c *canvas.Canvas) { c.Disc(width/2, width/2, width/2, col) })
	for i, cell := range cells {
		p := o.center(cell)
		if i == 0 || i == len(cells)-1 || cells[i-1]-cell != cell-cells[i+1] {
			o.Stamp(p.X, p.Y, end, col)
		}
		if i+1 < len(cells) {
			q := o.center(cells[i+1])
			r := canvas.Rect{X: min(p.X, q.X), Y: min(p.Y, q.Y), W: math.Abs(p.X - q.X), H: math.Abs(p.Y - q.Y)}
			if r.W < r.H {
				r.X, r.W = r.X-width/2, width
			} else {
				r.Y, r.H = r.Y-width/2, width
			}
			o.Fill(r, col)
		}
	}
}

// arrow draws an arrowhead of half length r.
func arrow(c *canvas.Canvas, x, y float64, d int, r float64) {
	dx, dy := float64(dirX[d]), float64(dirY[d])
	c.Polygon(rgb(0xffffff),
		canvas.Point{X: x + dx*r, Y: y + dy*r},
		canvas.Point{X: x - dx*r*0.7 - dy*r, Y: y - dy*r*0.7 + dx*r},
		canvas.Point{X: x - dx*r*0.7 + dy*r, Y: y - dy*r*0.7 - dx*r})
}

// digits writes the answered digits into the cells that the task left open; a digit that occurs twice
// in its row, column or box is red and underlined, a new one stands on a tint.
func (o *overlay) digits(g *trace.Segment) {
	b := &o.Step.Board
	s := o.side()
	f := canvas.Font{Size: s * 0.56}
	clash := clashes(b, g.Answer)
	if o.cell < leastCell {
		for i, d := range g.Answer {
			if b.Cells[i].Flags&grid.FlagGiven == 0 && d > 0 {
				col := rgb(0x0072b2)
				if clash[i] {
					col = rgb(0xb84300)
				}
				o.Fill(o.rect(i).Inset(s*0.2), alpha(col, opacity(confidence(g, i))))
			}
		}
		return
	}
	for i, d := range g.Answer {
		if b.Cells[i].Flags&grid.FlagGiven != 0 || d == 0 || d > 99 {
			continue
		}
		r := o.rect(i)
		p := confidence(g, i)
		if o.fresh(g, i) {
			o.RoundRect(r.Inset(s*0.08), s*0.14, alpha(rgb(0x56b4e9), 0.28))
		}
		// On the family's light paper in both themes.
		col := alpha(rgb(0x0072b2), opacity(p))
		if clash[i] {
			col = alpha(rgb(0xb84300), max(opacity(p), 0.7))
			o.Fill(canvas.Rect{X: r.X + s*0.3, Y: r.Y + s*0.82, W: s * 0.4, H: max(s*0.05, 1)}, col)
		}
		o.TextIn(r, o.digit(d), f, canvas.Center, col)
	}
}

// digit is how a digit is written: on a sudoku those above 9 are letters, as its family paints them.
func (o *overlay) digit(d uint8) string {
	if d > 9 && o.Step.Board.Family == "sudoku" {
		return string(rune('A' + d - 10))
	}
	return strconv.Itoa(int(d))
}

// digitsOver writes the answered digits over a heat map, dark on its light colours.
func (o *overlay) digitsOver(g *trace.Segment, value func(i int) float64) {
	if o.Header.Answer != trace.AnswerDigit || !o.whole(len(g.Answer)) || o.cell < leastCell {
		return
	}
	f := canvas.Font{Size: o.side() * 0.5}
	for i, d := range g.Answer {
		if d == 0 || d > 99 {
			continue
		}
		col := rgb(0xffffff)
		if value(i) > 0.6 {
			col = rgb(0x1a1e24)
		}
		o.TextIn(o.rect(i), o.digit(d), f, canvas.Center, col)
	}
}

// clashes are the cells whose digit occurs twice in their row, column or, on boards with square
// boxes, box.
func clashes(b *grid.Board, answer []uint8) []bool {
	bad := make([]bool, len(answer))
	box := 0
	for k := 2; k <= 5; k++ {
		if b.Cols == k*k && b.Rows == k*k {
			box = k
		}
	}
	for i, d := range answer {
		if d == 0 || d > 99 {
			continue
		}
		x, y := i%b.Cols, i/b.Cols
		for j := i + 1; j < len(answer); j++ {
			u, v := j%b.Cols, j/b.Cols
			if answer[j] == d && (u == x || v == y || box > 0 && u/box == x/box && v/box == y/box) {
				bad[i], bad[j] = true, true
			}
		}
	}
	return bad
}

// colors fills the cells with ARC's colours; new ones have a frame.
func (o *overlay) colors(g *trace.Segment) {
	s := o.side()
	for i, d := range g.Answer {
		if d > 9 {
			continue
		}
		r := o.rect(i).Inset(max(s/24, 0.5))
		o.Fill(r, alpha(rgb(arc[d]), opacity(confidence(g, i))))
		if o.fresh(g, i) {
			o.Frame(r, 0, max(s/14, 1), rgb(0xffffff))
		}
	}
}

// differences outlines the cells that the other agent answers otherwise.
func (o *overlay) differences(g *trace.Segment) {
	if o.Other == nil || len(o.Other.Answer) != len(g.Answer) {
		return
	}
	s := o.side()
	for i := range g.Answer {
		if g.Answer[i] != o.Other.Answer[i] {
			o.Frame(o.rect(i).Inset(s*0.04), s*0.1, max(s*0.07, 1), o.theme().Continue)
		}
	}
}
