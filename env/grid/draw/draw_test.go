package draw

import (
	"image"
	"image/color"
	"math"
	"testing"
)

var (
	white = color.RGBA{255, 255, 255, 255}
	black = color.RGBA{0, 0, 0, 255}
)

func canvas(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	Fill(m, m.Rect, white)
	return m
}

// ink is the sum of coverage in black on white, in pixels.
func ink(m *image.RGBA) float64 {
	sum := 0.0
	for i := 0; i < len(m.Pix); i += 4 {
		sum += float64(255-m.Pix[i]) / 255
	}
	return sum
}

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		rows, cols int
		r          image.Rectangle
		x, y, w, h int // cells at column x, row y
		want       image.Rectangle
	}{
		{3, 4, image.Rect(0, 0, 40, 30), 1, 2, 1, 1, image.Rect(10, 20, 20, 30)},
		{3, 4, image.Rect(5, 7, 48, 40), 0, 0, 4, 3, image.Rect(6, 8, 46, 38)}, // tiles of 10, one pixel around
		{2, 2, image.Rect(0, 0, 100, 10), 0, 0, 2, 2, image.Rect(45, 0, 55, 10)},
		{4, 4, image.Rect(0, 0, 2, 2), 2, 0, 2, 2, image.Rect(1, 0, 2, 1)}, // half a pixel a cell
	} {
		if got := Fit(tt.rows, tt.cols, tt.r).Cells(tt.x, tt.y, tt.w, tt.h); got != tt.want {
			t.Errorf("%d x %d in %v: %v, want %v", tt.rows, tt.cols, tt.r, got, tt.want)
		}
	}
	if x, y := Fit(3, 4, image.Rect(0, 0, 40, 30)).Center(1, 2); x != 15 || y != 25 {
		t.Errorf("centre (%v, %v), want (15, 25)", x, y)
	}
}

// Smooth edges keep the area: 2% for the pixels' corners.
func TestShapesHaveTheirArea(t *testing.T) {
	for _, tt := range []struct {
		name string
		draw func(m *image.RGBA)
		want float64
	}{
		{"fill", func(m *image.RGBA) { Fill(m, image.Rect(10, 20, 40, 60), black) }, 1200},
		{"border", func(m *image.RGBA) { Border(m, image.Rect(10, 10, 30, 30), 2, black) }, 144},
		{"tint", func(m *image.RGBA) { Tint(m, image.Rect(10, 10, 30, 30), black, .5) }, 200},
		{"disc", func(m *image.RGBA) { Disc(m, 50.3, 49.6, 20, black) }, math.Pi * 400},
		{"ring", func(m *image.RGBA) { Ring(m, 50, 50, 20, 4, black) }, math.Pi * (22*22 - 18*18)},
		{"diamond", func(m *image.RGBA) { Diamond(m, 50, 50, 20, black) }, 800},
		{"box", func(m *image.RGBA) { Box(m, image.Rect(20, 20, 60, 50), 6, black) }, 1200 - 36*(4-math.Pi)},
	} {
		m := canvas(100, 100)
		tt.draw(m)
		if got := ink(m); math.Abs(got-tt.want) > .02*tt.want {
			t.Errorf("%s: area %.1f, want %.1f", tt.name, got, tt.want)
		}
	}
}

func TestEverythingIsClipped(t *testing.T) {
	m := canvas(8, 8)
	sub := m.SubImage(image.Rect(2, 2, 6, 6)).(*image.RGBA)
	far := image.Rect(-50, -50, 50, 50)
	Fill(sub, far, black)
	Border(sub, far, 90, black)
	Tint(sub, far, black, 1)
	Disc(sub, 4, 4, 90, black)
	Ring(sub, 4, 4, 10, 90, black)
	Diamond(sub, 4, 4, 90, black)
	Box(sub, far, 3, black)
	Char(sub, '8', 4, 4, 90, Medium, black)
	Fill(sub, image.Rect(20, 20, 30, 30), black)
	if got := ink(m); got != 16 {
		t.Errorf("%v pixels painted, want the 16 of the part", got)
	}
}

func TestCharIsCentred(t *testing.T) {
	for _, size := range []float64{9, 16, 40.4, 64} {
		m := canvas(100, 100)
		Char(m, '8', 50, 50, size, Regular, black)
		var x, y, sum float64
		for i := 0; i < len(m.Pix); i += 4 {
			a := float64(255-m.Pix[i]) / 255
			x += a * (float64(i/4%100) + .5)
			y += a * (float64(i/4/100) + .5)
			sum += a
		}
		// An 8 is as good as symmetric; its lower loop is larger.
		if sum < size*size/12 || math.Abs(x/sum-50) > 1 || math.Abs(y/sum-50) > 2 {
			t.Errorf("size %v: ink %.1f around (%.1f, %.1f)", size, sum, x/sum, y/sum)
		}
		again := canvas(100, 100)
		Char(again, '8', 50, 50, size, Regular, black) // from the cache
		if string(m.Pix) != string(again.Pix) {
			t.Errorf("size %v: another picture the second time", size)
		}
	}
	m := canvas(10, 10)
	Char(m, '8', 5, 5, .5, Regular, black)
	if ink(m) != 0 {
		t.Error("a character of half a pixel was painted")
	}
}
