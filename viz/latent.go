package viz

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// latentPane is the way of each level's state through the model's plane of principal components.
func latentPane() Pane {
	return Pane{
		ID: "latent", Title: "the hidden state", Key: "i",
		Place: func(r *Room) []canvas.Rect {
			if !r.Thinks {
				return nil
			}
			if r.Views == 2 {
				return r.UnderRight()
			}
			return []canvas.Rect{r.ColumnBottom(latentHeight(r))}
		},
		Draw:  drawLatent,
		Shows: func(v *View) any { return v.Against },
	}
}

// latentHeight is the height of the pane in r's column, 0 if there is no such pane.
func latentHeight(r *Room) float64 {
	if !r.has("latent") {
		return 0
	}
	w := r.Column().W
	return min(max(r.free*0.38, 140), 0.5*w+56)
}

func drawLatent(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	all := r
	bare := r.H < withHeading || r.W < withLines
	if bare { // under one of two boards
		panel(c, r, t, "")
		r = r.Inset(gap)
	} else {
		r = panel(c, r, t, "What it remembers")
	}
	c.Mark(all, "state")
	v, old := v.held()
	if old {
		defer dim(c, all, t)
	}
	n := len(v.Header.Levels)
	if n == 0 {
		c.TextIn(r, "none recorded", fontSmall, canvas.Center, t.Muted)
		return
	}
	part := r
	part.W = (r.W - float64(n-1)*2*gap) / float64(n)
	for level := range n {
		part.X = r.X + float64(level)*(part.W+2*gap)
		latent(c, part, v, level, bare)
	}
}

// The pane has a heading, and its pictures lines under them, from this height and width on.
const (
	withHeading = 120.0
	withLines   = 240.0
)

// number is x, 0 for what is none.
func number(x float32) float64 {
	if y := float64(x); !math.IsNaN(y) && !math.IsInf(y, 0) {
		return y
	}
	return 0
}

// latent draws a level; bare says that its name stands in the picture.
func latent(c *canvas.Canvas, r canvas.Rect, v *View, level int, bare bool) {
	t := v.theme()
	name := stateName(v.Header.Levels[level])
	if n := len(v.Header.Levels); n == 2 && r.W > 150 { // the paper's
		name = [...]string{"slow, ", "fast, "}[level] + name
	}
	low, plot := r.Bottom(18)
	if bare {
		plot = r
		_, low = low.Left(gap / 2)
	}
	c.RoundRect(plot, 4, t.Back)
	var thought []trace.Segment
	if v.Step != nil {
		thought = v.Step.Thought
	}
	var at [][2]float64
	known := false
	for i := range thought {
		p := levelOf(&thought[i], level).Path
		q := [2]float64{number(p[0]), number(p[1])}
		known = known || q != [2]float64{}
		at = append(at, q)
	}
	if !known {
		s := "none recorded"
		if len(thought) == 0 {
			s = "none yet"
		}
		c.TextIn(plot, s, fontSmall, canvas.Center, t.Muted)
		c.TextIn(low, name, fontSmall, canvas.Left, t.Muted)
		return
	}
	var against [][2]float64
	if v.Against != nil {
		for i := range v.Against.Thought {
			p := levelOf(&v.Against.Thought[i], level).Path
			against = append(against, [2]float64{number(p[0]), number(p[1])})
		}
	}
	lo, hi := at[0], at[0]
	for _, p := range slices.Concat(at, against) {
		for k := range 2 {
			lo[k], hi[k] = min(lo[k], p[k]), max(hi[k], p[k])
		}
	}
	// One scale for both axes: distances mean the same in every direction.
	in := plot.Inset(12)
	span := max((hi[0]-lo[0])/max(in.W, 1), (hi[1]-lo[1])/max(in.H, 1), 1e-12)
	place := func(at [][2]float64) []canvas.Point {
		points := make([]canvas.Point, len(at))
		for i, p := range at {
			points[i] = canvas.Point{
				X: in.X + in.W/2 + (p[0]-(lo[0]+hi[0])/2)/span,
				Y: in.Y + in.H/2 - (p[1]-(lo[1]+hi[1])/2)/span,
			}
		}
		return points
	}
	points := place(at)
	if other := place(against); len(other) > 0 {
		c.Line(1.2, mix(t.Continue, t.Back, 0.4), other...)
		for i, p := range other {
			c.Ring(p.X, p.Y, 3, 1.2, mix(t.Continue, t.Back, 0.2))
			if i == v.Segment || i == len(other)-1 && v.Segment > i {
				c.Ring(p.X, p.Y, 6, 1.5, t.Continue)
			}
		}
	}
	// Early to late along the part of the scale that the ground lets one see.
	from, to := 0.25, 1.0
	if t.Back.G > 128 {
		from, to = 0.0, 0.8
	}
	tint := func(i int) color.RGBA {
		col := Viridis(from + (to-from)*float64(i)/float64(max(len(points)-1, 1)))
		if i > v.Segment {
			col = mix(col, t.Back, 0.65)
		}
		return col
	}
	for i := range points[1:] {
		c.Line(1.6, tint(i+1), points[i], points[i+1])
	}
	for i, p := range points {
		col := tint(i)
		c.Disc(p.X, p.Y, 2.8, col)
		if i == v.Segment {
			c.Ring(p.X, p.Y, 6, 1.5, t.Text)
		}
	}
	c.TextIn(low, name, fontSmall, canvas.Left, t.Muted)
	if g := v.segment(); g != nil && !bare {
		if change := levelOf(g, level).Change; len(change) > 0 {
			c.Mark(low, "moved")
			c.TextIn(low, fmt.Sprintf("moved %.3g", rms(change)), fontSmall, canvas.Right, t.Muted)
		}
	}
}
