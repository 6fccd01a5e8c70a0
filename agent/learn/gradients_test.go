//go:build cgo && !notorch

package learn

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// painting is a network with a puzzle table, its parameters, and tasks for its rows: number k shows
// token 2+k%9 everywhere, answers 1+k%9 and has identifier k%3.
func painting(t *testing.T) (*hrm.Model, Recipe) {
	t.Helper()
	torch.SetThreads(1)
	r := preset("arc")
	m := &r.Model
	m.Hidden, m.Inner, m.PuzzleDim, m.PuzzleIDs = 16, 24, 16, 3
	m.Rows, m.Cols, m.Seq = 2, 2, 4
	params := torch.NewParams(torch.CPU)
	model, err := hrm.New(r.Model, params, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		model.Close()
		params.Close()
	})
	return model, r
}

// from is tasks number k, k+1, …
func from(k int) Fill {
	return func(_ int, in, label []int32) (int32, error) {
		for i := range in {
			in[i], label[i] = int32(2+k%9), int32(1+k%9)
		}
		k++
		return int32((k - 1) % 3), nil
	}
}

// gradients are those of one segment of new rows from number k, by name; change may be nil.
func gradients(t *testing.T, m *hrm.Model, cfg LoopConfig, k, rows int, change func(*torch.Scope, *Call)) (map[string][]float64, Result) {
	t.Helper()
	l, err := NewLoop(m, cfg, rows, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.Inspect = change
	g, res, err := l.Gradients(from(k))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	return read(m, g), res
}

// read is the numbers of g by name; of a table the sum of the rows of each identifier.
func read(m *hrm.Model, g *Gradients) map[string][]float64 {
	out := map[string][]float64{}
	names, _ := m.Params().Trained()
	for i, x := range g.Dense {
		out[names[i]] = torch.Read[float64](nil, x)
	}
	for _, sp := range g.Sparse {
		rows, width := torch.Read[float64](nil, sp.Rows), int(torch.Shape(sp.Rows)[1])
		sum := make([]float64, 3*width)
		for i, id := range torch.Read[int32](nil, sp.IDs) {
			for j := range width {
				sum[int(id)*width+j] += rows[i*width+j]
			}
		}
		out[sp.Table] = sum
	}
	return out
}

// TestGradientsOfRanks: the mean of the gradients of two halves of a batch is that of the batch, which is
// what ranks that learn together rely on.
func TestGradientsOfRanks(t *testing.T) {
	m, r := painting(t)
	cfg := LoopConfig{Halting: act.Config{MaxSegments: 4}, Loss: r.Loss}
	whole, res := gradients(t, m, cfg, 0, 6, nil)
	first, res1 := gradients(t, m, cfg, 0, 3, nil)
	second, res2 := gradients(t, m, cfg, 3, 3, nil)
	if got := res1.Loss.Total() + res2.Loss.Total(); math.Abs(got-res.Loss.Total()) > 1e-4 || res.Loss.QContinue == 0 {
		t.Errorf("losses %v and %v, want the sum to be %v and one of q_continue", res1.Loss, res2.Loss, res.Loss)
	}
	if len(whole) != len(first) || whole["inner.puzzle_emb.weights"] == nil {
		t.Fatalf("gradients of %d tensors, of halves %d; the puzzle table's are %v", len(whole), len(first), whole["inner.puzzle_emb.weights"])
	}
	for name, want := range whole {
		large := 0.0
		for i, x := range want {
			if got := (first[name][i] + second[name][i]) / 2; math.Abs(got-x) > 1e-6 { // float32, other orders of sums
				t.Fatalf("%s, element %d: mean of halves %v, want %v", name, i, got, x)
			}
			large = max(large, math.Abs(x))
		}
		if large == 0 && !strings.Contains(name, "q_head") {
			t.Errorf("%s: all gradients are 0", name)
		}
	}
}

// TestAnotherLoss: what Inspect makes of the total is what is differentiated.
func TestAnotherLoss(t *testing.T) {
	m, r := painting(t)
	cfg := LoopConfig{Halting: act.Config{MaxSegments: 4}, Loss: r.Loss}
	plain, _ := gradients(t, m, cfg, 0, 4, nil)
	double, _ := gradients(t, m, cfg, 0, 4, func(s *torch.Scope, c *Call) { c.Total = s.Add(c.Total, c.Total) })
	for name, x := range plain {
		for i := range x {
			x[i] *= 2 // exact in binary
		}
		if diff := cmp.Diff(x, double[name]); diff != "" {
			t.Errorf("%s: gradients of twice the loss (-want +got):\n%.300s", name, diff)
		}
	}
}

// TestClip: gradients above the limit are scaled down to it, others stay as they are.
func TestClip(t *testing.T) {
	m, r := painting(t)
	l, err := NewLoop(m, LoopConfig{Halting: act.Config{MaxSegments: 4}, Loss: r.Loss}, 4, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g, _, err := l.Gradients(from(0))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	before := read(m, g)
	square := 0.0
	for _, x := range g.tensors() {
		for _, v := range torch.Read[float64](nil, x) {
			square += v * v
		}
	}
	want := math.Sqrt(square)
	if norm, err := g.Clip(want * 1.01); err != nil || math.Abs(norm-want) > 1e-9 || !cmp.Equal(read(m, g), before) {
		t.Errorf("norm %v, error %v, want %v and nothing changed below the limit", norm, err, want)
	}
	if norm, err := g.Clip(want / 8); err != nil || math.Abs(norm-want) > 1e-9 {
		t.Errorf("norm before clipping %v, error %v, want %v", norm, err, want)
	}
	if norm, err := g.Norm(); err != nil || math.Abs(norm-want/8) > 1e-7 { // float32
		t.Errorf("clipped to %v, error %v, want %v", norm, err, want/8)
	}
}

// TestDiverged: a loss that is not a number gives no gradients and changes nothing.
func TestDiverged(t *testing.T) {
	m, r := painting(t)
	before, err := m.Params().Save()
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLoop(m, LoopConfig{Halting: act.Config{MaxSegments: 4}, Loss: r.Loss}, 4, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.Inspect = func(s *torch.Scope, c *Call) { c.Total = s.Scale(c.Total, math.NaN()) }
	g, _, err := l.Gradients(from(0))
	if g != nil || err == nil || err.Error() != "the loss is NaN: training has diverged" {
		t.Errorf("gradients %v, error %v", g, err)
	}
	if d, ok := errors.AsType[*run.Diverged](err); !ok || d.Batch["rows.inputs"].Len() != len(l.batch.Inputs) {
		t.Errorf("its batch: %+v", d)
	}
	after, err := m.Params().Save()
	if diff := cmp.Diff(before, after); err != nil || diff != "" {
		t.Errorf("%v, parameters changed: %.200s", err, diff)
	}
}

// TestOneSegment: training with one segment halts at once, has no target and draws nothing, as
// hrm_act_v1.py with halt_max_steps 1.
func TestOneSegment(t *testing.T) {
	m, r := painting(t)
	cfg := LoopConfig{Halting: act.Config{MaxSegments: 1, ExplorationProb: 0.5}, Loss: r.Loss}
	l, err := NewLoop(m, cfg, 3, 4, &act.Recorded{}) // which panics if it is asked
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	calls := 0
	l.Inspect = func(_ *torch.Scope, c *Call) {
		calls++
		if c.Target != nil || c.Loss.QContinue != 0 {
			t.Errorf("target %v, loss of q_continue %v, want none", c.Target, c.Loss.QContinue)
		}
	}
	for range 2 {
		g, res, err := l.Gradients(from(0))
		if err != nil {
			t.Fatal(err)
		}
		g.Close()
		if !cmp.Equal(res.Halted, []bool{true, true, true}) || res.Metrics.Segments != 3 {
			t.Errorf("halted %v after %d segments, want all after one each", res.Halted, res.Metrics.Segments)
		}
	}
	if calls != 2 {
		t.Errorf("%d segments inspected, want 2", calls)
	}
}
