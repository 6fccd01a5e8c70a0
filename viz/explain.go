package viz

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Term is something that panes show, explained. Panes mark the places of terms while they draw, by
// canvas.Canvas.Mark and the term's ID.
type Term struct {
	ID    string
	Name  string
	Means string               // in a user's words
	Paper string               // what it is called, and how it is computed, in the paper (arXiv:2506.21734) or the code
	Value func(v *View) string // now, empty where there is none
}

// Terms are all that panes mark.
func Terms() []Term {
	return []Term{
		{
			"segments", "Segments", "How many times it has gone over the whole board. After each time it has a whole answer, and may stop.",
			"A segment is one pass of the network from carry to carry.", segmentsValue,
		},
		{
			"mean", "Mean and most", "Segments a decision took so far: few for easy ones, more for hard ones.", "",
			func(v *View) string { return fmt.Sprintf("mean %.1f, most %d", v.Mean, v.Most) },
		},
		{
			"halting", "Stop, or think on?", "It decides by itself when it has thought enough. Click or drag to see an earlier segment.",
			"Adaptive computation time, with Q values learned for halting and continuing.", haltedValue,
		},
		{
			"regret", "Too short, or too long?", "The squares: the return from here on if it acted after so many segments and went on as it does, the best one ringed. The line is where it stops.",
			"Halting regret: world and carry are copied, and each branch runs to the end of the episode; the price of segments is taken off.", regretValue,
		},
		{
			"price", "What a segment costs", "Drag it, or press < and >. It stops once it is surer than 1 minus the price, for more than the rest another segment cannot gain, and thinks again at once.",
			"Halting when the logistic function of Q_halt is above 1 minus the price.", priceValue,
		},
		{
			"progress", "How the run comes on", "What came of the last episodes or questions of the training that is followed. The mark is where what acts here was saved.",
			"", func(*View) string { return "" },
		},
		{"halt", "Stop", "How likely it finds it that its answer is right now, so that it may stop.", "The logistic function of Q_halt.", haltValue},
		{
			"continue", "Think on", "What it expects of another segment.", "The logistic function of Q_continue.",
			func(v *View) string {
				if g := v.segment(); g != nil {
					return fmt.Sprintf("%.2f", probability(g.QContinue))
				}
				return ""
			},
		},
		{
			"confidence", "Sure", "How sure it is of its answer, on average over the cells.", "The mean probability of the answered tokens.",
			func(v *View) string {
				if g := v.segment(); g != nil && len(g.Confidence) > 0 {
					return fmt.Sprintf("%.2f", MeanConfidence(g))
				}
				return ""
			},
		},
		{
			"changed", "Changed cells", "The grey bars: how many cells it answers otherwise than a segment before. Lines and bars stand over the segment's number.",
			"The height is the square root, so that one cell is seen.",
			func(v *View) string {
				if g := v.segment(); g != nil {
					if n, ok := changed(g, v.before()); ok {
						return fmt.Sprintf("%s in segment %d", plural(n, "cell"), v.Segment+1)
					}
				}
				return ""
			},
		},
		{
			"most", "The most segments", "Then it must answer, content or not.", "M_max.",
			func(v *View) string {
				if v.Header.MaxSegments > 0 {
					return strconv.Itoa(v.Header.MaxSegments)
				}
				return ""
			},
		},
		{
			"state", "What it remembers", "What it carries from segment to segment, as a way through a plane: a dot a segment, blue to yellow, a ring around the one shown. Where the dots crowd together it has made up its mind. Rings are another thought about the same board.",
			"The mean over cells of the hidden states z_H (slow) and z_L (fast), in their first two principal components.",
			func(v *View) string {
				if v.segment() == nil {
					return ""
				}
				return fmt.Sprintf("segment %d of %d", v.Segment+1, len(v.Step.Thought))
			},
		},
		{
			"moved", "Moved", "How much of what it remembers changed in this segment: little where it has settled.", "The root mean square over cells of the change of z.",
			func(v *View) string {
				g := v.segment()
				if g == nil {
					return ""
				}
				var all []string
				for i, name := range v.Header.Levels {
					if change := levelOf(g, i).Change; len(change) > 0 {
						all = append(all, fmt.Sprintf("%s %.3g", stateName(name), rms(change)))
					}
				}
				return strings.Join(all, ", ")
			},
		},
		{
			"action", "Action", "What it would do after the segment shown, and how likely; the arrow is at what was done.", "The policy.",
			func(v *View) string {
				if v.Step == nil || v.Step.Action < 0 || v.Step.Action >= len(v.Header.Actions) {
					return ""
				}
				return v.Header.Actions[v.Step.Action]
			},
		},
		{
			"tools", "Tools", "Pick a tool and a colour, then click or drag on the canvas. With select, a colour goes to all that is selected. Submit asks whether the canvas is the answer.", "",
			func(v *View) string {
				if n := v.Hand.Tool; n >= 0 && n < len(v.Header.Actions) {
					return v.Header.Actions[n]
				}
				return ""
			},
		},
		{"beside", "Beside the board", "What helps to read the board: the demonstrations of the task, of which a person who plays can click one and try it, or what the agent itself sees.", "", nil},
		{"strip", "All segments", "The board as it stood after each segment, with how many cells were new. Click one to see it.", "", segmentsValue},
		{"timeline", "All steps", "A bar a step, as high as the segments it took. A disc is a reward, a cross an end without any, a dash an end by the limit of steps. Drag to go back.", "", stepValue},
		{"seed", "Seed", "The number that the world was made from: the same number makes the same world.", "", nil},
		{"episode", "Episode", "Worlds played so far, this one counted.", "", nil},
		{"step", "Step", "Decisions in this episode, this one counted.", "", nil},
		{"reward", "Reward", "What the world gave for this step.", "", nil},
		{"return", "Return", "All rewards of this episode so far.", "The undiscounted return.", nil},
		{"speed", "Speed", "How fast play goes on; [ and ] change it.", "", nil},
		{
			"layer", "Over the board", "What lies over the board, of which segment, and what its colours mean. L shows another: how sure it is of each cell, what changed, where it looks.", "",
			func(v *View) string { return v.layer().Title },
		},
	}
}

