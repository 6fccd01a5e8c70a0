package window

import (
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// A State is what is shown, for programs that look at the window: the tests of the page in the browser, and whoever
// reads the page aloud. Of two agents it is the first. Places are in points of the window.
type State struct {
	Choice  session.Choice // as far as it can be said; zero in a replay
	EnvID   string
	Who     string // acts
	Engine  string // that computed its thought
	Words   string // on what is shown of the thought
	Episode int
	Step    int
	Seed    uint64
	Segment int // shown, from 1; 0 before any
	Thought int // segments of the decision so far
	Halted  bool
	Steps   int // kept

	Live, Playing, Editing, Human, Light bool
	Views                                int
	Busy, Message                        string

	Cells    []Cell // of the board
	Controls []Place
	Keys     []Place // of the pad of digits
	Tools    []Place // of a person who has some
	List     []Place // the items in view of the list that is open
	Panes    []Place
}

// A Cell is one of the board.
type Cell struct {
	Kind   int
	Given  bool
	Answer int // of the segment shown; -1 without
	At     canvas.Rect
}

// A Place is where something stands, by its name.
type Place struct {
	ID string
	On bool // it has an effect now
	At canvas.Rect
}

// State is what a shows now.
func (a *App) State() State {
	side := a.sides[0]
	v := &side.view
	s := State{
		EnvID: side.header.EnvID, Who: viz.Who(side.header), Engine: side.header.Engine, Words: v.Words(),
		Live: a.live(), Playing: a.isPlaying(), Editing: a.editing(), Human: a.human(), Light: a.Light(), Views: len(a.sides), Message: a.message,
	}
	s.Choice, _ = a.Choice()
	if t := a.status(); t != nil {
		s.Busy = t.Busy
	}
	first, end := side.history().Range()
	s.Steps = end - first
	if g := v.Step; g != nil {
		s.Episode, s.Step, s.Seed, s.Segment, s.Thought = g.Episode, g.Index, g.Seed, v.Segment+1, len(g.Thought)
		s.Halted = viz.HaltedAt(g) >= 0
		board := a.boards()[0]
		for i, c := range g.Board.Cells {
			at, _ := a.cellRect(board, i)
			cell := Cell{Kind: int(c.Kind), Given: c.Flags&grid.FlagGiven != 0, Answer: -1, At: at}
			if v.Segment >= 0 && v.Segment < len(g.Thought) && i < len(g.Thought[v.Segment].Answer) {
				cell.Answer = int(g.Thought[v.Segment].Answer[i])
			}
			s.Cells = append(s.Cells, cell)
		}
	}
	for _, b := range a.buttons() {
		s.Controls = append(s.Controls, Place{b.id, b.enabled(a), b.r})
	}
	for _, p := range a.layout() {
		if p.ID != "actions" || p.View != 0 {
			continue
		}
		r, at := a.local(p)
		for _, b := range viz.Tools(r, v) {
			b.Rect.X, b.Rect.Y = b.Rect.X+float64(at.X)/a.in.Scale, b.Rect.Y+float64(at.Y)/a.in.Scale
			s.Tools = append(s.Tools, Place{b.Name, true, b.Rect})
		}
	}
	if r, ok := a.padArea(); ok {
		keys, _ := a.padKeys()
		for i := range keys {
			s.Keys = append(s.Keys, Place{a.padText(i), true, a.padKeyAt(r, i)})
		}
	}
	if l := a.list; l != nil {
		r, rows := a.listArea()
		_, in := r.Top(listHead)
		h := a.listRow()
		m := l.matches()
		for k := l.scroll; k < min(l.scroll+rows, len(m)); k++ {
			s.List = append(s.List, Place{l.item(m[k]).title, l.item(m[k]).why == "", canvas.Rect{X: in.X, Y: in.Y + float64(k-l.scroll)*h, W: in.W, H: h}})
		}
	}
	for _, p := range a.layout() {
		s.Panes = append(s.Panes, Place{p.ID + sideName[p.View], true, p.Rect})
	}
	return s
}

// boards are the places of the panes of boards, by view; empty ones where there are none.
func (a *App) boards() (boards [len(sideName)]viz.Placed) {
	for _, p := range a.layout() {
		if p.ID == "board" {
			boards[p.View] = p
		}
	}
	return boards
}

// cellRect is where a cell of the board p is in the window.
func (a *App) cellRect(p viz.Placed, i int) (canvas.Rect, bool) {
	r, at := a.local(p)
	cell, ok := viz.CellRect(r, a.in.Scale, &a.sides[p.View].view, i)
	cell.X, cell.Y = cell.X+float64(at.X)/a.in.Scale, cell.Y+float64(at.Y)/a.in.Scale
	return cell, ok
}
