//go:build cgo && !notorch

package learn

import (
	"context"
	"time"

	"github.com/ponder-agents/ponder/env/puzzle"
)

// An Exam is a list of sequences with labels.
type Exam interface {
	// Next writes the next sequence; ok is false after the last.
	Next(in, label []int32) (id int32, ok bool, err error)
}

// First is an Exam of the first n rows of a source.
func First(src puzzle.Source, n int) Exam { return &first{src, n} }

type first struct {
	src puzzle.Source
	n   int
}

func (f *first) Next(in, label []int32) (int32, bool, error) {
	if f.n == 0 {
		return 0, false, nil
	}
	f.n--
	id, err := f.src.Next(in, label)
	return id, err == nil, err
}

// An Evaluation is what a model achieved in an exam.
type Evaluation struct {
	Count            int       `json:"count"`
	ExactAccuracy    float64   `json:"exact_accuracy"` // share of sequences with every scored cell right
	CellAccuracy     float64   `json:"cell_accuracy"`  // share of scored cells right, averaged over sequences
	MeanSegments     float64   `json:"mean_segments"`
	PuzzlesPerSecond float64   `json:"puzzles_per_second"`
	BySegment        []float64 `json:"exact_by_segment"` // exact accuracy had everyone stopped after segment k, or where it halted
	QHaltAccuracy    float64   `json:"q_halt_accuracy"`  // share where q_halt ≥ 0 agrees with being exact
}

// Evaluate gives the exam to t's model, halting as t does. each, if not nil, sees the last thought
// about every sequence, with its labels.
func (t *Thinker) Evaluate(ctx context.Context, kind LossKind, seq int, exam Exam, each func(th *Thought, pred, label []int32, sc Score) error) (Evaluation, error) {
	var e Evaluation
	labels := map[int][]int32{}
	var free [][]int32
	asked, cells := 0, 0.0
	by := make([]int, t.Halting.MaxSegments*(1+t.Restarts))
	begin := time.Now()
	err := t.Run(ctx, seq, func(in []int32) (int32, bool, error) {
		var label []int32
		if n := len(free); n > 0 {
			label, free = free[n-1], free[:n-1]
		} else {
			label = make([]int32, seq)
		}
		id, ok, err := exam.Next(in, label)
		if ok {
			labels[asked] = label
			asked++
		}
		return id, ok, err
	}, func(th *Thought) error {
		label := labels[th.Job]
		pred := argmax(th.Logits, seq)
		sc := kind.Compare(pred, label, 1)
		if sc.Exact[0] {
			by[th.Segment-1]++
		}
		if !th.Halted {
			return nil
		}
		e.Count++
		e.MeanSegments += float64(th.Segment)
		if sc.Exact[0] {
			e.ExactAccuracy++
			for k := th.Segment; k < len(by); k++ {
				by[k]++
			}
		}
		if (th.QHalt >= 0) == sc.Exact[0] {
			e.QHaltAccuracy++
		}
		if sc.Cells[0] > 0 {
			cells += float64(sc.Right[0]) / float64(sc.Cells[0])
		}
		var err error
		if each != nil {
			err = each(th, pred, label, sc)
		}
		delete(labels, th.Job)
		free = append(free, label)
		return err
	})
	if err != nil || e.Count == 0 {
		return e, err
	}
	n := float64(e.Count)
	e.PuzzlesPerSecond = n / time.Since(begin).Seconds()
	e.ExactAccuracy /= n
	e.QHaltAccuracy /= n
	e.CellAccuracy = cells / n
	e.MeanSegments /= n
	for _, k := range by {
		e.BySegment = append(e.BySegment, float64(k)/n)
	}
	return e, nil
}

// argmax is the most likely class of each of seq cells, the first of equals.
func argmax(logits []float32, seq int) []int32 {
	pred := make([]int32, seq)
	w := len(logits) / seq
	for t := range seq {
		row := logits[t*w : (t+1)*w]
		best := 0
		for c, x := range row {
			if x > row[best] {
				best = c
			}
		}
		pred[t] = int32(best)
	}
	return pred
}
