package window

import (
	"slices"

	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// cellAt is the side and the cell of its board at a point; cell is -1 if there is none.
func (a *App) cellAt(x, y float64) (sideIndex, cell int) {
	p := a.layout()
	for i, s := range a.sides {
		r := p.Boards[i]
		if !r.Contains(x, y) || s.view.Step == nil {
			continue
		}
		px := r.Pixels(a.in.Scale)
		local := canvas.Rect{W: float64(px.Dx()) / a.in.Scale, H: float64(px.Dy()) / a.in.Scale}
		x0, y0 := float64(px.Min.X)/a.in.Scale, float64(px.Min.Y)/a.in.Scale
		return i, viz.CellAt(local, s.view.Step.Board, x-x0, y-y0, a.in.Scale)
	}
	return 0, -1
}

// pointer handles the mouse.
func (a *App) pointer(pressed, released, moved bool) {
	switch {
	case a.help:
		if pressed {
			a.help = false
		}
		return
	case a.list != nil:
		a.listPointer(pressed, moved)
		return
	}
	x, y := a.in.X, a.in.Y
	if released {
		// A button acts when it is let go where it was pressed.
		if b := a.buttonAt(x, y); b != nil && b.id == a.pressed {
			a.pressed = ""
			b.use(a)
		}
		a.pressed, a.drag = "", ""
		return
	}
	if a.in.Wheel != 0 && a.layoutContains(x, y) {
		for range min(int(abs(a.in.Wheel))+1, 5) {
			if a.in.Wheel > 0 {
				a.segmentBack()
			} else {
				a.scrollOn()
			}
			if abs(a.in.Wheel) < 1 {
				break
			}
		}
	}
	if pressed {
		if b := a.buttonAt(x, y); b != nil {
			a.pressed = b.id
			return
		}
		a.press(x, y)
	}
	if a.in.Down && a.drag != "" {
		a.dragTo(x)
	}
}

func (a *App) layoutContains(x, y float64) bool {
	p := a.layout()
	for _, r := range slices.Concat(p.Films, p.Curves) {
		if r.Contains(x, y) {
			return true
		}
	}
	return p.Timeline.Contains(x, y)
}

// scrollOn shows the next segment of what is kept, without asking for more.
func (a *App) scrollOn() {
	a.hold()
	for _, s := range a.sides {
		if !s.moveSegment(1) && a.live() {
			s.newest()
		}
	}
}

// press begins whatever lies under the pointer.
func (a *App) press(x, y float64) {
	p := a.layout()
	switch {
	case p.Timeline.Contains(x, y):
		a.drag = "timeline"
		return
	case p.Actions.Contains(x, y):
		v := &a.sides[0].view
		if n := viz.ActionAt(p.Actions, v, y); n >= 0 && n < len(v.Header.Actions) && a.live() {
			if !a.human() {
				a.say("the agent plays: take over with H, then choose actions")
				return
			}
			a.act(n)
		}
		return
	}
	for i, r := range p.Films {
		if r.Contains(x, y) {
			if k := viz.FilmSegmentAt(r, &a.sides[i].view, x); k >= 0 {
				a.goSegment(k)
			}
			return
		}
	}
	for i := range p.Curves {
		if p.Curves[i].Contains(x, y) {
			a.drag = "curve" + sideName[i]
			return
		}
	}
	i, cell := a.cellAt(x, y)
	switch {
	case cell < 0:
	case a.edit && a.live():
		a.editCell(i, cell, -1)
	case a.pick == cell:
		a.pick = -1
	default:
		if !a.picks() {
			list := viz.Layers(a.sides[i].header)
			k := slices.IndexFunc(list, func(l viz.Layer) bool { return l.Cell })
			if k < 0 {
				a.say("this agent has no attention to show")
				return
			}
			a.layer = list[k].ID
		}
		a.pick = cell
	}
}

// goSegment shows segment k of the step in view on every side.
func (a *App) goSegment(k int) {
	a.hold()
	for _, s := range a.sides {
		if n, ok := s.at(s.history()); ok {
			s.show(n, k)
		}
	}
}

// dragTo moves through the timeline or the curve.
func (a *App) dragTo(x float64) {
	p := a.layout()
	switch a.drag {
	case "timeline":
		if line := a.sides[0].line; line != nil {
			if n := viz.TimelineStepAt(p.Timeline, line, x); n >= 0 {
				a.hold()
				for _, s := range a.sides {
					s.show(n, lastSegment)
				}
			}
		}
	case "curve", "curve 2":
		i := 0
		if a.drag == "curve 2" {
			i = 1
		}
		if i < len(p.Curves) {
			if k := viz.CurveSegmentAt(p.Curves[i], &a.sides[i].view, x); k >= 0 {
				a.goSegment(k)
			}
		}
	}
}
