package viz

import (
	"fmt"
	"strconv"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// thoughtPane is the card of a decision: the number of segments used, in a sentence too.
func thoughtPane() Pane {
	return Pane{
		ID: "thought",
		Place: func(r *Room) []canvas.Rect {
			switch {
			case r.Views == 2 && r.Page.W < 1440: // and room for what it remembers
				return r.UnderLeft(0.42, 176)
			case r.Views == 2:
				return r.UnderLeft(0.42, 240)
			}
			if r.Column(); r.Human && r.Beside > 0 && r.below { // the boards beside are more use
				return nil
			}
			return []canvas.Rect{r.ColumnTop(112)}
		},
		Draw:  drawThought,
		Shows: func(v *View) any { return [4]any{v.Mean, v.Most, v.Hand.Plays, v.Hand.Tries} },
	}
}

func drawThought(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	all := r
	r = panel(c, r, t, "")
	c.Mark(all, "segments")
	if !Thinks(v.Header) || v.person() {
		top, rest := r.Top(40)
		title := agentTitle(v.Header.Agent)
		switch {
		case v.Hand.Plays:
			title = "You"
		case v.person():
			title = "A person"
		}
		c.Text(top.X, top.Y+30, title, fontBig, canvas.Left, t.Text)
		_, rest = rest.Top(gap)
		lines(c, rest, v.Words(), t)
		return
	}
	words := v.Words()
	v, old := v.held()
	used, most := 0, v.most()
	if v.Step != nil {
		used = v.Segment + 1
	}
	top, rest := r.Top(40)
	w := c.Text(top.X, top.Y+30, strconv.Itoa(used), fontBig, canvas.Left, t.Text)
	of := "segments"
	if most > 0 {
		of = fmt.Sprintf("of %d segments", most)
	}
	c.Text(top.X+w+gap, top.Y+30, of, fontBody, canvas.Left, t.Muted)
	if v.Mean > 0 && r.W > 200 {
		c.Mark(canvas.Rect{X: r.X + r.W - 72, Y: r.Y, W: 72, H: 36}, "mean")
		c.Text(r.X+r.W, top.Y+14, fmt.Sprintf("mean %.1f", v.Mean), fontSmall, canvas.Right, t.Muted)
		c.Text(r.X+r.W, top.Y+30, fmt.Sprintf("most %d", v.Most), fontSmall, canvas.Right, t.Muted)
	}
	_, rest = rest.Top(gap / 2)
	if bar, below := rest.Top(6); most > 0 && rest.H >= 6 {
		segmentBar(c, bar, v, chartLen(v))
		_, rest = below.Top(gap)
	}
	if old {
		above := r
		above.H = rest.Y - r.Y
		c.Fill(above, alpha(t.Panel, 1-dimmed))
	}
	lines(c, rest, words, t)
}

// segmentBar draws segments as a row of so many blocks: thought and shown, thought, not needed.
func segmentBar(c *canvas.Canvas, r canvas.Rect, v *View, blocks int) {
	t := v.theme()
	n := 0
	if v.Step != nil {
		n = len(v.Step.Thought)
	}
	w := r.W / float64(blocks)
	space := min(2, w/4)
	for i := range blocks {
		col := t.Raise
		switch {
		case i <= v.Segment && i < n:
			col = t.Halt
		case i < n:
			col = mix(t.Halt, t.Panel, 0.6)
		}
		c.RoundRect(canvas.Rect{X: r.X + float64(i)*w, Y: r.Y, W: w - space, H: r.H}, 2, col)
	}
}
