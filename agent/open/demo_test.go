package open_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// TestSteered: the dearer a segment, the sooner the shipped model stops; from another start it thinks otherwise, from the
// same one the same.
func TestSteered(t *testing.T) {
	c := open.Demo(0)
	scene, err := open.Scene(c, think.Wishes{}, open.Run{Engine: "go"})
	if err != nil {
		t.Fatal(err)
	}
	defer scene.Agent.Close()
	mind := scene.Agent.(session.Steered)
	decide := func(price float64, start int) (thought []trace.Segment) {
		obs := make([]byte, scene.World.Spec().ObsLen)
		scene.World.Seed(c.Seed)
		scene.World.Reset(obs)
		if err := errors.Join(mind.Price(t.Context(), price), mind.Begin(t.Context(), obs, true), mind.Again(t.Context(), start)); err != nil {
			t.Fatal(err)
		}
		for len(thought) == 0 || !thought[len(thought)-1].Halted {
			var g trace.Segment
			if err := mind.Think(t.Context(), &g); err != nil {
				t.Fatal(err)
			}
			thought = append(thought, g)
		}
		return thought
	}
	free, cheap, dear := decide(0, 0), decide(0.05, 0), decide(0.9, 0)
	if len(dear) >= len(cheap) || len(cheap) != len(free) { // its own rule asks for 0.95
		t.Errorf("%d segments at 0.9, %d at 0.05, %d by its own rule", len(dear), len(cheap), len(free))
	}
	a, b := decide(0, 1), decide(0, 1)
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("one start, two thoughts: %s", d)
	}
	if cmp.Equal(a[0].Answer, free[0].Answer) && cmp.Equal(a[0].Levels, free[0].Levels) {
		t.Error("another start is the same thought")
	}
	for _, bad := range []float64{-0.1, 1, math.NaN()} {
		if err := mind.Price(t.Context(), bad); err == nil {
			t.Errorf("a price of %v is taken", bad)
		}
	}
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
