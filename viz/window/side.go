package window

import (
	"fmt"
	"time"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/viz"
)

// A side is one agent shown: a session, or a trace that is replayed.
type side struct {
	session *session.Session
	now     *session.Status // that the frame shows
	file    viz.History     // of a replay, else nil
	header  trace.Header
	name    string // of the file

	follow  bool // show the newest
	step    int  // shown, where not following
	segment int  // shown; beyond the last means the last

	view  viz.View
	board grid.Board // that the agent glides from
	start time.Time  // of the glide
	mean  statistics

	read   *trace.Step // from the file last
	readAt int
	last   *trace.Step // of the session, the newest seen with a thought
	lastOf viz.History

	waits bool      // the session was told to
	bound *position // the newest that is shown where two are compared: as far as the slower has come; nil without
}

// status is what the session did when the frame began: all of a frame shows one.
func (s *side) status() *session.Status {
	if s.now == nil {
		s.now = s.session.Status()
	}
	return s.now
}

// A position is how far an agent has come.
type position struct {
	episode, index, segments int
	done                     bool // no segment of the decision is to come
}

// before reports whether p is a decision before q.
func (p position) before(q position) bool {
	return p.episode < q.episode || p.episode == q.episode && p.index < q.index
}

// position is where s is; false before there is anything.
func (s *side) position() (p position, ok bool) {
	h := s.history()
	first, end := h.Range()
	if first == end {
		return p, false
	}
	step, err := h.Step(end - 1)
	if err != nil {
		return p, false
	}
	done := !viz.Thinks(s.header) || viz.HaltedAt(step) >= 0 || step.Terminated || step.Truncated
	return position{step.Episode, step.Index, len(step.Thought), done}, true
}

// keepUp shows s, which has come to at, no further than the other it is compared with, and lets it wait for that.
func (s *side) keepUp(at, other position) {
	ahead := other.before(at)
	// Both were looked at once: what came since is for the next frame.
	s.bound = &at
	if ahead || other.episode == at.episode && other.index == at.index && other.segments < at.segments {
		if other.done {
			other.segments = lastSegment
		}
		s.bound = &other
	}
	s.wait(ahead)
}

// wait lets the session stop before its next move, or go on.
func (s *side) wait(yes bool) {
	if s.session == nil || s.waits == yes {
		return
	}
	c := session.Command{Op: session.OpWait}
	if yes {
		c.Value = 1
	}
	if s.session.Send(c) {
		s.waits = yes
	}
}

// statistics of the segments of the steps up to one.
type statistics struct {
	of               viz.History
	end, sum, n, max int
}

// upTo counts the steps of h before end, going on from where it was.
func (t *statistics) upTo(h viz.History, end int) (mean float64, most int) {
	if t.of != h || t.end > end {
		*t = statistics{of: h}
	}
	for ; t.end < end; t.end++ {
		if info, ok := h.Info(t.end); ok && info.Segments > 0 {
			t.sum += info.Segments
			t.n++
			t.max = max(t.max, info.Segments)
		}
	}
	if t.n == 0 {
		return 0, 0
	}
	return float64(t.sum) / float64(t.n), t.max
}

// An ongoing history is a trace with the decision under way at its end.
type ongoing struct {
	viz.History
	thinking *trace.Step
}

func (t ongoing) Range() (first, end int) {
	first, end = t.History.Range()
	if t.thinking != nil {
		end++
	}
	return first, end
}

func (t ongoing) Step(n int) (*trace.Step, error) {
	if _, end := t.History.Range(); n == end && t.thinking != nil {
		return t.thinking, nil
	}
	return t.History.Step(n)
}

func (t ongoing) Info(n int) (trace.Info, bool) {
	if _, end := t.History.Range(); n == end && t.thinking != nil {
		return t.thinking.Info(), true
	}
	return t.History.Info(n)
}

// history is what s can show now.
func (s *side) history() viz.History {
	if s.session == nil {
		return s.file
	}
	l := s.status().Trace
	t := ongoing{l, l.Thinking()}
	if _, end := l.Range(); t.thinking != nil && end > 0 {
		// Put and Think are two writes: between them the decision put must not show twice.
		if last, ok := l.Info(end - 1); ok && last.Episode == t.thinking.Episode && last.Index == t.thinking.Index {
			t.thinking = nil
		}
	}
	return t
}

// at is the step in view, and whether there is one.
func (s *side) at(h viz.History) (int, bool) {
	first, end := h.Range()
	if first == end {
		return 0, false
	}
	if s.follow {
		n := end - 1
		for b := s.bound; b != nil && n > first; n-- {
			if info, ok := h.Info(n); !ok || !b.before(position{episode: info.Episode, index: info.Index}) {
				break
			}
		}
		return n, true
	}
	return min(max(s.step, first), end-1), true
}

