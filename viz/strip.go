package viz

import (
	"fmt"
	"image"
	"image/draw"
	"math"
	"strconv"
	"unsafe"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// stripPane is a small board for every segment, the one shown framed, the one that halted marked.
func stripPane() Pane {
	return Pane{
		ID: "strip", Title: "the strip of segments", Key: "b",
		Place: func(r *Room) []canvas.Rect {
			if r.Page.H < 440 || !r.Thinks || !r.spare(r.Page.H*0.14) {
				return nil
			}
			var all canvas.Rect
			all, r.Page = r.Page.Bottom(min(max(r.Page.H*0.14, 72), 112))
			return r.Across(all)
		},
		Draw:  func(c *canvas.Canvas, r canvas.Rect, v *View) { v.cache().strip.draw(c, r, v) },
		Shows: func(v *View) any { return v.Layer },
		Hit: func(r canvas.Rect, _ float64, v *View, x, _ float64) Hit {
			return hit(HitSegment, stripSegmentAt(r, v, x))
		},
		Wheel: true,
	}
}

// stripArea is where the small boards lie and how many fit.
func stripArea(r canvas.Rect) (a canvas.Rect, side float64, fit int) {
	_, a = r.Left(2 * gap)
	_, a = a.Right(2 * gap)
	_, a = a.Bottom(14)
	_, a = a.Top(3) // for the frame of the segment shown
	side = a.H
	fit = max(int((a.W+gap)/(side+gap)), 1)
	return a, side, fit
}

// stripFirst is the first segment shown where not all fit.
func stripFirst(v *View, fit int) int {
	return max(min(v.Segment-fit/2, len(v.Step.Thought)-fit), 0)
}

// stripSegmentAt is the segment whose small board is at x in the pane r; -1 if there is none.
func stripSegmentAt(r canvas.Rect, v *View, x float64) int {
	if v.Step == nil {
		return -1
	}
	a, side, fit := stripArea(r)
	n := int(math.Floor((x - a.X) / (side + gap)))
	if x < a.X || n >= fit || x-a.X-float64(n)*(side+gap) > side {
		return -1
	}
	if n += stripFirst(v, fit); n >= len(v.Step.Thought) {
		return -1
	}
	return n
}

// A strip keeps its small boards from one drawing to the next: only those of new segments are drawn
// anew.
type strip struct {
	art    *art
	boards map[smallKey]*image.RGBA
}

// A smallKey is what a small board depends on besides the art.
type smallKey struct {
	answer, confidence *uint8
	levels             *trace.Level
	k                  int
	layer, theme       string
	scale              float32 // of the layer
}

func (f *strip) draw(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	c.Fill(r, t.Back)
	c.Mark(r, "strip")
	v, old := v.held()
	if old {
		defer c.Fill(r, alpha(t.Back, 1-dimmed))
	}
	if v.Step == nil || len(v.Step.Board.Cells) == 0 {
		return
	}
	a, side, fit := stripArea(r)
	if len(v.Step.Thought) == 0 {
		c.TextIn(a, "The segments of a decision appear here", fontSmall, canvas.Left, t.Muted)
		return
	}
	first := stripFirst(v, fit)
	b := &v.Step.Board
	cell := max(int(side*c.Scale)/max(b.Cols, b.Rows), 1)
	if f.art == nil || f.art.cell != cell || !sameBoard(&f.art.board, b) {
		f.art = paint(*b, cell, v.painter(), f.art)
		f.boards = nil
	}
	var scale float32
	if l := v.layer(); l.scale != nil {
		scale = l.scale(v.Step)
	}
	kept := make(map[smallKey]*image.RGBA)
	for k := first; k < min(first+fit, len(v.Step.Thought)); k++ {
		at := canvas.Rect{X: a.X + float64(k-first)*(side+gap), Y: a.Y, W: side, H: side}
		g := &v.Step.Thought[k]
		key := smallKey{unsafe.SliceData(g.Answer), unsafe.SliceData(g.Confidence), unsafe.SliceData(g.Levels), k, v.Layer, t.Name, scale}
		small := f.boards[key]
		if small == nil {
			small = miniature(v, k, f.art, c.Scale)
		}
		kept[key] = small
		w, h := float64(small.Rect.Dx())/c.Scale, float64(small.Rect.Dy())/c.Scale
		x, y := at.X+(side-w)/2, at.Y+(side-h)/2
		c.Image(x, y, small)
		label := strconv.Itoa(k + 1)
		if k > 0 {
			if n, ok := changed(g, &v.Step.Thought[k-1]); ok {
				label += fmt.Sprintf(": %d new", n)
			}
		}
		col := t.Muted
		if k == HaltedAt(v.Step) {
			label = fmt.Sprintf("%d halts", k+1)
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

// miniature is the board of art with the answer of segment k over it, without text around it.
func miniature(v *View, k int, art *art, scale float64) *image.RGBA {
	img := image.NewRGBA(art.base.Rect)
	draw.Draw(img, img.Rect, art.base, image.Point{}, draw.Src)
	w := *v
	w.Segment = k
	w.Other = nil
	if w.layer().Cell {
		w.Layer = "" // attention is known of one segment at a time
	}
	o := overlay{Canvas: canvas.Over(img, scale), View: &w, area: img.Rect, cell: art.cell}
	o.draw()
	for n, agent := range art.agents {
		at := art.place(n, nil, 1)
		draw.Draw(img, image.Rectangle{at, at.Add(agent.Rect.Size())}, agent, image.Point{}, draw.Over)
	}
	return img
}
