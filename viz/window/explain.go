package window

import (
	"fmt"
	"strings"

	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// termAt is the ID of what the panes show at a point of the window, as their pictures were drawn, and of which view.
func (a *App) termAt(x, y float64) (id string, view int) {
	if a.inView == nil {
		return "", 0
	}
	for _, p := range a.inView.placed {
		pic := a.pictures[p.ID+sideName[p.View]]
		if pic == nil || !p.Rect.Contains(x, y) {
			continue
		}
		_, at := a.local(p)
		x, y := x-float64(at.X)/a.in.Scale, y-float64(at.Y)/a.in.Scale
		for i := len(pic.marks) - 1; i >= 0; i-- {
			if m := pic.marks[i]; m.Rect.Contains(x, y) {
				return m.ID, p.View
			}
		}
	}
	return "", 0
}

// drawTerm explains what the pointer rests on; a finger rests by being held.
func (a *App) drawTerm(out []Blit) []Blit {
	id, view := a.termAt(a.in.X, a.in.Y)
	if id == "" || a.list != nil || a.help || a.in.Touch != a.in.Down {
		a.tip = ""
		return out
	}
	if tip := fmt.Sprint("term ", id, view); tip != a.tip {
		a.tip, a.tipped = tip, a.in.Now
	}
	if a.in.Now.Sub(a.tipped) < tipDelay {
		return out
	}
	term, value, ok := viz.Explain(id, a.inView.view(view, a.in.Now))
	if !ok {
		return out
	}
	t := a.theme
	width := min(a.in.Width-32, 340)
	head := term.Name
	if value != "" {
		head += ": " + value
	}
	type line struct {
		text string
		font canvas.Font
	}
	var lines []line
	for _, part := range []line{
		{head, canvas.Font{Face: canvas.Bold, Size: 12.5}},
		{term.Means, canvas.Font{Size: 12.5}},
		{term.Paper, canvas.Font{Size: 11.5}},
	} {
		for _, s := range canvas.Wrap(part.text, part.font, width-24) {
			lines = append(lines, line{s, part.font})
		}
	}
	h := float64(len(lines))*17 + 16
	r := canvas.Rect{X: min(max(a.in.X-width/2, 8), max(a.in.Width-width-8, 8)), Y: a.in.Y + 18, W: width, H: h}
	if r.Y+h > a.in.Height-8 {
		r.Y = max(a.in.Y-h-12, 8)
	}
	return a.draw(out, "tip", r, [3]string{head, term.ID, t.Name}, func(c *canvas.Canvas, r canvas.Rect) {
		c.RoundRect(r, 6, t.Line)
		c.RoundRect(r.Inset(1), 5, t.Raise)
		y := r.Y + 20
		for _, l := range lines {
			col := t.Text
			if l.font.Size < 12 {
				col = t.Muted
			}
			c.Text(r.X+12, y, l.text, l.font, canvas.Left, col)
			y += 17
		}
	})
}

// A station of the tour is a text beside panes.
type station struct {
	panes []string // the first that is shown; none: the bar at the bottom
	title string
	text  string
}

var stations = [...]station{
	{
		[]string{"board"},
		"It writes its answer over and over",
		"This is a network that thinks before it answers. It goes over the whole board, writes down an answer, and goes over it again: each time is a segment. What is new in a segment is tinted; pale means unsure.",
	},
	{
		[]string{"curve", "thought"},
		"It decides itself when to stop",
		"After each segment it says how likely its answer is right (stop). When that is high enough it answers: easy boards take a segment or two, hard ones many. The grey bars are the cells that changed. Click in the curve to go back.",
	},
	{
		[]string{"latent", "strip"},
		"What it remembers",
		"Between segments it keeps a memory, the hidden state. Each dot is where that memory was after a segment. Far apart: it is still searching. Close together: it has settled.",
	},
	{
		nil, "Your turn",
		"Space plays and pauses, a full stop thinks one segment, + makes it think longer than it would. E changes the board: it thinks again at once. Rest the pointer on any number to read what it is. ? has all keys, J this tour.",
	},
}

// nextTour begins the tour, or shows its next step.
func (a *App) nextTour() {
	a.unasked = false
	if a.tour++; a.tour > len(stations) {
		a.endTour()
	}
}

// touring reports whether a step of the tour is to be shown: unasked, only beside an agent that thinks.
func (a *App) touring() bool {
	return a.tour > 0 && (!a.unasked || viz.Thinks(a.sides[0].header))
}

func (a *App) endTour() { a.tour, a.toured = 0, true }

// Toured reports whether the tour was seen or left.
func (a *App) Toured() bool { return a.toured }

// tourArea is where the text of the tour's step stands, its buttons, and what it is about.
func (a *App) tourArea() (card, next, leave, about canvas.Rect, ok bool) {
	if !a.touring() || a.list != nil || a.help {
		return card, next, leave, about, false
	}
	s := stations[a.tour-1]
	_, low := a.bars()
	about = low
	placed := a.layout()
	for _, id := range s.panes {
		found := false
		for _, p := range placed {
			if p.ID == id && p.View == 0 {
				about, found = p.Rect, true
			}
		}
		if found {
			break
		}
	}
	w := min(a.in.Width-24, 360)
	h := 17*float64(len(canvas.Wrap(s.text, tourFont, w-32))) + 52 + a.sizes().button + 16
	card = canvas.Rect{X: about.X - w - 16, Y: about.Y + 8, W: w, H: h}
	switch {
	case len(s.panes) == 0:
		card.X, card.Y = (a.in.Width-w)/2, about.Y-h-12
	case card.X < 8 && about.X+about.W+16+w <= a.in.Width-8:
		card.X = about.X + about.W + 16
	case card.X < 8 && about.Y > a.in.Height/3: // above what it is about
		card.X, card.Y = (a.in.Width-w)/2, about.Y-h-8
	case card.X < 8: // over its lower edge
		card.X, card.Y = (a.in.Width-w)/2, about.Y+about.H-h-8
	}
	card.Y = min(max(card.Y, a.sizes().top+4), max(a.in.Height-a.sizes().bottom-h-4, 4))
	button := canvas.Rect{X: card.X + w - 16 - 96, Y: card.Y + h - 12 - a.sizes().button, W: 96, H: a.sizes().button}
	next = button
	button.X = card.X + 16
	return card, next, button, about, true
}

var tourFont = canvas.Font{Size: 13}

// pressTour takes a press on the tour's text, and reports whether it was there.
func (a *App) pressTour(x, y float64) bool {
	card, next, leave, _, ok := a.tourArea()
	switch {
	case !ok || !card.Contains(x, y):
		return false
	case next.Contains(x, y):
		a.nextTour()
	case leave.Contains(x, y):
		a.endTour()
	}
	return true
}

func (a *App) drawTour(out []Blit) []Blit {
	card, next, leave, about, ok := a.tourArea()
	if !ok {
		return out
	}
	t, s := a.theme, stations[a.tour-1]
	key := strings.Join([]string{t.Name, s.title}, " ")
	out = a.draw(out, "tour about", about, key, func(c *canvas.Canvas, r canvas.Rect) {
		c.Frame(r.Inset(1.5), 7, 3, t.Continue)
	})
	return a.draw(out, "tour", card, key, func(c *canvas.Canvas, r canvas.Rect) {
		c.RoundRect(r, 10, t.Continue)
		c.RoundRect(r.Inset(2), 8, t.Raise)
		c.Text(16, 30, s.title, canvas.Font{Face: canvas.Bold, Size: 15}, canvas.Left, t.Text)
		c.Text(r.W-16, 30, fmt.Sprintf("%d of %d", a.tour, len(stations)), canvas.Font{Size: 12}, canvas.Right, t.Muted)
		y := 54.0
		for _, l := range canvas.Wrap(s.text, tourFont, r.W-32) {
			c.Text(16, y, l, tourFont, canvas.Left, t.Text)
			y += 17
		}
		for _, b := range []struct {
			r    canvas.Rect
			text string
			main bool
		}{{next, map[bool]string{true: "Done", false: "Next"}[a.tour == len(stations)], true}, {leave, "Leave", false}} {
			at := canvas.Rect{X: b.r.X - card.X, Y: b.r.Y - card.Y, W: b.r.W, H: b.r.H}
			ground, ink := t.Panel, t.Text
			if b.main {
				ground, ink = t.Halt, t.Panel
			}
			c.RoundRect(at, 6, ground)
			c.TextIn(at, b.text, canvas.Font{Face: canvas.Bold, Size: 12.5}, canvas.Center, ink)
		}
	})
}
