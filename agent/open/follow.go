package open

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// A Following is the run in a folder that is watched while it trains: its scenes are played by its newest checkpoint, looked
// for at the beginning of every episode.
type Following struct {
	Thing
	dir   string
	shown atomic.Int64
}

// Follow looks for the run in dir, which must have saved a checkpoint.
func Follow(dir string) (*Following, error) {
	info, err := run.ReadInfo(dir)
	if err != nil {
		return nil, err
	}
	f := &Following{dir: dir}
	if _, _, err := f.newest(); err != nil {
		if info.State == run.Running {
			err = fmt.Errorf("%w: it trains, and has saved none as yet (--save-every)", err)
		}
		return nil, err
	}
	f.Thing, err = Named(dir)
	return f, err
}

// Shown is the step of the checkpoint that plays.
func (f *Following) Shown() int64 { return f.shown.Load() }

// newest is the newest checkpoint, and its step.
func (f *Following) newest() (dir string, step int64, err error) {
	series := filepath.Join(f.dir, checkpoint.RunSeries)
	steps, err := checkpoint.Steps(series)
	if err != nil {
		return "", 0, err
	}
	if len(steps) == 0 {
		return "", 0, fmt.Errorf("%s: no checkpoint in it", f.dir)
	}
	step = int64(steps[len(steps)-1])
	return checkpoint.StepDir(series, int(step)), step, nil
}

// Scene is Scene, where a choice of the run's model is played by what the run saved last.
func (f *Following) Scene(c session.Choice, w think.Wishes, r Run) (*session.Scene, error) {
	if c.Model != f.Model || c.Agent != trace.Network {
		return Scene(c, w, r)
	}
	return sceneOf(c, w, func(spec env.Spec, w think.Wishes) (session.Agent, error) {
		m := &followed{f: f, spec: spec, wishes: w, run: r}
		if err := m.renew(); err != nil {
			return nil, err
		}
		return m, nil
	})
}

// A followed mind becomes that of the run's newest checkpoint when an episode begins.
type followed struct {
	think.OwnedMind
	f      *Following
	spec   env.Spec
	wishes think.Wishes
	run    Run
	step   int64
	price  float64
}

// renew becomes the newest mind, if it is another one.
func (m *followed) renew() error {
	dir, step, err := m.f.newest()
	if err != nil || m.Mind != nil && step == m.step {
		return err
	}
	model, err := Model(dir, m.run)
	if err != nil {
		return err
	}
	agent, err := MindOf(model, m.spec, m.wishes, false)
	if err != nil {
		return err
	}
	mind := agent.(think.OwnedMind) // MindOf's are
	if m.price != 0 {
		if err := mind.Price(context.Background(), m.price); err != nil {
			return errors.Join(err, mind.Close())
		}
	}
	if m.Mind != nil {
		err = m.Close()
	}
	m.OwnedMind, m.step = mind, step
	m.f.shown.Store(step)
	return err
}

// Describe implements session.Agent: the model is the run's, whichever checkpoint plays.
func (m *followed) Describe(h *trace.Header) {
	m.OwnedMind.Describe(h)
	h.Model = m.f.dir
}

// Begin implements session.Agent. What cannot be opened, as it is swept away just now, leaves the mind as it is.
func (m *followed) Begin(ctx context.Context, obs []byte, fresh bool) error {
	if fresh {
		_ = m.renew()
	}
	return m.OwnedMind.Begin(ctx, obs, fresh)
}

// Price implements session.Steered.
func (m *followed) Price(ctx context.Context, price float64) error {
	m.price = price
	return m.OwnedMind.Price(ctx, price)
}
