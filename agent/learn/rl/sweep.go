//go:build cgo && !notorch

package rl

import (
	"context"
	"errors"

	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
	"github.com/sugarme/gotch/ts"
)

// A SweepConfig says how what was gathered is learned from, whatever the loss. Zero values are the
// recipe that learns MiniGrid here.
type SweepConfig struct {
	Horizon   int     `json:"horizon" toml:"horizon"`     // steps of a rollout; 0 means 64
	Epochs    int     `json:"epochs" toml:"epochs"`       // passes over a rollout; 0 means 8
	Batch     int     `json:"batch" toml:"batch"`         // decisions of a minibatch; 0 means 256
	LR        float64 `json:"lr" toml:"lr"`               // of Adam; 0 means 1e-3
	Anneal    bool    `json:"anneal" toml:"anneal"`       // LR and the weight of the entropy fall evenly to a tenth over the run
	EMA       float64 `json:"ema" toml:"ema"`             // rate of an average of the weights over steps of Adam, at most (1+n)/(10+n) at the n-th: it is what is examined and saved; 0 for none
	MaxNorm   float64 `json:"max_norm" toml:"max_norm"`   // of the gradient; 0 means 0.5
	Sequences bool    `json:"sequences" toml:"sequences"` // gradients through the whole rollout of a row, as recurrent networks need

	filled bool // see Config.Filled
}

// or fills in what zero values mean.
func or[T int | float64](p *T, v T) {
	if *p == 0 {
		*p = v
	}
}

func (c SweepConfig) withDefaults() SweepConfig {
	if c.filled {
		return c
	}
	c.filled = true
	or(&c.Horizon, 64)
	or(&c.Epochs, 8)
	or(&c.Batch, 256)
	or(&c.LR, 1e-3)
	or(&c.MaxNorm, 0.5)
	return c
}

// Check reports every problem of c at once.
func (c SweepConfig) Check() error {
	c = c.withDefaults()
	var bad problems.List
	bad.Add(c.Horizon < 1 || c.Horizon > 1<<16, "horizon", "%d, want 1 to 65536", c.Horizon)
	bad.Add(c.Epochs < 1 || c.Epochs > 1000, "epochs", "%d, want 1 to 1000", c.Epochs)
	bad.Add(c.Batch < 1, "batch", "%d, want 1 or more", c.Batch)
	bad.Add(!(c.LR > 0 && c.LR <= 1), "lr", "%v, want more than 0, at most 1", c.LR)
	bad.Add(!(c.EMA >= 0 && c.EMA < 1), "ema", "%v, want 0 to less than 1", c.EMA)
	bad.Add(!(c.MaxNorm > 0), "max_norm", "%v, want more than 0", c.MaxNorm)
	return bad.Err()
}

// A sweep gathers a rollout and learns from it in minibatches: the loop of PPO and of imitation.
type sweep struct {
	cfg     SweepConfig
	net     Network
	actor   *Actor
	rollout *Rollout
	adam    *torch.Adam
	ema     *torch.EMA // nil without
	rng     *rng.Rand
}

func newSweep(n Network, a *Actor, cfg SweepConfig, eps float64, seed uint64) (*sweep, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	adam, err := newAdam(n.Params(), eps)
	if err != nil {
		return nil, err
	}
	w := &sweep{
		cfg: cfg, net: n, actor: a, adam: adam, rng: rng.Stream(seed, "minibatches"),
		rollout: NewRollout(cfg.Horizon, a.vec.Len(), a.vec.Spec().ObsLen),
	}
	if cfg.EMA > 0 {
		if w.ema, err = torch.NewEMA(n.Params()); err != nil {
			adam.Close()
			return nil, err
		}
	}
	return w, nil
}

// policyEps is the least root of a second moment that Adam divides by, as everybody's PPO has it.
const policyEps = 1e-5

func newAdam(p *torch.Params, eps float64) (*torch.Adam, error) {
	return torch.NewAdam(p, torch.AdamConfig{Rule: torch.AdamW, Beta1: 0.9, Beta2: 0.999, Eps: eps})
}

// Close frees the optimiser's state.
func (w *sweep) Close() {
	w.adam.Close()
	if w.ema != nil {
		w.ema.Close()
	}
}

func (w *sweep) optimizer() *torch.Adam { return w.adam }
func (w *sweep) average() *torch.EMA    { return w.ema }
func (w *sweep) random() *rng.Rand      { return w.rng }

// Frames is the number of steps of one Update.
func (w *sweep) Frames() int { return w.cfg.Horizon * w.actor.vec.Len() }

// A loss is what a minibatch of decisions ids is to lower, of what the network now says of them; it adds
// what is to be logged to m. enough ends the sweep after the epoch.
type loss func(s *torch.Scope, ids []int, h Heads, m *Losses) *torch.Tensor

