package window

import (
	"strconv"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// The pad has the digits for whom has no keys, from 1 on, and an empty cell.
const (
	padKey = 48.0 // height of a key in points
	padGap = 6.0
)

// padKeys is how many keys the pad has, and how many of them stand in a row.
func (a *App) padKeys() (keys, cols int) {
	keys = a.digits() + 1
	if keys > 10 {
		return keys, 6
	}
	return keys, 5
}

// pads reports whether cells get their digits from the pad: where fingers edit digits.
func (a *App) pads() bool {
	return a.in.Touch && a.live() && a.sides[0].header.Answer == trace.AnswerDigit
}

// padArea is where the pad stands while there is a cell for its digits.
func (a *App) padArea() (r canvas.Rect, ok bool) {
	if a.cursor < 0 || !a.editing() || !a.pads() {
		return r, false
	}
	w := min(a.in.Width-16, 420)
	keys, cols := a.padKeys()
	rows := float64((keys + cols - 1) / cols)
	h := rows*padKey + (rows+1)*padGap
	return canvas.Rect{X: (a.in.Width - w) / 2, Y: a.in.Height - a.sizes().bottom - h - 4, W: w, H: h}, true
}

// padKeyAt is the place of a digit's key in the pad r; the last is the empty cell, 0.
func (a *App) padKeyAt(r canvas.Rect, i int) canvas.Rect {
	_, cols := a.padKeys()
	w := (r.W - float64(cols+1)*padGap) / float64(cols)
	return canvas.Rect{X: r.X + padGap + float64(i%cols)*(w+padGap), Y: r.Y + padGap + float64(i/cols)*(padKey+padGap), W: w, H: padKey}
}

// padText is what stands on a key.
func (a *App) padText(i int) string {
	switch {
	case i == a.digits():
		return "empty"
	case i >= 9: // as on the board
		return string(rune('A' + i - 9))
	}
	return strconv.Itoa(i + 1)
}

// pressPad takes a digit, and reports whether the pad is at the point.
func (a *App) pressPad(x, y float64) bool {
	r, ok := a.padArea()
	if !ok || !r.Contains(x, y) {
		return false
	}
	keys, _ := a.padKeys()
	for i := range keys {
		if a.padKeyAt(r, i).Contains(x, y) {
			a.editCell(0, a.cursor, (i+1)%keys)
		}
	}
	return true
}

func (a *App) drawPad(out []Blit) []Blit {
	r, ok := a.padArea()
	if !ok {
		return out
	}
	t := a.theme
	if cell, ok := a.cellRect(a.boards()[0], a.cursor); ok {
		out = a.draw(out, "cursor", cell, t.Name, func(c *canvas.Canvas, r canvas.Rect) {
			c.Frame(r, 3, max(r.W/10, 2), t.Continue)
		})
	}
	return a.draw(out, "pad", r, t.Name, func(c *canvas.Canvas, r canvas.Rect) {
		c.RoundRect(r, 10, t.Line)
		keys, _ := a.padKeys()
		for i := range keys {
			k := a.padKeyAt(r, i)
			c.RoundRect(k, 7, t.Raise)
			f := canvas.Font{Face: canvas.Bold, Size: 20}
			if i == keys-1 {
				f = canvas.Font{Size: 13}
			}
			c.TextIn(k, a.padText(i), f, canvas.Center, t.Text)
		}
	})
}
