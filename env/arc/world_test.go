package arc

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/envtest"
	"github.com/ponder-agents/ponder/env/grid"
)

func makeWorld(t testing.TB, id string, options ...string) *World {
	t.Helper()
	e, err := env.Make(id, options...)
	if err != nil {
		t.Fatal(err)
	}
	return e.(*World)
}

func TestConformance(t *testing.T) {
	for _, v := range []struct {
		name, id string
		options  []string
	}{
		{"mirror", "arc", nil},
		{"fill", "arc/fill-v0", []string{"augment=true", "reward=progress", "demos=-1", "steps=60"}},
		{"file", "arc/two-v0", []string{"dir=testdata", "test=2"}},
		{"file, any test", "arc/two-v0", []string{"dir=testdata", "augment=true", "trials=9"}},
	} {
		t.Run(v.name, func(t *testing.T) {
			envtest.Run(t, func() env.Env { return makeWorld(t, v.id, v.options...) }, 0, 1, 42)
		})
	}
}

// solve plays the plan to the end.
func solve(t *testing.T, w *World) (steps int, sum float64) {
	t.Helper()
	obs := make([]byte, w.Spec().ObsLen)
	w.Reset(obs)
	plan := NewPlan(w)
	for {
		action, err := plan.Act()
		if err != nil {
			t.Fatal(err)
		}
		out := w.Step(action, obs)
		steps++
		sum += out.Reward
		if out.Done() {
			if !out.Terminated || !w.Canvas().Equal(w.Answer()) {
				t.Fatalf("%s: %+v after %d steps\n%s", w.Spec().ID, out, steps, w.Canvas().AppendText(nil))
			}
			if _, err := plan.Act(); err == nil {
				t.Fatal("the plan acts after the end")
			}
			return steps, sum
		}
	}
}

func TestPlanSolvesRules(t *testing.T) {
	for _, name := range Rules() {
		w := makeWorld(t, "arc/"+name+"-v0", "size=7", "augment=true")
		total := 0
		for seed := range uint64(1000) {
			w.Seed(seed)
			steps, sum := solve(t, w)
			total += steps
			if sum != 1 {
				t.Fatalf("%s seed %d: return %v", name, seed, sum)
			}
		}
		t.Logf("%s: mean steps %.1f", name, float64(total)/1000)
	}
}

func TestPlanSolvesRealTasks(t *testing.T) {
	total, longest := 0, 0
	files := taskFiles(t)
	for _, path := range files {
		task, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for test := range task.Test {
			w, err := NewWorld("arc/"+task.Name+"-v0", WorldConfig{Task: task, Test: test + 1, Augment: true, Reward: ByProgress})
			if err != nil {
				t.Fatal(err)
			}
			steps, sum := solve(t, w)
			zero := Grid{}
			zero.Resize(3, 3)
			if want := 1 - zero.Share(w.Answer())/2; math.Abs(sum-want) > 1e-9 {
				t.Fatalf("%s: return %v, want %v", path, sum, want)
			}
			total, longest = total+steps, max(longest, steps)
		}
	}
	t.Logf("%d tasks, %d steps in all, longest %d", len(files), total, longest)
}

