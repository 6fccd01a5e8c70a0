package open_test

import (
	"testing"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	_ "github.com/ponder-agents/ponder/engine"
	_ "github.com/ponder-agents/ponder/env/families"
)

// keeper keeps the steps of an episode.
type keeper []*trace.Step

// Put implements trace.Sink.
func (k *keeper) Put(s *trace.Step) error {
	*k = append(*k, s.Clone())
	return nil
}

// TestDemo: what newcomers see first thinks: at least six segments change three cells of the answer or more, and the
// last answers.
func TestDemo(t *testing.T) {
	scene, err := open.Scene(open.Demo(0), think.Wishes{}, open.Run{Engine: "go"})
	if err != nil {
		t.Fatal(err)
	}
	defer scene.Agent.Close()
	seen := make(map[uint64]bool)
	for n := range open.Demos() {
		if n > 2 && testing.Short() {
			break
		}
		c := open.Demo(n)
		if seen[c.Seed] {
			t.Errorf("seed %d comes twice", c.Seed)
		}
		seen[c.Seed] = true
		var steps keeper
		if err := session.Record(t.Context(), scene, c.Seed, 0, &steps); err != nil {
			t.Fatal(err)
		}
		if len(steps) != 1 || steps[0].Reward != 1 || !steps[0].Terminated {
			t.Errorf("seed %d: %d steps, reward %v; want the solution in one", c.Seed, len(steps), steps[0].Reward)
		}
		thought := steps[0].Thought
		much := 0
		for k := 1; k < len(thought); k++ {
			changed := 0
			for i, d := range thought[k].Answer {
				if d != thought[k-1].Answer[i] {
					changed++
				}
			}
			if changed >= 3 {
				much++
			}
		}
		if much < 6 {
			t.Errorf("seed %d: %d of %d segments change three digits or more, want 6", c.Seed, much, len(thought))
		}
	}
}
