//go:build cgo && !notorch

package rl

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A Stage is what an agent learns before the next one, at last before the environment of its run: levels, a size or another
// id, of which its network can make as much. Weights, optimiser and random streams go on from stage to stage; the episodes
// under way do not, nor does what a DQN remembers.
type Stage struct {
	Env     string   `json:"env"`     // id of the environment; "" means the run's
	Options []string `json:"options"` // its options; none given means the run's
	Levels  string   `json:"levels"`  // LO:HI; "" means the run's
	Frames  int64    `json:"frames"`  // steps of all environments together after which it ends at the latest
	Success float64  `json:"success"` // it ends sooner where so large a share of the last 100 episodes succeeds; 0 means never
}

// checkStages is what is wrong with the stages.
func (c Config) checkStages() (bad problems.List) {
	_, test, _ := c.Ranges()
	left := c.Frames
	for i, st := range c.Stages {
		in := problems.List{}
		if st.Env != "" {
			_, _, err := env.Lookup(st.Env)
			in.In("env", err)
		}
		in.Add(!(st.Success >= 0 && st.Success <= 1), "success", "%v, want 0 to 1", st.Success)
		in.Add(st.Frames < 1 || st.Frames >= left, "frames", "%d, want 1 or more and in all fewer than the run's, %d", st.Frames, c.Frames)
		left -= st.Frames
		if st.Levels != "" {
			r, err := env.ParseRange(st.Levels)
			in.In("levels", err)
			in.Add(err == nil && test != (env.Range{}) && r.Overlaps(test), "levels", "%s, want none of those of examinations, %v", st.Levels, test)
		}
		bad.In(fmt.Sprintf("stages[%d]", i), in.Err())
	}
	return bad
}

// at is where a run learns in its stage i: after the last stage in its own environment.
func (c Config) at(i int) Stage {
	if i == len(c.Stages) {
		return Stage{Env: c.Env, Options: c.Options, Levels: c.Levels}
	}
	st := c.Stages[i]
	st.Env, st.Levels = cmp.Or(st.Env, c.Env), cmp.Or(st.Levels, c.Levels)
	if st.Options == nil {
		st.Options = c.Options
	}
	return st
}

// course is the ids of a run in turn.
func (c Config) course() (ids []string) {
	for i := range len(c.Stages) + 1 {
		ids = append(ids, c.at(i).Env)
	}
	return slices.Compact(ids)
}

// options are those of the environments of stage i.
func (c Config) options(i int) []string {
	st := c.at(i)
	var r env.Range
	if st.Levels != "" {
		r, _ = env.ParseRange(st.Levels) // Check has
	}
	return r.On(st.Options)
}

// vec opens the environments of stage i.
func (c Config) vec(i int) (*env.Vec, error) {
	return env.MakeVec(c.at(i).Env, c.Envs, env.VecConfig{}, c.options(i)...)
}

// stageSeed seeds the environments of stage i.
func (c Config) stageSeed(i int) uint64 {
	if i == 0 {
		return c.Seed
	}
	return rng.Stream(c.Seed, fmt.Sprintf("stage/%d", i)).Uint64()
}

// fitStages reports the first stage that the network cannot go on to, and what the last one shows.
func (l *Learner) fitStages() (goal env.Spec, err error) {
	weights, err := l.net.Params().Save()
	if err != nil {
		return goal, err
	}
	first := l.vec.Spec()
	fit := func(i int) error {
		e, err := env.Make(l.cfg.at(i).Env, l.cfg.options(i)...)
		if err != nil {
			return err
		}
		defer env.Close(e)
		goal = e.Spec()
		if !slices.Equal(goal.Actions, first.Actions) {
			return fmt.Errorf("actions %v, stage %d has %v", goal.Actions, l.stage+1, first.Actions)
		}
		if goal.ObsLen != first.ObsLen && !anySize(l.net) {
			return fmt.Errorf("observations of %d bytes, stage %d has %d, and this network reads one size", goal.ObsLen, l.stage+1, first.ObsLen)
		}
		n, err := NewNetwork(l.cfg.Policy, goal, l.dev, 0)
		if err != nil {
			return err
		}
		defer n.Close()
		return n.Params().Load(weights)
	}
	for i := range len(l.cfg.Stages) + 1 {
		if err := fit(i); err != nil {
			return goal, inStage(i, len(l.cfg.Stages), fmt.Errorf("stage %d, %s: %w", i+1, l.cfg.at(i).Env, err))
		}
	}
	return goal, nil
}

// inStage says that err is of the environment of stage i of n, or after them of the run's own.
func inStage(i, n int, err error) error {
	var bad problems.List
	if i == n {
		bad.In("env", err)
	} else {
		bad.In(fmt.Sprintf("stages[%d]", i), err)
	}
	return bad.Err()
}

// passed reports whether the stage is over.
func (l *Learner) passed() bool {
	if l.stage == len(l.cfg.Stages) {
		return false
	}
	st := l.cfg.at(l.stage)
	return l.frames-l.began >= st.Frames || st.Success > 0 && len(l.window) == windowLength && l.means().Success >= st.Success
}

// advance goes on to the next stage.
func (l *Learner) advance() error {
	weights, tensors, err := l.learned()
	if err != nil {
		return err
	}
	if d, ok := l.update.(*DQN); ok {
		if err := d.saveTarget(tensors); err != nil {
			return err
		}
	}
	was := *l
	next := &Learner{cfg: l.cfg, dev: l.dev, goal: l.goal, stage: l.stage + 1, began: l.frames, frames: l.frames, sum: l.sum, steps: l.steps, found: l.found}
	if err := next.open(); err != nil {
		next.Close()
		return err
	}
	*l = *next
	defer was.Close()
	if d, ok := l.update.(*DQN); ok {
		if err := d.loadTarget(tensors); err != nil {
			return err
		}
	}
	return errors.Join(l.goOn(weights, tensors, was.update.optimizer().Steps()),
		l.actor.rng.SetState(was.actor.rng.AppendState(nil)), l.update.random().SetState(was.update.random().AppendState(nil)))
}

// learned is the weights to use, of the network and the gate, and the tensors that the next steps need beside them.
func (l *Learner) learned() (weights, others map[string]safetensors.Tensor, err error) {
	if weights, err = l.net.Params().Save(); err != nil {
		return nil, nil, err
	}
	if others, err = l.update.optimizer().Save(); err != nil {
		return nil, nil, err
	}
	if average := l.update.average(); average != nil {
		if err := average.Divide(weights, others); err != nil {
			return nil, nil, err
		}
	}
	if l.gate != nil {
		gate, err := l.gate.params.Save()
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(weights, gate)
	}
	return weights, others, nil
}

// goOn goes on with what learned gave after so many steps of Adam.
func (l *Learner) goOn(weights, others map[string]safetensors.Tensor, steps int64) error {
	gate := cutPrefix(weights, gatePrefix)
	if l.gate != nil {
		if err := l.gate.params.Load(gate); err != nil {
			return err
		}
	}
	if average := l.update.average(); average != nil {
		var err error
		if weights, err = average.Unite(weights, others); err != nil {
			return fmt.Errorf("average: %w", err)
		}
	}
	return errors.Join(l.net.Params().Load(weights), l.update.optimizer().Load(others, steps))
}