// Losses are means over an update's minibatches; a learner fills in those that it has.
type Losses struct{ Loss, Value, Entropy, KL, Norm, Q, Explore, Thought float64 }

func (l *Losses) add(m Losses, f float64) {
	l.Loss += f * m.Loss
	l.Value += f * m.Value
	l.Entropy += f * m.Entropy
	l.KL += f * m.KL
	l.Norm += f * m.Norm
	l.Q += f * m.Q
	l.Explore += f * m.Explore
	l.Thought += f * m.Thought
}

// gather fills the rollout.
func (w *sweep) gather(ctx context.Context) (before, first State, err error) {
	return w.actor.Collect(ctx, w.rollout)
}

// ease is what rates are multiplied with when the share done of the run is over.
func (w *sweep) ease(done float64) float64 {
	if w.cfg.Anneal {
		return 1 - 0.9*done
	}
	return 1
}

// learn sweeps over the rollout, whose states are before and first, and drops them. An epoch after which
// enough says so is the last.
func (w *sweep) learn(before, first State, lr float64, f loss, enough func(epoch Losses) bool) (Losses, error) {
	defer before.drop()
	defer first.drop()
	var sum Losses
	n := 0
	for range w.cfg.Epochs {
		var epoch Losses
		parts := w.minibatches()
		for _, ids := range parts {
			l, err := w.descend(ids, before, first, lr, f)
			if err != nil {
				return sum, err
			}
			sum.add(l, 1)
			epoch.add(l, 1/float64(len(parts)))
			n++
		}
		if enough != nil && enough(epoch) {
			break
		}
	}
	var mean Losses
	mean.add(sum, 1/float64(n))
	return mean, nil
}

// minibatches are the decisions of the rollout, t·rows + row, shuffled and cut; with Sequences rows are,
// and a row's decisions stay together, time outermost.
func (w *sweep) minibatches() [][]int {
	r := w.rollout
	if !w.cfg.Sequences {
		return cut(w.rng.Perm(r.Steps*r.Rows), w.cfg.Batch)
	}
	var all [][]int
	for _, rows := range cut(w.rng.Perm(r.Rows), max(1, w.cfg.Batch/r.Steps)) {
		ids := make([]int, 0, r.Steps*len(rows))
		for t := range r.Steps {
			for _, i := range rows {
				ids = append(ids, t*r.Rows+i)
			}
		}
		all = append(all, ids)
	}
	return all
}

// cut cuts ids into parts of n, the last one perhaps shorter.
func cut(ids []int, n int) (parts [][]int) {
	for ; len(ids) > n; ids = ids[n:] {
		parts = append(parts, ids[:n])
	}
	return append(parts, ids)
}

// descend moves the parameters by one minibatch.
func (w *sweep) descend(ids []int, before, first State, lr float64, f loss) (l Losses, err error) {
	r := w.rollout
	l.Norm, err = descend(w.net.Params(), w.adam, lr, w.cfg.MaxNorm, w.batch(r, ids), func(s *torch.Scope) (*torch.Tensor, error) {
		var h Heads
		var err error
		if w.cfg.Sequences {
			rows := len(ids) / r.Steps
			h, err = w.unroll(s, &r.Decisions, ids, rows, first.pick(s, w.index(s, ids[:rows]))) // step 0 has their numbers
		} else {
			h, err = w.last(s, ids, before)
		}
		if err != nil {
			return nil, err
		}
		return f(s, ids, h, &l), nil
	})
	if err == nil && w.ema != nil {
		w.ema.Update(torch.WarmEMA(w.cfg.EMA, w.adam.Steps()))
	}
	return l, err
}

// batch is what the decisions ids of r are learned from, for a run that diverges.
func (w *sweep) batch(r *Rollout, ids []int) func() map[string]safetensors.Tensor {
	return func() map[string]safetensors.Tensor {
		out := r.Decisions.batch(ids, w.obsLen())
		for name, x := range map[string][]float32{"log_prob": r.LogProb, "values": r.Values, "rewards": r.Rewards, "advantages": r.Advantages, "returns": r.Returns} {
			out[name] = safetensors.OfFloat32s([]int64{int64(len(ids))}, picked(x, ids))
		}
		return out
	}
}

func (w *sweep) obsLen() int { return w.actor.vec.Spec().ObsLen }

// index is ids as a tensor.
func (w *sweep) index(s *torch.Scope, ids []int) *torch.Tensor {
	x := make([]int64, len(ids))
	for i, k := range ids {
		x[i] = int64(k)
	}
	return torch.From(s, w.net.Params().Device(), x, int64(len(x)))
}

