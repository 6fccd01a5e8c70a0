package window

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/viz"
)

// A control is one thing that a person can do, by key and by button.
type control struct {
	id   string
	tip  string // what it does
	keys []Key  // the first is the one shown
	icon icon
	text func(a *App) string // in place of an icon
	live bool                // needs a session
	do   func(a *App)
	on   func(a *App) bool // it is switched on
	can  func(a *App) bool // it has an effect now
	has  func(a *App) bool // the window has it; nil: every window
}

// The controls of the bar at the bottom, in groups.
var bottom = [][]*control{
	{
		{id: "first", tip: "To the beginning", keys: []Key{"home"}, icon: iconFirst, do: (*App).first},
		{id: "back", tip: "One step back", keys: []Key{"left", "pgup"}, icon: iconBack, do: (*App).back},
		{id: "segment-back", tip: "One segment back", keys: []Key{",", "shift+left"}, icon: iconSegmentBack, do: (*App).segmentBack},
		{id: "play", tip: "Play or pause", keys: []Key{"space"}, icon: iconPlay, do: (*App).togglePlay},
		{id: "segment", tip: "One segment on", keys: []Key{".", "shift+right"}, icon: iconSegment, do: (*App).segmentForward},
		{id: "forward", tip: "One step on", keys: []Key{"right", "pgdn"}, icon: iconForward, do: (*App).forward},
		{id: "last", tip: "To the newest", keys: []Key{"end"}, icon: iconLast, do: (*App).last},
	},
	{
		{id: "slower", tip: "Slower", keys: []Key{"["}, icon: iconSlower, do: func(a *App) { a.setSpeed(a.speed - 1) }},
		{id: "speed", tip: "Speed; to normal", keys: []Key{"1"}, text: func(a *App) string { return session.SpeedName(a.speed) }, do: func(a *App) { a.setSpeed(session.NormalSpeed) }},
		{id: "faster", tip: "Faster", keys: []Key{"]"}, icon: iconFaster, do: func(a *App) { a.setSpeed(a.speed + 1) }},
	},
	{
		{id: "longer", tip: "Think longer: one segment more", keys: []Key{"+", "="}, icon: iconLonger, live: true, do: func(a *App) { a.steer(session.OpLonger) }},
		{id: "again", tip: "Think again from another start, and compare the ways", keys: []Key{"k"}, icon: iconAgain, live: true, do: func(a *App) { a.steer(session.OpAgain) }},
		{id: "branch", tip: "Too short, or too long? What other numbers of segments would bring", keys: []Key{"Q"}, icon: iconBranch, live: true, do: func(a *App) { a.steer(session.OpBranch) }},
		{
			id: "price", tip: "What a segment costs: it stops once another cannot be worth it", keys: []Key{">"}, text: (*App).priceText, live: true,
			do: func(a *App) { a.changePrice(1) }, on: func(a *App) bool { return a.status().Price > 0 },
		},
		{id: "now", tip: "Answer now: act on the thought so far", keys: []Key{"enter"}, icon: iconNow, live: true, do: func(a *App) { a.steer(session.OpNow) }},
	},
	{
		{id: "restart", tip: "The episode again", keys: []Key{"r"}, icon: iconRestart, live: true, do: func(a *App) { a.steer(session.OpRestart) }},
		{id: "next", tip: "The next seed", keys: []Key{"n"}, icon: iconNext, live: true, do: func(a *App) { a.steer(session.OpNext) }},
		{
			id: "edit", tip: "Edit the level by clicking and typing", keys: []Key{"e"}, icon: iconEdit, live: true,
			do: (*App).toggleEdit, on: (*App).editing, can: func(a *App) bool { return a.status().Editable },
		},
		{id: "undo", tip: "Undo the last edit", keys: []Key{"ctrl+z", "u"}, icon: iconUndo, live: true, do: func(a *App) { a.steer(session.OpUndo) }, can: func(a *App) bool { return a.status().Editable }},
		{id: "redo", tip: "Redo it", keys: []Key{"ctrl+y", "U"}, icon: iconRedo, live: true, do: func(a *App) { a.steer(session.OpRedo) }, can: func(a *App) bool { return a.status().Editable }},
		{id: "take", tip: "Take over the keys, or hand back", keys: []Key{"h"}, icon: iconTake, live: true, do: (*App).toggleHuman, on: (*App).human},
	},
	{
		{id: "layer", tip: "What lies over the board", keys: []Key{"l"}, icon: iconLayer, do: func(a *App) { a.nextLayer(1) }, on: func(a *App) bool { return a.layer != "" && a.layer != "answer" }},
		{
			id: "record", tip: "Record, or end the recording", keys: []Key{"v"}, icon: iconRecord, do: (*App).toggleRecord,
			on: func(a *App) bool { return a.recording() }, has: (*App).canSave,
		},
		{id: "format", tip: "What recordings become besides a trace", keys: []Key{"f"}, text: func(a *App) string { return formats[a.export.format] }, do: (*App).nextFormat, has: (*App).canSave},
		{id: "picture", tip: "Save what is seen as PNG", keys: []Key{"p"}, icon: iconPicture, do: (*App).savePicture, has: (*App).canSave},
		{id: "sheet", tip: "Save all segments of the decision on one page", keys: []Key{"s"}, icon: iconSheet, do: (*App).saveSheet, has: (*App).canSave},
	},
}

