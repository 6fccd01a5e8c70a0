package session

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// ErrNoModel says that there is no model for an environment, so that another agent may play.
var ErrNoModel = errors.New("no model")

// Check reports what is wrong with c on any machine; its rule is the mind's to check.
func (c Choice) Check() error {
	if !slices.Contains(trace.Agents(), c.Agent) {
		return fmt.Errorf("agent %q: want one of hrm, oracle, random, human", c.Agent)
	}
	for _, s := range strings.Fields(c.Seeds) {
		if _, err := strconv.ParseUint(s, 10, 64); err != nil {
			return fmt.Errorf("seeds: %q: want whole numbers from 0 on", s)
		}
	}
	_, err := ParseEdits(c.Edits)
	return err
}

// OpenScene opens the agent of c in e; mind opens the one of a Network. Where its error is ErrNoModel and
// c names no model, the oracle plays instead, and chance where there is none; the scene's header says who.
func OpenScene(e env.Env, c Choice, mind func(w World) (Agent, error)) (*Scene, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	w, err := WorldOf(e)
	if err != nil {
		return nil, err
	}
	s := &Scene{World: w, Whole: c.Whole}
	if _, ok := env.As[env.Grader](w); c.Whole && !ok {
		return nil, fmt.Errorf("%s takes no answer as a whole", w.Spec().ID)
	}
	switch c.Agent {
	case trace.Network:
		s.Agent, err = mind(w)
		if errors.Is(err, ErrNoModel) && c.Model == "" {
			if s.Agent, err = OpenOracle(e); err != nil {
				s.Agent, err = NewRandom(w, c.Seed), nil
			}
		}
	case trace.Oracle:
		s.Agent, err = OpenOracle(e)
	case trace.Chance:
		s.Agent = NewRandom(w, c.Seed)
	case trace.Human:
		s.Agent = NewHuman()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenOracle is the Agent of the best oracle of e.
func OpenOracle(e env.Env) (Agent, error) {
	id := e.Spec().ID
	entry, _, err := env.Lookup(id)
	if err != nil {
		return nil, err
	}
	if len(entry.Oracles) == 0 {
		return nil, fmt.Errorf("%s has no oracle: try random or human", id)
	}
	var problem error
	for _, oracle := range entry.Oracles { // the best one that can: a plan does not follow BabyAI's instructions
		o, err := oracle.Open(env.Innermost(e)) // an oracle plays the world itself
		if err == nil {
			return NewOracle(o), nil
		}
		problem = err
	}
	return nil, problem
}
