package window

import (
	"image"
	"image/color"
	"testing"
)

// TestStraight: a browser's picture has the colours that NRGBA has.
func TestStraight(t *testing.T) {
	img := image.NewRGBA(image.Rect(3, 1, 20, 9)).SubImage(image.Rect(5, 2, 17, 8)).(*image.RGBA)
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		for x := img.Rect.Min.X; x < img.Rect.Max.X; x++ {
			img.Set(x, y, color.NRGBA{uint8(20 * x), uint8(31 * y), 200, uint8(x * y * 3)})
		}
	}
	got := straight(nil, img)
	if len(got) != 4*12*6 {
		t.Fatalf("%d bytes, want %d", len(got), 4*12*6)
	}
	for i := 0; i < len(got); i += 4 {
		x, y := img.Rect.Min.X+i/4%12, img.Rect.Min.Y+i/4/12
		want := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
		near := func(a, b uint8) bool { return a == b || a+1 == b || b+1 == a } // both round
		if !near(got[i], want.R) || !near(got[i+1], want.G) || !near(got[i+2], want.B) || got[i+3] != want.A {
			t.Errorf("(%d, %d): %v, want %v", x, y, got[i:i+4], want)
		}
	}
}
