package viz

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// colors is how many a palette has.
const colors = 10

// palette are the tools that come in every colour, as "paint 0" to "paint 9": their names, with the actions of colour 0.
// It is nil where a person has no use for tools.
func palette(actions []string) (verbs []verb) {
	for a, name := range actions {
		name, ok := strings.CutSuffix(name, " 0")
		if !ok || a+colors > len(actions) {
			continue
		}
		all := true
		for k := range colors {
			all = all && actions[a+k] == name+" "+strconv.Itoa(k)
		}
		if all {
			verbs = append(verbs, verb{name, a})
		}
	}
	return verbs
}

// A verb is a tool in ten colours.
type verb struct {
	name  string
	first int // its action in colour 0
}

// tools reports whether the actions are shown as tools.
func (v *View) tools() bool { return v.Hand.Plays && palette(v.Header.Actions) != nil }

// Tooled says how a person's press on an action is meant where the actions are tools: with now it is taken at once, else a
// click on a cell takes it there.
func Tooled(actions []string, tool, pressed int) (now, ok bool) {
	verbs := palette(actions)
	if verbs == nil || pressed < 0 || pressed >= len(actions) {
		return false, false
	}
	inColor := slices.ContainsFunc(verbs, func(p verb) bool { return pressed >= p.first && pressed < p.first+colors })
	selecting := tool >= 0 && tool < len(actions) && actions[tool] == selectTool
	switch {
	case inColor:
		return selecting, true // the colour is for what is selected
	case actions[pressed] == selectTool, actions[pressed] == "paste":
		return false, true
	}
	return true, true
}

// selectTool is the tool that takes two cells, where the pointer is pressed and where it is let go.
const selectTool = "select"

// Selects reports whether a is the action that begins a selection.
func Selects(actions []string, a int) bool {
	return a >= 0 && a < len(actions) && actions[a] == selectTool
}

// toolWords are the names of tools whose action says too little.
var toolWords = map[string]string{
	"flood": "fill", "take": "copy from input", "input": "all of the input", "taller": "row +", "shorter": "row −", "wider": "column +", "narrower": "column −",
}

// A tool is a button of the tools.
type tool struct {
	r      canvas.Rect
	action int
	words  string
	color  int // of a swatch; -1 of other buttons
	on     bool
}

// Sizes of tools in points.
const (
	toolHeight = 30.0
	fingerTool = 44.0 // the height for a finger
	toolGap    = 6.0
	swatchesOf = 5 // colours beside each other
)

// toolsPer is how many buttons stand beside each other.
func toolsPer(v *View) int {
	if v.Hand.Touch {
		return 3
	}
	return 2
}

// toolsHeight is the height of the pane of the tools.
func toolsHeight(actions []string) float64 {
	rows := colors/swatchesOf + (len(buttons(actions))-colors+1)/2 + 1 // and a row for the way back
	return 3*gap + 16 + gap + float64(rows)*(toolHeight+toolGap)
}

// buttons are all tools without their places: the swatches, the tools in colour, and the rest but the moves.
func buttons(actions []string) (list []tool) {
	verbs := palette(actions)
	for k := range colors {
		list = append(list, tool{color: k})
	}
	in := make([]bool, len(actions))
	for _, p := range verbs {
		for k := range colors {
			in[p.first+k] = true
		}
		list = append(list, tool{action: p.first, words: p.name, color: -1})
	}
	for a, name := range actions {
		if !in[a] && !slices.Contains([]string{"up", "down", "left", "right"}, name) {
			list = append(list, tool{action: a, words: name, color: -1})
		}
	}
	for i := range list {
		if w, ok := toolWords[list[i].words]; ok {
			list[i].words = w
		}
	}
	return list
}

