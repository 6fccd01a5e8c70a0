package viz

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/viz/canvas"
)

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

// DrawThought draws the number of segments used, in a sentence too.
func DrawThought(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	r = panel(c, r, t, "")
	if !Thinks(v.Header) {
		top, rest := r.Top(40)
		c.Text(top.X, top.Y+30, agentTitle(v.Header.Agent), fontBig, canvas.Left, t.Text)
		_, rest = rest.Top(gap)
		lines(c, rest, v.Words(), t)
		return
	}
	used, most := 0, v.Header.MaxSegments
	if v.Step != nil {
		used = v.Segment + 1
		most = max(most, len(v.Step.Thought))
	}
	top, rest := r.Top(40)
	w := c.Text(top.X, top.Y+30, strconv.Itoa(used), fontBig, canvas.Left, t.Text)
	of := "segments"
	if most > 0 {
		of = fmt.Sprintf("of %d segments", most)
	}
	c.Text(top.X+w+gap, top.Y+30, of, fontBody, canvas.Left, t.Muted)
	if v.Mean > 0 {
		c.Text(r.X+r.W, top.Y+14, fmt.Sprintf("mean %.1f", v.Mean), fontSmall, canvas.Right, t.Muted)
		c.Text(r.X+r.W, top.Y+30, fmt.Sprintf("most %d", v.Most), fontSmall, canvas.Right, t.Muted)
	}
	_, rest = rest.Top(gap / 2)
	if bar, below := rest.Top(6); most > 0 && rest.H >= 6 {
		segmentBar(c, bar, v, most)
		_, rest = below.Top(gap)
	}
	lines(c, rest, v.Words(), t)
}

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

// Thinks reports whether the agent of h thinks in segments, so that there is thought to show.
func Thinks(h trace.Header) bool { return h.MaxSegments > 0 || h.Agent == "hrm" }

func agentTitle(agent string) string {
	switch agent {
	case "oracle":
		return "Oracle"
	case "random":
		return "Chance"
	case "human":
		return "You"
	}
	return "Agent"
}

