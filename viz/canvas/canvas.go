package canvas

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	"golang.org/x/image/vector"
)

// A Canvas draws into an image. All lengths are points; a point is Scale pixels. The origin is the
// top left pixel of the image, x right, y down.
type Canvas struct {
	Img    *image.RGBA
	Scale  float64
	ras    vector.Rasterizer
	origin image.Point // of the path under way, in pixels

	corners []Point // of the rectangle last added

	Marks []Mark                 // what was drawn where, by [Canvas.Mark]
	Said  func(s string, r Rect) // is told every text and where it was drawn; nil: nobody
}

// A Mark is the place of something that can be explained.
type Mark struct {
	Rect Rect
	ID   string
}

// Mark says that what was drawn in r is what ID names. Of several at a point the last one counts.
func (c *Canvas) Mark(r Rect, id string) { c.Marks = append(c.Marks, Mark{r, id}) }

// New makes a canvas of w by h points.
func New(w, h, scale float64) *Canvas {
	return Over(image.NewRGBA(image.Rect(0, 0, int(math.Ceil(w*scale)), int(math.Ceil(h*scale)))), scale)
}

// Over makes a canvas that draws into img.
func Over(img *image.RGBA, scale float64) *Canvas { return &Canvas{Img: img, Scale: scale} }

// A Rect is a rectangle in points.
type Rect struct{ X, Y, W, H float64 }

// Empty reports whether r has no area.
func (r Rect) Empty() bool { return r.W <= 0 || r.H <= 0 }

// Inset is r without a margin of d on every side.
func (r Rect) Inset(d float64) Rect { return Rect{r.X + d, r.Y + d, r.W - 2*d, r.H - 2*d} }

// Contains reports whether the point lies in r.
func (r Rect) Contains(x, y float64) bool {
	return x >= r.X && x < r.X+r.W && y >= r.Y && y < r.Y+r.H
}

// Top cuts h off the top of r and returns that and the rest.
func (r Rect) Top(h float64) (top, rest Rect) {
	h = min(h, r.H)
	return Rect{r.X, r.Y, r.W, h}, Rect{r.X, r.Y + h, r.W, r.H - h}
}

// Bottom cuts h off the bottom of r and returns that and the rest.
func (r Rect) Bottom(h float64) (bottom, rest Rect) {
	h = min(h, r.H)
	return Rect{r.X, r.Y + r.H - h, r.W, h}, Rect{r.X, r.Y, r.W, r.H - h}
}

// Left cuts w off the left of r and returns that and the rest.
func (r Rect) Left(w float64) (left, rest Rect) {
	w = min(w, r.W)
	return Rect{r.X, r.Y, w, r.H}, Rect{r.X + w, r.Y, r.W - w, r.H}
}

// Right cuts w off the right of r and returns that and the rest.
func (r Rect) Right(w float64) (right, rest Rect) {
	w = min(w, r.W)
	return Rect{r.X + r.W - w, r.Y, w, r.H}, Rect{r.X, r.Y, r.W - w, r.H}
}

// Pixels is r in pixels of a canvas of that scale, its edges rounded.
func (r Rect) Pixels(scale float64) image.Rectangle {
	px := func(v float64) int { return int(math.Round(v * scale)) }
	return image.Rect(px(r.X), px(r.Y), px(r.X+r.W), px(r.Y+r.H))
}

// A Point is a place in points.
type Point struct{ X, Y float64 }

// Bounds is the whole canvas.
func (c *Canvas) Bounds() Rect {
	b := c.Img.Bounds()
	return Rect{0, 0, float64(b.Dx()) / c.Scale, float64(b.Dy()) / c.Scale}
}

// pixels is r in pixels of the image.
func (c *Canvas) pixels(r Rect) image.Rectangle {
	return r.Pixels(c.Scale).Add(c.Img.Bounds().Min)
}

// Fill fills a rectangle with sharp edges.
func (c *Canvas) Fill(r Rect, col color.RGBA) {
	op := draw.Over
	if col.A == 255 {
		op = draw.Src
	}
	draw.Draw(c.Img, c.pixels(r), image.NewUniform(col), image.Point{}, op)
}

