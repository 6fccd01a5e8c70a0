package canvas

import (
	"image/color"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	white = color.RGBA{255, 255, 255, 255}
	ink   = color.RGBA{10, 120, 200, 255}
)

// TestRoundRectInParts: a large one, of which only the edges are rasterised, is the same picture as one
// that is rasterised as a whole, wherever its edges fall.
func TestRoundRectInParts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := func(name string, lo, hi float64) float64 { return rapid.Float64Range(lo, hi).Draw(rt, name) }
		r := Rect{f("x", -20, 40), f("y", -20, 40), f("w", 1, 200), f("h", 1, 200)}
		radius, scale := f("radius", 0, 30), f("scale", 0.5, 2.5)
		col := ink
		if rapid.Bool().Draw(rt, "sheer") {
			col = color.RGBA{5, 60, 100, 128}
		}
		parts, whole := New(180, 180, scale), New(180, 180, scale)
		parts.Fill(parts.Bounds(), white)
		whole.Fill(whole.Bounds(), white)
		parts.RoundRect(r, radius, col)
		whole.area(r)
		whole.roundRect(r, min(radius, r.W/2, r.H/2), false)
		whole.paint(col)
		for i := range whole.Img.Pix {
			if d := int(whole.Img.Pix[i]) - int(parts.Img.Pix[i]); d > 2 || d < -2 {
				x, y := i/4%whole.Img.Rect.Dx(), i/4/whole.Img.Rect.Dx()
				rt.Fatalf("pixel (%d, %d): %d in parts, %d as a whole", x, y, parts.Img.Pix[i], whole.Img.Pix[i])
			}
		}
	})
}

// TestDiscCoversItsArea: of a disc of radius r, pi r² pixels are covered.
func TestDiscCoversItsArea(t *testing.T) {
	for _, radius := range []float64{2, 7.3, 40} {
		c := New(100, 100, 1)
		c.Disc(50.3, 49.8, radius, white)
		sum := 0.0
		for i := 3; i < len(c.Img.Pix); i += 4 {
			sum += float64(c.Img.Pix[i]) / 255
		}
		if want := 3.14159265 * radius * radius; sum < 0.99*want || sum > 1.01*want {
			t.Errorf("radius %v covers %.1f pixels, want %.1f", radius, sum, want)
		}
	}
}

// TestLineOfOneColour: where the parts of a line overlap they are not drawn twice.
func TestLineOfOneColour(t *testing.T) {
	c := New(60, 60, 1)
	sheer := color.RGBA{0, 0, 0, 100}
	c.Line(6, sheer, Point{10, 10}, Point{50, 10}, Point{50, 50}, Point{12, 44}, Point{30, 5})
	for i := 3; i < len(c.Img.Pix); i += 4 {
		if c.Img.Pix[i] > 101 {
			t.Fatalf("opacity %d of a line of 100", c.Img.Pix[i])
		}
	}
}

func TestShortenAndWrap(t *testing.T) {
	f := Font{Size: 13}
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.StringMatching(`[a-zäöü ]{0,60}`).Draw(rt, "s")
		width := rapid.Float64Range(0, 300).Draw(rt, "width")
		short := Shorten(s, f, width)
		if short != "" && Width(short, f) > width {
			rt.Errorf("%q is %v wide, want at most %v", short, Width(short, f), width)
		}
		if head := strings.TrimSuffix(short, "…"); !strings.HasPrefix(s, head) {
			rt.Errorf("%q does not begin with %q", s, head)
		}
		lines := Wrap(s, f, width)
		if got, want := strings.Fields(strings.Join(lines, " ")), strings.Fields(s); !slices.Equal(got, want) {
			rt.Errorf("words %q, want %q", got, want)
		}
		for _, l := range lines {
			if Width(l, f) > width && strings.Contains(l, " ") {
				rt.Errorf("%q is wider than %v", l, width)
			}
		}
	})
}