// The controls of the bar at the top: the lists to the left, the rest to the right.
var topLeft = []*control{
	{id: "env", tip: "Pick an environment", keys: []Key{"o"}, text: (*App).envText, live: true, do: (*App).pickEnv},
	{id: "agent", tip: "Pick an agent or model", keys: []Key{"m"}, text: (*App).agentText, live: true, do: (*App).pickAgent},
}

var topRight = []*control{
	{id: "compare", tip: "Compare with another agent on the same level", keys: []Key{"c"}, icon: iconCompare, live: true, do: (*App).compare, on: func(a *App) bool { return len(a.sides) == 2 }},
	{
		id: "gallery", tip: "What is worth seeing", keys: []Key{"a"}, icon: iconGallery, do: (*App).pickShow,
		has: func(a *App) bool { return len(a.cfg.Gallery) > 0 && a.cfg.Open != nil },
	},
	{
		id: "examples", tip: "The levels that were tried", keys: []Key{"q"}, icon: iconExamples, live: true, do: (*App).pickExample,
		has: func(a *App) bool { return len(a.cfg.Examples) > 0 },
	},
	{
		id: "options", tip: "Options of the environment", keys: []Key{"O"}, icon: iconOptions, live: true, do: (*App).pickOptions,
		can: (*App).hasOptions, on: func(a *App) bool { return a.status().Choice.Options != "" },
	},
	{
		id: "file", tip: "Open a trace, a level, a run or a dataset", keys: []Key{"g"}, icon: iconFile, do: (*App).pickFile,
		has: func(a *App) bool { return a.cfg.PickFile != nil || a.cfg.OpenPath != nil },
	},
	{id: "share", tip: "Share this run", keys: []Key{"y"}, icon: iconShare, live: true, do: func(a *App) { a.cfg.Share() }, has: func(a *App) bool { return a.cfg.Share != nil }},
	{id: "smaller", tip: "Smaller text", keys: []Key{"ctrl+-"}, icon: iconSmaller, do: func(a *App) { a.changeZoom(-1) }},
	{id: "larger", tip: "Larger text", keys: []Key{"ctrl+="}, icon: iconLarger, do: func(a *App) { a.changeZoom(1) }},
	{id: "theme", tip: "Dark or light", keys: []Key{"t"}, icon: iconTheme, do: (*App).toggleTheme},
	{id: "full", tip: "Full screen", keys: []Key{"f11"}, icon: iconFull, do: func(a *App) { a.full = !a.full }, on: (*App).Full},
	{id: "tour", tip: "What is what: a tour in four steps", keys: []Key{"j"}, icon: iconTour, do: (*App).nextTour, on: (*App).touring},
	{id: "help", tip: "All keys", keys: []Key{"?", "f1"}, icon: iconHelp, do: func(a *App) { a.help = true }},
}

// keyed have no button: they undo, or are the other direction of one that has.
var keyed = []*control{
	{id: "cheaper", tip: "A segment costs less", keys: []Key{"<"}, live: true, do: func(a *App) { a.changePrice(-1) }},
	{id: "layer-back", tip: "What lies over the board, backwards", keys: []Key{"L"}, do: func(a *App) { a.nextLayer(-1) }},
	{id: "close", tip: "Close a list, a message, edit mode", keys: []Key{"esc"}, do: (*App).escape},
	{id: "quit", tip: "Quit", keys: []Key{"ctrl+q"}, do: (*App).Quit},
}

