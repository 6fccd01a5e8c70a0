package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/minigrid"
	"github.com/ponder-agents/ponder/models"
)

// A mind is what the handle of an agent stands for: a model, thinking about one episode of a world.
type mind struct {
	mu     sync.Mutex
	closed bool
	spec   env.Spec
	model  *shared
	*think.Mind
}

// A shared model is closed with the last of the minds that think with it.
type shared struct {
	*think.Model
	users int // guarded by minds
}

// minds are the open handles. A number is never used twice.
var minds struct {
	sync.Mutex
	open map[int64]*mind
	last int64
}

// openMind opens an agent: a shipped model by its name, or a checkpoint folder, in a world; without one the world
// of the model's card.
func openMind(name, id string, options []string) (int64, error) {
	if id == "" {
		card, err := models.Card(name)
		if err != nil {
			return 0, fmt.Errorf("model %s: name an environment, it is none of the shipped models: %w", name, err)
		}
		id = card.Env
	}
	e, err := env.Make(id, options...)
	if err != nil {
		return 0, err
	}
	spec := e.Spec()
	if c, ok := e.(io.Closer); ok {
		if err := c.Close(); err != nil {
			return 0, err
		}
	}
	c, err := models.Find(name)
	if err != nil {
		return 0, err
	}
	m, err := engine.Open(name, c)
	if err != nil {
		return 0, err
	}
	return keepMind(spec, &shared{Model: m, users: 1})
}

// keepMind opens a mind for one of m's users.
func keepMind(spec env.Spec, m *shared) (int64, error) {
	t, err := think.NewMind(m.Model, spec, think.Config{KeepCarry: m.Usage.KeepCarry})
	if err != nil {
		return 0, errors.Join(err, m.leave())
	}
	minds.Lock()
	defer minds.Unlock()
	if minds.open == nil {
		minds.open = map[int64]*mind{}
	}
	minds.last++
	minds.open[minds.last] = &mind{spec: spec, model: m, Mind: t}
	return minds.last, nil
}

// leave takes a user away.
func (m *shared) leave() error {
	minds.Lock()
	m.users--
	last := m.users == 0
	minds.Unlock()
	if !last {
		return nil
	}
	return m.Close()
}

func findMind(handle int64) (*mind, error) {
	minds.Lock()
	defer minds.Unlock()
	m := minds.open[handle]
	if m == nil {
		return nil, fmt.Errorf("agent %d is not open", handle)
	}
	return m, nil
}

// anotherMind is one of the same model and world for another episode.
func anotherMind(handle int64) (int64, error) {
	minds.Lock()
	m := minds.open[handle]
	if m != nil {
		m.model.users++
	}
	minds.Unlock()
	if m == nil {
		return 0, fmt.Errorf("agent %d is not open", handle)
	}
	return keepMind(m.spec, m.model)
}

// dropMind closes a handle and forgets it.
func dropMind(handle int64) error {
	minds.Lock()
	m := minds.open[handle]
	delete(minds.open, handle)
	minds.Unlock()
	if m == nil {
		return fmt.Errorf("agent %d is not open", handle)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return errors.Join(m.Close(), m.model.leave())
}

// act thinks about an observation until the model is content, and says what to do; fresh says that an episode
// begins. In place of the bytes of a mission its text may be given.
func (m *mind) act(obs []byte, mission string, fresh bool) (action int, err error) {
	defer caught(&err)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, errors.New("the agent is closed")
	}
	if len(obs) != m.spec.ObsLen {
		return 0, fmt.Errorf("an observation of %d bytes, %s has %d", len(obs), m.spec.ID, m.spec.ObsLen)
	}
	seen := append([]byte(nil), obs...)
	if mission != "" {
		tokens, err := minigrid.Tokenize(mission)
		if err != nil {
			return 0, err
		}
		at := 0
		for _, f := range m.spec.Layout {
			if f.Name == "mission" {
				if len(tokens) > f.Len() {
					return 0, fmt.Errorf("a mission of %d words, want at most %d", len(tokens), f.Len())
				}
				clear(seen[at : at+f.Len()])
				copy(seen[at:], tokens)
			}
			at += f.Len()
		}
	}
	ctx := context.Background()
	if err := m.Begin(ctx, seen, fresh); err != nil {
		return 0, err
	}
	for {
		var g trace.Segment
		if err := m.Think(ctx, &g); err != nil {
			return 0, err
		}
		if g.Halted {
			break
		}
	}
	if action, err = m.Action(ctx); err == nil && action < 0 {
		err = fmt.Errorf("model %s answers all at once in %s: there is no next action", m.model.Name, m.spec.ID)
	}
	return action, err
}
