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

// selectTool is the tool that takes two cells, where the pointer is pressed and where it is let go; submitTool asks for a verdict.
const (
	selectTool = "select"
	submitTool = "submit"
)

// Selects reports whether a is the action that begins a selection.
func Selects(actions []string, a int) bool {
	return a >= 0 && a < len(actions) && actions[a] == selectTool
}

// toolWords are the names of tools whose action says too little.
var toolWords = map[string]string{
	"flood": "fill", "take": "copy from input", "input": "all of the input", "taller": "row +", "shorter": "row −", "wider": "column +", "narrower": "column −",
}

// A Tool is a button of the tools at its place.
type Tool struct {
	Rect canvas.Rect
	Name string // what stands on it; of a colour its digit
	Hit  Hit    // what a press on it is

	color int // of a swatch; -1 of other buttons
	on    bool
}

// Sizes of tools in points.
const (
	toolHeight = 30.0
	fingerTool = 44.0 // the height for a finger
	toolGap    = 6.0
	swatchesOf = 5 // colours beside each other
	toolsOf    = 2 // other tools, for a mouse
	rareOf     = 4 // and in the drawer, for a finger
	fingerRows = 3 // of tools, the drawer open or not
)

// toolsHeight is the height of the pane of the tools.
func toolsHeight(actions []string, touch bool) float64 {
	if touch {
		return 2*gap + fingerRows*(fingerTool+toolGap) - toolGap
	}
	swatches, rest := buttons(actions)
	rows := len(swatches)/swatchesOf + (len(rest)+toolsOf-1)/toolsOf + 1 // and a row for the way back
	return 3*gap + 16 + gap + float64(rows)*(toolHeight+toolGap)
}

// buttons are all tools without their places: the swatches, and after the tools in colour the rest but the moves. The actions are
// those of colour 0.
func buttons(actions []string) (swatches, rest []Tool) {
	verbs := palette(actions)
	for k := range colors {
		swatches = append(swatches, Tool{Name: strconv.Itoa(k), color: k})
	}
	add := func(name string, action int) {
		if w, ok := toolWords[name]; ok {
			name = w
		}
		rest = append(rest, Tool{Name: name, Hit: hit(HitAction, action), color: -1})
	}
	in := make([]bool, len(actions))
	for _, p := range verbs {
		for k := range colors {
			in[p.first+k] = true
		}
		add(p.name, p.first)
	}
	for a, name := range actions {
		if !in[a] && !slices.Contains([]string{"up", "down", "left", "right"}, name) {
			add(name, a)
		}
	}
	return swatches, rest
}

// toolRows are the tools in rows, each as wide as the pane. For a finger they are fewer and larger: those used most stand in the last row,
// and over it the colours or, while the drawer is open, the others.
func toolRows(v *View) (rows [][]Tool) {
	swatches, rest := buttons(v.Header.Actions)
	back := Tool{Name: "back to the test", Hit: Hit{Kind: HitReturn}, color: -1}
	if !v.Hand.Touch {
		rows = append(slices.Collect(slices.Chunk(swatches, swatchesOf)), slices.Collect(slices.Chunk(rest, toolsOf))...)
		if v.Hand.Tries {
			rows = append(rows, []Tool{back})
		}
		return rows
	}
	verbs := palette(v.Header.Actions)
	var last, rare []Tool
	var submit []Tool
	for _, b := range rest {
		switch name := v.Header.Actions[b.Hit.N]; {
		case name == selectTool, slices.ContainsFunc(verbs, func(p verb) bool { return p.first == b.Hit.N }):
			last = append(last, b)
		case name == submitTool:
			submit = append(submit, b)
		default:
			rare = append(rare, b)
		}
	}
	last = append(last, Tool{Name: "more", Hit: Hit{Kind: HitDrawer}, color: -1, on: v.Hand.Drawer})
	if v.Hand.Tries {
		back.Name = "to test"
		last = append(last, back)
	}
	if v.Hand.Drawer {
		rows = slices.Collect(slices.Chunk(rare, rareOf))
	} else {
		rows = slices.Collect(slices.Chunk(swatches, swatchesOf))
	}
	return append(rows, append(last, submit...))
}

