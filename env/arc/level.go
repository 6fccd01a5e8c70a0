package arc

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/ponder-agents/ponder/env"
)

// textID is the id of the tasks of a text.
const textID = "arc/file-v0"

// openLevel opens the tests of the tasks in a text, in any layout that Read takes, whose answers are known.
func openLevel(s string) (env.Env, error) {
	if s = strings.TrimSpace(s); !strings.HasPrefix(s, "{") && !strings.HasPrefix(s, "[") {
		return nil, nil
	}
	c := contents{name: "file"}
	var err error
	if first, rest, _ := strings.Cut(s, "\n"); strings.TrimSpace(rest) != "" && json.Valid([]byte(first)) && !json.Valid([]byte(s)) {
		err = c.readLines(strings.NewReader(s))
	} else {
		err = c.read([]byte(s))
	}
	if errors.Is(err, errForeign) {
		return nil, nil
	}
	if c.bad(err); len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	cfg := WorldConfig{Trials: 2}
	var levels []string
	largest := 0
	for _, f := range c.found {
		for _, test := range f.Test {
			n := len(test.Output.Cells)
			if n == 0 || len(levels) == env.MostLevels {
				continue
			}
			one := Task{Name: f.Name, Train: f.Train[:min(len(f.Train), maxDemos)], Test: []Pair{test}}
			if cfg.Task == nil {
				cfg.Task = &one
			}
			largest, cfg.Demos = max(largest, n), max(cfg.Demos, len(one.Train))
			levels = append(levels, string(bytes.TrimSpace(one.AppendJSON(nil))))
		}
	}
	if len(levels) == 0 {
		return nil, errors.New("arc: no test whose output is known")
	}
	cfg.MaxSteps = steps(largest)
	w, err := NewWorld(textID, cfg)
	if err != nil {
		return nil, err
	}
	return env.Level(w, levels...)
}
