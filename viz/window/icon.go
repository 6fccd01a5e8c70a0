package window

import (
	"image/color"
	"math"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// An icon draws a sign into a square of 16 points with its top left corner at (x, y).
type icon func(c *canvas.Canvas, x, y float64, col color.RGBA)

func pt(x, y float64) canvas.Point { return canvas.Point{X: x, Y: y} }

// triangle points right, or left where dir is -1.
func triangle(c *canvas.Canvas, x, y, w, h, dir float64, col color.RGBA) {
	if dir > 0 {
		c.Polygon(col, pt(x, y), pt(x+w, y+h/2), pt(x, y+h))
	} else {
		c.Polygon(col, pt(x+w, y), pt(x+w, y+h), pt(x, y+h/2))
	}
}

func bar(c *canvas.Canvas, x, y, w, h float64, col color.RGBA) {
	c.Fill(canvas.Rect{X: x, Y: y, W: w, H: h}, col)
}

func stroke(c *canvas.Canvas, x, y float64, col color.RGBA, p ...float64) {
	points := make([]canvas.Point, len(p)/2)
	for i := range points {
		points[i] = pt(x+p[2*i], y+p[2*i+1])
	}
	c.Line(1.8, col, points...)
}

func iconPlay(c *canvas.Canvas, x, y float64, col color.RGBA) {
	triangle(c, x+3, y+1, 11, 14, 1, col)
}

func iconPause(c *canvas.Canvas, x, y float64, col color.RGBA) {
	bar(c, x+3, y+2, 3.5, 12, col)
	bar(c, x+9.5, y+2, 3.5, 12, col)
}

func iconFirst(c *canvas.Canvas, x, y float64, col color.RGBA) {
	bar(c, x+1, y+2, 2, 12, col)
	triangle(c, x+3, y+2, 6, 12, -1, col)
	triangle(c, x+9, y+2, 6, 12, -1, col)
}

func iconLast(c *canvas.Canvas, x, y float64, col color.RGBA) {
	triangle(c, x+1, y+2, 6, 12, 1, col)
	triangle(c, x+7, y+2, 6, 12, 1, col)
	bar(c, x+13, y+2, 2, 12, col)
}

func iconBack(c *canvas.Canvas, x, y float64, col color.RGBA) {
	bar(c, x+3, y+2, 2.5, 12, col)
	triangle(c, x+6, y+2, 8, 12, -1, col)
}

func iconForward(c *canvas.Canvas, x, y float64, col color.RGBA) {
	triangle(c, x+2, y+2, 8, 12, 1, col)
	bar(c, x+10.5, y+2, 2.5, 12, col)
}

// The blocks of a segment.
func iconSegmentBack(c *canvas.Canvas, x, y float64, col color.RGBA) {
	triangle(c, x+1, y+4, 6, 8, -1, col)
	c.RoundRect(canvas.Rect{X: x + 8, Y: y + 6, W: 3, H: 4}, 1, col)
	c.RoundRect(canvas.Rect{X: x + 12, Y: y + 6, W: 3, H: 4}, 1, col)
}

func iconSegment(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.RoundRect(canvas.Rect{X: x + 1, Y: y + 6, W: 3, H: 4}, 1, col)
	c.RoundRect(canvas.Rect{X: x + 5, Y: y + 6, W: 3, H: 4}, 1, col)
	triangle(c, x+9, y+4, 6, 8, 1, col)
}

func iconSlower(c *canvas.Canvas, x, y float64, col color.RGBA) { stroke(c, x, y, col, 4, 8, 12, 8) }

func iconFaster(c *canvas.Canvas, x, y float64, col color.RGBA) {
	stroke(c, x, y, col, 4, 8, 12, 8)
	stroke(c, x, y, col, 8, 4, 8, 12)
}

// A bulb with a plus: one more segment.
func iconLonger(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.Ring(x+6, y+6, 4.4, 1.6, col)
	bar(c, x+4, y+12, 4, 1.5, col)
	bar(c, x+4.6, y+14.2, 2.8, 1.3, col)
	stroke(c, x, y, col, 11.5, 11.5, 15.5, 11.5)
	stroke(c, x, y, col, 13.5, 9.5, 13.5, 13.5)
}

// A bolt: act now.
func iconNow(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.Polygon(col, pt(x+9.5, y+0.5), pt(x+3, y+9), pt(x+7.4, y+9), pt(x+6, y+15.5), pt(x+13, y+6.4), pt(x+8.4, y+6.4))
}

func iconRestart(c *canvas.Canvas, x, y float64, col color.RGBA) {
	stroke(c, x, y, col, 12.7, 10, 11, 12.4, 8, 13.2, 5, 12.2, 3.2, 9.6, 3, 7, 4.6, 4.2, 7.6, 3, 10.6, 3.6, 12, 4.8)
	c.Polygon(col, pt(x+13.8, y+1.4), pt(x+14.2, y+7), pt(x+9, y+6))
}

func iconNext(c *canvas.Canvas, x, y float64, col color.RGBA) {
	for _, p := range [][2]float64{{2, 2}, {9, 2}, {2, 9}} {
		c.RoundRect(canvas.Rect{X: x + p[0], Y: y + p[1], W: 5, H: 5}, 1, col)
	}
	stroke(c, x, y, col, 9.5, 11.5, 14, 11.5)
	stroke(c, x, y, col, 11.75, 9.2, 11.75, 13.8)
}

func iconEdit(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.Polygon(col, pt(x+2, y+14), pt(x+3, y+10.2), pt(x+10.4, y+2.8), pt(x+13.2, y+5.6), pt(x+5.8, y+13))
}

// A person.
func iconTake(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.Disc(x+8, y+4.6, 3.3, col)
	c.RoundRect(canvas.Rect{X: x + 2.4, Y: y + 9, W: 11.2, H: 9}, 5, col)
}

func iconLayer(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.Polygon(col, pt(x+8, y+1.5), pt(x+15, y+5.5), pt(x+8, y+9.5), pt(x+1, y+5.5))
	stroke(c, x, y, col, 2, 9.4, 8, 12.8, 14, 9.4)
}

func iconCompare(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.Frame(canvas.Rect{X: x + 1, Y: y + 3, W: 6.4, H: 10}, 1.5, 1.6, col)
	c.RoundRect(canvas.Rect{X: x + 8.6, Y: y + 3, W: 6.4, H: 10}, 1.5, col)
}

func iconRecord(c *canvas.Canvas, x, y float64, col color.RGBA) { c.Disc(x+8, y+8, 5.4, col) }

func iconPicture(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.Frame(canvas.Rect{X: x + 1, Y: y + 2.5, W: 14, H: 11}, 2, 1.6, col)
	c.Polygon(col, pt(x+3, y+12), pt(x+6.5, y+7), pt(x+9, y+10), pt(x+10.5, y+8.6), pt(x+13, y+12))
	c.Disc(x+11.2, y+5.8, 1.3, col)
}

func iconSheet(c *canvas.Canvas, x, y float64, col color.RGBA) {
	for i := range 9 {
		c.RoundRect(canvas.Rect{X: x + 1.5 + float64(i%3)*4.6, Y: y + 1.5 + float64(i/3)*4.6, W: 3.6, H: 3.6}, 0.8, col)
	}
}

func iconTheme(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.Ring(x+8, y+8, 5.6, 1.6, col)
	// The right half.
	var p []canvas.Point
	for i := range 17 {
		sin, cos := math.Sincos(float64(i) * math.Pi / 16)
		p = append(p, pt(x+8+5.4*sin, y+8-5.4*cos))
	}
	c.Polygon(col, p...)
}

func iconHelp(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.Text(x+8, y+13.5, "?", canvas.Font{Face: canvas.Bold, Size: 16}, canvas.Center, col)
}

func iconLarger(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.Text(x+8, y+14, "A", canvas.Font{Face: canvas.Bold, Size: 16}, canvas.Center, col)
}

func iconSmaller(c *canvas.Canvas, x, y float64, col color.RGBA) {
	c.Text(x+8, y+14, "A", canvas.Font{Face: canvas.Bold, Size: 11}, canvas.Center, col)
}

func iconFull(c *canvas.Canvas, x, y float64, col color.RGBA) {
	stroke(c, x, y, col, 2, 6, 2, 2, 6, 2)
	stroke(c, x, y, col, 10, 2, 14, 2, 14, 6)
	stroke(c, x, y, col, 14, 10, 14, 14, 10, 14)
	stroke(c, x, y, col, 6, 14, 2, 14, 2, 10)
}

// An arrow back, or mirrored on.
func iconUndo(c *canvas.Canvas, x, y float64, col color.RGBA) {
	stroke(c, x, y, col, 3, 6, 10, 6, 13, 8.5, 13, 11, 10, 13, 6, 13)
	triangle(c, x+0.5, y+2, 5, 8, -1, col)
}

func iconRedo(c *canvas.Canvas, x, y float64, col color.RGBA) {
	stroke(c, x, y, col, 13, 6, 6, 6, 3, 8.5, 3, 11, 6, 13, 10, 13)
	triangle(c, x+10.5, y+2, 5, 8, 1, col)
}

// Two ways that meet.
func iconAgain(c *canvas.Canvas, x, y float64, col color.RGBA) {
	stroke(c, x, y, col, 2, 3, 6, 6, 13, 8)
	stroke(c, x, y, col, 2, 13, 6, 10, 13, 8)
	c.Disc(x+13, y+8, 2.4, col)
}

// A way that forks.
func iconBranch(c *canvas.Canvas, x, y float64, col color.RGBA) {
	stroke(c, x, y, col, 2, 8, 6, 8, 13, 3)
	stroke(c, x, y, col, 6, 8, 13, 13)
	stroke(c, x, y, col, 6, 8, 13, 8)
	c.Disc(x+13, y+3, 2, col)
	c.Disc(x+13, y+8, 2, col)
	c.Disc(x+13, y+13, 2, col)
}

// A way with its stations.
func iconTour(c *canvas.Canvas, x, y float64, col color.RGBA) {
	stroke(c, x, y, col, 3, 13, 6, 5, 10, 11, 13, 3)
	for _, p := range [][2]float64{{3, 13}, {6, 5}, {10, 11}, {13, 3}} {
		c.Disc(x+p[0], y+p[1], 2.2, col)
	}
}

// A folder.
func iconFile(c *canvas.Canvas, x, y float64, col color.RGBA) {
	stroke(c, x, y, col, 1.5, 13, 1.5, 3.5, 6, 3.5, 7.5, 5.5, 14.5, 5.5, 14.5, 13, 1.5, 13)
}

// A picture in its frame.
func iconGallery(c *canvas.Canvas, x, y float64, col color.RGBA) {
	stroke(c, x, y, col, 1.5, 2.5, 14.5, 2.5, 14.5, 13.5, 1.5, 13.5, 1.5, 2.5)
	stroke(c, x, y, col, 3.5, 11, 7, 7, 9, 9.5, 11, 7.5, 12.8, 11)
}

// A list, ticked.
func iconExamples(c *canvas.Canvas, x, y float64, col color.RGBA) {
	for i := range 3 {
		line := 3.5 + 4.5*float64(i)
		stroke(c, x, y, col, 7, line, 14.5, line)
		stroke(c, x, y, col, 1.5, line, 2.8, line+1.5, 5, line-1.5)
	}
}

// Sliders.
func iconOptions(c *canvas.Canvas, x, y float64, col color.RGBA) {
	for i, at := range []float64{10, 5, 8} {
		line := 3.5 + 4.5*float64(i)
		stroke(c, x, y, col, 1.5, line, 14.5, line)
		c.Disc(x+at, y+line, 2.2, col)
	}
}

// Three points in a net.
func iconShare(c *canvas.Canvas, x, y float64, col color.RGBA) {
	stroke(c, x, y, col, 12, 3.5, 4, 8, 12, 12.5)
	for _, p := range [][2]float64{{12, 3.5}, {4, 8}, {12, 12.5}} {
		c.Disc(x+p[0], y+p[1], 2.6, col)
	}
}

func iconMore(c *canvas.Canvas, x, y float64, col color.RGBA) {
	for i := range 3 {
		c.Disc(x+3+5*float64(i), y+8, 1.8, col)
	}
}
