package open

import (
	"errors"
	"fmt"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/models"
)

// Scene opens the world of c, by id or the level in a file, and the agent that is to play it. A network thinks as w
// says, but for a rule that c names, and is computed as r says.
func Scene(c session.Choice, w think.Wishes, r Run) (*session.Scene, error) {
	return sceneOf(c, w, func(spec env.Spec, w think.Wishes) (session.Agent, error) { return Mind(c.Model, spec, w, r) })
}

// sceneOf is Scene where mind opens the network.
func sceneOf(c session.Choice, w think.Wishes, mind func(env.Spec, think.Wishes) (session.Agent, error)) (*session.Scene, error) {
	if err := c.Check(); err != nil {
		return nil, asked(err)
	}
	e, err := World(c.Env, c.OptionList()...)
	if err != nil {
		return nil, err
	}
	if c.Rule != "" {
		w.Rule = c.Rule
	}
	return session.OpenScene(e, c, func(world session.World) (session.Agent, error) {
		return mind(world.Spec(), w)
	})
}

// Mind opens the model that is to think in a world: the one called name, or the one shipped for the world. There may
// be none: session.ErrNoModel.
func Mind(name string, spec env.Spec, w think.Wishes, r Run) (session.Agent, error) {
	shipped := name == ""
	if shipped {
		if name = models.For(spec.ID); name == "" {
			return nil, fmt.Errorf("%w is shipped for %s", session.ErrNoModel, spec.ID)
		}
	}
	m, err := Model(name, r)
	if err != nil {
		return nil, err
	}
	return MindOf(m, spec, w, shipped)
}

// MindOf is a mind of m in a world, which closes m; so does an error. Of a model that nobody named, but that is
// shipped for the world, it is a session.ErrNoModel that it does not fit.
func MindOf(m *think.Model, spec env.Spec, w think.Wishes, shipped bool) (session.Agent, error) {
	cfg, err := w.Config(m)
	if err != nil {
		return nil, errors.Join(asked(err), m.Close())
	}
	mind, err := think.NewMind(m, spec, cfg)
	if err != nil {
		if shipped {
			err = fmt.Errorf("%w fits: %w", session.ErrNoModel, err)
		}
		return nil, errors.Join(err, m.Close())
	}
	return think.OwnedMind{Mind: mind}, nil
}
