package window

import (
	"image"

	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// appIcons is the application's icon, for taskbars and windows: a curve that comes to its halt.
func appIcons() (list []image.Image) {
	for _, side := range []int{16, 32, 48, 64, 128} {
		list = append(list, appIcon(side))
	}
	return list
}

func appIcon(side int) *image.RGBA {
	t := viz.Dark()
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	c := canvas.Over(img, float64(side)/32)
	c.RoundRect(canvas.Rect{W: 32, H: 32}, 7, t.Panel)
	c.Line(3, t.Halt, pt(5, 25), pt(11, 23), pt(16, 19), pt(21, 9))
	for _, p := range []canvas.Point{pt(5, 25), pt(11, 23), pt(16, 19)} {
		c.Disc(p.X, p.Y, 2.4, t.Halt)
	}
	c.Line(2, t.Text, pt(24, 4), pt(24, 28))
	c.Disc(24, 7, 4, t.Continue)
	return img
}
