//go:build cgo && !notorch

package engine_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/learn/rl"
	"github.com/ponder-agents/ponder/agent/task"
	_ "github.com/ponder-agents/ponder/agent/task/families"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/minigrid"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/models"
	"github.com/ponder-agents/ponder/torch"
)

var (
	sequences = flag.Int("sequences", 0, "that each shipped model is asked about on both engines, and decisions that each policy takes; 0 means few")
	seed      = flag.Uint64("seed", 7, "of what they are asked")
)

// tie is how near to each other what is compared must be where the engines decide otherwise.
const tie = 1e-4

// TestShippedAgree asks every shipped model on both engines, each going its own way from the start: their
// answers, segments and halting decisions are the same but for ties, of which there may be one in 1,000.
// An answer is what thinking ends with, in the cells that are asked for: a sudoku's empty ones.
func TestShippedAgree(t *testing.T) {
	torch.SetThreads(1)
	all := func(int32) bool { return true }
	empty := func(token int32) bool { return token == 1 }
	for _, tt := range []struct {
		model, data string
		asked       func(token int32) bool
		few         int // without -sequences: fewer of a network that thinks long
	}{
		{"maze", "maze-directions:15", all, 30},
		{"maze-path", "maze-path:15", all, 30},
		{"sudoku-static", "sudoku:27-36", empty, 30},
		{"sudoku", "sudoku:30-36", empty, 10},
		{"sudoku", "sudoku6:minimal", empty, 5},
	} {
		t.Run(tt.model+" "+tt.data, func(t *testing.T) {
			ours, err := engine.Shipped(tt.model, models.Open)
			if err != nil {
				t.Fatal(err)
			}
			defer ours.Close()
			theirs, err := learn.Shipped(tt.model, models.Open, hrm.Run{Device: torch.CPU})
			if err != nil {
				t.Fatal(err)
			}
			defer theirs.Close()
			src, err := task.Open(tt.data, *seed, true)
			if err != nil {
				t.Fatal(err)
			}
			shape := think.Shape{Seq: src.Rows * src.Cols, Rows: src.Rows, Cols: src.Cols}
			label := make([]int32, shape.Seq)
			a := agreement{halting: ours.Usage.Halting, asked: tt.asked}
			count := cmp.Or(*sequences, tt.few)
			for left := count; left > 0; {
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
				count, a.segments, a.q, a.logits, a.ties, a.others)
			if allowed := max(1, count/1000); a.ties > allowed || a.others > 0 {
				t.Errorf("%d ties and %d other differences, at most %d ties are allowed", a.ties, a.others, allowed)
			}
		})
	}
}

// TestShippedPoliciesAgree lets every shipped policy act and asks libtorch what it would do, each with a carry of
// its own.
func TestShippedPoliciesAgree(t *testing.T) {
	torch.SetThreads(1)
	for _, name := range []string{"doorkey-5x5", "keycorridor-s3r1", "maze-reward", "multiroom-n4-s5", "gotolocal", "doorkey-8x8"} {
		t.Run(name, func(t *testing.T) {
			card, err := models.Card(name)
			if err != nil {
				t.Fatal(err)
			}
			v, err := env.MakeVec(card.Env, 16, env.VecConfig{})
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			dir, err := models.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			c, err := checkpoint.ReadFS(dir)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := rl.Open(name, c, torch.CPU)
			if err != nil {
				t.Fatal(err)
			}
			defer theirs.Close()
			ours, err := engine.Shipped(name, models.Open)
			if err != nil {
				t.Fatal(err)
			}
			defer ours.Close()
			if ours.Precision.Name != theirs.Precision.Name {
				t.Errorf("they compute in %q and %q", ours.Precision.Name, theirs.Precision.Name)
			}
			a, probs := agreement{}, 0.0
			both := judges{t: t, a: &a, probs: &probs}
			for i, m := range []*think.Model{ours, theirs} {
				if both.policies[i], err = think.NewPolicy(m, v.Spec(), think.Config{KeepCarry: m.Usage.KeepCarry}); err != nil {
					t.Fatal(err)
				}
				defer both.policies[i].Close()
			}
			if _, err := agent.Run(context.Background(), v, both, agent.Config{Seed: *seed, Steps: cmp.Or(*sequences, 200)}); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d decisions: probabilities differ by at most %.1e; %d ties, %d other differences", a.segments, probs, a.ties, a.others)
			if allowed := max(1, a.segments/1000); a.ties > allowed || a.others > 0 {
				t.Errorf("%d ties and %d other differences, at most %d ties are allowed", a.ties, a.others, allowed)
			}
		})
	}
}

// Judges act as the first of two policies does and compare what the second would do.
type judges struct {
	t        *testing.T
	policies [2]*think.Policy
	a        *agreement
	probs    *float64
}

