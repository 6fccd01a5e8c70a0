package window

import (
	"fmt"
	"image/color"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// A button is a control and its place in the window.
type button struct {
	*control
	r canvas.Rect
}

// Sizes of buttons in points.
const (
	buttonSide = 28.0
	groupGap   = 10.0
)

// buttons are all buttons at their places.
func (a *App) buttons() []button {
	top, low := a.bars()
	var out []button
	n, groups := 0, len(bottom)
	for _, g := range bottom {
		n += len(g)
	}
	// Two buttons have words and need more room.
	const wide = 14.0
	all := float64(n)*(buttonSide+2) + 2*wide + float64(groups-1)*groupGap
	scale := min(1, (low.W-16)/all)
	x := low.X + max((low.W-all*scale)/2, 8)
	y := low.Y + (low.H-buttonSide)/2
	for _, g := range bottom {
		for _, c := range g {
			w := buttonSide * scale
			if c.text != nil {
				w += wide * scale
			}
			out = append(out, button{c, canvas.Rect{X: x, Y: y, W: w, H: buttonSide}})
			x += w + 2*scale
		}
		x += groupGap * scale
	}
	right := top.X + top.W - 12
	for i := len(topRight) - 1; i >= 0; i-- {
		right -= buttonSide
		out = append(out, button{topRight[i], canvas.Rect{X: right, Y: top.Y + (topBar-buttonSide)/2, W: buttonSide, H: buttonSide}})
		right -= 2
	}
	x = top.X + 12
	room := right - x - 8
	for _, c := range topLeft {
		w := min(canvas.Width(c.text(a), topFont(c))+28, room)
		out = append(out, button{c, canvas.Rect{X: x, Y: top.Y + (topBar-buttonSide)/2, W: w, H: buttonSide}})
		x += w + 4
		room -= w + 4
	}
	return out
}

func topFont(c *control) canvas.Font {
	if c.id == "env" {
		return canvas.Font{Face: canvas.Bold, Size: 14}
	}
	return canvas.Font{Size: 13}
}

// buttonAt is the button at the point, or nil.
func (a *App) buttonAt(x, y float64) *control {
	for _, b := range a.buttons() {
		if b.r.Contains(x, y) {
			return b.control
		}
	}
	return nil
}

// barKey is what the bars depend on.
type barKey struct {
	theme, tip, pressed string
	states              string
	w                   float64
}

func (a *App) drawBars(out []Blit) []Blit {
	top, low := a.bars()
	list := a.buttons()
	hover := ""
	if a.list == nil && !a.help {
		if c := a.buttonAt(a.in.X, a.in.Y); c != nil {
			hover = c.id
		}
	}
	var states strings.Builder
	for _, b := range list {
		fmt.Fprintf(&states, "%t%t", b.enabled(a), b.on != nil && b.enabled(a) && b.on(a))
		if b.text != nil {
			states.WriteString(b.text(a))
		}
	}
	fmt.Fprintf(&states, "%t%s", a.isPlaying(), a.note())
	k := barKey{a.theme.Name, hover, a.pressed, states.String(), a.in.Width}
	for _, bar := range []struct {
		id string
		r  canvas.Rect
	}{{"top", top}, {"bottom", low}} {
		out = a.draw(out, bar.id, bar.r, k, func(c *canvas.Canvas, r canvas.Rect) {
			c.Fill(r, a.theme.Back)
			edge := r.X
			for _, b := range list {
				if b.r.Y < bar.r.Y || b.r.Y >= bar.r.Y+bar.r.H {
					continue
				}
				at := b.r
				at.Y -= bar.r.Y
				a.drawButton(c, at, b.control, hover == b.id)
				if bar.id == "top" && b.text != nil {
					edge = max(edge, at.X+at.W)
				}
			}
			if bar.id == "top" {
				_, r = r.Left(edge + 8)
				_, r = r.Right(float64(len(topRight))*(buttonSide+2) + 20)
				if r.W > 24 {
					c.TextIn(r, a.note(), canvas.Font{Size: 12}, canvas.Right, a.theme.Continue)
				}
			}
		})
	}
	return out
}

func (a *App) drawButton(c *canvas.Canvas, r canvas.Rect, b *control, hover bool) {
	t := a.theme
	enabled := b.enabled(a)
	on := enabled && b.on != nil && b.on(a)
	ground, ink := t.Back, t.Text
	isTop := b.id == "env" || b.id == "agent"
	switch {
	case !enabled && !isTop:
		ink = t.Faint
	case on:
		ground, ink = t.Halt, t.Panel
		if b.id == "record" {
			ground = t.Bad
		}
	case hover && enabled:
		ground = t.Raise
		if a.pressed == b.id {
			ground = t.Line
		}
	}
	if b.id == "agent" {
		ink = t.Muted
	}
	if b.id == "record" && !on && enabled {
		ink = t.Bad
	}
	if ground != t.Back {
		c.RoundRect(r, 6, ground)
	}
	if b.text != nil {
		f, align := canvas.Font{Size: 12}, canvas.Center
		in := r
		if isTop {
			f, align = topFont(b), canvas.Left
			_, in = in.Left(8)
			if enabled {
				y := r.Y + r.H/2
				x := r.X + r.W - 16
				c.Polygon(t.Muted, pt(x, y-2), pt(x+8, y-2), pt(x+4, y+3))
				_, in = in.Right(18)
			}
		}
		c.TextIn(in, b.text(a), f, align, ink)
		return
	}
	draw := b.icon
	if b.id == "play" && a.isPlaying() {
		draw = iconPause
	}
	draw(c, r.X+(r.W-16)/2, r.Y+(r.H-16)/2, ink)
}

// note is what the top bar says about the state of things.
func (a *App) note() string {
	var s []string
	if e := a.export.state.Load(); e != nil && !e.done {
		s = append(s, e.text)
	}
	t := a.status()
	if t == nil {
		if len(a.sides) == 1 && a.sides[0].name != "" {
			s = append(s, "replay of "+a.sides[0].name)
		}
		return strings.Join(s, " · ")
	}
	if t.Recording != "" {
		s = append(s, fmt.Sprintf("recording, %d steps", t.Recorded))
	}
	if t.Busy != "" {
		// Said only when it takes long enough to be noticed, and then by the second.
		if d := a.in.Now.Sub(t.Since); d > 700*time.Millisecond {
			s = append(s, fmt.Sprintf("%s for %d s", t.Busy, int(d.Seconds())+1))
		}
	}
	if !a.following() {
		s = append(s, "the past; End shows the newest")
	}
	if a.edit {
		s = append(s, "editing")
	}
	return strings.Join(s, " · ")
}

// messageTime is how long a message stays.
const messageTime = 8 * time.Second

// drawOver draws what lies over the rest: the cell pointed at, messages, tooltips, lists and help.
func (a *App) drawOver(out []Blit) []Blit {
	t := a.theme
	if a.message != "" && a.in.Now.Sub(a.said) > messageTime {
		a.message = ""
	}
	out = a.drawHover(out)
	if a.message != "" {
		f := canvas.Font{Size: 13}
		lines := canvas.Wrap(a.message, f, min(a.in.Width-96, 640))
		if len(lines) > 6 {
			lines = append(lines[:5], "…")
		}
		w := 0.0
		for _, s := range lines {
			w = max(w, canvas.Width(s, f))
		}
		w, h := w+48, float64(len(lines))*18+16
		r := canvas.Rect{X: (a.in.Width - w) / 2, Y: a.in.Height - bottomBar - h - 8, W: w, H: h}
		out = a.draw(out, "message", r, [2]string{a.message, t.Name}, func(c *canvas.Canvas, r canvas.Rect) {
			c.RoundRect(r, 8, t.Bad)
			c.RoundRect(canvas.Rect{X: r.X + 4, Y: r.Y, W: r.W - 4, H: r.H}, 6, t.Raise)
			for i, s := range lines {
				c.Text(r.X+24, r.Y+8+float64(i)*18+13, s, f, canvas.Left, t.Text)
			}
		})
	}
	out = a.drawTip(out)
	if a.list != nil || a.help {
		out = a.draw(out, "shade", a.bounds(), t.Name, func(c *canvas.Canvas, r canvas.Rect) {
			c.Fill(r, color.RGBA{0, 0, 0, 120})
		})
	}
	if a.list != nil {
		r, _ := a.listArea()
		l := a.list
		key := struct {
			title, filter, theme string
			at, scroll           int
		}{l.title, l.filter, t.Name, l.at, l.scroll}
		out = a.draw(out, "list", r, key, a.drawList)
	}
	if a.help {
		out = a.draw(out, "help", a.helpArea(), [2]string{t.Name, a.envText()}, a.drawHelp)
	}
	return out
}

// drawHover frames the cell that a click would edit or pick.
func (a *App) drawHover(out []Blit) []Blit {
	if a.list != nil || a.help || !a.edit && !a.picks() {
		return out
	}
	p, h, _ := a.under(a.in.X, a.in.Y)
	if h.Kind != viz.HitCell {
		return out
	}
	_, at := a.local(p)
	r := h.Rect
	r.X, r.Y = r.X+float64(at.X)/a.in.Scale, r.Y+float64(at.Y)/a.in.Scale
	return a.draw(out, "hover", r, a.theme.Name, func(c *canvas.Canvas, r canvas.Rect) {
		c.Frame(r, 2, max(r.W/12, 1.5), a.theme.Continue)
	})
}

// tipDelay is how long the pointer rests before a tooltip comes.
const tipDelay = 350 * time.Millisecond

func (a *App) drawTip(out []Blit) []Blit {
	b := a.buttonAt(a.in.X, a.in.Y)
	if b == nil || a.list != nil || a.help {
		a.tip = ""
		return out
	}
	if b.id != a.tip {
		a.tip, a.tipped = b.id, a.in.Now
	}
	if a.in.Now.Sub(a.tipped) < tipDelay {
		return out
	}
	t := a.theme
	f := canvas.Font{Size: 12.5}
	text := b.tip
	switch {
	case b.id == "layer":
		l, _ := viz.LayerOf(a.sides[0].header, a.layer)
		text += ": " + l.Title
	case b.live && !a.live():
		text += " (not in a replay)"
	}
	key := b.keys[0].shown()
	w := canvas.Width(text, f) + canvas.Width(key, f) + 44
	var at canvas.Rect
	for _, c := range a.buttons() {
		if c.control == b {
			at = c.r
		}
	}
	r := canvas.Rect{X: min(max(at.X+at.W/2-w/2, 8), max(a.in.Width-w-8, 8)), Y: at.Y - 36, W: w, H: 28}
	if at.Y < topBar {
		r.Y = at.Y + at.H + 6
	}
	return a.draw(out, "tip", r, [3]string{text, key, t.Name}, func(c *canvas.Canvas, r canvas.Rect) {
		c.RoundRect(r, 6, t.Line)
		c.RoundRect(r.Inset(1), 5, t.Raise)
		_, in := r.Left(10)
		c.TextIn(in, text, f, canvas.Left, t.Text)
		right, _ := r.Right(canvas.Width(key, f) + 22)
		box := right.Inset(5)
		c.RoundRect(box, 4, t.Panel)
		c.TextIn(box, key, f, canvas.Center, t.Muted)
	})
}
