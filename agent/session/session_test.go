package session_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/ponder-agents/ponder/viz/viztest"
)

// wave opens a maze, or another world, with a wave that advances reach cells a segment.
func wave(reach int) session.Opener {
	return func(_ context.Context, c session.Choice) (*session.Scene, error) {
		if c.Model == "misfit" {
			return nil, errors.New("model misfit: vocabulary 10, the environment has 5")
		}
		e, err := env.Make(c.Env)
		if err != nil {
			return nil, err
		}
		w, err := session.WorldOf(e)
		if err != nil {
			return nil, err
		}
		s := &session.Scene{World: w}
		switch c.Agent {
		case "random":
			s.Agent = session.NewRandom(w, c.Seed)
		case "human":
			s.Agent = session.NewHuman()
		default:
			s.Agent = &viztest.Wave{World: w, Name: "wave", Wall: maze.KindWall, Goal: maze.KindGoal, Reach: reach, MaxSegments: 16}
		}
		return s, nil
	}
}

func start(t *testing.T, open session.Opener, c session.Choice) *session.Session {
	t.Helper()
	s := session.Start(open, c, false)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	until(t, "it is open", func() bool { return s.Status().Busy == "" && s.Status().Header.EnvID != "" })
	return s
}

// until waits for what the session's goroutine is to do.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// do sends a command and waits until the session has come to it.
func do(t *testing.T, s *session.Session, c session.Command) {
	t.Helper()
	// Every command leaves the messages as they are or adds one; this one always adds.
	before := s.Status().Messages
	s.Send(c)
	s.Send(session.Command{Op: session.OpLevel, Text: "no level"})
	until(t, "the command was obeyed", func() bool {
		st := s.Status()
		return st.Messages > before && strings.Contains(st.Message, "maze") && st.Busy == ""
	})
}

var mazeChoice = session.Choice{Env: "maze/9x9-v0", Agent: "hrm", Seed: 3}

func end(l *trace.Live) int {
	_, e := l.Range()
	return e
}

func TestSegmentsThenTheAction(t *testing.T) {
	s := start(t, wave(4), mazeChoice)
	l := s.Status().Trace
	if g := l.Thinking(); g == nil || len(g.Thought) != 0 || g.Seed != 3 {
		t.Fatalf("at the start %+v is thought", g)
	}
	for n := 1; ; n++ {
		do(t, s, session.Command{Op: session.OpSegment})
		g := l.Thinking()
		if len(g.Thought) != n || end(l) != 0 {
			t.Fatalf("after %d segments: %d, %d steps", n, len(g.Thought), end(l))
		}
		if g.Thought[n-1].Halted {
			break
		}
	}
	thought := l.Thinking().Thought
	do(t, s, session.Command{Op: session.OpSegment})
	step, err := l.Step(0)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(thought, step.Thought); d != "" {
		t.Errorf("the step kept other thought than was shown: %s", d)
	}
	if st := s.Status(); st.Mean != float64(len(thought)) || st.Most != len(thought) {
		t.Errorf("mean %v, most %d after one decision of %d", st.Mean, st.Most, len(thought))
	}
	if l.Thinking().Index != 1 {
		t.Error("no second decision")
	}
}

func TestLongerAndNow(t *testing.T) {
	s := start(t, wave(2), mazeChoice)
	l := s.Status().Trace
	do(t, s, session.Command{Op: session.OpSegment})
	for !l.Thinking().Thought[len(l.Thinking().Thought)-1].Halted {
		do(t, s, session.Command{Op: session.OpSegment})
	}
	n := len(l.Thinking().Thought)
	do(t, s, session.Command{Op: session.OpLonger})
	do(t, s, session.Command{Op: session.OpLonger})
	if got := len(l.Thinking().Thought); got != n+2 || end(l) != 0 {
		t.Errorf("%d segments after thinking two longer than %d", got, n)
	}
	do(t, s, session.Command{Op: session.OpNow})
	if step, err := l.Step(0); err != nil || len(step.Thought) != n+2 || step.Action < 0 {
		t.Errorf("the answer after %d segments: %v", n+2, err)
	}
	// Now before any thought still thinks once, and acts on that.
	do(t, s, session.Command{Op: session.OpNow})
	if step, err := l.Step(1); err != nil || len(step.Thought) != 1 {
		t.Errorf("answered at once: %v", err)
	}
}

