package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// branch lets the decision under way be thought until it halts, and asks what acting after 1, 2, 4, ... and the most segments
// would bring, and after as many as were thought.
func (s *Session) branch(ctx context.Context) error {
	l := s.loop
	agent, ok := l.Agent.(Brancher)
	from, copies := env.As[env.Snapshotter](l.World)
	switch {
	case !ok:
		return errors.New("this agent cannot be asked what else it might have done")
	case !copies:
		return fmt.Errorf("%s cannot be copied, which branches need", l.World.Spec().ID)
	case l.ended:
		return errors.New("the episode is over: nothing is left to decide")
	}
	for !l.halted() {
		if !s.think(ctx) && !l.halted() {
			return nil // it has said why
		}
	}
	if len(l.step.Thought) == 0 {
		return errors.New("this agent has no thought to branch")
	}
	s.busy("branching")
	defer s.busy("")
	scene, err := s.open(ctx, s.now.Choice)
	if err != nil {
		return err
	}
	defer scene.Agent.Close()
	to, _ := env.As[env.Snapshotter](scene.World)
	b := &trace.Branches{Episode: l.step.Episode, Index: l.step.Index, Segments: []int{len(l.step.Thought)}}
	most := max(s.now.Header.MaxSegments, 1)
	for n := 1; n < most; n *= 2 {
		b.Segments = append(b.Segments, n)
	}
	b.Segments = append(b.Segments, most)
	slices.Sort(b.Segments)
	b.Segments = slices.Compact(b.Segments)
	for _, n := range b.Segments {
		if err := to.SetState(from.AppendState(nil)); err != nil {
			return err
		}
		worth, err := agent.Worth(ctx, scene.World, slices.Clone(l.obs), n)
		if err != nil {
			return err
		}
		b.Worth = append(b.Worth, worth)
	}
	s.now.Branches = b
	return nil
}
