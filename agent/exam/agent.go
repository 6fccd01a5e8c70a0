package exam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
)

// An AgentResult is what a model achieved by acting in an environment.
type AgentResult struct {
	Model              string          `json:"model"`
	Engine             string          `json:"engine"`                   // what computed it: "torch" or "go"
	Precision          think.Precision `json:"precision"`                // of its products, and the choice
	Rule               string          `json:"rule"`                     // own, the model's halting as it is set; another halting rule, or a think.Stop
	MaxSegments        int             `json:"max_segments"`             // of a decision
	First              int             `json:"first_segments,omitempty"` // of an episode's first decision; 0 as of the others
	Threshold          float64         `json:"threshold,omitempty"`      // of the rules entropy and halt-above
	Env                string          `json:"env"`
	Split              string          `json:"split,omitempty"`  // "training" or "test", where the model's run kept levels apart
	Levels             string          `json:"levels,omitempty"` // LO:HI of it
	Episodes           int             `json:"episodes"`
	MeanReturn         float64         `json:"mean_return"`
	ReturnError        float64         `json:"return_standard_error"` // of MeanReturn
	Success            float64         `json:"success"`               // share that terminated with a positive reward
	MeanLength         float64         `json:"mean_length"`           // steps an episode
	MeanSegments       float64         `json:"mean_segments"`         // an action
	SegmentsPerEpisode float64         `json:"segments_per_episode"`
	SPL                *float64        `json:"spl,omitempty"` // success weighted by shortest over walked length, where the world knows the shortest
	SPLError           *float64        `json:"spl_standard_error,omitempty"`

	Surprises []Surprise `json:"segments_since_change,omitempty"` // where the world is a map that changes by itself

	Regret   *float64 `json:"regret,omitempty"` // Branched.Mean
	Branched *Regret  `json:"branched,omitempty"`

	All []agent.Episode `json:"-"` // in the order of their ends
}

// AddRegret branches a decision of every episode, which Agent played under the same cfg.
func (r *AgentResult) AddRegret(ctx context.Context, m *think.Model, options []string, cfg Config) error {
	b, err := Regrets(ctx, m, r.Env, options, r.All, cfg)
	r.Branched, r.Regret = &b, &b.Mean
	return err
}

// ErrFit is that of a model that cannot act in a world.
var ErrFit = errors.New("model and world do not fit")

// Agent lets the model act in n episodes of an environment, episode k seeded with seed+k.
func Agent(ctx context.Context, m *think.Model, id string, options []string, n int, seed uint64, cfg Config) (AgentResult, error) {
	res := AgentResult{Model: m.Name, Engine: m.Engine, Precision: m.Precision, Env: id, First: cfg.First}
	res.setRule(m, cfg)
	if n < 1 {
		return res, errors.New("exam: no episode")
	}
	v, err := env.MakeVec(id, min(n, cfg.batch()), env.VecConfig{}, options...)
	if err != nil {
		return res, err
	}
	defer v.Close()
	if spec := m.Core.Spec(); spec.Answers == 1 {
		bytes := spec.Shape.Seq
		if !spec.Fixed {
			bytes = v.Spec().ObsLen
		}
		if bytes != v.Spec().ObsLen || spec.Outputs != len(v.Spec().Actions) || spec.Vocab != v.Spec().Vocab {
			return res, fmt.Errorf("%w: model %s reads %d bytes below %d and has %d actions, %s has %d below %d and %d",
				ErrFit, m.Name, bytes, spec.Vocab, spec.Outputs, id, v.Spec().ObsLen, v.Spec().Vocab, len(v.Spec().Actions))
		}
	}
	p, err := think.NewPolicy(m, v.Spec(), cfg.Config)
	if err != nil {
		return res, fmt.Errorf("%w: %w", ErrFit, err)
	}
	defer p.Close()
	var all []agent.Episode
	var acting agent.Policy = p
	watcher := watch(p, v.Spec(), v.Len())
	if watcher != nil {
		acting = watcher
	}
	stats, err := agent.Run(ctx, v, acting, agent.Config{Seed: seed, Episodes: n, Each: func(e agent.Episode) {
		all = append(all, e)
		cfg.tell()
	}})
	if err != nil {
		return res, err
	}
	res.Episodes, res.MeanReturn, res.Success, res.MeanLength = stats.Episodes, stats.Return.Mean, stats.SuccessRate(), stats.Length.Mean
	res.ReturnError = stats.Return.Std() / math.Sqrt(float64(stats.Episodes))
	steps := 0
	for _, e := range all {
		steps += e.Length
		res.SegmentsPerEpisode += float64(e.Segments)
	}
	res.MeanSegments = res.SegmentsPerEpisode / float64(max(1, steps))
	res.SegmentsPerEpisode /= float64(len(all))
	res.All = all
	if watcher != nil {
		res.Surprises = watcher.found()
	}
	res.SPL, res.SPLError, err = spl(id, options, all)
	return res, err
}

// setRule says how the decisions ended.
func (r *AgentResult) setRule(m *think.Model, cfg Config) {
	h := cfg.halting(m).Halting
	r.MaxSegments, r.Rule = h.MaxSegments, h.Rule.String()
	switch {
	case cfg.Stop != "":
		r.Rule = string(cfg.Stop)
		if cfg.Stop == think.StopEntropy {
			r.Threshold = cfg.Entropy
		}
	case h == m.Usage.Halting:
		r.Rule = "own"
	case h.Rule == act.HaltAbove:
		r.Threshold = float64(h.Threshold)
	}
}

// spl is the mean over episodes of success times shortest over walked length (Anderson et al. 2018,
// arXiv:1807.06757), and its standard error; nil where the world does not know the shortest.
func spl(id string, options []string, all []agent.Episode) (mean, deviation *float64, err error) {
	e, err := env.Make(id, options...)
	if err != nil {
		return nil, nil, err
	}
	defer env.Close(e)
	guide, ok := env.As[env.Guide](e)
	if !ok {
		return nil, nil, nil
	}
	obs := make([]byte, e.Spec().ObsLen)
	var sum agent.Summary
	for _, ep := range all {
		e.Seed(ep.Seed)
		e.Reset(obs)
		shortest, ok := guide.Shortest()
		if !ok {
			return nil, nil, nil
		}
		worth := 0.0
		if ep.Success {
			worth = float64(shortest) / float64(max(shortest, ep.Length))
		}
		sum.Add(worth)
	}
	off := sum.Std() / math.Sqrt(float64(len(all)))
	return &sum.Mean, &off, nil
}

// Print writes the result for people.
func (r *AgentResult) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d episodes of %s\nreturn           %.3f ± %.3f\nsuccess         %6.2f %%\nsteps           %6.1f an episode\nsegments        %6.2f an action, %.1f an episode\n",
		r.Episodes, r.Env, r.MeanReturn, r.ReturnError, 100*r.Success, r.MeanLength, r.MeanSegments, r.SegmentsPerEpisode)
	if err == nil && r.SPL != nil {
		_, err = fmt.Fprintf(w, "SPL              %.3f ± %.3f\n", *r.SPL, *r.SPLError)
	}
	for _, s := range r.Surprises {
		if err == nil && s.Since >= 0 {
			_, err = fmt.Fprintf(w, "%4d steps after the map changed: %.2f segments (%d decisions)\n", s.Since, s.MeanSegments, s.Decisions)
		}
	}
	if err == nil && r.Branched != nil {
		err = r.Branched.Print(w)
	}
	return err
}
