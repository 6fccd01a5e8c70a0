package grid

import (
	"image"
	"image/color"
	"math"
)

// A Tile is a square picture drawn the way MiniGrid draws one: three times too large, by testing
// the centre of every pixel against shapes, later ones over earlier ones, and then averaged.
type Tile struct {
	size int
	pix  []uint8 // [3*size][3*size][3]
}

// NewTile returns a black tile that comes out size pixels wide.
func NewTile(size int) *Tile {
	return &Tile{size: size, pix: make([]uint8, 9*size*size*3)}
}

// A Shape says whether it covers a point of the unit square; (0, 0) is the top left corner.
type Shape func(x, y float64) bool

// Draw fills a shape.
func (t *Tile) Draw(s Shape, c color.RGBA) {
	n := 3 * t.size
	for y := range n {
		for x := range n {
			if s((float64(x)+0.5)/float64(n), (float64(y)+0.5)/float64(n)) {
				i := (y*n + x) * 3
				t.pix[i], t.pix[i+1], t.pix[i+2] = c.R, c.G, c.B
			}
		}
	}
}

// Highlight brightens everything by 30 percent of what is missing to white.
func (t *Tile) Highlight() {
	for i, v := range t.pix {
		t.pix[i] = uint8(float64(v) + 0.3*float64(255-v))
	}
}

// Average writes the finished tile, [size][size][3].
func (t *Tile) Average(dst []uint8) {
	n := 3 * t.size
	for y := range t.size {
		for x := range t.size {
			for c := range 3 {
				sum := 0
				for dy := range 3 {
					for dx := range 3 {
						sum += int(t.pix[((3*y+dy)*n+3*x+dx)*3+c])
					}
				}
				dst[(y*t.size+x)*3+c] = uint8(sum / 9)
			}
		}
	}
}

// Rect covers x0 to x1 and y0 to y1, edges included.
func Rect(x0, x1, y0, y1 float64) Shape {
	return func(x, y float64) bool { return x >= x0 && x <= x1 && y >= y0 && y <= y1 }
}

// Circle covers the points at most r from (cx, cy).
func Circle(cx, cy, r float64) Shape {
	return func(x, y float64) bool { return (x-cx)*(x-cx)+(y-cy)*(y-cy) <= r*r }
}

// Line covers the points at most r from the segment between two points.
func Line(x0, y0, x1, y1, r float64) Shape {
	dx, dy := x1-x0, y1-y0
	dist := math.Sqrt(dx*dx + dy*dy)
	dx, dy = dx/dist, dy/dist
	return func(x, y float64) bool {
		a := min(max((x-x0)*dx+(y-y0)*dy, 0), dist)
		px, py := x0+a*dx-x, y0+a*dy-y
		return math.Sqrt(px*px+py*py) <= r
	}
}

// Triangle covers the points between three corners, by barycentric coordinates.
func Triangle(ax, ay, bx, by, cx, cy float64) Shape {
	// Vectors from a to c and from a to b, as MiniGrid's point_in_triangle has them.
	v0x, v0y, v1x, v1y := cx-ax, cy-ay, bx-ax, by-ay
	dot00, dot01, dot11 := v0x*v0x+v0y*v0y, v0x*v1x+v0y*v1y, v1x*v1x+v1y*v1y
	inv := 1 / (dot00*dot11 - dot01*dot01)
	return func(x, y float64) bool {
		v2x, v2y := x-ax, y-ay
		dot02, dot12 := v0x*v2x+v0y*v2y, v1x*v2x+v1y*v2y
		u := (dot11*dot02 - dot01*dot12) * inv
		v := (dot00*dot12 - dot01*dot02) * inv
		return u >= 0 && v >= 0 && u+v < 1
	}
}

// Turned turns a shape by quarter turns, clockwise on the screen, around the tile's centre.
func Turned(s Shape, quarters int) Shape {
	theta := float64(quarters) * 0.5 * math.Pi
	sin, cos := math.Sin(-theta), math.Cos(-theta)
	return func(x, y float64) bool {
		x, y = x-0.5, y-0.5
		return s(0.5+x*cos-y*sin, 0.5+y*cos+x*sin)
	}
}

// Blit copies a finished tile, [size][size][3], to (x, y) of a picture; what lies outside is cut.
func Blit(dst *image.RGBA, x, y, size int, tile []uint8) {
	for ty := range size {
		for tx := range size {
			if p := (image.Point{x + tx, y + ty}); p.In(dst.Rect) {
				i := (ty*size + tx) * 3
				o := dst.PixOffset(p.X, p.Y)
				dst.Pix[o], dst.Pix[o+1], dst.Pix[o+2], dst.Pix[o+3] = tile[i], tile[i+1], tile[i+2], 255
			}
		}
	}
}
