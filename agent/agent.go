package agent

import (
	"context"
	"errors"
	"fmt"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// A Policy chooses the actions of a batch of rows, each row an episode of its own.
type Policy interface {
	// Act writes one action for each row.
	//
	//	actions  [rows]          each in [0, len(Spec.Actions))
	//	obs      [rows][ObsLen]  not to be changed, valid until Act returns
	//	fresh    [rows]          obs is the first of an episode: forget the row's past
	//	thought  [rows], or nil  the policy appends the segments of each row's decision, if it thinks
	//
	// An error ends the run, and so does a panic or an action out of range, with the policy's type. A policy that takes long returns context.Cause(ctx) when ctx is done.
	Act(ctx context.Context, actions []int32, obs []byte, fresh []bool, thought [][]trace.Segment) error
}

// A Counter is a Policy that knows how many segments each row thought in its last Act, without the
// cost of recording them.
type Counter interface {
	Policy
	Segments() []int32
}

// A Sleeper is a Policy that can leave rows out: those for which no episode is left. Any action will
// do for them.
type Sleeper interface {
	Policy
	// Sleep says which rows [rows] the following calls of Act may leave out, until the next Sleep.
	Sleep(rows []bool)
}

// A Config says how long Run runs and what it records. The zero value runs until ctx is done.
type Config struct {
	Seed      uint64 // episode k is seeded with Seed+k
	Episodes  int    // run episodes 0 to Episodes-1 and stop; 0 means without end
	Steps     int    // stop when the rows have made so many steps together; 0 means no such limit
	MaxLength int    // truncate an episode after so many steps; 0 means Spec().MaxSteps

	// Sink takes every step of the episodes that count, the rows mixed, a row's steps in order. If
	// the Vec's mode is env.NoReset, an episode's last step is followed by one with Action -1 that
	// shows the board it ended on.
	Sink trace.Sink

	// Each is called at the end of each episode that counts, in the order of their ends.
	Each func(Episode)
}

// An Episode is what came of one episode.
type Episode struct {
	Index      int     `json:"index"`
	Seed       uint64  `json:"seed"`
	Length     int     `json:"length"`   // steps
	Return     float64 `json:"return"`   // sum of rewards
	Segments   int     `json:"segments"` // of all decisions; known of a Counter, or if there is a Sink
	Success    bool    `json:"success"`  // terminated with a positive reward
	Terminated bool    `json:"terminated"`
	Truncated  bool    `json:"truncated"`
}

// A row is the state of one row of the Vec.
type row struct {
	Episode
	counted bool
	board   env.Boarder // nil if the Env has none
}

// A runner is the state of one Run.
type runner struct {
	cfg     Config
	v       *env.Vec
	rows    []row
	next    int // index of the next episode
	open    int // episodes that count and have not ended
	actions []int32
	before  []float64 // returns before the step
	thought [][]trace.Segment
	steps   []trace.Step // of the step in progress, if there is a Sink
	stats   Stats
}

// Run resets v and lets p act in it until the limits of cfg are reached, ctx is done or something
// fails. It returns the statistics of the episodes that ended so far even with an error; when ctx is
// done the error is context.Cause(ctx).
func Run(ctx context.Context, v *env.Vec, p Policy, cfg Config) (Stats, error) {
	if cfg.MaxLength == 0 {
		cfg.MaxLength = v.Spec().MaxSteps
	}
	var errs []error
	if cfg.MaxLength < 1 {
		errs = append(errs, fmt.Errorf("agent: MaxLength is %d and %s has no limit of steps: an episode might never end", cfg.MaxLength, v.Spec().ID))
	}
	if cfg.Episodes < 0 || cfg.Steps < 0 {
		errs = append(errs, fmt.Errorf("agent: %d episodes and %d steps, want none negative", cfg.Episodes, cfg.Steps))
	}
	if err := errors.Join(errs...); err != nil {
		return Stats{}, err
	}
	n := v.Len()
	r := &runner{cfg: cfg, v: v, rows: make([]row, n), actions: make([]int32, n), before: make([]float64, n)}
	if cfg.Sink != nil {
		r.thought, r.steps = make([][]trace.Segment, n), make([]trace.Step, n)
	}
	for i := range r.rows {
		r.rows[i].board, _ = env.As[env.Boarder](v.Env(i))
		r.begin(i)
	}
	err := r.run(ctx, p)
	return r.stats, err
}

func (r *runner) run(ctx context.Context, p Policy) error {
	counter, _ := p.(Counter)
	sleeper, _ := p.(Sleeper)
	asleep := make([]bool, len(r.rows))
	for r.open > 0 && (r.cfg.Steps == 0 || r.stats.Steps < r.cfg.Steps) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for i := range r.thought {
			r.thought[i] = r.thought[i][:0]
		}
		if sleeper != nil {
			for i := range r.rows {
				asleep[i] = !r.rows[i].counted
			}
			sleeper.Sleep(asleep)
		}
		if err := r.act(ctx, p); err != nil {
			return err
		}
		for i := range r.rows {
			w := &r.rows[i]
			if counter != nil {
				w.Segments += int(counter.Segments()[i])
			} else if r.thought != nil {
				w.Segments += len(r.thought[i])
			}
			r.before[i] = w.Return
			if r.cfg.Sink != nil && w.counted {
				r.look(i)
			}
		}
		if err := r.v.Step(r.actions); err != nil {
			return fmt.Errorf("policy %T: %w", p, err)
		}
		for i := range r.rows {
			if err := r.after(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// act lets p decide.
func (r *runner) act(ctx context.Context, p Policy) (err error) {
	defer Recover(&err, "policy", p)
	return p.Act(ctx, r.actions, r.v.Obs, r.v.Fresh, r.thought)
}

// begin starts the next episode in row i. Rows for which none is left go on uncounted, because a
// Vec steps all its rows.
func (r *runner) begin(i int) {
	w := &r.rows[i]
	w.Episode = Episode{Index: r.next, Seed: r.cfg.Seed + uint64(r.next)}
	w.counted = r.cfg.Episodes == 0 || r.next < r.cfg.Episodes
	if w.counted {
		r.next++
		r.open++
	}
	r.v.ResetRow(i, w.Seed)
}

// look records row i before its action.
func (r *runner) look(i int) {
	w := &r.rows[i]
	s := trace.Step{Episode: w.Index, Index: w.Length, Seed: w.Seed, Thought: r.thought[i], Action: int(r.actions[i])}
	if w.board != nil {
		s.Board = w.board.Board()
	}
	r.steps[i] = s
}

// after takes in what the step brought to row i.
func (r *runner) after(i int) error {
	w := &r.rows[i]
	w.Return, w.Length = r.v.Returns[i], int(r.v.Lengths[i])
	w.Terminated, w.Truncated = r.v.Terminated[i], r.v.Truncated[i]
	ended := w.Terminated || w.Truncated
	if !ended && w.Length >= r.cfg.MaxLength {
		w.Truncated = true
	}
	if w.counted {
		r.stats.Steps++
		if err := r.record(i, ended); err != nil {
			return err
		}
	}
	if !w.Terminated && !w.Truncated {
		return nil
	}
	if w.counted {
		w.Success = w.Terminated && r.v.Rewards[i] > 0
		r.stats.add(w.Episode)
		r.open--
		if r.cfg.Each != nil {
			r.cfg.Each(w.Episode)
		}
	}
	r.begin(i)
	return nil
}

// record hands the step of row i to the Sink, after its last one the board it ended on. The Vec has
// already begun another episode there if it resets by itself and the Env, not Run, ended this one.
func (r *runner) record(i int, ended bool) error {
	if r.cfg.Sink == nil {
		return nil
	}
	w, s := &r.rows[i], &r.steps[i]
	s.Reward, s.Return = w.Return-r.before[i], w.Return
	s.Terminated, s.Truncated = w.Terminated, w.Truncated
	if err := r.cfg.Sink.Put(s); err != nil {
		return fmt.Errorf("trace of episode %d: %w", w.Index, err)
	}
	replaced := ended && r.v.Config().Autoreset == env.SameStep
	if !s.Terminated && !s.Truncated || w.board == nil || replaced {
		return nil
	}
	last := trace.Step{
		Episode: w.Index, Index: w.Length, Seed: w.Seed, Board: w.board.Board(), Action: -1,
		Return: w.Return, Terminated: w.Terminated, Truncated: w.Truncated,
	}
	if err := r.cfg.Sink.Put(&last); err != nil {
		return fmt.Errorf("trace of episode %d: %w", w.Index, err)
	}
	return nil
}
