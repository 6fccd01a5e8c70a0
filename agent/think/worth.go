package think

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env"
)

// Worth is what comes of acting after so many segments at the decision under way, whatever the rule says, where the mind then
// goes on by its rule to the end of the episode: rewards, discounted, less the price of every segment (docs/halting.md). It
// acts in w, a copy of the world, of which obs is the observation; both are used up. The mind itself stays as it is.
func (m *Mind) Worth(ctx context.Context, w env.Env, obs []byte, segments int) (worth float64, err error) {
	switch {
	case len(m.before) == 0:
		return 0, errors.New("mind: Worth before Think")
	case m.cfg.thoughts() > 1:
		return 0, errors.New("mind: of several thoughts none is branched")
	case segments < 1:
		return 0, fmt.Errorf("mind: %d segments, want 1 or more", segments)
	}
	r, err := task.NewReader(m.model.Usage.Task, w.Spec())
	if err != nil {
		return 0, err
	}
	b := &Mind{model: m.model, cfg: m.cfg, reader: r, id: m.id}
	defer func() { err = errors.Join(err, b.Close()) }()
	if err := b.Begin(ctx, obs, true); err != nil {
		return 0, err
	}
	if err := b.rows.Load(0, m.before[0]); err != nil { // what this decision began with
		return 0, err
	}
	b.thinking.force(0, segments)
	weight, discount := 1.0, cmp.Or(m.model.Usage.Discount, 1)
	for {
		took := 0
		for halted := false; !halted; took++ {
			if ctx.Err() != nil {
				return 0, context.Cause(ctx)
			}
			err := b.thinking.segment(func(th *Thought) error {
				halted, b.logits = th.Halted, append(b.logits[:0], th.Logits...)
				return nil
			})
			if err != nil {
				return 0, err
			}
		}
		action := r.Action(b.logits)
		if action < 0 {
			return 0, errors.New("mind: its answer is all, no action follows")
		}
		out := w.Step(action, obs)
		worth += weight * (out.Reward - m.model.Usage.Price*float64(took))
		if weight *= discount; out.Done() {
			return worth, nil
		}
		if err := b.Begin(ctx, obs, false); err != nil {
			return 0, err
		}
	}
}
