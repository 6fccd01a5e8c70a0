//go:build cgo && !notorch

package learn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// paint is puzzles of 4 cells that only their identifier tells apart: every cell's answer is paints[id].
func paint(paints ...int32) puzzle.Source {
	shape := puzzle.Shape{SeqLen: 4, Vocab: 12, Identifiers: len(paints) + 1}
	return puzzle.Generate(shape, 1, func(rng *rand.Rand, in, label []int32) (int32, error) {
		id := rng.IntN(len(paints))
		for t := range in {
			in[t], label[t] = int32(2+rng.IntN(10)), paints[id]
		}
		return int32(id + 1), nil
	})
}

// painter is a network that has learned three of the paints.
func painter(t *testing.T) *Net {
	t.Helper()
	torch.SetThreads(1)
	r := preset("arc")
	r.Learn("paint", puzzle.Shape{SeqLen: 4, Vocab: 12, Identifiers: 4}, 2, 2)
	r.Model.Hidden, r.Model.Inner, r.Model.PuzzleDim = 16, 24, 16
	r.Batch, r.Steps, r.LR, r.Warmup, r.EMA = 8, 150, 1e-2, 0, 0
	tr, err := NewTrainer(r, func(string, uint64, bool) (task.Rows, error) {
		return task.Rows{Source: paint(3, 7, 9), Rows: 2, Cols: 2}, nil
	}, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	finish(t, tr)
	return &Net{Name: "painter", Recipe: r, Network: tr.Network()}
}

// TestFit: the vectors of puzzles in another order are found, and they are all that changes.
func TestFit(t *testing.T) {
	n := painter(t)
	before, err := n.Network.Params().Save()
	if err != nil {
		t.Fatal(err)
	}
	table := torch.Read[float32](nil, n.Network.Params().Get(hrm.PuzzleTable))
	var loss []float64
	err = n.Fit(context.Background(), paint(9, 3), 2, 2, 120, 3e-2, 5, func(step int, r Result) {
		if step != len(loss)+1 {
			t.Fatalf("step %d after %d", step, len(loss))
		}
		loss = append(loss, r.Loss.LM/float64(r.Rows))
	})
	if err != nil {
		t.Fatal(err)
	}
	after, err := n.Network.Params().Save()
	if err != nil {
		t.Fatal(err)
	}
	const tableName = "inner.puzzle_emb.weights"
	if _, ok := before[tableName]; !ok {
		t.Fatalf("no tensor %s", tableName)
	}
	delete(before, tableName)
	delete(after, tableName)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("weights changed:\n%.400s", diff)
	}
	fitted := torch.Read[float32](nil, n.Network.Params().Get(hrm.PuzzleTable))
	if len(fitted) != len(table) || cmp.Equal(fitted, table) {
		t.Error("the puzzle table is what it was")
	}
	for _, x := range fitted[3*16:] { // no puzzle has this identifier
		if x != 0 {
			t.Fatal("a vector of the puzzles before is left in the table")
		}
	}
	mean := func(x []float64) (m float64) {
		for _, v := range x {
			m += v / float64(len(x))
		}
		return m
	}
	// With an empty table the network cannot know: the loss is a guess among the paints, or worse.
	if first, last := mean(loss[:5]), mean(loss[110:]); len(loss) != 120 || first < 0.5 || last > first/3 {
		t.Errorf("loss %.3f at the beginning, %.3f at the end of %d steps; want a third of it or less after 120", first, last, len(loss))
	}
}

func TestFitErrors(t *testing.T) {
	n := painter(t)
	canceled, cancel := context.WithCancelCause(context.Background())
	stopped := errors.New("stopped")
	cancel(stopped)
	torn := puzzle.Generate(puzzle.Shape{SeqLen: 4, Vocab: 12, Identifiers: 2}, 1, func(*rand.Rand, []int32, []int32) (int32, error) { return 0, stopped })
	without := &Net{Name: "plain", Recipe: tiny(), Network: newTrainer(t, tiny()).Network()}
	tests := []struct {
		name string
		net  *Net
		ctx  context.Context
		src  puzzle.Source
		want string
	}{
		{"no table", without, context.Background(), paint(3), "model plain has no puzzle table to fit"},
		{"more puzzles", n, context.Background(), paint(3, 4, 5, 6), "model painter: it has 5 puzzle identifiers, model.puzzle_ids is 4"},
		{"more tokens", n, context.Background(), puzzle.Generate(puzzle.Shape{SeqLen: 4, Vocab: 13, Identifiers: 1}, 1, nil), "model painter: its vocabulary is 13"},
		{"context", n, canceled, paint(3), "stopped"},
		{"data", n, context.Background(), torn, "stopped"},
	}
	for _, tt := range tests {
		err := tt.net.Fit(tt.ctx, tt.src, 2, 2, 3, 1e-2, 0, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error = %v, want %q", tt.name, err, tt.want)
		}
		if tt.want == "stopped" && !errors.Is(err, stopped) {
			t.Errorf("%s: error = %v, want the cause", tt.name, err)
		}
	}
}

// TestRowsOutOfRange: a value that the network has no place for is an error that says where it is.
func TestRowsOutOfRange(t *testing.T) {
	r := preset("arc")
	r.Model.Hidden, r.Model.Inner, r.Model.PuzzleDim, r.Model.PuzzleIDs = 16, 24, 16, 3
	r.Model.Rows, r.Model.Cols, r.Model.Seq, r.Model.Outputs = 2, 2, 4, 10
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	m, err := hrm.New(r.Model, params, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	r.Halting.ExplorationProb = 0
	tests := []struct {
		in, label []int32
		id        int32
		want      string
	}{
		{[]int32{0, 1, 11, 2}, []int32{0, 9, puzzle.Ignore, 3}, 2, "<nil>"},
		{[]int32{0, 1, 12, 2}, []int32{0, 0, 0, 0}, 0, "input, cell 2: 12, want a token in [0, 12)"},
		{[]int32{-1, 1, 2, 2}, []int32{0, 0, 0, 0}, 0, "input, cell 0: -1, want a token in [0, 12)"},
		{[]int32{0, 1, 2, 2}, []int32{0, 0, 0, 10}, 0, "label, cell 3: 10, want one in [0, 10)"},
		{[]int32{0, 1, 2, 2}, []int32{0, -7, 0, 0}, 0, "label, cell 1: -7, want one in [0, 10)"},
		{[]int32{0, 1, 2, 2}, []int32{0, 0, 0, 0}, 3, "puzzle identifier 3, want one in [0, 3)"},
		{[]int32{0, 1, 2, 2}, []int32{0, 0, 0, 0}, -1, "puzzle identifier -1, want one in [0, 3)"},
	}
	for _, kind := range []LossKind{Softmax, Stablemax} {
		for _, tt := range tests {
			l, err := NewLoop(m, LoopConfig{Halting: r.Halting, Loss: kind}, 1, 4, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = l.Segment(func(_ int, in, label []int32) (int32, error) {
				copy(in, tt.in)
				copy(label, tt.label)
				return tt.id, nil
			})
			if got := fmt.Sprint(err); got != tt.want {
				t.Errorf("%s: error %q, want %q", kind, got, tt.want)
			}
			l.Close()
		}
	}
}