// Act implements agent.Policy.
func (j judges) Act(ctx context.Context, actions []int32, obs []byte, fresh []bool, _ [][]trace.Segment) error {
	var thought [2][][]trace.Segment
	other := make([]int32, len(actions))
	for i, to := range [][]int32{actions, other} {
		thought[i] = make([][]trace.Segment, len(actions))
		if err := j.policies[i].Act(ctx, to, obs, fresh, thought[i]); err != nil {
			return err
		}
	}
	for i := range actions {
		j.a.segments++
		if len(thought[0][i]) != len(thought[1][i]) {
			j.t.Errorf("%d segments, libtorch thinks %d", len(thought[0][i]), len(thought[1][i]))
			continue
		}
		x, y := thought[0][i][len(thought[0][i])-1].Actions, thought[1][i][len(thought[1][i])-1].Actions
		for k := range x {
			*j.probs = max(*j.probs, math.Abs(float64(x[k]-y[k])))
		}
		if actions[i] != other[i] {
			j.a.differ(float64(y[other[i]] - y[actions[i]]))
		}
	}
	return nil
}

// agreement counts the sequences about which two engines do not agree.
type agreement struct {
	halting   act.Config
	asked     func(token int32) bool
	segments  int
	q, logits float64 // largest differences
	ties      int
	others    int
}

// A thought is how far an engine is with a sequence.
type thought struct {
	answer []float32 // of the largest q so far
	q      float32
}

// hear takes in a segment's conclusion and says whether it is the last; then answer is what thinking ends
// with.
func (h *thought) hear(halting act.Config, segment int, logits []float32, q, cont float32) bool {
	over := halting.Halts(segment, q, cont)
	if h.answer == nil || q > h.q || over && halting.Content(q, cont) {
		h.answer, h.q = append(h.answer[:0], logits...), q
	}
	return over
}

func (a *agreement) ask(ours, theirs think.Core, shape think.Shape, ins []think.Input) error {
	var rows []int
	for i := range ins {
		rows = append(rows, i)
	}
	var both [2]think.Rows
	var thoughts [2][]thought
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
		both[k], thoughts[k] = r, make([]thought, len(ins))
	}
	outputs := ours.Spec().Outputs
	size := shape.Seq * outputs
	for segment := 1; len(rows) > 0; segment++ {
		var outs [2]think.Output
		for k := range both {
			if err := both[k].Segment(rows, &outs[k]); err != nil {
				return err
			}
		}
		a.segments += len(rows)
		left := rows[:0]
		for i, row := range rows {
			var halted [2]bool
			for k, o := range outs {
				halted[k] = thoughts[k][row].hear(a.halting, segment, o.Logits[i*size:(i+1)*size], o.QHalt[i], o.QContinue[i])
			}
			x, y := outs[0].Logits[i*size:(i+1)*size], outs[1].Logits[i*size:(i+1)*size]
			for j := range x {
				a.logits = max(a.logits, math.Abs(float64(x[j]-y[j])))
			}
			q := outs[1].QHalt[i]
			a.q = max(a.q, math.Abs(float64(outs[0].QHalt[i]-q)))
			switch {
			case halted[0] != halted[1]:
				a.differ(math.Abs(float64(q - a.halting.Threshold)))
			case halted[0]:
				a.compare(ins[row].Tokens, thoughts[0][row].answer, thoughts[1][row].answer)
			default:
				left = append(left, row)
			}
		}
		rows = left
	}
	return nil
}

// compare compares two answers, classes by their logits.
func (a *agreement) compare(tokens []int32, x, y []float32) {
	n := len(x) / len(tokens)
	gap, same := 0.0, true
	for c, token := range tokens {
		x, y := x[c*n:(c+1)*n], y[c*n:(c+1)*n]
		if bx, by := best(x), best(y); bx != by && a.asked(token) {
			same = false
			gap = max(gap, float64(y[by]-y[bx]))
		}
	}
	if !same {
		a.differ(gap)
	}
}

// differ counts a sequence about which the engines do not agree; gap is how near to each other, for
// libtorch, the two were.
func (a *agreement) differ(gap float64) {
	if gap < tie {
		a.ties++
	} else {
		a.others++
	}
}

func best(x []float32) (at int) {
	for i, v := range x {
		if v > x[at] {
			at = i
		}
	}
	return at
}

// BenchmarkKernels is segments of the model that mixes by groups, on libtorch with each instruction set and on ours.
func BenchmarkKernels(b *testing.B) {
	torch.SetThreads(1)
	isa, _, _ := strings.Cut(torch.Kernels(), " ")
	defer torch.UseKernels(isa)
	for _, kernels := range []string{"base", "avx2", "avx512", "go"} {
		for _, batch := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/batch=%d", kernels, batch), func(b *testing.B) {
				shipped := func() (*think.Model, error) { return engine.Shipped("sudoku", models.Open) }
				if kernels != "go" {
					if err := torch.UseKernels(kernels); err != nil {
						b.Skip(err)
					}
					shipped = func() (*think.Model, error) {
						return learn.Shipped("sudoku", models.Open, hrm.Run{Device: torch.CPU})
					}
				}
				m, err := shipped()
				if err != nil {
					b.Fatal(err)
				}
				defer m.Close()
				best := 0.0 // of a machine with neighbours
				for b.Loop() {
					r, err := exam.Speed(context.Background(), m, exam.SpeedConfig{Batch: batch, Repeats: 1, Each: 50 * time.Millisecond})
					if err != nil {
						b.Fatal(err)
					}
					best = max(best, r.SegmentsPerCPUSecond)
				}
				b.ReportMetric(best, "segments/cpu-s")
			})
		}
	}
}
