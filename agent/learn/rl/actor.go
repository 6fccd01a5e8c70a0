//go:build cgo && !notorch

package rl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch"
)

// An ActorConfig says how experience is gathered.
type ActorConfig struct {
	Segments int         `json:"segments" toml:"segments"` // every decision takes 1 to Segments while learning, drawn evenly; 0 means 1
	Fixed    bool        `json:"fixed" toml:"fixed"`       // it always takes Segments
	Reset    bool        `json:"reset" toml:"reset"`       // start every decision afresh instead of where the last one ended
	Greedy   bool        `json:"greedy" toml:"greedy"`     // it does what is likeliest, and does not draw
	Bonus    BonusConfig `json:"bonus" toml:"bonus"`       //
	Gamma    float64     `json:"gamma" toml:"gamma"`       // discount; 0 means 0.99

	// MaxSteps is after how many steps an episode is cut off; 0 means where its environment does. The first of every row is
	// cut off sooner, so that rows are in different parts of their episodes: after a first, second, ... part of it.
	MaxSteps int `json:"max_steps" toml:"max_steps"`

	filled bool // see Config.Filled
}

func (c ActorConfig) withDefaults() ActorConfig {
	if !c.filled {
		or(&c.Segments, 1)
		or(&c.Gamma, 0.99)
		or(&c.Bonus.Fade, defaultFade)
	}
	c.filled, c.Bonus.Kind = true, cmp.Or(c.Bonus.Kind, KindFirst)
	return c
}

// Check reports every problem of c at once.
func (c ActorConfig) Check() error {
	c = c.withDefaults()
	var bad problems.List
	bad.Add(c.Segments < 1 || c.Segments > 1024, "segments", "%d, want 1 to 1024", c.Segments)
	bad.Add(!(c.Gamma >= 0 && c.Gamma <= 1), "gamma", "%v, want 0 to 1", c.Gamma)
	bad.Add(c.MaxSteps < 0, "max_steps", "%d, want 0 or more", c.MaxSteps)
	bad.In("bonus", c.Bonus.Check())
	bad.Add(c.Bonus.Fade == 0, "bonus.fade", "0, want more than 0")
	return bad.Err()
}

// An Episode is what came of one. Return is without bonuses.
type Episode struct {
	Return   float64 `json:"return"`
	Success  bool    `json:"success"` // terminated with a positive reward
	Length   int     `json:"length"`
	Segments int     `json:"segments"`
	Bonus    float64 `json:"bonus,omitempty"` // what bonuses added
	Limit    int     `json:"limit,omitempty"` // of Length, where it is cut off; 0 for none
}

// An Actor lets a network act in a Vec and fills rollouts. Its rows go on from one rollout to the next.
type Actor struct {
	cfg   ActorConfig
	net   Network
	vec   *env.Vec
	rng   *rng.Rand
	bonus *bonus
	state State     // of the rows, kept
	now   []Episode // of the rows
	ended []Episode

	oracle agent.Policy // says what to do, where it is imitated; nil without
	lead   float64      // chance that the oracle acts in the agent's place

	explore float64 // chance of an action drawn evenly
	keeps   bool    // rollouts are to be learned from later: see Collect

	segments []int32
	logits   []float32
	values   []float32
}

// NewActor begins an episode in every row of v, which it steps from now on; v resets in the same step.
func NewActor(n Network, v *env.Vec, cfg ActorConfig, seed uint64) (*Actor, error) {
	if v.Config().Autoreset != env.SameStep {
		return nil, fmt.Errorf("actor: a Vec in mode %v, want %v", v.Config().Autoreset, env.SameStep)
	}
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("actor: %w", err)
	}
	cfg = cfg.withDefaults()
	a := &Actor{
		cfg: cfg, net: n, vec: v, rng: rng.Stream(seed, "act"), bonus: newBonus(cfg.Bonus, v.Spec(), v.Len()),
		now: make([]Episode, v.Len()), segments: make([]int32, v.Len()),
	}
	for i := range a.now {
		a.now[i].Limit = (cfg.MaxSteps*(i+1) + v.Len() - 1) / v.Len()
	}
	v.Reset(seed)
	if err := fits(n, v); err != nil {
		return nil, err
	}
	return a, torch.Do(torch.NoGrad, func(s *torch.Scope) { a.state = n.Start(s, v.Len()).keep(s) })
}

