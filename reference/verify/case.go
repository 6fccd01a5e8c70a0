package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/reference"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// The limits of the recorded cases (their README): absolute differences that no correct program
// exceeds in float32, and a relative distance for bfloat16.
const (
	forwardLimit  = 5e-4
	gradientLimit = 5e-6
	bf16Limit     = 0.1
)

// run is the metadata "run" of a case.
type run struct {
	Kind      string `json:"kind"` // eval, train_halting, train_grad
	Calls     int    `json:"calls"`
	BatchSize int    `json:"batch_size"`
	LossType  string `json:"loss_type"`
	Hyper     struct {
		LR          float64 `json:"lr"`
		MinRatio    float64 `json:"lr_min_ratio"`
		Warmup      int64   `json:"lr_warmup_steps"`
		Steps       int64   `json:"total_steps"`
		Decay       float64 `json:"weight_decay"`
		Beta1       float64 `json:"beta1"`
		Beta2       float64 `json:"beta2"`
		PuzzleLR    float64 `json:"puzzle_emb_lr"`
		PuzzleDecay float64 `json:"puzzle_emb_weight_decay"`
		EMA         float64 `json:"ema_rate"`
	} `json:"hyper"`
}

// parity is one case being replayed.
type parity struct {
	*Report
	reference.Network
	f    *safetensors.File
	run  run
	seen map[string]bool // keys that were used or compared
}

// An Engine computes what cases have recorded.
type Engine interface {
	// Name is "torch" or "go".
	Name() string
	// calls replays the calls of a case, one after the other, from weights, and compares.
	calls(p *parity, weights map[string]safetensors.Tensor, trm bool) error
	// evaluate is what so many calls in evaluation mode conclude about a batch.
	evaluate(n reference.Network, weights map[string]safetensors.Tensor, b batch, calls int) ([]conclusion, error)
}

// A trainer is an Engine that makes networks and trains them; init compares what a fresh one begins with.
type trainer interface{ init(p *parity) error }

// A conclusion is what one call concludes about a batch.
type conclusion struct{ logits, qHalt, qContinue []float64 }

// replay runs a case of format hrm-parity-1 or trm-parity-1 and compares everything it recorded.
func replay(r *Report, f *safetensors.File, trm bool, e Engine) error {
	p := &parity{Report: r, f: f, seen: map[string]bool{}}
	ref := reference.Model{TRM: trm}
	if err := metadata(f, "config", &ref); err != nil {
		return err
	}
	if err := metadata(f, "run", &p.run); err != nil {
		return err
	}
	var err error
	if p.Network, err = ref.Network(); err != nil {
		return err
	}
	if p.run.BatchSize < 1 || p.run.Calls < 1 {
		return fmt.Errorf("metadata run: batch_size %d and calls %d, want at least 1", p.run.BatchSize, p.run.Calls)
	}
	weights, err := p.weights()
	if err != nil {
		return err
	}
	if err := e.calls(p, weights, trm); err != nil {
		return err
	}
	p.leftovers()
	if p.TensorsCompared == 0 && len(p.NotThisEngine) == 0 {
		return errors.New("no recorded outputs, neither call.* nor probe.*")
	}
	return nil
}

func metadata(f *safetensors.File, key string, v any) error {
	text, ok := f.Metadata()[key]
	if !ok {
		return fmt.Errorf("metadata has no %q", key)
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("metadata %q: %w", key, err)
	}
	return nil
}

// weights are those recorded.
func (p *parity) weights() (map[string]safetensors.Tensor, error) {
	weights := map[string]safetensors.Tensor{}
	for _, n := range p.f.Names() {
		if strings.HasPrefix(n, "inner.") {
			t, err := p.f.Tensor(n)
			if err != nil {
				return nil, err
			}
			weights[n] = t
			p.seen[n] = true
		}
	}
	return weights, nil
}

