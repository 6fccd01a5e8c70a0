package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/ponder-agents/ponder/agent/exam"
)

// rules shows what episodes came to, SPL where it is known and else the return, against the segments that they took, for
// each way to end a thought: the settings of one are a line, a model as it is set a point. Bars are two standard errors.
func rules(groups []*Group) (f Figure, ok bool, err error) {
	worth := func(e exam.AgentResult) (mean, deviation float64) {
		if e.SPL != nil && e.SPLError != nil {
			return *e.SPL, *e.SPLError
		}
		return e.MeanReturn, e.ReturnError
	}
	ways := map[string][]exam.AgentResult{}
	label := "mean return"
	for _, g := range groups {
		for _, r := range g.Runs {
			for _, e := range r.Exams {
				if e.Rule == "" {
					continue // of before it was said
				}
				if e.SPL != nil {
					label = "SPL"
				}
				ways[wayOf(e)] = append(ways[wayOf(e)], e)
			}
		}
	}
	f = Figure{
		Section: Exams, Title: "What each way to end a thought is worth", Name: "rules", plot: newPlot("segments an episode", label),
		Caption: "Each point is an exam (eval agent), its bar two standard errors to each side. The settings of a way are joined by a line.",
	}
	names := slices.Sorted(maps.Keys(ways))
	for i, name := range names {
		exams := ways[name]
		slices.SortFunc(exams, func(a, b exam.AgentResult) int { return cmp.Compare(a.SegmentsPerEpisode, b.SegmentsPerEpisode) })
		var points struct {
			plotter.XYs
			plotter.YErrors
		}
		for _, e := range exams {
			mean, deviation := worth(e)
			points.XYs = append(points.XYs, plotter.XY{X: e.SegmentsPerEpisode, Y: mean})
			points.YErrors = append(points.YErrors, struct{ Low, High float64 }{2 * deviation, 2 * deviation})
		}
		bars, err := plotter.NewYErrorBars(points)
		if err != nil {
			return f, false, err
		}
		bars.LineStyle = draw.LineStyle{Color: Color(i), Width: vg.Points(0.8)}
		line, err := plotter.NewLine(points.XYs)
		if err != nil {
			return f, false, err
		}
		line.LineStyle = stroke(i)
		f.plot.Add(bars, line)
		if err := f.scatter(points.XYs, i); err != nil {
			return f, false, err
		}
		f.legend = append(f.legend, entry{name, dot(i)})
	}
	return f, len(names) > 1, nil
}

// wayOf names the way to end a thought of which an exam tries a setting; a model as it is set is one of its own.
func wayOf(e exam.AgentResult) string {
	name := e.Rule
	switch e.Rule {
	case "own":
		name = "as " + e.Model + " is set"
	case "never":
		name = "always as many segments"
	}
	if e.First > 0 {
		name += ", more at the first step"
	}
	return name
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
					if s.Since >= 0 {
						points = append(points, plotter.XY{X: float64(s.Since), Y: s.MeanSegments})
					}
				}
				if e.Rule != "own" || len(points) < 2 {
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