func TestPlayReachesTheGoal(t *testing.T) {
	s := start(t, wave(40), mazeChoice)
	l := s.Status().Trace
	s.Send(session.Command{Op: session.OpSpeed, Value: len(session.Speeds) - 1})
	s.Send(session.Command{Op: session.OpPlay})
	until(t, "two episodes are over", func() bool {
		if n := end(l); n > 0 {
			i, _ := l.Info(n - 1)
			return i.Episode >= 2
		}
		return false
	})
	s.Send(session.Command{Op: session.OpPause})
	for n := range end(l) {
		i, _ := l.Info(n)
		if i.Truncated {
			t.Errorf("step %d: the wave sees the whole maze and yet did not arrive", n)
		}
		// The state at the end of an episode is kept too, without a decision.
		if next, ok := l.Info(n + 1); ok && i.Action >= 0 && i.Terminated && (next.Action != -1 || next.Episode != i.Episode || next.Return != 1) {
			t.Errorf("after the end comes %+v", next)
		}
	}
	if a, _ := l.Step(0); a.Seed != 3 {
		t.Errorf("first seed %d", a.Seed)
	}
	if z, _ := l.Step(end(l) - 1); z.Seed != 3+uint64(z.Episode) {
		t.Errorf("episode %d has seed %d", z.Episode, z.Seed)
	}
}

func TestEditThinksAgain(t *testing.T) {
	s := start(t, wave(3), mazeChoice)
	l := s.Status().Trace
	do(t, s, session.Command{Op: session.OpSegment})
	b := l.Thinking().Board
	// An inner wall is opened.
	wall := -1
	for i, c := range b.Cells {
		x, y := i%b.Cols, i/b.Cols
		if c.Kind == maze.KindWall && x > 0 && y > 0 && x < b.Cols-1 && y < b.Rows-1 {
			wall = i
			break
		}
	}
	do(t, s, session.Command{Op: session.OpEdit, X: wall % b.Cols, Y: wall / b.Cols, Value: -1})
	// Also in pause, until it is content; it does not act.
	until(t, "it has thought again", func() bool {
		g := l.Thinking().Thought
		return len(g) > 0 && g[len(g)-1].Halted
	})
	g := l.Thinking()
	if g.Board.Cells[wall].Kind != maze.KindFloor || end(l) != 0 {
		t.Errorf("cell %d is of kind %d, %d steps", wall, g.Board.Cells[wall].Kind, end(l))
	}
	segments := len(g.Thought)
	before := s.Status().Messages
	s.Send(session.Command{Op: session.OpEdit, X: 0, Y: 0, Value: -1})
	until(t, "the edit is refused", func() bool { return s.Status().Messages > before })
	if m := s.Status().Message; !strings.Contains(m, "outer wall") {
		t.Errorf("message %q", m)
	}
	if len(l.Thinking().Thought) != segments {
		t.Error("a refused edit lost the thought")
	}
	if got, want := s.Status().Choice.Edits, session.FormatEdits([]session.Edit{{X: wall % b.Cols, Y: wall / b.Cols, Value: -1}}); got != want {
		t.Errorf("edits %q, want %q", got, want)
	}
	do(t, s, session.Command{Op: session.OpNext})
	if got := s.Status().Choice.Edits; got != "" {
		t.Errorf("edits %q of another level", got)
	}
}

func TestAPersonTakesOver(t *testing.T) {
	s := start(t, wave(3), mazeChoice)
	l := s.Status().Trace
	do(t, s, session.Command{Op: session.OpAct, Value: 0})
	if end(l) != 0 {
		t.Error("a person acted without taking over")
	}
	do(t, s, session.Command{Op: session.OpTake})
	do(t, s, session.Command{Op: session.OpAct, Value: maze.Up})
	if step, err := l.Step(0); err != nil || step.Action != maze.Up {
		t.Errorf("step %+v, %v", step, err)
	}
	do(t, s, session.Command{Op: session.OpReturn})
	do(t, s, session.Command{Op: session.OpNow})
	if end(l) != 2 {
		t.Error("the agent does not go on")
	}
	do(t, s, session.Command{Op: session.OpTake})
	before := s.Status().Messages
	s.Send(session.Command{Op: session.OpAct, Value: 99})
	until(t, "the action is refused", func() bool { return s.Status().Messages > before })
	if m := s.Status().Message; !strings.Contains(m, "action 99") {
		t.Errorf("message %q", m)
	}
}

