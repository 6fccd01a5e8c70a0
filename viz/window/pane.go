package window

import (
	"fmt"
	"image"
	"image/draw"
	"math"
	"slices"
	"time"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// A Blit is a picture, or a part of it, and where it belongs in the window, in pixels. Version grows
// when the picture changes, so that only then it has to go to the graphics card.
type Blit struct {
	ID      string
	Version int
	Image   *image.RGBA
	Part    image.Rectangle
	At      image.Point
}

// A picture is a part of the window that is drawn anew only when what it shows has changed.
type picture struct {
	img     *image.RGBA
	version int
	key     any
	late    int // frames since it should have been drawn anew

	next    *image.RGBA // of a pane: what is not in view yet, of the key nextKey if drawn
	nextKey any
	drawn   bool

	marks, nextMarks []canvas.Mark // of what can be explained
}

// mostLate is how many frames a picture besides the panes' may show what was, where drawing would take too long.
const mostLate = 4

// shown are the panes that a person has not hidden.
func (a *App) shown() []viz.Pane {
	return slices.DeleteFunc(slices.Clone(a.cfg.Panes), func(p viz.Pane) bool { return a.hidden[p.ID] })
}

// toggle shows or hides a pane.
func (a *App) toggle(p viz.Pane) {
	a.hidden[p.ID] = !a.hidden[p.ID]
	if a.hidden[p.ID] {
		a.say("hid %s; %s shows it again", p.Title, Key(p.Key).shown())
	}
}

// layout places the panes of the window between its bars.
func (a *App) layout() []viz.Placed {
	_, r := a.bounds().Bottom(a.sizes().bottom)
	_, r = r.Top(a.sizes().top)
	// The bar at the top stands in the place of the picture's header.
	panes := slices.DeleteFunc(a.shown(), func(p viz.Pane) bool { return p.ID == "header" })
	thinks := slices.ContainsFunc(a.sides, func(s *side) bool { return viz.Thinks(s.header) })
	return viz.Layout(r, viz.Arrangement{Panes: panes, Views: len(a.sides), Thinks: thinks, Human: a.human(), Touch: a.in.Touch}.Of(&a.sides[0].view))
}

// local is a pane's place in a picture of its own, and the pixel of the window where that begins.
func (a *App) local(p viz.Placed) (r canvas.Rect, at image.Point) {
	px := p.Rect.Pixels(a.in.Scale)
	return canvas.Rect{W: float64(px.Dx()) / a.in.Scale, H: float64(px.Dy()) / a.in.Scale}, px.Min
}

// hit is what lies at a point of the window as far as the pane p knows.
func (a *App) hit(p viz.Placed, x, y float64) viz.Hit {
	if p.Hit == nil {
		return viz.Hit{}
	}
	r, at := a.local(p)
	return p.Hit(r, a.in.Scale, &a.sides[p.View].view, x-float64(at.X)/a.in.Scale, y-float64(at.Y)/a.in.Scale)
}

// under is the pane at a point of the window and what lies there; false if there is none.
func (a *App) under(x, y float64) (p viz.Placed, h viz.Hit, ok bool) {
	for _, p := range a.layout() {
		if p.Rect.Contains(x, y) {
			return p, a.hit(p, x, y), true
		}
	}
	return p, h, false
}

func (a *App) bars() (top, bottom canvas.Rect) {
	top, r := a.bounds().Top(a.sizes().top)
	bottom, _ = r.Bottom(a.sizes().bottom)
	return top, bottom
}

// A scene is what the picture of a pane depends on.
type scene struct {
	step     *trace.Step
	last     *trace.Step
	segments int
	segment  int
	theme    string
	header   string
	own      any // as the pane says
}

// scene is what all panes of v depend on.
func (a *App) scene(v *viz.View) scene {
	k := scene{step: v.Step, last: v.Last, segment: v.Segment, theme: a.theme.Name, header: viz.Who(v.Header) + v.Header.EnvID}
	if v.Step != nil {
		k.segments = len(v.Step.Thought)
	}
	return k
}

// A moment is what all panes show together. Where drawing takes more than the time of a frame it stays in view
// until every picture of the next one is drawn, so that no two panes ever tell of different segments.
type moment struct {
	w, h, scale float64 // of the window
	placed      []viz.Placed
	keys        []any // of the pictures of placed
	views       [len(sideName)]viz.View
	from        [len(sideName)]grid.Board // that agents glide from,
	start       [len(sideName)]time.Time  // since then
}

// A pictureKey is what a picture depends on.
type pictureKey struct {
	key   any
	size  image.Point
	scale float64
}

// moment is what is to be shown now.
func (a *App) moment() *moment {
	m := &moment{w: a.in.Width, h: a.in.Height, scale: a.in.Scale, placed: a.layout()}
	var scenes [len(sideName)]scene
	for i, s := range a.sides {
		m.views[i], m.from[i], m.start[i] = s.view, s.board, s.start
		scenes[i] = a.scene(&s.view)
	}
	for _, p := range m.placed {
		k := scenes[p.View]
		if p.Shows != nil {
			k.own = p.Shows(&m.views[p.View])
		}
		m.keys = append(m.keys, pictureKey{k, p.Rect.Pixels(m.scale).Size(), m.scale})
	}
	return m
}

// alike reports whether m has the same panes as n at the same places.
func (m *moment) alike(n *moment) bool {
	return n != nil && m.scale == n.scale && slices.EqualFunc(m.placed, n.placed, func(p, q viz.Placed) bool {
		return p.ID == q.ID && p.View == q.View && p.Rect == q.Rect
	})
}

// view is view i of m with its agents as far on their way as they are at the time.
func (m *moment) view(i int, now time.Time) *viz.View {
	v := &m.views[i]
	v.From, v.Glide = nil, 1
	if d := now.Sub(m.start[i]); d >= 0 && d < glideTime {
		v.From, v.Glide = &m.from[i], float64(d)/float64(glideTime)
	}
	return v
}

// hasTime reports whether another picture may be drawn in this frame; late says that the one in question must not
// wait. One picture is drawn in every frame, however little time there is.
func (a *App) hasTime(late bool) bool {
	if a.Budget <= 0 || time.Since(a.began) <= a.Budget || late {
		return true
	}
	if a.forced {
		return false
	}
	a.forced = true
	return true
}

// drawPanes adds the pictures of all panes.
func (a *App) drawPanes(out []Blit) []Blit {
	if n := a.next; n != nil && (n.w != a.in.Width || n.h != a.in.Height || n.scale != a.in.Scale) {
		a.next = nil
	}
	if a.next == nil {
		if m := a.moment(); a.inView != nil && m.alike(a.inView) && slices.Equal(m.keys, a.inView.keys) {
			a.inView = m
		} else {
			a.next = m
		}
	}
	if m := a.next; m != nil {
		alike, all := m.alike(a.inView), true
		for i, p := range m.placed {
			px := p.Rect.Pixels(m.scale)
			pic := a.pictures[p.ID+sideName[p.View]]
			if pic == nil {
				pic = &picture{}
				a.pictures[p.ID+sideName[p.View]] = pic
			}
			if px.Empty() || pic.img != nil && pic.key == m.keys[i] || pic.drawn && pic.nextKey == m.keys[i] {
				continue
			}
			if !a.hasTime(!alike && pic.img != nil) {
				all = false
				continue
			}
			if pic.next == nil || pic.next.Rect.Size() != px.Size() {
				pic.next = image.NewRGBA(image.Rectangle{Max: px.Size()})
			} else {
				clear(pic.next.Pix)
			}
			c := canvas.Over(pic.next, m.scale)
			p.Draw(c, c.Bounds(), m.view(p.View, a.in.Now))
			pic.nextKey, pic.nextMarks, pic.drawn = m.keys[i], c.Marks, true
		}
		for i, p := range m.placed {
			// What was never in view comes picture by picture.
			pic := a.pictures[p.ID+sideName[p.View]]
			if pic.drawn && pic.nextKey == m.keys[i] && (all || !alike || pic.img == nil) {
				pic.img, pic.next = pic.next, pic.img
				pic.key, pic.marks, pic.drawn = m.keys[i], pic.nextMarks, false
				pic.version++
			}
		}
		if all || !alike {
			a.inView = m
		}
		if all {
			a.next = nil
		}
	}
	for i, p := range a.inView.placed {
		id := p.ID + sideName[p.View]
		pic := a.pictures[id]
		if pic.img == nil || pic.key != a.inView.keys[i] {
			continue
		}
		r, at := a.local(p)
		out = append(out, Blit{id, pic.version, pic.img, pic.img.Rect, at})
		if p.Sprites == nil {
			continue
		}
		for n, s := range p.Sprites(r, a.in.Scale, a.inView.view(p.View, a.in.Now)) {
			out = append(out, Blit{fmt.Sprint(id, " ", n), a.version(s.Image), s.Image, s.Part, s.At.Add(at)})
		}
	}
	return out
}

// draw keeps the picture id as f draws it into a picture of the size of r, anew if key differs from
// before, and adds it to the blits.
func (a *App) draw(out []Blit, id string, r canvas.Rect, key any, f func(c *canvas.Canvas, r canvas.Rect)) []Blit {
	px := r.Pixels(a.in.Scale)
	if px.Empty() {
		return out
	}
	k := pictureKey{key, px.Size(), a.in.Scale}
	p := a.pictures[id]
	if p == nil {
		p = &picture{}
		a.pictures[id] = p
	}
	stale := p.img == nil || p.key != any(k)
	if stale {
		waits := p.img == nil || p.img.Rect.Size() == px.Size() && p.late < mostLate
		switch {
		case a.hasTime(!waits):
		case p.img == nil:
			return out // it comes in a later frame
		default:
			p.late++
			stale = false
		}
	}
	if stale {
		p.late = 0
		if p.img == nil || p.img.Rect.Size() != px.Size() {
			p.img = image.NewRGBA(image.Rectangle{Max: px.Size()})
		} else {
			clear(p.img.Pix)
		}
		c := canvas.Over(p.img, a.in.Scale)
		f(c, c.Bounds())
		p.key = k
		p.version++
	}
	return append(out, Blit{id, p.version, p.img, p.img.Rect, px.Min})
}

// Draw draws what has changed and returns the pictures of the window from back to front; where they
// leave a gap, it has the colour of [App.Back]. They are valid until the next Draw.
func (a *App) Draw() []Blit {
	if a.in.Width < 1 || a.in.Height < 1 || a.in.Scale <= 0 {
		return nil
	}
	a.began, a.forced = time.Now(), false
	out := a.drawPanes(nil)
	out = a.drawBars(out)
	return a.drawOver(out)
}

var sideName = [2]string{"", " 2"}

// version numbers pictures that are never drawn into again.
func (a *App) version(img *image.RGBA) int {
	if a.numbers == nil || len(a.numbers) > 64 {
		a.numbers = make(map[*image.RGBA]int)
	}
	if a.numbers[img] == 0 {
		a.number++
		a.numbers[img] = a.number
	}
	return a.numbers[img]
}

// Compose draws the whole window into one picture: what the graphics card makes of the blits.
func (a *App) Compose() *image.RGBA {
	w, h := int(math.Round(a.in.Width*a.in.Scale)), int(math.Round(a.in.Height*a.in.Scale))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(a.theme.Back), image.Point{}, draw.Src)
	for _, b := range a.Draw() {
		draw.Draw(img, image.Rectangle{b.At, b.At.Add(b.Part.Size())}, b.Image, b.Part.Min, draw.Over)
	}
	return img
}

// Back is the colour behind everything.
func (a *App) Back() (r, g, b uint8) { return a.theme.Back.R, a.theme.Back.G, a.theme.Back.B }
