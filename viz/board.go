package viz

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"strings"
	"unsafe"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/internal/logit"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// Heights in points of the lines over and under a board.
const (
	captionHeight = 24.0
	legendHeight  = 24.0
)

// boardPane is the board with the answer over it.
func boardPane() Pane {
	return Pane{
		ID:      "board",
		Place:   (*Room).Boards,
		Draw:    drawBoard,
		Sprites: boardSprites,
		Shows: func(v *View) any {
			type shown struct {
				layer, name string
				pick        int
				attention   *[]uint8
				other       *trace.Segment
			}
			return shown{v.Layer, v.Name, v.Pick, unsafe.SliceData(v.Attention), v.Other}
		},
		Hit: cellAt,
	}
}

// boardArea is where in the pane r the cells of b lie, with the side of a cell, all in pixels of a
// canvas of that scale; cells are whole pixels wide.
func boardArea(r canvas.Rect, b *grid.Board, scale float64) (area image.Rectangle, cell int) {
	_, r = r.Top(captionHeight)
	_, r = r.Bottom(legendHeight)
	if r.W > 240 {
		r.X, r.W = r.X+2*gap, r.W-4*gap
	}
	p := r.Pixels(scale)
	if b.Cols <= 0 || b.Rows <= 0 || p.Empty() {
		return image.Rectangle{Min: p.Min, Max: p.Min}, 0
	}
	cell = max(min(p.Dx()/b.Cols, p.Dy()/b.Rows), 1)
	size := image.Pt(b.Cols*cell, b.Rows*cell)
	at := p.Min.Add(image.Pt((p.Dx()-size.X)/2, (p.Dy()-size.Y)/2))
	return image.Rectangle{at, at.Add(size)}, cell
}

// cellAt is the cell at the point (x, y) of a canvas.
func cellAt(r canvas.Rect, scale float64, v *View, x, y float64) Hit {
	if v.Step == nil {
		return Hit{}
	}
	area, cell := boardArea(r, &v.Step.Board, scale)
	p := image.Pt(int(math.Floor(x*scale)), int(math.Floor(y*scale)))
	if cell == 0 || !p.In(area) {
		return Hit{}
	}
	p = p.Sub(area.Min).Div(cell)
	i := p.Y*v.Step.Board.Cols + p.X
	at, _ := CellRect(r, scale, v, i)
	return Hit{HitCell, i, at}
}

// CellRect is the place of a cell of v's board where the board's pane has the place r in a canvas of that scale;
// false where there is no such cell.
func CellRect(r canvas.Rect, scale float64, v *View, i int) (canvas.Rect, bool) {
	if v.Step == nil || i < 0 || i >= len(v.Step.Board.Cells) {
		return canvas.Rect{}, false
	}
	area, cell := boardArea(r, &v.Step.Board, scale)
	o := overlay{Canvas: &canvas.Canvas{Scale: scale}, View: v, area: area, cell: cell}
	return o.rect(i), cell > 0
}

// An art is a board painted once for many frames: all but the agents, and the agents apart, so that
// the answer lies between them and they can glide.
type art struct {
	board  grid.Board
	cell   int           // side of a cell in pixels
	base   *image.RGBA   // the board without agents
	agents []*image.RGBA // one cell each, for the agents among board.Pieces in their order; else transparent
}

// art is the painted board of v, one of those kept if it is the same.
func (v *View) art(cell int) *art {
	k := v.cache()
	for _, a := range k.arts {
		if a != nil && a.cell == cell && sameBoard(&a.board, &v.Step.Board) {
			return a
		}
	}
	k.arts[0], k.arts[1] = paint(v.Step.Board, cell, v.painter(), k.arts[0]), k.arts[0]
	return k.arts[0]
}

// paint makes the art of b with cells of that many pixels. Where before, which may be nil, differs only
// in its agents, its base is taken over.
func paint(b grid.Board, cell int, p Painter, before *art) *art {
	a := &art{board: b, cell: cell}
	bare := b
	bare.Pieces = others(b.Pieces)
	if before != nil && before.cell == cell && before.board.Family == b.Family && before.board.Cols == b.Cols && before.board.Rows == b.Rows &&
		slices.Equal(before.board.Cells, b.Cells) && slices.Equal(others(before.board.Pieces), bare.Pieces) {
		a.base = before.base
	} else {
		a.base = image.NewRGBA(image.Rect(0, 0, b.Cols*cell, b.Rows*cell))
		p(bare, a.base)
	}
	for _, q := range b.Pieces {
		if q.Kind == grid.PieceAgent {
			a.agents = append(a.agents, agentArt(b, q, cell, p))
		}
	}
	return a
}

