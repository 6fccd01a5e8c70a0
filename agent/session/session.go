package session

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// An Op is what a person asks of a session.
type Op uint8

// The operations, with the fields of Command that each reads.
const (
	OpPlay     Op = iota // go on by itself
	OpPause              // stop going on
	OpSegment            // one segment, or the action if the thought has halted
	OpDecision           // until the next action has been taken
	OpLonger             // one more segment, also beyond halting; pauses
	OpNow                // act on the segments thought so far
	OpRestart            // the episode again from its seed
	OpNext               // the next seed
	OpSeed               // Choice.Seed
	OpSpeed              // Value: of Speeds, an index
	OpEdit               // X, Y, Value; it thinks again at once
	OpAct                // Value: a person's action
	OpTake               // a person acts from now on
	OpReturn             // the agent acts again
	OpOpen               // Choice
	OpLevel              // Text: a level in the family's text form
	OpRecord             // Text: path of a trace file to write
	OpStop               // end the recording
	OpAttend             // X: segment, Y: cell
	OpUndo               // the last edit since the last step
	OpRedo               // the one that was undone last
	OpAgain              // think about the board again from another start; what was thought stays for comparison
	OpPrice              // Value: of Prices, an index; thinks again
	OpPoint              // X, Y, Value: a person's action at the cell, -1 only leads there
	OpRehearse           // Value: the demonstration, of those beside the board, that is asked for in place of the level, -1 goes back to that
	OpBranch             // what would other numbers of segments bring at this decision? pauses
	OpWait               // Value: 1 plays no further until another OpWait with 0, 0 does
)

// A Command is an operation with what it needs.
type Command struct {
	Op          Op
	X, Y, Value int
	Text        string
	Choice      Choice
}

// Speeds are the speeds of play; the last one does not wait at all.
var Speeds = [...]float64{0.25, 0.5, 1, 2, 4, 8, 16, 0}

// Prices are what a segment may cost, where a right answer is worth 1; 0 leaves halting to the agent's own rule.
var Prices = [...]float64{0, 0.002, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7}

// NormalSpeed is the index of 1 in Speeds.
const NormalSpeed = 2

// SpeedName is how Speeds[i] is written on screen.
func SpeedName(i int) string {
	if i < 0 || i >= len(Speeds) {
		i = NormalSpeed
	}
	if Speeds[i] == 0 {
		return "max"
	}
	return fmt.Sprintf("%g×", Speeds[i])
}

// The pauses of play at speed 1.
const (
	segmentPause = 160 * time.Millisecond
	actionPause  = 360 * time.Millisecond
	endPause     = 1200 * time.Millisecond
)

// A Status is what a session is doing. It is never changed after it was published.
type Status struct {
	Choice    Choice
	Header    trace.Header
	Spec      env.Spec    // of the world
	Trace     *trace.Live // of the scene; another one after Open
	Busy      string      // "opening", "thinking" or empty
	Since     time.Time   // when Busy began
	Playing   bool
	Human     bool // a person acts
	Ended     bool // the episode
	Editable  bool
	Levels    bool // takes levels as text
	Points    bool // can be acted in by pointing at cells
	Rehearses bool // has demonstrations that can be tried
	Rehearsed int  // the demonstration that is tried, from 1; 0 is none
	Speed     int  // index into Speeds
	Recording string
	Recorded  int     // steps
	Saved     string  // path of the recording that was ended last
	Mean      float64 // segments a decision since the scene was opened
	Most      int
	Message   string // what went wrong or was asked for in vain
	Messages  int    // grows with every message
	Failed    bool   // the message is of an agent or a world that failed, which should not pass unseen
	Attention *Attention
	Price     int             // index into Prices
	Branches  *trace.Branches // of a decision, what was asked last
	Against   *trace.Step     // the decision under way as it was thought before it began again from another start
}

// Attention is the answer to Attend.
type Attention struct {
	Episode, Index, Segment, Cell int
	Levels                        [][]uint8 // by level, [cells]; none where there is no attention
}

// A Session runs a scene in a goroutine of its own. Its methods may be called from any goroutine and
// never wait, but Close.
type Session struct {
	commands chan Command
	status   atomic.Pointer[Status]
	cancel   context.CancelFunc
	done     chan struct{}
	closeErr error // valid when done is closed

	// The rest belongs to the goroutine.
	open   Opener
	loop   *Loop
	now    Status
	due    time.Time // of the next move while playing
	once   bool      // a decision was asked for
	waits  bool      // for another session, while it plays
	mull   bool      // a thought was asked for, without its action
	writer *trace.Writer
	total  int // segments of all decisions
	count  int // decisions that had segments
}

