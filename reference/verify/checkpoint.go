package verify

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/reference"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// replayCheckpoint runs the reference checkpoint in dir on the batch of its expected.safetensors, in
// float32 and in bfloat16, and compares the outputs of every call in evaluation mode.
func replayCheckpoint(r *Report, dir string, e Engine) error {
	ckpt, err := reference.Read(dir, reference.Length{})
	if err != nil {
		return err
	}
	f, err := safetensors.Open(filepath.Join(dir, "expected.safetensors"))
	if err != nil {
		return err
	}
	defer f.Close()
	r.TensorsInFile = len(f.Names())
	for _, dtype := range []string{"float32", "bfloat16"} {
		ref := ckpt.Model
		ref.ForwardDType = dtype
		p := &parity{Report: r, f: f, seen: map[string]bool{}}
		if err := p.checkpoint(ref, ckpt.Tensors, e); err != nil {
			return err
		}
	}
	if r.TensorsCompared == 0 {
		r.problem("no recorded outputs, neither f32.0.* nor bf16.0.*")
	}
	for _, key := range f.Names() {
		if kind, _, _ := strings.Cut(key, "."); !slices.Contains([]string{"batch", "f32", "bf16"}, kind) {
			r.problem("%s: nothing to compare it with", key)
		}
	}
	return nil
}

func (p *parity) checkpoint(ref reference.Model, weights map[string]safetensors.Tensor, e Engine) error {
	var err error
	if p.Network, err = ref.Network(); err != nil {
		return err
	}
	kind := "f32"
	if p.Precision == arch.BFloat16 {
		kind = "bf16"
	}
	var b batch
	for name, dst := range map[string]*[]int32{"inputs": &b.inputs, "labels": &b.labels, "puzzle_identifiers": &b.ids} {
		if *dst, err = p.ints("batch." + name); err != nil {
			return err
		}
	}
	rows, n := len(b.ids), p.Config.Seq
	if rows == 0 || len(b.inputs) != rows*n || len(b.labels) != rows*n {
		return fmt.Errorf("batch: %d inputs, %d labels for %d rows of %d", len(b.inputs), len(b.labels), rows, n)
	}
	calls := 0
	recorded := func() bool {
		prefix := fmt.Sprintf("%s.%d.", kind, calls)
		return slices.ContainsFunc(p.f.Names(), func(key string) bool { return strings.HasPrefix(key, prefix) })
	}
	for recorded() {
		calls++
	}
	all, err := e.evaluate(p.Network, weights, b, calls)
	if err != nil {
		return err
	}
	for k, c := range all {
		got := map[string][]float64{"logits": c.logits, "q_halt_logits": c.qHalt, "q_continue_logits": c.qContinue}
		for _, key := range p.f.Names() {
			part, ok := strings.CutPrefix(key, fmt.Sprintf("%s.%d.", kind, k))
			if !ok {
				continue
			}
			value, known := got[part]
			if !known {
				p.problem("%s: nothing to compare it with", key)
				continue
			}
			want, err := p.floats(key)
			if err != nil {
				return err
			}
			_, measure, limit := p.limit(part)
			p.compare(kind+" "+part, measure, limit, key, value, want)
		}
	}
	return nil
}
