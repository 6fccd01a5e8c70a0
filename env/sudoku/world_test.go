package sudoku

import (
	"bytes"
	"errors"
	"math"
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
		{"9x9", "sudoku", []string{"steps=90"}},
		{"6x6", "sudoku/6x6-v0", []string{"difficulty=hard", "mistakes=end", "reward=progress"}},
		{"16x16", "sudoku/16x16-v0", []string{"difficulty=easy", "steps=90"}},
		{"4x4", "sudoku/4x4-v0", []string{"mistakes=refuse", "invalid_cost=0.1", "move_cost=0.01"}},
	} {
		t.Run(v.name, func(t *testing.T) {
			envtest.Run(t, func() env.Env { return makeWorld(t, v.id, v.options...) }, 0, 1, 42)
		})
	}
}

// The plan solves every puzzle, also after twenty moves at random, and its return is 1 by either
// reward.
func TestPlanSolves(t *testing.T) {
	for _, tt := range []struct {
		id      string
		options []string
		random  int
	}{
		{"sudoku/9x9-v0", nil, 0},
		{"sudoku/9x9-v0", []string{"difficulty=hard", "reward=progress"}, 20},
		{"sudoku/6x6-v0", []string{"difficulty=expert", "reward=progress", "mistakes=refuse"}, 20},
		{"sudoku/4x4-v0", []string{"difficulty=easy"}, 20},
		{"sudoku/16x16-v0", []string{"reward=progress"}, 20},
	} {
		w := makeWorld(t, tt.id, append(tt.options, "steps=1000")...)
		plan := NewPlan(w)
		obs, mask := make([]byte, w.Spec().ObsLen), make([]bool, len(w.Spec().Actions))
		seeds := 1000
		switch w.side {
		case 9:
			seeds = 250
		case 16:
			seeds = 10
		}
		for seed := range uint64(seeds) {
			w.Seed(seed)
			w.Reset(obs)
			rng := newRand(seed)
			var out env.Outcome
			sum := 0.0
			for step := 0; !out.Done(); step++ {
				var action int
				var err error
				if step < tt.random {
					w.ActionMask(mask)
					action = rng.IntN(len(mask))
					before := string(w.AppendState(nil))
					out = w.Step(action, obs)
					if after := string(w.AppendState(nil)); mask[action] == sameGrid(w, before, after) {
						t.Fatalf("seed %d step %d: mask of %s is %v", seed, step, w.Spec().Actions[action], mask[action])
					}
				} else {
					if action, err = plan.Act(); err != nil {
						t.Fatalf("seed %d step %d: %v", seed, step, err)
					}
					out = w.Step(action, obs)
				}
				sum += out.Reward
			}
			if !out.Terminated || !cmp.Equal(w.Grid(), w.Solution()) || math.Abs(sum-1) > 1e-9 {
				t.Fatalf("%s seed %d: %+v, return %v\n%s", tt.id, seed, out, sum, AppendText(nil, w.Grid()))
			}
		}
		if _, err := plan.Act(); err == nil {
			t.Error("the plan acts on a solved puzzle")
		}
	}
}

// sameGrid compares the grids of two snapshots.
func sameGrid(w *World, a, b string) bool {
	at := stateHead + w.cells
	return a[at:at+w.cells] == b[at:at+w.cells]
}

const small = "..34\n3412\n..43\n432.\n" // with a 1 in a corner of the rectangle it is unique

func TestStep(t *testing.T) {
	w := makeWorld(t, "sudoku/4x4-v0", "reward=progress", "move_cost=0.25", "invalid_cost=0.5")
	if err := w.SetLevel(strings.Replace(small, "..34", "1.34", 1)); err != nil {
		t.Fatal(err)
	}
	// Four holes: 2 in cell 1, 2 and 1 in cells 8 and 9, 1 in cell 15.
	obs := make([]byte, w.Spec().ObsLen)
	for i, tt := range []struct {
		action int
		want   env.Outcome
	}{
		{w.Place(0, 1), env.Outcome{Reward: -.75}}, // a given
		{w.Undo(), env.Outcome{Reward: -.75}},      // nothing to take back
		{w.Place(1, 3), env.Outcome{Reward: -.75}}, // 3 stands in the row
		{w.Place(8, 1), env.Outcome{Reward: -.75}}, // 1 stands in the column
		{w.Place(1, 2), env.Outcome{Reward: 0}},    // right: a quarter
		{w.Place(1, 2), env.Outcome{Reward: -.75}}, // it stands there already
		{w.Undo(), env.Outcome{Reward: -.5}},       // taken back
		{w.Place(9, 2), env.Outcome{Reward: -.25}}, // wrong, but against no rule
		{w.Place(9, 1), env.Outcome{Reward: 0}},    // another digit over it
		{w.Place(8, 2), env.Outcome{Reward: 0}},
		{w.Place(15, 1), env.Outcome{Reward: 0}},
		{w.Place(1, 2), env.Outcome{Reward: 0, Terminated: true}},
	} {
		if got := w.Step(tt.action, obs); got != tt.want {
			t.Errorf("step %d, %s: %+v, want %+v", i, w.Spec().Actions[tt.action], got, tt.want)
		}
		if i == 7 {
			b := w.Board()
			if b.Cells[9] != (grid.Cell{Kind: 2, Flags: grid.FlagWrong}) || b.Cells[0] != (grid.Cell{Kind: 1, Flags: grid.FlagGiven}) {
				t.Errorf("board cells %+v, %+v", b.Cells[9], b.Cells[0])
			}
		}
	}
	want := []byte{2, 3, 4, 5, 4, 5, 2, 3, 3, 2, 5, 4, 5, 4, 3, 2, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0}
	if diff := cmp.Diff(want, obs); diff != "" {
		t.Errorf("observation (-want +got):\n%s", diff)
	}
}

