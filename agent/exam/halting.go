package exam

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// A HaltingWay is what one way to decide when to stop came to, for each of its settings on the same thoughts.
type HaltingWay struct {
	Way    string         `json:"way"`    // learned, residual, fixed, first, oracle, or own: learned as the model is set
	Points []HaltingPoint `json:"points"` // by mean segments
	// Area is that between the oracle's accuracy and this way's, over the segments of the longest thought: what
	// a perfect rule would gain, 0 for the oracle. A single setting, the model's own, has none.
	Area *float64 `json:"area,omitempty"`
	HaltingPoint
}

// A HaltingPoint is a way with one setting; that of a way itself is the shortest whose accuracy is within half a
// percent of its best.
type HaltingPoint struct {
	Setting       float64 `json:"setting"`  // q_halt above which, residual below which, segments after which it stops
	Segments      float64 `json:"segments"` // mean
	ExactAccuracy float64 `json:"exact_accuracy"`
}

// A course is one thought to the most segments: after each segment whether the answer is right, q_halt and
// q_continue, and how far the state moved.
type course struct {
	right    []bool
	q        []float64
	more     []float64
	residual []float64
}

// stop is where a rule ends: the first segment, counted from 0, with which it is content, or the last.
func (c *course) stop(content func(k int) bool) int {
	for k := range c.right {
		if content(k) {
			return k
		}
	}
	return len(c.right) - 1
}

// Halting thinks about the first n rows of src to the most segments and says what each way to halt would have made
// of these thoughts. With several thoughts about a row (cfg.Many) there is the way first, where the first to be content
// ends all of them and answers, and all their segments count; the other ways are about the first thought. What counts as exact is what the model judges: every scored cell, or its judge.
func Halting(ctx context.Context, m *think.Model, src puzzle.Source, rows, cols, n int, cfg Config) ([]HaltingWay, error) {
	if err := fits(m, src.Shape()); err != nil {
		return nil, err
	}
	own := cfg.halting(m).Halting
	sc, err := m.Usage.Scorer(cmp.Or(cols, m.Core.Spec().Shape.Cols))
	if err != nil {
		return nil, err
	}
	thinker := cfg.thinker(m, think.Shape{Seq: src.Shape().SeqLen, Rows: rows, Cols: cols})
	thinker.Halting.Rule, thinker.Restarts, thinker.Pick = act.Never, 0, think.PickQ
	var all [][]*course // of each row, one for each thought
	var in, label [][]int32
	before := map[[2]int]think.Memory{} // of row and thought
	seq := src.Shape().SeqLen
	var pred []int32
	thinker.Hear = func(th *think.Thought, k int) error {
		c, of := all[th.Job][k], [2]int{th.Job, k}
		now, err := th.State()
		if err != nil {
			return err
		}
		residual := math.Inf(1)
		if was, ok := before[of]; ok {
			residual = think.Moved(now, was)
		}
		before[of] = now
		if th.Halted {
			delete(before, of)
		}
		pred = think.Argmax(pred, th.Logits, seq)
		s := sc.Row(in[th.Job], label[th.Job], pred)
		c.right, c.residual = append(c.right, s.Judged), append(c.residual, residual)
		c.q, c.more = append(c.q, float64(th.QHalt)), append(c.more, float64(th.QContinue))
		return nil
	}
	err = thinker.Run(ctx, func(tokens []int32) (int32, bool, error) {
		if len(all) == n {
			return 0, false, nil
		}
		l := make([]int32, seq)
		id, err := src.Next(tokens, l)
		thoughts := make([]*course, max(1, thinker.Thoughts))
		for k := range thoughts {
			thoughts[k] = new(course)
		}
		all, in, label = append(all, thoughts), append(in, slices.Clone(tokens)), append(label, l)
		return id, err == nil, err
	}, func(*think.Thought) error { return nil })
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("exam: no row")
	}
	return ways(all, own), nil
}