// pickMore opens the list of the controls that have no button here.
func (a *App) pickMore() {
	var rest []*control
	l := &list{title: "More"}
	shown := a.buttons()
	for _, c := range a.controls() {
		if c.id == "quit" || c.id == "close" || c.id == "layer-back" || c.id == "cheaper" || slices.ContainsFunc(shown, func(b button) bool { return b.id == c.id }) {
			continue
		}
		text := c.tip
		switch {
		case c.text != nil:
			text += ": " + c.text(a)
		case c.live && !a.live():
			text += " (not in a replay)"
		case !c.enabled(a):
			text += " (not here)"
		case c.on != nil && c.on(a):
			text += ": on"
		}
		rest, l.items = append(rest, c), append(l.items, item{title: text})
	}
	l.choose = func(i int) { rest[i].use(a) }
	a.list = l
}

// controls are all of them, and one for each pane that has a key.
func (a *App) controls() []*control {
	all := a.flat(a.present(slices.Concat(bottom, [][]*control{topLeft, topRight, keyed})))
	for _, p := range a.cfg.Panes {
		if p.Key != "" {
			all = append(all, &control{id: "pane " + p.ID, tip: "Show or hide " + p.Title, keys: []Key{Key(p.Key)}, do: func(a *App) { a.toggle(p) }})
		}
	}
	return all
}

// enabled reports whether c has an effect now.
func (c *control) enabled(a *App) bool {
	return (!c.live || a.live()) && (c.can == nil || c.can(a))
}

// use does what c does, or says why not.
func (c *control) use(a *App) {
	switch {
	case c.live && !a.live():
		a.say("%s: not in a replay", c.tip)
	case !c.enabled(a) && c.id == "edit":
		a.say("%s cannot be edited", a.status().Header.EnvID)
	case !c.enabled(a):
		a.say("%s: not here", c.tip)
	default:
		c.do(a)
	}
}

// shown is a key as it is printed.
func (k Key) shown() string {
	s := string(k)
	for _, r := range [][2]string{
		{"shift+", "Shift "},
		{"ctrl+", "Ctrl "},
		{"left", "←"},
		{"right", "→"},
		{"up", "↑"},
		{"down", "↓"},
		{"space", "Space"},
		{"enter", "Enter"},
		{"esc", "Esc"},
		{"home", "Home"},
		{"end", "End"},
		{"pg↑", "Page ↑"},
		{"pg↓", "Page ↓"},
		{"pgdn", "Page ↓"},
		{"f1", "F1"},
	} {
		s = strings.ReplaceAll(s, r[0], r[1])
	}
	if len(s) == 1 && s >= "A" && s <= "Z" {
		return "Shift " + s
	}
	if last := len(s) - 1; last == 0 || strings.HasPrefix(s, "Ctrl ") {
		return s[:max(last, 0)] + strings.ToUpper(s[max(last, 0):])
	}
	return s
}

// key obeys one key.
func (a *App) key(k Key) {
	switch {
	case a.help:
		a.help = false
		if k == "esc" || k == "?" || k == "f1" {
			return
		}
	case a.list != nil:
		a.listKey(k)
		return
	}
	if a.editing() && a.typeDigit(k) {
		return
	}
	if a.human() && a.playKey(k) {
		return
	}
	for _, c := range a.controls() {
		if slices.Contains(c.keys, k) {
			c.use(a)
			return
		}
	}
}

// keyActions are the keys of a person who plays, by the name of the action.
var keyActions = map[Key][]string{
	"up": {"up", "forward"}, "down": {"down"}, "left": {"left"}, "right": {"right"},
	"w": {"up", "forward"}, "a": {"left"}, "d": {"right"}, "x": {"down", "drop"}, "z": {"pickup"}, "space": {"toggle"}, "enter": {"done", "submit"},
}

// actionKeys are the keys of keyActions, the first one shown first.
var actionKeys = []Key{"up", "down", "left", "right", "z", "x", "space", "enter"}

// playKey takes an action by its key, or by its number.
func (a *App) playKey(k Key) bool {
	actions := a.status().Header.Actions
	for _, name := range keyActions[k] {
		if i := slices.Index(actions, name); i >= 0 {
			a.act(i)
			return true
		}
	}
	if len(k) == 1 && k[0] >= '1' && k[0] <= '9' && int(k[0]-'1') < len(actions) {
		a.act(int(k[0] - '1'))
		return true
	}
	return false
}