// Image draws src with its top left corner at the pixel nearest to (x, y).
func (c *Canvas) Image(x, y float64, src *image.RGBA) {
	at := c.pixels(Rect{X: x, Y: y}).Min
	b := src.Bounds()
	draw.Draw(c.Img, image.Rectangle{at, at.Add(b.Size())}, src, b.Min, draw.Over)
}

// RoundRect fills a rectangle with rounded corners.
func (c *Canvas) RoundRect(r Rect, radius float64, col color.RGBA) {
	radius = min(radius, r.W/2, r.H/2)
	s := c.Scale
	inner := Rect{math.Ceil(r.X*s) / s, math.Ceil((r.Y+radius)*s) / s, 0, 0}
	inner.W, inner.H = math.Floor((r.X+r.W)*s)/s-inner.X, math.Floor((r.Y+r.H-radius)*s)/s-inner.Y
	const large = 64 * 64 // pixels, from where on it pays to draw the edges apart
	if inner.Empty() || inner.W*s*inner.H*s < large {
		c.area(r)
		c.roundRect(r, radius, false)
		c.paint(col)
		return
	}
	c.Fill(inner, col)
	x1, y1 := inner.X+inner.W, inner.Y+inner.H
	for _, edge := range [...]Rect{
		{r.X, r.Y, r.W, inner.Y - r.Y},
		{r.X, y1, r.W, r.Y + r.H - y1},
		{r.X, inner.Y, inner.X - r.X, inner.H},
		{x1, inner.Y, r.X + r.W - x1, inner.H},
	} {
		if !edge.Empty() {
			c.areaWithin(edge)
			c.roundRect(r, radius, false)
			c.paint(col)
		}
	}
}

// Frame draws the outline of a rectangle with rounded corners, width wide, inside of r.
func (c *Canvas) Frame(r Rect, radius, width float64, col color.RGBA) {
	c.area(r)
	radius = min(radius, r.W/2, r.H/2)
	c.roundRect(r, radius, false)
	c.roundRect(r.Inset(width), max(radius-width, 0), true)
	c.paint(col)
}

// Disc fills a circle.
func (c *Canvas) Disc(x, y, radius float64, col color.RGBA) {
	c.RoundRect(Rect{x - radius, y - radius, 2 * radius, 2 * radius}, radius, col)
}

// Ring draws a circle of the given line width.
func (c *Canvas) Ring(x, y, radius, width float64, col color.RGBA) {
	r := radius + width/2
	c.Frame(Rect{x - r, y - r, 2 * r, 2 * r}, r, width, col)
}

// Mask is what f draws in opaque colours into a canvas of w by h points, as a mask for [Canvas.Stamp].
func (c *Canvas) Mask(w, h float64, f func(*Canvas)) *image.Alpha {
	in := New(w, h, c.Scale)
	f(in)
	m := image.NewAlpha(in.Img.Rect)
	for i := range m.Pix {
		m.Pix[i] = in.Img.Pix[4*i+3]
	}
	return m
}

// Stamp draws a mask in a colour with its middle at the pixel nearest to (x, y): the same shape in many
// places costs little.
func (c *Canvas) Stamp(x, y float64, m *image.Alpha, col color.RGBA) {
	size := m.Rect.Size()
	at := image.Pt(int(math.Round(x*c.Scale-float64(size.X)/2)), int(math.Round(y*c.Scale-float64(size.Y)/2))).Add(c.Img.Bounds().Min)
	draw.DrawMask(c.Img, image.Rectangle{at, at.Add(size)}, image.NewUniform(col), image.Point{}, m, image.Point{}, draw.Over)
}

// Polygon fills the polygon.
func (c *Canvas) Polygon(col color.RGBA, p ...Point) {
	if len(p) < 3 {
		return
	}
	c.area(around(p, 0))
	c.polygon(p)
	c.paint(col)
}

// Line draws a line through the points, with round joints and ends.
func (c *Canvas) Line(width float64, col color.RGBA, p ...Point) {
	if len(p) == 0 {
		return
	}
	c.area(around(p, width))
	half := width / 2
	for i, a := range p {
		c.roundRect(Rect{a.X - half, a.Y - half, width, width}, half, false)
		if i+1 == len(p) {
			break
		}
		b := p[i+1]
		dx, dy := b.X-a.X, b.Y-a.Y
		d := math.Hypot(dx, dy)
		if d == 0 {
			continue
		}
		nx, ny := -dy/d*half, dx/d*half
		// In the direction of roundRect, so that overlapping parts do not cancel.
		c.polygon([]Point{{a.X - nx, a.Y - ny}, {b.X - nx, b.Y - ny}, {b.X + nx, b.Y + ny}, {a.X + nx, a.Y + ny}})
	}
	c.paint(col)
}

