package gym

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/env"
)

// python is an interpreter that imports a module: $PONDER_PYTHON, python3 or python.
func python(t testing.TB, module string) string {
	t.Helper()
	found, _ := pythons.LoadOrStore(module, sync.OnceValue(func() string {
		for _, name := range []string{os.Getenv("PONDER_PYTHON"), "python3", "python"} {
			if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c", "import "+module).Run() == nil {
				return path
			}
		}
		return ""
	}))
	path := found.(func() string)()
	if path == "" {
		t.Skipf("no Python that imports %s; PONDER_PYTHON may name one", module)
	}
	return path
}

var pythons sync.Map // module to func() string

func open(t testing.TB, cfg Config) *Worker {
	t.Helper()
	cfg.Python = python(t, "gymnasium")
	if cfg.Dir == "" {
		cfg.Dir = "testdata"
	}
	w, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close(); gone(t, w) })
	return w
}

// gone checks that the process was waited for.
func gone(t testing.TB, w *Worker) {
	t.Helper()
	if w.p.cmd.ProcessState == nil {
		t.Error("the worker was not waited for")
	}
}

func TestHandshake(t *testing.T) {
	w := open(t, Config{ID: "Spaces-v0", Imports: []string{"worlds"}, N: 2})
	info := w.Info()
	if info.ID != "Spaces-v0" || info.MaxSteps != 9 || info.Versions["gymnasium"] == "" || info.Versions["worlds"] != "7" {
		t.Errorf("info %+v", info)
	}
	type leaf struct {
		Name, Kind, DType string
		Offset, Bytes     int
	}
	var got []leaf
	for _, l := range w.Leaves() {
		got = append(got, leaf{l.Name, l.Space.Kind, l.Space.DType, l.Offset, l.Bytes})
	}
	want := []leaf{
		{"a.0", Discrete, "int64", 0, 8},
		{"a.1", Box, "float32", 8, 12},
		{"b", MultiBinary, "int8", 20, 2},
		{"t", Text, "uint8", 22, 256},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if b := w.Leaves()[1].Space; !math.IsInf(b.Low[0], -1) || b.High[0] != 2.5 {
		t.Errorf("bounds %v %v", b.Low, b.High)
	}
}

// TestValues: the environment answers with what it was given.
func TestValues(t *testing.T) {
	w := open(t, Config{ID: "Spaces-v0", Imports: []string{"worlds"}, N: 2, Autoreset: env.NextStep})
	if err := w.Reset(t.Context(), 40); err != nil {
		t.Fatal(err)
	}
	if got := w.Leaves()[3].Text(w.ObsRow(1)); got != "seed 41 é" {
		t.Errorf("text %q", got)
	}
	// An action is Discrete from 3, Box [2] float32, MultiDiscrete [2, 3].
	if w.ActionLen() != 5 {
		t.Fatalf("%d numbers an action", w.ActionLen())
	}
	if err := w.Step(t.Context(), []float64{3, 0.1, -1, 0, 2, 5, 1, 1, 1, 0}); err != nil {
		t.Fatal(err)
	}
	if got, want := w.Floats(nil, 0)[:4], []float64{3, float64(float32(0.1)), -1, 2}; !cmp.Equal(got, want) {
		t.Errorf("observation %v, want %v", got, want)
	}
	if got, want := w.Floats(nil, 1)[:4], []float64{5, 1, 1, 0}; !cmp.Equal(got, want) {
		t.Errorf("observation %v, want %v", got, want)
	}
	if w.Rewards[0] != 0.1 || w.Rewards[1] != 1 {
		t.Errorf("rewards %v", w.Rewards)
	}
	before := bytes.Clone(w.Obs)
	for _, bad := range []struct {
		text   string
		action []float64
	}{
		{"want a whole number in [3, 5]", []float64{6, 0, 0, 0, 0}},
		{"0: 3.5", []float64{3.5, 0, 0, 0, 0}},
		{"1: number 1: NaN: want a number in [-1, 1]", []float64{3, 0, math.NaN(), 0, 0}},
		{"1: number 0: 1.00999999", []float64{3, 1.01, 0, 0, 0}},
		{"2: number 1: 3", []float64{3, 0, 0, 0, 3}},
		{"0: NaN", []float64{math.NaN(), 0, 0, 0, 0}},
		{"0: +Inf", []float64{math.Inf(1), 0, 0, 0, 0}},
	} {
		err := w.StepRows(t.Context(), []int{1}, bad.action)
		if err == nil || !strings.Contains(err.Error(), bad.text) {
			t.Errorf("action %v: error %v, want %q", bad.action, err, bad.text)
		}
	}
	for _, rows := range [][]int{{2}, {-1}, {1, 0}, {0, 0}} {
		if err := w.ResetRows(t.Context(), rows, nil); err == nil || !strings.Contains(err.Error(), "rows") {
			t.Errorf("rows %v: %v", rows, err)
		}
	}
	if err := w.Step(t.Context(), []float64{3}); err == nil {
		t.Error("one number was taken for two actions")
	}
	if !bytes.Equal(before, w.Obs) {
		t.Error("what was refused changed the observations")
	}
}

func TestAutoreset(t *testing.T) {
	for _, mode := range []env.Autoreset{env.SameStep, env.NextStep, env.NoReset} {
		t.Run(mode.String(), func(t *testing.T) {
			w := open(t, Config{ID: "Spaces-v0", Imports: []string{"worlds"}, Autoreset: mode})
			ctx, act := t.Context(), []float64{4, 0.5, 0, 0, 0}
			if err := w.Reset(ctx, 1); err != nil {
				t.Fatal(err)
			}
			for range 8 {
				if err := w.Step(ctx, act); err != nil {
					t.Fatal(err)
				}
				if w.Truncated[0] || w.Fresh[0] {
					t.Fatal("the episode ended early")
				}
			}
			if err := w.Step(ctx, act); err != nil {
				t.Fatal(err)
			}
			text := func(row []byte) string { return w.Leaves()[3].Text(row) }
			if !w.Truncated[0] || w.Terminated[0] || w.Rewards[0] != 0.5 || text(w.FinalRow(0)) != "step 9" {
				t.Errorf("the end: truncated %v, reward %v, final %q", w.Truncated, w.Rewards, text(w.FinalRow(0)))
			}
			if same := mode == env.SameStep; w.Fresh[0] != same || (text(w.ObsRow(0)) == "again é") != same {
				t.Errorf("fresh %v, observation %q", w.Fresh, text(w.ObsRow(0)))
			}
			err := w.Step(ctx, []float64{-99, 0, 0, 0, 0})
			switch mode {
			case env.NextStep:
				if err != nil || !w.Fresh[0] || w.Truncated[0] || w.Rewards[0] != 0 || text(w.ObsRow(0)) != "again é" {
					t.Errorf("after the end: %v, fresh %v, reward %v", err, w.Fresh, w.Rewards)
				}
			case env.SameStep:
				if err == nil || !strings.Contains(err.Error(), "[3, 5]") {
					t.Errorf("bad action: %v", err)
				}
			default:
				if err == nil || !strings.Contains(err.Error(), "has ended") {
					t.Errorf("step after the end: %v", err)
				}
			}
		})
	}
}

func TestExceptions(t *testing.T) {
	w := open(t, Config{ID: "Spaces-v0", Imports: []string{"worlds"}, N: 2})
	ctx := t.Context()
	if err := w.Reset(ctx, 13); err == nil || !strings.Contains(err.Error(), "gym Spaces-v0: reset: ValueError: unlucky seed 13") {
		t.Errorf("reset: %v", err)
	}
	var e *Error
	if err := w.Step(ctx, make([]float64, 10)); err == nil || !strings.Contains(err.Error(), "reset it first") {
		t.Errorf("step after an exception in reset: %v", err)
	}
	if err := w.Reset(ctx, 20); err != nil {
		t.Fatalf("the worker did not live on: %v", err)
	}
	err := w.Step(ctx, []float64{5, -1, -1, 1, 2, 3, 0, 0, 0, 0})
	if !errors.As(err, &e) || e.Exception != "RuntimeError: broken on purpose" || !strings.Contains(e.Traceback, "worlds.py") || e.Exit != "" {
		t.Errorf("step: %#v", err)
	}
}

func TestFailures(t *testing.T) {
	py := python(t, "os")
	tests := []struct {
		name, script string
		want         []string
	}{
		{"exit code", "import sys; print('no such thing', file=sys.stderr); sys.exit(3)", []string{"exit status 3", "standard error: no such thing"}},
		{"garbage", "print('hello, this is no frame', flush=True); input()", []string{`not a frame: "hello, this `}},
		{"cut frame", `import sys; sys.stdout.write('PGY1H\0\0\0\x10\0\0\0{}'); sys.stdout.flush()`, []string{"unexpected EOF", "exit status 0"}},
		{"huge frame", `import sys; sys.stdout.buffer.write(b'PGY1O\0\0\0\xff\xff\xff\xff'); sys.stdout.flush(); input()`, []string{"frame O of 4294967295 bytes"}},
		{"unknown frame", `import sys; sys.stdout.buffer.write(b'PGY1Z\0\0\0\0\0\0\0'); sys.stdout.flush(); input()`, []string{"unknown type 'Z'"}},
		{"wrong protocol", frame('H', `{"protocol":2}`), []string{"protocol 2, want 1"}},
		{"no JSON", frame('H', `{`), []string{"handshake"}},
		{"bad space", frame('H', `{"protocol":1,"observation":{"kind":"Box","dtype":"float32","shape":[2,-1]},"action":{}}`), []string{"observation space: shape [2 -1]"}},
		{"bad bounds", frame('H', `{"protocol":1,"observation":{"kind":"Box","dtype":"float32","shape":[2],"low":"","high":""},"action":{}}`), []string{"0 and 0 bounds"}},
		{"bad kind", frame('H', `{"protocol":1,"observation":{"kind":"Graph"},"action":{}}`), []string{`"Graph" is not known`}},
		{"bad type", frame('H', `{"protocol":1,"observation":{"kind":"MultiBinary","dtype":"object","shape":[1]},"action":{}}`), []string{`type "object"`}},
		{"syntax error", "def", []string{"exit status 1", "SyntaxError"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := start(t.Context(), Config{ID: "X-v0", Python: py}, tt.script)
			if err == nil {
				w.Close()
				t.Fatal("no error")
			}
			for _, s := range append(tt.want, "gym X-v0: start: ") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("error %q, want %q in it", err, s)
				}
			}
		})
	}
}

