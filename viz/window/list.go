package window

import (
	"image"
	"math"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// A list lets a person pick one of its items: by arrows and Enter, by typing a part of it, by mouse.
type list struct {
	title  string
	items  []item
	choose func(item int)
	other  func(typed string) (it item, choose func(), ok bool) // what was typed, as an item that is not in the list; may be nil
	filter string
	at     int // among those that match
	scroll int

	held   bool // by the pointer, since it was at from when scroll was began
	from   float64
	began  int
	pulled bool // it was scrolled by that
}

// An item of a list.
type item struct {
	title   string
	line    string // what it is
	why     string // it cannot be picked
	current bool   // it is what is shown now
	world   string // the id of the world that is its picture; empty without
}

// typed is the index of what was typed, where that is an item of its own.
const typed = -1

// item is item i.
func (l *list) item(i int) item {
	if i == typed {
		it, _, _ := l.other(l.filter)
		return it
	}
	return l.items[i]
}

// pickItem chooses item i, or says why not.
func (a *App) pickItem(i int) {
	l := a.list
	switch it := l.item(i); {
	case it.why != "":
		a.say("%s: %s", it.title, it.why)
	case i == typed:
		_, choose, _ := l.other(l.filter)
		a.list = nil
		choose()
	default:
		a.list = nil
		l.choose(i)
	}
}

// rich reports whether items have a second line or a picture.
func (l *list) rich() bool {
	return slices.ContainsFunc(l.items, func(it item) bool { return it.line != "" || it.world != "" })
}

// listRow is the height of a row of the list.
func (a *App) listRow() float64 {
	if a.list.rich() {
		return 48
	}
	return a.sizes().row
}

// listHead is the height of what stands over a list.
const listHead = 72.0

// matches are the items that contain what was typed.
func (l *list) matches() []int {
	var m []int
	if l.other != nil && l.filter != "" {
		if _, _, ok := l.other(l.filter); ok {
			m = append(m, typed)
		}
	}
	for i, it := range l.items {
		if strings.Contains(strings.ToLower(it.title+" "+it.line), strings.ToLower(l.filter)) {
			m = append(m, i)
		}
	}
	return m
}

// listArea is where the list stands and how many rows it shows.
func (a *App) listArea() (r canvas.Rect, rows int) {
	w := min(max(a.in.Width*0.4, 320), a.in.Width-32)
	row := a.listRow()
	if a.list.rich() {
		w = min(max(a.in.Width*0.5, 480), a.in.Width-16)
	}
	rows = min(max(int((a.in.Height-160-listHead)/row), 3), 16)
	rows = min(rows, max(len(a.list.items), 3))
	h := listHead + float64(rows)*row + 12
	return canvas.Rect{X: (a.in.Width - w) / 2, Y: max((a.in.Height-h)/3, 8), W: w, H: h}, rows
}

func (a *App) listKey(k Key) {
	l := a.list
	m := l.matches()
	_, rows := a.listArea()
	switch k {
	case "esc":
		a.list = nil
		return
	case "enter":
		if l.at < len(m) {
			a.pickItem(m[l.at])
		}
		return
	case "up":
		l.at--
	case "down", "tab":
		l.at++
	case "pgup":
		l.at -= rows
	case "pgdn":
		l.at += rows
	case "home":
		l.at = 0
	case "end":
		l.at = len(m) - 1
	case "backspace":
		if r := []rune(l.filter); len(r) > 0 {
			l.filter = string(r[:len(r)-1])
			l.at = 0
		}
	default:
		if r, ok := k.typed(); ok && len(l.filter) < 64 {
			l.filter += string(r)
			l.at = 0
		}
	}
	n := len(l.matches())
	l.at = max(min(l.at, n-1), 0)
	l.scroll = max(min(l.scroll, l.at), l.at-rows+1)
}

// listRowAt is the row among those that match at the pointer, -1 if there is none.
func (a *App) listRowAt(x, y float64) int {
	r, rows := a.listArea()
	_, in := r.Top(listHead)
	i := int((y - in.Y) / a.listRow())
	if !in.Contains(x, y) || y < in.Y || i >= rows {
		return -1
	}
	if i += a.list.scroll; i >= len(a.list.matches()) {
		return -1
	}
	return i
}

// listPointer handles the pointer while a list is open: what is let go where it was pressed is chosen, and
// a list that is pulled scrolls.
func (a *App) listPointer(pressed, released, moved bool) {
	l := a.list
	r, rows := a.listArea()
	scroll := func(to int) { l.scroll = max(min(to, len(l.matches())-rows), 0) }
	if a.in.Wheel != 0 {
		scroll(l.scroll - int(a.in.Wheel*3))
	}
	i := a.listRowAt(a.in.X, a.in.Y)
	if i >= 0 && moved {
		l.at = i
	}
	switch {
	case pressed && r.Contains(a.in.X, a.in.Y):
		l.held, l.pulled, l.from, l.began = true, false, a.in.Y, l.scroll
	case pressed:
		a.list = nil
	case released && l.held:
		l.held = false
		if i >= 0 && !l.pulled {
			a.pickItem(l.matches()[i])
		}
	case l.held:
		by := (l.from - a.in.Y) / a.listRow()
		if l.pulled = l.pulled || abs(by) > 0.5; l.pulled {
			scroll(l.began + int(math.Round(by)))
		}
	}
}

func (a *App) drawList(c *canvas.Canvas, r canvas.Rect) {
	t := a.theme
	l := a.list
	c.RoundRect(r, 10, t.Line)
	c.RoundRect(r.Inset(1), 9, t.Panel)
	head, in := r.Top(listHead)
	head = head.Inset(12)
	title, box := head.Top(20)
	c.TextIn(title, l.title, canvas.Font{Face: canvas.Bold, Size: 14}, canvas.Left, t.Text)
	_, box = box.Top(4)
	c.RoundRect(box, 5, t.Raise)
	text, col := l.filter, t.Text
	if text == "" {
		text, col = "type to search, ↑ ↓ and Enter to pick, Esc to close", t.Muted
		if a.in.Touch {
			text = "tap to pick, pull to see more, tap outside to close"
		}
	}
	_, box = box.Left(8)
	c.TextIn(box, text, canvas.Font{Size: 12.5}, canvas.Left, col)
	m := l.matches()
	if len(m) == 0 {
		row, _ := in.Top(a.listRow())
		_, row = row.Left(20)
		c.TextIn(row, "nothing matches", canvas.Font{Size: 13}, canvas.Left, t.Muted)
		return
	}
	_, rows := a.listArea()
	listRow := a.listRow()
	for k := l.scroll; k < min(l.scroll+rows, len(m)); k++ {
		row := canvas.Rect{X: in.X + 8, Y: in.Y + float64(k-l.scroll)*listRow, W: in.W - 16, H: listRow}
		a.drawItem(c, row, l.item(m[k]), k == l.at)
	}
	if len(m) > rows {
		h := float64(rows) * listRow
		c.RoundRect(canvas.Rect{X: r.X + r.W - 6, Y: in.Y + h*float64(l.scroll)/float64(len(m)), W: 3, H: h * float64(rows) / float64(len(m))}, 1.5, t.Faint)
	}
}

// drawItem draws a row: its picture, its title, the mark of what is shown now, and what it is or why it cannot be picked.
func (a *App) drawItem(c *canvas.Canvas, row canvas.Rect, it item, at bool) {
	t := a.theme
	text, muted := t.Text, t.Muted
	if at {
		c.RoundRect(row, 5, t.Halt)
		text, muted = t.Panel, t.Panel
	}
	if it.why != "" {
		text = muted
	}
	if a.list.pictured() {
		var at canvas.Rect
		at, row = row.Left(row.H)
		if img := a.thumb(it.world); it.world != "" && img != nil {
			at = at.Inset(4)
			k := min(at.W*c.Scale/float64(img.Rect.Dx()), at.H*c.Scale/float64(img.Rect.Dy()))
			w, h := int(k*float64(img.Rect.Dx())), int(k*float64(img.Rect.Dy()))
			small := image.NewRGBA(image.Rect(0, 0, w, h))
			draw.ApproxBiLinear.Scale(small, small.Rect, img, img.Rect, draw.Src, nil)
			c.Image(at.X+(at.W-float64(w)/c.Scale)/2, at.Y+(at.H-float64(h)/c.Scale)/2, small)
		}
	}
	_, row = row.Left(12)
	_, row = row.Right(12)
	f := canvas.Font{Size: 13.5}
	if it.current {
		var mark canvas.Rect
		mark, row = row.Right(44)
		c.TextIn(mark, "now", canvas.Font{Face: canvas.Bold, Size: 11.5}, canvas.Right, text)
	}
	line := it.line
	if it.why != "" {
		line = it.why
	}
	if line == "" {
		c.TextIn(row, it.title, f, canvas.Left, text)
		return
	}
	_, row = row.Top(5)
	_, row = row.Bottom(5)
	top, low := row.Top(row.H / 2)
	c.TextIn(top, it.title, f, canvas.Left, text)
	c.TextIn(low, line, canvas.Font{Size: 11.5}, canvas.Left, muted)
}

// pictured reports whether any item has a picture.
func (l *list) pictured() bool {
	return slices.ContainsFunc(l.items, func(it item) bool { return it.world != "" })
}
