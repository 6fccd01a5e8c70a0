//go:build cgo && !notorch

package rl

import (
	"context"
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch"
)

// An ImitationConfig says how an oracle is imitated.
type ImitationConfig struct {
	SweepConfig
	Oracle string  `json:"oracle" toml:"oracle"` // name of the oracle; "" means the environment's best
	Teach  float64 `json:"teach" toml:"teach"`   // share of the run during which the oracle acts less and less in the agent's place (DAgger); 0 means 0.5
}

func (c ImitationConfig) withDefaults() ImitationConfig {
	if !c.filled {
		or(&c.Teach, 0.5)
	}
	c.SweepConfig = c.SweepConfig.withDefaults()
	return c
}

// Check reports every problem of c at once.
func (c ImitationConfig) Check() error {
	c = c.withDefaults()
	bad := problems.List{c.SweepConfig.Check()}
	bad.Add(!(c.Teach > 0 && c.Teach <= 1), "teach", "%v, want more than 0, at most 1", c.Teach)
	return bad.Err()
}

// An Imitation learns to do what an oracle would do where the agent itself has come to (DAgger: Ross et
// al. 2011, arXiv:1011.0686). At first the oracle acts, later the agent, so that what is learned grows
// where the agent fails.
type Imitation struct {
	*sweep
	cfg ImitationConfig
}

// NewImitation prepares the first rollout of a.
func NewImitation(n Network, a *Actor, cfg ImitationConfig, seed uint64) (*Imitation, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	oracle, err := agent.Advice(a.vec, cfg.Oracle)
	if err != nil {
		return nil, err
	}
	w, err := newSweep(n, a, cfg.SweepConfig, policyEps, seed)
	if err != nil {
		return nil, err
	}
	a.oracle = oracle
	return &Imitation{w, cfg}, nil
}

// Update acts for a rollout and learns from it. done is the share of the run that is over.
func (p *Imitation) Update(ctx context.Context, done float64) (l Losses, err error) {
	defer agent.Recover(&err, "network", p.net)
	p.actor.lead = max(0, 1-done/p.cfg.Teach)
	before, first, err := p.gather(ctx)
	if err != nil {
		return Losses{}, err
	}
	r := p.rollout
	if !slices.ContainsFunc(r.Oracle, func(a int32) bool { return a >= 0 }) {
		return Losses{}, fmt.Errorf("the oracle knew no way in any of %d steps", len(r.Oracle))
	}
	return p.learn(before, first, p.cfg.LR*p.ease(done), func(s *torch.Scope, ids []int, h Heads, m *Losses) *torch.Tensor {
		told := make([]float32, len(r.Oracle)) // 1 where the oracle knew what to do
		n, wanted := 0, slices.Clone(r.Oracle)
		for i := range wanted {
			if wanted[i] >= 0 {
				told[i] = 1
			}
			wanted[i] = max(0, wanted[i])
		}
		for _, i := range ids {
			n += int(told[i])
		}
		lp, likely := p.chosen(s, h, wanted, ids)
		total := s.Scale(s.Sum(s.Mul(likely, p.column(s, told, ids))), -1/float64(max(1, n)))
		m.Loss, m.Entropy = number(total), number(entropy(s, lp))
		return total
	}, nil)
}