// fits lets n think once about what the rows of v see, and reports what will not do for it.
func fits(n Network, v *env.Vec) (err error) {
	defer agent.Recover(&err, "network", n)
	rows := int64(v.Len())
	failed := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		var x Seen
		if x, err = n.Encode(s, v.Obs, v.Len()); err != nil {
			return
		}
		first := n.Start(s, v.Len())
		z := n.Segment(s, x, first)
		h := n.Heads(s, x, z)
		shapes := func(z State) (all [][]int64) {
			for _, t := range z {
				all = append(all, torch.Shape(t))
			}
			return all
		}
		for _, of := range []struct {
			what      string
			got, want [][]int64
		}{
			{"logits", shapes(State{h.Logits}), [][]int64{{rows, int64(len(v.Spec().Actions))}}},
			{"values", shapes(State{h.Value}), [][]int64{{rows}}},
			{"a state after a segment", shapes(z), shapes(first)},
		} {
			if fmt.Sprint(of.got) != fmt.Sprint(of.want) {
				err = fmt.Errorf("%s of shape %v, want %v", of.what, of.got, of.want)
				return
			}
		}
	})
	if err = errors.Join(err, failed); err != nil {
		err = fmt.Errorf("network %T does not fit %s: %w", n, v.Spec().ID, err)
	}
	return err
}

// Close frees the state; network and Vec stay their owners'.
func (a *Actor) Close() { a.state.drop(); a.state = nil }

// Ended is the episodes that ended since the last call.
func (a *Actor) Ended() []Episode {
	e := a.ended
	a.ended = nil
	return e
}

// Collect fills r with the next steps of all rows. first are the states at its start; before those
// before the last segment of every decision, joined over the steps [steps·rows, ...]. The caller drops
// both. If a keeps, no values are asked for, before are the states that the decisions begin with, and
// r.cuts has where a limit ended episodes.
func (a *Actor) Collect(ctx context.Context, r *Rollout) (before, first State, err error) {
	var all []State
	r.cuts = r.cuts[:0]
	if err := torch.Do(torch.NoGrad, func(s *torch.Scope) { first = a.state.keep(s) }); err != nil {
		return nil, nil, err
	}
	defer func() {
		for _, z := range all {
			z.drop()
		}
	}()
	for t := range r.Steps {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		z, err := a.step(ctx, r, t)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, z)
	}
	if !a.keeps {
		if err := a.look(r.Values[r.Steps*r.Rows:]); err != nil {
			return nil, nil, err
		}
	}
	err = torch.Do(torch.NoGrad, func(s *torch.Scope) { before = join(s, all).keep(s) })
	return before, first, err
}

// draw draws how long every row thinks.
func (a *Actor) draw() {
	for i := range a.segments {
		a.segments[i] = int32(a.cfg.Segments)
		if !a.cfg.Fixed {
			a.segments[i] = 1 + int32(a.rng.IntN(a.cfg.Segments))
		}
	}
}

