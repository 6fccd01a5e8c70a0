//go:build cgo && !notorch

package rl

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// How a Gate learns: as a stochastic policy of acting and thinking on, or what both are worth, Q_halt and Q_continue, from
// what followed in the rollout (td) or from what copies of the world brought that acted after other numbers of segments.
const (
	LearnPPO      = "ppo"
	LearnTD       = "td"
	LearnBranches = "branches"
)

var gateLearners = []string{LearnPPO, LearnTD, LearnBranches}

// A GateConfig says how it is learned when to stop thinking.
type GateConfig struct {
	SweepConfig         // of a Gate the zero values of Horizon, Epochs and Batch mean 16, 4 and 1024
	Learn       string  `json:"learn" toml:"learn"`       // one of the constants; "" means LearnPPO
	Price       float64 `json:"price" toml:"price"`       // of a segment, in units of return
	Lambda      float64 `json:"lambda" toml:"lambda"`     // of the advantages, and of LearnTD's returns; 0 means 0.95
	Clip        float64 `json:"clip" toml:"clip"`         // of the ratio, of LearnPPO; 0 means 0.2
	Entropy     float64 `json:"entropy" toml:"entropy"`   // of LearnPPO: weight of the entropy, which falls to a tenth; 0 means 0.01, negative none
	Together    bool    `json:"together" toml:"together"` // the policy learns on, by PPO, in turn with the gate

	// Of the others:
	Explore    float64 `json:"explore" toml:"explore"`       // chance that a decision takes a number of segments drawn evenly, to which it falls from 1 over the first half; 0 means 0.1, negative none
	Branched   float64 `json:"branched" toml:"branched"`     // share of the rows that are branched in an update, at one of its steps, of LearnBranches; 0 means 0.25
	Difference bool    `json:"difference" toml:"difference"` // only Q_continue - Q_halt is learned, of LearnBranches
}

func (c GateConfig) withDefaults() GateConfig {
	if !c.filled {
		or(&c.Horizon, 16)
		or(&c.Epochs, 4)
		or(&c.Batch, 1024)
		or(&c.Lambda, 0.95)
		or(&c.Clip, 0.2)
		or(&c.Entropy, 0.01)
		or(&c.Explore, 0.1)
		or(&c.Branched, 0.25)
	}
	c.SweepConfig = c.SweepConfig.withDefaults()
	c.Learn, c.Entropy, c.Explore = cmp.Or(c.Learn, LearnPPO), max(0, c.Entropy), max(0, c.Explore)
	return c
}

// Check reports every problem of c at once.
func (c GateConfig) Check() error {
	c = c.withDefaults()
	bad := problems.List{c.SweepConfig.Check()}
	bad.Add(!slices.Contains(gateLearners, c.Learn), "learn", "%q, want one of %s", c.Learn, strings.Join(gateLearners, ", "))
	bad.Add(!(c.Explore <= 1), "explore", "%v, want 0 to 1", c.Explore)
	bad.Add(!(c.Branched > 0 && c.Branched <= 1), "branched", "%v, want more than 0, at most 1", c.Branched)
	bad.Add(c.Difference && c.Learn != LearnBranches, "difference", "true, want false unless learned by %s", LearnBranches)
	bad.Add(!(c.Price >= 0 && c.Price <= 1), "price", "%v, want 0 to 1", c.Price)
	bad.Add(!(c.Lambda >= 0 && c.Lambda <= 1), "lambda", "%v, want 0 to 1", c.Lambda)
	bad.Add(!(c.Clip > 0), "clip", "%v, want more than 0", c.Clip)
	bad.Add(c.EMA != 0, "ema", "%v, want 0: a gate has none", c.EMA)
	bad.Add(c.Sequences, "sequences", "true, want false: a gate learns from single thoughts")
	return bad.Err()
}

// A Gate decides after every segment whether to act now or to think on. Both are actions of a small
// decision process within a step of the environment (docs/halting.md): thinking on costs the price of a
// segment, acting brings what the environment gives. It reads what the heads read, and how the thought
// goes: see features.
type Gate struct {
	params *torch.Params
	q      head // what acting and thinking on are worth; of LearnPPO preferences for them
	value  head // the return to come, prices paid
	width  int  // of the features
}