// toolPlaces are the tools at their places in the pane r.
func toolPlaces(r canvas.Rect, v *View) []tool {
	verbs := palette(v.Header.Actions)
	_, in := r.Inset(1.5 * gap).Top(16 + gap)
	list := buttons(v.Header.Actions)
	per, height := toolsPer(v), toolHeight
	if v.Hand.Touch {
		height = fingerTool
	}
	rows := colors/swatchesOf + (len(list)-colors+per-1)/per
	if v.Hand.Tries {
		rows++
	}
	height = min(height, in.H/float64(rows)-toolGap)
	chosen := v.Hand.Tool
	use := verbs[0] // the tool that a colour is for
	color := -1
	for _, p := range verbs {
		if chosen >= p.first && chosen < p.first+colors {
			use, color = p, chosen-p.first
		}
	}
	at := func(k, per int, y float64) canvas.Rect {
		w := (in.W - float64(per-1)*toolGap) / float64(per)
		return canvas.Rect{X: in.X + float64(k%per)*(w+toolGap), Y: y + float64(k/per)*(height+toolGap), W: w, H: height}
	}
	low := in.Y + float64(colors/swatchesOf)*(height+toolGap)
	for i := range list {
		b := &list[i]
		if b.color >= 0 {
			b.r, b.action, b.on = at(i, swatchesOf, in.Y), use.first+b.color, b.color == color
			continue
		}
		b.r, b.on = at(i-colors, per, low), b.action == chosen
		for _, p := range verbs {
			if b.action == p.first {
				b.on = use == p && color >= 0
				b.action = p.first + max(color, 0)
			}
		}
	}
	if v.Hand.Tries {
		n := len(list) - colors
		list = append(list, tool{r: at(0, 1, low+float64((n+per-1)/per)*(height+toolGap)), action: -1, words: "back to the test", color: -1})
	}
	return list
}

// toolAt is what a press at a point of the pane r is.
func toolAt(r canvas.Rect, v *View, x, y float64) Hit {
	for _, b := range toolPlaces(r, v) {
		switch {
		case !b.r.Contains(x, y):
		case b.action < 0:
			return Hit{Kind: HitReturn}
		default:
			return Hit{Kind: HitAction, N: b.action, Rect: b.r}
		}
	}
	return Hit{}
}

// ToolRect is the place of the tool of an action in the pane of the actions at r; false where it has none now.
func ToolRect(r canvas.Rect, v *View, action int) (canvas.Rect, bool) {
	for _, b := range toolPlaces(r, v) {
		if b.action == action {
			return b.r, true
		}
	}
	return canvas.Rect{}, false
}

func drawTools(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	panel(c, r, t, "Tools")
	c.Mark(r, "tools")
	for _, b := range toolPlaces(r, v) {
		switch {
		case b.color >= 0:
			c.RoundRect(b.r, 4, t.Line)
			c.RoundRect(b.r.Inset(1), 3, rgb(arc[b.color]))
			if b.on {
				c.Frame(b.r.Inset(-2), 5, 2.5, t.Continue)
			}
			// A digit too, as colour alone says nothing to some; black or white, whichever differs more.
			ink := rgb(0xffffff)
			if luminance(arc[b.color]) > 0.4 {
				ink = rgb(0x000000)
			}
			c.TextIn(b.r, strconv.Itoa(b.color), fontSmall, canvas.Center, ink)
		default:
			ground, ink := t.Raise, t.Text
			switch {
			case b.on:
				ground, ink = t.Halt, t.Panel
			case b.words == "submit":
				ground, ink = t.Good, t.Panel
			case b.action < 0:
				ground, ink = t.Continue, t.Panel
			}
			c.RoundRect(b.r, 5, ground)
			c.TextIn(b.r, b.words, fontBody, canvas.Center, ink)
		}
	}
}

// luminance is that of a colour, 0 to 1 (WCAG 2).
func luminance(v uint32) float64 {
	lin := func(shift int) float64 {
		x := float64(v>>shift&255) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(16) + 0.7152*lin(8) + 0.0722*lin(0)
}
