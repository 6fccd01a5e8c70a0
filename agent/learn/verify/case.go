//go:build cgo && !notorch

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
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/hrm/refconfig"
	"github.com/ponder-agents/ponder/torch"
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
	f    *safetensors.File
	run  run
	cfg  hrm.Config
	halt act.Config
	seen map[string]bool // keys that were used or compared
}

// replay runs a case of format hrm-parity-1 or trm-parity-1 and compares everything it recorded.
func replay(r *Report, f *safetensors.File, trm bool, dev torch.Device) error {
	p := &parity{Report: r, f: f, seen: map[string]bool{}}
	ref := refconfig.Model{TRM: trm}
	if err := metadata(f, "config", &ref); err != nil {
		return err
	}
	if err := metadata(f, "run", &p.run); err != nil {
		return err
	}
	var err error
	if p.cfg, p.halt, err = ref.Config(); err != nil {
		return err
	}
	if p.run.BatchSize < 1 || p.run.Calls < 1 {
		return fmt.Errorf("metadata run: batch_size %d and calls %d, want at least 1", p.run.BatchSize, p.run.Calls)
	}
	params := torch.NewParams(dev)
	defer params.Close()
	m, err := hrm.New(p.cfg, params, 0)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := p.load(params); err != nil {
		return err
	}
	if err := p.calls(m, trm); err != nil {
		return err
	}
	p.leftovers()
	if p.TensorsCompared == 0 {
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

// load gives the network the recorded weights.
func (p *parity) load(params *torch.Params) error {
	weights := map[string]safetensors.Tensor{}
	for _, n := range p.f.Names() {
		if strings.HasPrefix(n, "inner.") {
			t, err := p.f.Tensor(n)
			if err != nil {
				return err
			}
			weights[n] = t
			p.seen[n] = true
		}
	}
	return params.Load(weights)
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
	rows, seq := p.run.BatchSize, p.cfg.Seq
	if len(b.inputs) != rows*seq || len(b.labels) != rows*seq || len(b.ids) != rows {
		return b, fmt.Errorf("%s*: %d inputs, %d labels, %d identifiers for %d rows of %d", prefix, len(b.inputs), len(b.labels), len(b.ids), rows, seq)
	}
	return b, nil
}

// calls replays the calls one after the other.
func (p *parity) calls(m *hrm.Model, trm bool) error {
	cfg := learn.LoopConfig{Halting: p.halt, NoContinue: trm, Evaluate: p.run.Kind == "eval"}
	switch p.run.LossType {
	case "stablemax_cross_entropy":
		cfg.Loss = learn.Stablemax
	case "softmax_cross_entropy":
		cfg.Loss = learn.Softmax
	default:
		return fmt.Errorf("loss_type %q is unknown", p.run.LossType)
	}
	var draws act.Draws
	if p.run.Kind != "eval" && p.halt.MaxSegments > 1 { // else the reference draws nothing
		rec := &act.Recorded{}
		for k := range p.run.Calls {
			u, err := p.floats(fmt.Sprintf("call.%d.draw.uniform", k))
			if err != nil {
				return err
			}
			n, err := p.ints(fmt.Sprintf("call.%d.draw.randint", k))
			if err != nil {
				return err
			}
			if len(u) != p.run.BatchSize || len(n) != p.run.BatchSize {
				return fmt.Errorf("call.%d.draw: %d uniforms and %d integers for %d rows", k, len(u), len(n), p.run.BatchSize)
			}
			rec.Uniform = append(rec.Uniform, narrow(u))
			rec.Integer = append(rec.Integer, n)
		}
		draws = rec
	}
	loop, err := learn.NewLoop(m, cfg, p.run.BatchSize, p.cfg.Seq, draws)
	if err != nil {
		return err
	}
	defer loop.Close()
	var opt *learn.Optimizer
	switch h := p.run.Hyper; p.run.Kind {
	case "eval", "train_halting":
	case "train_grad":
		opt, err = learn.NewOptimizer(m.Params(), learn.OptimizerConfig{
			Adam:       torch.AdamConfig{Beta1: h.Beta1, Beta2: h.Beta2, WeightDecay: h.Decay},
			Schedule:   torch.Schedule{LR: h.LR, MinRatio: h.MinRatio, Warmup: h.Warmup, Steps: h.Steps},
			TableLR:    h.PuzzleLR,
			TableDecay: h.PuzzleDecay,
			EMA:        h.EMA,
		})
		if err != nil {
			return err
		}
		defer opt.Close()
	default:
		return fmt.Errorf("kind %q is unknown", p.run.Kind)
	}
	for k := range p.run.Calls {
		if err := p.call(k, m, loop, opt); err != nil {
			return fmt.Errorf("call %d: %w", k, err)
		}
	}
	return nil
}

func (p *parity) call(k int, m *hrm.Model, loop *learn.Loop, opt *learn.Optimizer) error {
	b, err := p.batch(k)
	if err != nil {
		return err
	}
	if k == 0 {
		p.probe(m)
		defer m.Observe(nil)
	}
	got := map[string][]float64{}
	loop.Inspect = func(s *torch.Scope, c *learn.Call) {
		read := func(key string, t *torch.Tensor) { got[key] = torch.Read[float64](nil, t) }
		read("logits", c.Out.Logits)
		read("q_halt_logits", c.Out.QHalt)
		read("q_continue_logits", c.Out.QContinue)
		read("z_H", c.Carry.ZH)
		read("z_L", c.Carry.ZL)
		if c.Target != nil {
			got["target_q_continue"] = widen(c.Target)
		}
		got["loss.q_continue_loss"] = []float64{c.Loss.QContinue}
		got["loss.lm_loss"] = []float64{c.Loss.LM}
		got["loss.q_halt_loss"] = []float64{c.Loss.QHalt}
		got["loss.total"] = []float64{c.Loss.Total()}
		got["metric.count"] = []float64{float64(c.Metrics.Count)}
		got["metric.accuracy"] = []float64{c.Metrics.Accuracy}
		got["metric.exact_accuracy"] = []float64{float64(c.Metrics.ExactAccuracy)}
		got["metric.q_halt_accuracy"] = []float64{float64(c.Metrics.QHaltAccuracy)}
		got["metric.steps"] = []float64{float64(c.Metrics.Segments)}
		got["current.inputs"] = widen(c.Batch.Inputs)
		got["current.labels"] = widen(c.Batch.Labels)
		got["current.puzzle_identifiers"] = widen(c.Batch.IDs)
	}
	fill := func(row int, in, label []int32) (int32, error) {
		n := p.cfg.Seq
		copy(in, b.inputs[row*n:(row+1)*n])
		copy(label, b.labels[row*n:(row+1)*n])
		return b.ids[row], nil
	}
	var res learn.Result
	if opt == nil {
		res, err = loop.Segment(fill)
	} else {
		res, err = p.learn(m, loop, opt, fill, got)
	}
	if err != nil {
		return err
	}
	got["steps"] = widen(loop.Halter().Segments())
	got["min_halt_steps"] = widen(loop.Halter().MinSegments())
	halted := make([]uint8, len(res.Halted))
	for i, h := range res.Halted {
		if h {
			halted[i] = 1
		}
	}
	got["halted"] = widen(halted)
	return p.compareCall(k, got)
}

// learn is a segment that is learned from; it adds gradients, and parameters after the step, to got.
func (p *parity) learn(m *hrm.Model, loop *learn.Loop, opt *learn.Optimizer, fill learn.Fill, got map[string][]float64) (learn.Result, error) {
	g, res, err := loop.Gradients(fill)
	if err != nil {
		return res, err
	}
	defer g.Close()
	names, params := m.Params().Trained()
	for i, x := range g.Dense {
		got["grad."+names[i]] = torch.Read[float64](nil, x)
	}
	for _, sp := range g.Sparse {
		local := strings.TrimSuffix(sp.Table, "weights") + "local_weights"
		got["grad."+local] = torch.Read[float64](nil, sp.Rows)
	}
	norm, err := g.Norm()
	if err != nil {
		return res, err
	}
	got["grad_norm"] = []float64{norm}
	if err := opt.Apply(g); err != nil {
		return res, err
	}
	for i, x := range params {
		got["param_after."+names[i]] = torch.Read[float64](nil, x)
	}
	for _, sp := range g.Sparse {
		got["param_after."+sp.Table] = torch.Read[float64](nil, m.Params().Get(sp.Table))
	}
	if p.run.Hyper.EMA == 0 {
		return res, nil
	}
	averages, _, err := opt.Save()
	if err != nil {
		return res, err
	}
	for _, n := range names {
		if got["ema_after."+n], err = averages[n].Float64s(); err != nil {
			return res, err
		}
	}
	return res, nil
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
		if p.cfg.BF16 {
			return name, "", 0
		}
		return name, Exact, 0
	case "metric.accuracy":
		if p.cfg.BF16 {
			return name, "", 0
		}
		return name, MaxAbs, forwardLimit
	case "grad", "param_after", "ema_after":
		return name, MaxAbs, gradientLimit
	case "grad_norm":
		return name, Relative, gradientLimit
	}
	if p.cfg.BF16 {
		return name, Relative, bf16Limit
	}
	return name, MaxAbs, forwardLimit
}

// probe compares intermediate values of the next segment, the first of its kind each.
func (p *parity) probe(m *hrm.Model) {
	count := map[string]int{}
	m.Observe(func(name string, t *torch.Tensor) {
		i := count[name]
		count[name]++
		for _, key := range []string{"probe." + name, fmt.Sprintf("probe.%s.%d", name, i)} {
			if p.seen[key] || !p.f.Has(key) {
				continue
			}
			want, err := p.floats(key)
			if err != nil {
				p.problem("%s: %v", key, err)
				continue
			}
			p.compare("probe", MaxAbs, forwardLimit, key, torch.Read[float64](nil, t), want)
		}
	})
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

// replayInit compares a fresh model with the recorded one, drawn from the same seed.
func replayInit(r *Report, f *safetensors.File, dev torch.Device) error {
	p := &parity{Report: r, f: f, seen: map[string]bool{}}
	var ref refconfig.Model
	if err := metadata(f, "config", &ref); err != nil {
		return err
	}
	var err error
	if p.cfg, _, err = ref.Config(); err != nil {
		return err
	}
	seed, err := strconv.ParseUint(f.Metadata()["seed"], 10, 64)
	if err != nil {
		return fmt.Errorf("metadata seed: %w", err)
	}
	params := torch.NewParams(dev)
	defer params.Close()
	m, err := hrm.New(p.cfg, params, seed)
	if err != nil {
		return err
	}
	defer m.Close()
	check := func(key string, t *torch.Tensor) {
		rec, err := f.Tensor(key)
		if err != nil {
			p.problem("%v", err)
			return
		}
		if shape := torch.Shape(t); !slices.Equal(shape, rec.Shape) {
			p.problem("%s: shape %v, want %v", key, shape, rec.Shape)
		}
		want, err := p.floats(key)
		if err != nil {
			p.problem("%s: %v", key, err)
			return
		}
		p.compare("init", MaxAbs, gradientLimit, key, torch.Read[float64](nil, t), want)
	}
	err = torch.Do(torch.NoGrad, func(s *torch.Scope) {
		for _, n := range params.Names() {
			check(n, params.Get(n))
		}
		for _, key := range f.Names() {
			t, err := f.Tensor(key)
			if err != nil {
				p.problem("%v", err)
				continue
			}
			draw := func(fn func(g *torch.Generator) *torch.Tensor) {
				g := torch.NewGenerator(seed)
				defer g.Close()
				check(key, fn(g))
			}
			if text, ok := strings.CutPrefix(key, "trunc_normal.std"); ok {
				std, err := strconv.ParseFloat(text, 64)
				if err != nil {
					p.problem("%s: %v", key, err)
					continue
				}
				draw(func(g *torch.Generator) *torch.Tensor { return g.TruncNormal(s, std, t.Shape...) })
			} else if key == "uniform01" {
				draw(func(g *torch.Generator) *torch.Tensor { return g.Uniform(s, 0, 1, t.Shape...) })
			}
		}
	})
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
