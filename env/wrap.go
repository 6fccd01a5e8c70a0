package env

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/ponder-agents/ponder/env/rng"
)

// wrapOptions are the options of every Env.
var wrapOptions = []Option{
	{"levels", "", "LO:HI: episodes are drawn from the levels of the seeds LO to HI-1"},
	{"limit", "0", "truncate after so many steps; 0 keeps the environment's own limit"},
	{"stack", "1", "observations are the last so many frames"},
	{"mask", "false", "append the action mask to the observation"},
}

func wrap(e Env, o *Options) (Env, error) {
	if s := o.String("levels"); s != "" {
		r, err := ParseRange(s)
		if err != nil {
			return nil, fmt.Errorf("option levels=%w", err)
		}
		e = Levels(e, r.Lo, r.Hi)
	}
	if n := o.Int("limit", 0, math.MaxInt32); n > 0 {
		e = Limit(e, n)
	}
	if o.Bool("mask") {
		m, err := Masked(e)
		if err != nil {
			return nil, err
		}
		e = m
	}
	if n := o.Int("stack", 1, 64); n > 1 {
		e = Stack(e, n)
	}
	return e, o.Err()
}

// A wrapper is an Env around another, with some state of its own of constant size.
type wrapper interface {
	Env
	Unwrap() Env
	over(inner Env) wrapper // a copy around another inner
	appendOwn(dst []byte) []byte
	setOwn(b []byte) error // checks b; without effect on an error
}

// finish gives w those of Snapshotter and Cloner that the Env inside has.
func finish(w wrapper) Env {
	s, saves := w.Unwrap().(Snapshotter)
	c, clones := w.Unwrap().(Cloner)
	switch {
	case saves && clones:
		return struct {
			layer
			saver
			cloner
		}{layer{w}, saver{w, s}, cloner{w, c}}
	case saves:
		return struct {
			layer
			saver
		}{layer{w}, saver{w, s}}
	case clones:
		return struct {
			layer
			cloner
		}{layer{w}, cloner{w, c}}
	}
	return w
}

// A layer keeps the wrapper itself in the chain that As follows.
type layer struct{ wrapper }

func (l layer) Unwrap() Env { return l.wrapper }

type saver struct {
	w     wrapper
	inner Snapshotter
}

func (s saver) AppendState(dst []byte) []byte {
	return s.inner.AppendState(s.w.appendOwn(dst))
}

func (s saver) SetState(state []byte) error {
	old := s.w.appendOwn(nil)
	if len(state) < len(old) {
		return fmt.Errorf("%s: snapshot of %d bytes is cut", s.w.Spec().ID, len(state))
	}
	if err := s.w.setOwn(state[:len(old)]); err != nil {
		return fmt.Errorf("%s: snapshot: %w", s.w.Spec().ID, err)
	}
	if err := s.inner.SetState(state[len(old):]); err != nil {
		return errors.Join(err, s.w.setOwn(old))
	}
	return nil
}

type cloner struct {
	w     wrapper
	inner Cloner
}

func (c cloner) Clone() Env { return finish(c.w.over(c.inner.Clone())) }

// Levels draws every episode from the levels lo to hi-1: a level is the episode that the Env
// begins after Seed(level). Disjoint ranges split training from test. hi must be above lo.
func Levels(e Env, lo, hi uint64) Env {
	if lo >= hi {
		panic(fmt.Sprintf("env.Levels: empty range %d:%d", lo, hi))
	}
	l := &levels{Env: e, lo: lo, hi: hi, draws: rng.Stream(0, "levels")}
	return finish(l)
}

type levels struct {
	Env
	lo, hi uint64
	draws  *rng.Rand
}

func (l *levels) Unwrap() Env { return l.Env }
func (l *levels) Spec() Spec {
	s := l.Env.Spec()
	s.Fixed = s.Fixed || l.hi-l.lo == 1
	return s
}
func (l *levels) Seed(seed uint64) { l.draws.Reseed(seed, "levels") }
func (l *levels) Reset(obs []byte) {
	l.Env.Seed(l.lo + l.draws.Uint64N(l.hi-l.lo))
	l.Env.Reset(obs)
}

func (l *levels) over(e Env) wrapper {
	c := &levels{Env: e, lo: l.lo, hi: l.hi, draws: rng.Stream(0, "levels")}
	if err := c.setOwn(l.appendOwn(nil)); err != nil {
		panic(err) // its own state
	}
	return c
}
func (l *levels) appendOwn(dst []byte) []byte { return l.draws.AppendState(dst) }
func (l *levels) setOwn(b []byte) error       { return l.draws.SetState(b) }

// Limit truncates an episode after n steps, if it has not ended by then.
func Limit(e Env, n int) Env {
	if n < 1 {
		panic(fmt.Sprintf("env.Limit: %d steps", n))
	}
	return finish(&limit{Env: e, n: n})
}

type limit struct {
	Env
	n, steps int
}

func (l *limit) Unwrap() Env { return l.Env }
func (l *limit) Spec() Spec {
	s := l.Env.Spec()
	if s.MaxSteps == 0 || s.MaxSteps > l.n {
		s.MaxSteps = l.n
	}
	return s
}

