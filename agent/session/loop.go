package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
)

// A Loop is an episode in progress, moved on by one segment or one action at a time. A [Session] runs
// one in a goroutine of its own; one goroutine uses a Loop at a time.
type Loop struct {
	*Scene
	obs     []byte
	step    trace.Step // the decision under way
	begun   bool       // the agent knows of it
	silent  bool       // the agent shows no thought
	fresh   bool       // the agent is to forget what was before
	ended   bool       // the episode
	episode int
	seed    uint64
	plan    []Edit   // to come in this episode
	made    []Edit   // in this episode
	undone  []Edit   // since its last step, the newest last
	states  [][]byte // of the world before each edit since the last step, where it has them
	starts  int      // of the decision, besides the usual one
	sum     float64  // of rewards
	steps   int      // of the episode

	rehearsed int    // the demonstration that is tried, from 1; 0 is none
	asked     []byte // state of the world that it took the place of
}

// NewLoop begins the first episode of the seed.
func NewLoop(s *Scene, seed uint64) *Loop {
	l := &Loop{Scene: s, obs: make([]byte, s.World.Spec().ObsLen), episode: -1}
	l.Reset(seed)
	return l
}

// Step is the decision under way, valid until the next call of a method: the board that it is about, what
// was thought so far, and at the end of an episode how it ended.
func (l *Loop) Step() *trace.Step { return &l.step }

// Over reports whether the episode has ended.
func (l *Loop) Over() bool { return l.ended }

// Seed is that of the episode.
func (l *Loop) Seed() uint64 { return l.seed }

// Edits are those that were made in the episode, and those to come.
func (l *Loop) Edits() []Edit { return slices.Concat(l.made, l.plan) }

// Plan makes edits when the episode comes to their steps; they stand in the order of these.
func (l *Loop) Plan(edits []Edit) error {
	l.plan = edits
	return l.follow()
}

// follow makes the edits that are due.
func (l *Loop) follow() error {
	for len(l.plan) > 0 && l.plan[0].Step <= l.steps {
		e := l.plan[0]
		l.plan = l.plan[1:]
		if err := l.edit(e.X, e.Y, e.Value); err != nil {
			l.plan = nil
			return fmt.Errorf("edit %v: %w", e, err)
		}
	}
	return nil
}

// Reset begins an episode anew from the seed.
func (l *Loop) Reset(seed uint64) {
	l.seed = seed
	l.World.Seed(seed)
	l.World.Reset(l.obs)
	l.start()
}

// start begins an episode on the level that the world stands at.
func (l *Loop) start() {
	l.episode++
	l.sum, l.steps, l.ended, l.rehearsed = 0, 0, false, 0
	l.plan, l.made = nil, nil
	l.look(true)
	l.states, l.undone = nil, nil
}

// look begins a decision about the state of the world as it is now.
func (l *Loop) look(fresh bool) {
	l.begun, l.silent, l.fresh, l.starts = false, false, fresh, 0
	l.step = trace.Step{Episode: l.episode, Index: l.steps, Seed: l.seed, Board: copyBoard(l.World.Board()), Action: -1, Return: l.sum}
}

func copyBoard(b grid.Board) grid.Board {
	s := trace.Step{Board: b}
	return s.Clone().Board
}

// think does one segment. It reports whether there was one.
func (l *Loop) think(ctx context.Context) (bool, error) {
	if !l.begun {
		if err := l.Agent.Begin(ctx, l.obs, l.fresh); err != nil {
			return false, err
		}
		l.begun = true
	}
	if l.silent {
		return false, nil
	}
	var g trace.Segment
	err := l.Agent.Think(ctx, &g)
	if errors.Is(err, ErrNoThought) {
		l.silent = true
		return false, nil
	}
	if err != nil {
		return false, err
	}
	l.step.Thought = append(l.step.Thought, g)
	return true, nil
}

