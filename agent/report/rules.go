package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/ponder-agents/ponder/agent/exam"
)

// rules shows what episodes came to, SPL where it is known and else the return, against the segments that they took, for
// each way to end a thought: the settings of one are a line, a model as it is set a point. Where several runs tried the same setting
// of a way, the point is their mean.
func rules(groups []*Group) (f Figure, ok bool, err error) {
	ways, label := tried(groups)
	f = Figure{
		Section: Exams, Title: "What each way to end a thought is worth", Name: "rules", plot: newPlot("segments an episode", label),
		Caption: "Each point is an exam (eval agent), its bar two standard errors to each side, over episodes; where several runs tried the same, it is their mean, and the bar is over runs. The settings of a way are joined by a line.",
	}
	shown := slices.SortedFunc(maps.Keys(ways), func(a, b way) int {
		return cmp.Or(cmp.Compare(a.name(ways[a]), b.name(ways[b])), cmp.Compare(a.own, b.own))
	})
	for i, w := range shown {
		var points points
		for _, exams := range ways[w] {
			if p := pointOf(exams); f.fits(p.X, p.Y-p.bar, p.Y+p.bar) {
				points = append(points, p)
			}
		}
		if len(points) == 0 {
			continue
		}
		slices.SortFunc(points, func(a, b point) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y)) })
		bars, err := plotter.NewYErrorBars(points)
		if err != nil {
			return f, false, err
		}
		bars.LineStyle = draw.LineStyle{Color: Color(i), Width: vg.Points(0.8)}
		line, err := plotter.NewLine(points)
		if err != nil {
			return f, false, err
		}
		line.LineStyle = stroke(i)
		f.plot.Add(bars, line)
		if err := f.scatter(line.XYs, i); err != nil {
			return f, false, err
		}
		f.legend = append(f.legend, entry{w.name(ways[w]), dot(i)})
	}
	return f, len(f.legend) > 1, nil
}

// tried is the exams of all runs by what they tried, and what they are measured by.
func tried(groups []*Group) (ways map[way]map[trial][]exam.AgentResult, label string) {
	ways, label = map[way]map[trial][]exam.AgentResult{}, "mean return"
	for _, g := range groups {
		for _, r := range g.Runs {
			own, times := 0, map[trial]int{}
			for _, e := range r.Exams {
				if e.Rule == "" {
					continue // of before it was said
				}
				if e.SPL != nil {
					label = "SPL"
				}
				w, t := way{e.Rule, e.First > 0, 0}, trial{e.Rule, e.Env, e.MaxSegments, e.First, e.Threshold, 0}
				times[t]++
				t.time = times[t]
				if e.Rule == ownRule {
					own++
					w, t = way{rule: ownRule, own: own}, trial{env: e.Env} // its threshold is the model's
				}
				if ways[w] == nil {
					ways[w] = map[trial][]exam.AgentResult{}
				}
				ways[w][t] = append(ways[w][t], e)
			}
		}
	}
	return ways, label
}

// ownRule is the rule of a model as it is set.
const ownRule = "own"

// A way to end a thought.
type way struct {
	rule  string
	first bool // the first step of an episode has segments of its own
	own   int  // of models as they are set, which of those that a run has tried, from 1
}

// A trial is a setting of a way, in a world.
type trial struct {
	rule, env       string
	segments, first int
	threshold       float64
	time            int // that a run tried it, from 1: options of the world are not told
}

// name is w's in the legend.
func (w way) name(trials map[trial][]exam.AgentResult) string {
	name := w.rule
	switch w.rule {
	case ownRule:
		var models []string
		for _, t := range slices.SortedFunc(maps.Keys(trials), func(a, b trial) int { return cmp.Compare(a.env, b.env) }) {
			for _, e := range trials[t] {
				if !slices.Contains(models, e.Model) {
					models = append(models, e.Model)
				}
			}
		}
		if name = "as " + models[0]; len(models) > 1 {
			name += fmt.Sprintf(" and %d more are", len(models)-1)
		} else {
			name += " is"
		}
		name += " set"
	case "never":
		name = "always as many segments"
	}
	if w.first {
		name += ", more at the first step"
	}
	return name
}

// A point is what exams of a setting came to, with two standard errors.
type point struct {
	plotter.XY
	bar float64
}

type points []point

func (p points) Len() int                         { return len(p) }
func (p points) XY(i int) (x, y float64)          { return p[i].X, p[i].Y }
func (p points) YError(i int) (low, high float64) { return p[i].bar, p[i].bar }

// pointOf is the mean of exams of several runs; of one it has the error that it has over its episodes.
func pointOf(exams []exam.AgentResult) (p point) {
	var worths []float64
	for _, e := range exams {
		worth, deviation := e.MeanReturn, e.ReturnError
		if e.SPL != nil && e.SPLError != nil {
			worth, deviation = *e.SPL, *e.SPLError
		}
		worths, p.bar = append(worths, worth), 2*deviation
		p.X += e.SegmentsPerEpisode / float64(len(exams))
	}
	p.Y = worths[0]
	if n := len(worths); n > 1 {
		mean, deviation := stat.MeanStdDev(worths, nil)
		p.Y, p.bar = mean, 2*stat.StdErr(deviation, float64(n))
	}
	return p
}

// changes shows how long models as they are set think when the map changes by itself, and some decisions later.
func changes(groups []*Group) (f Figure, ok bool, err error) {
	f = Figure{
		Section: Exams, Title: "Does it think again when the world changes?", Name: "changes", plot: newPlot("decisions since the map changed by itself", "segments a decision"),
		Caption: "0 is the first decision that sees the change (eval agent in a world that changes, as mazes whose doors open and close).",
	}
	for _, g := range groups {
		for _, r := range g.Runs {
			for _, e := range r.Exams {
				var points plotter.XYs
				for _, s := range e.Surprises {
					if s.Since >= 0 && f.fits(float64(s.Since), s.MeanSegments) {
						points = append(points, plotter.XY{X: float64(s.Since), Y: s.MeanSegments})
					}
				}
				if e.Rule != ownRule || len(points) < 2 {
					continue
				}
				line, err := plotter.NewLine(points)
				if err != nil {
					return f, false, err
				}
				i := len(f.legend)
				line.LineStyle = stroke(i)
				f.plot.Add(line)
				f.legend = append(f.legend, entry{fmt.Sprintf("%s, %.1f segments a decision in the mean", e.Model, e.MeanSegments), line})
			}
		}
	}
	return f, len(f.legend) > 0, nil
}
