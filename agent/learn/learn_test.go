//go:build cgo && !notorch

package learn

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	_ "github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// tiny is a recipe of a moment: mazes of 5x5, then 7x7.
func tiny() Recipe {
	r := preset("maze")
	r.Model.Hidden, r.Model.Inner = 16, 24
	r.Batch, r.Steps = 4, 12
	r.Stages = []Stage{{Data: "maze-directions:5", Until: 0.5}, {Data: "maze-directions:7", Until: 1}}
	return r
}

func newTrainer(t *testing.T, r Recipe) *Trainer {
	t.Helper()
	tr, err := NewTrainer(r, task.Open, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

// finish does the steps that are left.
func finish(t *testing.T, tr *Trainer) {
	t.Helper()
	for done, all := tr.Steps(); done < all; done, all = tr.Steps() {
		if err := tr.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRestore stops a run inside each stage and goes on in another trainer: weights, moments, average
// and position end as those of the run that went through.
func TestRestore(t *testing.T) {
	torch.SetThreads(1)
	through := newTrainer(t, tiny())
	finish(t, through)
	want, err := through.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for _, stop := range []int64{0, 3, 6, 9} {
		first := newTrainer(t, tiny())
		for range stop {
			if err := first.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got, err := again(t, first, task.Open).Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stopped at step %d: state differs:\n%.600s", stop, diff)
		}
	}
}

// again is what tr becomes if it is saved, read again and trained to its end.
func again(t *testing.T, tr *Trainer, open Open) *Trainer {
	t.Helper()
	next := reread(t, tr, open)
	finish(t, next)
	return next
}

// reread is tr saved and read again.
func reread(t *testing.T, tr *Trainer, open Open) *Trainer {
	t.Helper()
	snap, err := tr.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "saved")
	if err := checkpoint.Save(dir, snap); err != nil {
		t.Fatal(err)
	}
	c, err := checkpoint.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	next, err := Resume(&run.Saved{Checkpoint: c, Learner: Supervised, State: c.Train}, open, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(next.Close)
	return next
}

// TestBoards: one network that mixes by groups learns from boards of several sizes, one after the other, and
// thinks about both.
func TestBoards(t *testing.T) {
	torch.SetThreads(1)
	r := preset("sudoku-groups")
	r.Model.Hidden, r.Model.Inner = 16, 16
	r.Batch, r.Steps, r.Halting.MaxSegments = 4, 6, 2
	r.Stages = []Stage{{Data: "reveal:20:sudoku6:20-26", Until: 0.5}, {Data: "mix:sudoku:60-70|3*sudoku:55-60", Until: 1}}
	tr := newTrainer(t, r)
	finish(t, tr)
	m, err := tr.Thinking()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for side, name := range map[int]string{6: "sudoku6:20-26", 9: "sudoku:60-70"} {
		src, err := task.Open(name, 1, true)
		if err != nil {
			t.Fatal(err)
		}
		shape := think.Shape{Seq: side * side, Rows: src.Rows, Cols: src.Cols}
		th := &think.Thinker{Core: m.Core, Halting: act.Config{MaxSegments: 2}, Slots: 3, Shape: shape}
		e, err := th.Evaluate(context.Background(), think.Scorer{}, think.First(src, 5), nil)
		if err != nil || e.Count != 5 || e.MeanSegments < 1 {
			t.Errorf("%dx%d: %+v, error %v", side, side, e, err)
		}
	}
}

// TestStartNoise: of the rows that begin half start elsewhere, the others at the network's start, and a run
// that is stopped and goes on draws the same noise.
func TestStartNoise(t *testing.T) {
	torch.SetThreads(1)
	r := tiny()
	r.StartNoise, r.Batch, r.Steps = 1, 32, 4
	r.Stages = []Stage{{Data: "maze-directions:5", Until: 1, MaxSegments: 1}} // every row begins at every step
	starts := func(tr *Trainer) []float32 {
		var z []float32
		err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
			c := tr.net.Start(s, r.Batch, 9)
			tr.loop.disturb(s, c)
			z = slices.Concat(c.Floats(s)...)
		})
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	tr := newTrainer(t, r)
	if err := tr.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	later := reread(t, tr, task.Open)
	z := starts(tr)
	var plain []float32
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		c := tr.net.Start(s, r.Batch, 9)
		plain = slices.Concat(c.Floats(s)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	width := len(z) / 2 / r.Batch
	moved := 0
	for i := range r.Batch {
		h, l := 0.0, 0.0
		for j := i * width; j < (i+1)*width; j++ {
			h += math.Pow(float64(z[j]-plain[j]), 2)
			l += math.Pow(float64(z[len(z)/2+j]-plain[len(z)/2+j]), 2)
		}
		if h == 0 && l == 0 {
			continue
		}
		moved++
		for _, v := range []float64{h / float64(width), l / float64(width)} {
			if v < 0.5 || v > 1.7 { // the variance of 160 numbers, 5 standard deviations
				t.Errorf("row %d: noise of variance %.2f, want 1", i, v)
			}
		}
	}
	if moved < 6 || moved > 26 {
		t.Errorf("%d of %d rows begin elsewhere, want about half", moved, r.Batch)
	}
	if !slices.Equal(z, starts(later)) {
		t.Error("a run that goes on draws other noise")
	}
}

// TestUnroll: a step of several segments counts all of them, its gradient is the slope of the mean of their losses, and a
// run of such steps that is stopped goes on the same.
func TestUnroll(t *testing.T) {
	torch.SetThreads(1)
	r := tiny()
	r.Training = hrm.Training{Gradient: hrm.AllCycles, Unroll: 3}
	r.NoContinue = true // whose target moves too
	r.Halting = act.Config{MaxSegments: 4, Rule: act.Never}
	fill := func(tr *Trainer) Fill {
		return func(_ int, in, label []int32) (int32, error) { return tr.data.Source.Next(in, label) }
	}
	along := func(step float64) (loss, slope float64) { // after a step along the gradient
		tr := newTrainer(t, r)
		src := tr.data.Source.AppendState(nil)
		g, res, err := tr.loop.Gradients(fill(tr))
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		if slope, err = g.Norm(); err != nil {
			t.Fatal(err)
		}
		if step == 0 {
			return res.Loss.Total() / float64(res.Rows), slope
		}
		moved := newTrainer(t, r)
		err = torch.Do(torch.NoGrad, func(s *torch.Scope) {
			_, trained := moved.params.Trained()
			for i, p := range trained {
				torch.Write(p, s.ReadFloats(nil, s.Add(p, s.Scale(g.Dense[i], step/slope))))
			}
		})
		if err == nil {
			err = moved.data.Source.SetState(src)
		}
		if err == nil {
			res, err = moved.loop.segments(fill(moved), torch.NoGrad, 3, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		return res.Loss.Total() / float64(res.Rows), slope
	}
	before, slope := along(0)
	const step = 2e-4
	ahead, _ := along(step)
	back, _ := along(-step)
	if got := (ahead - back) / (2 * step); math.Abs(got-slope) > 0.02*slope {
		t.Errorf("the loss rises by %v along its gradient, of length %v", got, slope)
	}
	if math.Abs((ahead+back)/2-before) > 1e-3*before {
		t.Errorf("loss %v of three segments in a step, %v around it of three segments", before, (ahead+back)/2)
	}
	through := newTrainer(t, r)
	finish(t, through)
	if through.sum.Segments == 0 || through.sum.Steps != r.Steps {
		t.Errorf("%+v after %d steps", through.sum, r.Steps)
	}
	part := newTrainer(t, r)
	for range 7 {
		if err := part.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want, err := through.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	got, err := again(t, part, task.Open).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Model, got.Model); diff != "" {
		t.Errorf("weights of a run that was stopped differ (-want +got):\n%s", diff)
	}
}

// TestUnanswerable: a question without an answer costs no loss of answers, is never exact, and is what q_continue learns of.
func TestUnanswerable(t *testing.T) {
	torch.SetThreads(1)
	r := preset("sudoku-groups")
	r.Model.Hidden, r.Model.Inner = 16, 16
	r.Batch, r.Steps, r.Unanswerable = 8, 4, true
	r.Stages = []Stage{{Data: "mix:sudoku6:20-26|spoilt:guess:sudoku6:20-26", Until: 1}}
	tr := newTrainer(t, r)
	unanswerable, answered := 0, 0
	tr.loop.Inspect = func(_ *torch.Scope, c *Call) {
		for i := range c.Batch.Rows {
			_, label := c.Batch.Row(i)
			switch {
			case !slices.Contains(label, puzzle.NoAnswer):
				answered++
				if c.Target[i] != 0 || c.Score.Cells[i] == 0 {
					t.Errorf("row %d has an answer: target %v of q_continue, %d scored cells", i, c.Target[i], c.Score.Cells[i])
				}
				continue
			case c.Target[i] != 1 || c.Score.Exact[i] || c.Score.Cells[i] != 0:
				t.Errorf("row %d has no answer: target %v of q_continue, exact %v, %d scored cells", i, c.Target[i], c.Score.Exact[i], c.Score.Cells[i])
			}
			unanswerable++
		}
		if !(c.Loss.LM > 0) || !(c.Loss.QContinue > 0) {
			t.Errorf("losses %+v", c.Loss)
		}
	}
	finish(t, tr)
	if unanswerable == 0 || answered == 0 {
		t.Errorf("%d rows without an answer, %d with one", unanswerable, answered)
	}
	r.NoContinue = false
	if err := r.Check(); err == nil {
		t.Error("unanswerable, and q_continue learned as by the paper: no error")
	}
}

// TestClippedStep: a step's first moments are those of gradients scaled to the recipe's bound.
func TestClippedStep(t *testing.T) {
	torch.SetThreads(1)
	norm := func(clip float64) float64 {
		r := tiny()
		r.Clip = clip
		tr := newTrainer(t, r)
		if err := tr.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		snap, err := tr.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for name, x := range snap.Optimizer {
			if !strings.HasPrefix(name, "m.") {
				continue
			}
			m, err := x.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range m {
				sum += float64(v) * float64(v)
			}
		}
		return math.Sqrt(sum) / 0.1 // the first moments begin as 1-Beta1 of the gradient
	}
	free := norm(0)
	if got := norm(100); math.Abs(got-free) > 1e-9*free {
		t.Errorf("a bound above the gradients changes them: %v, want %v", got, free)
	}
	if got := norm(free / 8); math.Abs(got-free/8) > 1e-5*free {
		t.Errorf("the gradients are %v long, want %v", got, free/8)
	}
}

// TestThinker: rows that leave and rows that join change nothing about the others.
func TestThinker(t *testing.T) {
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	r := tiny()
	net, err := r.NewNetwork(params, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	// The q_halt of an untrained network is -5 everywhere; its weights decide, so make them differ.
	q := make([]float32, 2*16)
	for i := range q {
		q[i] = float32(math.Sin(float64(i)))
	}
	if err := torch.Do(torch.NoGrad, func(*torch.Scope) {
		torch.Write(params.Get("inner.q_head.weight"), q)
	}); err != nil {
		t.Fatal(err)
	}
	m, err := r.thinking("test", net)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	src, err := task.Open("maze-directions:7", 5, true)
	if err != nil {
		t.Fatal(err)
	}
	const n = 9
	var tokens [n][]int32
	for i := range tokens {
		tokens[i] = make([]int32, src.Rows*src.Cols)
		if _, err := src.Next(tokens[i], make([]int32, src.Rows*src.Cols)); err != nil {
			t.Fatal(err)
		}
	}
	type last struct {
		Segment int
		QHalt   float32
		Logits  []float32
	}
	run := func(slots int, halting act.Config) (out [n]last) {
		th := think.Thinker{Core: m.Core, Halting: halting, Slots: slots, Shape: think.Shape{Seq: src.Rows * src.Cols, Rows: src.Rows, Cols: src.Cols}}
		i := 0
		err := th.Run(context.Background(), func(in []int32) (int32, bool, error) {
			if i == n {
				return 0, false, nil
			}
			copy(in, tokens[i])
			i++
			return 0, true, nil
		}, func(th *think.Thought) error {
			if th.Halted {
				out[th.Job] = last{th.Segment, th.QHalt, append([]float32(nil), th.Logits...)}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	var first []float32
	for _, l := range run(1, act.Config{MaxSegments: 1, Rule: act.Never}) {
		first = append(first, l.QHalt)
	}
	slices.Sort(first)
	halting := act.Config{MaxSegments: 5, Rule: act.HaltAbove, Threshold: (first[n/2-1] + first[n/2]) / 2}
	want := run(1, halting)
	counts := map[int]bool{}
	for _, w := range want {
		counts[w.Segment] = true
	}
	if len(counts) < 2 {
		t.Fatalf("all rows think equally long: %v", counts)
	}
	for _, slots := range []int{2, 4, n} {
		got := run(slots, halting)
		for i := range got {
			if got[i].Segment != want[i].Segment {
				t.Errorf("%d slots, row %d: %d segments, alone %d", slots, i, got[i].Segment, want[i].Segment)
			}
			for j, x := range got[i].Logits {
				if math.Abs(float64(x-want[i].Logits[j])) > 1e-4 { // other shapes of products round otherwise
					t.Fatalf("%d slots, row %d: logit %d is %v, alone %v", slots, i, j, x, want[i].Logits[j])
				}
			}
		}
	}
}

// TestPrecision: both formats are timed, the faster comes first.
func TestPrecision(t *testing.T) {
	got, err := MeasurePrecision(tiny(), task.Open, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Precision == got[1].Precision || got[0].Step > got[1].Step || got[0].Step <= 0 {
		t.Errorf("measured %+v", got)
	}
}

// TestStablemaxAtOne: a logit of exactly 1, which bfloat16 often has, has a gradient.
func TestStablemaxAtOne(t *testing.T) {
	err := torch.Do(torch.Grad, func(s *torch.Scope) {
		labels := []int32{0, 1}
		x := s.Own(s.Floats([]float32{1, 0, -1, 1}, 1, 2, 2).SetRequiresGrad(true, false))
		loss := answerLoss(s, torch.CPU, Stablemax, x, labels, Stablemax.Compare([]int32{0, 1}, labels, 1))
		for i, g := range torch.Read[float64](nil, s.Gradients(loss, []*torch.Tensor{x})[0]) {
			// of -ln s(a)/(s(a)+s(b)) halved: s(1) = 2, s(0) = 1, s(-1) = 1/2; s' = 1, 1, 1/4
			want := []float64{-(1.0/2 - 1.0/3) / 2, 1.0 / 3 / 2, 1.0 / 4 / 2.5 / 2, -(1.0/2 - 1/2.5) / 2}[i]
			if !(math.Abs(g-want) <= 1e-6) {
				t.Errorf("gradient of logit %d: %v, want %v", i, g, want)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLosses has values by hand: one row of two scored cells and one ignored, two classes.
func TestLosses(t *testing.T) {
	labels := []int32{0, 1, puzzle.Ignore}
	logits := []float32{2, 0, -1, 1, 5, 5}
	softplus := func(x float64) float64 { return math.Log(1 + math.Exp(x)) }
	tests := []struct {
		kind   LossKind
		labels []int32
		want   float64
	}{
		{Softmax, labels, (softplus(-2) + softplus(-2)) / 2},
		// s(2)=3, s(0)=1; s(-1)=1/2, s(1)=2
		{Stablemax, labels, (-math.Log(3.0/4) - math.Log(2/2.5)) / 2},
		// both classes right: nothing to lose; class 1 alone
		{AnyOf, []int32{3, 2, puzzle.Ignore}, softplus(-2) / 2},
	}
	for _, tt := range tests {
		err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
			sc := tt.kind.Compare([]int32{0, 1, 0}, tt.labels, 1)
			loss := answerLoss(s, torch.CPU, tt.kind, s.Floats(logits, 1, 3, 2), tt.labels, sc)
			if got := torch.Read[float64](nil, loss)[0]; math.Abs(got-tt.want) > 1e-6 { // float32
				t.Errorf("%s: %v, want %v", tt.kind, got, tt.want)
			}
			if !sc.Exact[0] || sc.Cells[0] != 2 {
				t.Errorf("%s: score %+v, want 2 cells, all right", tt.kind, sc)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