// segmentBar draws the segments as a row of blocks: thought and shown, thought, not needed.
func segmentBar(c *canvas.Canvas, r canvas.Rect, v *View, most int) {
	t := v.theme()
	n := 0
	if v.Step != nil {
		n = len(v.Step.Thought)
	}
	w := r.W / float64(most)
	space := min(2, w/4)
	for i := range most {
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

// chartArea is the part of the curve's pane in which the curves lie.
func chartArea(r canvas.Rect) canvas.Rect {
	r = r.Inset(1.5 * gap)
	_, r = r.Top(16 + gap)
	_, r = r.Bottom(16)
	_, r = r.Left(24)
	_, r = r.Right(62)
	return r
}

// chartLen is the number of segments on the x axis.
func chartLen(v *View) int {
	n := max(v.Header.MaxSegments, 2)
	if v.Step != nil {
		n = max(n, len(v.Step.Thought))
	}
	return n
}

func chartX(a canvas.Rect, n, segment int) float64 {
	return a.X + a.W*(float64(segment)+0.5)/float64(n)
}

// CurveSegmentAt is the segment at x in the pane of the curve, bounded to those thought; -1 without any.
func CurveSegmentAt(r canvas.Rect, v *View, x float64) int {
	if v.Step == nil || len(v.Step.Thought) == 0 {
		return -1
	}
	a := chartArea(r)
	return min(max(int(math.Floor((x-a.X)/a.W*float64(chartLen(v)))), 0), len(v.Step.Thought)-1)
}

// DrawCurve draws the probabilities of halting and continuing against segments, with the moment of
// halting, the cells changed as bars and the mean confidence.
func DrawCurve(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	panel(c, r, t, "Halting")
	a := chartArea(r)
	if a.H < 24 || a.W < 40 {
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
	if halted >= 0 && halted+1 < len(thought) {
		// What was thought although the rule would have stopped.
		x := chartX(a, n, halted)
		c.Fill(canvas.Rect{X: x, Y: a.Y, W: chartX(a, n, len(thought)-1) - x, H: a.H}, alpha(t.Continue, 0.12))
	}
	cells := 1
	if v.Step != nil {
		cells = max(len(v.Step.Board.Cells), 1)
	}
	w := a.W / float64(n)
	for i := 1; i < len(thought); i++ {
		if k, ok := changed(&thought[i], &thought[i-1]); ok && k > 0 {
			h := max(a.H*math.Sqrt(float64(k)/float64(cells)), 1)
			c.Fill(canvas.Rect{X: chartX(a, n, i) - w*0.3, Y: a.Y + a.H - h, W: w * 0.6, H: h}, mix(t.Panel, t.Faint, 0.45))
		}
	}
	type curve struct {
		name  string
		col   color.RGBA
		value func(g *trace.Segment) float64
		dot   bool
		at    float64 // y of the label
	}
	curves := []curve{
		{"halt", t.Halt, func(g *trace.Segment) float64 { return Sigmoid(g.QHalt) }, true, 0},
		{"cont.", t.Continue, func(g *trace.Segment) float64 { return Sigmoid(g.QContinue) }, true, 0},
	}
	continues := hasContinue(thought)
	if !continues {
		curves = curves[:1]
	}
	if slices.ContainsFunc(thought, func(g trace.Segment) bool { return len(g.Confidence) > 0 }) {
		curves = append(curves, curve{"conf.", t.Muted, MeanConfidence, false, 0})
	}
	if !continues && v.Header.Rule != "never" {
		// The threshold takes the place of the other curve.
		p := Sigmoid(v.Header.Threshold)
		c.Dashes(1, 3, t.Continue, canvas.Point{X: a.X, Y: y(p)}, canvas.Point{X: a.X + a.W, Y: y(p)})
	}
	if halted >= 0 {
		x := chartX(a, n, halted)
		c.Fill(canvas.Rect{X: x - 0.75, Y: a.Y - 4, W: 1.5, H: a.H + 4}, t.Text)
		head, _ := r.Inset(1.5 * gap).Top(16)
		c.TextIn(head, "halts at "+strconv.Itoa(halted+1), fontSmall, canvas.Right, t.Text)
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
		c.Text(x, k.at, k.name, fontSmall, canvas.Left, k.col)
		c.Text(x+54, k.at, fmt.Sprintf("%.2f", k.value(&thought[shown])), fontSmall, canvas.Right, k.col)
	}
}

// DrawLatent draws the way of each level's state through the model's plane of principal components.
func DrawLatent(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	r = panel(c, r, t, "Hidden state")
	n := len(v.Header.Levels)
	if n == 0 {
		c.TextIn(r, "none recorded", fontSmall, canvas.Center, t.Muted)
		return
	}
	part := r
	part.W = (r.W - float64(n-1)*2*gap) / float64(n)
	for level := range n {
		part.X = r.X + float64(level)*(part.W+2*gap)
		latent(c, part, v, level)
	}
}

func latent(c *canvas.Canvas, r canvas.Rect, v *View, level int) {
	t := v.theme()
	name := stateName(v.Header.Levels[level])
	low, plot := r.Bottom(18)
	c.RoundRect(plot, 4, t.Back)
	var thought []trace.Segment
	if v.Step != nil {
		thought = v.Step.Thought
	}
	var at [][2]float64
	known := false
	for i := range thought {
		p := levelOf(&thought[i], level).Path
		q := [2]float64{float64(p[0]), float64(p[1])}
		if math.IsNaN(q[0]*q[1]) || math.IsInf(q[0]*q[1], 0) {
			q = [2]float64{}
		}
		known = known || q != [2]float64{}
		at = append(at, q)
	}
	if !known {
		s := "none recorded"
		if len(thought) == 0 {
			s = "none yet"
		}
		c.TextIn(plot, s, fontSmall, canvas.Center, t.Muted)
		c.TextIn(low, name, fontSmall, canvas.Left, t.Muted)
		return
	}
	lo, hi := at[0], at[0]
	for _, p := range at {
		for k := range 2 {
			lo[k], hi[k] = min(lo[k], p[k]), max(hi[k], p[k])
		}
	}
	// One scale for both axes: distances mean the same in every direction.
	in := plot.Inset(12)
	span := max((hi[0]-lo[0])/max(in.W, 1), (hi[1]-lo[1])/max(in.H, 1), 1e-12)
	points := make([]canvas.Point, len(at))
	for i, p := range at {
		points[i] = canvas.Point{
			X: in.X + in.W/2 + (p[0]-(lo[0]+hi[0])/2)/span,
			Y: in.Y + in.H/2 - (p[1]-(lo[1]+hi[1])/2)/span,
		}
	}
	// Early to late along the part of the scale that the ground lets one see.
	from, to := 0.25, 1.0
	if t.Back.G > 128 {
		from, to = 0.0, 0.8
	}
	tint := func(i int) color.RGBA {
		col := Viridis(from + (to-from)*float64(i)/float64(max(len(points)-1, 1)))
		if i > v.Segment {
			col = mix(col, t.Back, 0.65)
		}
		return col
	}
	for i := range points[1:] {
		c.Line(1.6, tint(i+1), points[i], points[i+1])
	}
	for i, p := range points {
		col := tint(i)
		c.Disc(p.X, p.Y, 2.8, col)
		if i == v.Segment {
			c.Ring(p.X, p.Y, 6, 1.5, t.Text)
		}
	}
	c.TextIn(low, name, fontSmall, canvas.Left, t.Muted)
	if g := v.segment(); g != nil {
		if change := levelOf(g, level).Change; len(change) > 0 {
			var sum float64
			for _, x := range change {
				sum += float64(x) * float64(x)
			}
			c.TextIn(low, fmt.Sprintf("moved %.3g", math.Sqrt(sum/float64(len(change)))), fontSmall, canvas.Right, t.Muted)
		}
	}
}

// actionRow is the height of an action's line.
const actionRow = 18.0

// actionOrder is the actions that fit into the pane's inner part r, in the order of their lines, with
// their probabilities after the segment shown, if it has any.
func actionOrder(r canvas.Rect, v *View) (order []int, prob []float32) {
	if g := v.segment(); g != nil {
		prob = g.Actions
	}
	n := len(prob)
	if n == 0 {
		n = len(v.Header.Actions)
	}
	order = make([]int, n)
	for i := range order {
		order[i] = i
	}
	fit := max(int(r.H/actionRow), 1)
	if n > fit && len(prob) == 0 {
		// Of many alike only the one taken says anything.
		if v.Step == nil || v.Step.Action < 0 || v.Step.Action >= n {
			return nil, nil
		}
		return []int{v.Step.Action}, nil
	}
	if n > fit {
		// The most probable ones, first of all the one taken.
		weight := func(a int) float32 {
			switch {
			case v.Step != nil && a == v.Step.Action:
				return 2
			case a < len(prob):
				return prob[a]
			}
			return 0
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weight(b), weight(a)) })
		order = order[:fit]
	}
	return order, prob
}

// ActionAt is the action whose line is at height y in the pane r, -1 if there is none.
func ActionAt(r canvas.Rect, v *View, y float64) int {
	_, in := r.Inset(1.5 * gap).Top(16 + gap)
	order, _ := actionOrder(in, v)
	i := int(math.Floor((y - in.Y) / actionRow))
	if i < 0 || i >= len(order) {
		return -1
	}
	return order[i]
}

// DrawActions draws the probability of each action after the segment shown and marks the one taken.
func DrawActions(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	r = panel(c, r, t, "Action")
	taken := -1
	if v.Step != nil {
		taken = v.Step.Action
	}
	name := func(a int) string {
		if a >= 0 && a < len(v.Header.Actions) {
			return v.Header.Actions[a]
		}
		return strconv.Itoa(a)
	}
	order, prob := actionOrder(r, v)
	if len(order) == 0 {
		top, _ := r.Top(actionRow)
		c.TextIn(top, "none, or the answer itself", fontBody, canvas.Left, t.Muted)
		return
	}
	label := 0.0
	for _, a := range order {
		label = max(label, canvas.Width(name(a), fontBody))
	}
	label = min(label, r.W*0.45) + 20
	for i, a := range order {
		line := canvas.Rect{X: r.X, Y: r.Y + float64(i)*actionRow, W: r.W, H: actionRow}
		col, text := t.Faint, t.Muted
		if a == taken {
			col, text = t.Halt, t.Text
			y := line.Y + actionRow/2
			c.Polygon(t.Halt, canvas.Point{X: r.X, Y: y - 4}, canvas.Point{X: r.X + 6, Y: y}, canvas.Point{X: r.X, Y: y + 4})
		}
		left, bar := line.Left(label)
		_, left = left.Left(12)
		c.TextIn(left, name(a), fontBody, canvas.Left, text)
		if a >= len(prob) {
			continue
		}
		num, bar := bar.Right(36)
		p := unit(float64(prob[a]))
		bar = canvas.Rect{X: bar.X, Y: bar.Y + actionRow/2 - 3, W: bar.W, H: 6}
		c.RoundRect(bar, 3, t.Raise)
		if p > 0 {
			bar.W = max(bar.W*p, 3)
			c.RoundRect(bar, 3, col)
		}
		c.TextIn(num, fmt.Sprintf("%.2f", p), fontSmall, canvas.Right, text)
	}
}

// DrawHeader draws the name of the environment and who acts.
func DrawHeader(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	c.Fill(r, t.Back)
	_, in := r.Left(2 * gap)
	_, in = in.Right(2 * gap)
	name := v.Header.EnvID
	if name == "" {
		name = "ponder"
	}
	f := canvas.Font{Face: canvas.Bold, Size: 15}
	who := Who(v.Header)
	w := canvas.Width(who, fontBody)
	c.TextIn(in, who, fontBody, canvas.Right, t.Muted)
	_, in = in.Right(w + 2*gap)
	c.TextIn(in, name, f, canvas.Left, t.Text)
	if v.Note != "" {
		_, in = in.Left(canvas.Width(name, f) + 2*gap)
		c.TextIn(in, v.Note, fontBody, canvas.Left, t.Continue)
	}
}

// modelName is a name, or the last two parts of a path.
func modelName(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == '\\' })
	return strings.Join(parts[max(len(parts)-2, 0):], "/")
}

// ruleWords says when the model halts; what act.Rule does not know is left as it is.
func ruleWords(h trace.Header) string {
	switch h.Rule {
	case "halt-over-continue":
		return "halts when halt > continue"
	case "halt-above":
		return fmt.Sprintf("halts when halt > %.2g", Sigmoid(h.Threshold))
	case "never":
		return "never halts early"
	}
	return h.Rule
}

// Who says who acts and by which rule it halts.
func Who(h trace.Header) string {
	switch {
	case h.Model != "" && h.Rule != "":
		return "model " + modelName(h.Model) + ", " + ruleWords(h)
	case h.Model != "":
		return "model " + modelName(h.Model)
	case h.Agent == "":
		return ""
	}
	return "played by " + AgentWords(h.Agent)
}