// Limit is the limit of the episode in progress.
func (l *limit) Limit() int {
	if in, ok := As[Limiter](l.Env); ok {
		return min(l.n, in.Limit())
	}
	return l.n
}
func (l *limit) Reset(obs []byte) { l.steps = 0; l.Env.Reset(obs) }
func (l *limit) Step(action int, obs []byte) Outcome {
	if l.steps >= l.n {
		panic("env: step after the end of the episode")
	}
	out := l.Env.Step(action, obs)
	l.steps++
	out.Truncated = out.Truncated || l.steps == l.n
	return out
}
func (l *limit) over(e Env) wrapper { return &limit{Env: e, n: l.n, steps: l.steps} }
func (l *limit) appendOwn(dst []byte) []byte {
	return binary.LittleEndian.AppendUint32(dst, uint32(l.steps))
}

func (l *limit) setOwn(b []byte) error {
	n := binary.LittleEndian.Uint32(b)
	if int64(n) > int64(l.n) {
		return fmt.Errorf("step %d is beyond the limit %d", n, l.n)
	}
	l.steps = int(n)
	return nil
}

// Stack shows the last n observations, the oldest first; an episode begins with n times its first.
func Stack(e Env, n int) Env {
	if n < 1 {
		panic(fmt.Sprintf("env.Stack: %d frames", n))
	}
	return finish(&stack{Env: e, n: n, len: e.Spec().ObsLen, frames: make([]byte, n*e.Spec().ObsLen)})
}

type stack struct {
	Env
	n, len int
	frames []byte // [n][len], oldest first
}

func (s *stack) Unwrap() Env { return s.Env }
func (s *stack) Spec() Spec {
	in := s.Env.Spec()
	fields := make([]Field, 0, s.n*len(in.Layout))
	for i := range s.n {
		for _, f := range in.Layout {
			fields = append(fields, Field{Name: fmt.Sprintf("%s-%d", f.Name, s.n-1-i), Shape: f.Shape})
		}
	}
	in.Layout, in.ObsLen = fields, s.n*s.len
	return in
}

func (s *stack) Reset(obs []byte) {
	last := s.frames[(s.n-1)*s.len:]
	s.Env.Reset(last)
	for i := range s.n - 1 {
		copy(s.frames[i*s.len:], last)
	}
	copy(obs, s.frames)
}

func (s *stack) Step(action int, obs []byte) Outcome {
	var out Outcome
	copy(s.frames, s.frames[s.len:])
	out = s.Env.Step(action, s.frames[(s.n-1)*s.len:])
	copy(obs, s.frames)
	return out
}

func (s *stack) over(e Env) wrapper {
	c := *s
	c.Env, c.frames = e, append([]byte(nil), s.frames...)
	return &c
}
func (s *stack) appendOwn(dst []byte) []byte { return append(dst, s.frames...) }
func (s *stack) setOwn(b []byte) error       { copy(s.frames, b); return nil }

// Masked appends the action mask to the observation, a byte 0 or 1 for each action. It is an error
// if e is no Masker.
func Masked(e Env) (Env, error) {
	m, ok := As[Masker](e)
	if !ok {
		return nil, fmt.Errorf("%s has no action mask", e.Spec().ID)
	}
	return finish(newMasked(e, m)), nil
}

type masked struct {
	Env
	m    Masker
	len  int
	bits []bool
}

func newMasked(e Env, m Masker) *masked {
	s := e.Spec()
	return &masked{e, m, s.ObsLen, make([]bool, len(s.Actions))}
}
func (m *masked) Unwrap() Env { return m.Env }
func (m *masked) Spec() Spec {
	s := m.Env.Spec()
	s.Layout = append(s.Layout[:len(s.Layout):len(s.Layout)], Field{Name: "mask", Shape: []int{len(m.bits)}})
	s.ObsLen += len(m.bits)
	s.Vocab = max(s.Vocab, 2)
	return s
}

func (m *masked) put(obs []byte) {
	m.m.ActionMask(m.bits)
	for i, b := range m.bits {
		obs[m.len+i] = 0
		if b {
			obs[m.len+i] = 1
		}
	}
}
func (m *masked) Reset(obs []byte) { m.Env.Reset(obs[:m.len]); m.put(obs) }
func (m *masked) Step(action int, obs []byte) Outcome {
	out := m.Env.Step(action, obs[:m.len])
	m.put(obs)
	return out
}

func (m *masked) over(e Env) wrapper {
	in, _ := As[Masker](e)
	return newMasked(e, in)
}
func (m *masked) appendOwn(dst []byte) []byte { return dst }
func (m *masked) setOwn([]byte) error         { return nil }

// Statistics counts the episodes of an Env (Gymnasium's RecordEpisodeStatistics). A Vec has the same
// in its Slab.
type Statistics struct {
	Env
	Episodes   int     // that have ended
	LastReturn float64 // of the last one that ended
	LastLength int     // its steps
	MeanReturn float64 // over all that ended
	MeanLength float64
	ret        float64
	steps      int
}

// Unwrap returns the Env inside.
func (s *Statistics) Unwrap() Env { return s.Env }

// Reset begins an episode; one in progress is not counted.
func (s *Statistics) Reset(obs []byte) {
	s.ret, s.steps = 0, 0
	s.Env.Reset(obs)
}

// Step acts and counts.
func (s *Statistics) Step(action int, obs []byte) Outcome {
	out := s.Env.Step(action, obs)
	s.ret += out.Reward
	s.steps++
	if out.Done() {
		s.Episodes++
		s.LastReturn, s.LastLength = s.ret, s.steps
		s.MeanReturn += (s.ret - s.MeanReturn) / float64(s.Episodes)
		s.MeanLength += (float64(s.steps) - s.MeanLength) / float64(s.Episodes)
	}
	return out
}
