package viz

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// regretPane is what acting after other numbers of segments would have brought at this decision, beside where it stopped. It
// is there once that was asked for.
func regretPane() Pane {
	return Pane{
		ID: "regret",
		Place: func(r *Room) []canvas.Rect {
			if !r.Branched || r.Views > 1 {
				return nil
			}
			place := r.ColumnBottom(regretHeight)
			if place.Empty() && r.below { // on a phone, in the place of the curve
				place = r.ColumnRest()
			}
			return []canvas.Rect{place}
		},
		Draw:  drawRegret,
		Shows: func(v *View) any { return v.Branches },
		Hit: func(r canvas.Rect, _ float64, v *View, x, _ float64) Hit {
			if v.Branches == nil || v.Step == nil {
				return Hit{}
			}
			a := regretArea(r)
			n := regretLen(v)
			return hit(HitSegment, min(max(int((x-a.X)/a.W*float64(n)), 0), len(v.Step.Thought)-1))
		},
	}
}

const regretHeight = 152.0

// regretArea is the part of the pane r in which the curve lies.
func regretArea(r canvas.Rect) canvas.Rect {
	r = r.Inset(1.5 * gap)
	_, r = r.Top(16 + gap)
	_, r = r.Bottom(16)
	_, r = r.Left(40)
	return r
}

// regretLen is the number of segments on its axis.
func regretLen(v *View) int {
	n := len(v.Step.Thought)
	if s := v.Branches.Segments; len(s) > 0 {
		n = max(n, s[len(s)-1])
	}
	return n
}

// verdict says in a few words whether it stopped too soon or too late.
func verdict(v *View) string {
	own := HaltedAt(v.Step) + 1
	lost, best, ok := v.Branches.Regret(own)
	switch {
	case own == 0:
		return "it has not stopped yet"
	case !ok:
		return ""
	case lost < 0.0005: // 0.000, as it is written
	case best > own:
		return fmt.Sprintf("too short: %d would bring %.3f more", best, lost)
	default:
		return fmt.Sprintf("too long: %d would bring %.3f more", best, lost)
	}
	return "right: no other brings more"
}

// drawRegret draws the return against segments, a square for each number that was tried, the best one ringed, and the line at
// which it stops, as in the curve of halting.
func drawRegret(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	panel(c, r, t, "Too short, or too long?")
	c.Mark(r, "regret")
	b := v.Branches
	a := regretArea(r)
	if b == nil || v.Step == nil || a.H < 16 || a.W < 40 {
		return
	}
	n := regretLen(v)
	low, high := slices.Min(b.Worth), slices.Max(b.Worth)
	y := func(w float64) float64 {
		if high-low < 1e-9 {
			return a.Y + a.H/2
		}
		return a.Y + a.H*(0.9-0.8*(w-low)/(high-low))
	}
	for _, w := range slices.Compact([]float64{high, low}) {
		c.Fill(canvas.Rect{X: a.X, Y: y(w) - 0.5, W: a.W, H: 1}, t.Line)
		c.Text(a.X-6, y(w)+4, fmt.Sprintf("%.3f", w), fontSmall, canvas.Right, t.Muted)
	}
	own := HaltedAt(v.Step) + 1
	if own > 0 {
		x := chartX(a, n, own-1)
		c.Fill(canvas.Rect{X: x - 0.75, Y: a.Y - 4, W: 1.5, H: a.H + 4}, t.Text)
	}
	points := make([]canvas.Point, len(b.Worth))
	right := math.Inf(-1) // of the numbers written
	for i, w := range b.Worth {
		points[i] = canvas.Point{X: chartX(a, n, b.Segments[i]-1), Y: y(w)}
		s := strconv.Itoa(b.Segments[i])
		if half := canvas.Width(s, fontSmall) / 2; points[i].X-half > right+2 {
			c.Text(points[i].X, a.Y+a.H+14, s, fontSmall, canvas.Center, t.Muted)
			right = points[i].X + half
		}
	}
	c.Line(2, t.Good, points...)
	_, best, ok := b.Regret(own)
	for i, p := range points {
		c.Fill(canvas.Rect{X: p.X - 3, Y: p.Y - 3, W: 6, H: 6}, t.Good)
		if ok && b.Segments[i] == best {
			c.Frame(canvas.Rect{X: p.X - 6, Y: p.Y - 6, W: 12, H: 12}, 6, 1.5, t.Text)
		}
	}
	head, _ := r.Inset(1.5 * gap).Top(16)
	c.TextIn(head, verdict(v), fontSmall, canvas.Right, t.Text)
}