// gateMargin is by how much a gate that has learned nothing prefers to think on: it does so with a
// chance of 3/4, so that long thoughts are tried.
const gateMargin = 1.1

// NewGate makes a gate for n, which acts in worlds of spec, initialised from seed.
func NewGate(n Network, spec env.Spec, seed uint64) (*Gate, error) {
	g := &Gate{params: torch.NewParams(n.Params().Device())}
	gen := torch.NewGenerator(seed)
	defer gen.Close()
	var bad error
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		x, err := n.Encode(s, make([]byte, spec.ObsLen), 1)
		if err != nil {
			bad = err
			return
		}
		z := n.Start(s, 1)
		read := n.Heads(s, x, z).Read
		if read == nil {
			bad = errors.New("a gate for a network whose heads do not tell what they read")
			return
		}
		g.width = int(read.Numel()) + len(z) + 2
		b := &builder{s: s, gen: gen, p: g.params}
		g.q, g.value = newHead(b, "gate.q", 2, g.width), newHead(b, "gate.value", 1, g.width)
		torch.Write(g.q.b2, []float32{0, gateMargin})
	})
	if err = errors.Join(bad, err); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// Params are its parameters.
func (g *Gate) Params() *torch.Params { return g.params }

// Close frees the parameters.
func (g *Gate) Close() { g.params.Close() }

// features are what the gate reads after a segment, [rows, width]: what the heads read; the logarithm
// (base 10) of how far each level of the state moved, root mean square; the entropy of the policy; and
// its value. It is all in the state: how many segments were thought is no matter, as each costs the same.
func (g *Gate) features(s *torch.Scope, h Heads, before, after State) *torch.Tensor {
	n := torch.Shape(h.Value)[0]
	parts := []*torch.Tensor{h.Read}
	for i, z := range after {
		d := s.Reshape(s.Own(s.Sub(z, before[i]).Square(false)), n, -1)
		rms := s.ReadFloats(nil, s.Own(d.MeanDim([]int64{1}, false, torch.Float32, false)))
		for k, x := range rms {
			rms[k] = float32(0.5 * math.Log10(float64(x)+1e-12))
		}
		parts = append(parts, torch.From(s, g.params.Device(), rms, n, 1))
	}
	lp := s.Own(h.Logits.LogSoftmax(-1, torch.Float32, false))
	e := s.Own(s.Mul(s.Own(lp.Exp(false)), lp).SumDimIntlist([]int64{-1}, false, torch.Float32, false))
	return s.Cat(1, append(parts, s.Reshape(s.Scale(e, -1), n, 1), s.Reshape(h.Value, n, 1))...)
}

// A gating learns a Gate from the return of a network that does not change.
type gating struct {
	cfg      GateConfig
	net      Network
	gate     *Gate
	actor    *Actor
	thoughts *thoughts
	adam     *torch.Adam
	rng      *rng.Rand
	branches *branches // of LearnBranches
	explore  float64   // chance of a number of segments drawn evenly
	spent    int       // segments of the update, those of branches too
}

// newGating prepares the first rollout of a, whose Config.Segments are the most. more opens worlds like a's, for branches.
func newGating(n Network, g *Gate, a *Actor, cfg GateConfig, seed uint64, more func(rows int) (*env.Vec, error)) (*gating, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	var b *branches
	if cfg.Learn == LearnBranches {
		var err error
		if b, err = newBranches(a, cfg.Branched, more); err != nil {
			return nil, err
		}
	}
	if cfg.Learn != LearnPPO {
		torch.Write(g.q.b2, []float32{0, 0})
	}
	adam, err := newAdam(g.params, policyEps)
	if err != nil {
		return nil, err
	}
	return &gating{
		cfg: cfg, net: n, gate: g, actor: a, adam: adam, rng: rng.Stream(seed, "minibatches"), branches: b,
		thoughts: newThoughts(cfg.Horizon, a.vec.Len(), a.cfg.Segments, g.width),
	}, nil
}