// Each line is an action and the canvas after it, rows parted by '/', and the cursor.
func TestTools(t *testing.T) {
	w := makeWorld(t, "arc/two-v0", "dir=testdata", "test=1")
	obs := make([]byte, w.Spec().ObsLen)
	w.Reset(obs)
	mask := make([]bool, actions)
	for i, tt := range []struct {
		action int
		want   string
	}{
		{Up, "000/000/000 0,0"},
		{Right, "000/000/000 0,1"},
		{Paint + 3, "030/000/000 0,1"},
		{Down, "030/000/000 1,1"},
		{Paint + 3, "030/030/000 1,1"},
		{Down, "030/030/000 2,1"},
		{Paint + 3, "030/030/030 2,1"},
		{Right, "030/030/030 2,2"},
		{Flood + 4, "034/034/034 2,2"},
		{Flood + 4, "034/034/034 2,2"},
		{Select, "034/034/034 2,2"},
		{Up, "034/034/034 1,2"},
		{Left, "034/034/034 1,1"},
		{Copy, "034/034/034 1,1"}, // 34/34
		{Select, "034/034/034 1,1"},
		{Left, "034/034/034 1,0"},
		{Paste, "034/344/344 1,0"},
		{Wider, "0340/3440/3440 1,0"},
		{Taller, "0340/3440/3440/0000 1,0"},
		{Select, "0340/3440/3440/0000 1,0"},
		{Right, "0340/3440/3440/0000 1,1"},
		{Paint + 9, "0340/9940/3440/0000 1,1"},
		{Take, "0340/9940/3440/0000 1,1"},   // the input's 45
		{Select, "0340/9940/3440/0000 1,1"}, //
		{Right, "0340/9940/3440/0000 1,2"},
		{Right, "0340/9940/3440/0000 1,3"},
		{Paste, "0340/9944/3440/0000 1,3"}, // clipped
		{Shorter, "0340/9944/3440 1,3"},
		{Narrower, "034/994/344 1,2"},
		{Input, "123/456 1,2"},
		{Submit, "123/456 1,2"},
	} {
		w.ActionMask(mask)
		before := string(w.AppendState(nil))
		out := w.Step(tt.action, obs)
		got := strings.ReplaceAll(strings.TrimSpace(string(w.canvas.AppendText(nil))), "\n", "/") + fmt.Sprintf(" %d,%d", w.row, w.col)
		if got != tt.want || out.Done() {
			t.Errorf("step %d, %s: %s, %+v, want %s", i, w.spec.Actions[tt.action], got, out, tt.want)
		}
		if changed := !sameButSteps(before, string(w.AppendState(nil))); changed != mask[tt.action] {
			t.Errorf("step %d, %s: changed %v, mask %v", i, w.spec.Actions[tt.action], changed, mask[tt.action])
		}
		frame := make([]byte, FrameLen)
		w.canvas.Frame(frame)
		if !bytes.Equal(obs[:FrameLen], frame) || obs[2*FrameLen+w.row*MaxSide+w.col] != 2 || int(obs[4*FrameLen]) != w.trials {
			t.Errorf("step %d: the observation is not the state's", i)
		}
	}
	if out := w.Step(Submit, obs); !out.Terminated || out.Reward != 0 || out.Truncated {
		t.Errorf("second wrong answer: %+v", out)
	}
}

// sameButSteps compares snapshots without the step counter.
func sameButSteps(a, b string) bool {
	return a[:stateHead-4] == b[:stateHead-4] && a[stateHead:] == b[stateHead:]
}

func TestMaskTellsWhatChanges(t *testing.T) {
	rng := newRand(1)
	for _, name := range Rules() {
		w := makeWorld(t, "arc/"+name+"-v0", "trials=9", "steps=2000")
		obs, mask := make([]byte, w.Spec().ObsLen), make([]bool, actions)
		w.Reset(obs)
		for w.live {
			w.ActionMask(mask)
			action := rng.IntN(actions)
			if action == Submit && rng.IntN(20) > 0 {
				continue
			}
			before := string(w.AppendState(nil))
			w.Step(action, obs)
			if !w.live { // the end changes something too
				break
			}
			if changed := !sameButSteps(before, string(w.AppendState(nil))); changed != mask[action] {
				t.Fatalf("%s: changed %v, mask %v\n%s", w.spec.Actions[action], changed, mask[action], w.canvas.AppendText(nil))
			}
		}
	}
}

func TestAugmentKeepsTheRule(t *testing.T) {
	w := makeWorld(t, "arc/two-v0", "dir=testdata", "augment=true")
	obs := make([]byte, w.Spec().ObsLen)
	seen := map[string]bool{}
	for range 200 {
		w.Reset(obs)
		// In this task outputs are the inputs with colours 5 and 6 in place of 1 and 2; whatever
		// they are called now, input and output have the same shape and differ in two colours.
		changed := map[uint8]bool{}
		for i, c := range w.demos[0].Input.Cells {
			if w.demos[0].Output.Cells[i] != c {
				changed[c] = true
			}
			if (c == 0) != (w.demos[0].Output.Cells[i] == 0) {
				t.Fatal("colour 0 was renamed")
			}
		}
		if len(changed) != 2 {
			t.Fatalf("%d colours changed:\n%s", len(changed), w.demos[0].Input.AppendText(nil))
		}
		seen[string(w.demos[0].Input.AppendText(nil))] = true
	}
	if len(seen) < 150 {
		t.Errorf("%d forms in 200 episodes", len(seen))
	}
}

func TestLevel(t *testing.T) {
	w := makeWorld(t, "arc/fall-v0")
	obs := make([]byte, w.Spec().ObsLen)
	w.Reset(obs)
	text, err := w.Level()
	if err != nil {
		t.Fatal(err)
	}
	other := makeWorld(t, "arc/fall-v0")
	if err := other.SetLevel(text); err != nil {
		t.Fatal(err)
	}
	again, err := other.Level()
	if err != nil || again != text {
		t.Errorf("level (-want +got):\n%s", cmp.Diff(text, again))
	}
	if !other.question.Equal(&w.question) || !other.answer.Equal(&w.answer) || len(other.demos) != 3 {
		t.Error("the level is another task")
	}
	before := other.AppendState(nil)
	for _, tt := range []struct{ text, want string }{
		{"{", "unexpected end"},
		{`{"train": [{"input": [[1]], "output": [[1]]}], "test": [{"input": [[1]]}]}`, "test[0]: the output is not known"},
	} {
		if err := other.SetLevel(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.text, err, tt.want)
		}
		if !bytes.Equal(before, other.AppendState(nil)) {
			t.Fatal("a refused level changed the state")
		}
	}
}

