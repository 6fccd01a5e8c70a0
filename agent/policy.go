package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// ByRow makes a Policy of a function that decides for one row: a rule, a planner.
type ByRow func(ctx context.Context, row int, obs []byte, fresh bool) (action int, err error)

// Act implements Policy.
func (f ByRow) Act(ctx context.Context, actions []int32, obs []byte, fresh []bool, _ [][]trace.Segment) error {
	obsLen := len(obs) / len(actions)
	for i := range actions {
		a, err := f(ctx, i, obs[i*obsLen:(i+1)*obsLen:(i+1)*obsLen], fresh[i])
		if err != nil {
			return err
		}
		actions[i] = int32(a)
	}
	return nil
}

// Oracle lets the oracle of the environments of v play: the one named ("bot" sees what an agent sees,
// "plan" everything), or the best one if name is empty. The policy belongs to v.
func Oracle(v *env.Vec, name string) (Policy, error) { return oracle(v, name, false) }

// Advice is Oracle that says -1 where it knows no way: to imitate it where others act.
func Advice(v *env.Vec, name string) (Policy, error) { return oracle(v, name, true) }

func oracle(v *env.Vec, name string, advice bool) (Policy, error) {
	oracles := make([]env.Oracle, v.Len())
	for i := range oracles {
		id := v.Env(i).Spec().ID
		entry, _, err := env.Lookup(id)
		if err != nil {
			return nil, err
		}
		found, err := pick(entry.Oracles, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		e := v.Env(i)
		if oracles[i], err = found.Open(env.Innermost(e)); err != nil {
			return nil, fmt.Errorf("%s: oracle %s: %w", id, found.Name, err)
		}
	}
	return ByRow(func(_ context.Context, i int, _ []byte, _ bool) (int, error) {
		a, err := oracles[i].Act()
		switch {
		case err != nil && advice:
			return -1, nil
		case err != nil:
			return 0, fmt.Errorf("oracle of %s: %w", v.Env(i).Spec().ID, err)
		}
		return a, nil
	}), nil
}

// CheckOracle reports why an environment has no oracle of that name; "" is its best.
func CheckOracle(id, name string) error {
	entry, _, err := env.Lookup(id)
	if err == nil {
		_, err = pick(entry.Oracles, name)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", id, err)
	}
	return err
}

func pick(oracles []env.OracleEntry, name string) (env.OracleEntry, error) {
	var names []string
	for _, o := range oracles {
		if name == "" || o.Name == name {
			return o, nil
		}
		names = append(names, o.Name)
	}
	if len(names) == 0 {
		return env.OracleEntry{}, errors.New("has no oracle")
	}
	return env.OracleEntry{}, fmt.Errorf("has no oracle %q, but %s", name, strings.Join(names, ", "))
}
