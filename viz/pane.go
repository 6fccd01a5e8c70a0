package viz

import (
	"image"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/viz/canvas"
)

// A Pane is a part of the picture that shows one thing: all that frames and the window know of it.
// What a pane cannot do is nil or zero.
type Pane struct {
	ID    string // unique among panes
	Title string // as help calls it; of panes with a key
	Key   string // shows or hides it in the window

	// Place takes the pane's place from the room that is left: a rectangle for each view that it is
	// drawn for, in their order, empty ones or none where it has no place.
	Place func(room *Room) []canvas.Rect
	// Draw draws what v shows into r, all of it.
	Draw func(c *canvas.Canvas, r canvas.Rect, v *View)
	// Shows is what the picture depends on besides header, step, segment, theme and size, so that it is
	// drawn anew only when it changes. It is compared by ==.
	Shows func(v *View) any
	// Sprites are what moves over the picture.
	Sprites func(r canvas.Rect, scale float64, v *View) []Sprite

	// Hit is what lies at the point (x, y) of a canvas of that scale in which the pane has the place r.
	Hit   func(r canvas.Rect, scale float64, v *View, x, y float64) Hit
	Drag  bool // hits follow the pointer while its button is held, also beyond the pane
	Wheel bool // the wheel goes through segments over it
}

// Panes are the panes of a picture in the order in which they take their places: first those across
// the whole of it, then those of the column beside the board, the most important first, then the curve
// and the board, which take what is left.
func Panes() []Pane {
	return []Pane{
		headerPane(),
		timelinePane(),
		stripPane(),
		besidePane(),
		thoughtPane(),
		pricePane(),
		regretPane(),
		actionsPane(),
		latentPane(),
		curvePane(),
		boardPane(),
	}
}

// A Hit is what lies at a point of a pane.
type Hit struct {
	Kind HitKind
	N    int         // number of the step or segment, index of the action or cell
	Rect canvas.Rect // of a cell, in points of the canvas
}

// HitKind says what was hit.
type HitKind uint8

// What can be hit.
const (
	HitNone    HitKind = iota
	HitStep            // of the history
	HitSegment         // of the step shown
	HitAction
	HitCell   // of the board
	HitBeside // one of the boards beside it
	HitReturn // to what is asked, from a demonstration
	HitDrawer // the tools that are used less
	HitPrice  // of a segment, by its index
)

// hit is a Hit, of nothing if n is negative.
func hit(kind HitKind, n int) Hit {
	if n < 0 {
		return Hit{}
	}
	return Hit{Kind: kind, N: n}
}

// A Sprite is a picture, or a part of it, that is shown over a pane and moves without the pane being
// drawn anew. The picture itself is never drawn into again.
type Sprite struct {
	Image *image.RGBA
	Part  image.Rectangle
	At    image.Point // in pixels of the canvas
}

// An Arrangement is what is to be arranged.
type Arrangement struct {
	Panes  []Pane // nil is Panes()
	Views  int    // 1 or 2
	Thinks bool   // an agent thinks in segments
	Human  bool   // a person acts, who needs the actions most,
	Touch  bool   // by a finger

	Priced   bool // what a segment costs can be set
	Branched bool // what other numbers of segments would have brought is known

	Aspect  float64  // rows of the board by its columns
	Beside  int      // boards beside the board
	Actions []string // names
}

// Of adds what depends on v, the first view.
func (a Arrangement) Of(v *View) Arrangement {
	a.Actions, a.Touch = v.Header.Actions, a.Touch || v.Hand.Touch
	a.Priced, a.Branched = v.Price.Of != nil, v.Branches != nil
	if v.Step != nil {
		b := &v.Step.Board
		a.Aspect, a.Beside = float64(b.Rows)/float64(max(b.Cols, 1)), len(b.Beside)
	}
	return a
}

// A Placed is a pane at its place, for one view.
type Placed struct {
	Pane
	View int // index of the view
	Rect canvas.Rect
}

// Layout places the panes of a picture in r, in the order in which to draw them: the board first. The
// board has the most room; what else there is depends on what fits: the side column from a width of
// 560 points, the strip of segments from a height of about 550.
func Layout(r canvas.Rect, a Arrangement) []Placed {
	if a.Panes == nil {
		a.Panes = Panes()
	}
	room := &Room{Arrangement: a, Page: r}
	var placed []Placed
	for _, p := range a.Panes {
		for i, place := range p.Place(room) {
			if place = whole(place); !place.Empty() {
				placed = append(placed, Placed{p, i, place})
			}
		}
	}
	slices.Reverse(placed)
	return placed
}

// whole has its edges at whole points, so that text is as sharp in one place as in another.
func whole(r canvas.Rect) canvas.Rect {
	x0, y0 := math.Round(r.X), math.Round(r.Y)
	return canvas.Rect{X: x0, Y: y0, W: math.Round(r.X+r.W) - x0, H: math.Round(r.Y+r.H) - y0}
}
