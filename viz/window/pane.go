package window

import (
	"fmt"
	"image"
	"image/draw"
	"math"
	"slices"
	"time"

	"github.com/ponder-agents/ponder/agent/trace"
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
}

// mostLate is how many frames a picture may show what was, where drawing would take too long. Of those that are
// later, one is drawn in a frame, so that no frame takes much longer than its longest picture.
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
	return viz.Layout(r, viz.Arrangement{Panes: panes, Views: len(a.sides), Thinks: thinks, Human: a.human()})
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
	segments int
	segment  int
	theme    string
	header   string
	own      any // as the pane says
}

// scene is what all panes of v depend on.
func (a *App) scene(v *viz.View) scene {
	k := scene{step: v.Step, segment: v.Segment, theme: a.theme.Name, header: viz.Who(v.Header) + v.Header.EnvID}
	if v.Step != nil {
		k.segments = len(v.Step.Thought)
	}
	return k
}

// draw keeps the picture id as f draws it into a picture of the size of r, anew if key differs from
// before, and adds it to the blits.
func (a *App) draw(out []Blit, id string, r canvas.Rect, key any, f func(c *canvas.Canvas, r canvas.Rect)) []Blit {
	px := r.Pixels(a.in.Scale)
	if px.Empty() {
		return out
	}
	type keyed struct {
		key   any
		size  image.Point
		scale float64
	}
	k := keyed{key, px.Size(), a.in.Scale}
	p := a.pictures[id]
	if p == nil {
		p = &picture{}
		a.pictures[id] = p
	}
	stale := p.img == nil || p.key != any(k)
	if stale && a.Budget > 0 && time.Since(a.began) > a.Budget {
		switch {
		case a.forced && p.img == nil:
			return out // it comes in a later frame
		case p.img != nil && p.img.Rect.Size() == px.Size() && (p.late < mostLate || a.forced):
			p.late++
			stale = false
		default:
			a.forced = true
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
	var out []Blit
	var scenes [len(sideName)]scene
	for i, s := range a.sides {
		scenes[i] = a.scene(&s.view)
	}
	for _, p := range a.layout() {
		v := &a.sides[p.View].view
		id, k := p.ID+sideName[p.View], scenes[p.View]
		if p.Shows != nil {
			k.own = p.Shows(v)
		}
		out = a.draw(out, id, p.Rect, k, func(c *canvas.Canvas, r canvas.Rect) { p.Draw(c, r, v) })
		if p.Sprites == nil {
			continue
		}
		r, at := a.local(p)
		for n, s := range p.Sprites(r, a.in.Scale, v) {
			out = append(out, Blit{fmt.Sprint(id, " ", n), a.version(s.Image), s.Image, s.Part, s.At.Add(at)})
		}
	}
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