// ways are all ways to halt on the same thoughts.
func ways(rows [][]*course, own act.Config) []HaltingWay {
	var all []*course
	for _, thoughts := range rows {
		all = append(all, thoughts[0])
	}
	most := len(all[0].right)
	at := func(setting float64, content func(c *course, k int) bool) HaltingPoint {
		p := HaltingPoint{Setting: setting}
		for _, c := range all {
			k := c.stop(func(k int) bool { return content(c, k) })
			p.Segments += float64(k + 1)
			p.ExactAccuracy += count(c.right[k])
		}
		n := float64(len(all))
		p.Segments, p.ExactAccuracy = p.Segments/n, p.ExactAccuracy/n
		return p
	}
	// quantiles are settings of a way that spread over what it looks at.
	quantiles := func(of func(c *course) []float64) []float64 {
		var v []float64
		for _, c := range all {
			v = append(v, slices.DeleteFunc(slices.Clone(of(c)), func(x float64) bool { return math.IsInf(x, 0) })...)
		}
		slices.Sort(v)
		var s []float64
		for i := range 65 {
			if len(v) > 0 {
				s = append(s, v[i*(len(v)-1)/64])
			}
		}
		return slices.Compact(s)
	}
	var learned, residual, fixed []HaltingPoint
	for _, t := range quantiles(func(c *course) []float64 { return c.q }) {
		learned = append(learned, at(t, func(c *course, k int) bool { return c.q[k] > t }))
	}
	for _, t := range quantiles(func(c *course) []float64 { return c.residual }) {
		residual = append(residual, at(t, func(c *course, k int) bool { return c.residual[k] < t }))
	}
	for k := range most {
		fixed = append(fixed, at(float64(k+1), func(_ *course, j int) bool { return j == k }))
	}
	right := func(c *course, k int) bool { return c.right[k] }
	oracle := []HaltingPoint{}
	for k := range most { // the first segment that was right, k at most
		oracle = append(oracle, at(float64(k+1), func(c *course, j int) bool { return right(c, j) || j == k }))
	}
	mine := at(float64(own.Threshold), func(c *course, k int) bool {
		return own.Content(float32(c.q[k]), float32(c.more[k]))
	})
	list := []HaltingWay{
		{Way: "own", Points: []HaltingPoint{mine}},
		{Way: "learned", Points: learned},
		{Way: "residual", Points: residual},
		{Way: "fixed", Points: fixed},
		{Way: "oracle", Points: oracle},
	}
	if len(rows[0]) > 1 {
		var first []HaltingPoint
		for _, p := range learned {
			first = append(first, firstOf(rows, p.Setting))
		}
		list = slices.Insert(list, 4, HaltingWay{Way: "first", Points: first})
	}
	list = slices.DeleteFunc(list, func(w HaltingWay) bool { return len(w.Points) == 0 }) // one segment has no residual
	best := area(oracle, most)
	for i := range list {
		w := &list[i]
		slices.SortStableFunc(w.Points, func(a, b HaltingPoint) int { return cmp.Compare(a.Segments, b.Segments) })
		if len(w.Points) > 1 || most == 1 {
			a := best - area(w.Points, most)
			w.Area = &a
		}
		top := 0.0
		for _, p := range w.Points {
			top = max(top, p.ExactAccuracy)
		}
		for _, p := range w.Points {
			if p.ExactAccuracy >= top-0.005 {
				w.HaltingPoint = p
				break
			}
		}
	}
	return list
}

// firstOf is the way first: the first thought whose q_halt is above t answers, of equals the one of the largest, and where
// none is the largest q_halt of all.
func firstOf(rows [][]*course, t float64) HaltingPoint {
	p := HaltingPoint{Setting: t}
	for _, thoughts := range rows {
		end, at, best := len(thoughts[0].right)-1, 0, math.Inf(-1)
		for _, c := range thoughts {
			end = min(end, c.stop(func(k int) bool { return c.q[k] > t }))
		}
		for i, c := range thoughts {
			if c.q[end] > best {
				at, best = i, c.q[end]
			}
		}
		p.Segments += float64((end + 1) * len(thoughts))
		p.ExactAccuracy += count(thoughts[at].right[end])
	}
	n := float64(len(rows))
	p.Segments, p.ExactAccuracy = p.Segments/n, p.ExactAccuracy/n
	return p
}

// area is under the best accuracy that points reach with at most so many segments, from 1 to most; points are sorted
// by segments. It is the mean accuracy where most is the unit.
func area(points []HaltingPoint, most int) float64 {
	sum, best, from := 0.0, 0.0, 1.0
	for _, p := range points {
		if p.Segments > float64(most) {
			break
		}
		sum += best * (p.Segments - from)
		best, from = max(best, p.ExactAccuracy), p.Segments
	}
	sum += best * (float64(most) - from)
	return sum / math.Max(1, float64(most-1))
}

// A HaltingTable is ways as a table for people.
type HaltingTable []HaltingWay

// Print writes a line for each way.
func (t HaltingTable) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%-9s %9s %9s %8s  %s\n", "way", "segments", "exact", "setting", "area to the oracle")
	for _, x := range t {
		between := "-"
		if x.Area != nil {
			between = fmt.Sprintf("%.4f", *x.Area)
		}
		_, err = fmt.Fprintf(w, "%-9s %9.2f %8.2f%% %8.3g  %s\n", x.Way, x.Segments, 100*x.ExactAccuracy, x.Setting, between)
	}
	return err
}
