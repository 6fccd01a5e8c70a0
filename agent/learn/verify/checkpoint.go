//go:build cgo && !notorch

package verify

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/hrm/refconfig"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// replayCheckpoint runs the reference checkpoint in dir on the batch of its expected.safetensors, in
// float32 and in bfloat16, and compares the outputs of every call in evaluation mode.
func replayCheckpoint(r *Report, dir string, dev torch.Device) error {
	ckpt, err := refconfig.Read(dir, 0)
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
		if err := p.checkpoint(ref, ckpt.Tensors, dev); err != nil {
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

func (p *parity) checkpoint(ref refconfig.Model, weights map[string]safetensors.Tensor, dev torch.Device) error {
	var err error
	if p.cfg, p.halt, err = ref.Config(); err != nil {
		return err
	}
	kind := "f32"
	if p.cfg.BF16 {
		kind = "bf16"
	}
	params := torch.NewParams(dev)
	defer params.Close()
	m, err := hrm.New(p.cfg, params, 0)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := params.Load(weights); err != nil {
		return err
	}
	inputs, err := p.ints("batch.inputs")
	if err != nil {
		return err
	}
	labels, err := p.ints("batch.labels")
	if err != nil {
		return err
	}
	ids, err := p.ints("batch.puzzle_identifiers")
	if err != nil {
		return err
	}
	rows, n := len(ids), p.cfg.Seq
	if rows == 0 || len(inputs) != rows*n || len(labels) != rows*n {
		return fmt.Errorf("batch: %d inputs, %d labels for %d rows of %d", len(inputs), len(labels), rows, n)
	}
	loop, err := learn.NewLoop(m, learn.LoopConfig{Halting: p.halt, Evaluate: true}, rows, n, nil)
	if err != nil {
		return err
	}
	defer loop.Close()
	for k := 0; ; k++ {
		prefix := fmt.Sprintf("%s.%d.", kind, k)
		if !slices.ContainsFunc(p.f.Names(), func(key string) bool { return strings.HasPrefix(key, prefix) }) {
			return nil
		}
		got := map[string][]float64{}
		loop.Inspect = func(s *torch.Scope, c *learn.Call) {
			got["logits"] = torch.Read[float64](nil, c.Out.Logits)
			got["q_halt_logits"] = torch.Read[float64](nil, c.Out.QHalt)
			got["q_continue_logits"] = torch.Read[float64](nil, c.Out.QContinue)
		}
		if _, err := loop.Segment(func(row int, in, label []int32) (int32, error) {
			copy(in, inputs[row*n:(row+1)*n])
			copy(label, labels[row*n:(row+1)*n])
			return ids[row], nil
		}); err != nil {
			return err
		}
		for _, key := range p.f.Names() {
			part, ok := strings.CutPrefix(key, prefix)
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
}
