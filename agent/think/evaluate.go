package think

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
	ExactAccuracy    float64   `json:"exact_accuracy"`  // share of sequences with every scored cell right
	JudgedAccuracy   float64   `json:"judged_accuracy"` // share that do what q_halt foresees
	QHaltAccuracy    float64   `json:"q_halt_accuracy"` // share where q_halt ≥ 0 agrees with that
	CellAccuracy     float64   `json:"cell_accuracy"`   // share of scored cells right, averaged over sequences
	MeanSegments     float64   `json:"mean_segments"`   // of the thought that answered
	TotalSegments    float64   `json:"total_segments"`  // of all thoughts about a sequence, mean
	PuzzlesPerSecond float64   `json:"puzzles_per_second"`
	BySegment        []float64 `json:"exact_by_segment"` // exact accuracy had everyone stopped after segment k, or where it halted
	Taken            []float32 `json:"-"`                // segments of the thought that answered, of each sequence
}

// Evaluate gives the exam to t's network, halting as t does. each, if not nil, sees the last thought
// about every sequence, its answer and its labels.
func (t *Thinker) Evaluate(ctx context.Context, sc Scorer, exam Exam, each func(th *Thought, pred, label []int32, s Score) error) (Evaluation, error) {
	var e Evaluation
	type question struct{ in, label []int32 }
	open := map[int]question{}
	var free []question
	asked, cells := 0, 0.0
	seq := t.Shape.Seq
	by := make([]int, t.Halting.MaxSegments*(1+t.Restarts))
	var pred []int32
	begin := time.Now()
	err := t.Run(ctx, func(in []int32) (int32, bool, error) {
		var q question
		if n := len(free); n > 0 {
			q, free = free[n-1], free[:n-1]
		} else {
			q = question{make([]int32, seq), make([]int32, seq)}
		}
		id, ok, err := exam.Next(in, q.label)
		if ok {
			copy(q.in, in)
			open[asked] = q
			asked++
		}
		return id, ok, err
	}, func(th *Thought) error {
		q := open[th.Job]
		pred = Argmax(pred, th.Logits, seq)
		s := sc.Row(q.in, q.label, pred)
		if s.Exact {
			by[th.Segment-1]++
		}
		if !th.Halted {
			return nil
		}
		e.Count++
		e.MeanSegments += float64(th.Segment)
		e.Taken = append(e.Taken, float32(th.Segment))
		e.TotalSegments += float64(th.Total)
		if s.Exact {
			e.ExactAccuracy++
			for k := th.Segment; k < len(by); k++ {
				by[k]++
			}
		}
		if s.Judged {
			e.JudgedAccuracy++
		}
		if (th.QHalt >= 0) == s.Judged {
			e.QHaltAccuracy++
		}
		if s.Cells > 0 {
			cells += float64(s.Right) / float64(s.Cells)
		}
		var err error
		if each != nil {
			err = each(th, pred, q.label, s)
		}
		delete(open, th.Job)
		free = append(free, q)
		return err
	})
	if err != nil || e.Count == 0 {
		return e, err
	}
	n := float64(e.Count)
	e.PuzzlesPerSecond = n / time.Since(begin).Seconds()
	for _, x := range []*float64{&e.ExactAccuracy, &e.JudgedAccuracy, &e.QHaltAccuracy, &e.MeanSegments, &e.TotalSegments} {
		*x /= n
	}
	e.CellAccuracy = cells / n
	for _, k := range by {
		e.BySegment = append(e.BySegment, float64(k)/n)
	}
	return e, nil
}
