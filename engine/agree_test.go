//go:build cgo && !notorch

package engine_test

import (
	"flag"
	"math"
	"testing"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/models"
	"github.com/ponder-agents/ponder/torch"
)

var sequences = flag.Int("sequences", 30, "that each shipped model is asked about on both engines")

// tie is how near to each other what is compared must be where the engines decide otherwise.
const tie = 1e-4

// TestShippedAgree asks every shipped model on both engines, each going its own way from the start: their
// answers, segments and halting decisions are the same but for ties, of which there may be one in 1,000.
func TestShippedAgree(t *testing.T) {
	torch.SetThreads(1)
	for _, tt := range []struct{ model, data string }{
		{"maze", "maze-directions:15"},
		{"maze-path", "maze-path:15"},
		{"sudoku", "sudoku:27-36"},
	} {
		t.Run(tt.model, func(t *testing.T) {
			ours, err := engine.Shipped(tt.model, models.Open)
			if err != nil {
				t.Fatal(err)
			}
			defer ours.Close()
			theirs, err := learn.Shipped(tt.model, models.Open, torch.CPU)
			if err != nil {
				t.Fatal(err)
			}
			defer theirs.Close()
			src, rows, cols, err := task.Open(tt.data, 7, true)
			if err != nil {
				t.Fatal(err)
			}
			shape := think.Shape{Seq: rows * cols, Rows: rows, Cols: cols}
			label := make([]int32, shape.Seq)
			a := agreement{model: ours}
			for left := *sequences; left > 0; {
				n := min(left, 50)
				left -= n
				var ins []think.Input
				for range n {
					in := think.Input{Tokens: make([]int32, shape.Seq)}
					if in.ID, err = src.Next(in.Tokens, label); err != nil {
						t.Fatal(err)
					}
					ins = append(ins, in)
				}
				if err := a.ask(ours.Core, theirs.Core, shape, ins); err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("%d sequences, %d segments: q_halt differs by at most %.1e, logits by %.1e; %d ties, %d other differences",
				*sequences, a.segments, a.q, a.logits, a.ties, a.others)
			if allowed := max(1, *sequences/1000); a.ties > allowed || a.others > 0 {
				t.Errorf("%d ties and %d other differences, at most %d ties are allowed", a.ties, a.others, allowed)
			}
		})
	}
}

// agreement counts the sequences about which two engines do not agree.
type agreement struct {
	model     *think.Model
	segments  int
	q, logits float64 // largest differences
	ties      int
	others    int
}

func (a *agreement) ask(ours, theirs think.Core, shape think.Shape, ins []think.Input) error {
	var both [2]think.Rows
	for k, core := range []think.Core{ours, theirs} {
		r, err := core.Open(len(ins), shape)
		if err != nil {
			return err
		}
		defer r.Close()
		for i, in := range ins {
			if err := r.Begin(i, in); err != nil {
				return err
			}
		}
		both[k] = r
	}
	var rows []int
	for i := range ins {
		rows = append(rows, i)
	}
	n, size := ours.Spec().Outputs, shape.Seq*ours.Spec().Outputs
	for segment := 1; len(rows) > 0; segment++ {
		var outs [2]think.Output
		for k := range both {
			if err := both[k].Segment(rows, &outs[k]); err != nil {
				return err
			}
		}
		a.segments += len(rows)
		var left []int
		for i, row := range rows {
			x, y := outs[0].Logits[i*size:(i+1)*size], outs[1].Logits[i*size:(i+1)*size]
			qx, qy := outs[0].QHalt[i], outs[1].QHalt[i]
			a.q = max(a.q, math.Abs(float64(qx-qy)))
			for j := range x {
				a.logits = max(a.logits, math.Abs(float64(x[j]-y[j])))
			}
			haltX, haltY := a.model.Usage.Halting.Halts(segment, qx, outs[0].QContinue[i]), a.model.Usage.Halting.Halts(segment, qy, outs[1].QContinue[i])
			gap := 0.0 // the largest of what decided otherwise
			if haltX != haltY {
				gap = math.Abs(float64(qy - a.model.Usage.Halting.Threshold))
			}
			same := haltX == haltY
			for c := 0; c < size; c += n {
				if bx, by := best(x[c:c+n]), best(y[c:c+n]); bx != by {
					same = false
					gap = max(gap, float64(y[c+by]-y[c+bx]))
				}
			}
			switch {
			case same && !haltX:
				left = append(left, row)
			case same:
			case gap < tie:
				a.ties++
			default:
				a.others++
			}
		}
		rows = left
	}
	return nil
}

func best(x []float32) (at int) {
	for i, v := range x {
		if v > x[at] {
			at = i
		}
	}
	return at
}
