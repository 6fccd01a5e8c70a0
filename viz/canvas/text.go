package canvas

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// A Face is one of the Go fonts (Bigelow & Holmes, BSD licence).
type Face uint8

// The faces.
const (
	Regular Face = iota
	Bold
	Mono
)

// An Align says where a text lies relative to its x.
type Align uint8

// The alignments.
const (
	Left Align = iota
	Center
	Right
)

// A Font is a face at a size in points.
type Font struct {
	Face Face
	Size float64
}

// Text draws s with its baseline at y and returns its width.
func (c *Canvas) Text(x, y float64, s string, f Font, align Align, col color.RGBA) float64 {
	size := sizeOf(f, c.Scale)
	var width float64
	if align != Left {
		width = glyphs.width(f.Face, size, s)
	}
	pen := x * c.Scale
	switch align {
	case Center:
		pen -= width / 2
	case Right:
		pen -= width
	}
	start := pen
	base := int(math.Round(y * c.Scale))
	min := c.Img.Bounds().Min
	src := image.NewUniform(col)
	for _, r := range s {
		whole := math.Floor(pen)
		g := glyphs.get(glyphKey{f.Face, size, r, uint8((pen - whole) * 4)})
		if g.mask != nil {
			at := image.Pt(int(whole), base).Add(g.at).Add(min)
			draw.DrawMask(c.Img, image.Rectangle{at, at.Add(g.mask.Rect.Size())}, src, image.Point{}, g.mask, image.Point{}, draw.Over)
		}
		pen += g.advance
	}
	if c.Said != nil {
		c.Said(s, Rect{X: start / c.Scale, Y: y - f.Size, W: (pen - start) / c.Scale, H: f.Size})
	}
	return (pen - start) / c.Scale
}

// TextIn draws s on the middle line of r, shortened by an ellipsis if it is too wide.
func (c *Canvas) TextIn(r Rect, s string, f Font, align Align, col color.RGBA) {
	x := r.X
	switch align {
	case Center:
		x += r.W / 2
	case Right:
		x += r.W
	}
	// The capitals of the Go fonts are 0.72 of the size high.
	c.Text(x, r.Y+r.H/2+0.36*f.Size, Shorten(s, f, r.W), f, align, col)
}

// Width is the width of s in points.
func Width(s string, f Font) float64 {
	return glyphs.width(f.Face, sizeOf(f, 1), s)
}

// Shorten is s, or the beginning of s and an ellipsis where s is wider than width points.
func Shorten(s string, f Font, width float64) string {
	if Width(s, f) <= width {
		return s
	}
	for len(s) > 0 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
		if Width(s+"…", f) <= width {
			return s + "…"
		}
	}
	return ""
}

// Wrap breaks s at spaces into lines of at most width points; a longer word has a line of its own.
func Wrap(s string, f Font, width float64) []string {
	var lines []string
	line := ""
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != ' ' {
			continue
		}
		word := s[start:i]
		start = i + 1
		switch {
		case word == "":
		case line == "":
			line = word
		case Width(line+" "+word, f) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// sizeOf is the size of f in 1/64 pixel, bounded to what can be drawn sensibly.
func sizeOf(f Font, scale float64) fixed.Int26_6 {
	return fixed.Int26_6(math.Round(min(max(f.Size*scale, 1), 1000) * 64))
}

type glyphKey struct {
	face Face
	size fixed.Int26_6
	r    rune
	sub  uint8 // quarters of a pixel to the right
}

type glyph struct {
	mask    *image.Alpha // nil for a blank
	at      image.Point  // of the mask, from the pen on the baseline
	advance float64      // in pixels
}

// glyphs keeps what was rasterised. It is the package's only state, and invisible: the same call
// draws the same pixels with it empty or full.
var glyphs glyphCache

const maxGlyphs = 8192

type glyphCache struct {
	mu    sync.Mutex
	fonts [3]*sfnt.Font
	faces map[faceKey]font.Face
	all   map[glyphKey]*glyph
}

type faceKey struct {
	face Face
	size fixed.Int26_6
}

func (g *glyphCache) width(face Face, size fixed.Int26_6, s string) float64 {
	var w float64
	for _, r := range s {
		w += g.get(glyphKey{face, size, r, 0}).advance
	}
	return w
}

func (g *glyphCache) get(k glyphKey) *glyph {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := g.all[k]; p != nil {
		return p
	}
	if g.all == nil || len(g.all) >= maxGlyphs {
		g.all = make(map[glyphKey]*glyph)
		g.faces = make(map[faceKey]font.Face)
	}
	p := &glyph{}
	dot := fixed.Point26_6{X: fixed.Int26_6(k.sub) * 16}
	r, mask, at, advance, ok := g.face(k.face, k.size).Glyph(dot, k.r)
	p.advance = float64(advance) / 64
	if ok && !r.Empty() {
		p.mask = image.NewAlpha(image.Rectangle{Max: r.Size()})
		draw.Draw(p.mask, p.mask.Rect, mask, at, draw.Src)
		p.at = r.Min
	}
	g.all[k] = p
	return p
}

func (g *glyphCache) face(face Face, size fixed.Int26_6) font.Face {
	k := faceKey{face, size}
	if f := g.faces[k]; f != nil {
		return f
	}
	if g.fonts[face] == nil {
		ttf := [...][]byte{goregular.TTF, gobold.TTF, gomono.TTF}[face]
		f, err := sfnt.Parse(ttf)
		if err != nil {
			panic(err) // the fonts are compiled in
		}
		g.fonts[face] = f
	}
	f, err := opentype.NewFace(g.fonts[face], &opentype.FaceOptions{Size: float64(size) / 64, DPI: 72})
	if err != nil {
		panic(err) // NewFace returns none
	}
	g.faces[k] = f
	return f
}