func segmentsValue(v *View) string {
	if v.segment() == nil {
		return ""
	}
	return fmt.Sprintf("%d of %d thought, at most %d", v.Segment+1, len(v.Step.Thought), v.most())
}

func haltedValue(v *View) string {
	if v.Step == nil || len(v.Step.Thought) == 0 {
		return ""
	}
	if k := HaltedAt(v.Step); k >= 0 {
		return "stops at " + strconv.Itoa(k+1)
	}
	return "it thinks on"
}

func haltValue(v *View) string {
	g := v.segment()
	if g == nil {
		return ""
	}
	p, bound, of := probability(g.QHalt), probability(v.Header.Threshold), ""
	switch v.Header.Rule {
	case "halt-over-continue":
		bound, of = probability(g.QContinue), " (think on)"
	case "never":
		return fmt.Sprintf("%.2f; it always thinks to the limit", p)
	}
	if p > bound {
		return fmt.Sprintf("would stop: %.2f > %.2f%s", p, bound, of)
	}
	return fmt.Sprintf("thinks on: %.2f is not more than %.2f%s", p, bound, of)
}

func stepValue(v *View) string {
	if v.Timeline == nil {
		return ""
	}
	return fmt.Sprintf("step %d of %d", v.Timeline.Step-v.Timeline.First+1, v.Timeline.End-v.Timeline.First)
}

// Explain is the term of that ID and its value in v; false if there is none.
func Explain(id string, v *View) (t Term, value string, ok bool) {
	for _, t := range Terms() {
		if t.ID != id {
			continue
		}
		if t.Value != nil {
			w, _ := v.held()
			value = t.Value(w)
		}
		for _, p := range status(v) {
			if p[0] == id {
				value = p[1]
			}
		}
		return t, value, true
	}
	return Term{}, "", false
}

// rms is the root of the mean square.
func rms(xs []float32) float64 {
	var sum float64
	for _, x := range xs {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum / float64(max(len(xs), 1)))
}

// regretValue says how much better another number of segments would have been.
func regretValue(v *View) string {
	b := v.Branches
	if b == nil || v.Step == nil {
		return ""
	}
	last := len(b.Worth) - 1
	return fmt.Sprintf("%s; the most, %d, bring %.3f", verdict(v), b.Segments[last], b.Worth[last])
}
