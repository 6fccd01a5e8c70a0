package trace

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// Live is a ring of the newest steps and the decision under way, for one writer and any number of
// readers. Nothing in it waits: the writer overwrites the oldest step when the ring is full, and a
// reader that comes too late is told so. Steps that were read must not be changed.
type Live struct {
	slots    []atomic.Pointer[slot]
	first    atomic.Int64 // oldest step still kept
	end      atomic.Int64 // one past the newest
	thinking atomic.Pointer[Step]
	version  atomic.Uint64

	bytes    int // of the steps kept; the writer's
	maxBytes int
}

type slot struct {
	n     int64
	bytes int
	step  *Step
}

// NewLive makes a ring that keeps up to steps steps (at least 1) of together about maxBytes bytes, and
// the newest step always.
func NewLive(steps, maxBytes int) *Live {
	return &Live{slots: make([]atomic.Pointer[slot], max(steps, 1)), maxBytes: maxBytes}
}

// Put appends a copy of s and ends the decision under way. It never fails and never waits.
func (l *Live) Put(s *Step) error {
	end, first := l.end.Load(), l.first.Load()
	bytes := s.memBytes()
	for ; first < end && (end-first >= int64(len(l.slots)) || l.bytes+bytes > l.maxBytes); first++ {
		p := &l.slots[first%int64(len(l.slots))]
		l.bytes -= p.Load().bytes
		l.first.Store(first + 1)
		p.Store(nil)
	}
	l.slots[end%int64(len(l.slots))].Store(&slot{n: end, bytes: bytes, step: s.Clone()})
	l.bytes += bytes
	l.end.Store(end + 1)
	l.thinking.Store(nil)
	l.version.Add(1)
	return nil
}

// Think publishes the decision under way with the segments thought so far; nil withdraws it. Of s only
// the step and its list of segments are copied: its board and the arrays of its segments must not be
// changed any more.
func (l *Live) Think(s *Step) {
	if s != nil {
		c := *s
		c.Thought = slices.Clone(s.Thought)
		s = &c
	}
	l.thinking.Store(s)
	l.version.Add(1)
}

// Thinking is the decision under way, or nil.
func (l *Live) Thinking() *Step { return l.thinking.Load() }

// Version grows with every Put and Think, so that a reader need not look when nothing is new.
func (l *Live) Version() uint64 { return l.version.Load() }

// Range is the numbers of the steps kept: first, up to but not including end.
func (l *Live) Range() (first, end int) {
	// end is read first: a step that is dropped in between makes the range smaller, never wrong.
	e := l.end.Load()
	f := l.first.Load()
	return int(min(f, e)), int(e)
}

// Step returns step n. It is an error if n was dropped or never put.
func (l *Live) Step(n int) (*Step, error) {
	if n >= 0 {
		if p := l.slots[n%len(l.slots)].Load(); p != nil && p.n == int64(n) {
			return p.step, nil
		}
	}
	first, end := l.Range()
	return nil, fmt.Errorf("trace: step %d is not kept: the ring holds %d to %d", n, first, end-1)
}

// Info sums up step n; false if n is not kept.
func (l *Live) Info(n int) (Info, bool) {
	s, err := l.Step(n)
	if err != nil {
		return Info{}, false
	}
	return s.Info(), true
}