func TestEditAndBoard(t *testing.T) {
	w := makeWorld(t, "arc/two-v0", "dir=testdata", "test=1") // the input is 123/456
	for _, tt := range []struct {
		x, y, value int
		ok          bool
	}{{0, 0, 5, false}, {3, 0, 5, false}, {4, 0, 10, false}, {4, 3, 5, false}, {4, 0, 5, true}, {4, 0, -1, true}, {5, 2, 9, true}} {
		if err := w.Edit(tt.x, tt.y, tt.value); (err == nil) != tt.ok {
			t.Errorf("Edit(%d, %d, %d): %v", tt.x, tt.y, tt.value, err)
		}
	}
	b := w.Board()
	if b.Rows != 3 || b.Cols != 7 {
		t.Fatalf("board %d x %d", b.Rows, b.Cols)
	}
	for _, tt := range []struct {
		x, y int
		want grid.Cell
	}{
		{1, 0, grid.Cell{Kind: KindColor, Color: 2, Flags: grid.FlagGiven}},
		{3, 1, grid.Cell{}},
		{4, 0, grid.Cell{Kind: KindColor, Color: 6, Flags: grid.FlagFocus}},
		{5, 2, grid.Cell{Kind: KindColor, Color: 9}},
	} {
		if got := b.Cells[tt.y*7+tt.x]; got != tt.want {
			t.Errorf("cell (%d, %d): %+v, want %+v", tt.x, tt.y, got, tt.want)
		}
	}
}

// A seed means the same task in every version: results name seeds.
func TestSeedsAreStable(t *testing.T) {
	w := makeWorld(t, "arc/fill-v0")
	w.Seed(1)
	w.Reset(make([]byte, w.Spec().ObsLen))
	if got := string(w.question.AppendText(nil)); got != "0000\n0444\n0404\n0444\n" || w.answer.Cells[10] != 9 {
		t.Errorf("seed 1:\n%s\n%s", got, w.answer.AppendText(nil))
	}
}

func TestMakeErrors(t *testing.T) {
	for _, tt := range []struct {
		id      string
		options []string
		want    string
	}{
		{"arc/nosuch-v0", nil, "dir=FOLDER; without one there are arc/mirror-v0"},
		{"arc/nosuch-v0", []string{"dir=testdata"}, "no nosuch.json"},
		{"arc/nosuch-v0", []string{"dir=missing"}, "dir=missing"},
		{"arc/two-v0", []string{"dir=testdata", "test=3"}, "test 3 of 2"},
		{"arc/open-v0", []string{"dir=testdata"}, "the output of test[0] is not known"},
		{"arc/bad-v0", []string{"dir=testdata"}, filepath.Join("testdata", "bad.json") + ": arc: train[0].input row 2: 1 cells"},
		{"arc/../x-v0", []string{"dir=testdata"}, "unknown environment"},
		{"arc", []string{"size=2"}, "size=2"},
		{"arc", []string{"demos=17"}, "demos=17"},
	} {
		if e, err := env.Make(tt.id, tt.options...); err == nil || e != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Make(%s, %v) = %v, %v, want %q", tt.id, tt.options, e, err, tt.want)
		}
	}
}

func FuzzSetState(f *testing.F) {
	e, err := env.Make("arc/double-v0", "size=3", "reward=progress")
	if err != nil {
		f.Fatal(err)
	}
	w := e.(*World)
	obs := make([]byte, w.Spec().ObsLen)
	f.Add(w.AppendState(nil))
	w.Reset(obs)
	w.Step(Select, obs)
	w.Step(Copy, obs)
	f.Add(w.AppendState(nil))
	f.Fuzz(func(t *testing.T, state []byte) {
		before := w.AppendState(nil)
		if err := w.SetState(state); err != nil {
			if !bytes.Equal(before, w.AppendState(nil)) {
				t.Fatal("a refused snapshot changed the state")
			}
			return
		}
		if !bytes.Equal(state, w.AppendState(nil)) {
			t.Fatal("a restored snapshot differs")
		}
		w.Board()
		rng := newRand(1)
		for w.live {
			w.Step(rng.IntN(actions), obs)
		}
	})
}

func BenchmarkStep(b *testing.B) {
	w := makeWorld(b, "arc")
	obs := make([]byte, w.Spec().ObsLen)
	rng := newRand(1)
	w.Reset(obs)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if w.Step(rng.IntN(actions), obs).Done() {
			w.Reset(obs)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "steps/s")
}
