package session

import (
	"context"
	"fmt"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// An Example is what came of one level.
type Example struct {
	Seed     uint64
	Solved   bool // the episode terminated with a positive return
	Return   float64
	Steps    int
	Segments int // of all its decisions
}

// String is e in a few words.
func (e Example) String() string {
	s := "failed"
	if e.Solved {
		s = "solved"
	}
	return fmt.Sprintf("%s: return %.3g, %d segments in %d steps", s, e.Return, e.Segments, e.Steps)
}

// Survey plays the levels of n seeds, or as many as the world has, and hands what came of each to told.
func Survey(ctx context.Context, s *Scene, first uint64, n int, told func(Example) error) error {
	if l, ok := env.As[env.Counted](s.World); ok {
		n = min(n, l.Levels())
	}
	for k := range uint64(n) {
		e := &surveyed{Example{Seed: first + k}}
		if err := Record(ctx, s, e.Seed, 0, e); err != nil {
			return fmt.Errorf("seed %d: %w", e.Seed, err)
		}
		if err := told(e.Example); err != nil {
			return err
		}
	}
	return nil
}

// A surveyed example is a sink.
type surveyed struct{ Example }

// Put implements trace.Sink.
func (e *surveyed) Put(s *trace.Step) error {
	e.Segments += len(s.Thought)
	e.Return, e.Solved = s.Return, s.Terminated && s.Return > 0
	if s.Action >= 0 || len(s.Thought) > 0 {
		e.Steps++
	}
	return nil
}
