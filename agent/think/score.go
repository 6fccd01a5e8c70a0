package think

import (
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// A Scorer compares answers with labels: the one definition of exact, for training and exams.
type Scorer struct {
	Sets  bool       // a label is a bit mask of right classes, not a class
	Judge task.Judge // what q_halt foresees; nil means exact
}

// A Score is what one sequence's answer is worth.
type Score struct {
	Cells  int  // scored cells, those whose label is not puzzle.Ignore
	Right  int  // of them answered right
	Exact  bool // all of them
	Judged bool // what q_halt foresees
}

// Row scores the classes pred of one sequence. Its slices are [seq].
func (s Scorer) Row(in, label, pred []int32) Score {
	var sc Score
	for t, l := range label {
		if l == puzzle.Ignore {
			continue
		}
		sc.Cells++
		if s.right(pred[t], l) {
			sc.Right++
		}
	}
	sc.Exact = sc.Right == sc.Cells
	sc.Judged = sc.Exact
	if s.Judge != nil {
		sc.Judged = s.Judge(in, label, pred)
	}
	return sc
}

// right reports whether class pred answers label.
func (s Scorer) right(pred, label int32) bool {
	if s.Sets {
		return pred < 31 && label>>pred&1 == 1
	}
	return pred == label
}

// Argmax writes the most likely class of each of seq tokens, the first of equals, into dst.
func Argmax(dst []int32, logits []float32, seq int) []int32 {
	dst = dst[:0]
	w := len(logits) / seq
	for t := range seq {
		row := logits[t*w : (t+1)*w]
		best := 0
		for c, x := range row {
			if x > row[best] {
				best = c
			}
		}
		dst = append(dst, int32(best))
	}
	return dst
}