// halted reports whether the agent has thought enough by its own rule.
func (l *Loop) halted() bool {
	if l.silent {
		return true
	}
	for i := range l.step.Thought {
		if l.step.Thought[i].Halted {
			return true
		}
	}
	return false
}

// act takes the agent's action, hands the finished step to put and begins the next decision.
func (l *Loop) act(ctx context.Context, put func(*trace.Step) error) error {
	if l.Whole && len(l.step.Thought) > 0 {
		return l.Take(-1, put)
	}
	action, err := l.Agent.Action(ctx)
	if err != nil {
		return err
	}
	return l.Take(action, put)
}

// Take takes an action, the agent's or a person's, hands the finished step to put, and after the last
// one the state it ended in, and begins the next decision. Action -1 gives the answer thought so far.
func (l *Loop) Take(action int, put func(*trace.Step) error) error {
	if l.ended {
		return errors.New("the episode is over: begin another")
	}
	if n := len(l.World.Spec().Actions); action >= n || action < -1 {
		return fmt.Errorf("action %d: %s has %d", action, l.World.Spec().ID, n)
	}
	s := &l.step
	s.Action = action
	if action < 0 {
		// The answer is all: the episode ends with it.
		s.Terminated = true
		if j, ok := env.As[env.Grader](l.World); ok && len(s.Thought) > 0 {
			s.Reward = j.Grade(s.Thought[len(s.Thought)-1].Answer)
		}
	} else {
		out := l.World.Step(action, l.obs)
		s.Reward, s.Terminated, s.Truncated = out.Reward, out.Terminated, out.Truncated
	}
	l.sum += s.Reward
	s.Return = l.sum
	if err := put(s); err != nil {
		return err
	}
	ended, truncated := s.Terminated, s.Truncated
	l.steps++
	l.look(false)
	l.states, l.undone = nil, nil
	if ended || truncated {
		l.ended = true
		l.step.Terminated, l.step.Truncated = ended, truncated
		if action >= 0 {
			// The last state has no decision of its own, but is to be seen.
			return put(&l.step)
		}
		return nil
	}
	return l.follow()
}

// byPerson takes a person's action, as Take.
func (l *Loop) byPerson(action int, put func(*trace.Step) error) error {
	l.step.Person = !l.ended
	return l.Take(action, put)
}

// point takes the actions that do what action does at a cell.
func (l *Loop) point(x, y, action int, put func(*trace.Step) error) error {
	p, ok := env.As[env.Pointer](l.World)
	if !ok {
		return fmt.Errorf("%s is not acted in by pointing", l.World.Spec().ID)
	}
	if n := len(l.World.Spec().Actions); action >= n || action < -1 {
		return fmt.Errorf("action %d: %s has %d", action, l.World.Spec().ID, n)
	}
	for _, a := range p.Point(nil, x, y, action) {
		if l.ended { // by its limit, on the way
			return nil
		}
		if err := l.byPerson(a, put); err != nil {
			return err
		}
	}
	return nil
}

// rehearse asks for demonstration k in place of the level, which stays as it is until -1 goes back to it.
func (l *Loop) rehearse(k int) error {
	r, ok := env.As[env.Rehearser](l.World)
	s, saves := env.As[env.Snapshotter](l.World)
	switch {
	case !ok || !saves:
		return fmt.Errorf("%s has no demonstrations to try", l.World.Spec().ID)
	case l.rehearsed == 0 && k < 0:
		return errors.New("no demonstration is being tried")
	}
	asked, was := s.AppendState(nil), l.rehearsed
	if was > 0 && k >= was-1 {
		k++ // the one that is tried does not stand beside its own question
	}
	if was > 0 {
		if err := s.SetState(l.asked); err != nil {
			return err
		}
		asked = l.asked
	}
	if k < 0 {
		l.observe()
		l.start()
		l.ended = ended(l.World)
		l.step.Terminated = l.ended
		return nil
	}
	text, err := r.Rehearsal(k)
	if err == nil {
		err = l.Load(text)
	}
	if err != nil {
		l.rehearsed = 0
		return err
	}
	l.rehearsed, l.asked = k+1, asked
	return nil
}

