package viz

import (
	"fmt"
	"image"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
)

// A Painter draws a board in its family's art, cells and pieces, over the whole of dst.
type Painter func(b grid.Board, dst *image.RGBA)

// Painters are the painters by family; a family without one is drawn plainly.
type Painters map[string]Painter

// FamilyPainters are the painters of the families that are linked into the program (env/families links
// all).
func FamilyPainters() Painters {
	p := Painters{}
	for _, e := range env.List("") {
		if e.Paint != nil {
			p[e.Family] = e.Paint
		}
	}
	return p
}

// Of is the painter for b.
func (p Painters) Of(b grid.Board) Painter {
	if f := p[b.Family]; f != nil {
		return f
	}
	return PaintPlain
}

// A View is one agent's decision and how it is to be shown.
type View struct {
	Header  trace.Header
	Step    *trace.Step // nil before the first
	Segment int         // the segment shown; -1 is before any thought
	Last    *trace.Step // the decision thought about before: stays, dimmed, while there is no segment to show; nil without
	Layer   string      // ID of the layer over the board, see Layers; empty is the answer
	Theme   *Theme      // nil is Dark
	Painter Painter
	Name    string // over the board where several agents are compared

	Pick      int            // cell whose attention is shown, -1 for none
	Attention [][]uint8      // at each level, of the picked cell to every cell, where the step itself keeps none
	Other     *trace.Segment // of the agent compared with: differing answers are outlined

	Against *trace.Step // the same decision thought otherwise: its way is drawn beside this one's

	Hand Hand // of a person who may act

	Branches *trace.Branches // of this decision; nil for none
	Price    Price           // of a segment

	From  *grid.Board // the board before the last action: pieces glide from there
	Glide float64     // from 0, where they were, to 1, where they are

	Timeline *Timeline // of the history that the step is from; nil draws none
	Cache    *Cache    // nil keeps nothing

	Mean  float64 // segments a decision so far
	Most  int     // and the most of one
	Speed string  // e.g. "2x", empty if nothing plays
	Note  string  // what the person should know, e.g. "recording"
}

// A Hand is what a person has who may act.
type Hand struct {
	Plays bool     // a person acts, not the agent
	Keys  []string // of the actions, as they are printed; empty where there is none
	Tool  int      // the action that a click on a cell does; -1 is none
	Tries bool     // a demonstration stands in the place of what is asked
	Touch bool     // by a finger,

	Drawer bool // which has opened the tools that are used less
}

// A Cache keeps what the panes draw of one view from one picture to the next, so that only what is new
// is drawn. It belongs to one goroutine.
type Cache struct {
	arts  [2]*art // of the board, and of the one before, which may still be in view
	strip strip
}

// cache is v's own, or one that is forgotten.
func (v *View) cache() *Cache {
	if v.Cache == nil {
		return &Cache{}
	}
	return v.Cache
}

func (v *View) theme() *Theme {
	if v.Theme == nil {
		return Dark()
	}
	return v.Theme
}

func (v *View) painter() Painter {
	if v.Painter == nil {
		return PaintPlain
	}
	return v.Painter
}

// segment is the segment shown, or nil.
func (v *View) segment() *trace.Segment {
	if v.Step == nil || v.Segment < 0 || v.Segment >= len(v.Step.Thought) {
		return nil
	}
	return &v.Step.Thought[v.Segment]
}

// held is what v shows of thought: v itself, or where its step has none yet the end of the last decision that
// had, which is to be dimmed then.
func (v *View) held() (w *View, dim bool) {
	if v.segment() != nil || v.Last == nil || len(v.Last.Thought) == 0 {
		return v, false
	}
	c := *v
	c.Step, c.Segment, c.Last, c.Other = v.Last, len(v.Last.Thought)-1, nil, nil
	return &c, true
}

// before is the segment before the one shown, or nil.
func (v *View) before() *trace.Segment {
	if v.segment() == nil || v.Segment == 0 {
		return nil
	}
	return &v.Step.Thought[v.Segment-1]
}

