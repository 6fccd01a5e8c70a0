package env

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseActions reads actions of an environment, numbers or names, with commas: "2,1,forward".
func ParseActions(s string, spec Spec) ([]int, error) {
	var out []int
	for i, f := range strings.Split(s, ",") {
		if f = strings.TrimSpace(f); f == "" && s == "" {
			break
		}
		a, err := strconv.Atoi(f)
		if err != nil {
			a = slices.Index(spec.Actions, f)
		}
		if a < 0 || a >= len(spec.Actions) {
			return nil, fmt.Errorf("action %d: %q is neither in [0, %d) nor one of %s", i, f, len(spec.Actions), strings.Join(spec.Actions, ", "))
		}
		out = append(out, a)
	}
	return out, nil
}

// Begin puts e at the level of a seed or, where level is not empty, at the one in that text (a Leveler's), and takes actions.
func Begin(e Env, seed uint64, level string, actions []int) error {
	id := e.Spec().ID
	obs := make([]byte, e.Spec().ObsLen)
	e.Seed(seed)
	e.Reset(obs)
	if level != "" {
		l, ok := As[Leveler](e)
		if !ok {
			return fmt.Errorf("%s has no text form", id)
		}
		if err := l.SetLevel(level); err != nil {
			return err
		}
	}
	for i, a := range actions {
		if out := e.Step(a, obs); out.Done() && i+1 < len(actions) {
			return fmt.Errorf("%s: the episode ended after %d of %d actions", id, i+1, len(actions))
		}
	}
	return nil
}
