package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
)

// errNoModel says that there is no model for an environment, so that another agent may play.
var errNoModel = errors.New("no model")

// openScene opens an environment by id, or the level in a file, and the agent that is to play it,
// thinking as f says. An hrm without a model for the environment is replaced by the oracle, and by
// chance where there is none; the trace's header says who plays.
func openScene(c session.Choice, f *mindFlags) (*session.Scene, error) {
	if err := checkChoice(c); err != nil {
		return nil, err
	}
	e, id, err := openWorld(c.Env)
	if err != nil {
		return nil, err
	}
	w, err := session.WorldOf(e)
	if err != nil {
		return nil, err
	}
	s := &session.Scene{World: w}
	switch c.Agent {
	case trace.Network:
		s.Agent, err = openMind(c, w.Spec(), *f)
		if errors.Is(err, errNoModel) && c.Model == "" {
			if s.Agent, err = openOracle(id, e); err != nil {
				s.Agent, err = session.NewRandom(w, c.Seed), nil
			}
		}
	case trace.Oracle:
		s.Agent, err = openOracle(id, e)
	case trace.Chance:
		s.Agent = session.NewRandom(w, c.Seed)
	case trace.Human:
		s.Agent = session.NewHuman()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openMind opens the model that is to think in a world: c.Model, or the one shipped for its family.
func openMind(c session.Choice, spec env.Spec, f mindFlags) (session.Agent, error) {
	name := c.Model
	if name == "" {
		if name = shippedFor(spec.ID); name == "" {
			return nil, fmt.Errorf("%w is shipped for %s", errNoModel, spec.ID)
		}
	}
	m, err := (&modelFlags{model: name, engineFlags: f.engineFlags}).open()
	if c.Model == "" && errors.Is(err, engine.ErrPolicy) {
		return nil, fmt.Errorf("%w for %s: %w", errNoModel, spec.ID, err)
	}
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
			err = fmt.Errorf("%w fits: %w", errNoModel, err)
		}
		return nil, errors.Join(err, m.Close())
	}
	return owner{mind, m}, nil
}

// An owner is a mind that closes its model.
type owner struct {
	*think.Mind
	model *think.Model
}

func (o owner) Close() error { return errors.Join(o.Mind.Close(), o.model.Close()) }

// checkChoice reports what is wrong with c on any machine.
func checkChoice(c session.Choice) error {
	if !slices.Contains(trace.Agents(), c.Agent) {
		return usagef("agent %q: want one of hrm, oracle, random, human", c.Agent)
	}
	if rule := new(act.Rule); c.Rule != "" && rule.UnmarshalText([]byte(c.Rule)) != nil {
		return usagef("rule %q: want halt-over-continue, halt-above or never", c.Rule)
	}
	return nil
}

// openOracle opens the best oracle of the environment id.
func openOracle(id string, e env.Env) (session.Agent, error) {
	entry, _, err := env.Lookup(id)
	if err != nil {
		return nil, err
	}
	if len(entry.Oracles) == 0 {
		return nil, fmt.Errorf("%s has no oracle: try --agent random or human", id)
	}
	o, err := entry.Oracles[0].Open(env.Innermost(e)) // an oracle plays the world itself
	if err != nil {
		return nil, err
	}
	return session.NewOracle(o), nil
}

// openWorld opens an environment by its id, or the family that reads the level text in the file of
// that name.
func openWorld(name string) (env.Env, string, error) {
	e, err := env.Make(name)
	if err == nil {
		return e, e.Spec().ID, nil
	}
	if !isFile(name) {
		if strings.ContainsAny(name, `/\.`) && filepath.Ext(name) != "" && !errors.Is(err, env.ErrUnknown) {
			return nil, "", err
		}
		return nil, "", withCode(exitUsage, err)
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
func openLevel(path string) (env.Env, string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", err
	}
	if info.Size() > maxLevel {
		return nil, "", fmt.Errorf("%s: %d bytes are no level", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	e, err := env.OpenLevel(string(text))
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return e, e.Spec().ID, nil
}