// Words says in a sentence what the segment shown did and what the halting rule made of it.
func (v *View) Words() string {
	if v.Step == nil {
		return "Nothing yet."
	}
	if w := v.personWords(); w != "" {
		return w
	}
	g := v.segment()
	if g == nil {
		switch {
		case v.Step.Terminated || v.Step.Truncated:
			return endWords(v.Step)
		case v.Last != nil && Thinks(v.Header):
			return "What is dimmed is the thought before, until the next segment."
		case len(v.Step.Thought) > 0:
			return "Before the first segment."
		case Thinks(v.Header):
			return "No thought yet."
		case v.Header.Agent == trace.Human:
			return "Played by a person."
		case v.Step.Action >= 0 && v.Step.Action < len(v.Header.Actions):
			return "Chose " + v.Header.Actions[v.Step.Action] + ". It has no thought to show."
		}
		return "It has no thought to show."
	}
	s := ""
	if n, ok := changed(g, v.before()); ok {
		s += plural(n, "cell") + " changed"
		if len(g.Confidence) > 0 {
			s += fmt.Sprintf(", %.0f %% sure", 100*MeanConfidence(g))
		}
		s += ". "
	} else if len(g.Confidence) > 0 {
		s += fmt.Sprintf("%.0f %% sure. ", 100*MeanConfidence(g))
	} else if v.Header.Agent != trace.Network && v.Header.Agent != "" {
		return fmt.Sprintf("Played by %s.", AgentWords(v.Header.Agent))
	}
	if q := QWords(v.Step, v.Segment); q != "" {
		s += q + ": "
	}
	switch first := HaltedAt(v.Step); {
	case first >= 0 && v.Segment > first:
		s += "thought on beyond halting."
	case v.Segment == first && first+1 < len(v.Step.Thought):
		s += "it would stop here."
	case v.Segment == first && first+1 == v.Header.MaxSegments && g.QHalt <= g.QContinue:
		s += "stopped by the limit."
	case v.Segment == first:
		s += "stops."
	default:
		s += "thinks on."
	}
	return s
}

// personWords says that a person plays or played, and what.
func (v *View) personWords() string {
	over := v.Step.Terminated || v.Step.Truncated
	switch {
	case v.Step.Person && v.Step.Action >= 0 && v.Step.Action < len(v.Header.Actions):
		return "A person chose " + v.Header.Actions[v.Step.Action] + "."
	case over || !v.Hand.Plays:
		return ""
	case v.tools():
		return "You play: pick a tool, then click on the canvas. H hands back."
	case v.Header.Agent == trace.Human:
		return "You play: arrow keys, digits, or a click on an action."
	}
	return "You play: arrow keys, digits, or a click on an action. H hands back."
}

// person reports whether v shows what a person does or did.
func (v *View) person() bool {
	return v.Hand.Plays || v.Header.Agent == trace.Human || v.Step != nil && v.Step.Person
}

// QWords are the probabilities of halting and of continuing, as far as the model has heads for them.
func QWords(s *trace.Step, segment int) string {
	g := &s.Thought[segment]
	var words []string
	if hasHalt(s.Thought) {
		words = append(words, fmt.Sprintf("Stop %.2f", probability(g.QHalt)))
	}
	if hasContinue(s.Thought) {
		words = append(words, fmt.Sprintf("think on %.2f", probability(g.QContinue)))
	}
	return strings.Join(words, ", ")
}

// hasHalt reports whether the model has a head for halting: without one its value stays 0.
func hasHalt(thought []trace.Segment) bool {
	return slices.ContainsFunc(thought, func(g trace.Segment) bool { return g.QHalt != 0 })
}

// hasContinue reports the same of continuing.
func hasContinue(thought []trace.Segment) bool {
	return slices.ContainsFunc(thought, func(g trace.Segment) bool { return g.QContinue != 0 })
}

// HaltedAt is the first segment of s at which the rule halted, -1 if none did.
func HaltedAt(s *trace.Step) int {
	return slices.IndexFunc(s.Thought, func(g trace.Segment) bool { return g.Halted })
}

func endWords(s *trace.Step) string {
	if s.Terminated && s.Return > 0 {
		return "Done."
	}
	if s.Truncated {
		return "Stopped by the step limit."
	}
	return "Ended."
}

// Thinks reports whether the agent of h thinks in segments, so that there is thought to show.
func Thinks(h trace.Header) bool { return h.MaxSegments > 0 }

func agentTitle(agent trace.Agent) string {
	switch agent {
	case trace.Oracle:
		return "Oracle"
	case trace.Chance:
		return "Chance"
	case trace.Human:
		return "A person"
	}
	return "Agent"
}

// AgentWords names an agent in a sentence.
func AgentWords(agent trace.Agent) string {
	switch agent {
	case trace.Oracle:
		return "the oracle"
	case trace.Chance:
		return "chance"
	case trace.Human:
		return "you"
	case "":
		return "the model"
	}
	return string(agent)
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// changed counts the cells whose answer differs from the segment before; false if there is none.
func changed(g, before *trace.Segment) (int, bool) {
	if before == nil || len(g.Answer) == 0 || len(before.Answer) != len(g.Answer) {
		return 0, false
	}
	n := 0
	for i := range g.Answer {
		if g.Answer[i] != before.Answer[i] {
			n++
		}
	}
	return n, true
}

// MeanConfidence is the mean probability of the answered cells of g, 0 if it has none.
func MeanConfidence(g *trace.Segment) float64 {
	var sum, n float64
	for i, c := range g.Confidence {
		if i < len(g.Answer) && g.Answer[i] == trace.NoAnswer {
			continue
		}
		sum += float64(c)
		n++
	}
	if n == 0 {
		return 0
	}
	return sum / n / 255
}
