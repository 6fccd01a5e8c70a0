package viz

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// curvePane is the probabilities of halting and continuing against segments. It takes what the other
// panes leave.
func curvePane() Pane {
	return Pane{
		ID: "curve",
		Place: func(r *Room) []canvas.Rect {
			switch {
			case !r.Thinks:
				return nil
			case r.Views == 2:
				return r.UnderRest()
			}
			return []canvas.Rect{r.ColumnRest()}
		},
		Draw: drawCurve,
		Hit: func(r canvas.Rect, _ float64, v *View, x, _ float64) Hit {
			return hit(HitSegment, curveSegmentAt(r, v, x))
		},
		Drag: true, Wheel: true,
	}
}

// barShare is how much of the chart's height the bar of the most cells changed takes.
const barShare = 0.6

// chartArea is the part of the curve's pane in which the curves lie.
func chartArea(r canvas.Rect) canvas.Rect {
	r = r.Inset(1.5 * gap)
	_, r = r.Top(16 + gap)
	_, r = r.Bottom(16)
	_, r = r.Left(24)
	_, r = r.Right(86)
	return r
}

// chartLen is the number of segments on the x axis: it doubles as a thought grows, so that this fills half of it or
// more and does not move with every segment, up to the most there can be.
func chartLen(v *View) int {
	thought := 0
	if v.Step != nil {
		thought = len(v.Step.Thought)
	}
	n := 4
	for n < thought {
		n *= 2
	}
	if most := max(v.Header.MaxSegments, 2); thought <= most {
		n = min(n, most)
	}
	return max(n, thought)
}

// most says how many segments there can be.
func (v *View) most() int {
	n := v.Header.MaxSegments
	if v.Step != nil {
		n = max(n, len(v.Step.Thought))
	}
	return n
}

func chartX(a canvas.Rect, n, segment int) float64 {
	return a.X + a.W*(float64(segment)+0.5)/float64(n)
}

// curveSegmentAt is the segment at x in the pane of the curve, bounded to those thought; -1 without any.
func curveSegmentAt(r canvas.Rect, v *View, x float64) int {
	if v.Step == nil || len(v.Step.Thought) == 0 {
		return -1
	}
	a := chartArea(r)
	return min(max(int(math.Floor((x-a.X)/a.W*float64(chartLen(v)))), 0), len(v.Step.Thought)-1)
}

