//go:build cgo && !notorch

package rl

import (
	"context"
	"errors"
	"strings"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A DQNConfig says how Q-values are learned.
type DQNConfig struct {
	// Of a DQN the zero values of Horizon, Batch, LR and MaxNorm mean 8, 64, 5e-4 and 10. Epochs is how often a
	// decision is learned from in the mean; Sequences learns from Length decisions in a row instead of single ones.
	SweepConfig
	Steps      int     `json:"steps" toml:"steps"`             // rewards of a return, before a Q-value stands for the rest; 0 means 5
	Replay     int     `json:"replay" toml:"replay"`           // decisions that are remembered; 0 means 50,000
	Warmup     int     `json:"warmup" toml:"warmup"`           // of them, before the first is learned from; 0 means 1000
	Target     float64 `json:"target" toml:"target"`           // share of the way that the target network goes with each minibatch; 0 means 0.01
	Explore    float64 `json:"explore" toml:"explore"`         // chance of an action drawn evenly, to which it falls from 1; 0 means 0.05, negative 0
	ExploreFor float64 `json:"explore_for" toml:"explore_for"` // share of the run in which it falls; 0 means 0.5
	Length     int     `json:"length" toml:"length"`           // decisions of a sequence; 0 means 16
	BurnIn     int     `json:"burn_in" toml:"burn_in"`         // first of them, which only bring the state up to date; 0 means 4, negative none
}

func (c DQNConfig) withDefaults() DQNConfig {
	if !c.filled {
		or(&c.Horizon, 8)
		or(&c.Batch, 64)
		or(&c.LR, 5e-4)
		or(&c.MaxNorm, 10)
		or(&c.Steps, 5)
		or(&c.Replay, 50_000)
		or(&c.Warmup, 1000)
		or(&c.Target, 0.01)
		or(&c.Explore, 0.05)
		or(&c.ExploreFor, 0.5)
		or(&c.Length, 16)
		or(&c.BurnIn, 4)
	}
	c.SweepConfig = c.SweepConfig.withDefaults()
	c.Explore, c.BurnIn = max(0, c.Explore), max(0, c.BurnIn)
	return c
}

// Check reports every problem of c at once.
func (c DQNConfig) Check() error {
	c = c.withDefaults()
	bad := problems.List{c.SweepConfig.Check()}
	bad.Add(c.EMA != 0, "ema", "%v, want 0: a DQN has its target network", c.EMA)
	bad.Add(c.Steps < 1 || c.Steps > 1000, "steps", "%d, want 1 to 1000", c.Steps)
	bad.Add(c.Replay < 1 || c.Replay > 1<<26, "replay", "%d, want 1 to %d", c.Replay, 1<<26)
	bad.Add(c.Warmup < 1 || c.Warmup > c.Replay, "warmup", "%d, want 1 to the %d of replay", c.Warmup, c.Replay)
	bad.Add(!(c.Target > 0 && c.Target <= 1), "target", "%v, want more than 0, at most 1", c.Target)
	bad.Add(!(c.Explore <= 1), "explore", "%v, want 0 to 1", c.Explore)
	bad.Add(!(c.ExploreFor > 0 && c.ExploreFor <= 1), "explore_for", "%v, want more than 0, at most 1", c.ExploreFor)
	bad.Add(c.Length < 1 || c.Length > 1<<16, "length", "%d, want 1 to 65536", c.Length)
	bad.Add(c.BurnIn >= c.Length, "burn_in", "%d, want less than the length, %d", c.BurnIn, c.Length)
	return bad.Err()
}

// fits reports whether enough is remembered of so many environments.
func (c DQNConfig) fits(rows int) error {
	c = c.withDefaults()
	length := 1
	if c.Sequences {
		length = c.Length
	}
	var bad problems.List
	least := 4 * rows * (c.Steps + max(c.Horizon, length))
	bad.Add(c.Replay < least, "replay", "%d, want %d or more for %d environments", c.Replay, least, rows)
	return bad.Err()
}

// A DQN learns what every action is worth from all that it remembers having done: double Q-learning (van
// Hasselt et al. 2016, arXiv:1509.06461) with n-step returns. Q-values are made of both heads, as duelling
// networks have it (arXiv:1511.06581, equation 9): Q(a) = value + logit(a) - the mean of the logits.
//
// The state that a decision began with is remembered with it, and thought goes on from there. With
// Sequences gradients go through Length decisions in a row, of which the first BurnIn only bring that state
// up to date (R2D2: Kapturowski et al. 2019).
type DQN struct {
	*sweep
	cfg    DQNConfig
	memory *replay
	target *torch.EMA
	shapes [][]int64 // of the parts of a row's state
}

// NewDQN prepares the first rollout of a.
func NewDQN(n Network, a *Actor, cfg DQNConfig, seed uint64) (*DQN, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	rows := a.vec.Len()
	if err := cfg.fits(rows); err != nil {
		return nil, err
	}
	// Errors of Q-values are as small as rewards and bonuses are: at a hundredth, the gradient of most parameters
	// is under PPO's eps.
	w, err := newSweep(n, a, cfg.SweepConfig, 1e-8, seed)
	if err != nil {
		return nil, err
	}
	p := &DQN{sweep: w, cfg: cfg}
	var widths []int
	for _, z := range a.state {
		p.shapes = append(p.shapes, torch.Shape(z)[1:])
		widths = append(widths, int(z.Numel())/rows)
	}
	p.memory = newReplay(cfg.Replay, rows, w.obsLen(), widths, cfg.Steps, a.cfg.Gamma)
	if p.target, err = torch.NewEMA(n.Params()); err != nil {
		w.Close()
		return nil, err
	}
	a.cfg.Greedy, a.keeps = true, true
	return p, nil
}

// Close frees the optimiser's state and the target network.
func (p *DQN) Close() {
	p.target.Close()
	p.sweep.Close()
}

// Update acts for a rollout and learns from what is remembered. done is the share of the run that is over.
func (p *DQN) Update(ctx context.Context, done float64) (sum Losses, err error) {
	defer agent.Recover(&err, "network", p.net)
	p.actor.explore = 1 - (1-p.cfg.Explore)*min(1, done/p.cfg.ExploreFor)
	sum.Explore = p.actor.explore
	begin, first, err := p.gather(ctx)
	if err != nil {
		return sum, err
	}
	first.drop()
	defer begin.drop()
	if err := torch.Do(torch.NoGrad, func(s *torch.Scope) { p.memory.add(p.rollout, begin.floats(s)) }); err != nil {
		return sum, err
	}
	if p.memory.size < p.cfg.Warmup {
		return sum, nil
	}
	if p.adam.Steps() == 0 { // the weights may have come from elsewhere
		p.target.Update(0)
	}
	rows, length := p.cfg.Batch, 1
	if p.cfg.Sequences {
		length = p.cfg.Length
		rows = max(1, p.cfg.Batch/length)
	}
	n := max(1, p.cfg.Epochs*p.Frames()/(rows*length))
	for range n {
		ids, ok := p.draw(rows, length)
		if !ok {
			return sum, nil // nothing that long is remembered yet
		}
		l, err := p.learnFrom(ids, rows, p.cfg.LR*p.ease(done))
		if err != nil {
			return sum, err
		}
		sum.add(l, 1/float64(n))
		p.target.Update(1 - p.cfg.Target)
	}
	return sum, nil
}

// draw draws rows sequences of decisions, time outermost.
func (p *DQN) draw(rows, length int) (ids []int, ok bool) {
	ids = make([]int, rows*length)
	var row []int
	for i := range rows {
		if row, ok = p.memory.draw(p.rng.IntN, row[:0], length); !ok {
			return nil, false
		}
		for t, k := range row {
			ids[t*rows+i] = k
		}
	}
	return ids, true
}

// learnFrom moves the parameters by one minibatch.
func (p *DQN) learnFrom(ids []int, rows int, lr float64) (l Losses, err error) {
	burn := 0
	if p.cfg.Sequences {
		burn = p.cfg.BurnIn * rows
	}
	learned := ids[burn:]
	returns, err := p.returns(learned)
	if err != nil {
		return l, err
	}
	l.Norm, err = descend(p.net.Params(), p.adam, lr, p.cfg.MaxNorm, func() map[string]safetensors.Tensor {
		out := p.memory.batch(ids, p.obsLen())
		out["returns"] = safetensors.OfFloat32s([]int64{int64(len(returns))}, returns) // of the last so many
		return out
	}, func(s *torch.Scope) (*torch.Tensor, error) {
		var h Heads
		var err error
		if p.cfg.Sequences {
			if h, err = p.unroll(s, &p.memory.Decisions, ids, rows, p.begin(s, ids[:rows])); err == nil {
				h = Heads{Logits: s.Narrow(h.Logits, 0, int64(burn), int64(len(learned))), Value: s.Narrow(h.Value, 0, int64(burn), int64(len(learned)))}
			}
		} else {
			h, err = p.think(s, ids)
		}
		if err != nil {
			return nil, err
		}
		q := p.taken(s, qOf(s, h), p.memory.Actions, learned)
		want := torch.From(s, p.net.Params().Device(), returns, int64(len(returns)))
		miss := s.Own(q.SmoothL1Loss(want, 1, 1, false)) // reduction 1: the mean
		l.Loss, l.Q = number(miss), number(mean(s, q))
		return miss, nil
	})
	return l, err
}

// returns are what the Q-values of the decisions ids are to become: their rewards, and what the target
// network says that follows, of the action that the network itself would take there.
func (p *DQN) returns(ids []int) ([]float32, error) {
	next := make([]int, len(ids))
	for i, k := range ids {
		next[i] = int(p.memory.next[k])
	}
	ours, err := p.qs(next)
	if err != nil {
		return nil, err
	}
	if err := p.target.Swap(); err != nil {
		return nil, err
	}
	theirs, err := p.qs(next)
	if err := errors.Join(err, p.target.Swap()); err != nil {
		return nil, err
	}
	out, actions := make([]float32, len(ids)), len(ours)/len(ids)
	for i, k := range ids {
		best := likeliest(ours[i*actions : (i+1)*actions])
		out[i] = p.memory.rewards[k] + p.memory.discount[k]*theirs[i*actions+int(best)]
	}
	return out, nil
}

// qs are the Q-values in the slots ids, [len(ids)][actions].
func (p *DQN) qs(ids []int) (q []float32, err error) {
	failed := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		var h Heads
		if h, err = p.think(s, ids); err == nil {
			q = s.ReadFloats(nil, qOf(s, h))
		}
	})
	return q, errors.Join(err, failed)
}

