package window

import (
	"fmt"
	"image/color"
	"slices"
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

// Sizes of controls in points.
type sizes struct {
	button      float64 // side of a button
	top, bottom float64 // heights of the bars
	row         float64 // of a list
}

// sizes are those for a mouse, or for a finger: no control smaller than 44 points.
func (a *App) sizes() sizes {
	if a.in.Touch {
		return sizes{button: 44, top: 52, bottom: 60, row: 44}
	}
	return sizes{button: 28, top: 40, bottom: 48, row: 28}
}

const (
	groupGap = 10.0
	edge     = 6.0 // between buttons and the edges of the window
	// narrow is the width in points below which a window is that of a phone.
	narrow = 600.0
	// textRoom is what a button with words has more than one with an icon.
	textRoom = 14.0
)

// width is what groups of controls take side by side.
func (a *App) width(groups [][]*control) float64 {
	w := float64(len(groups)-1) * groupGap
	for _, g := range groups {
		for _, c := range g {
			w += a.sizes().button + 2
			if c.text != nil {
				w += textRoom
			}
		}
	}
	return w
}

// bottomGroups are the controls of the bar at the bottom: for fingers only as many as find room, and one for the
// list of the others.
func (a *App) bottomGroups() [][]*control {
	groups := a.present(bottom)
	if !a.in.Touch || a.width(groups) <= a.in.Width-2*edge {
		return groups
	}
	short := [][]*control{a.named("segment-back", "play", "segment", "longer", "now", "next", "edit")}
	switch {
	case !a.live():
		short = [][]*control{a.named("back", "segment-back", "play", "segment", "forward", "layer")}
	case a.human(): // who needs nothing of thinking
		short = [][]*control{a.named("back", "forward", "last", "restart", "next", "take")}
	}
	return append(short, []*control{a.more})
}

// buttons are all buttons at their places.
func (a *App) buttons() []button {
	top, low := a.bars()
	side := a.sizes().button
	var out []button
	groups := a.bottomGroups()
	all := a.width(groups)
	scale := min(1, (low.W-2*edge)/all)
	spread := 0.0
	if a.in.Touch && scale == 1 { // over the whole bar, where a thumb reaches both ends
		spread = min((low.W-2*edge-all)/float64(max(len(a.flat(groups))-1, 1)), 12)
		all += spread * float64(len(a.flat(groups))-1)
	}
	x := low.X + max((low.W-all*scale)/2, edge)
	y := low.Y + (low.H-side)/2
	for _, g := range groups {
		for _, c := range g {
			w := side * scale
			if c.text != nil {
				w += textRoom * scale
			}
			out = append(out, button{c, canvas.Rect{X: x, Y: y, W: w, H: side}})
			x += w + 2*scale + spread
		}
		x += groupGap * scale
	}
	right := top.X + top.W - 12
	y = top.Y + (top.H-side)/2
	if a.in.Width >= narrow {
		list := a.flat(a.present([][]*control{topRight}))
		for i := len(list) - 1; i >= 0; i-- {
			right -= side
			out = append(out, button{list[i], canvas.Rect{X: right, Y: y, W: side, H: side}})
			right -= 2
		}
	}
	x = top.X + 12
	room := right - x - 8
	for i, c := range topLeft {
		w := min(canvas.Width(c.text(a), topFont(c))+28, room)
		if i == 0 && a.in.Width < narrow {
			w = min(w, 0.6*room)
		}
		out = append(out, button{c, canvas.Rect{X: x, Y: y, W: w, H: side}})
		x += w + 4
		room -= w + 4
	}
	return out
}

// present are groups of controls without those that this window has not.
func (a *App) present(groups [][]*control) [][]*control {
	out := make([][]*control, 0, len(groups))
	for _, g := range groups {
		if g = slices.DeleteFunc(slices.Clone(g), func(c *control) bool { return c.has != nil && !c.has(a) }); len(g) > 0 {
			out = append(out, g)
		}
	}
	return out
}

func (*App) flat(groups [][]*control) []*control { return slices.Concat(groups...) }

// named are the controls of these names.
func (a *App) named(ids ...string) (list []*control) {
	all := a.controls()
	for _, id := range ids {
		if i := slices.IndexFunc(all, func(c *control) bool { return c.id == id }); i >= 0 {
			list = append(list, all[i])
		}
	}
	return list
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
			free := r.X
			for _, b := range list {
				if b.r.Y < bar.r.Y || b.r.Y >= bar.r.Y+bar.r.H {
					continue
				}
				at := b.r
				at.Y -= bar.r.Y
				a.drawButton(c, at, b.control, hover == b.id)
				if bar.id == "top" && b.text != nil {
					free = max(free, at.X+at.W)
				}
			}
			if bar.id == "top" {
				_, r = r.Left(free + 8)
				for _, b := range list {
					if b.r.Y < bar.r.Y+bar.r.H && b.r.X > free {
						r.W = min(r.W, b.r.X-12-r.X)
					}
				}
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
	if a.editing() {
		s = append(s, "editing")
	}
	return strings.Join(s, " · ")
}

// messageTime is how long a message stays.
const messageTime = 8 * time.Second

// drawOver draws what lies over the rest: the cell pointed at, messages, tooltips, lists and help.
func (a *App) drawOver(out []Blit) []Blit {
	t := a.theme
	if a.message != "" && !a.stays && a.in.Now.Sub(a.said) > messageTime {
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
		r := canvas.Rect{X: (a.in.Width - w) / 2, Y: a.in.Height - a.sizes().bottom - h - 8, W: w, H: h}
		out = a.draw(out, "message", r, [2]string{a.message, t.Name}, func(c *canvas.Canvas, r canvas.Rect) {
			c.RoundRect(r, 8, t.Bad)
			c.RoundRect(canvas.Rect{X: r.X + 4, Y: r.Y, W: r.W - 4, H: r.H}, 6, t.Raise)
			for i, s := range lines {
				c.Text(r.X+24, r.Y+8+float64(i)*18+13, s, f, canvas.Left, t.Text)
			}
		})
	}
	out = a.drawPad(out)
	out = a.drawTour(out)
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
			at, scroll, pictures int
			touch                bool
		}{l.title, l.filter, t.Name, l.at, l.scroll, a.thumbsDrawn(), a.in.Touch}
		out = a.draw(out, "list", r, key, a.drawList)
	}
	if a.help {
		out = a.draw(out, "help", a.helpArea(), [2]string{t.Name, a.envText()}, a.drawHelp)
	}
	return out
}

// drawHover frames the cell that a click would edit or pick.
func (a *App) drawHover(out []Blit) []Blit {
	if a.list != nil || a.help || !a.editing() && !a.picks() {
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
	if b == nil || a.list != nil || a.help || a.in.Touch {
		return a.drawTerm(out)
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
	key := ""
	if len(b.keys) > 0 {
		key = b.keys[0].shown()
	}
	w := canvas.Width(text, f) + canvas.Width(key, f) + 44
	var at canvas.Rect
	for _, c := range a.buttons() {
		if c.control == b {
			at = c.r
		}
	}
	r := canvas.Rect{X: min(max(at.X+at.W/2-w/2, 8), max(a.in.Width-w-8, 8)), Y: at.Y - 36, W: w, H: 28}
	if at.Y < a.sizes().top {
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
