package window

import (
	"slices"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/viz"
)

// handOf is what a person has who may act on side s.
func (a *App) handOf(s *side) viz.Hand {
	h := viz.Hand{Tool: -1}
	if s.session == nil || s != a.sides[0] || !s.status().Human {
		return h
	}
	h.Plays, h.Tries, h.Tool, h.Touch, h.Drawer = true, s.status().Rehearsed > 0, a.tool, a.in.Touch, a.drawer
	for i, name := range s.header.Actions {
		key := ""
		for _, k := range actionKeys {
			if slices.Contains(keyActions[k], name) {
				key = k.shown()
				break
			}
		}
		if key == "" && i < 9 {
			key = Key(rune('1' + i)).shown()
		}
		h.Keys = append(h.Keys, key)
	}
	return h
}

// pressAction takes an action that was pressed, or keeps it for the next click on a cell.
func (a *App) pressAction(side, action int) {
	actions := a.sides[side].header.Actions
	switch {
	case action >= len(actions) || !a.live():
		return
	case !a.human():
		a.say("the agent plays: take over with H, then choose actions")
		return
	}
	now, tool := viz.Tooled(actions, a.tool, action)
	if tool && !now {
		a.tool = action
		return
	}
	a.act(action)
}

// points reports whether a person acts by pointing at cells.
func (a *App) points() bool { return a.human() && a.status().Points && !a.editing() }

// pointTo takes the tool to a cell, and reports whether a person plays so.
func (a *App) pointTo(side, cell int) bool {
	if side != 0 || !a.points() {
		return false
	}
	if a.tool < 0 {
		a.say("pick a tool first: a colour, say")
		return true
	}
	a.usedAt = -1
	if viz.Selects(a.sides[0].header.Actions, a.tool) {
		a.usedAt = cell
	}
	a.point(cell, a.tool)
	return true
}

func (a *App) point(cell, action int) {
	cols := a.sides[0].view.Step.Board.Cols
	a.newest()
	a.sides[0].session.Send(session.Command{Op: session.OpPoint, X: cell % cols, Y: cell / cols, Value: action})
}

// letGo ends a selection where the pointer is let go.
func (a *App) letGo(x, y float64) {
	from := a.usedAt
	a.usedAt = -1
	if from < 0 || !a.points() {
		return
	}
	if p, h, _ := a.under(x, y); h.Kind == viz.HitCell && p.View == 0 && h.N != from {
		a.point(h.N, -1)
	}
}

// pressBeside tries the demonstration that was pressed.
func (a *App) pressBeside(k int) {
	switch t := a.status(); {
	case t == nil || !t.Rehearses:
	case !a.human():
		a.say("the agent plays: take over with H, then try a demonstration")
	default:
		a.newest()
		a.send(session.Command{Op: session.OpRehearse, Value: k})
	}
}
