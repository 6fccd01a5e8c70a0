package viz

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// Heights in points of the lines over and under a board.
const (
	captionHeight = 24.0
	legendHeight  = 24.0
)

// BoardArea is where in the pane r the cells of a board of cols x rows lie, with the side of a cell,
// all in pixels of a canvas of that scale; cells are whole pixels wide.
func BoardArea(r canvas.Rect, cols, rows int, scale float64) (area image.Rectangle, cell int) {
	_, r = r.Top(captionHeight)
	_, r = r.Bottom(legendHeight)
	if r.W > 240 {
		r.X, r.W = r.X+2*gap, r.W-4*gap
	}
	p := r.Pixels(scale)
	if cols <= 0 || rows <= 0 || p.Empty() {
		return image.Rectangle{Min: p.Min, Max: p.Min}, 0
	}
	cell = max(min(p.Dx()/cols, p.Dy()/rows), 1)
	size := image.Pt(cols*cell, rows*cell)
	at := p.Min.Add(image.Pt((p.Dx()-size.X)/2, (p.Dy()-size.Y)/2))
	return image.Rectangle{at, at.Add(size)}, cell
}

// CellAt is the index of the cell at the point (x, y) of a canvas, -1 if there is none.
func CellAt(r canvas.Rect, b grid.Board, x, y, scale float64) int {
	area, cell := BoardArea(r, b.Cols, b.Rows, scale)
	p := image.Pt(int(math.Floor(x*scale)), int(math.Floor(y*scale)))
	if cell == 0 || !p.In(area) {
		return -1
	}
	p = p.Sub(area.Min).Div(cell)
	return p.Y*b.Cols + p.X
}

// An Art is a board painted once for many frames: all but the agents, and the agents apart, so that
// the answer lies between them and they can glide.
type Art struct {
	Board  grid.Board
	Cell   int           // side of a cell in pixels
	Base   *image.RGBA   // the board without agents
	Agents []*image.RGBA // one cell each, for the agents among Board.Pieces in their order; else transparent
}

// Paint makes the art of b with cells of that many pixels. Where before, which may be nil, differs only
// in its agents, its Base is taken over.
func Paint(b grid.Board, cell int, p Painter, before *Art) *Art {
	a := &Art{Board: b, Cell: cell}
	bare := b
	bare.Pieces = others(b.Pieces)
	if before != nil && before.Cell == cell && before.Board.Family == b.Family && before.Board.Cols == b.Cols && before.Board.Rows == b.Rows &&
		slices.Equal(before.Board.Cells, b.Cells) && slices.Equal(others(before.Board.Pieces), bare.Pieces) {
		a.Base = before.Base
	} else {
		a.Base = image.NewRGBA(image.Rect(0, 0, b.Cols*cell, b.Rows*cell))
		p(bare, a.Base)
	}
	for _, q := range b.Pieces {
		if q.Kind == grid.PieceAgent {
			a.Agents = append(a.Agents, agentArt(b, q, cell, p))
		}
	}
	return a
}

// others are the pieces that are no agents.
func others(pieces []grid.Piece) []grid.Piece {
	var out []grid.Piece
	for _, q := range pieces {
		if q.Kind != grid.PieceAgent {
			out = append(out, q)
		}
	}
	return out
}

// agentArt is what the agent q adds to its cell. A painter draws agents only together with a board, so
// it is given a board of that cell alone, with and without the agent: what differs is the agent.
func agentArt(b grid.Board, q grid.Piece, cell int, p Painter) *image.RGBA {
	one := grid.Board{Family: b.Family, Cols: 1, Rows: 1, Cells: make([]grid.Cell, 1)}
	if q.X >= 0 && q.Y >= 0 && q.X < b.Cols && q.Y < b.Rows {
		one.Cells[0] = b.Cells[q.Y*b.Cols+q.X]
	}
	without, with := image.NewRGBA(image.Rect(0, 0, cell, cell)), image.NewRGBA(image.Rect(0, 0, cell, cell))
	p(one, without)
	q.X, q.Y = 0, 0
	one.Pieces = []grid.Piece{q}
	p(one, with)
	for i := 0; i+4 <= len(with.Pix); i += 4 {
		if bytes.Equal(with.Pix[i:i+4], without.Pix[i:i+4]) {
			clear(with.Pix[i : i+4])
		}
	}
	return with
}

// Place is where agent n stands, relative to the board in pixels, when it has glided the part glide of
// the way from where it was on the board from. An agent that moved more than one cell does not glide.
func (a *Art) Place(n int, from *grid.Board, glide float64) image.Point {
	is := agentsOf(&a.Board)
	q := is[n]
	at := image.Pt(q.X*a.Cell, q.Y*a.Cell)
	if from == nil || !(glide < 1) {
		return at
	}
	was := agentsOf(from)
	if n >= len(was) {
		return at
	}
	dx, dy := was[n].X-q.X, was[n].Y-q.Y
	if dx*dx+dy*dy != 1 {
		return at
	}
	// Slow at both ends.
	glide = unit(glide)
	t := glide * glide * (3 - 2*glide)
	left := int(math.Round((1 - t) * float64(a.Cell)))
	return at.Add(image.Pt(dx*left, dy*left))
}

