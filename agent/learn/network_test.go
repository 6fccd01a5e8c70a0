//go:build cgo && !notorch

package learn

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/models"
	"github.com/ponder-agents/ponder/torch"
)

// reversal is sequences of four symbols to be answered backwards, one after the other through all 256.
type reversal struct {
	puzzle.Source
	k int
}

func (*reversal) Shape() puzzle.Shape { return puzzle.Shape{SeqLen: 4, Vocab: 4, Identifiers: 1} }

func (r *reversal) Next(in, label []int32) (int32, error) {
	for i := range in {
		v := int32(r.k >> (2 * i) & 3)
		in[i], label[len(in)-1-i] = v, v
	}
	r.k = (r.k*77 + 13) % 256 // a full period
	return 0, nil
}

func (r *reversal) AppendState(dst []byte) []byte { return append(dst, byte(r.k)) }
func (r *reversal) SetState(b []byte) error       { r.k = int(b[0]); return nil }

func openReversal(string, uint64, bool) (task.Rows, error) {
	return task.Rows{Source: &reversal{}}, nil
}

// cellRecipe trains a recurrent network.
func cellRecipe() Recipe {
	return Recipe{
		Cell: &hrm.CellConfig{Vocab: 4, Seq: 4, Input: 32, Low: 32, High: 32}, Loss: Softmax, NoContinue: true,
		Halting: act.Config{MaxSegments: 2, Rule: act.HaltAbove}, Evaluation: act.Config{MaxSegments: 2, Rule: act.HaltAbove},
		Adam: torch.AdamConfig{Rule: torch.AdamW}, LR: 1e-2, MinRatio: 1, Batch: 32, Steps: 300, Seed: 1,
		Stages: []Stage{{Data: "reversal", Until: 1}},
	}
}

// TestCellLearns: the recurrent network goes the way of the transformer: trained, evaluated, saved in the
// middle and resumed bit for bit.
func TestCellLearns(t *testing.T) {
	torch.SetThreads(1)
	begin := func() *Trainer {
		tr, err := NewTrainer(cellRecipe(), openReversal, torch.CPU)
		must(t, err)
		t.Cleanup(tr.Close)
		return tr
	}
	through, stopped := begin(), begin()
	finish(t, through)
	for range 7 {
		must(t, stopped.Step(t.Context()))
	}
	want, err := through.Snapshot()
	must(t, err)
	got, err := again(t, stopped, openReversal).Snapshot()
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stopped at step 7, the state differs:\n%.600s", diff)
	}

	m, err := through.Thinking()
	must(t, err)
	defer m.Close()
	right := 0
	src, label := &reversal{}, make([]int32, 4)
	th := think.Thinker{Core: m.Core, Halting: m.Usage.Halting, Slots: 16, Shape: m.Core.Spec().Shape}
	asked := 0
	labels := map[int][4]int32{}
	must(t, th.Run(context.Background(), func(in []int32) (int32, bool, error) {
		if asked == 256 {
			return 0, false, nil
		}
		_, err := src.Next(in, label)
		labels[asked] = [4]int32(label)
		asked++
		return 0, true, err
	}, func(th *think.Thought) error {
		if th.Halted && [4]int32(think.Argmax(nil, th.Logits, 4)) == labels[th.Job] {
			right++
		}
		return nil
	}))
	if right < 250 {
		t.Errorf("%d of 256 sequences reversed", right)
	}
}