// think thinks about the slots ids as long as was thought about them, with gradients of the last segment.
func (p *DQN) think(s *torch.Scope, ids []int) (Heads, error) {
	x, err := p.net.Encode(s, rowsOf(p.memory.Obs, ids, p.obsLen()), len(ids))
	if err != nil {
		return Heads{}, err
	}
	segments := make([]int32, len(ids))
	for i, k := range ids {
		segments[i] = p.memory.Segments[k]
	}
	z := p.begin(s, ids)
	s.Do(torch.NoGrad, func(in *torch.Scope) {
		_, before := deliberate(in, p.net, x, z, segments)
		for i, t := range before {
			z[i] = s.Clone(t, p.net.Params().Device())
		}
	})
	return p.net.Heads(s, x, p.net.Segment(s, x, z)), nil
}

// begin is the states that the decisions ids began with.
func (p *DQN) begin(s *torch.Scope, ids []int) State {
	z := make(State, len(p.shapes))
	for part, shape := range p.shapes {
		all := p.memory.states[part]
		w := len(all) / p.memory.slots()
		x := make([]float32, 0, len(ids)*w)
		for _, k := range ids {
			x = append(x, all[k*w:(k+1)*w]...)
		}
		z[part] = torch.From(s, p.net.Params().Device(), x, append([]int64{int64(len(ids))}, shape...)...)
	}
	return z
}