// foreign says that the engine does not compute what key recorded.
func (p *parity) foreign(key string) {
	p.NotThisEngine = append(p.NotThisEngine, key)
	p.seen[key] = true
}

// floats and ints read a tensor and mark it as used.
func (p *parity) floats(key string) ([]float64, error) {
	t, err := p.f.Tensor(key)
	if err != nil {
		return nil, err
	}
	p.seen[key] = true
	if x, err := t.Float64s(); err == nil {
		return x, nil
	}
	x, err := t.Int64s()
	return widen(x), err
}

func (p *parity) ints(key string) ([]int32, error) {
	t, err := p.f.Tensor(key)
	if err != nil {
		return nil, err
	}
	p.seen[key] = true
	x, err := t.Int64s()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	out := make([]int32, len(x))
	for i, v := range x {
		out[i] = int32(v)
	}
	return out, nil
}

// batch is one recorded batch.
type batch struct{ inputs, labels, ids []int32 }

// fill hands its rows of n tokens to a loop.
func (b batch) fill(n int) func(row int, in, label []int32) (int32, error) {
	return func(row int, in, label []int32) (int32, error) {
		copy(in, b.inputs[row*n:(row+1)*n])
		copy(label, b.labels[row*n:(row+1)*n])
		return b.ids[row], nil
	}
}

func (p *parity) batch(k int) (b batch, err error) {
	if p.run.Kind == "eval" {
		k = 0 // handed to every call
	}
	prefix := fmt.Sprintf("batch.%d.", k)
	for name, dst := range map[string]*[]int32{"inputs": &b.inputs, "labels": &b.labels, "puzzle_identifiers": &b.ids} {
		if *dst, err = p.ints(prefix + name); err != nil {
			return b, err
		}
	}
	rows, seq := p.run.BatchSize, p.Config.Seq
	if len(b.inputs) != rows*seq || len(b.labels) != rows*seq || len(b.ids) != rows {
		return b, fmt.Errorf("%s*: %d inputs, %d labels, %d identifiers for %d rows of %d", prefix, len(b.inputs), len(b.labels), len(b.ids), rows, seq)
	}
	return b, nil
}

// loss is the loss of the answers.
func (p *parity) loss() (learn.LossKind, error) {
	switch p.run.LossType {
	case "stablemax_cross_entropy":
		return learn.Stablemax, nil
	case "softmax_cross_entropy":
		return learn.Softmax, nil
	}
	return "", fmt.Errorf("loss_type %q is unknown", p.run.LossType)
}

// draws are the random draws recorded, nil where the reference draws nothing.
func (p *parity) draws() (act.Draws, error) {
	if p.run.Kind == "eval" || p.Halting.MaxSegments == 1 {
		return nil, nil
	}
	rec := &act.Recorded{}
	for k := range p.run.Calls {
		u, err := p.floats(fmt.Sprintf("call.%d.draw.uniform", k))
		if err != nil {
			return nil, err
		}
		n, err := p.ints(fmt.Sprintf("call.%d.draw.randint", k))
		if err != nil {
			return nil, err
		}
		if len(u) != p.run.BatchSize || len(n) != p.run.BatchSize {
			return nil, fmt.Errorf("call.%d.draw: %d uniforms and %d integers for %d rows", k, len(u), len(n), p.run.BatchSize)
		}
		rec.Uniform = append(rec.Uniform, narrow(u))
		rec.Integer = append(rec.Integer, n)
	}
	return rec, nil
}

// counts puts the state of halting after a call into got.
func counts(got map[string][]float64, h *act.Halter) {
	got["steps"] = widen(h.Segments())
	got["min_halt_steps"] = widen(h.MinSegments())
	halted := make([]uint8, h.Rows())
	for i, over := range h.Halted() {
		if over {
			halted[i] = 1
		}
	}
	got["halted"] = widen(halted)
}