// Start opens c and begins in pause, or playing at once. Close the session after use.
func Start(open Opener, c Choice, play bool) *Session {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Session{
		commands: make(chan Command, 256),
		cancel:   cancel,
		done:     make(chan struct{}),
		open:     open,
	}
	s.now = Status{Choice: c, Playing: play, Speed: NormalSpeed, Trace: newTrace(), Busy: "opening", Since: time.Now()}
	s.publish()
	go s.run(ctx, c)
	return s
}

// newTrace keeps what a long evening of play needs, within 256 MiB.
func newTrace() *trace.Live { return trace.NewLive(4096, 256<<20) }

// Send hands over a command. It reports false if the session is so far behind that it had no room.
func (s *Session) Send(c Command) bool {
	select {
	case s.commands <- c:
		return true
	default:
		return false
	}
}

// Status is what the session does now.
func (s *Session) Status() *Status { return s.status.Load() }

// ErrStuck is what Close returns when the agent does not come back.
var ErrStuck = errors.New("the model did not stop within a second")

// Close stops the session, ends what was being recorded and frees the agent. It waits a second at
// most; an agent that does not come back in that time is abandoned.
func (s *Session) Close() error {
	s.cancel()
	select {
	case <-s.done:
		return s.closeErr
	case <-time.After(time.Second):
		return ErrStuck
	}
}

func (s *Session) publish() {
	c := s.now
	s.status.Store(&c)
}

// say leaves a message.
func (s *Session) say(format string, args ...any) {
	s.now.Message = fmt.Sprintf(format, args...)
	s.now.Messages++
	s.now.Failed = false
}

// failed leaves the message of a failure.
func (s *Session) failed(err error) {
	s.say("%v", err)
	s.now.Failed = true
}

func (s *Session) run(ctx context.Context, c Choice) {
	defer close(s.done)
	s.load(ctx, c)
	s.publish()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		wait := time.Hour
		if s.moving() {
			wait = time.Until(s.due)
		}
		// Commands come first, so that a fast player does not keep a person waiting.
		if wait <= 0 {
			select {
			case c := <-s.commands:
				s.obey(ctx, c)
			default:
				s.move(ctx)
			}
			s.publish()
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case c := <-s.commands:
			s.obey(ctx, c)
			s.publish()
		case <-timer.C:
		}
	}
	s.closeErr = errors.Join(s.stopRecording(), s.unload())
}

// moving reports whether the session goes on by itself.
func (s *Session) moving() bool {
	return s.loop != nil && (s.now.Playing && !s.waits || s.once || s.mull) && !(s.now.Human && s.loop.begun)
}

// load opens a scene in the place of the one before, which stays if that fails.
func (s *Session) load(ctx context.Context, c Choice) {
	s.busy("opening")
	defer s.busy("")
	scene, err := s.open(ctx, c)
	if err != nil {
		s.failed(err)
		return
	}
	if s.writer != nil {
		s.say("recording ended: the environment or model was changed")
	}
	if err := errors.Join(s.stopRecording(), s.unload()); err != nil {
		s.say("%v", err)
	}
	s.loop = NewLoop(scene, c.Seed)
	edits, err := ParseEdits(c.Edits)
	if err == nil {
		err = s.loop.Plan(edits)
	}
	if err != nil {
		s.say("%v", err)
	}
	s.total, s.count = 0, 0
	s.now.Choice, s.now.Header, s.now.Spec, s.now.Trace = c, scene.Header(), scene.World.Spec(), newTrace()
	s.now.Human = s.now.Header.Agent == trace.Human
	s.now.Mean, s.now.Most, s.now.Attention, s.now.Price = 0, 0, nil, 0
	_, s.now.Editable = env.As[env.Editor](scene.World)
	_, s.now.Levels = env.As[env.Leveler](scene.World)
	_, s.now.Points = env.As[env.Pointer](scene.World)
	_, s.now.Rehearses = env.As[env.Rehearser](scene.World)
	s.begun(0)
}

func (s *Session) unload() error {
	if s.loop == nil {
		return nil
	}
	err := s.loop.Agent.Close()
	s.loop = nil
	return err
}

