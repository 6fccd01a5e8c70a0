package exam

import (
	"context"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// A Surprise says how long a model thinks some decisions after the map before it changed otherwise than by the
// agent's own step, as by a door that opens.
type Surprise struct {
	Since        int     `json:"since"` // decisions since the change, 0 the first that sees it; -1 are those before any change
	Decisions    int     `json:"decisions"`
	MeanSegments float64 `json:"mean_segments"` // a decision
}

// mostSince is the last Since that is told apart; later ones count with it.
const mostSince = 6

// A watcher is a policy whose decisions are counted by how long ago the map changed. The first decision of an episode is
// not among them: everything is new to it.
type watcher struct {
	*think.Policy
	field  env.Field
	rows   []watched
	asleep []bool
	sums   [mostSince + 2]struct{ decisions, segments int } // by Since+1
}

type watched struct {
	before []byte // the map of its last decision, without the agent
	since  int
}

// watch is p, watched, and nil where observations are no map that shows the agent.
func watch(p *think.Policy, spec env.Spec, rows int) *watcher {
	field, ok := spec.Map()
	if !ok {
		return nil
	}
	return &watcher{Policy: p, field: field, rows: make([]watched, rows)}
}

// Sleep implements agent.Sleeper.
func (w *watcher) Sleep(rows []bool) {
	w.asleep = rows
	w.Policy.Sleep(rows)
}

// Act implements agent.Policy.
func (w *watcher) Act(ctx context.Context, actions []int32, obs []byte, fresh []bool, thought [][]trace.Segment) error {
	if err := w.Policy.Act(ctx, actions, obs, fresh, thought); err != nil {
		return err
	}
	n := len(obs) / len(w.rows)
	for i := range w.rows {
		if w.asleep == nil || !w.asleep[i] {
			w.look(&w.rows[i], obs[i*n:(i+1)*n], fresh[i], int(w.Segments()[i]))
		}
	}
	return nil
}

func (w *watcher) look(r *watched, obs []byte, fresh bool, segments int) {
	changed := false
	r.before = append(r.before, make([]byte, len(obs)-len(r.before))...)
	for k, b := range obs {
		if b == w.field.Agent {
			b = w.field.Under
		}
		changed = changed || b != r.before[k]
		r.before[k] = b
	}
	switch {
	case fresh:
		r.since = -1
		return
	case changed:
		r.since = 0
	case r.since >= 0 && r.since < mostSince:
		r.since++
	}
	s := &w.sums[r.since+1]
	s.decisions++
	s.segments += segments
}

// found is what was counted; none where no map ever changed by itself.
func (w *watcher) found() (all []Surprise) {
	for k, s := range w.sums {
		if s.decisions > 0 {
			all = append(all, Surprise{k - 1, s.decisions, float64(s.segments) / float64(s.decisions)})
		}
	}
	if len(all) == 1 && all[0].Since < 0 {
		return nil
	}
	return all
}