// Tools are the buttons in the pane of the actions at r, where a person has tools.
func Tools(r canvas.Rect, v *View) (list []Tool) {
	if !v.tools() {
		return nil
	}
	rows := toolRows(v)
	in, height := r.Inset(gap), fingerTool
	if !v.Hand.Touch {
		_, in = r.Inset(1.5 * gap).Top(16 + gap)
		height = min(toolHeight, in.H/float64(len(rows))-toolGap)
	}
	verbs := palette(v.Header.Actions)
	use, color := verbs[0], -1 // the tool that a colour is for, and the colour of the tool chosen
	for _, p := range verbs {
		if k := v.Hand.Tool - p.first; k >= 0 && k < colors {
			use, color = p, k
		}
	}
	for y, row := range rows {
		w := (in.W+toolGap)/float64(len(row)) - toolGap
		for x, b := range row {
			b.Rect = canvas.Rect{X: in.X + float64(x)*(w+toolGap), Y: in.Y + float64(y)*(height+toolGap), W: w, H: height}
			switch {
			case b.color >= 0:
				b.Hit, b.on = hit(HitAction, use.first+b.color), b.color == color
			case b.Hit.Kind == HitAction:
				b.on = b.Hit.N == v.Hand.Tool
				for _, p := range verbs {
					if b.Hit.N == p.first { // in the colour chosen
						b.on, b.Hit.N = use == p && color >= 0, p.first+max(color, 0)
					}
				}
			}
			b.Hit.Rect = b.Rect
			list = append(list, b)
		}
	}
	return list
}

// toolAt is what a press at a point of the pane r is.
func toolAt(r canvas.Rect, v *View, x, y float64) Hit {
	for _, b := range Tools(r, v) {
		if b.Rect.Contains(x, y) {
			return b.Hit
		}
	}
	return Hit{}
}

func drawTools(c *canvas.Canvas, r canvas.Rect, v *View) {
	t := v.theme()
	title := "Tools"
	if v.Hand.Touch {
		title = ""
	}
	panel(c, r, t, title)
	c.Mark(r, "tools")
	for _, b := range Tools(r, v) {
		if b.color >= 0 {
			c.RoundRect(b.Rect, 4, t.Line)
			c.RoundRect(b.Rect.Inset(1), 3, rgb(arc[b.color]))
			if b.on {
				c.Frame(b.Rect.Inset(-2), 5, 2.5, t.Continue)
			}
			// A digit too, as colour alone says nothing to some; black or white, whichever differs more.
			ink := rgb(0xffffff)
			if luminance(arc[b.color]) > 0.4 {
				ink = rgb(0x000000)
			}
			c.TextIn(b.Rect, b.Name, fontSmall, canvas.Center, ink)
			continue
		}
		ground, ink := t.Raise, t.Text
		switch {
		case b.on:
			ground, ink = t.Halt, t.Panel
		case b.Name == submitTool:
			ground, ink = t.Good, t.Panel
		case b.Hit.Kind == HitReturn:
			ground, ink = t.Continue, t.Panel
		}
		c.RoundRect(b.Rect, 5, ground)
		lines := canvas.Wrap(b.Name, fontBody, b.Rect.W-4)
		line := canvas.Rect{X: b.Rect.X, Y: b.Rect.Y + (b.Rect.H-float64(len(lines))*toolLine)/2, W: b.Rect.W, H: toolLine}
		for _, s := range lines {
			c.TextIn(line, s, fontBody, canvas.Center, ink)
			line.Y += toolLine
		}
	}
}

// toolLine is the height of a line on a tool.
const toolLine = 16.0

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