func TestAMisfitKeepsTheState(t *testing.T) {
	s := start(t, wave(3), mazeChoice)
	l := s.Status().Trace
	do(t, s, session.Command{Op: session.OpSegment})
	c := mazeChoice
	c.Model = "misfit"
	before := s.Status().Messages
	s.Send(session.Command{Op: session.OpOpen, Choice: c})
	until(t, "it is refused", func() bool { return s.Status().Messages > before })
	if st := s.Status(); !strings.Contains(st.Message, "vocabulary") || st.Trace != l || len(l.Thinking().Thought) != 1 {
		t.Errorf("status %+v", st)
	}
	do(t, s, session.Command{Op: session.OpSegment})
	if len(l.Thinking().Thought) != 2 {
		t.Error("it does not go on")
	}
}

type failing struct{ *viztest.Wave }

// Think implements session.Agent.
func (failing) Think(context.Context, *trace.Segment) error { return errors.New("out of memory") }

func TestAFailureIsSaid(t *testing.T) {
	open := func(ctx context.Context, c session.Choice) (*session.Scene, error) {
		s, err := wave(3)(ctx, c)
		if err == nil {
			s.Agent = failing{s.Agent.(*viztest.Wave)}
		}
		return s, err
	}
	s := start(t, open, mazeChoice)
	s.Send(session.Command{Op: session.OpPlay})
	until(t, "it fails", func() bool { return s.Status().Message == "out of memory" })
	if s.Status().Playing {
		t.Error("it plays on")
	}
}

type stuck struct{ *viztest.Wave }

// Think implements session.Agent.
func (stuck) Think(context.Context, *trace.Segment) error { select {} }

func TestCloseDoesNotWaitForAStuckModel(t *testing.T) {
	open := func(ctx context.Context, c session.Choice) (*session.Scene, error) {
		s, err := wave(3)(ctx, c)
		if err == nil {
			s.Agent = stuck{s.Agent.(*viztest.Wave)}
		}
		return s, err
	}
	s := session.Start(open, mazeChoice, true)
	until(t, "it thinks", func() bool { return s.Status().Busy == "thinking" })
	begin := time.Now()
	if err := s.Close(); !errors.Is(err, session.ErrStuck) {
		t.Errorf("error %v", err)
	}
	if d := time.Since(begin); d > 1500*time.Millisecond {
		t.Errorf("Close took %v", d)
	}
}

func TestRecording(t *testing.T) {
	s := start(t, wave(40), mazeChoice)
	path := filepath.Join(t.TempDir(), "x.trace")
	do(t, s, session.Command{Op: session.OpRecord, Text: path})
	for range 3 {
		do(t, s, session.Command{Op: session.OpNow})
	}
	if st := s.Status(); st.Recorded != 3 || st.Recording != path {
		t.Errorf("recorded %d to %q", st.Recorded, st.Recording)
	}
	do(t, s, session.Command{Op: session.OpStop})
	f, err := trace.Open(path)
	if err != nil || f.Damage() != nil {
		t.Fatal(err, f.Damage())
	}
	defer f.Close()
	if d := cmp.Diff(s.Status().Header, f.Header()); d != "" {
		t.Error(d)
	}
	for n := range 3 {
		got, err := f.Step(n)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := s.Status().Trace.Step(n)
		if got.Action != want.Action || !cmp.Equal(got.Board, want.Board) || len(got.Thought) != len(want.Thought) {
			t.Errorf("step %d is not what was played", n)
		}
	}
	before := s.Status().Messages
	s.Send(session.Command{Op: session.OpRecord, Text: filepath.Join(path, "below a file")})
	until(t, "it is refused", func() bool { return s.Status().Messages > before })
	if s.Status().Recording != "" {
		t.Error("it records to nowhere")
	}
}