// drawCurve draws the probabilities of halting and continuing against segments, with the moment of
// halting, the cells changed as bars and the mean confidence.
func drawCurve(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	panel(c, r, t, "Stop, or think on?")
	c.Mark(r, "halting")
	v, old := v.held()
	if old {
		defer dim(c, r, t)
	}
	a := chartArea(r)
	if a.H < 16 || a.W < 40 {
		return
	}
	n := chartLen(v)
	var thought []trace.Segment
	if v.Step != nil {
		thought = v.Step.Thought
	}
	halted := -1
	if v.Step != nil {
		halted = HaltedAt(v.Step)
	}
	if len(thought) == 0 {
		c.TextIn(a, "no segments yet", fontBody, canvas.Center, t.Muted)
		return
	}
	c.Mark(canvas.Rect{X: a.X, Y: a.Y, W: a.W, H: a.H + 16}, "changed")
	y := func(p float64) float64 { return a.Y + a.H*(1-p) }
	for _, p := range []float64{0, 0.5, 1} {
		c.Fill(canvas.Rect{X: a.X, Y: y(p) - 0.5, W: a.W, H: 1}, t.Line)
		c.Text(a.X-6, y(p)+4, strconv.FormatFloat(p, 'g', -1, 64), fontSmall, canvas.Right, t.Muted)
	}
	every := 1
	for (n+every-1)/every > max(int(a.W/22), 1) {
		every *= 2
	}
	for i := 0; i < n; i += every {
		c.Text(chartX(a, n, i), a.Y+a.H+14, strconv.Itoa(i+1), fontSmall, canvas.Center, t.Muted)
	}
	c.Mark(canvas.Rect{X: a.X + a.W, Y: a.Y + a.H, W: r.X + r.W - a.X - a.W, H: 18}, "most")
	switch most := v.Header.MaxSegments; {
	case most > n:
		c.Text(r.X+r.W-1.5*gap, a.Y+a.H+14, fmt.Sprintf("most %d", most), fontSmall, canvas.Right, t.Muted)
	case most > 0:
		// The most segments there can be.
		x := a.X + a.W*float64(most)/float64(n)
		c.Dashes(1, 3, t.Muted, canvas.Point{X: x, Y: a.Y}, canvas.Point{X: x, Y: a.Y + a.H})
		c.Text(r.X+r.W-1.5*gap, a.Y+a.H+14, "most", fontSmall, canvas.Right, t.Muted)
	}
	if halted >= 0 && halted+1 < len(thought) {
		// What was thought although the rule would have stopped.
		x := chartX(a, n, halted)
		c.Fill(canvas.Rect{X: x, Y: a.Y, W: chartX(a, n, len(thought)-1) - x, H: a.H}, alpha(t.Continue, 0.12))
	}
	// Bars of the cells changed, the highest with its number.
	counts, largest := make([]int, len(thought)), 0
	for i := 1; i < len(thought); i++ {
		counts[i], _ = changed(&thought[i], &thought[i-1])
		if counts[i] > counts[largest] {
			largest = i
		}
	}
	w := a.W / float64(n)
	for i, k := range counts {
		if k == 0 {
			continue
		}
		h := max(barShare*a.H*math.Sqrt(float64(k)/float64(counts[largest])), 1)
		c.Fill(canvas.Rect{X: chartX(a, n, i) - w*0.3, Y: a.Y + a.H - h, W: w * 0.6, H: h}, mix(t.Panel, t.Faint, 0.45))
		if i == largest && a.H >= 40 {
			c.Text(chartX(a, n, i), a.Y+a.H-h-4, strconv.Itoa(k), fontSmall, canvas.Center, t.Muted)
		}
	}
	type curve struct {
		name  string
		term  string
		col   color.RGBA
		value func(g *trace.Segment) float64
		dot   bool
		at    float64 // y of the label
	}
	var curves []curve
	halts, continues := hasHalt(thought), hasContinue(thought)
	if halts {
		curves = append(curves, curve{"stop", "halt", t.Halt, func(g *trace.Segment) float64 { return probability(g.QHalt) }, true, 0})
	}
	if continues {
		curves = append(curves, curve{"think on", "continue", t.Continue, func(g *trace.Segment) float64 { return probability(g.QContinue) }, true, 0})
	}
	if slices.ContainsFunc(thought, func(g trace.Segment) bool { return len(g.Confidence) > 0 }) {
		curves = append(curves, curve{"sure", "confidence", t.Muted, MeanConfidence, false, 0})
	}
	if halts && (v.Header.Rule == "halt-above" || !continues && v.Header.Rule != "never") {
		// The threshold takes the place of the other curve.
		p := probability(v.Header.Threshold)
		c.Dashes(1, 3, t.Continue, canvas.Point{X: a.X, Y: y(p)}, canvas.Point{X: a.X + a.W, Y: y(p)})
	}
	if halted >= 0 {
		x := chartX(a, n, halted)
		c.Fill(canvas.Rect{X: x - 0.75, Y: a.Y - 4, W: 1.5, H: a.H + 4}, t.Text)
		head, _ := r.Inset(1.5 * gap).Top(16)
		c.TextIn(head, "stops at "+strconv.Itoa(halted+1), fontSmall, canvas.Right, t.Text)
	}
	shown := min(max(v.Segment, 0), len(thought)-1)
	for i := range curves {
		k := &curves[i]
		points := make([]canvas.Point, len(thought))
		for j := range thought {
			points[j] = canvas.Point{X: chartX(a, n, j), Y: y(k.value(&thought[j]))}
		}
		width := 2.0
		if !k.dot {
			width = 1.2
		}
		c.Line(width, k.col, points...)
		if k.dot {
			for _, p := range points {
				c.Disc(p.X, p.Y, 2.2, k.col)
			}
			p := points[shown]
			c.Disc(p.X, p.Y, 5, t.Panel)
			c.Disc(p.X, p.Y, 3.8, k.col)
		}
		k.at = points[shown].Y
	}
	// The labels stand at the height of the segment shown, pushed apart where they would touch.
	order := make([]*curve, len(curves))
	for i := range curves {
		order[i] = &curves[i]
	}
	slices.SortFunc(order, func(p, q *curve) int { return int(math.Copysign(1, p.at-q.at)) })
	const line = 14.0
	for i := range order {
		low := a.Y + 4
		if i > 0 {
			low = order[i-1].at + line
		}
		high := a.Y + a.H + 4 - line*float64(len(order)-1-i)
		order[i].at = max(min(order[i].at+4, high), low)
		if i == 0 {
			order[i].at = min(order[i].at, high)
		}
	}
	for _, k := range order {
		x := a.X + a.W + gap
		c.Mark(canvas.Rect{X: x - gap/2, Y: k.at - 11, W: r.X + r.W - x, H: line}, k.term)
		c.Text(x, k.at, k.name, fontSmall, canvas.Left, k.col)
		c.Text(x+78, k.at, fmt.Sprintf("%.2f", k.value(&thought[shown])), fontSmall, canvas.Right, k.col)
	}
}
