package report

import (
	"gonum.org/v1/plot/plotter"

	"github.com/ponder-agents/ponder/agent/exam"
)

// Halting is the accuracy of each way to halt over the mean segments of its settings, all on the same thoughts
// (exam.Halting); the model's own setting is a point.
func Halting(ways []exam.HaltingWay) (Figure, error) {
	f := Figure{
		Section: Thought, Title: "What halting is worth", Name: "halting", plot: newPlot("mean segments", "exact accuracy"),
		Caption: "Where each way to halt would have stopped the same thoughts, for all its settings. The oracle stops at the first segment that is right.",
	}
	for i, w := range ways {
		points := make(plotter.XYs, len(w.Points))
		for k, p := range w.Points {
			points[k] = plotter.XY{X: p.Segments, Y: p.ExactAccuracy}
		}
		if len(points) == 1 {
			if err := f.scatter(points, i); err != nil {
				return f, err
			}
			f.legend = append(f.legend, entry{w.Way, dot(i)})
			continue
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return f, err
		}
		line.LineStyle = stroke(i)
		f.plot.Add(line)
		f.legend = append(f.legend, entry{w.Way, line})
	}
	return f, nil
}