// step lets every row decide and act once, as step t of r. It returns the states that Collect joins, kept.
func (a *Actor) step(ctx context.Context, r *Rollout, t int) (before State, err error) {
	v, n := a.vec, a.vec.Len()
	obsLen := v.Spec().ObsLen
	lo, hi := t*n, (t+1)*n
	copy(r.Obs[lo*obsLen:hi*obsLen], v.Obs)
	copy(r.Fresh[lo:hi], v.Fresh)
	a.draw()
	copy(r.Segments[lo:hi], a.segments)
	var after State
	failed := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		var x Seen
		if x, err = a.net.Encode(s, v.Obs, n); err != nil {
			return
		}
		begin := a.from(s, a.state, nil, n)
		z, pre := deliberate(s, a.net, x, begin, a.segments)
		if a.keeps {
			pre = begin
		}
		h := a.net.Heads(s, x, z)
		a.logits = s.ReadFloats(a.logits, h.Logits)
		copy(r.Values[lo:hi], s.ReadFloats(a.values, h.Value))
		before, after = pre.keep(s), z.keep(s)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	actions := len(v.Spec().Actions)
	for i := range n {
		r.Actions[lo+i], r.LogProb[lo+i] = a.choose(a.logits[i*actions : (i+1)*actions])
	}
	if err := a.advise(ctx, r, lo); err != nil {
		return nil, err
	}
	final := func(rows []int) ([]float32, error) {
		if a.keeps {
			return make([]float32, len(rows)), a.keepCuts(r, lo, after, rows)
		}
		return a.final(after, rows)
	}
	return before, a.act(r.Actions[lo:hi], after, final, r.Rewards[lo:hi], r.Done[lo:hi])
}

// choose draws an action, or takes the likeliest, but explores.
func (a *Actor) choose(logits []float32) (action int32, logProb float32) {
	if a.explore > 0 && a.rng.Float64() < a.explore {
		return int32(a.rng.IntN(len(logits))), 0
	}
	if !a.cfg.Greedy {
		return sample(a.rng.Rand, logits)
	}
	return likeliest(logits), 0
}

// likeliest is the first of the actions with the largest logit.
func likeliest(logits []float32) (action int32) {
	for i, x := range logits {
		if x > logits[action] {
			action = int32(i)
		}
	}
	return action
}

// act does what was decided and begins the next decision in the state after; it drops the one before.
// final is the values of what the given rows stopped at, whom a limit cut off.
func (a *Actor) act(actions []int32, after State, final func(rows []int) ([]float32, error), rewards []float32, done []bool) error {
	v, n := a.vec, a.vec.Len()
	if err := v.Step(actions); err != nil {
		return err
	}
	var cut []int
	for i := range n {
		if e := &a.now[i]; e.Limit > 0 && e.Length+1 >= e.Limit && !v.Done(i) {
			v.Truncate(i)
		}
		if v.Truncated[i] && !v.Terminated[i] {
			cut = append(cut, i)
		}
	}
	values := make([]float32, n)
	if len(cut) > 0 {
		found, err := final(cut)
		if err != nil {
			return err
		}
		for k, i := range cut {
			values[i] = found[k]
		}
	}
	for i := range n {
		seen := v.ObsRow(i)
		if done[i] = v.Done(i); done[i] {
			seen = v.FinalRow(i)
		}
		paid := a.bonus.of(i, seen)
		rewards[i] = v.Rewards[i] + paid
		e := &a.now[i]
		e.Bonus += float64(paid)
		e.Return += float64(v.Rewards[i])
		e.Length++
		e.Segments += int(a.segments[i])
		if !done[i] {
			continue
		}
		if v.Truncated[i] && !v.Terminated[i] { // a cut episode goes on in the value
			rewards[i] += float32(a.cfg.Gamma) * values[i]
		}
		e.Success = v.Terminated[i] && v.Rewards[i] > 0
		a.ended = append(a.ended, *e)
		*e = Episode{Limit: a.cfg.MaxSteps}
		a.bonus.forget(i)
	}
	a.state.drop()
	return torch.Do(torch.NoGrad, func(s *torch.Scope) {
		fresh := mask(s, a.net.Params().Device(), v.Fresh)
		a.state = a.net.Start(s, n).where(s, fresh, after).keep(s)
		after.drop()
	})
}

