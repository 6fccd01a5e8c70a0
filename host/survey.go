package host

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/env"
)

// A survey is the flags that choose among examples by what came of them.
type survey struct {
	failed   bool
	examples int
}

func (v *survey) add(f *pflag.FlagSet) {
	f.BoolVar(&v.failed, "failed", false, "only levels that are not solved, of --examples from --seed on; answers are given as a whole where the world takes them")
	f.IntVar(&v.examples, "examples", 100, "levels that are tried first, with --failed")
}

// of tries the levels of a choice, which becomes that of those that were not solved; none says that all were.
func (v *survey) of(ctx context.Context, m *ask.Mind, c *session.Choice, log io.Writer) (all []session.Example, none bool, err error) {
	c.Whole = c.Whole || takesWhole(m, *c)
	s, err := m.Scene(*c)
	if err != nil {
		return nil, false, err
	}
	defer s.Agent.Close()
	var failed []string
	err = session.Survey(ctx, s, c.Seed, v.examples, func(e session.Example) error {
		if all = append(all, e); !e.Solved {
			failed = append(failed, strconv.FormatUint(e.Seed, 10))
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	fmt.Fprintf(log, "%d of %d not solved\n", len(failed), len(all))
	if len(failed) == 0 {
		return all, true, nil
	}
	c.Seeds = strings.Join(failed, " ")
	c.Seed, err = strconv.ParseUint(failed[0], 10, 64)
	return all, false, err
}

// takesWhole reports whether the world of c takes an answer as a whole.
func takesWhole(m *ask.Mind, c session.Choice) bool {
	s, err := m.Scene(c)
	if err != nil {
		return false // of says what is wrong
	}
	defer s.Agent.Close()
	_, ok := env.As[env.Grader](s.World)
	return ok
}
