package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
)

func TestEditsAsText(t *testing.T) {
	edits := []session.Edit{{X: 3, Y: 4, Value: 1}, {X: 0, Y: 12, Value: -1}, {Step: 7, X: 5, Y: 5}}
	const text = "3.4.1_0.12.-1_5.5.0.7"
	if got := session.FormatEdits(edits); got != text {
		t.Errorf("written %q, want %q", got, text)
	}
	got, err := session.ParseEdits(text)
	if d := cmp.Diff(edits, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if got, err := session.ParseEdits(""); got != nil || err != nil {
		t.Errorf("no text: %v, %v", got, err)
	}
	for text, want := range map[string]string{
		"1.2":             "want X.Y.VALUE",
		"1.2.3.4.5":       "want X.Y.VALUE",
		"1.2.x":           "want X.Y.VALUE",
		"1.2.3.-1":        "want X.Y.VALUE",
		"1.2.99999999999": "want X.Y.VALUE",
		"1.2.3_":          "want X.Y.VALUE",
		"1.2.3.4_1.2.3":   "before that of the one before",
		strings.Repeat("1.1.1_", 1<<12) + "1.1.1": "more than 4096 edits",
	} {
		if _, err := session.ParseEdits(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %q", text, err, want)
		}
	}
}

// TestEditsAgain: a choice that names the edits of a run is the same run again, also where some were made
// on the way.
func TestEditsAgain(t *testing.T) {
	play := func(c session.Choice, edit bool) (steps []*trace.Step, edits string) {
		s := start(t, wave(40), c)
		l := s.Status().Trace
		for n := 0; !s.Status().Ended; n++ {
			if edit && (n == 0 || n == 2) {
				open := wall(t, l.Thinking(), n)
				do(t, s, session.Command{Op: session.OpEdit, X: open % 9, Y: open / 9, Value: -1})
			}
			do(t, s, session.Command{Op: session.OpNow})
		}
		for n := range end(l) {
			step, err := l.Step(n)
			if err != nil {
				t.Fatal(err)
			}
			steps = append(steps, step)
		}
		return steps, s.Status().Choice.Edits
	}
	first, edits := play(mazeChoice, true)
	if strings.Count(edits, "_") != 1 || !strings.HasSuffix(edits, ".2") {
		t.Fatalf("edits %q, want two, of steps 0 and 2", edits)
	}
	c := mazeChoice
	c.Edits = edits
	again, _ := play(c, false)
	if len(again) != len(first) {
		t.Fatalf("%d steps, then %d", len(first), len(again))
	}
	for n := range first {
		if d := cmp.Diff(first[n].Board, again[n].Board); d != "" || first[n].Action != again[n].Action {
			t.Fatalf("step %d: action %d, then %d; %s", n, first[n].Action, again[n].Action, d)
		}
	}
	c.Edits = "0.0.1"
	s := session.Start(wave(40), c, false)
	defer s.Close()
	until(t, "it is said", func() bool { return strings.Contains(s.Status().Message, "outer wall") })
	if err := (session.Choice{Agent: trace.Network, Edits: "x"}).Check(); err == nil {
		t.Error("a choice with edits that are none is right")
	}
}

// wall is the inner wall number n of the board of a maze.
func wall(t *testing.T, g *trace.Step, n int) int {
	t.Helper()
	b := &g.Board
	for i, c := range b.Cells {
		x, y := i%b.Cols, i/b.Cols
		if c.Kind == maze.KindWall && x > 0 && y > 0 && x < b.Cols-1 && y < b.Rows-1 {
			if n--; n < 0 {
				return i
			}
		}
	}
	t.Fatal("too few walls")
	return 0
}

// TestFar: an agent at the other end of a port is to a session what it is by itself.
func TestFar(t *testing.T) {
	near := func(c session.Choice) *trace.Live {
		scene, err := wave(4)(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		l := trace.NewLive(1000, 1<<30)
		if err := session.Record(t.Context(), scene, 3, 0, l); err != nil {
			t.Fatal(err)
		}
		return l
	}(mazeChoice)

	scene, err := wave(4)(t.Context(), mazeChoice)
	if err != nil {
		t.Fatal(err)
	}
	want := scene.Header()
	inner := scene.Agent
	server := session.NewServer(func(c session.Choice, spec env.Spec) (session.Agent, error) {
		if d := cmp.Diff(scene.World.Spec(), spec); d != "" || c != mazeChoice {
			t.Errorf("asked for %+v; %s", c, d)
		}
		return inner, nil
	})
	port := func(ctx context.Context, request []byte) ([]byte, error) { return server.Answer(ctx, request), nil }
	if scene.Agent, err = session.OpenFar(t.Context(), port, mazeChoice, scene.World.Spec()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, scene.Header()); d != "" {
		t.Error(d)
	}
	far := trace.NewLive(1000, 1<<30)
	if err := session.Record(t.Context(), scene, 3, 0, far); err != nil {
		t.Fatal(err)
	}
	if end(far) != end(near) {
		t.Fatalf("%d steps, by itself %d", end(far), end(near))
	}
	for n := range end(near) {
		a, _ := near.Step(n)
		b, _ := far.Step(n)
		if d := cmp.Diff(a, b); d != "" {
			t.Fatalf("step %d: %s", n, d)
		}
	}
	levels, err := scene.Agent.(session.Attender).Attend(t.Context(), 0, 40)
	if want, _ := inner.(session.Attender).Attend(t.Context(), 0, 40); err != nil || !cmp.Equal(levels, want) {
		t.Errorf("attention %v, %v", levels, err)
	}
	if err := scene.Agent.Close(); err != nil {
		t.Error(err)
	}
	if err := scene.Agent.Begin(t.Context(), nil, true); err == nil || !strings.Contains(err.Error(), "no agent 1") {
		t.Errorf("after Close: %v", err)
	}
}

// TestFarErrors: what goes wrong at the other end keeps its text, and its kind where callers ask for it.
func TestFarErrors(t *testing.T) {
	var fail error
	server := session.NewServer(func(session.Choice, env.Spec) (session.Agent, error) {
		if fail != nil {
			return nil, fail
		}
		return session.NewHuman(), nil
	})
	port := func(ctx context.Context, request []byte) ([]byte, error) { return server.Answer(ctx, request), nil }
	fail = fmt.Errorf("%w is shipped for chess", session.ErrNoModel)
	if _, err := session.OpenFar(t.Context(), port, mazeChoice, env.Spec{}); !errors.Is(err, session.ErrNoModel) || err.Error() != fail.Error() {
		t.Errorf("error %v", err)
	}
	fail = nil
	a, err := session.OpenFar(t.Context(), port, mazeChoice, env.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := a.(session.Attender); ok {
		t.Error("a person attends")
	}
	if err := a.Think(t.Context(), &trace.Segment{}); !errors.Is(err, session.ErrNoThought) {
		t.Errorf("error %v, want %v", err, session.ErrNoThought)
	}
	if _, err := a.Action(t.Context()); err == nil || !strings.Contains(err.Error(), "a person plays") {
		t.Errorf("error %v", err)
	}
	for _, request := range []string{"", "{}", `{"Op":"fly","Agent":1}`, `{"Op":"attend","Agent":1}`, `{"Op":"open"}`} {
		if reply := string(server.Answer(t.Context(), []byte(request))); !strings.Contains(reply, `"Error":`) {
			t.Errorf("%s: reply %s", request, reply)
		}
	}
	// A port that never answers does not keep who closes.
	silent := func(ctx context.Context, request []byte) ([]byte, error) {
		if strings.Contains(string(request), `"open"`) {
			return server.Answer(ctx, request), nil
		}
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	if a, err = session.OpenFar(t.Context(), silent, mazeChoice, env.Spec{}); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	gone := errors.New("the worker ended")
	if _, err := session.OpenFar(t.Context(), func(context.Context, []byte) ([]byte, error) { return nil, gone }, mazeChoice, env.Spec{}); !errors.Is(err, gone) {
		t.Errorf("error %v, want %v", err, gone)
	}
}