func TestMistakes(t *testing.T) {
	level := strings.Replace(small, "..34", "1.34", 1)
	for _, tt := range []struct {
		option string
		want   env.Outcome
		placed uint8
	}{
		{"keep", env.Outcome{}, 2},
		{"refuse", env.Outcome{Reward: -1}, 0},
		{"end", env.Outcome{Terminated: true}, 2},
	} {
		w := makeWorld(t, "sudoku/4x4-v0", "mistakes="+tt.option, "invalid_cost=1")
		if err := w.SetLevel(level); err != nil {
			t.Fatal(err)
		}
		if got := w.Step(w.Place(9, 2), make([]byte, 32)); got != tt.want || w.Grid()[9] != tt.placed {
			t.Errorf("%s: %+v, cell %d; want %+v, %d", tt.option, got, w.Grid()[9], tt.want, tt.placed)
		}
	}
}

func TestLevel(t *testing.T) {
	w := makeWorld(t, "sudoku")
	if err := w.SetLevel(easy); err != nil {
		t.Fatal(err)
	}
	w.Step(w.Place(2, 4), make([]byte, 162))
	text, err := w.Level()
	if err != nil || text != string(AppendText(nil, mustParse(t, easy))) {
		t.Errorf("level %q, %v", text, err)
	}
	before := w.AppendState(nil)
	for _, tt := range []struct {
		text string
		is   error
		want string
	}{
		{"55" + easy[2:], ErrConflict, "row 1 column 1 and row 1 column 2"},
		{"534" + easy[3:8] + "8" + easy[9:], ErrImpossible, "no solution"},
		{".3" + strings.Repeat(".", 79), ErrAmbiguous, "2+ solutions"},
		{small, nil, "16 cells"},
		{"x", nil, "line 1, column 1"},
		{string(AppendLine(nil, w.Solution())), nil, "no empty cell"},
	} {
		err := w.SetLevel(tt.text)
		if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("level %q: error %v, want %q", tt.text, err, tt.want)
		}
		if !bytes.Equal(before, w.AppendState(nil)) {
			t.Fatalf("level %q was refused but changed the state", tt.text)
		}
	}
}

func TestEdit(t *testing.T) {
	w := makeWorld(t, "sudoku/4x4-v0")
	if err := w.SetLevel(strings.Replace(small, "..34", "1.34", 1)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		x, y, value int
		want        string // of the error, or else the first line after it
	}{
		{4, 0, 1, "outside"},
		{0, 0, 5, "value 5"},
		{1, 0, 3, "conflict"},
		{0, 0, 0, "..343412..43432."}, // two solutions now: allowed
		{0, 0, -1, "1.343412..43432."},
		{0, 0, -1, "2.343412..43432."},
		{0, 0, -1, "..343412..43432."},
		{0, 2, 1, "..3434121.43432."},
		{1, 0, 2, "no digit is left for row 1 column 1"},
	} {
		err := w.Edit(tt.x, tt.y, tt.value)
		line := string(AppendLine(nil, w.Givens()))
		if err != nil && !strings.Contains(err.Error(), tt.want) || err == nil && line != tt.want {
			t.Errorf("Edit(%d, %d, %d): %s, %v; want %s", tt.x, tt.y, tt.value, line, err, tt.want)
		}
	}
	plan := NewPlan(w)
	var out env.Outcome
	for !out.Done() {
		action, err := plan.Act()
		if err != nil {
			t.Fatal(err)
		}
		out = w.Step(action, make([]byte, 32))
	}
	if !out.Terminated || out.Reward != 1 {
		t.Errorf("%+v", out)
	}
}

// A seed means the same level in every version: results name seeds.
func TestSeedsAreStable(t *testing.T) {
	w := makeWorld(t, "sudoku/4x4-v0")
	w.Seed(1)
	w.Reset(make([]byte, w.Spec().ObsLen))
	if got, err := w.Level(); err != nil || got != ". 1 | . 3\n2 . | . 1\n----+----\n. . | 1 .\n. . | . 4\n" {
		t.Errorf("seed 1, %v:\n%s", err, got)
	}
}

func TestMakeErrors(t *testing.T) {
	for _, tt := range []struct{ option, want string }{
		{"givens=40", "want LO:HI"},
		{"givens=10:12", "want 22 or more"},
		{"rating=1:x", "want LO:HI"},
		{"difficulty=fiendish", "easy, medium, hard, expert"},
		{"steps=-1", "steps=-1"},
	} {
		if e, err := env.Make("sudoku", tt.option); err == nil || e != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v, want %q", tt.option, e, err, tt.want)
		}
	}
	if w := makeWorld(t, "sudoku", "rating=0:0", "givens=24:26"); w.cfg.Puzzle.MaxRating != -1 {
		t.Errorf("%+v", w.cfg.Puzzle)
	}
}

func FuzzSetState(f *testing.F) {
	e, err := env.Make("sudoku/4x4-v0", "reward=progress")
	if err != nil {
		f.Fatal(err)
	}
	w := e.(*World)
	obs := make([]byte, 32)
	f.Add(w.AppendState(nil))
	w.Reset(obs)
	action, err := NewPlan(w).Act()
	if err != nil {
		f.Fatal(err)
	}
	w.Step(action, obs)
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
		rng := newRand(1)
		for w.live {
			w.Step(rng.IntN(len(w.Spec().Actions)), obs)
		}
		w.Board()
	})
}

func BenchmarkStep(b *testing.B) {
	w := makeWorld(b, "sudoku")
	obs := make([]byte, w.Spec().ObsLen)
	rng := newRand(1)
	w.Reset(obs)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if w.Step(rng.IntN(730), obs).Done() {
			w.Reset(obs)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "steps/s")
}