// look brings the view up to date.
func (s *side) look(now time.Time, painters viz.Painters) error {
	h := s.history()
	if s.session != nil {
		s.header = s.status().Header
	}
	n, ok := s.at(h)
	if s.view.Cache == nil {
		s.view.Cache = &viz.Cache{}
	}
	s.view.Header = s.header
	s.view.Timeline = viz.NewTimeline(h, n)
	if !ok {
		s.view.Step = nil
		return nil
	}
	step, err := s.stepAt(h, n)
	if err != nil {
		return err
	}
	if !s.follow {
		s.step = n
	}
	// Agents glide when the view moves on by one step of the same episode.
	if p := s.view.Step; p != nil && p != step {
		switch {
		case step.Episode == p.Episode && step.Index == p.Index+1:
			s.board, s.start = p.Board, now
		case step.Episode != p.Episode || step.Index != p.Index:
			s.start = time.Time{}
		}
	}
	s.view.Step = step
	s.view.Painter = painters.Of(step.Board)
	s.view.Segment = len(step.Thought) - 1
	if !s.follow && s.segment < s.view.Segment {
		s.view.Segment = max(s.segment, -1)
	}
	if b := s.bound; b != nil && s.follow && step.Episode == b.episode && step.Index == b.index {
		s.view.Segment = min(s.view.Segment, b.segments-1)
	}
	s.view.Last = s.lastThought(h, n)
	s.view.From, s.view.Glide = nil, 1
	if d := now.Sub(s.start); d >= 0 && d < glideTime {
		s.view.From, s.view.Glide = &s.board, float64(d)/float64(glideTime)
	}
	base := s.base()
	_, end := base.Range() // the decision under way does not count yet
	s.view.Mean, s.view.Most = s.mean.upTo(base, min(n+1, end))
	return nil
}

// glideTime is how long an agent takes from one cell to the next on screen.
const glideTime = 160 * time.Millisecond

// lastThought is the decision with a thought before the one in view, where that has no segment to show.
func (s *side) lastThought(h viz.History, n int) *trace.Step {
	if s.view.Segment >= 0 {
		if s.session != nil && s.follow {
			s.last, s.lastOf = s.view.Step, s.base()
		}
		return nil
	}
	if s.session != nil && s.follow {
		// An edit, or another episode, leaves no trace of what was thought.
		if s.last != nil && s.lastOf == s.base() {
			return s.last
		}
		return nil
	}
	first, _ := h.Range()
	if n == first {
		return nil
	}
	step, err := h.Step(n - 1)
	if err != nil || step.Episode != s.view.Step.Episode || len(step.Thought) == 0 {
		return nil
	}
	return step
}

// base is the history without the decision under way.
func (s *side) base() viz.History {
	if s.session == nil {
		return s.file
	}
	return s.status().Trace
}

// stepAt reads step n, or returns the one in view again: reading a file decodes it.
func (s *side) stepAt(h viz.History, n int) (*trace.Step, error) {
	if s.session != nil {
		return h.Step(n)
	}
	if s.read != nil && s.readAt == n {
		return s.read, nil
	}
	step, err := h.Step(n)
	if err != nil {
		return nil, err
	}
	s.read, s.readAt = step, n
	return step, nil
}

// move shows the step by cells away from the one in view, and reports whether there was one to go to.
func (s *side) move(by int) bool {
	h := s.history()
	n, ok := s.at(h)
	first, end := h.Range()
	if !ok || n+by < first || n+by >= end {
		return false
	}
	s.show(n+by, lastSegment)
	return true
}

// lastSegment is beyond every segment.
const lastSegment = 1 << 30

// show pins the view to a step and a segment of it.
func (s *side) show(step, segment int) {
	s.follow, s.step, s.segment = false, step, segment
}

// moveSegment shows the segment before or after, through the ends of decisions.
func (s *side) moveSegment(by int) bool {
	h := s.history()
	n, ok := s.at(h)
	info, known := h.Info(n)
	if !ok || !known {
		return false
	}
	k := info.Segments - 1 + by
	if !s.follow {
		k = min(s.segment, info.Segments-1) + by
	}
	switch {
	case k >= 0 && k < info.Segments, k == -1 && info.Segments == 0:
		s.show(n, k)
		return true
	case by < 0:
		return s.move(-1)
	}
	if !s.move(1) {
		return false
	}
	s.segment = 0
	return true
}

// newest shows what comes in.
func (s *side) newest() { s.follow = true }

// title is what stands over the board where two agents are compared.
func (s *side) title() string {
	if s.name != "" {
		return s.name
	}
	return viz.Who(s.header)
}

// close ends the session.
func (s *side) close() error {
	if s.session == nil {
		return nil
	}
	if err := s.session.Close(); err != nil {
		return fmt.Errorf("%s: %w", s.header.EnvID, err)
	}
	return nil
}
