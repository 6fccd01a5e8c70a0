//go:build cgo && !notorch

package verify

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// TestRecordedCheckpoints replays the reference's checkpoints in both types.
func TestRecordedCheckpoints(t *testing.T) {
	needShared(t)
	if err := Path(filepath.Join(shared, "torch_ckpt"), torch.CPU, func(r *Report) {
		if !r.Skipped && !r.OK() {
			t.Errorf("%s: %v", r.File, r.Problems)
		}
	}); err != nil {
		t.Error(err)
	}
}

// TestMissingPartsFail takes away what a case cannot do without.
func TestMissingPartsFail(t *testing.T) {
	needShared(t)
	const name = "cases/eval_rope_nopuzzle_b1.safetensors"
	type tensors = map[string]safetensors.Tensor
	for what, change := range map[string]func(tensors, map[string]string){
		"no config": func(_ tensors, m map[string]string) { delete(m, "config") },
		"no run":    func(_ tensors, m map[string]string) { delete(m, "run") },
		"no weight": func(ts tensors, _ map[string]string) { delete(ts, "inner.H_init") },
		"no batch":  func(ts tensors, _ map[string]string) { delete(ts, "batch.0.inputs") },
		"no outputs": func(ts tensors, _ map[string]string) {
			for k := range ts {
				if strings.HasPrefix(k, "call.") {
					delete(ts, k)
				}
			}
		},
	} {
		if r := copyWith(t, name, change); r.OK() {
			t.Errorf("%s passes (skipped: %v, compared: %d)", what, r.Skipped, r.TensorsCompared)
		}
	}
}

// TestOneSegmentInTraining turns the first call of a recorded case into one of halt_max_steps 1, where the
// reference draws nothing, computes no target and halts always (hrm_act_v1.py): what the network concludes
// is the same, the rest is worked out here from that.
func TestOneSegmentInTraining(t *testing.T) {
	needShared(t)
	r := copyWith(t, "cases/halt_rope_puzzle_b5.safetensors", func(ts map[string]safetensors.Tensor, meta map[string]string) {
		meta["config"] = strings.Replace(meta["config"], `"halt_max_steps": 5`, `"halt_max_steps": 1`, 1)
		meta["run"] = strings.Replace(meta["run"], `"calls": 12`, `"calls": 1`, 1)
		for key := range ts {
			if strings.HasPrefix(key, "call.") && !strings.HasPrefix(key, "call.0.") || strings.HasPrefix(key, "batch.") && !strings.HasPrefix(key, "batch.0.") {
				delete(ts, key)
			}
		}
		for _, key := range []string{"draw.uniform", "draw.randint", "min_halt_steps", "target_q_continue", "loss.q_continue_loss"} {
			delete(ts, "call.0."+key)
		}
		number := func(key string) float64 {
			x, err := ts["call.0."+key].Float64s()
			if err != nil || len(x) != 1 {
				t.Fatalf("%s: %v, %v", key, x, err)
			}
			return x[0]
		}
		set := func(key string, x ...float32) {
			if _, ok := ts["call.0."+key]; !ok {
				t.Fatalf("no %s in the case", key)
			}
			ts["call.0."+key] = safetensors.OfFloat32s([]int64{int64(len(x))}, x)
		}
		set("loss.total", float32(number("loss.lm_loss")+0.5*number("loss.q_halt_loss")))
		set("halted", 1, 1, 1, 1, 1)

		logits, err := ts["call.0.logits"].Float64s() // [5, 16, 11]
		if err != nil {
			t.Fatal(err)
		}
		halt, err := ts["call.0.q_halt_logits"].Float64s()
		if err != nil {
			t.Fatal(err)
		}
		labels, err := ts["batch.0.labels"].Int64s()
		if err != nil {
			t.Fatal(err)
		}
		var count, accuracy, exact, agrees float32
		for b := range 5 {
			scored, right := 0, 0
			for c := b * 16; c < (b+1)*16; c++ {
				if labels[c] == -100 {
					continue
				}
				scored++
				if row := logits[c*11 : (c+1)*11]; row[labels[c]] == slices.Max(row) {
					right++
				}
			}
			if scored == 0 {
				continue
			}
			count++
			accuracy += float32(right) / float32(scored)
			if right == scored {
				exact++
			}
			if (halt[b] >= 0) == (right == scored) {
				agrees++
			}
		}
		set("metric.count", count)
		set("metric.accuracy", accuracy)
		set("metric.exact_accuracy", exact)
		set("metric.q_halt_accuracy", agrees)
		set("metric.steps", count)
	})
	if !r.OK() || r.TensorsCompared < 15 {
		t.Errorf("%d tensors compared: %v, %+v", r.TensorsCompared, r.Problems, r.Quantities)
	}
}