// Close frees the optimiser's state and the worlds of branches.
func (w *gating) Close() {
	w.adam.Close()
	if w.branches != nil {
		w.branches.vec.Close()
	}
}

// Frames is the number of steps of one Update.
func (w *gating) Frames() int { return w.cfg.Horizon * w.actor.vec.Len() }

func (w *gating) optimizer() *torch.Adam { return w.adam }
func (w *gating) average() *torch.EMA    { return nil }
func (w *gating) random() *rng.Rand      { return w.rng }

// Update acts for a rollout and learns from it. done is the share of the run that is over.
func (w *gating) Update(ctx context.Context, done float64) (l Losses, err error) {
	defer agent.Recover(&err, "network", w.net)
	r := w.thoughts
	r.clear()
	w.spent, w.explore = 0, 1-(1-w.cfg.Explore)*min(1, 2*done)
	branched := -1
	if w.branches != nil {
		w.branches.lessons.clear()
		branched = w.rng.IntN(r.steps)
	}
	for t := range r.steps {
		if t == branched {
			if err := w.branch(ctx); err != nil {
				return l, err
			}
		}
		if err := w.decide(t); err != nil {
			return l, err
		}
	}
	defer func() { l.Thought, l.Explore = float64(w.spent), w.explore }()
	if w.branches != nil {
		return w.study(&w.branches.lessons, 1-0.9*done)
	}
	if r.next, err = w.worth(w.actor.vec.Obs, w.actor.state, nil, w.actor.vec.Len()); err != nil {
		return l, err
	}
	r.estimate(w.actor.cfg.Gamma, w.cfg.Lambda, w.cfg.Price)
	if w.cfg.Learn == LearnTD {
		return w.study(r.lessons(w.cfg.Price), 1-0.9*done)
	}
	return w.learn(1 - 0.9*done)
}

// decide lets every row think until the gate lets it act, as decision t.
func (w *gating) decide(t int) error {
	a, r := w.actor, w.thoughts
	v, n := a.vec, a.vec.Len()
	actions := make([]int32, n)
	drawn := w.draw(n)
	var after State
	var bad error
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		x, err := w.net.Encode(s, v.Obs, n)
		if err != nil {
			bad = err
			return
		}
		z := a.from(s, a.state, nil, n)
		d := newDeliberation(s, w.net, x, z, n)
		for m := int32(1); len(d.rows) > 0; m++ {
			d.segment()
			h := w.net.Heads(s, d.x, d.z)
			f := w.gate.features(s, h, d.last, d.z)
			logits, q := s.ReadFloats(nil, h.Logits), s.ReadFloats(nil, w.gate.q.apply(s, f))
			first := len(r.values)
			forced := int(m) == a.cfg.Segments
			r.features, r.values = append(r.features, s.ReadFloats(nil, f)...), append(r.values, w.values(s, f, q, forced)...)
			k := len(logits) / len(d.rows)
			j := 0 // in the order of d.rows, as leave asks
			w.spent += len(d.rows)
			d.leave(func(i int) bool {
				stops, lp := w.halts(q[2*j:2*j+2], m, drawn, i)
				halts := forced || stops
				r.halt, r.forced, r.logProb = append(r.halt, halts), append(r.forced, forced), append(r.logProb, lp)
				r.at[(t*n+i)*r.most+int(m)-1] = int32(first + j)
				if halts {
					a.segments[i] = m
					actions[i], _ = a.choose(logits[j*k : (j+1)*k])
				}
				j++
				return halts
			})
		}
		z, _ = d.results()
		after = z.keep(s)
	})
	if err = errors.Join(bad, err); err != nil {
		return err
	}
	copy(r.segments[t*n:], a.segments)
	final := func(rows []int) ([]float32, error) {
		values, err := w.worth(rowsOf(v.Final, rows, v.Spec().ObsLen), after, rows, len(rows))
		for i := range values {
			values[i] -= float32(w.cfg.Price)
		}
		return values, err
	}
	return a.act(actions, after, final, r.rewards[t*n:(t+1)*n], r.done[t*n:(t+1)*n])
}

