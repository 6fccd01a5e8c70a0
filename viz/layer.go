package viz

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/agent/trace"
)

// A Layer is something that can lie over the board.
type Layer struct {
	ID    string // what flags and views call it: "answer", "change-h"
	Title string // on screen
	Cell  bool   // it is about the one cell that is picked

	// draw draws it for the segment g, which is not nil, and completes the legend.
	draw func(o *overlay, g *trace.Segment, l *legend)
	// scale is the largest value that is drawn, of layers that have one for a whole decision.
	scale func(s *trace.Step) float32
}

// Layers are all layers of what h describes, in the order in which the viewer offers them. A view that
// names none shows the first.
func Layers(h trace.Header) []Layer {
	list := []Layer{
		{ID: "answer", Title: "answer", draw: (*overlay).answerLayer},
		{ID: "confidence", Title: "confidence", draw: (*overlay).confidenceLayer},
	}
	for i, name := range h.Levels {
		list = append(list, Layer{
			ID: "change-" + strings.ToLower(name), Title: "change of " + stateName(name),
			draw:  func(o *overlay, g *trace.Segment, l *legend) { o.changeLayer(i, g, l) },
			scale: func(s *trace.Step) float32 { return largestChange(s, i) },
		})
	}
	for i, name := range h.Levels {
		list = append(list, Layer{
			ID: "attention-" + strings.ToLower(name), Title: "attention " + name, Cell: true,
			draw: func(o *overlay, g *trace.Segment, l *legend) { o.attentionLayer(i, g, l) },
		})
	}
	return append(list, Layer{ID: "none", Title: "board only", draw: func(_ *overlay, _ *trace.Segment, l *legend) { l.text = "board only" }})
}

// stateName is what the state of a level is called: z_H.
func stateName(level string) string { return "z_" + level }

// LayerOf is the layer of h that view's call id, and whether there is such a one: where another agent
// had levels that this one lacks, nothing lies over the board, and the legend says so.
func LayerOf(h trace.Header, id string) (Layer, bool) {
	list := Layers(h)
	if id == "" {
		return list[0], true
	}
	if i := slices.IndexFunc(list, func(l Layer) bool { return l.ID == id }); i >= 0 {
		return list[i], true
	}
	title := "no layer " + id + " of this agent"
	return Layer{ID: id, Title: title, draw: func(_ *overlay, _ *trace.Segment, l *legend) { l.text = title }}, false
}

// layer is the layer that v shows.
func (v *View) layer() Layer {
	l, _ := LayerOf(v.Header, v.Layer)
	return l
}

// draw draws the view's layer and returns its legend.
func (o *overlay) draw() legend {
	layer := o.layer()
	g := o.segment()
	if g == nil {
		return legend{text: layer.Title}
	}
	l := legend{text: fmt.Sprintf("%s, segment %d", layer.Title, o.Segment+1)}
	layer.draw(o, g, &l)
	return l
}

func (o *overlay) answerLayer(g *trace.Segment, l *legend) {
	if !o.whole(len(g.Answer)) {
		l.text = "this agent shows no answer"
		return
	}
	o.answer(g)
	if int(o.Header.Answer) < len(newWords) && o.before() != nil {
		l.text += newWords[o.Header.Answer]
	}
	o.differences(g)
}

func (o *overlay) confidenceLayer(g *trace.Segment, l *legend) {
	if !o.whole(len(g.Confidence)) {
		l.text = "no confidence recorded"
		return
	}
	value := func(i int) float64 { return float64(g.Confidence[i]) / 255 }
	o.heat(value, g)
	o.digitsOver(g, value)
	l.lo, l.hi = "0 %", "100 %"
}

func (o *overlay) changeLayer(level int, g *trace.Segment, l *legend) {
	change := levelOf(g, level).Change
	if !o.whole(len(change)) {
		l.text = "no hidden state recorded"
		return
	}
	// One scale for the whole decision, so that calming down is seen.
	largest := largestChange(o.Step, level)
	value := func(i int) float64 { return float64(change[i] / largest) }
	o.heat(value, nil)
	o.digitsOver(g, value)
	l.lo, l.hi = "0", strconv.FormatFloat(float64(largest), 'g', 2, 32)
}

// levelOf is what g says of a level, nothing if it says nothing.
func levelOf(g *trace.Segment, level int) trace.Level {
	if level < len(g.Levels) {
		return g.Levels[level]
	}
	return trace.Level{}
}

// largestChange is that of any cell in a decision.
func largestChange(s *trace.Step, level int) float32 {
	largest := float32(1e-9)
	for i := range s.Thought {
		if i == 0 && len(s.Thought) > 1 {
			continue // the way from the initial state is far, and the same for every problem
		}
		for _, v := range levelOf(&s.Thought[i], level).Change {
			largest = max(largest, v)
		}
	}
	return largest
}

func (o *overlay) attentionLayer(level int, g *trace.Segment, l *legend) {
	n := len(o.Step.Board.Cells)
	if o.Pick < 0 || o.Pick >= n {
		l.text = "click a cell to see what it attends to"
		return
	}
	var row []uint8
	if level < len(o.Attention) {
		row = o.Attention[level]
	}
	if kept := levelOf(g, level).Attention; len(kept) == n*n {
		row = kept[o.Pick*n : (o.Pick+1)*n]
	}
	frame := max(o.side()/12, 1.5)
	if !o.whole(len(row)) {
		o.Frame(o.rect(o.Pick), 0, frame, o.theme().Halt)
		l.text = "attention was not recorded (--attention keeps it)"
		return
	}
	o.heat(func(i int) float64 { return float64(row[i]) / 255 }, nil)
	o.Frame(o.rect(o.Pick), 0, frame, rgb(0xffffff))
	l.lo, l.hi = "0", "largest"
}