// advise asks the oracle, if there is one, and lets it act in the place of some rows.
func (a *Actor) advise(ctx context.Context, r *Rollout, lo int) error {
	if a.oracle == nil {
		return nil
	}
	n := a.vec.Len()
	if r.Oracle == nil {
		r.Oracle = make([]int32, r.Steps*r.Rows)
	}
	if err := a.oracle.Act(ctx, r.Oracle[lo:lo+n], a.vec.Obs, a.vec.Fresh, nil); err != nil {
		return err
	}
	for i := range n {
		k := r.Oracle[lo+i]
		if k < -1 || int(k) >= len(a.vec.Spec().Actions) {
			return fmt.Errorf("oracle: action %d is not in [0, %d)", k, len(a.vec.Spec().Actions))
		}
		if a.rng.Float64() < a.lead && k >= 0 {
			r.Actions[lo+i] = k
		}
	}
	return nil
}

// from is where the n given rows begin to think about what they see, if they were left in z; nil means
// all rows.
func (a *Actor) from(s *torch.Scope, z State, rows []int, n int) State {
	switch {
	case a.cfg.Reset:
		return a.net.Start(s, n)
	case rows == nil:
		return z
	}
	ids := make([]int64, n)
	for k, i := range rows {
		ids[k] = int64(i)
	}
	return z.pick(s, torch.From(s, a.net.Params().Device(), ids, int64(n)))
}

// final is the values of the observations that the given rows stopped at.
func (a *Actor) final(after State, rows []int) ([]float32, error) {
	segments := make([]int32, len(rows))
	for k, i := range rows {
		segments[k] = a.segments[i]
	}
	return a.foresee(rowsOf(a.vec.Final, rows, a.vec.Spec().ObsLen), after, rows, segments)
}

// keepCuts adds to r what the given rows stopped at, whose decisions begin at lo.
func (a *Actor) keepCuts(r *Rollout, lo int, after State, rows []int) error {
	return torch.Do(torch.NoGrad, func(s *torch.Scope) {
		states := a.from(s, after, rows, len(rows)).floats(s)
		for k, i := range rows {
			c := cutOff{at: lo + i, obs: slices.Clone(a.vec.FinalRow(i)), segments: a.segments[i]}
			for _, x := range states {
				w := len(x) / len(rows)
				c.states = append(c.states, x[k*w:(k+1)*w])
			}
			r.cuts = append(r.cuts, c)
		}
	})
}

// look writes the values of what the rows see now.
func (a *Actor) look(values []float32) error {
	found, err := a.foresee(a.vec.Obs, a.state, nil, a.segments)
	copy(values, found)
	return err
}

// foresee is the values of obs, one observation of each of rows, from their states in z; nil means all
// rows. What is thought for that is forgotten.
func (a *Actor) foresee(obs []byte, z State, rows []int, segments []int32) (values []float32, err error) {
	failed := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		var x Seen
		if x, err = a.net.Encode(s, obs, len(segments)); err != nil {
			return
		}
		z, _ := deliberate(s, a.net, x, a.from(s, z, rows, len(segments)), segments)
		values = s.ReadFloats(nil, a.net.Heads(s, x, z).Value)
	})
	return values, errors.Join(err, failed)
}

// sample draws from softmax(logits) and gives the log-probability of what it drew.
func sample(r *rand.Rand, logits []float32) (action int32, logProb float32) {
	top := logits[0]
	for _, x := range logits {
		top = max(top, x)
	}
	sum := 0.0
	for _, x := range logits {
		sum += math.Exp(float64(x - top))
	}
	u := r.Float64() * sum
	for i, x := range logits {
		if u -= math.Exp(float64(x - top)); u < 0 || i == len(logits)-1 {
			return int32(i), float32(float64(x-top) - math.Log(sum))
		}
	}
	return 0, float32(math.NaN()) // unreached: there are logits
}
