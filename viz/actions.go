package viz

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// actionsPane is the probability of each action and the one taken.
func actionsPane() Pane {
	return Pane{
		ID: "actions",
		Place: func(r *Room) []canvas.Rect {
			const height = 120.0
			column, latent := r.Column(), latentHeight(r)
			switch {
			case r.Human && palette(r.Actions) != nil:
				return []canvas.Rect{r.ColumnTop(min(column.H, toolsHeight(r.Actions, r.Touch)))}
			case !r.Thinks:
				return []canvas.Rect{r.ColumnTop(min(column.H, max(176, 3*gap+16+actionRow*min(float64(len(r.Actions)), 16))))}
			case column.H-latent-gap >= leastCurve+height+gap:
				return []canvas.Rect{r.ColumnBottom(height)}
			case r.Human:
				// A person who plays needs the actions more than the hidden state.
				return []canvas.Rect{r.ColumnBottom(latent)}
			}
			return nil
		},
		Draw: drawActions,
		Shows: func(v *View) any {
			return [6]any{v.Hand.Plays, v.Hand.Tool, v.Hand.Tries, v.Hand.Touch, v.Hand.Drawer, len(v.Hand.Keys)}
		},
		Hit: func(r canvas.Rect, _ float64, v *View, x, y float64) Hit {
			if v.tools() {
				return toolAt(r, v, x, y)
			}
			return hit(HitAction, actionAt(r, v, y))
		},
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

// actionAt is the action whose line is at height y in the pane r, -1 if there is none.
func actionAt(r canvas.Rect, v *View, y float64) int {
	_, in := r.Inset(1.5 * gap).Top(16 + gap)
	order, _ := actionOrder(in, v)
	i := int(math.Floor((y - in.Y) / actionRow))
	if i < 0 || i >= len(order) {
		return -1
	}
	return order[i]
}

// drawActions draws the probability of each action after the segment shown and marks the one taken.
func drawActions(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	all := r
	if v.tools() {
		drawTools(c, r, v)
		return
	}
	r = panel(c, r, t, "Action")
	c.Mark(all, "action")
	v, old := v.held()
	if old {
		defer dim(c, all, t)
	}
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
		if v.Hand.Plays {
			text = t.Text
		}
		c.TextIn(left, name(a), fontBody, canvas.Left, text)
		if v.Hand.Plays && a < len(v.Hand.Keys) && v.Hand.Keys[a] != "" {
			w := canvas.Width(v.Hand.Keys[a], fontSmall) + 12
			var key canvas.Rect
			key, bar = bar.Left(w)
			key = canvas.Rect{X: key.X, Y: key.Y + 1, W: key.W, H: actionRow - 2}
			c.RoundRect(key, 4, t.Raise)
			c.TextIn(key, v.Hand.Keys[a], fontSmall, canvas.Center, t.Text)
			_, bar = bar.Left(gap)
		}
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
