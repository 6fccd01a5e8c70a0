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
		switch len(points) {
		case 0: // a residual needs two segments
			continue
		case 1:
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

// A HaltingSet is what exam.Halting said of the rows of one kind of data.
type HaltingSet struct {
	Data string
	Ways []exam.HaltingWay
}

// Depth is the accuracy of the same model on several kinds of data over the segments after which everybody stops,
// as mazes larger than those trained on; where its own halting is, there is a point.
func Depth(sets []HaltingSet) (Figure, error) {
	f := Figure{
		Section: Thought, Title: "What depth is worth", Name: "depth", plot: newPlot("segments", "exact accuracy"),
		Caption: "The accuracy had every thought stopped after so many segments. A point is the model's own halting.",
	}
	f.plot.Y.Min, f.plot.Y.Max = 0, 1.02
	for i, set := range sets {
		for _, w := range set.Ways {
			points := make(plotter.XYs, len(w.Points))
			for k, p := range w.Points {
				points[k] = plotter.XY{X: p.Segments, Y: p.ExactAccuracy}
			}
			switch w.Way {
			case "own":
				if err := f.scatter(points, i); err != nil {
					return f, err
				}
			case "fixed":
				line, err := plotter.NewLine(points)
				if err != nil {
					return f, err
				}
				line.LineStyle = stroke(i)
				f.plot.Add(line)
				f.legend = append(f.legend, entry{set.Data, line})
			}
		}
	}
	return f, nil
}
