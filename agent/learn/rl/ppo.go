//go:build cgo && !notorch

package rl

import (
	"context"
	"math"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch"
)

// A PPOConfig says how PPO learns.
type PPOConfig struct {
	SweepConfig
	Lambda    float64 `json:"lambda" toml:"lambda"`         // of the advantages; 0 means 0.95
	Clip      float64 `json:"clip" toml:"clip"`             // of the ratio; 0 means 0.2
	ValueClip float64 `json:"value_clip" toml:"value_clip"` // of the value's change; 0 means none
	Value     float64 `json:"value" toml:"value"`           // weight of the value's loss; 0 means 0.5
	Entropy   float64 `json:"entropy" toml:"entropy"`       // weight of the entropy; 0 means 0.01, negative none
	KLStop    float64 `json:"kl_stop" toml:"kl_stop"`       // end the epochs when the policy has moved so far; 0 means never
	Floor     float64 `json:"floor" toml:"floor"`           // least standard deviation that advantages are divided by: where nothing was earned theirs is noise; 0 means any
}

func (c PPOConfig) withDefaults() PPOConfig {
	if !c.filled {
		or(&c.Lambda, 0.95)
		or(&c.Clip, 0.2)
		or(&c.Value, 0.5)
		or(&c.Entropy, 0.01)
	}
	c.SweepConfig, c.Entropy = c.SweepConfig.withDefaults(), max(0, c.Entropy)
	return c
}

// Check reports every problem of c at once.
func (c PPOConfig) Check() error {
	c = c.withDefaults()
	bad := problems.List{c.SweepConfig.Check()}
	bad.Add(!(c.Lambda >= 0 && c.Lambda <= 1), "lambda", "%v, want 0 to 1", c.Lambda)
	bad.Add(!(c.Clip > 0), "clip", "%v, want more than 0", c.Clip)
	bad.Add(!(c.ValueClip >= 0), "value_clip", "%v, want 0 or more", c.ValueClip)
	bad.Add(!(c.KLStop >= 0), "kl_stop", "%v, want 0 or more", c.KLStop)
	bad.Add(!(c.Floor >= 0), "floor", "%v, want 0 or more", c.Floor)
	return bad.Err()
}

// A PPO learns a policy from its own actions.
type PPO struct {
	*sweep
	cfg PPOConfig
}

// NewPPO prepares the first rollout of a.
func NewPPO(n Network, a *Actor, cfg PPOConfig, seed uint64) (*PPO, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	w, err := newSweep(n, a, cfg.SweepConfig, policyEps, seed)
	return &PPO{w, cfg}, err
}

// Update acts for a rollout and learns from it. done is the share of the run that is over.
func (p *PPO) Update(ctx context.Context, done float64) (l Losses, err error) {
	defer agent.Recover(&err, "network", p.net)
	before, first, err := p.gather(ctx)
	if err != nil {
		return Losses{}, err
	}
	r := p.rollout
	r.Estimate(p.actor.cfg.Gamma, p.cfg.Lambda)
	advantages, ease := normalised(r.Advantages, p.cfg.Floor), p.ease(done)
	return p.learn(before, first, p.cfg.LR*ease, func(s *torch.Scope, ids []int, h Heads, m *Losses) *torch.Tensor {
		lp, taken := p.chosen(s, h, r.Actions, ids)
		old, adv := p.column(s, r.LogProb, ids), p.column(s, advantages, ids)
		moved := s.Sub(taken, old)
		gain := clipped(s, s.Own(moved.Exp(false)), adv, p.cfg.Clip)
		returns := p.column(s, r.Returns, ids)
		miss := s.Own(s.Sub(h.Value, returns).Square(false))
		if c := p.cfg.ValueClip; c > 0 {
			was := p.column(s, r.Values, ids)
			near := s.Add(was, clamp(s, s.Sub(h.Value, was), -c, c))
			miss = s.Own(miss.Maximum(s.Own(s.Sub(near, returns).Square(false)), false))
		}
		policy, value, ent := s.Scale(mean(s, gain), -1), mean(s, miss), entropy(s, lp)
		m.Loss, m.Value, m.Entropy, m.KL = number(policy), number(value), number(ent), -number(mean(s, moved))
		total := s.Add(policy, s.Scale(value, p.cfg.Value))
		if p.cfg.Entropy > 0 {
			total = s.Sub(total, s.Scale(ent, p.cfg.Entropy*ease))
		}
		return total
	}, func(epoch Losses) bool { return p.cfg.KLStop > 0 && epoch.KL > p.cfg.KLStop })
}

// normalised is x less its mean, over its standard deviation or, if that is less, floor.
func normalised(x []float32, floor float64) []float32 {
	mean, square := 0.0, 0.0
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	for _, v := range x {
		square += (float64(v) - mean) * (float64(v) - mean) / float64(len(x))
	}
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32((float64(v) - mean) / max(math.Sqrt(square)+1e-8, floor))
	}
	return out
}