func TestRecordWholeEpisode(t *testing.T) {
	scene, err := wave(40)(t.Context(), mazeChoice)
	if err != nil {
		t.Fatal(err)
	}
	l := trace.NewLive(1000, 1<<30)
	if err := session.Record(t.Context(), scene, 3, 0, l); err != nil {
		t.Fatal(err)
	}
	// The wave sees everything, so the path is a shortest one.
	first, _ := l.Step(0)
	m := &maze.Maze{Rows: 9, Cols: 9, Wall: make([]bool, 81)}
	for i, c := range first.Board.Cells {
		m.Wall[i] = c.Kind == maze.KindWall
		if c.Kind == maze.KindStart {
			m.Start = i
		}
		if c.Kind == maze.KindGoal {
			m.Goal = i
		}
	}
	var solver maze.Solver
	moves, _ := solver.Len(m)
	if got := end(l) - 1; got != moves {
		t.Errorf("%d moves, the shortest path has %d", got, moves)
	}
	scene, _ = wave(40)(t.Context(), mazeChoice)
	two := trace.NewLive(1000, 1<<30)
	if err := session.Record(t.Context(), scene, 3, 2, two); err != nil || end(two) != 2 {
		t.Errorf("error %v, %d of 2 steps", err, end(two))
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := session.Record(cancelled, scene, 3, 0, two); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestLevelAndSeeds(t *testing.T) {
	s := start(t, wave(4), session.Choice{Env: "maze/5x5-v0", Agent: "hrm"})
	l := s.Status().Trace
	do(t, s, session.Command{Op: session.OpLevel, Text: "#####\n#S  #\n### #\n#G  #\n#####\n"})
	if b := l.Thinking().Board; b.Cells[3*5+1].Kind != maze.KindGoal || b.Cells[2*5+1].Kind != maze.KindWall {
		t.Error("the level is not the one given")
	}
	do(t, s, session.Command{Op: session.OpNext})
	if g := l.Thinking(); g.Seed != 1 || s.Status().Choice.Seed != 1 {
		t.Errorf("seed %d after the next", g.Seed)
	}
	one := l.Thinking().Board
	do(t, s, session.Command{Op: session.OpSeed, Choice: session.Choice{Seed: 7}})
	do(t, s, session.Command{Op: session.OpSeed, Choice: session.Choice{Seed: 1}})
	if !cmp.Equal(one, l.Thinking().Board) {
		t.Error("the same seed is another level")
	}
}

func TestRandomOnlyChoosesWhatChangesAnything(t *testing.T) {
	scene, err := wave(1)(t.Context(), session.Choice{Env: "maze/5x5-v0", Agent: "random", Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	l := trace.NewLive(1000, 1<<30)
	if err := session.Record(t.Context(), scene, 5, 30, l); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < end(l); n++ {
		a, _ := l.Step(n - 1)
		b, _ := l.Step(n)
		if cmp.Equal(a.Board.Pieces, b.Board.Pieces) {
			t.Fatalf("step %d went into a wall", n-1)
		}
	}
}

// whole answers a sudoku as a whole, as a network for puzzles does.
type whole struct {
	*viztest.Wave
	world session.World
	n     int
}

func (w *whole) Begin(context.Context, []byte, bool) error { return nil }

func (w *whole) Think(_ context.Context, g *trace.Segment) error {
	w.n++
	s, _ := env.As[*sudoku.World](w.world)
	g.Answer, g.Halted = append([]uint8(nil), s.Solution()...), w.n == 2
	return nil
}

func (w *whole) Action(context.Context) (int, error) { return -1, nil }

func TestAPuzzleEndsWithItsAnswer(t *testing.T) {
	open := func(ctx context.Context, c session.Choice) (*session.Scene, error) {
		s, err := wave(3)(ctx, c)
		if err == nil {
			s.Agent = &whole{Wave: s.Agent.(*viztest.Wave), world: s.World}
		}
		return s, err
	}
	scene, err := open(t.Context(), session.Choice{Env: "sudoku"})
	if err != nil {
		t.Fatal(err)
	}
	l := trace.NewLive(10, 1<<30)
	if err := session.Record(t.Context(), scene, 1, 0, l); err != nil {
		t.Fatal(err)
	}
	step, err := l.Step(0)
	if err != nil || end(l) != 1 || step.Action != -1 || !step.Terminated || len(step.Thought) != 2 {
		t.Errorf("step %+v, %v", step, err)
	}
}

func TestAttentionIsKept(t *testing.T) {
	scene, err := wave(4)(t.Context(), mazeChoice)
	if err != nil {
		t.Fatal(err)
	}
	w := scene.Agent.(*viztest.Wave)
	if scene.Agent, err = session.WithAttention(w, scene.World); err != nil {
		t.Fatal(err)
	}
	l := trace.NewLive(10, 1<<30)
	if err := session.Record(t.Context(), scene, 3, 1, l); err != nil {
		t.Fatal(err)
	}
	s, _ := l.Step(0)
	g := s.Thought[len(s.Thought)-1]
	if len(g.Levels) != 2 {
		t.Fatalf("%d levels, want 2", len(g.Levels))
	}
	for i, l := range g.Levels {
		if len(l.Attention) != 81*81 {
			t.Fatalf("%d bytes of attention, want %d", len(l.Attention), 81*81)
		}
		for _, cell := range []int{0, 40, 80} {
			want, _ := w.Attend(t.Context(), 0, cell)
			if d := cmp.Diff(want[i], l.Attention[cell*81:(cell+1)*81]); d != "" {
				t.Errorf("level %d, cell %d: %s", i, cell, d)
			}
		}
	}
	if _, err := session.WithAttention(session.NewHuman(), scene.World); err == nil {
		t.Error("a person has attention to keep")
	}
}