// changePrice makes segments cost more or less, from the most again nothing.
func (a *App) changePrice(by int) {
	n := len(session.Prices)
	i := (a.price() + by + n) % n
	a.setPrice(i)
	if len(a.sides) == 1 {
		return // the slider says it
	}
	if p := session.Prices[i]; p > 0 {
		a.say("A segment costs %g of a right answer: it stops when it is more than %g %% sure, for then another could not be worth it.", p, 100*(1-p))
	} else {
		a.say("A segment costs nothing: it stops by its own rule.")
	}
}

// setPrice asks for the i-th price.
func (a *App) setPrice(i int) {
	a.newest()
	a.playing, a.asking = false, i
	a.send(session.Command{Op: session.OpPrice, Value: i})
}

// price is the index of what a segment costs, or will as soon as the session has come to what it was asked.
func (a *App) price() int {
	if a.asking >= 0 {
		return a.asking
	}
	return a.status().Price
}

func (a *App) priceText() string {
	if t := a.status(); t != nil && t.Price > 0 {
		return fmt.Sprintf("%g", session.Prices[t.Price])
	}
	return "free"
}

// toggleHuman hands the keys over, of the first agent where two are compared.
func (a *App) toggleHuman() {
	a.newest()
	a.playing = false
	if a.human() {
		a.sides[0].session.Send(session.Command{Op: session.OpReturn})
		return
	}
	a.sides[0].session.Send(session.Command{Op: session.OpTake})
}

// editing reports whether a click on a cell changes it; where that goes without saying, a person's tools come first.
func (a *App) editing() bool {
	return a.edit && a.live() && a.status().Editable && !(a.cfg.Edit && a.human() && a.status().Points)
}

func (a *App) toggleEdit() {
	a.edit = !a.edit
	a.message, a.cursor = "", -1
	if a.edit {
		a.newest()
		if a.pads() {
			a.say("Edit: tap a cell, then its digit.")
		} else {
			a.say("Edit: click a cell, or point at it and type a digit. E ends.")
		}
	}
}

// digits is the largest digit of the board that is edited.
func (a *App) digits() int { return a.sides[0].view.Step.Board.Cols }

// digit is the digit that a key types. Those above 9 are capital letters, as they are written on the board.
func (a *App) digit(k Key) (d int, ok bool) {
	if len(k) != 1 {
		return 0, false
	}
	if k[0] >= 'A' && k[0] <= 'Z' {
		d = int(k[0]-'A') + 10
		return d, a.sides[0].header.Answer == trace.AnswerDigit && d <= a.digits()
	}
	return int(k[0]) - '0', k[0] >= '0' && k[0] <= '9'
}

// typeDigit sets the cell under the pointer.
func (a *App) typeDigit(k Key) bool {
	digit, ok := a.digit(k)
	if !ok {
		return false
	}
	p, h, _ := a.under(a.in.X, a.in.Y)
	switch {
	case a.cursor >= 0:
		a.editCell(0, a.cursor, digit)
	case h.Kind != viz.HitCell:
		a.say("point at the cell, then type its digit")
	default:
		a.editCell(p.View, h.N, digit)
	}
	return true
}

func (a *App) editCell(i, cell, value int) {
	s := a.sides[i]
	cols := s.view.Step.Board.Cols
	a.newest()
	a.send(session.Command{Op: session.OpEdit, X: cell % cols, Y: cell / cols, Value: value})
}

// escape closes what is open, the innermost first.
func (a *App) escape() {
	switch {
	case a.message != "":
		a.message = ""
	case a.touring():
		a.endTour()
	case a.cursor >= 0:
		a.cursor = -1
	case a.edit:
		a.edit = false
	case a.pick >= 0:
		a.pick = -1
	case a.full:
		a.full = false
	}
}

func (a *App) envText() string {
	if id := a.sides[0].header.EnvID; id != "" {
		return id
	}
	return "ponder"
}

func (a *App) agentText() string {
	h := a.sides[0].header
	s := viz.Who(h)
	if t := a.status(); t != nil && h.Agent != "" && t.Choice.Agent == trace.Network && h.Agent != trace.Network {
		s += fmt.Sprintf(" (no model for %s)", h.EnvID)
	}
	if a.human() {
		s = "played by you"
	}
	return s
}