func (s *Session) busy(what string) {
	s.now.Busy, s.now.Since = what, time.Now()
	s.publish()
}

// begun publishes the decision at its start and sets when play goes on.
func (s *Session) begun(pause time.Duration) {
	s.now.Ended, s.now.Against, s.now.Rehearsed = s.loop.ended, nil, s.loop.rehearsed
	s.now.Choice.Edits = FormatEdits(s.loop.Edits())
	if s.loop.ended {
		s.now.Trace.Think(nil) // the last step put shows the end
	} else {
		s.now.Trace.Think(&s.loop.step)
	}
	s.wait(pause)
}

func (s *Session) wait(pause time.Duration) {
	if speed := Speeds[s.now.Speed]; speed == 0 {
		pause = 0
	} else {
		pause = time.Duration(float64(pause) / speed)
	}
	s.due = time.Now().Add(pause)
}

// move goes on by one segment or one action.
func (s *Session) move(ctx context.Context) {
	l := s.loop
	switch {
	case s.mull && !s.now.Playing && !s.once && (l.ended || l.halted()):
		s.mull = false
	case l.ended:
		if s.once {
			s.once = false
			s.say("the episode is over: reset or take the next seed")
			return
		}
		s.now.Choice.Seed = s.now.Choice.next()
		l.Reset(s.now.Choice.Seed)
		s.begun(segmentPause)
	case !l.halted():
		s.think(ctx)
	case s.now.Human:
		// A person chooses.
		s.once = false
		l.begun = true
	default:
		s.act(ctx)
	}
}

// think does one segment.
func (s *Session) think(ctx context.Context) bool {
	s.busy("thinking")
	thought, err := s.loop.think(ctx)
	s.busy("")
	if err != nil {
		s.fail(ctx, err)
		return false
	}
	s.now.Trace.Think(&s.loop.step)
	if s.loop.halted() {
		s.wait(actionPause)
	} else {
		s.wait(segmentPause)
	}
	return thought
}

// act takes the agent's action.
func (s *Session) act(ctx context.Context) {
	s.busy("thinking")
	err := s.loop.act(ctx, s.put)
	s.busy("")
	s.acted(ctx, err)
}

func (s *Session) acted(ctx context.Context, err error) {
	if err != nil {
		s.fail(ctx, err)
		return
	}
	s.once = false
	pause := segmentPause
	if s.loop.ended {
		pause = endPause
	}
	s.begun(pause)
}

// fail stops play and says why; the state of the world stays.
func (s *Session) fail(ctx context.Context, err error) {
	s.now.Playing, s.once, s.mull = false, false, false
	if ctx.Err() == nil {
		s.failed(err)
	}
}

// put keeps a finished step and records it.
func (s *Session) put(step *trace.Step) error {
	if n := len(step.Thought); n > 0 {
		s.total += n
		s.count++
		s.now.Mean = float64(s.total) / float64(s.count)
		s.now.Most = max(s.now.Most, n)
	}
	s.now.Trace.Put(step)
	if s.writer != nil {
		if err := s.writer.Put(step); err != nil {
			s.say("recording stopped: %v", errors.Join(err, s.stopRecording()))
			return nil
		}
		s.now.Recorded++
	}
	return nil
}

func (s *Session) stopRecording() error {
	if s.writer == nil {
		return nil
	}
	err := s.writer.Close()
	s.writer = nil
	s.now.Saved, s.now.Recording = s.now.Recording, ""
	return err
}

