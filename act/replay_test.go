package act

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

// TestReplay repeats the halting of whole training runs that the reference implementations of HRM and
// TRM recorded, from their logits and draws.
func TestReplay(t *testing.T) {
	tests := []struct {
		path string
		rule Rule
	}{
		{"cases/halt_rope_puzzle_b5", HaltOverContinue},
		{"cases/halt_learned_nopuzzle_b1", HaltOverContinue},
		{"cases/grad_rope_puzzle_stablemax", HaltOverContinue},
		{"cases/grad_learned_nopuzzle_softmax", HaltOverContinue},
		{"cases/train_long_rope_puzzle", HaltOverContinue},
		{"trm/trm_halt_att_b5", HaltAbove},
		{"trm/trm_grad_att", HaltAbove},
		{"cases/eval_learned_puzzle_b5", Never},
		{"cases/eval_rope_exp16_steps16", Never},
		{"trm/trm_eval_att_b3", Never},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			path := "../../shared/hrm/" + tt.path + ".safetensors"
			if _, err := os.Stat(path); err != nil {
				t.Skip("the recorded fixtures are not beside this checkout")
			}
			f, err := safetensors.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			replayFile(t, f, tt.rule)
		})
	}
}

func replayFile(t *testing.T, f *safetensors.File, rule Rule) {
	var model struct {
		Prob float64 `json:"halt_exploration_prob"`
		Max  int     `json:"halt_max_steps"`
		Rows int     `json:"batch_size"`
	}
	var run struct {
		Calls int `json:"calls"`
		Batch int `json:"batch_size"`
	}
	for key, v := range map[string]any{"config": &model, "run": &run} {
		if err := json.Unmarshal([]byte(f.Metadata()[key]), v); err != nil {
			t.Fatal(err)
		}
	}
	if run.Calls == 0 {
		t.Fatal("no calls recorded")
	}
	cfg := Config{MaxSegments: model.Max, Rule: rule}
	var draws Draws
	if rule != Never {
		recorded := &Recorded{}
		for k := range run.Calls {
			recorded.Uniform = append(recorded.Uniform, floats(t, f, fmt.Sprintf("call.%d.draw.uniform", k)))
			recorded.Integer = append(recorded.Integer, ints(t, f, fmt.Sprintf("call.%d.draw.randint", k)))
		}
		cfg.ExplorationProb, draws = model.Prob, recorded
	}
	h, err := New(cfg, run.Batch, draws)
	if err != nil {
		t.Fatal(err)
	}
	early := 0
	for k := range run.Calls {
		call := fmt.Sprintf("call.%d.", k)
		q := Q{Halt: floats(t, f, call+"q_halt_logits"), Continue: floats(t, f, call+"q_continue_logits")}
		h.Step(q)
		halted := ints(t, f, call+"halted")
		for b, got := range h.Halted() {
			if got != (halted[b] != 0) {
				t.Errorf("call %d row %d: halted = %v, want %v", k, b, got, !got)
			}
			if got && int(h.Segments()[b]) < model.Max {
				early++
			}
		}
		if want := ints(t, f, call+"steps"); !slices.Equal(h.Segments(), want) {
			t.Errorf("call %d: segments = %v, want %v", k, h.Segments(), want)
		}
		if rule == Never {
			continue
		}
		if want := ints(t, f, call+"min_halt_steps"); !slices.Equal(h.MinSegments(), want) {
			t.Errorf("call %d: minimum = %v, want %v", k, h.MinSegments(), want)
		}
		// The second pass that gives the target is not recorded; but where a row goes on, the same
		// weights run it again as the next call, in files without an optimiser.
		if next := fmt.Sprintf("call.%d.q_halt_logits", k+1); rule == HaltOverContinue && f.Has(next) && !f.Has(call+"grad_norm") {
			q := Q{Halt: floats(t, f, next), Continue: floats(t, f, fmt.Sprintf("call.%d.q_continue_logits", k+1))}
			got := AppendTargets(nil, q, h.AppendLast(nil))
			for b, want := range floats(t, f, call+"target_q_continue") {
				if !h.Halted()[b] && math.Abs(float64(got[b]-want)) > 1e-5 { // float32 noise of two runs of the network
					t.Errorf("call %d row %d: target = %v, want %v", k, b, got[b], want)
				}
			}
		}
	}
	t.Logf("%d calls, %d rows halted before the limit", run.Calls, early)
}

func floats(t *testing.T, f *safetensors.File, name string) []float32 {
	t.Helper()
	x, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	v, err := x.Float32s()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func ints(t *testing.T, f *safetensors.File, name string) []int32 {
	t.Helper()
	x, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := x.Int64s()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	v := make([]int32, len(wide))
	for i := range wide {
		v[i] = int32(wide[i])
	}
	return v
}