// worth is the value of the first thought about obs, one of each of n rows, from their states in z; nil
// means all rows. What is thought for that is forgotten.
func (w *gating) worth(obs []byte, z State, rows []int, n int) (values []float32, err error) {
	failed := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		var x Seen
		if x, err = w.net.Encode(s, obs, n); err != nil {
			return
		}
		z := w.actor.from(s, z, rows, n)
		after := w.net.Segment(s, x, z)
		f := w.gate.features(s, w.net.Heads(s, x, after), z, after)
		values = w.values(s, f, s.ReadFloats(nil, w.gate.q.apply(s, f)), w.actor.cfg.Segments == 1)
	})
	return values, errors.Join(err, failed)
}

// learn sweeps over the thoughts. ease is what the weight of the entropy and the rate are multiplied with.
func (w *gating) learn(ease float64) (Losses, error) {
	r := w.thoughts
	n := len(r.values)
	var free []float32
	for i, a := range r.advantages {
		if !r.forced[i] {
			free = append(free, a)
		}
	}
	free = normalised(free, 0)
	advantages, weights := make([]float32, n), make([]float32, n) // 0 where there was no choice
	choices, k := make([]int64, n), 0
	for i := range n {
		if !r.halt[i] {
			choices[i] = 1
		}
		if !r.forced[i] {
			advantages[i], weights[i] = free[k], 1
			k++
		}
	}
	var sum Losses
	count := 0
	for range w.cfg.Epochs {
		for _, ids := range cut(w.rng.Perm(n), w.cfg.Batch) {
			var l Losses
			var err error
			feats := make([]float32, 0, len(ids)*r.width)
			for _, id := range ids {
				feats = append(feats, r.features[id*r.width:(id+1)*r.width]...)
			}
			l.Norm, err = descend(w.gate.params, w.adam, w.cfg.LR*ease, w.cfg.MaxNorm, func() map[string]safetensors.Tensor {
				n, column := int64(len(ids)), []int64{int64(len(ids))}
				return map[string]safetensors.Tensor{
					"features": safetensors.OfFloat32s([]int64{n, int64(r.width)}, feats), "halt": safetensors.OfBools(column, picked(r.halt, ids)),
					"log_prob": safetensors.OfFloat32s(column, picked(r.logProb, ids)), "advantages": safetensors.OfFloat32s(column, picked(advantages, ids)),
					"returns": safetensors.OfFloat32s(column, picked(r.returns, ids)),
				}
			}, func(s *torch.Scope) (*torch.Tensor, error) {
				dev, b := w.gate.params.Device(), int64(len(ids))
				column := func(x []float32) *torch.Tensor { return columnOf(s, dev, x, ids) }
				f := torch.From(s, dev, feats, b, int64(r.width))
				lp := s.Own(w.gate.q.apply(s, f).LogSoftmax(-1, torch.Float32, false))
				took := s.Reshape(s.Own(lp.Gather(-1, torch.From(s, dev, picked(choices, ids), b, 1), false, false)), b)
				old, adv, weight := column(r.logProb), column(advantages), column(weights)
				gain := clipped(s, s.Own(s.Sub(took, old).Exp(false)), adv, w.cfg.Clip)
				value := s.Reshape(w.gate.value.apply(s, f), b)
				miss := mean(s, s.Own(s.Sub(value, column(r.returns)).Square(false)))
				ent := s.Own(s.Mul(s.Own(lp.Exp(false)), lp).SumDimIntlist([]int64{-1}, false, torch.Float32, false))
				ent = s.Scale(mean(s, s.Mul(ent, weight)), -1)
				policy := s.Scale(mean(s, gain), -1)
				l.Loss, l.Value, l.Entropy, l.KL = number(policy), number(miss), number(ent), number(mean(s, s.Mul(s.Sub(old, took), weight)))
				total := s.Add(policy, s.Scale(miss, 0.5))
				if w.cfg.Entropy > 0 {
					total = s.Sub(total, s.Scale(ent, w.cfg.Entropy*ease))
				}
				return total, nil
			})
			if err != nil {
				return sum, err
			}
			sum.add(l, 1)
			count++
		}
	}
	var out Losses
	out.add(sum, 1/float64(count))
	return out, nil
}
