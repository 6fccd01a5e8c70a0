package viz

import (
	"fmt"
	"image"
	"math"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// Sheet draws all segments of v's decision on one page, for papers and issues: a board each with its
// answer, the halting probabilities under it, and the curve at the end. Of o only scale and theme
// count; the page is as large as it needs.
func Sheet(o Options, v *View) *image.RGBA {
	o = o.filled()
	w := *v
	w.Theme = o.Theme
	t := o.Theme
	n := 0
	if v.Step != nil {
		n = len(v.Step.Thought)
	}
	const (
		margin = 24.0
		side   = 176.0
		label  = 40.0
		head   = 48.0
		chart  = 176.0
	)
	cols := min(max(n, 4), max(4, int(math.Ceil(math.Sqrt(float64(n)*1.6)))))
	rows := (max(n, 1) + cols - 1) / cols
	width := 2*margin + float64(cols)*(side+2*gap) - 2*gap
	height := 2*margin + head + float64(rows)*(side+label+gap) + chart
	c := canvas.New(width, height, o.Scale)
	c.Fill(c.Bounds(), t.Back)
	page := c.Bounds().Inset(margin)
	top, body := page.Top(head)
	title, sub := top.Top(20)
	c.TextIn(title, w.Header.EnvID, canvas.Font{Face: canvas.Bold, Size: 16}, canvas.Left, t.Text)
	c.TextIn(title, Who(w.Header), fontBody, canvas.Right, t.Muted)
	if n == 0 {
		c.TextIn(body, "This decision has no segments", fontBody, canvas.Center, t.Muted)
		return c.Img
	}
	line, _ := sub.Top(18)
	c.TextIn(line, fmt.Sprintf("seed %d, episode %d, step %d: %s of thought", v.Step.Seed, v.Step.Episode+1, v.Step.Index+1, plural(n, "segment")),
		fontBody, canvas.Left, t.Muted)

	b := &v.Step.Board
	cell := max(int(side*o.Scale)/max(b.Cols, b.Rows, 1), 1)
	art := paint(*b, cell, w.painter(), nil)
	for k := range n {
		x := body.X + float64(k%cols)*(side+2*gap)
		y := body.Y + float64(k/cols)*(side+label+gap)
		small := miniature(&w, k, art, o.Scale)
		sw, sh := float64(small.Rect.Dx())/o.Scale, float64(small.Rect.Dy())/o.Scale
		c.Image(x+(side-sw)/2, y+(side-sh)/2, small)
		name := fmt.Sprintf("segment %d", k+1)
		col := t.Text
		if k == HaltedAt(v.Step) {
			name += ", halts"
			col = t.Halt
			c.Frame(canvas.Rect{X: x + (side-sw)/2, Y: y + (side-sh)/2, W: sw, H: sh}.Inset(-3), 4, 2, t.Halt)
		}
		c.Text(x+side/2, y+side+18, name, fontBody, canvas.Center, col)
		c.Text(x+side/2, y+side+33, QWords(v.Step, k), fontSmall, canvas.Center, t.Muted)
	}
	w.Segment = n - 1
	low, _ := page.Bottom(chart - gap)
	curve, latent := low.Left(low.W * 0.6)
	_, latent = latent.Left(gap)
	drawCurve(c, curve, &w)
	drawLatent(c, latent, &w)
	return c.Img
}