func ended(w World) bool {
	e, ok := env.As[env.Ender](w)
	return ok && e.Ended()
}

// edit changes the world and lets the agent begin anew.
func (l *Loop) edit(x, y, value int) error {
	e, ok := env.As[env.Editor](l.World)
	if !ok {
		return fmt.Errorf("%s cannot be edited", l.World.Spec().ID)
	}
	if l.ended {
		return errors.New("the episode is over: reset, then edit")
	}
	var before []byte
	if s, ok := env.As[env.Snapshotter](l.World); ok {
		before = s.AppendState(nil)
	}
	if err := e.Edit(x, y, value); err != nil {
		return err
	}
	l.made = append(l.made, Edit{l.steps, x, y, value})
	l.states, l.undone = append(l.states, before), nil
	l.observe()
	l.look(true)
	return nil
}

// undo takes the last edit since the last step back.
func (l *Loop) undo() error {
	n := len(l.states) - 1
	if n < 0 || l.ended {
		return errors.New("no edit to undo since the last step")
	}
	s, ok := env.As[env.Snapshotter](l.World)
	if !ok {
		return fmt.Errorf("%s cannot go back", l.World.Spec().ID)
	}
	if err := s.SetState(l.states[n]); err != nil {
		return err
	}
	last := len(l.made) - 1
	l.undone = append(l.undone, l.made[last])
	l.states, l.made = l.states[:n], l.made[:last]
	l.observe()
	l.look(true)
	return nil
}

// redo makes the edit again that was undone last.
func (l *Loop) redo() error {
	n := len(l.undone) - 1
	if n < 0 {
		return errors.New("nothing was undone since the last edit")
	}
	rest, e := l.undone[:n], l.undone[n]
	if err := l.edit(e.X, e.Y, e.Value); err != nil {
		return err
	}
	l.undone = rest
	return nil
}

// rethink begins the thought of the decision under way anew.
func (l *Loop) rethink() {
	l.begun, l.silent, l.starts = false, false, 0
	l.step.Thought = nil
}

// again begins it from another start.
func (l *Loop) again(ctx context.Context) error {
	s, ok := l.Agent.(Steered)
	switch {
	case l.ended:
		return errors.New("the episode is over: nothing to think about")
	case !ok || l.silent:
		return errors.New("this agent has no other start")
	case len(l.step.Thought) == 0:
		return errors.New("nothing thought yet to begin again")
	}
	if err := s.Again(ctx, l.starts+1); err != nil {
		return err
	}
	l.starts++
	l.step.Thought = nil
	return nil
}

func (l *Loop) observe() {
	if o, ok := env.As[env.Observer](l.World); ok {
		o.Observe(l.obs)
	}
}

// Load begins an episode on the level of a text.
func (l *Loop) Load(text string) error {
	w, ok := env.As[env.Leveler](l.World)
	if !ok {
		return fmt.Errorf("%s takes no levels as text", l.World.Spec().ID)
	}
	if err := w.SetLevel(text); err != nil {
		return err
	}
	l.observe()
	l.start()
	return nil
}

// Record plays one episode of the scene from the seed and hands its steps to sink. It stops after
// steps decisions, or at the end of the episode if steps is 0, and at the latest when the episode ends.
func Record(ctx context.Context, s *Scene, seed uint64, steps int, sink trace.Sink) error {
	l := NewLoop(s, seed)
	for n := 0; !l.ended && (steps <= 0 || n < steps); n++ {
		for !l.halted() {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if thought, err := l.think(ctx); err != nil {
				return fmt.Errorf("step %d: %w", l.steps+1, err)
			} else if !thought {
				break
			}
		}
		if err := l.act(ctx, sink.Put); err != nil {
			return fmt.Errorf("step %d: %w", l.steps+1, err)
		}
	}
	return nil
}
