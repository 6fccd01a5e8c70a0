package viz

import (
	"image"
	"image/draw"
	"math"
	"slices"
	"strconv"
	"unsafe"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// filmArea is where the small boards of the film lie and how many fit.
func filmArea(r canvas.Rect, v *View) (a canvas.Rect, side float64, fit int) {
	_, a = r.Left(2 * gap)
	_, a = a.Right(2 * gap)
	_, a = a.Bottom(14)
	_, a = a.Top(3) // for the frame of the segment shown
	side = a.H
	fit = max(int((a.W+gap)/(side+gap)), 1)
	return a, side, fit
}

// filmFirst is the first segment shown where not all fit.
func filmFirst(v *View, fit int) int {
	return max(min(v.Segment-fit/2, len(v.Step.Thought)-fit), 0)
}

// FilmSegmentAt is the segment whose small board is at x in the pane r; -1 if there is none.
func FilmSegmentAt(r canvas.Rect, v *View, x float64) int {
	if v.Step == nil {
		return -1
	}
	a, side, fit := filmArea(r, v)
	n := int(math.Floor((x - a.X) / (side + gap)))
	if x < a.X || n >= fit || x-a.X-float64(n)*(side+gap) > side {
		return -1
	}
	if n += filmFirst(v, fit); n >= len(v.Step.Thought) {
		return -1
	}
	return n
}

// DrawFilm draws a small board for every segment, the one shown framed, the one that halted marked.
func DrawFilm(c *canvas.Canvas, r canvas.Rect, v *View) { new(Film).Draw(c, r, v) }

// A Film remembers its small boards from one drawing to the next: only those of new segments are drawn
// anew.
type Film struct {
	art    *Art
	boards map[frameKey]*image.RGBA
}

// A frameKey is what a small board depends on besides the art.
type frameKey struct {
	answer, confidence *uint8
	levels             *trace.Level
	k                  int
	layer, theme       string
}

func keyOf(v *View, k int) frameKey {
	g := &v.Step.Thought[k]
	return frameKey{unsafe.SliceData(g.Answer), unsafe.SliceData(g.Confidence), unsafe.SliceData(g.Levels), k, v.Layer, v.theme().Name}
}

// Draw is [DrawFilm].
func (f *Film) Draw(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	c.Fill(r, t.Back)
	if v.Step == nil || len(v.Step.Board.Cells) == 0 {
		return
	}
	a, side, fit := filmArea(r, v)
	if len(v.Step.Thought) == 0 {
		c.TextIn(a, "The segments of a decision appear here", fontSmall, canvas.Left, t.Muted)
		return
	}
	first := filmFirst(v, fit)
	b := &v.Step.Board
	cell := max(int(side*c.Scale)/max(b.Cols, b.Rows), 1)
	if f.art == nil || f.art.Cell != cell || !SameBoard(&f.art.Board, b) {
		f.art = Paint(*b, cell, v.painter(), f.art)
		f.boards = nil
	}
	kept := make(map[frameKey]*image.RGBA)
	for k := first; k < min(first+fit, len(v.Step.Thought)); k++ {
		at := canvas.Rect{X: a.X + float64(k-first)*(side+gap), Y: a.Y, W: side, H: side}
		key := keyOf(v, k)
		small := f.boards[key]
		if small == nil {
			small = miniature(v, k, f.art, c.Scale)
		}
		kept[key] = small
		w, h := float64(small.Rect.Dx())/c.Scale, float64(small.Rect.Dy())/c.Scale
		x, y := at.X+(side-w)/2, at.Y+(side-h)/2
		c.Image(x, y, small)
		label := strconv.Itoa(k + 1)
		col := t.Muted
		if k == HaltedAt(v.Step) {
			label += " halts"
			col = t.Text
		}
		if k == v.Segment {
			c.Frame(canvas.Rect{X: x, Y: y, W: w, H: h}.Inset(-2), 3, 2, t.Halt)
			col = t.Halt
		}
		c.Text(at.X+side/2, at.Y+side+12, label, fontSmall, canvas.Center, col)
	}
	f.boards = kept
}

// SameBoard reports whether two boards look the same.
func SameBoard(a, b *grid.Board) bool {
	return a.Family == b.Family && a.Cols == b.Cols && a.Rows == b.Rows && slices.Equal(a.Cells, b.Cells) && slices.Equal(a.Pieces, b.Pieces)
}

// miniature is the board of art with the answer of segment k over it, without text around it.
func miniature(v *View, k int, art *Art, scale float64) *image.RGBA {
	img := image.NewRGBA(art.Base.Rect)
	draw.Draw(img, img.Rect, art.Base, image.Point{}, draw.Src)
	w := *v
	w.Segment = k
	w.Other = nil
	if w.layer().Cell {
		w.Layer = "" // attention is known of one segment at a time
	}
	o := overlay{Canvas: canvas.Over(img, scale), View: &w, area: img.Rect, cell: art.Cell}
	o.draw()
	for n, agent := range art.Agents {
		at := art.Place(n, nil, 1)
		draw.Draw(img, image.Rectangle{at, at.Add(agent.Rect.Size())}, agent, image.Point{}, draw.Over)
	}
	return img
}