// frame is a script that sends a frame and waits.
func frame(kind byte, payload string) string {
	b := endFrame(append(beginFrame(nil, kind), payload...))
	var list strings.Builder
	for _, c := range b {
		fmt.Fprintf(&list, "%d,", c)
	}
	return "import sys; sys.stdout.buffer.write(bytes([" + list.String() + "])); sys.stdout.flush(); sys.stdin.read()"
}

func TestStartErrors(t *testing.T) {
	py := python(t, "gymnasium")
	for want, cfg := range map[string]Config{
		"no ID":                   {},
		"-1 environments":         {ID: "CartPole-v1", N: -1},
		"not a JSON object":       {ID: "CartPole-v1", Kwargs: json.RawMessage("[1]")},
		"unknown autoreset":       {ID: "CartPole-v1", Autoreset: 9},
		"no Python":               {ID: "CartPole-v1", Python: "no-such-python"},
		"no-such-folder":          {ID: "CartPole-v1", Dir: "no-such-folder"},
		"NameNotFound":            {ID: "CartPool-v1"},
		"ModuleNotFoundError":     {ID: "CartPole-v1", Imports: []string{"no_such_module"}},
		"unexpected keyword":      {ID: "CartPole-v1", Kwargs: json.RawMessage(`{"gravity_": 1}`)},
		"has no fixed array":      {ID: "Sequence-v0", Imports: []string{"worlds"}, Dir: "testdata"},
		"texts of 2097152 bytes":  {ID: "CartPole-v1", TextBytes: 2 << 20},
		"exit status 5":           {ID: "Exit-v0", Imports: []string{"worlds"}, Dir: "testdata"},
		"is not one of a Discret": {ID: "Pendulum-v1"},
	} {
		if cfg.Python == "" {
			cfg.Python = py
		}
		var err error
		if cfg.ID == "Pendulum-v1" {
			_, err = Open(t.Context(), cfg, 0)
		} else {
			var w *Worker
			if w, err = Start(t.Context(), cfg); err == nil {
				w.Close()
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// TestDeath: a process that ends, hangs or is closed in the middle of a step.
func TestDeath(t *testing.T) {
	tests := []struct {
		name   string
		action float64 // of the world Deaths: 0 lives, 1 exits, 2 hangs, 3 writes garbage to its pipe
		want   []string
		is     error
	}{
		{"exit", 1, []string{"gym Deaths-v0: step: no answer: EOF", "exit status 7", "going down"}, nil},
		{"hang", 2, []string{"gym Deaths-v0: step: context deadline exceeded", "killed"}, context.DeadlineExceeded},
		{"print", 3, nil, nil},
		{"garbage", 4, []string{"not a frame"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := open(t, Config{ID: "Deaths-v0", Imports: []string{"worlds"}})
			if err := w.Reset(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			limit := time.Minute
			if tt.is != nil {
				limit = 200 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			err := w.Step(ctx, []float64{tt.action})
			if tt.want == nil {
				if err != nil {
					t.Errorf("a world that prints: %v", err)
				}
				return
			}
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Fatalf("error %v", err)
			}
			for _, s := range tt.want {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("error %q, want %q in it", err, s)
				}
			}
			gone(t, w)
			if again := w.Step(t.Context(), []float64{0}); again != err {
				t.Errorf("the next call: %v", again)
			}
		})
	}
}

func TestClose(t *testing.T) {
	w := open(t, Config{ID: "Deaths-v0", Imports: []string{"worlds"}})
	if err := w.Reset(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() { result <- w.Step(t.Context(), []float64{2}) }()
	for w.mu.TryLock() { // until the step is in progress
		w.mu.Unlock()
	}
	w.Close()
	if err := <-result; !errors.Is(err, ErrClosed) {
		t.Errorf("a step in progress at Close: %v", err)
	}
	gone(t, w)
	w.Close()

	w = open(t, Config{ID: "CartPole-v1"})
	w.Close()
	if err := w.Reset(t.Context(), 0); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if s := w.p.cmd.ProcessState.String(); s != "exit status 0" {
		t.Errorf("a worker at rest ended with %s", s)
	}
}

func TestCartPole(t *testing.T) {
	w := open(t, Config{ID: "CartPole-v1", N: 3})
	if err := w.Reset(t.Context(), 42); err != nil {
		t.Fatal(err)
	}
	// gymnasium.vector's documentation: CartPole-v1 from seed 42.
	for i, first := range []float32{0.0273956, 0.01522993, -0.03774345} {
		if got := float32(w.Floats(nil, i)[0]); math.Abs(float64(got-first)) > 1e-7 { // as printed
			t.Errorf("environment %d begins at %v, want %v", i, got, first)
		}
	}
	if err := w.Step(t.Context(), []float64{1, 0, 1}); err != nil {
		t.Fatal(err)
	}
	if got := w.Floats(nil, 0)[1]; math.Abs(got-0.18847767) > 1e-7 {
		t.Errorf("velocity %v, want 0.18847767", got)
	}
	if got := w.Rewards[0] + w.Rewards[1] + w.Rewards[2]; got != 3 {
		t.Errorf("rewards %v", w.Rewards)
	}
}
