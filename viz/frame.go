package viz

import (
	"image"
	"image/draw"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// Options are the size and looks of a frame.
type Options struct {
	Width, Height int     // in pixels; 0 is 1280 by 800 points
	Scale         float64 // pixels a point; 0 is 1
	Theme         *Theme  // nil is Dark
	Panes         []Pane  // nil is Panes()
}

func (o Options) filled() Options {
	if o.Scale <= 0 {
		o.Scale = 1
	}
	if o.Width <= 0 {
		o.Width = int(math.Round(1280 * o.Scale))
	}
	if o.Height <= 0 {
		o.Height = int(math.Round(800 * o.Scale))
	}
	if o.Theme == nil {
		o.Theme = Dark()
	}
	return o
}

// Frame draws one picture of one or two views of the same moment.
func Frame(o Options, views ...*View) *image.RGBA {
	o = o.filled()
	c := canvas.Over(image.NewRGBA(image.Rect(0, 0, o.Width, o.Height)), o.Scale)
	all := c.Bounds()
	c.Fill(all, o.Theme.Back)
	views = slices.Clone(views[:min(len(views), 2)])
	a := Arrangement{Panes: o.Panes, Views: len(views)}
	for i, v := range views {
		w := *v
		w.Theme, w.Cache = o.Theme, &Cache{}
		views[i] = &w
		a.Thinks = a.Thinks || Thinks(v.Header)
	}
	if len(views) == 0 {
		return c.Img
	}
	for _, p := range Layout(all, a.Of(views[0])) {
		v := views[p.View]
		p.Draw(c, p.Rect, v)
		if p.Sprites == nil {
			continue
		}
		for _, s := range p.Sprites(p.Rect, o.Scale, v) {
			draw.Draw(c.Img, image.Rectangle{Min: s.At, Max: s.At.Add(s.Part.Size())}, s.Image, s.Part.Min, draw.Over)
		}
	}
	return c.Img
}
