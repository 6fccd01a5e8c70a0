package run

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A walker learns nothing: its weight is a random walk, of Pace steps at once.
type walker struct {
	cfg     walk
	walked  walked
	compute Compute
	before  func(what string, step int64) error // Step and Evaluate
	closed  bool
}

type walk struct {
	Seed  uint64 `json:"seed"`
	Steps int64  `json:"steps"`
	Pace  int64  `json:"pace"`
}

// walked is the state of a walker.
type walked struct {
	Step int64  `json:"step"`
	X    uint32 `json:"x"`
	Sum  uint64 `json:"sum"` // of X since Metrics
}

func (w *walker) Describe() Description {
	return Description{Learner: "walker", Text: "a walk", Unit: "paces", Seed: w.cfg.Seed, Config: w.cfg, Compute: w.compute}
}

func (w *walker) Steps() (done, all int64) { return w.walked.Step, w.cfg.Steps }

func (w *walker) Step(ctx context.Context) error {
	if w.before != nil {
		if err := w.before("step", w.walked.Step); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for range w.cfg.Pace {
		w.walked.Step++
		w.walked.X = w.walked.X*1664525 + 1013904223 // Numerical Recipes
		w.walked.Sum += uint64(w.walked.X)
	}
	return nil
}

func (w *walker) Progress() []string { return []string{fmt.Sprint("at ", w.walked.X)} }

func (w *walker) Metrics(d time.Duration) []runlog.Field {
	sum := w.walked.Sum
	w.walked.Sum = 0
	return []runlog.Field{runlog.Int("sum", int64(sum)), runlog.Float("time", d.Seconds())}
}

func (w *walker) Evaluate(ctx context.Context, count int) (Evaluation, error) {
	if w.before != nil {
		if err := w.before("evaluate", w.walked.Step); err != nil {
			return Evaluation{}, err
		}
	}
	if ctx.Err() != nil {
		return Evaluation{}, context.Cause(ctx)
	}
	return Evaluation{Text: "looked", Fields: []runlog.Field{runlog.Int("at", int64(w.walked.X)), runlog.Int("count", int64(count))}}, nil
}

func (w *walker) Snapshot() (checkpoint.Snapshot, error) {
	x := safetensors.OfFloat32s([]int64{1}, []float32{float32(w.walked.X)})
	return checkpoint.Snapshot{
		Config: w.cfg, Model: map[string]safetensors.Tensor{"x": x}, Optimizer: map[string]safetensors.Tensor{"y": x}, Train: w.walked,
		Card: checkpoint.Card{Summary: "a walk"},
	}, nil
}

func (w *walker) Close() { w.closed = true }

var (
	way  = walk{Seed: 3, Steps: 11, Pace: 1}
	plan = Plan{LogEvery: 3, SaveEvery: 5, EvalEvery: 4, EvalCount: 2}
)

// goOn is an Open of walkers; change may be nil.
func goOn(t *testing.T, change func(*walker, *Saved)) Open {
	return func(s *Saved) (Learner, error) {
		if s.Learner != "walker" {
			t.Errorf("learner %q, want walker", s.Learner)
		}
		w := &walker{}
		decode(t, s.Config, &w.cfg)
		decode(t, s.State, &w.walked)
		if change != nil {
			change(w, s)
		}
		return w, nil
	}
}

// lines are metrics.jsonl without the fields that tell time.
func lines(t *testing.T, dir string) string {
	return regexp.MustCompile(`,"time":[^,}]*`).ReplaceAllString(read(t, dir, "metrics.jsonl"), "")
}

func read(t *testing.T, parts ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestBegin: the lines, files and words of a run from beginning to end.
func TestBegin(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "walk")
	var out strings.Builder
	w := &walker{cfg: walk{Seed: 3, Steps: 5, Pace: 2}, compute: Compute{Device: "cpu", Threads: 2, Precision: "float32", Library: "feet", Kernels: "left, right"}}
	err := Begin(t.Context(), dir, w, Plan{LogEvery: 4, SaveEvery: 3, EvalEvery: 0, EvalCount: 9}, Options{Out: &out, Command: []string{"go", "on"}})
	if err != nil {
		t.Fatal(err)
	}
	// Steps 2, 4 and 6 are done; 4 is past a multiple of LogEvery, and of SaveEvery, 6 is the end.
	want := `{"step":4,"kind":"train","sum":8598677166}
{"step":6,"kind":"train","sum":4320242569}
{"step":6,"kind":"eval","at":2670642822,"count":9}
`
	if diff := cmp.Diff(want, lines(t, dir)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	if got := read(t, dir, "config.toml"); got != "pace = 2\nseed = 3\nsteps = 5\n" {
		t.Errorf("config.toml:\n%s", got)
	}
	if steps, err := checkpoint.Steps(filepath.Join(dir, checkpoint.RunSeries)); err != nil || !cmp.Equal(steps, []int{4, 6}) {
		t.Errorf("checkpoints of steps %v, %v", steps, err)
	}
	info, err := ReadInfo(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Ended == nil || info.Started.After(*info.Ended) || info.Versions["go"] == "" || !strings.Contains(info.Machine, "CPUs") {
		t.Errorf("run.json: %+v", info)
	}
	shown := Info{Command: info.Command, Learner: info.Learner, Seed: info.Seed, State: info.State, Step: info.Step, Compute: info.Compute}
	if diff := cmp.Diff(Info{Command: []string{"go", "on"}, Learner: "walker", Seed: 3, State: Finished, Step: 6, Compute: w.compute}, shown); diff != "" {
		t.Errorf("run.json (-want +got):\n%s", diff)
	}
	c, err := checkpoint.Load(filepath.Join(dir, checkpoint.RunModel))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Optimizer != nil || c.Train != nil || !strings.Contains(c.Card, "# walk\n") || !strings.Contains(c.Card, "    go on\n") {
		t.Errorf("model: optimizer %v, train %s, card:\n%s", c.Optimizer, c.Train, c.Card)
	}
	if got := out.String(); !strings.HasPrefix(got, "a walk on cpu (feet; kernels: left, right; float32, 2 threads) into "+dir+"\n") ||
		!strings.Contains(got, "step 6: looked\n") || !strings.HasSuffix(got, "finished: "+filepath.Join(dir, checkpoint.RunModel)+"\n") {
		t.Errorf("output:\n%s", got)
	}
	if err := Begin(t.Context(), dir, w, plan, Options{}); err == nil || !strings.Contains(err.Error(), "a run is recorded there already") {
		t.Errorf("begun again: %v", err)
	}
	if w.closed {
		t.Error("Begin closed the caller's learner")
	}
}

// TestInterrupted stops a run in every step and in every evaluation, twice, lets it crash when it goes on,
// and goes on again: everything ends up as in one go.
func TestInterrupted(t *testing.T) {
	root := t.TempDir()
	whole := filepath.Join(root, "whole")
	var moments []string
	w := &walker{cfg: way, before: func(what string, step int64) error {
		moments = append(moments, fmt.Sprint(what, " ", step))
		return nil
	}}
	if err := Begin(t.Context(), whole, w, plan, Options{}); err != nil {
		t.Fatal(err)
	}
	if len(moments) != 11+3 { // evaluations after steps 4, 8 and 11
		t.Fatalf("moments %v", moments)
	}
	for i, moment := range moments {
		dir := filepath.Join(root, fmt.Sprint(i))
		stopped := errors.New("stopped")
		var ctx context.Context
		at := func(moment string) func(string, int64) error {
			var cancel context.CancelCauseFunc
			ctx, cancel = context.WithCancelCause(t.Context())
			return func(what string, step int64) error {
				if fmt.Sprint(what, " ", step) == moment {
					cancel(stopped)
				}
				return nil
			}
		}
		before := at(moment)
		check := func(err error, when string) {
			t.Helper()
			var s *Stopped
			if !errors.As(err, &s) || !errors.Is(err, stopped) || fmt.Sprint(s.Step) != moment[strings.Index(moment, " ")+1:] {
				t.Fatalf("%s, stopped in %s: error %v", when, moment, err)
			}
			if info, err := ReadInfo(dir); err != nil || info.State != Interrupted || info.Step != s.Step {
				t.Errorf("%s, stopped in %s: run.json %+v, %v", when, moment, info, err)
			}
		}
		check(Begin(ctx, dir, &walker{cfg: way, before: before}, plan, Options{}), "begun")
		again := at(moment)
		check(Resume(ctx, dir, goOn(t, func(w *walker, _ *Saved) { w.before = again }), Options{}), "resumed")
		// A crash after the next evaluation, if one was due, and before anything is saved.
		torn := errors.New("torn")
		err := Resume(t.Context(), dir, goOn(t, func(w *walker, _ *Saved) {
			w.before = func(what string, _ int64) error {
				if what == "step" {
					return torn
				}
				return nil
			}
		}), Options{})
		if err != torn && moment != "evaluate 11" {
			t.Fatalf("stopped in %s: error %v, want %v", moment, err, torn)
		}
		if err := Resume(t.Context(), dir, goOn(t, nil), Options{}); err != nil {
			t.Fatalf("stopped in %s: %v", moment, err)
		}
		for _, file := range []string{"model/model.safetensors", "checkpoints/step-000000011/optimizer.safetensors", "checkpoints/step-000000011/train.json", "config.toml"} {
			if read(t, dir, file) != read(t, whole, file) {
				t.Errorf("stopped in %s: %s differs", moment, file)
			}
		}
		if diff := cmp.Diff(lines(t, whole), lines(t, dir)); diff != "" {
			t.Errorf("stopped in %s: metrics differ (-whole +resumed):\n%s", moment, diff)
		}
		if info, err := ReadInfo(dir); err != nil || info.State != Finished || len(info.Resumed) != 3 {
			t.Errorf("stopped in %s: run.json %+v, %v", moment, info, err)
		}
	}
}

// TestFailed: a run that fails says why, one that fails at once leaves nothing of itself.
func TestFailed(t *testing.T) {
	dir := t.TempDir()
	torn := errors.New("torn")
	fail := func(at int64) *walker {
		return &walker{cfg: way, before: func(_ string, step int64) error {
			if step == at {
				return torn
			}
			return nil
		}}
	}
	for _, dir := range []string{dir, filepath.Join(dir, "new")} {
		if err := Begin(t.Context(), dir, fail(0), plan, Options{}); err != torn {
			t.Errorf("error %v, want %v", err, torn)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := Begin(t.Context(), dir, fail(6), plan, Options{}); err != torn {
		t.Errorf("error %v, want %v", err, torn)
	}
	if info, err := ReadInfo(dir); err != nil || info.State != Failed || info.Error != "torn" || info.Step != 6 {
		t.Errorf("run.json %+v, %v", info, err)
	}
	if err := Resume(t.Context(), dir, goOn(t, nil), Options{}); err != nil {
		t.Error(err)
	}
	if info, err := ReadInfo(dir); err != nil || info.State != Finished || info.Error != "" {
		t.Errorf("run.json after it went on %+v, %v", info, err)
	}
}

// TestDiverged: a run whose learner diverged keeps its last checkpoint and the batch, and says where they are.
func TestDiverged(t *testing.T) {
	for _, tt := range []struct {
		at   int64
		last string
	}{
		{0, "no step was saved before"},
		{6, "step 5, saved before, is whole: go on from its weights with --begin DIR and a lower learning rate"},
	} {
		dir := filepath.Join(t.TempDir(), "walk")
		w := &walker{cfg: way, before: func(_ string, step int64) error {
			if step != tt.at {
				return nil
			}
			return fmt.Errorf("pace %d: %w", step, CheckFinite("loss", math.NaN(), func() map[string]safetensors.Tensor {
				return map[string]safetensors.Tensor{"x": safetensors.OfUint8s([]int64{2}, []byte{7, 9})}
			}))
		}}
		err := Begin(t.Context(), dir, w, plan, Options{})
		want := fmt.Sprintf("pace %d: the loss is NaN: training has diverged; the batch is in %s; %s", tt.at, filepath.Join(dir, BatchFile), strings.ReplaceAll(tt.last, "DIR", dir))
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		f, err := safetensors.Open(filepath.Join(dir, BatchFile))
		if err != nil {
			t.Fatal(err)
		}
		if x, err := f.Tensor("x"); err != nil || string(x.Data) != "\x07\x09" {
			t.Errorf("the batch has %v, %v", x.Data, err)
		}
		f.Close()
		if info, err := ReadInfo(dir); err != nil || info.State != Failed {
			t.Errorf("run.json %+v, %v", info, err)
		}
	}
}

// stopped makes a run that was stopped at step 5, and returns the path of its train.json.
func stopped(t *testing.T, compute Compute) (dir, train string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "walk")
	ctx, cancel := context.WithCancel(t.Context())
	w := &walker{cfg: way, compute: compute, before: func(_ string, step int64) error {
		if step == 5 {
			cancel()
		}
		return nil
	}}
	if _, ok := errors.AsType[*Stopped](Begin(ctx, dir, w, plan, Options{})); !ok {
		t.Fatal("the run was not stopped")
	}
	last := filepath.Join(dir, checkpoint.RunSeries, "step-000000005")
	if err := os.Remove(filepath.Join(last, checkpoint.SumsFile)); err != nil { // so that files may be changed
		t.Fatal(err)
	}
	return dir, filepath.Join(last, checkpoint.TrainFile)
}

// TestResumeRefuses: what cannot be gone on with is named in one line, and the learner closed.
func TestResumeRefuses(t *testing.T) {
	tests := []struct{ from, to, want string }{
		{`"version": 2`, `"version": 3`, "train.json: version 3, this ponder reads 1 to 2"},
		{`"log_every": 3`, `"log_every": 0`, "train.json: log_every is 0, want 1 or more"},
		{`"save_every": 5`, `"save_every": -5`, "train.json: save_every is -5, want 1 or more"},
		{`"eval_every": 4`, `"eval_every": -1`, "train.json: eval_every is -1, want 0 or more"},
		{`"eval_count": 2`, `"eval_count": 0`, "train.json: eval_count is 0, want 1 or more"},
		{`"log_every": 3`, `"log_every": "3"`, "train.json: json: cannot unmarshal string .*"},
		{`"step": 5`, `"step": 4`, "what it holds is of step 4"},
	}
	for _, tt := range tests {
		dir, train := stopped(t, Compute{})
		text := read(t, train)
		if !strings.Contains(text, tt.from) {
			t.Fatalf("no %s in\n%s", tt.from, text)
		}
		if err := os.WriteFile(train, []byte(strings.Replace(text, tt.from, tt.to, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		var w *walker
		err := Resume(t.Context(), dir, goOn(t, func(x *walker, _ *Saved) { w = x }), Options{})
		want := regexp.MustCompile(`^resume ` + regexp.QuoteMeta(dir) + `: checkpoint .*step-000000005: ` + tt.want + `$`)
		if err == nil || !want.MatchString(err.Error()) {
			t.Errorf("%s: error %v, want %s", tt.to, err, want)
		}
		if w != nil && !w.closed {
			t.Errorf("%s: the learner is not closed", tt.to)
		}
	}

	dir, _ := stopped(t, Compute{})
	if err := Resume(t.Context(), filepath.Join(dir, checkpoint.RunSeries), nil, Options{}); err == nil || !strings.Contains(err.Error(), "no checkpoint in ") {
		t.Errorf("a folder without a run: %v", err)
	}
	info := strings.Replace(read(t, dir, InfoFile), `"seed": 3`, `"seed": 3, "compute": {"threads": 1000000}`, 1)
	if err := os.WriteFile(filepath.Join(dir, InfoFile), []byte(info), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Resume(t.Context(), dir, goOn(t, nil), Options{}); err == nil || !strings.HasSuffix(err.Error(), "run.json: compute.threads is 1000000, want 0 to 4096") {
		t.Errorf("a million threads: %v", err)
	}
	if err := Begin(t.Context(), filepath.Join(dir, "new"), &walker{cfg: way}, Plan{}, Options{}); err == nil ||
		!strings.HasSuffix(err.Error(), "new: log_every is 0, want 1 or more; save_every is 0, want 1 or more; eval_count is 0, want 1 or more") {
		t.Errorf("no plan: %v", err)
	}
}

// TestVersion1: train.json as it was before it had a version: the state stands beside the plan.
func TestVersion1(t *testing.T) {
	dir, train := stopped(t, Compute{})
	if err := os.WriteFile(train, []byte(`{"position": {"step": 5}, "log_every": 2, "save_every": 4, "eval_every": 0, "eval_count": 1}`), 0o644); err != nil {
		t.Fatal(err)
	}
	err := Resume(t.Context(), dir, func(s *Saved) (Learner, error) {
		var old struct{ Position walked }
		decode(t, s.State, &old)
		if s.Learner != "supervised" || s.Step != 5 || old.Position.Step != 5 {
			t.Errorf("learner %q at step %d, state %s", s.Learner, s.Step, s.State)
		}
		return &walker{cfg: way, walked: old.Position}, nil
	}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := lines(t, dir); !strings.Contains(got, `{"step":6,`) || !strings.Contains(got, `{"step":8,`) || strings.Contains(got, `{"step":7,`) {
		t.Errorf("a line every 2 steps after the first 5, want none of the plan that was replaced:\n%s", got)
	}
}

// TestNotes: what computes otherwise than it did is said before the run goes on, and recorded.
func TestNotes(t *testing.T) {
	was := Compute{Device: "cpu", Threads: 1, Precision: "float32", Library: "feet 1", Kernels: "left"}
	tests := []struct {
		name     string
		was, now Compute
		want     string
	}{
		{"the same", was, was, ""},
		{
			"all else", was,
			Compute{Device: "cuda:0", Threads: 2, Precision: "bfloat16", Library: "feet 2", Kernels: "right"},
			"ponder: the run goes on with device cuda:0, was cpu; threads 2, was 1; precision bfloat16, was float32; library feet 2, was feet 1; kernels right, was left: it will end with other weights than a run in one go\n",
		},
		{
			"an older run",
			Compute{},
			was,
			"ponder: the run does not say with how many threads it computed, as runs of older versions do not: if not with 1, it will end with other weights\n",
		},
	}
	for _, tt := range tests {
		dir, _ := stopped(t, tt.was)
		var out strings.Builder
		err := Resume(t.Context(), dir, goOn(t, func(w *walker, s *Saved) {
			if s.Compute != tt.was {
				t.Errorf("%s: computed with %+v, want %+v", tt.name, s.Compute, tt.was)
			}
			w.compute = tt.now
		}), Options{Out: &out})
		if err != nil {
			t.Fatal(err)
		}
		notes, _, _ := strings.Cut(out.String(), "a walk on ")
		if diff := cmp.Diff(tt.want, notes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if info, err := ReadInfo(dir); err != nil || info.Compute != tt.now {
			t.Errorf("%s: recorded %+v, %v", tt.name, info.Compute, err)
		}
	}
	// An older run whose command line says it.
	dir, _ := stopped(t, Compute{})
	command := regexp.MustCompile(`(?s)"command": \[.*?\]`)
	for _, args := range []string{`"--threads", "3"`, `"--threads=3", "--threads"`} {
		info := command.ReplaceAllString(read(t, dir, InfoFile), `"command": ["ponder", "train", `+args+`]`)
		if err := os.WriteFile(filepath.Join(dir, InfoFile), []byte(info), 0o644); err != nil {
			t.Fatal(err)
		}
		if info, err := ReadInfo(dir); err != nil || info.Compute != (Compute{Threads: 3}) {
			t.Errorf("%s: %+v, %v, want 3 threads", args, info.Compute, err)
		}
	}
	// Another machine has other kernels, whatever their names.
	dir, _ = stopped(t, was)
	info := regexp.MustCompile(`"machine": "[^"]*"`).ReplaceAllString(read(t, dir, InfoFile), `"machine": "abacus"`)
	if err := os.WriteFile(filepath.Join(dir, InfoFile), []byte(info), 0o644); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := Resume(t.Context(), dir, goOn(t, func(w *walker, _ *Saved) { w.compute = was }), Options{Out: &out}); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`goes on with machine .*, was abacus: `).MatchString(out.String()) {
		t.Errorf("on another machine:\n%s", out.String())
	}
}

// TestUntil: a run that stops where it was told to goes on as if it had not.
func TestUntil(t *testing.T) {
	root := t.TempDir()
	whole, part := filepath.Join(root, "whole"), filepath.Join(root, "part")
	if err := Begin(t.Context(), whole, &walker{cfg: way}, plan, Options{}); err != nil {
		t.Fatal(err)
	}
	err := Begin(t.Context(), part, &walker{cfg: way}, plan, Options{Until: 7})
	if s, ok := errors.AsType[*Stopped](err); !ok || s.Step != 7 || !errors.Is(err, ErrUntil) {
		t.Fatalf("error %v, want that it stopped at 7", err)
	}
	if info, err := ReadInfo(part); err != nil || info.State != Interrupted || info.Step != 7 {
		t.Errorf("state %s at %d, error %v", info.State, info.Step, err)
	}
	if err := Resume(t.Context(), part, goOn(t, nil), Options{}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(lines(t, whole), lines(t, part)); d != "" {
		t.Error(d)
	}
}