// TestOldRecipe: the configuration of a shipped model, written by a version that had boxes, cycles, the
// gradient and the number format in the network.
func TestOldRecipe(t *testing.T) {
	old := `{"task": "sudoku", "model": {"vocab": 11, "seq": 81, "rows": 9, "cols": 9, "hidden": 64, "heads": 4, "h_layers": 1, "l_layers": 1,
		"h_cycles": 2, "l_cycles": 2, "inner": 160, "positions": "none", "registers": 1, "grid_embed": true, "box_rows": 3, "box_cols": 3,
		"mixing": "static", "group_bias": true, "bf16": true, "gradient": "last-cycle"}, "batch": 3}`
	var got Recipe
	if err := json.Unmarshal([]byte(old), &got); err != nil {
		t.Fatal(err)
	}
	want := Recipe{Task: "sudoku", Model: preset("sudoku").Model, Training: hrm.Training{Gradient: hrm.LastCycle}, Precision: hrm.BFloat16, Batch: 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var again Recipe
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("written and read (-want +got):\n%s", diff)
	}
	for _, place := range []string{`"gradient":"last-cycle"`, `"precision":"bf16"`} {
		if !strings.Contains(string(data), place) || strings.Contains(string(data), "bf16\":") {
			t.Errorf("%s is not in: %s", place, data)
		}
	}
	if err := json.Unmarshal([]byte(`{"model": {"hidden": 3}, "steps": 2, "stpes": 1}`), &got); err == nil || !strings.Contains(err.Error(), "stpes") {
		t.Errorf("an unknown field: error %v", err)
	}
	// A cell takes the place of a preset's network.
	cell := preset("sudoku")
	if err := json.Unmarshal([]byte(`{"cell": {"input": 8, "low": 8, "high": 8}}`), &cell); err != nil {
		t.Fatal(err)
	}
	cell.Learn("sudoku:40-50", puzzle.Shape{SeqLen: 81, Vocab: 11, Identifiers: 1}, 9, 9)
	if err := cell.Check(); err != nil {
		t.Error(err)
	}
	if got, want := cell.Spec(), preset("sudoku").Spec(); got.Vocab != want.Vocab || got.Outputs != want.Outputs || got.Seq != want.Seq || got.Rows != want.Rows {
		t.Errorf("a cell for %+v, want it for %+v", got, want)
	}
	// Over a preset, a field at a time, as a file gives them.
	r := TRM()
	for _, field := range []string{`{"model": {"h_cycles": 2}}`, `{"model": {"gradient": "last-pass"}}`, `{"precision": "bf16"}`} {
		if err := json.Unmarshal([]byte(field), &r); err != nil {
			t.Fatal(err)
		}
	}
	want = TRM()
	want.Model.Levels, want.Gradient, want.Precision = hrm.HL(0, 2, 2, 6), hrm.LastPass, hrm.BFloat16
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("over a preset (-want +got):\n%s", diff)
	}
}

// TestShippedRunInAnyPrecision: every shipped model loads and thinks in both number formats, with
// parameters and without, and says the same both ways.
func TestShippedRunInAnyPrecision(t *testing.T) {
	for _, name := range models.Names() {
		dir, err := models.Open(name)
		must(t, err)
		for _, p := range []hrm.Precision{"", hrm.Float32, hrm.BFloat16} {
			run := hrm.Run{Device: torch.CPU, Precision: p}
			m, err := Shipped(name, func(string) (fs.FS, error) { return dir, nil }, run)
			if errors.Is(err, ErrPolicy) { // package rl's
				continue
			}
			must(t, err)
			c, err := checkpoint.ReadFS(dir)
			must(t, err)
			n, err := NewNet(name, c, run)
			must(t, err)
			live, err := n.Thinking()
			must(t, err)
			shape := m.Core.Spec().Shape
			var outs []think.Output
			for _, core := range []think.Core{m.Core, live.Core} {
				rows, err := core.Open(1, shape)
				must(t, err)
				must(t, rows.Begin(0, think.Input{Tokens: make([]int32, shape.Seq)}))
				var out think.Output
				must(t, rows.Segment([]int{0}, &out))
				outs = append(outs, out)
				must(t, rows.Close())
			}
			if diff := cmp.Diff(outs[0], outs[1]); diff != "" {
				t.Errorf("%s in %q: loaded and compiled differ", name, p)
			}
			must(t, m.Close())
			must(t, live.Close())
			n.Close()
			must(t, c.Close())
		}
	}
	if len(models.Names()) == 0 {
		t.Error("no model is shipped")
	}
}

// TestBadNetworks: a recipe's network is checked where it is read and where it is run.
func TestBadNetworks(t *testing.T) {
	for want, change := range map[string]func(*Recipe){
		"a model and a cell":                  func(r *Recipe) { r.Cell = cellRecipe().Cell },
		`gradient "all" is unknown`:           func(r *Recipe) { r.Gradient = "all" },
		`precision "fp8" is unknown`:          func(r *Recipe) { r.Precision = "fp8" },
		"cycles of level L is 0":              func(r *Recipe) { r.Model.Levels = arch.HL(1, 1, 1, 0) },
		"cell.vocab is 0":                     func(r *Recipe) { r.Model, r.Cell = hrm.Config{}, &hrm.CellConfig{Input: 3, Low: 2, High: 2} },
		"hrm cell: low is 0, want 1 to 16384": func(r *Recipe) { r.Model, r.Cell = hrm.Config{}, &hrm.CellConfig{Vocab: 4, Seq: 4, Input: 3, High: 2} },
	} {
		r := preset("maze")
		change(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
