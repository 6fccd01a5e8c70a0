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

// A pane is a part of the window that is drawn anew only when what it shows has changed.
type pane struct {
	img     *image.RGBA
	version int
	key     any
	late    int // frames since it should have been drawn anew
}

// mostLate is how many frames a pane may show what was, where drawing would take too long.
const mostLate = 4

// Heights of the bars in points.
const (
	topBar    = 40.0
	bottomBar = 48.0
)

// layout places the panes of the window.
func (a *App) layout() viz.Panes {
	_, r := a.bounds().Bottom(bottomBar)
	thinks := slices.ContainsFunc(a.sides, func(s *side) bool { return viz.Thinks(s.header) })
	p := viz.Layout(r, len(a.sides), thinks)
	if p.Actions.Empty() && a.human() {
		// A person who plays needs the actions more than the hidden state.
		p.Actions, p.Latent = p.Latent, canvas.Rect{}
	}
	return p
}

func (a *App) bars() (top, bottom canvas.Rect) {
	top, r := a.bounds().Top(topBar)
	bottom, _ = r.Bottom(bottomBar)
	return top, bottom
}

// scene is what the panes of a side depend on, but the board.
type scene struct {
	step     *trace.Step
	segments int
	segment  int
	theme    string
	layer    string
	pick     int
	header   string
	mean     float64
	most     int
	kept     int // steps
	at       int
	speed    string
}

func (a *App) scene(s *side) scene {
	v := &s.view
	k := scene{step: v.Step, segment: v.Segment, theme: a.theme.Name, layer: a.layer, pick: a.pick, header: viz.Who(v.Header) + v.Header.EnvID}
	if v.Step != nil {
		k.segments = len(v.Step.Thought)
	}
	return k
}

// draw keeps the pane id as f draws it into a picture of the size of r, anew if key differs from
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
	p := a.panes[id]
	if p == nil {
		p = &pane{}
		a.panes[id] = p
	}
	stale := p.img == nil || p.key != any(k)
	if stale && p.img != nil && p.img.Rect.Size() == px.Size() && p.late < mostLate && a.Budget > 0 && time.Since(a.began) > a.Budget {
		p.late++
		stale = false
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
	a.began = time.Now()
	var out []Blit
	p := a.layout()
	for i, s := range a.sides {
		out = a.drawBoard(out, i, s, p.Boards[i])
		k := a.scene(s)
		k.pick = 0
		if i < len(p.Films) {
			out = a.draw(out, "film"+sideName[i], p.Films[i], k, func(c *canvas.Canvas, r canvas.Rect) { s.film.Draw(c, r, &s.view) })
		}
		k.layer = ""
		if i < len(p.Curves) {
			out = a.draw(out, "curve"+sideName[i], p.Curves[i], k, func(c *canvas.Canvas, r canvas.Rect) { viz.DrawCurve(c, r, &s.view) })
		}
		if i < len(p.Thoughts) {
			k := k
			k.mean, k.most = s.view.Mean, s.view.Most
			out = a.draw(out, "thought"+sideName[i], p.Thoughts[i], k, func(c *canvas.Canvas, r canvas.Rect) { viz.DrawThought(c, r, &s.view) })
		}
	}
	s := a.sides[0]
	k := a.scene(s)
	k.pick, k.layer = 0, ""
	out = a.draw(out, "latent", p.Latent, k, func(c *canvas.Canvas, r canvas.Rect) { viz.DrawLatent(c, r, &s.view) })
	out = a.draw(out, "actions", p.Actions, k, func(c *canvas.Canvas, r canvas.Rect) { viz.DrawActions(c, r, &s.view) })
	if s.line != nil {
		k.kept, k.at, k.speed = s.line.End, s.line.Step, s.view.Speed
		out = a.draw(out, "timeline", p.Timeline, k, func(c *canvas.Canvas, r canvas.Rect) { viz.DrawTimeline(c, r, s.line, &s.view) })
	}
	out = a.drawBars(out)
	return a.drawOver(out)
}

var sideName = [2]string{"", " 2"}

// boardKey is what the picture of a board depends on.
type boardKey struct {
	art       *viz.Art
	scene     scene
	attention *[]uint8
	other     *trace.Segment
	name      string
}

// drawBoard draws a side's board with its answer as one picture, and each agent, which may be gliding,
// as a part of another.
func (a *App) drawBoard(out []Blit, i int, s *side, r canvas.Rect) []Blit {
	v := &s.view
	if v.Step == nil {
		return a.draw(out, "board"+sideName[i], r, a.scene(s), func(c *canvas.Canvas, r canvas.Rect) { viz.DrawBoard(c, r, v) })
	}
	px := r.Pixels(a.in.Scale)
	local := canvas.Rect{W: float64(px.Dx()) / a.in.Scale, H: float64(px.Dy()) / a.in.Scale}
	area, cell := viz.BoardArea(local, v.Step.Board.Cols, v.Step.Board.Rows, a.in.Scale)
	if cell == 0 {
		return a.draw(out, "board"+sideName[i], r, a.scene(s), func(c *canvas.Canvas, r canvas.Rect) { viz.DrawBoard(c, r, v) })
	}
	art := a.art(i, v, cell)
	k := boardKey{art: art, scene: a.scene(s), other: v.Other, name: v.Name}
	if len(v.Attention) > 0 {
		k.attention = &v.Attention[0]
	}
	out = a.draw(out, "board"+sideName[i], r, k, func(c *canvas.Canvas, r canvas.Rect) { viz.DrawBoardArt(c, r, v, art, false) })
	for n, img := range art.Agents {
		at := art.Place(n, v.From, v.Glide).Add(area.Min).Add(px.Min)
		if part := img.Rect.Add(at).Intersect(area.Add(px.Min)); !part.Empty() {
			out = append(out, Blit{fmt.Sprint("agent", sideName[i], n), a.version(img), img, part.Sub(at), part.Min})
		}
	}
	return out
}

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

// art is the painted board of side i, from before if it is the same.
func (a *App) art(i int, v *viz.View, cell int) *viz.Art {
	for len(a.arts) <= i {
		a.arts = append(a.arts, nil)
	}
	if o := a.arts[i]; o != nil && o.Cell == cell && viz.SameBoard(&o.Board, &v.Step.Board) {
		return o
	}
	a.arts[i] = viz.Paint(v.Step.Board, cell, v.Painter, a.arts[i])
	return a.arts[i]
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
