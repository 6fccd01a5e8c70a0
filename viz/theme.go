package viz

import "image/color"

// A Theme is the viewer's colours. Its classes are Okabe and Ito's (2008), which people of every
// colour vision tell apart; nothing is said by colour alone.
type Theme struct {
	Name  string
	Back  color.RGBA // behind everything
	Panel color.RGBA // behind a pane
	Raise color.RGBA // behind a control
	Line  color.RGBA // rules and axes
	Text  color.RGBA
	Muted color.RGBA // secondary text
	Faint color.RGBA // marks that stay in the background

	Halt     color.RGBA // Q of halting, the plan, the selected
	Continue color.RGBA // Q of continuing
	Good     color.RGBA // reached, solved
	Bad      color.RGBA // wrong, failed
}

// Dark is the theme for a dark room.
func Dark() *Theme {
	return &Theme{
		Name: "dark",
		Back: rgb(0x12151a), Panel: rgb(0x1a1e25), Raise: rgb(0x262c35), Line: rgb(0x353d49),
		Text: rgb(0xe8eaed), Muted: rgb(0x9aa4b2), Faint: rgb(0x566070),
		Halt: rgb(0x56b4e9), Continue: rgb(0xe69f00), Good: rgb(0x2fbf8f), Bad: rgb(0xe8703a),
	}
}

// Light is the theme for paper and daylight.
func Light() *Theme {
	return &Theme{
		Name: "light",
		Back: rgb(0xf3f4f5), Panel: rgb(0xffffff), Raise: rgb(0xe9ebee), Line: rgb(0xd3d8de),
		Text: rgb(0x1a1e24), Muted: rgb(0x5b6571), Faint: rgb(0xa9b2bd),
		Halt: rgb(0x0072b2), Continue: rgb(0xc47500), Good: rgb(0x00805d), Bad: rgb(0xd55e00),
	}
}

func rgb(v uint32) color.RGBA {
	return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
}

// alpha is c at the given opacity, premultiplied.
func alpha(c color.RGBA, opacity float64) color.RGBA {
	f := func(v uint8) uint8 { return uint8(float64(v)*opacity + 0.5) }
	return color.RGBA{f(c.R), f(c.G), f(c.B), f(c.A)}
}

// mix goes from a to b as t goes from 0 to 1; both are opaque.
func mix(a, b color.RGBA, t float64) color.RGBA {
	f := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*t + 0.5) }
	return color.RGBA{f(a.R, b.R), f(a.G, b.G), f(a.B, b.B), 255}
}

// Viridis is the colour of v in [0, 1] on the scale of that name (van der Walt and Smith 2015), which
// rises evenly in lightness: linear between nine of its colours.
func Viridis(v float64) color.RGBA {
	v = unit(v) * float64(len(viridis)-1)
	i := min(int(v), len(viridis)-2)
	return mix(rgb(viridis[i]), rgb(viridis[i+1]), v-float64(i))
}

// unit bounds v to [0, 1]; what is no number is 0.
func unit(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}

var viridis = [...]uint32{0x440154, 0x472d7b, 0x3b528b, 0x2c728e, 0x21918c, 0x28ae80, 0x5ec962, 0xaddc30, 0xfde725}

// arc is ARC's ten colours.
var arc = [10]uint32{0x000000, 0x0074d9, 0xff4136, 0x2ecc40, 0xffdc00, 0xaaaaaa, 0xf012be, 0xff851b, 0x7fdbff, 0x870c25}
