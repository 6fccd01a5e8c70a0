package gym

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/env"
)

// An Env is one environment of a worker as an env.Env: its observations are bytes or real numbers, its
// action is one of n, named by their numbers.
//
// A value of a Box of real numbers is a float32 (env.Field.Real), one of whole numbers is itself, of a Discrete or MultiDiscrete its distance from the
// least; a Text is its UTF-8, padded with zeros.
//
// An env.Env cannot return errors. Once something failed, Reset writes zeros, Step truncates at once,
// and [Env.Err] says what it was.
type Env struct {
	w       *Worker
	row     int
	rows    [1]int // row
	seeds   [1]uint64
	action  [1]float64
	spec    env.Spec
	timeout time.Duration
	seeded  bool // seeds is to be used by the next Reset
	ended   bool
	start   float64 // the least action
	err     error

	// Of those that env.Make opens: all episodes have a seed that follows from seeds, so that one can be played again.
	replays bool
	episode uint64  // resets since Seed
	played  []int32 // actions of the episode
}

// Open starts a worker with cfg.N environments, whose autoreset is none, and returns each as an Env.
// timeout bounds every call of them, 0 has no bound. Close of any ends the worker of all. They may be
// used by different goroutines, but take turns.
//
// It is an error if the observations are something else than real numbers and bytes: Box, if of whole numbers
// within 0 to 255, Discrete and MultiDiscrete of at most 256 values, MultiBinary, Text, and Dict and Tuple
// of these.
func Open(ctx context.Context, cfg Config, timeout time.Duration) ([]*Env, error) {
	cfg.Autoreset = env.NoReset
	w, err := Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	spec, least, err := w.byteSpec()
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("gym %s: %w; use a Worker", cfg.ID, err)
	}
	envs := make([]*Env, w.Len())
	for i := range envs {
		envs[i] = &Env{w: w, row: i, rows: [1]int{i}, spec: spec, timeout: timeout, seeded: true, ended: true, start: least}
	}
	return envs, nil
}

// byteSpec is the Spec of the worker's environments, and their least action.
func (w *Worker) byteSpec() (env.Spec, float64, error) {
	s := env.Spec{ID: w.info.ID, MaxSteps: w.info.MaxSteps}
	for k := range w.obs {
		l := &w.obs[k]
		name := l.Name
		if name == "" {
			name = "obs"
		}
		shape := l.Space.Shape
		if len(shape) == 0 {
			shape = []int{1}
		}
		f := env.Field{Name: name, Shape: shape, Real: isFloat(l)}
		for i := range l.Elems {
			if f.Real {
				s.Vocab = 256
				break
			}
			lo, hi := l.bounds(i)
			if l.Space.Kind != Box {
				lo, hi = 0, hi-lo
			}
			if lo < 0 || hi > 255 {
				return s, 0, fmt.Errorf("the observation %s has values from %v to %v, not bytes", name, lo, hi)
			}
			s.Vocab = max(s.Vocab, int(hi)+1)
		}
		s.Layout = append(s.Layout, f)
		s.ObsLen += f.Len()
	}
	if len(w.actions) != 1 || w.actions[0].Space.Kind != Discrete || w.actions[0].Space.N[0] > 1<<20 {
		return s, 0, fmt.Errorf("its action is not one of a Discrete space")
	}
	for i := range w.actions[0].Space.N[0] {
		s.Actions = append(s.Actions, strconv.FormatInt(w.actions[0].Space.Start[0]+i, 10))
	}
	return s, float64(w.actions[0].Space.Start[0]), nil
}

// Spec describes the environment; MaxSteps is 0 if no limit is known.
func (e *Env) Spec() env.Spec { return e.spec }

// Seed sets the seed of the next Reset.
func (e *Env) Seed(seed uint64) { e.seeds[0], e.seeded = seed, true }

// Reset begins an episode.
func (e *Env) Reset(obs []byte) {
	ctx, cancel := e.bound()
	defer cancel()
	if e.err == nil {
		var seeds []uint64
		switch {
		case e.replays:
			if e.seeded {
				e.episode = 0
			}
			e.episode++
			seeds = []uint64{e.episodeSeed()}
		case e.seeded:
			seeds = e.seeds[:]
		}
		e.err = e.w.ResetRows(ctx, e.rows[:], seeds)
	}
	e.seeded, e.ended, e.played = false, false, e.played[:0]
	e.write(obs)
}

// Step acts.
func (e *Env) Step(action int, obs []byte) env.Outcome {
	if action < 0 || action >= len(e.spec.Actions) {
		panic(fmt.Sprintf("gym: action %d is not in [0, %d)", action, len(e.spec.Actions)))
	}
	if e.ended {
		panic("gym: step after the end of the episode")
	}
	ctx, cancel := e.bound()
	defer cancel()
	if e.err == nil {
		e.action[0] = e.start + float64(action)
		e.err = e.w.StepRows(ctx, e.rows[:], e.action[:])
		if e.replays {
			e.played = append(e.played, int32(action))
		}
	}
	e.write(obs)
	out := env.Outcome{Truncated: true}
	if e.err == nil {
		out = env.Outcome{Reward: e.w.Rewards[e.row], Terminated: e.w.Terminated[e.row], Truncated: e.w.Truncated[e.row]}
	}
	e.ended = out.Done()
	return out
}

// Err is the first error of the environment, or nil.
func (e *Env) Err() error { return e.err }

// Worker is the environment's worker.
func (e *Env) Worker() *Worker { return e.w }

// Mission is the text in the observation that is called mission, or all texts in it.
func (e *Env) Mission() string {
	var all []string
	for k := range e.w.obs {
		if l := &e.w.obs[k]; l.Space.Kind == Text {
			if l.Name == "mission" {
				return l.Text(e.w.ObsRow(e.row))
			}
			all = append(all, l.Text(e.w.ObsRow(e.row)))
		}
	}
	return strings.Join(all, " ")
}

// Close ends the worker, and with it the other environments in it.
func (e *Env) Close() error { return e.w.Close() }

func (e *Env) bound() (context.Context, context.CancelFunc) {
	if e.timeout == 0 {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), e.timeout)
}

// write puts the observation into obs.
func (e *Env) write(obs []byte) {
	if len(obs) != e.spec.ObsLen {
		panic(fmt.Sprintf("gym: observation of %d bytes, want %d", len(obs), e.spec.ObsLen))
	}
	if e.err != nil {
		clear(obs)
		return
	}
	row, at := e.w.ObsRow(e.row), 0
	for k := range e.w.obs {
		l := &e.w.obs[k]
		for i := range l.Elems {
			v := l.read(row[l.Offset+i*l.size:])
			if isFloat(l) {
				binary.LittleEndian.PutUint32(obs[at:], math.Float32bits(float32(v)))
				at += 4
				continue
			}
			if l.Space.Kind != Box {
				lo, _ := l.bounds(i)
				v -= lo
			}
			obs[at] = byte(v)
			at++
		}
	}
}
