package viz

import "github.com/ponder-agents/ponder/viz/canvas"

// Fonts of the panes.
var (
	fontBody  = canvas.Font{Size: 13}
	fontSmall = canvas.Font{Size: 11.5}
	fontHead  = canvas.Font{Face: canvas.Bold, Size: 12}
	fontBig   = canvas.Font{Face: canvas.Bold, Size: 32}
)

const gap = 8.0 // of the 8-point spacing

// panel draws the ground of a pane with its heading and returns what is left.
func panel(c *canvas.Canvas, r canvas.Rect, t *Theme, head string) canvas.Rect {
	c.Fill(r, t.Back)
	c.RoundRect(r, 6, t.Panel)
	r = r.Inset(1.5 * gap)
	if head == "" {
		return r
	}
	top, rest := r.Top(16)
	c.TextIn(top, head, fontHead, canvas.Left, t.Muted)
	_, rest = rest.Top(gap)
	return rest
}

// dimmed is how strongly what was thought before shines through.
const dimmed = 0.5

// dim lets what a panel shows recede into its ground, heading and all.
func dim(c *canvas.Canvas, r canvas.Rect, t *Theme) { c.Fill(r.Inset(gap), alpha(t.Panel, 1-dimmed)) }

// lines writes s in as many lines as r has room for.
func lines(c *canvas.Canvas, r canvas.Rect, s string, t *Theme) {
	const line = 17
	y := r.Y + 12
	for _, l := range canvas.Wrap(s, fontBody, r.W) {
		if y > r.Y+r.H {
			return
		}
		c.Text(r.X, y, l, fontBody, canvas.Left, t.Text)
		y += line
	}
}