// last recomputes the last segment of the decisions ids.
func (w *sweep) last(s *torch.Scope, ids []int, before State) (Heads, error) {
	x, err := w.net.Encode(s, rowsOf(w.rollout.Obs, ids, w.obsLen()), len(ids))
	if err != nil {
		return Heads{}, err
	}
	return w.net.Heads(s, x, w.net.Segment(s, x, before.pick(s, w.index(s, ids)))), nil
}

// unroll recomputes whole sequences of decisions, ids [steps·rows] with time outermost, from their first
// states z, with gradients through all of it; a row whose episode begins starts afresh.
func (w *sweep) unroll(s *torch.Scope, d *Decisions, ids []int, rows int, z State) (Heads, error) {
	dev := w.net.Params().Device()
	fresh, segments := make([]bool, rows), make([]int32, rows)
	all, err := w.net.Encode(s, rowsOf(d.Obs, ids, w.obsLen()), len(ids))
	if err != nil {
		return Heads{}, err
	}
	var states []State
	for t := range len(ids) / rows {
		x := all.narrow(s, t*rows, rows)
		begins := false
		for i, k := range ids[t*rows : (t+1)*rows] {
			fresh[i], segments[i] = d.Fresh[k] || w.actor.cfg.Reset, d.Segments[k]
			begins = begins || fresh[i]
		}
		if begins {
			z = w.net.Start(s, rows).where(s, mask(s, dev, fresh), z)
		}
		z, _ = deliberate(s, w.net, x, z, segments)
		states = append(states, z)
	}
	return w.net.Heads(s, all, join(s, states)), nil
}

// column is the entries ids of x.
func (w *sweep) column(s *torch.Scope, x []float32, ids []int) *torch.Tensor {
	return columnOf(s, w.net.Params().Device(), x, ids)
}

func columnOf(s *torch.Scope, dev torch.Device, x []float32, ids []int) *torch.Tensor {
	return torch.From(s, dev, picked(x, ids), int64(len(ids)))
}

// clipped is PPO's gain: ratio times advantage, and no more than with the ratio within clip of 1.
func clipped(s *torch.Scope, ratio, advantage *torch.Tensor, clip float64) *torch.Tensor {
	return s.Own(s.Mul(ratio, advantage).Minimum(s.Mul(clamp(s, ratio, 1-clip, 1+clip), advantage), false))
}

// chosen is the log-probability of every action, and of those taken.
func (w *sweep) chosen(s *torch.Scope, h Heads, actions []int32, ids []int) (all, taken *torch.Tensor) {
	all = s.Own(h.Logits.LogSoftmax(-1, torch.Float32, false))
	return all, w.taken(s, all, actions, ids)
}

// taken is what all [n, actions] has of the actions of the decisions ids.
func (w *sweep) taken(s *torch.Scope, all *torch.Tensor, actions []int32, ids []int) *torch.Tensor {
	n := int64(len(ids))
	a := make([]int64, n)
	for i, k := range ids {
		a[i] = int64(actions[k])
	}
	return s.Reshape(s.Own(all.Gather(-1, torch.From(s, w.net.Params().Device(), a, n, 1), false, false)), n)
}

// mean is the mean of x [n].
func mean(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	return s.Scale(s.Sum(x), 1/float64(torch.Shape(x)[0]))
}

// entropy is the mean entropy of the policies whose log-probabilities are lp [n, actions].
func entropy(s *torch.Scope, lp *torch.Tensor) *torch.Tensor {
	return s.Scale(s.Sum(s.Mul(s.Own(lp.Exp(false)), lp)), -1/float64(torch.Shape(lp)[0]))
}

// descend moves the trained parameters down the loss that f computes of a batch, the gradient cut to
// maxNorm, and returns the norm it had.
func descend(params *torch.Params, adam *torch.Adam, lr, maxNorm float64, batch func() map[string]safetensors.Tensor, f func(s *torch.Scope) (*torch.Tensor, error)) (norm float64, err error) {
	failed := torch.Do(torch.Grad, func(s *torch.Scope) {
		var loss *torch.Tensor
		if loss, err = f(s); err != nil {
			return
		}
		if err = run.CheckFinite("loss", number(loss), batch); err != nil {
			return
		}
		_, trained := params.Trained()
		grads := s.Gradients(loss, trained)
		norm = s.Norm(grads)
		if err = run.CheckFinite("gradient", norm, batch); err != nil {
			return
		}
		adam.Step(grads, lr, min(1, maxNorm/norm))
	})
	return norm, errors.Join(err, failed)
}

func clamp(s *torch.Scope, x *torch.Tensor, lo, hi float64) *torch.Tensor {
	a, b := ts.FloatScalar(lo), ts.FloatScalar(hi)
	defer a.Drop()
	defer b.Drop()
	return s.Own(x.Clamp(a, b, false))
}

func number(x *torch.Tensor) float64 { return torch.Read[float64](nil, x)[0] }
