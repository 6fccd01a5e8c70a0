package viz

import (
	"math"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// A Progress is how a run that is watched comes on. It is not changed once it is shown.
type Progress struct {
	Name   string // of the metric, as mean_return
	Steps  []int64
	Values []float64 // at the steps
	Shown  int64     // step of what acts now
}

// ProgressPane draws what of says, beside the other panes: the curve of a run, and from where of it comes what acts.
func ProgressPane(of func() *Progress) Pane {
	return Pane{
		ID: "progress",
		Place: func(r *Room) []canvas.Rect {
			if r.Views > 1 {
				return nil
			}
			return []canvas.Rect{r.ColumnBottom(132)}
		},
		Draw:  func(c *canvas.Canvas, r canvas.Rect, v *View) { drawProgress(c, r, v.theme(), of()) },
		Shows: func(*View) any { return of() },
	}
}

func drawProgress(c *canvas.Canvas, r canvas.Rect, t *Theme, p *Progress) {
	name := "The run"
	if p != nil && p.Name != "" {
		name = strings.ToUpper(p.Name[:1]) + strings.ReplaceAll(p.Name[1:], "_", " ")
	}
	a := panel(c, r, t, name)
	c.Mark(r, "progress")
	if p == nil || len(p.Values) == 0 {
		c.TextIn(a, "no metrics yet", fontBody, canvas.Center, t.Muted)
		return
	}
	head, _ := r.Inset(1.5 * gap).Top(16)
	last := len(p.Values) - 1
	c.TextIn(head, strconv.FormatFloat(p.Values[last], 'f', 3, 64)+" at "+thousands(p.Steps[last]), fontSmall, canvas.Right, t.Text)
	_, a = a.Bottom(14)
	_, a = a.Left(30)
	if a.H < 16 || a.W < 40 {
		return
	}
	low, high := 0.0, 0.0
	for _, v := range p.Values {
		low, high = min(low, v), max(high, v)
	}
	if high <= 1 && high > 0.2 {
		high = 1 // of a share and of most returns
	}
	if high == low {
		high = low + 1
	}
	most := float64(max(p.Steps[last], p.Shown, 1))
	x := func(step int64) float64 { return a.X + a.W*float64(step)/most }
	y := func(v float64) float64 { return a.Y + a.H*(high-v)/(high-low) }
	for _, v := range []float64{low, (low + high) / 2, high} {
		c.Fill(canvas.Rect{X: a.X, Y: y(v) - 0.5, W: a.W, H: 1}, t.Line)
		c.Text(a.X-6, y(v)+4, strconv.FormatFloat(v, 'g', 2, 64), fontSmall, canvas.Right, t.Muted)
	}
	points := make([]canvas.Point, 0, len(p.Values))
	at := math.NaN() // value where what acts was saved
	for i, v := range p.Values {
		points = append(points, canvas.Point{X: x(p.Steps[i]), Y: y(v)})
		if p.Steps[i] <= p.Shown {
			at = v
		}
	}
	c.Line(1.6, t.Halt, points...)
	acts := x(p.Shown)
	c.Dashes(1, 3, t.Text, canvas.Point{X: acts, Y: a.Y}, canvas.Point{X: acts, Y: a.Y + a.H})
	if !math.IsNaN(at) {
		c.Disc(acts, y(at), 3.5, t.Text)
	}
	c.TextIn(canvas.Rect{X: a.X, Y: a.Y + a.H + 1, W: a.W, H: 14}, "what acts: "+thousands(p.Shown), fontSmall, canvas.Left, t.Muted)
}

// thousands is n with a comma between groups of three digits.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
