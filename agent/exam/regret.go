package exam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
)

// A Regret is what other numbers of segments would have brought at decisions of a model, one drawn from
// each episode (of one whose actions are drawn anew and which ends sooner, none). World and state are branched there: a branch thinks 1, 2, 4, ... or the most segments about
// that decision and then goes on as the model does; one always thinks the most. Worth is the discounted
// reward from there on, less the price of every segment.
type Regret struct {
	Decisions int     `json:"decisions"`
	Price     float64 `json:"price"`
	Discount  float64 `json:"discount"`
	Mean      float64 `json:"mean"`      // worth of the best branch less that of what the model did, 0 where it did best
	TooShort  float64 `json:"too_short"` // share of decisions where a longer thought was the best
	Right     float64 `json:"right"`     // where none was better by more than half the price of a segment
	TooLong   float64 `json:"too_long"`
	Own       float64 `json:"worth"`             // mean of what the model did
	Most      float64 `json:"worth_always_most"` // mean of always thinking the most: a rule that is bad everywhere looks right to itself
}

// A strand is one course of an episode: the real one, or a branch of it.
type strand struct {
	env      env.Env
	segments int  // of the branched decision; 0 for the real one
	always   bool // the most, at every decision
	live     bool
	worth    float64
	weight   float64 // discount so far; 0 before the branched decision
	first    int     // segments of the branched decision, as thought
}

// Branches are the numbers of segments, of at most so many, that branches of a decision try.
func Branches(most int) (out []int) {
	for m := 1; m < most; m *= 2 {
		out = append(out, m)
	}
	return append(out, most)
}

// Regrets branches one decision of each of episodes, which the model played in the environment under cfg.
func Regrets(ctx context.Context, m *think.Model, id string, options []string, episodes []agent.Episode, cfg Config) (Regret, error) {
	cfg = cfg.halting(m)
	res := Regret{Price: m.Usage.Price, Discount: m.Usage.Discount}
	if res.Discount == 0 {
		res.Discount = 1
	}
	most := cfg.Halting.MaxSegments
	tries := Branches(most)
	width := len(tries) + 2 // the real course, one for each number, always the most
	n := max(1, cfg.batch()/width)
	for len(episodes) > 0 {
		k := min(n, len(episodes))
		if err := res.add(ctx, m, id, options, episodes[:k], tries, cfg); err != nil {
			return res, err
		}
		episodes = episodes[k:]
	}
	d := float64(max(1, res.Decisions))
	for _, x := range []*float64{&res.Mean, &res.TooShort, &res.Right, &res.TooLong, &res.Own, &res.Most} {
		*x /= d
	}
	return res, nil
}

// add plays episodes beside each other, with their branches, and adds what came of them.
func (r *Regret) add(ctx context.Context, m *think.Model, id string, options []string, episodes []agent.Episode, tries []int, cfg Config) error {
	width := len(tries) + 2
	rows := len(episodes) * width
	all := make([]strand, rows)
	for i := range all {
		e, err := env.Make(id, options...)
		if err != nil {
			return err
		}
		_, saves := env.As[env.Snapshotter](e)
		if _, process := env.As[io.Closer](e); !saves || process {
			return errors.Join(fmt.Errorf("%s cannot be copied, which branches need", id), env.Close(e))
		}
		all[i].env = e
	}
	spec := all[0].env.Spec()
	p, err := think.NewPolicy(m, spec, cfg.Config)
	if err != nil {
		return err
	}
	defer p.Close()
	obs, fresh, asleep, actions := make([]byte, rows*spec.ObsLen), make([]bool, rows), make([]bool, rows), make([]int32, rows)
	row := func(i int) []byte { return obs[i*spec.ObsLen : (i+1)*spec.ObsLen] }
	at := make([]int, len(episodes)) // the decision that is branched
	for k, ep := range episodes {
		at[k] = rand.New(rand.NewPCG(cfg.Seed, ep.Seed)).IntN(ep.Length)
		i := k * width
		all[i].env.Seed(ep.Seed)
		all[i].env.Reset(row(i))
		all[i].live, fresh[i] = true, true
	}
	for t := 0; ; t++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for k := range episodes {
			real := k * width
			if t != at[k] || !all[real].live {
				continue // what is drawn may end sooner than in the episode that was played
			}
			all[real].weight = 1
			for j := 1; j < width; j++ {
				i := real + j
				if err := split(&all[real], &all[i]); err != nil {
					return err
				}
				copy(row(i), row(real))
				fresh[i] = fresh[real]
				if err := p.Copy(i, real); err != nil {
					return err
				}
				if all[i].segments = tries[min(j, len(tries))-1]; j > len(tries) {
					all[i].always = true
				}
				p.Force(i, all[i].segments)
			}
		}
		over := true
		for i := range all {
			asleep[i] = !all[i].live
			over = over && asleep[i]
			if all[i].always && all[i].live {
				p.Force(i, all[i].segments)
			}
		}
		if over {
			break
		}
		p.Sleep(asleep)
		if err := p.Act(ctx, actions, obs, fresh, nil); err != nil {
			return err
		}
		for i := range all {
			if all[i].live {
				all[i].step(int(actions[i]), row(i), int(p.Segments()[i]), r)
				fresh[i] = false
			}
		}
	}
	for k := range episodes {
		if s := all[k*width : (k+1)*width]; s[0].first > 0 {
			r.judge(s)
		}
	}
	return nil
}

// split puts to where from is.
func split(from, to *strand) error {
	a, _ := env.As[env.Snapshotter](from.env)
	b, _ := env.As[env.Snapshotter](to.env)
	to.live, to.weight = true, 1
	return b.SetState(a.AppendState(nil))
}

// step acts after a thought of so many segments.
func (s *strand) step(action int, obs []byte, segments int, r *Regret) {
	out := s.env.Step(action, obs)
	if s.weight > 0 {
		if s.first == 0 {
			s.first = segments
		}
		s.worth += s.weight * (out.Reward - r.Price*float64(segments))
		s.weight *= r.Discount
	}
	s.live = !out.Done()
}

// judge adds a decision: its real course, its branches, and always the most.
func (r *Regret) judge(s []strand) {
	own, most := s[0], s[len(s)-1]
	best := own
	for _, b := range s[1 : len(s)-1] {
		if b.worth > best.worth {
			best = b
		}
	}
	lost := best.worth - own.worth
	r.Decisions++
	r.Mean += lost
	r.Own += own.worth
	r.Most += most.worth
	switch {
	case lost <= math.Max(r.Price/2, 1e-9): // 1e-9: rounding of a sum
		r.Right++
	case best.first > own.first:
		r.TooShort++
	default:
		r.TooLong++
	}
}

// Print writes the regret for people.
func (r *Regret) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "regret           %.4f at a price of %g a segment; of %d decisions %.1f %% too short, %.1f %% right, %.1f %% too long\nworth            %.3f, always the most segments %.3f\n",
		r.Mean, r.Price, r.Decisions, 100*r.TooShort, 100*r.Right, 100*r.TooLong, r.Own, r.Most)
	return err
}
