package window

import (
	"strings"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// helpArea is where the help stands.
func (a *App) helpArea() canvas.Rect {
	w, h := min(a.in.Width-32, 780), min(a.in.Height-32, 556)
	return canvas.Rect{X: (a.in.Width - w) / 2, Y: (a.in.Height - h) / 2, W: w, H: h}
}

// drawHelp lists every control with its keys.
func (a *App) drawHelp(c *canvas.Canvas, r canvas.Rect) {
	t := a.theme
	c.RoundRect(r, 10, t.Line)
	c.RoundRect(r.Inset(1), 9, t.Panel)
	in := r.Inset(24)
	head, in := in.Top(24)
	c.TextIn(head, "Keys", canvas.Font{Face: canvas.Bold, Size: 17}, canvas.Left, t.Text)
	c.TextIn(head, "any key closes", canvas.Font{Size: 12.5}, canvas.Right, t.Muted)
	_, in = in.Top(8)
	foot, in := in.Bottom(58)
	all := a.controls()
	rows := (len(all) + 1) / 2
	h := min(in.H/float64(rows), 27)
	size := min(h*0.52, 13)
	f := canvas.Font{Size: size}
	for i, k := range all {
		col := i / rows
		line := canvas.Rect{X: in.X + float64(col)*(in.W/2+8), Y: in.Y + float64(i%rows)*h, W: in.W/2 - 8, H: h}
		if k.icon != nil && h >= 18 {
			k.icon(c, line.X, line.Y+(h-16)/2, t.Muted)
		}
		_, line = line.Left(26)
		names := make([]string, len(k.keys))
		for j, key := range k.keys {
			names[j] = key.shown()
		}
		keys := strings.Join(names, "  ")
		c.TextIn(line, keys, f, canvas.Right, t.Halt)
		_, line = line.Right(canvas.Width(keys, f) + 8)
		c.TextIn(line, k.tip, f, canvas.Left, t.Text)
	}
	y := foot.Y + 16
	for _, s := range canvas.Wrap("Mouse: click or drag in the timeline, the curve and the strip of segments to go there; click a cell to see its attention, or to change it while editing; "+
		"click an action to take it when you play. Drop a trace or a level's text on the window to open it.", canvas.Font{Size: 12}, foot.W) {
		c.Text(foot.X, y, s, canvas.Font{Size: 12}, canvas.Left, t.Muted)
		y += 16
	}
}
