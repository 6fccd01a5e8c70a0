package draw

import (
	"image"
	"image/color"
	"math"
)

// A Frame places the square cells of a board in a picture: as large as fits, in whole pixels where
// there is room for one pixel a cell, the board in the middle.
type Frame struct {
	X, Y float64 // top left corner of cell (0, 0)
	Tile float64 // side of a cell in pixels
}

// Fit places a board of rows x cols cells in r.
func Fit(rows, cols int, r image.Rectangle) Frame {
	w, h := float64(r.Dx()), float64(r.Dy())
	tile := min(w/float64(cols), h/float64(rows))
	if tile >= 1 {
		tile = math.Floor(tile)
	}
	return Frame{
		X:    float64(r.Min.X) + math.Floor((w-tile*float64(cols))/2),
		Y:    float64(r.Min.Y) + math.Floor((h-tile*float64(rows))/2),
		Tile: tile,
	}
}

// Cells is the rectangle of w x h cells whose top left one is in column x of row y.
func (f Frame) Cells(x, y, w, h int) image.Rectangle {
	return image.Rect(f.pixel(f.X, x), f.pixel(f.Y, y), f.pixel(f.X, x+w), f.pixel(f.Y, y+h))
}

func (f Frame) pixel(origin float64, cell int) int {
	return int(math.Floor(origin + float64(cell)*f.Tile + .5)) // the same rounding left of 0
}

// Center is the middle of the cell in column x of row y.
func (f Frame) Center(x, y int) (cx, cy float64) {
	return f.X + (float64(x)+.5)*f.Tile, f.Y + (float64(y)+.5)*f.Tile
}

// Fill paints the rectangle r; c must be opaque.
func Fill(dst *image.RGBA, r image.Rectangle, c color.RGBA) {
	r = r.Intersect(dst.Rect)
	if r.Empty() {
		return
	}
	first := dst.Pix[dst.PixOffset(r.Min.X, r.Min.Y):][:4*r.Dx()]
	for i := 0; i < len(first); i += 4 {
		first[i], first[i+1], first[i+2], first[i+3] = c.R, c.G, c.B, c.A
	}
	for y := r.Min.Y + 1; y < r.Max.Y; y++ {
		copy(dst.Pix[dst.PixOffset(r.Min.X, y):], first)
	}
}

// Border paints a frame of the given width along the inside of r.
func Border(dst *image.RGBA, r image.Rectangle, width int, c color.RGBA) {
	Fill(dst, image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+width), c)
	Fill(dst, image.Rect(r.Min.X, r.Max.Y-width, r.Max.X, r.Max.Y), c)
	Fill(dst, image.Rect(r.Min.X, r.Min.Y, r.Min.X+width, r.Max.Y), c)
	Fill(dst, image.Rect(r.Max.X-width, r.Min.Y, r.Max.X, r.Max.Y), c)
}

// Blend lays c with the given coverage, 0 to 1, over the pixel (x, y), which must lie in dst.
func Blend(dst *image.RGBA, x, y int, c color.RGBA, coverage float64) {
	p := dst.Pix[dst.PixOffset(x, y):][:4]
	mix := func(old, over uint8) uint8 {
		return uint8(math.Round(float64(old) + (float64(over)-float64(old))*coverage))
	}
	p[0], p[1], p[2], p[3] = mix(p[0], c.R), mix(p[1], c.G), mix(p[2], c.B), mix(p[3], 255)
}

// Tint lays c with the given coverage over all of r.
func Tint(dst *image.RGBA, r image.Rectangle, c color.RGBA, coverage float64) {
	r = r.Intersect(dst.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			Blend(dst, x, y, c, coverage)
		}
	}
}

// Shape paints the points of r where the signed distance is negative, with smooth edges. distance
// gets the middle of each pixel and returns pixels, positive outside.
func Shape(dst *image.RGBA, r image.Rectangle, c color.RGBA, distance func(x, y float64) float64) {
	r = r.Intersect(dst.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if a := .5 - distance(float64(x)+.5, float64(y)+.5); a > 0 {
				Blend(dst, x, y, c, min(a, 1))
			}
		}
	}
}

// Disc paints a disc.
func Disc(dst *image.RGBA, cx, cy, radius float64, c color.RGBA) {
	Shape(dst, around(cx, cy, radius), c, func(x, y float64) float64 {
		return math.Hypot(x-cx, y-cy) - radius
	})
}

// Ring paints a circle line of the given width, its middle at radius.
func Ring(dst *image.RGBA, cx, cy, radius, width float64, c color.RGBA) {
	Shape(dst, around(cx, cy, radius+width/2), c, func(x, y float64) float64 {
		return math.Abs(math.Hypot(x-cx, y-cy)-radius) - width/2
	})
}

// Diamond paints a square that stands on a corner; radius reaches to the corners.
func Diamond(dst *image.RGBA, cx, cy, radius float64, c color.RGBA) {
	Shape(dst, around(cx, cy, radius), c, func(x, y float64) float64 {
		return (math.Abs(x-cx) + math.Abs(y-cy) - radius) / math.Sqrt2
	})
}

// Box paints a rectangle with rounded corners.
func Box(dst *image.RGBA, r image.Rectangle, corner float64, c color.RGBA) {
	cx, cy := float64(r.Min.X+r.Max.X)/2, float64(r.Min.Y+r.Max.Y)/2
	w, h := float64(r.Dx())/2-corner, float64(r.Dy())/2-corner
	Shape(dst, r, c, func(x, y float64) float64 {
		dx, dy := math.Abs(x-cx)-w, math.Abs(y-cy)-h
		return math.Hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - corner
	})
}

func around(cx, cy, radius float64) image.Rectangle {
	return image.Rect(int(math.Floor(cx-radius-1)), int(math.Floor(cy-radius-1)),
		int(math.Ceil(cx+radius+1)), int(math.Ceil(cy+radius+1)))
}