func agentsOf(b *grid.Board) []grid.Piece {
	var out []grid.Piece
	for _, q := range b.Pieces {
		if q.Kind == grid.PieceAgent {
			out = append(out, q)
		}
	}
	return out
}

// DrawBoard draws the pane of the board: its caption, the cells, the layer over them, the agent and
// the layer's legend.
func DrawBoard(c *canvas.Canvas, r canvas.Rect, v *View) {
	c.Fill(r, v.theme().Back)
	if v.Step == nil {
		c.TextIn(r, "No board yet", canvas.Font{Size: 15}, canvas.Center, v.theme().Muted)
		return
	}
	_, cell := BoardArea(r, v.Step.Board.Cols, v.Step.Board.Rows, c.Scale)
	if cell == 0 {
		c.TextIn(r, "An empty board", canvas.Font{Size: 15}, canvas.Center, v.theme().Muted)
		return
	}
	DrawBoardArt(c, r, v, Paint(v.Step.Board, cell, v.painter(), nil), true)
}

// DrawBoardArt is [DrawBoard] with the art painted before; agents says whether to draw them too.
func DrawBoardArt(c *canvas.Canvas, r canvas.Rect, v *View, art *Art, agents bool) {
	t := v.theme()
	c.Fill(r, t.Back)
	b := &v.Step.Board
	area, cell := BoardArea(r, b.Cols, b.Rows, c.Scale)
	top, _ := r.Top(captionHeight)
	caption := b.Caption
	if v.Name != "" {
		caption = v.Name
	}
	c.TextIn(top, caption, canvas.Font{Size: 13}, canvas.Center, t.Muted)

	dst := area.Add(c.Img.Bounds().Min)
	draw.Draw(c.Img, dst, art.Base, image.Point{}, draw.Src)
	o := overlay{Canvas: c, View: v, area: area, cell: cell}
	legend := o.draw()
	if agents {
		for n, img := range art.Agents {
			at := art.Place(n, v.From, v.Glide).Add(dst.Min)
			part := img.Rect.Add(at).Intersect(dst)
			draw.Draw(c.Img, part, img, part.Min.Sub(at), draw.Over)
		}
	}
	low, _ := r.Bottom(legendHeight)
	legend.draw(c, low, t)
}

// A legend says under the board what its colours mean.
type legend struct {
	text   string
	lo, hi string // ends of the scale; no scale if hi is empty
}

func (l legend) draw(c *canvas.Canvas, r canvas.Rect, t *Theme) {
	f := canvas.Font{Size: 12}
	const bar = 96.0
	width := canvas.Width(l.text, f)
	if l.hi != "" {
		width += 16 + canvas.Width(l.lo, f) + 8 + bar + 8 + canvas.Width(l.hi, f)
	}
	x := r.X + max((r.W-width)/2, 0)
	y := r.Y + r.H/2 + 0.36*f.Size
	x += c.Text(x, y, l.text, f, canvas.Left, t.Muted)
	if l.hi == "" {
		return
	}
	x += 16
	x += c.Text(x, y, l.lo, f, canvas.Left, t.Muted) + 8
	const steps = 48
	for i := range steps {
		c.Fill(canvas.Rect{X: x + bar*float64(i)/steps, Y: r.Y + r.H/2 - 4, W: bar / steps, H: 8}, Viridis(float64(i)/(steps-1)))
	}
	c.Text(x+bar+8, y, l.hi, f, canvas.Left, t.Muted)
}

// PaintPlain draws any board without a family's art: every kind of cell in a grey of its own, agents
// as triangles, other pieces as discs.
func PaintPlain(b grid.Board, dst *image.RGBA) {
	size := dst.Bounds().Size()
	if b.Cols <= 0 || b.Rows <= 0 || len(b.Cells) < b.Cols*b.Rows {
		return
	}
	draw.Draw(dst, dst.Bounds(), image.NewUniform(rgb(0x3a414c)), image.Point{}, draw.Src)
	w, h := float64(size.X)/float64(b.Cols), float64(size.Y)/float64(b.Rows)
	c := canvas.Over(dst, 1)
	for i := range b.Cols * b.Rows {
		grey := 0xd8 - 37*int(b.Cells[i].Kind)%200
		r := canvas.Rect{X: float64(i%b.Cols) * w, Y: float64(i/b.Cols) * h, W: w, H: h}
		c.Fill(r.Inset(min(w, h)/24), color.RGBA{uint8(grey), uint8(grey), uint8(grey + 4), 255})
	}
	for _, p := range b.Pieces {
		x, y, s := (float64(p.X)+0.5)*w, (float64(p.Y)+0.5)*h, min(w, h)*0.34
		if p.Kind != grid.PieceAgent {
			c.Disc(x, y, s, rgb(0x009e73))
			continue
		}
		sin, cos := math.Sincos(float64(p.Dir) * math.Pi / 2)
		at := func(fx, fy float64) canvas.Point {
			return canvas.Point{X: x + s*(fx*cos-fy*sin), Y: y + s*(fx*sin+fy*cos)}
		}
		c.Polygon(rgb(0xd55e00), at(1, 0), at(-0.8, 0.85), at(-0.8, -0.85))
	}
}

// Sigmoid is the probability of a logit; 0 of what is no number.
func Sigmoid(q float32) float64 { return unit(1 / (1 + math.Exp(-float64(q)))) }