// qOf is the Q-values [rows, actions] of heads.
func qOf(s *torch.Scope, h Heads) *torch.Tensor {
	mean := s.Own(h.Logits.MeanDim([]int64{-1}, true, torch.Float32, false))
	return s.Add(s.Sub(h.Logits, mean), s.Reshape(h.Value, -1, 1))
}

// targetPrefix begins the names of the target network's parameters in a checkpoint.
const targetPrefix = "target."

// save adds the target network and what is remembered to tensors.
func (p *DQN) save(tensors map[string]safetensors.Tensor) error {
	p.memory.save(tensors)
	return p.saveTarget(tensors)
}

func (p *DQN) saveTarget(tensors map[string]safetensors.Tensor) error {
	target, err := p.target.Save()
	for name, t := range target {
		tensors[targetPrefix+name] = t
	}
	return err
}

// load restores what save added.
func (p *DQN) load(tensors map[string]safetensors.Tensor) error {
	return errors.Join(p.loadTarget(tensors), p.memory.load(tensors))
}

func (p *DQN) loadTarget(tensors map[string]safetensors.Tensor) error {
	target := map[string]safetensors.Tensor{}
	for name, t := range tensors {
		if name, ok := strings.CutPrefix(name, targetPrefix); ok {
			target[name] = t
		}
	}
	return p.target.Load(target)
}
