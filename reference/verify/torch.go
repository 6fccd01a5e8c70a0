//go:build cgo && !notorch

package verify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/reference"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// torchEngine is libtorch by way of package hrm.
type torchEngine struct{ dev torch.Device }

// Torch is the engine that trains: libtorch on dev.
func Torch(dev torch.Device) Engine { return torchEngine{dev} }

// Name implements Engine.
func (torchEngine) Name() string { return "torch" }

// calls implements Engine. the calls one after the other.
func (e torchEngine) calls(p *parity, weights map[string]safetensors.Tensor, trm bool) error {
	m, err := e.load(p.Network, weights)
	if err != nil {
		return err
	}
	defer closeModel(m)
	loss, err := p.loss()
	if err != nil {
		return err
	}
	cfg := learn.LoopConfig{Halting: p.Halting, Loss: loss, NoContinue: trm, Evaluate: p.run.Kind == "eval"}
	draws, err := p.draws()
	if err != nil {
		return err
	}
	loop, err := learn.NewLoop(m, cfg, p.run.BatchSize, p.Config.Seq, draws)
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

// load makes the network n with weights.
func (e torchEngine) load(n reference.Network, weights map[string]safetensors.Tensor) (*hrm.Model, error) {
	params := torch.NewParams(e.dev)
	m, err := hrm.NewFrom(n.Config, params, weights)
	if err != nil {
		params.Close()
		return nil, err
	}
	m.Training, m.Precision = n.Training, n.Precision
	return m, nil
}

func closeModel(m *hrm.Model) {
	m.Close()
	m.Params().Close()
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
		read("z_H", c.Carry[0])
		read("z_L", c.Carry[1])
		if c.Target != nil {
			got["target_q_continue"] = widen(c.Target)
		}
		got["loss.q_continue_loss"] = []float64{c.Loss.QContinue}
		got["loss.lm_loss"] = []float64{c.Loss.LM}
		got["loss.q_halt_loss"] = []float64{c.Loss.QHalt}
		got["loss.total"] = []float64{c.Loss.Total()}
		answers(got, c.Batch, c.Metrics)
	}
	if opt == nil {
		_, err = loop.Segment(b.fill(p.Config.Seq))
	} else {
		err = p.learn(m, loop, opt, b.fill(p.Config.Seq), got)
	}
	if err != nil {
		return err
	}
	counts(got, loop.Halter())
	return p.compareCall(k, got)
}

// learn is a segment that is learned from; it adds gradients, and parameters after the step, to got.
func (p *parity) learn(m *hrm.Model, loop *learn.Loop, opt *learn.Optimizer, fill learn.Fill, got map[string][]float64) error {
	g, _, err := loop.Gradients(fill)
	if err != nil {
		return err
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
		return err
	}
	got["grad_norm"] = []float64{norm}
	if err := opt.Apply(g); err != nil {
		return err
	}
	for i, x := range params {
		got["param_after."+names[i]] = torch.Read[float64](nil, x)
	}
	for _, sp := range g.Sparse {
		got["param_after."+sp.Table] = torch.Read[float64](nil, m.Params().Get(sp.Table))
	}
	if p.run.Hyper.EMA == 0 {
		return nil
	}
	averages, _, err := opt.Save()
	if err != nil {
		return err
	}
	for _, n := range names {
		if got["ema_after."+n], err = averages[n].Float64s(); err != nil {
			return err
		}
	}
	return nil
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

// evaluate implements Engine.
func (e torchEngine) evaluate(n reference.Network, weights map[string]safetensors.Tensor, b batch, calls int) ([]conclusion, error) {
	m, err := e.load(n, weights)
	if err != nil {
		return nil, err
	}
	defer closeModel(m)
	loop, err := learn.NewLoop(m, learn.LoopConfig{Halting: n.Halting, Evaluate: true}, len(b.ids), n.Config.Seq, nil)
	if err != nil {
		return nil, err
	}
	defer loop.Close()
	var out []conclusion
	loop.Inspect = func(s *torch.Scope, c *learn.Call) {
		read := func(t *torch.Tensor) []float64 { return torch.Read[float64](nil, t) }
		out = append(out, conclusion{read(c.Out.Logits), read(c.Out.QHalt), read(c.Out.QContinue)})
	}
	for range calls {
		if _, err := loop.Segment(b.fill(n.Config.Seq)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// init compares a fresh model with the recorded one, drawn from the same seed.
func (e torchEngine) init(p *parity) error {
	f := p.f
	seed, err := strconv.ParseUint(f.Metadata()["seed"], 10, 64)
	if err != nil {
		return fmt.Errorf("metadata seed: %w", err)
	}
	params := torch.NewParams(e.dev)
	defer params.Close()
	m, err := hrm.New(p.Config, params, seed)
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
	return err
}
