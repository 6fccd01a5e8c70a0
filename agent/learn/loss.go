package learn

import (
	"fmt"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// LossKind names the loss of a cell's answer.
type LossKind string

const (
	// Stablemax is cross entropy of s(x)/Σs with s(x) = x+1 for x ≥ 0 and 1/(1-x) below, in float64:
	// the published HRM's.
	Stablemax LossKind = "stablemax"
	// Softmax is cross entropy in float32.
	Softmax LossKind = "softmax"
	// AnyOf is -log of the probability of a set of right answers, for labels that are bit masks of
	// classes: a maze cell may have several optimal directions.
	AnyOf LossKind = think.AnyOf
)

// Check reports an unknown kind.
func (k LossKind) Check() error {
	switch k {
	case Stablemax, Softmax, AnyOf:
		return nil
	}
	return fmt.Errorf("loss %q is unknown, want %q, %q or %q", k, Stablemax, Softmax, AnyOf)
}

// labels is the end of the range of labels: classes, or sets of them as bit masks.
func (k LossKind) labels(outputs int) int {
	if k == AnyOf {
		return 1 << min(outputs, 30)
	}
	return outputs
}

// right reports whether class pred answers label.
func (k LossKind) right(pred, label int32) bool {
	if k == AnyOf {
		return pred < 31 && label>>pred&1 == 1
	}
	return pred == label
}

// A Score compares the answers of a batch with its labels.
type Score struct {
	Cells        []int32 // [batch] scored cells of the row
	Right        []int32 // [batch] of them answered right
	Exact        []bool  // [batch] all of them, or what LoopConfig.Judge says; true of a row without scored cells
	Unanswerable []bool  // [batch] it has cells labelled puzzle.NoAnswer, and is not exact
}

// Compare scores predicted classes [batch·seq] against labels [batch·seq].
func (k LossKind) Compare(pred, labels []int32, rows int) Score {
	sc := Score{make([]int32, rows), make([]int32, rows), make([]bool, rows), make([]bool, rows)}
	seq := len(labels) / rows
	for b := range rows {
		for t := b * seq; t < (b+1)*seq; t++ {
			if labels[t] < 0 {
				sc.Unanswerable[b] = sc.Unanswerable[b] || labels[t] == puzzle.NoAnswer
				continue
			}
			sc.Cells[b]++
			if k.right(pred[t], labels[t]) {
				sc.Right[b]++
			}
		}
		sc.Exact[b] = sc.Right[b] == sc.Cells[b] && !sc.Unanswerable[b]
	}
	return sc
}

// Metrics are sums over rows that halted and have scored cells, as the reference counts them.
type Metrics struct {
	Count         int     // rows
	Accuracy      float64 // share of scored cells right
	ExactAccuracy int     // rows with all right
	QHaltAccuracy int     // rows where q_halt >= 0 agrees with that
	Segments      int
}

// Add counts the halted rows of a segment.
func (m *Metrics) Add(sc Score, halted []bool, segments []int32, qHalt []float32) {
	for b, h := range halted {
		if !h || sc.Cells[b] == 0 {
			continue
		}
		m.Count++
		m.Accuracy += float64(sc.Right[b]) / float64(sc.Cells[b])
		if sc.Exact[b] {
			m.ExactAccuracy++
		}
		if (qHalt[b] >= 0) == sc.Exact[b] {
			m.QHaltAccuracy++
		}
		m.Segments += int(segments[b])
	}
}

// weights are 1/n for the n scored cells of a row, 0 for others.
func weights(labels []int32, sc Score) []float32 {
	w := make([]float32, len(labels))
	seq := len(labels) / len(sc.Cells)
	for t, l := range labels {
		if l >= 0 {
			w[t] = 1 / float32(sc.Cells[t/seq])
		}
	}
	return w
}

// classes are the labels as indices, 0 where ignored.
func classes(labels []int32) []int64 {
	out := make([]int64, len(labels))
	for t, l := range labels {
		if l >= 0 {
			out[t] = int64(l)
		}
	}
	return out
}

// exclusions are, for labels that are bit masks, what removes the wrong classes from a sum of
// exponentials: 0 for right ones, a large negative number for others. Ignored cells exclude none.
func exclusions(labels []int32, outputs int) []float32 {
	out := make([]float32, len(labels)*outputs)
	for t, l := range labels {
		for c := range outputs {
			if l > 0 && l>>c&1 == 0 {
				out[t*outputs+c] = -1e9
			}
		}
	}
	return out
}

func bools(x []bool) []float32 {
	out := make([]float32, len(x))
	for i, b := range x {
		if b {
			out[i] = 1
		}
	}
	return out
}
