package draw

import (
	"image"
	"image/color"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Weight is the weight of a typeface; both are of the Go fonts.
type Weight uint8

// The weights.
const (
	Regular Weight = iota
	Medium
)

var typefaces = [2]func() *opentype.Font{
	sync.OnceValue(func() *opentype.Font { return parse(goregular.TTF) }),
	sync.OnceValue(func() *opentype.Font { return parse(gomedium.TTF) }),
}

func parse(ttf []byte) *opentype.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic(err) // compiled in
	}
	return f
}

type glyphKey struct {
	char   rune
	weight Weight
	pixels int
}

// glyphs keeps masks: drawing a character again costs no rasterizing.
var glyphs = struct {
	sync.Mutex
	masks map[glyphKey]*image.Alpha
}{masks: map[glyphKey]*image.Alpha{}}

// glyph is the coverage of a character, cut to its ink.
func glyph(k glyphKey) *image.Alpha {
	glyphs.Lock()
	defer glyphs.Unlock()
	if m := glyphs.masks[k]; m != nil {
		return m
	}
	face, err := opentype.NewFace(typefaces[k.weight](), &opentype.FaceOptions{
		Size: float64(k.pixels), DPI: 72, Hinting: font.HintingNone,
	})
	if err != nil {
		panic(err) // no face fails for a positive size
	}
	defer face.Close()
	m := image.NewAlpha(image.Rectangle{})
	if r, mask, at, _, ok := face.Glyph(fixed.Point26_6{}, k.char); ok {
		m = image.NewAlpha(r)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				_, _, _, a := mask.At(at.X+x-r.Min.X, at.Y+y-r.Min.Y).RGBA()
				m.SetAlpha(x, y, color.Alpha{A: uint8(a >> 8)})
			}
		}
	}
	if len(glyphs.masks) > 2000 {
		clear(glyphs.masks)
	}
	glyphs.masks[k] = m
	return m
}

// Char paints one character with its ink centred at (cx, cy); size is the font's in pixels, a digit
// is some 0.7 of it high. Under 1 pixel nothing is painted.
func Char(dst *image.RGBA, char rune, cx, cy, size float64, weight Weight, c color.RGBA) {
	if size < 1 {
		return
	}
	m := glyph(glyphKey{char, weight, int(size + .5)})
	dx := int(math.Floor(cx - float64(m.Rect.Min.X+m.Rect.Max.X)/2 + .5))
	dy := int(math.Floor(cy - float64(m.Rect.Min.Y+m.Rect.Max.Y)/2 + .5))
	r := m.Rect.Add(image.Pt(dx, dy)).Intersect(dst.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if a := m.AlphaAt(x-dx, y-dy).A; a > 0 {
				Blend(dst, x, y, c, float64(a)/255)
			}
		}
	}
}