func (s *Session) obey(ctx context.Context, c Command) {
	switch c.Op {
	case OpOpen:
		s.load(ctx, c.Choice)
		return
	case OpSpeed:
		if c.Value >= 0 && c.Value < len(Speeds) {
			s.now.Speed = c.Value
			s.wait(0)
		}
		return
	case OpPause:
		s.now.Playing, s.once, s.mull = false, false, false
		return
	case OpWait:
		s.waits = c.Value != 0
		return
	case OpStop:
		if err := s.stopRecording(); err != nil {
			s.say("%v", err)
		}
		return
	}
	l := s.loop
	if l == nil {
		s.say("nothing is open: pick an environment and an agent")
		return
	}
	switch c.Op {
	case OpPlay:
		s.now.Playing = true
		s.wait(0)
	case OpDecision:
		s.now.Playing, s.once = false, true
		s.wait(0)
	case OpSegment:
		s.now.Playing, s.once, s.mull = false, false, false
		s.move(ctx)
	case OpLonger:
		s.now.Playing, s.once, s.mull = false, false, false
		switch {
		case l.ended:
			s.say("the episode is over: nothing to think about")
		case !l.silent && s.think(ctx):
		case l.silent:
			s.say("this agent shows no thought")
		}
	case OpNow:
		switch {
		case l.ended:
			s.say("the episode is over")
		case s.now.Human:
			s.say("you play: choose an action")
		case !l.silent && len(l.step.Thought) == 0 && !s.think(ctx) && !l.silent:
			// Not even one segment: think has said why.
		default:
			s.act(ctx)
		}
	case OpRestart:
		l.Reset(l.seed)
		s.begun(segmentPause)
	case OpNext, OpSeed:
		seed := s.now.Choice.next()
		if c.Op == OpSeed {
			seed = c.Choice.Seed
		}
		l.Reset(seed)
		s.now.Choice.Seed = seed
		s.begun(segmentPause)
	case OpEdit:
		if err := l.edit(c.X, c.Y, c.Value); err != nil {
			s.say("%v", err)
			return
		}
		s.mull = true // also in pause
		s.begun(0)
	case OpUndo, OpRedo:
		change := l.undo
		if c.Op == OpRedo {
			change = l.redo
		}
		if err := change(); err != nil {
			s.say("%v", err)
			return
		}
		s.mull = true
		s.begun(0)
	case OpAgain:
		was := l.step
		if err := l.again(ctx); err != nil {
			s.say("%v", err)
			return
		}
		s.mull = true
		s.begun(0)
		s.now.Against = &was
	case OpBranch:
		if err := s.branch(ctx); err != nil {
			s.say("%v", err)
		}
	case OpPrice:
		s.price(ctx, c.Value)
	case OpLevel:
		if err := l.Load(c.Text); err != nil {
			s.say("%v", err)
			return
		}
		s.begun(segmentPause)
	case OpAct, OpPoint:
		switch {
		case l.ended:
			s.say("the episode is over: reset or take the next seed")
		case !s.now.Human:
			s.say("the agent plays: take over first")
		case c.Op == OpAct:
			s.acted(ctx, l.byPerson(c.Value, s.put))
		default:
			s.acted(ctx, l.point(c.X, c.Y, c.Value, s.put))
		}
	case OpRehearse:
		if err := l.rehearse(c.Value); err != nil {
			s.say("%v", err)
			return
		}
		s.begun(segmentPause)
	case OpTake:
		s.now.Human = true
	case OpReturn:
		if s.now.Header.Agent == trace.Human {
			s.say("nobody to hand back to: pick an agent")
			return
		}
		s.now.Human = false
		s.wait(0)
	case OpRecord:
		s.record(c.Text)
	case OpAttend:
		s.attend(ctx, c.X, c.Y)
	}
}

// price sets what a segment costs, and thinks again.
func (s *Session) price(ctx context.Context, i int) {
	t, ok := s.loop.Agent.(Steered)
	if !ok {
		s.say("this agent does not halt by itself")
		return
	}
	if i < 0 || i >= len(Prices) {
		return
	}
	if err := t.Price(ctx, Prices[i]); err != nil {
		s.say("%v", err)
		return
	}
	s.now.Price, s.now.Header = i, s.loop.Header()
	if !s.loop.ended {
		s.loop.rethink()
		s.mull = true
		s.begun(0)
	}
}

func (s *Session) record(path string) {
	if err := s.stopRecording(); err != nil {
		s.say("%v", err)
	}
	w, err := trace.Create(path, s.now.Header)
	if err != nil {
		s.say("%v", err)
		return
	}
	s.writer = w
	s.now.Recording, s.now.Recorded = path, 0
}

func (s *Session) attend(ctx context.Context, segment, cell int) {
	a, ok := s.loop.Agent.(Attender)
	step := &s.loop.step
	if !ok || segment < 0 || segment >= len(step.Thought) || cell < 0 || cell >= len(step.Board.Cells) {
		return // the view says that no attention was recorded
	}
	levels, err := a.Attend(ctx, segment, cell)
	if err != nil {
		s.say("%v", err)
		return
	}
	s.now.Attention = &Attention{step.Episode, step.Index, segment, cell, levels}
}