// Dashes draws a straight line of dashes as long as the gaps between them.
func (c *Canvas) Dashes(width, dash float64, col color.RGBA, a, b Point) {
	d := math.Hypot(b.X-a.X, b.Y-a.Y)
	for t := 0.0; t < d; t += 2 * dash {
		e := min(t+dash, d)
		at := func(t float64) Point { return Point{a.X + (b.X-a.X)*t/d, a.Y + (b.Y-a.Y)*t/d} }
		c.Line(width, col, at(t), at(e))
	}
}

func around(p []Point, width float64) Rect {
	x0, y0, x1, y1 := p[0].X, p[0].Y, p[0].X, p[0].Y
	for _, q := range p[1:] {
		x0, y0, x1, y1 = min(x0, q.X), min(y0, q.Y), max(x1, q.X), max(y1, q.Y)
	}
	return Rect{x0, y0, x1 - x0, y1 - y0}.Inset(-width)
}

// areaWithin begins a path of which only the part in r is drawn; r has its edges at whole pixels or
// where the path ends.
func (c *Canvas) areaWithin(r Rect) {
	const tiny = 1e-6 // against an edge that rounding moved beyond its pixel
	c.area(r.Inset(tiny / c.Scale))
}

// area begins a path within r; what the image does not show of it is cut away.
func (c *Canvas) area(r Rect) {
	b := c.Img.Bounds()
	// Bounded before the conversion to int, which is undefined for what does not fit.
	bound := func(v float64, limit int) float64 {
		if !(v > 0) { // nor what is no number
			return 0
		}
		return min(v*c.Scale, float64(limit))
	}
	lo := func(v float64, limit int) int { return int(math.Floor(bound(v, limit))) }
	hi := func(v float64, limit int) int { return int(math.Ceil(bound(v, limit))) }
	rect := image.Rect(lo(r.X, b.Dx()), lo(r.Y, b.Dy()), hi(r.X+r.W, b.Dx()), hi(r.Y+r.H, b.Dy()))
	c.ras.Reset(rect.Dx(), rect.Dy())
	c.origin = rect.Min
}

func (c *Canvas) paint(col color.RGBA) {
	size := c.ras.Size()
	if size.X == 0 || size.Y == 0 {
		return
	}
	at := c.origin.Add(c.Img.Bounds().Min)
	c.ras.Draw(c.Img, image.Rectangle{at, at.Add(size)}, image.NewUniform(col), image.Point{})
}

// px is a coordinate of the path in pixels.
func (c *Canvas) px(x, y float64) (float32, float32) {
	return float32(x*c.Scale - float64(c.origin.X)), float32(y*c.Scale - float64(c.origin.Y))
}

func (c *Canvas) polygon(p []Point) {
	x, y := c.px(p[0].X, p[0].Y)
	c.ras.MoveTo(x, y)
	for _, q := range p[1:] {
		x, y := c.px(q.X, q.Y)
		c.ras.LineTo(x, y)
	}
	c.ras.ClosePath()
}

// roundRect adds a rectangle clockwise, or counter-clockwise to cut it out. Its corners are arcs of
// short lines: vector's own curves are a tenth too small at the size of a dot.
func (c *Canvas) roundRect(r Rect, radius float64, hole bool) {
	if r.Empty() {
		return
	}
	n := 0 // lines a corner
	if radius > 0 {
		n = int(6 + 1.5*math.Sqrt(radius*c.Scale))
	}
	x0, y0, x1, y1 := r.X+radius, r.Y+radius, r.X+r.W-radius, r.Y+r.H-radius
	centers := [4]Point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
	p := c.corners[:0]
	for q, m := range centers {
		for i := 0; i <= n; i++ {
			turn := float64(q) + 2
			if n > 0 {
				turn += float64(i) / float64(n)
			}
			sin, cos := math.Sincos(turn * math.Pi / 2)
			p = append(p, Point{m.X + radius*cos, m.Y + radius*sin})
		}
	}
	c.corners = p
	if hole {
		slices.Reverse(p)
	}
	c.polygon(p)
}
