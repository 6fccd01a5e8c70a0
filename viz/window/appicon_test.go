package window

import "testing"

// TestAppIcon: the icon is drawn at every size, round at its corners, and not of one colour.
func TestAppIcon(t *testing.T) {
	for _, img := range appIcons() {
		colors := map[[4]uint32]bool{}
		b := img.Bounds()
		for y := range b.Dy() {
			for x := range b.Dx() {
				r, g, b, a := img.At(x, y).RGBA()
				colors[[4]uint32{r, g, b, a}] = true
			}
		}
		if _, _, _, a := img.At(0, 0).RGBA(); a > 0x4000 || b.Dx() != b.Dy() || len(colors) < 4 {
			t.Errorf("%v: alpha %#x at the corner, %d colours", b, a, len(colors))
		}
	}
}