// answers puts what was asked and how it was answered into got.
func answers(got map[string][]float64, b *puzzle.Batch, m learn.Metrics) {
	got["metric.count"] = []float64{float64(m.Count)}
	got["metric.accuracy"] = []float64{m.Accuracy}
	got["metric.exact_accuracy"] = []float64{float64(m.ExactAccuracy)}
	got["metric.q_halt_accuracy"] = []float64{float64(m.QHaltAccuracy)}
	got["metric.steps"] = []float64{float64(m.Segments)}
	got["current.inputs"] = widen(b.Inputs)
	got["current.labels"] = widen(b.Labels)
	got["current.puzzle_identifiers"] = widen(b.IDs)
}

// compareCall compares every recorded tensor of call k.
func (p *parity) compareCall(k int, got map[string][]float64) error {
	prefix := fmt.Sprintf("call.%d.", k)
	for _, key := range p.f.Names() {
		part, ok := strings.CutPrefix(key, prefix)
		if !ok || strings.HasPrefix(part, "draw.") {
			continue
		}
		name, measure, limit := p.limit(part)
		if measure == "" {
			p.NotCompared = append(p.NotCompared, key)
			p.seen[key] = true
			continue
		}
		value, known := got[part]
		if !known {
			continue // leftovers reports it
		}
		want, err := p.floats(key)
		if err != nil {
			return err
		}
		p.compare(name, measure, limit, key, value, want)
	}
	return nil
}

// limit is the quantity that a value belongs to, and what bounds its difference; no measure means
// that the value is not compared.
func (p *parity) limit(part string) (name string, m Measure, limit float64) {
	name = part
	for _, group := range []string{"grad.", "param_after.", "ema_after.", "current."} {
		if strings.HasPrefix(part, group) {
			name = strings.TrimSuffix(group, ".")
		}
	}
	switch name {
	case "steps", "halted", "min_halt_steps", "current", "metric.count", "metric.steps":
		return name, Exact, 0
	case "metric.exact_accuracy", "metric.q_halt_accuracy":
		if p.Precision == arch.BFloat16 {
			return name, "", 0
		}
		return name, Exact, 0
	case "metric.accuracy":
		if p.Precision == arch.BFloat16 {
			return name, "", 0
		}
		return name, MaxAbs, forwardLimit
	case "grad", "param_after", "ema_after":
		return name, MaxAbs, gradientLimit
	case "grad_norm":
		return name, Relative, gradientLimit
	}
	if p.Precision == arch.BFloat16 {
		return name, Relative, bf16Limit
	}
	return name, MaxAbs, forwardLimit
}

// leftovers reports recorded values that nothing was compared with.
func (p *parity) leftovers() {
	for _, key := range p.f.Names() {
		if strings.Contains(key, ".draw.") {
			p.NotCompared = append(p.NotCompared, key) // an input
		}
		if p.seen[key] {
			continue
		}
		kind, _, _ := strings.Cut(key, ".")
		if kind == "batch" {
			if k, err := strconv.Atoi(strings.Split(key, ".")[1]); err == nil && k < max(p.run.Calls, 1) {
				continue // a batch that evaluation does not hand out
			}
		}
		p.problem("%s: nothing to compare it with", key)
	}
	slices.Sort(p.NotCompared)
}

// replayInit compares a fresh network with the recorded one, drawn from the same seed.
func replayInit(r *Report, f *safetensors.File, e Engine) error {
	p := &parity{Report: r, f: f, seen: map[string]bool{}}
	var ref reference.Model
	if err := metadata(f, "config", &ref); err != nil {
		return err
	}
	var err error
	if p.Network, err = ref.Network(); err != nil {
		return err
	}
	if t, ok := e.(trainer); ok {
		err = t.init(p)
	} else {
		for _, key := range f.Names() {
			p.foreign(key)
		}
	}
	p.leftovers()
	return err
}

func widen[T ~float32 | ~int64 | ~int32 | ~uint8](x []T) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}
