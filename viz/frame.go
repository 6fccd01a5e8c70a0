package viz

import (
	"image"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// Panes are the places of a frame's parts, in points; a part that has no room is empty.
type Panes struct {
	Header   canvas.Rect
	Boards   []canvas.Rect // one a view
	Curves   []canvas.Rect // one a view
	Thoughts []canvas.Rect // one a view
	Latent   canvas.Rect
	Actions  canvas.Rect
	Films    []canvas.Rect // one a view
	Timeline canvas.Rect
}

// Layout places the parts of a frame in r for the given number of views, 1 or 2, of agents that think
// in segments or do not. The board has the most room; what else there is depends on what fits: the
// side column from a width of 560 points, the film of segments from a height of about 550.
func Layout(r canvas.Rect, views int, thinks bool) Panes {
	p := layout(r, views, thinks)
	for _, list := range [][]canvas.Rect{p.Boards, p.Curves, p.Thoughts, p.Films} {
		for i := range list {
			list[i] = whole(list[i])
		}
	}
	for _, part := range []*canvas.Rect{&p.Header, &p.Latent, &p.Actions, &p.Timeline} {
		*part = whole(*part)
	}
	return p
}

// whole has its edges at whole points, so that text is as sharp in one place as in another.
func whole(r canvas.Rect) canvas.Rect {
	x0, y0 := math.Round(r.X), math.Round(r.Y)
	return canvas.Rect{X: x0, Y: y0, W: math.Round(r.X+r.W) - x0, H: math.Round(r.Y+r.H) - y0}
}

func layout(r canvas.Rect, views int, thinks bool) Panes {
	var p Panes
	p.Header, r = r.Top(40)
	if r.H >= 320 {
		p.Timeline, r = r.Bottom(68)
		_, r = r.Bottom(gap)
	}
	if r.H >= 440 && thinks {
		var film canvas.Rect
		film, r = r.Bottom(min(max(r.H*0.14, 72), 112))
		for i := range views {
			part := film
			part.W /= float64(views)
			part.X += float64(i) * part.W
			p.Films = append(p.Films, part)
		}
	}
	if views == 2 {
		return p.pair(r, thinks)
	}
	if r.W < 560 {
		p.Boards = []canvas.Rect{r}
		return p
	}
	side, board := r.Right(min(max(r.W*0.3, 256), 420))
	p.Boards = []canvas.Rect{board}
	_, side = side.Right(2 * gap)
	_, side = side.Bottom(gap)
	// From the most to the least important; the curve takes what is left.
	thought, rest := side.Top(112)
	p.Thoughts = []canvas.Rect{thought}
	_, rest = rest.Top(gap)
	if !thinks {
		p.Actions, _ = rest.Top(min(rest.H, 176))
		return p
	}
	const least = 144.0 // height of the curve
	cut := func(h float64) canvas.Rect {
		if rest.H-h-gap < least {
			return canvas.Rect{}
		}
		var part canvas.Rect
		part, rest = rest.Bottom(h)
		_, rest = rest.Bottom(gap)
		return part
	}
	latent := min(max(rest.H*0.38, 140), 0.5*side.W+56)
	if rest.H-latent-gap >= least+120+gap {
		p.Actions = cut(120)
	}
	p.Latent = cut(latent)
	p.Curves = []canvas.Rect{rest}
	return p
}

func (p Panes) pair(r canvas.Rect, thinks bool) Panes {
	_, r = r.Bottom(gap)
	left, _ := r.Left(r.W / 2)
	right, _ := r.Right(r.W / 2)
	for _, half := range []canvas.Rect{left, right} {
		_, half = half.Left(2 * gap)
		_, half = half.Right(2 * gap)
		if !thinks {
			p.Boards = append(p.Boards, half)
			continue
		}
		if half.H >= 420 {
			var low canvas.Rect
			low, half = half.Bottom(min(half.H*0.3, 180))
			thought, curve := low.Left(min(low.W*0.42, 240))
			_, curve = curve.Left(gap)
			p.Thoughts = append(p.Thoughts, thought)
			p.Curves = append(p.Curves, curve)
			_, half = half.Bottom(gap)
		} else {
			var low canvas.Rect
			low, half = half.Bottom(min(half.H*0.42, 130))
			p.Curves = append(p.Curves, low)
			p.Thoughts = append(p.Thoughts, canvas.Rect{})
			_, half = half.Bottom(gap)
		}
		p.Boards = append(p.Boards, half)
	}
	return p
}

// Options are the size and looks of a frame.
type Options struct {
	Width, Height int     // in pixels; 0 is 1280 by 800 points
	Scale         float64 // pixels a point; 0 is 1
	Theme         *Theme  // nil is Dark
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

// Frame draws one picture of one or two views of the same moment, with the timeline if line is not nil.
func Frame(o Options, line *Timeline, views ...*View) *image.RGBA {
	o = o.filled()
	c := canvas.Over(image.NewRGBA(image.Rect(0, 0, o.Width, o.Height)), o.Scale)
	all := c.Bounds()
	c.Fill(all, o.Theme.Back)
	if len(views) == 0 {
		return c.Img
	}
	for i, v := range views {
		w := *v
		w.Theme = o.Theme
		views[i] = &w
	}
	thinks := slices.ContainsFunc(views, func(v *View) bool { return Thinks(v.Header) })
	p := Layout(all, len(views), thinks)
	draw := func(r canvas.Rect, f func(*canvas.Canvas, canvas.Rect, *View), v *View) {
		if !r.Empty() {
			f(c, r, v)
		}
	}
	draw(p.Header, DrawHeader, views[0])
	for i, v := range views {
		if i >= len(p.Boards) {
			break
		}
		draw(p.Boards[i], DrawBoard, v)
		if i < len(p.Curves) {
			draw(p.Curves[i], DrawCurve, v)
		}
		if i < len(p.Thoughts) {
			draw(p.Thoughts[i], DrawThought, v)
		}
		if i < len(p.Films) {
			draw(p.Films[i], DrawFilm, v)
		}
	}
	draw(p.Latent, DrawLatent, views[0])
	draw(p.Actions, DrawActions, views[0])
	if line != nil && !p.Timeline.Empty() {
		DrawTimeline(c, p.Timeline, line, views[0])
	}
	return c.Img
}
