package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
	"github.com/ponder-agents/ponder/internal/text"
	"github.com/ponder-agents/ponder/models"
)

// openScene opens an environment by id, or the level in a file, and the agent that is to play it,
// thinking as f says.
func openScene(c session.Choice, f *mindFlags) (*session.Scene, error) {
	if err := c.Check(); err != nil {
		return nil, cli.WithCode(cli.ExitUsage, err)
	}
	e, err := openWorld(c.Env)
	if err != nil {
		return nil, err
	}
	return session.OpenScene(e, c, func(w session.World) (session.Agent, error) { return openMind(c, w.Spec(), *f) })
}

// openMind opens the model that is to think in a world: c.Model, or the one shipped for its family.
func openMind(c session.Choice, spec env.Spec, f mindFlags) (session.Agent, error) {
	name := c.Model
	if name == "" {
		if name = models.For(spec.ID); name == "" {
			return nil, fmt.Errorf("%w is shipped for %s", session.ErrNoModel, spec.ID)
		}
	}
	m, err := (&modelFlags{model: name, engineFlags: f.engineFlags}).open()
	if err != nil {
		return nil, err
	}
	if c.Rule != "" {
		f.rule = c.Rule
	}
	cfg, err := f.config(m)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	mind, err := think.NewMind(m, spec, cfg)
	if err != nil {
		if c.Model == "" {
			err = fmt.Errorf("%w fits: %w", session.ErrNoModel, err)
		}
		return nil, errors.Join(err, m.Close())
	}
	return think.OwnedMind{Mind: mind}, nil
}

// openWorld opens an environment by its id, or the family that reads the level text in the file of
// that name.
func openWorld(name string) (env.Env, error) {
	e, err := env.Make(name)
	if err == nil {
		return e, nil
	}
	if !isFile(name) {
		if strings.ContainsAny(name, `/\.`) && filepath.Ext(name) != "" && !errors.Is(err, env.ErrUnknown) {
			return nil, err
		}
		return nil, cli.WithCode(cli.ExitUsage, err)
	}
	return openLevel(name)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// maxLevel bounds a level's text.
const maxLevel = 1 << 20

// openLevel opens the level in a text file, of whatever family.
func openLevel(path string) (env.Env, error) {
	level, err := text.ReadFile(path, maxLevel)
	if err != nil {
		return nil, err
	}
	e, err := env.OpenLevel(level)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}
