package window

import (
	"slices"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/viz"
)

// pointer handles the mouse.
func (a *App) pointer(pressed, released, moved bool) {
	switch {
	case a.help:
		if pressed {
			a.help = false
		}
		return
	case a.list != nil:
		a.listPointer(pressed, released, moved)
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
		a.letGo(x, y)
		return
	}
	if pressed && (a.pressTour(x, y) || a.pressPad(x, y)) {
		return
	}
	if a.in.Wheel != 0 {
		if p, _, ok := a.under(x, y); ok && p.Wheel {
			a.wheel()
		}
	}
	if pressed {
		if b := a.buttonAt(x, y); b != nil {
			a.pressed = b.id
			return
		}
		a.press(x, y)
	} else if a.in.Down && a.drag != "" {
		a.dragTo(x, y)
	}
}

// wheel goes through segments.
func (a *App) wheel() {
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

// scrollOn shows the next segment of what is kept, without asking for more.
func (a *App) scrollOn() {
	a.hold()
	for _, s := range a.sides {
		if !s.moveSegment(1) && a.live() {
			s.newest()
		}
	}
}

// press does what a click on whatever lies under the pointer does.
func (a *App) press(x, y float64) {
	p, h, ok := a.under(x, y)
	if !ok {
		return
	}
	if p.Drag {
		a.drag = p.ID + sideName[p.View]
	}
	switch h.Kind {
	case viz.HitAction:
		a.pressAction(p.View, h.N)
	case viz.HitBeside:
		a.pressBeside(h.N)
	case viz.HitReturn:
		a.send(session.Command{Op: session.OpRehearse, Value: -1})
	case viz.HitDrawer:
		a.drawer = !a.drawer
	case viz.HitCell:
		if !a.pointTo(p.View, h.N) {
			a.pressCell(p.View, h.N)
		}
	default:
		a.goTo(h)
	}
}

// pressCell edits a cell, or shows what it attends to.
func (a *App) pressCell(i, cell int) {
	switch {
	case a.editing() && a.pads():
		if a.cursor == cell {
			cell = -1
		}
		a.cursor = cell
		return
	case a.editing():
		a.editCell(i, cell, -1)
		return
	case a.pick == cell:
		a.pick = -1
		return
	}
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

// goTo shows the step or segment that was hit.
func (a *App) goTo(h viz.Hit) {
	switch h.Kind {
	case viz.HitStep:
		a.hold()
		for _, s := range a.sides {
			s.show(h.N, lastSegment)
		}
	case viz.HitSegment:
		a.goSegment(h.N)
	case viz.HitPrice:
		if a.price() != h.N {
			a.setPrice(h.N)
		}
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

// dragTo goes on from a press, as through the timeline or the curve.
func (a *App) dragTo(x, y float64) {
	for _, p := range a.layout() {
		if p.ID+sideName[p.View] == a.drag {
			a.goTo(a.hit(p, x, y))
		}
	}
}