// sameBoard reports whether two boards look the same.
func sameBoard(a, b *grid.Board) bool {
	return a.Family == b.Family && a.Cols == b.Cols && a.Rows == b.Rows && slices.Equal(a.Cells, b.Cells) && slices.Equal(a.Pieces, b.Pieces)
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

// place is where agent n stands, relative to the board in pixels, when it has glided the part glide of
// the way from where it was on the board from. An agent that moved more than one cell does not glide.
func (a *art) place(n int, from *grid.Board, glide float64) image.Point {
	is := agentsOf(&a.board)
	q := is[n]
	at := image.Pt(q.X*a.cell, q.Y*a.cell)
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
	left := int(math.Round((1 - t) * float64(a.cell)))
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

// drawBoard draws the caption, the cells, the layer over them and its legend; agents are sprites.
func drawBoard(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	c.Fill(r, t.Back)
	if v.Step == nil {
		c.TextIn(r, "No board yet", canvas.Font{Size: 15}, canvas.Center, t.Muted)
		return
	}
	b := &v.Step.Board
	area, cell := boardArea(r, b, c.Scale)
	if cell == 0 {
		c.TextIn(r, "An empty board", canvas.Font{Size: 15}, canvas.Center, t.Muted)
		return
	}
	top, _ := r.Top(captionHeight)
	caption(c, top, v)
	base := v.art(cell).base
	at := area.Add(c.Img.Bounds().Min)
	draw.Draw(c.Img, at, base, image.Point{}, draw.Src)
	shown, old := v.answered()
	o := overlay{Canvas: c, View: shown, area: area, cell: cell}
	legend := o.draw()
	if old {
		draw.DrawMask(c.Img, at, base, image.Point{}, image.NewUniform(color.Alpha{A: uint8(math.Round(255 * (1 - dimmed)))}), image.Point{}, draw.Over)
		legend.text = fmt.Sprintf("%s of the thought before, segment %d", v.layer().Title, shown.Segment+1)
	}
	if !Thinks(v.Header) {
		return // there is no answer to explain
	}
	low, _ := r.Bottom(legendHeight)
	c.Mark(low, "layer")
	legend.draw(c, low, t)
}

// caption writes who plays, where that has to be said, and what is asked for: in two small lines where one is too short.
func caption(c *canvas.Canvas, r canvas.Rect, v *View) {
	text := v.Step.Board.Caption
	if v.Name != "" && text != "" {
		text = v.Name + ": " + text
	} else if v.Name != "" {
		text = v.Name
	}
	f := canvas.Font{Size: 13}
	lines := []string{text}
	if canvas.Width(text, f) > r.W {
		f.Size = 11
		if lines = canvas.Wrap(text, f, r.W); len(lines) > 2 {
			lines = []string{lines[0], strings.Join(lines[1:], " ")}
		}
	}
	h := r.H / float64(len(lines))
	for i, s := range lines {
		c.TextIn(canvas.Rect{X: r.X, Y: r.Y + float64(i)*h, W: r.W, H: h}, s, f, canvas.Center, v.theme().Muted)
	}
}

// answered is what lies over v's board: of a thought before, to be dimmed, only where it was about the same level.
func (v *View) answered() (w *View, dim bool) {
	w, dim = v.held()
	if !dim {
		return v, false
	}
	if w.Step.Episode != v.Step.Episode || w.Step.Board.Cols != v.Step.Board.Cols || len(w.Step.Board.Cells) != len(v.Step.Board.Cells) {
		return v, false
	}
	now := *v.Step
	now.Thought = w.Step.Thought
	w.Step = &now
	return w, true
}

// boardSprites are the agents, which may be gliding.
func boardSprites(r canvas.Rect, scale float64, v *View) (sprites []Sprite) {
	if v.Step == nil {
		return nil
	}
	area, cell := boardArea(r, &v.Step.Board, scale)
	if cell == 0 {
		return nil
	}
	art := v.art(cell)
	for n, img := range art.agents {
		at := art.place(n, v.From, v.Glide).Add(area.Min)
		if part := img.Rect.Add(at).Intersect(area); !part.Empty() {
			sprites = append(sprites, Sprite{img, part.Sub(at), part.Min})
		}
	}
	return sprites
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

// probability is that of a logit; 0 of what is no number.
func probability(q float32) float64 { return unit(logit.P(q)) }
