package open

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/internal/text"
	"github.com/ponder-agents/ponder/models"
)

// Scene opens the world of c, by id or the level in a file, and the agent that is to play it. A network thinks as w
// says, but for a rule that c names, and is computed as r says.
func Scene(c session.Choice, w think.Wishes, r Run) (*session.Scene, error) {
	if err := c.Check(); err != nil {
		return nil, asked(err)
	}
	e, err := World(c.Env, strings.FieldsFunc(c.Options, func(r rune) bool { return r == '\n' })...)
	if err != nil {
		return nil, err
	}
	if c.Rule != "" {
		w.Rule = c.Rule
	}
	return session.OpenScene(e, c, func(world session.World) (session.Agent, error) {
		return Mind(c.Model, world.Spec(), w, r)
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

// World opens an environment by its id, with options, or the family that reads the level text in the file of that name.
func World(name string, options ...string) (env.Env, error) {
	e, err := env.Make(name, options...)
	if err == nil {
		return e, nil
	}
	if info, serr := os.Stat(name); serr != nil || !info.Mode().IsRegular() {
		if strings.ContainsAny(name, `/\.`) && filepath.Ext(name) != "" && !errors.Is(err, env.ErrUnknown) {
			return nil, err
		}
		return nil, asked(err)
	}
	if len(options) > 0 {
		return nil, asked(fmt.Errorf("%s: a level in a file takes no option, %q was given", name, options))
	}
	return Level(name)
}

// MaxLevel bounds a level's text, in bytes.
const MaxLevel = 1 << 20

// LevelText reads the text of a level in a file.
func LevelText(path string) (string, error) { return text.ReadFile(path, MaxLevel) }

// Level opens the level in a text file, of whatever family.
func Level(path string) (env.Env, error) {
	level, err := LevelText(path)
	if err != nil {
		return nil, err
	}
	e, err := env.OpenLevel(level)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}
