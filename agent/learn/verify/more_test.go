//go:build cgo && !notorch

package verify

import (
	"path/filepath"
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
