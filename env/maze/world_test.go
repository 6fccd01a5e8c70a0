package maze

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

func open1(t testing.TB, id string, options ...string) *World {
	t.Helper()
	e, err := env.Make(id, options...)
	if err != nil {
		t.Fatal(err)
	}
	return e.(*World)
}

var variants = []struct {
	name, id string
	options  []string
}{
	{"full", "maze/9x9-v0", nil},
	{"wide", "maze/12x7-v0", []string{"reward=time", "steps=40"}},
	{"fog", "maze/9x9-v0", []string{"view=fog", "reward=distance", "steps=30"}},
	{"window", "maze/11x11-v0", []string{"view=window", "radius=2", "move_cost=0.01", "bump_cost=0.1"}},
	{"test", "maze/7x7-v0", []string{"split=test", "openings=0"}},
	{"doors", "maze/9x9-v0", []string{"doors=4", "door_chance=0.2"}},
	{"doors in fog", "maze/11x9-v0", []string{"doors=6", "view=fog"}},
}

func TestConformance(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			envtest.Run(t, func() env.Env { return open1(t, v.id, v.options...) }, 0, 1, 42)
		})
	}
}

// Every oracle reaches every goal within the limit, and the plan by a shortest way.
func TestOraclesSolve(t *testing.T) {
	for _, v := range variants {
		entry, _, err := env.Lookup(v.id)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range entry.Oracles {
			t.Run(v.name+"/"+o.Name, func(t *testing.T) {
				options := append([]string{}, v.options...)
				w := open1(t, v.id, append(options, "steps=0")...)
				oracle, err := o.Open(w)
				if err != nil {
					t.Fatal(err)
				}
				obs := make([]byte, w.Spec().ObsLen)
				var s Solver
				total := 0
				for seed := range uint64(1000) {
					w.Seed(seed)
					w.Reset(obs)
					best, _ := s.Len(w.Maze())
					var out env.Outcome
					steps := 0
					for ; !out.Done(); steps++ {
						action, err := oracle.Act()
						if err != nil {
							t.Fatalf("seed %d, step %d: %v", seed, steps, err)
						}
						out = w.Step(action, obs)
					}
					if !out.Terminated || o.Name == "plan" && w.cfg.Doors == 0 && steps != best {
						t.Fatalf("seed %d: %+v after %d steps, shortest %d\n%v", seed, out, steps, best, w.Maze())
					}
					total += steps
				}
				if _, err := oracle.Act(); err == nil {
					t.Error("an oracle acts at the goal")
				}
				t.Logf("mean steps %.1f", float64(total)/1000)
			})
		}
	}
}

// TestDoors: doors change during an episode as its seed has it, whatever was played before; the agent sees
// them, and there is a way at every moment.
func TestDoors(t *testing.T) {
	w := open1(t, "maze/9x9-v0", "doors=5", "door_chance=0.3", "steps=60")
	obs := make([]byte, w.Spec().ObsLen)
	play := func(seed uint64) (seen [][]byte) {
		w.Seed(seed)
		w.Reset(obs)
		changes, walls := 0, append([]bool{}, w.maze.Wall...)
		for range 50 {
			for cell, wall := range w.maze.Wall {
				if wall != (obs[cell] == TokenWall) {
					t.Fatalf("seed %d: cell %d is a wall: %v, and seen as %d", seed, cell, wall, obs[cell])
				}
				if wall != walls[cell] {
					changes++
				}
				walls[cell] = wall
			}
			if _, ok := w.Shortest(); !ok {
				t.Fatalf("seed %d: no way", seed)
			}
			seen = append(seen, append([]byte{}, obs...))
			if w.Step(Up, obs).Done() {
				break
			}
		}
		if len(w.doors) != 5 || len(seen) == 50 && changes < 10 {
			t.Errorf("seed %d: %d doors, %d changes in %d steps", seed, len(w.doors), changes, len(seen))
		}
		return seen
	}
	first := play(3)
	w.Reset(obs) // another episode of the stream
	if again := play(3); !cmp.Equal(first, again) {
		t.Error("the same seed has other doors")
	}
	// How long an episode lasts does not change the mazes after it.
	next := func(steps int) string {
		w.Seed(4)
		w.Reset(obs)
		for range steps {
			w.Step(Up, obs)
		}
		w.Reset(obs)
		return w.Maze().String()
	}
	if next(0) != next(1) {
		t.Error("the next maze depends on the steps before it")
	}
	for _, options := range [][]string{{"doors=3", "reward=distance"}, {"doors=-1"}, {"doors=3", "door_chance=2"}} {
		if _, err := env.Make("maze/9x9-v0", options...); err == nil {
			t.Errorf("%v was taken", options)
		}
	}
}

const corridor = "#######\n#S    #\n##### #\n#G    #\n#######\n"

func TestStep(t *testing.T) {
	w := open1(t, "maze/7x5-v0", "reward=distance", "move_cost=0.5", "bump_cost=0.25", "steps=100")
	if err := w.SetLevel(corridor); err != nil {
		t.Fatal(err)
	}
	obs := make([]byte, w.Spec().ObsLen)
	type result struct {
		Agent  int
		Reward float64
		Done   bool
	}
	var got []result
	for _, action := range []int{Up, Right, Left, Right, Right, Right, Right, Down, Down, Left, Left, Left, Left} {
		out := w.Step(action, obs)
		got = append(got, result{w.Agent(), out.Reward, out.Terminated})
		if obs[w.Agent()] != TokenStart || bytes.Count(obs, []byte{TokenStart}) != 1 {
			t.Fatalf("agent at %d, observation %v", w.Agent(), obs)
		}
	}
	// The way has 10 moves: each is worth a tenth.
	want := []result{
		{8, -.75, false},
		{9, -.4, false},
		{8, -.6, false},
		{9, -.4, false},
		{10, -.4, false},
		{11, -.4, false},
		{12, -.4, false},
		{19, -.4, false},
		{26, -.4, false},
		{25, -.4, false},
		{24, -.4, false},
		{23, -.4, false},
		{22, -.4, true},
	}
	if len(got) != len(want) {
		t.Fatalf("%d results, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].Agent != want[i].Agent || got[i].Done != want[i].Done || math.Abs(got[i].Reward-want[i].Reward) > 1e-12 {
			t.Errorf("step %d: %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestTimeReward(t *testing.T) {
	w := open1(t, "maze/7x5-v0", "reward=time", "steps=10")
	if err := w.SetLevel(corridor); err != nil {
		t.Fatal(err)
	}
	plan := NewPlan(w)
	obs := make([]byte, w.Spec().ObsLen)
	sum := 0.0
	var out env.Outcome
	for !out.Done() {
		action, err := plan.Act()
		if err != nil {
			t.Fatal(err)
		}
		out = w.Step(action, obs)
		sum += out.Reward
	}
	// The goal at the last step allowed ends and truncates, as in MiniGrid: 1 - 0.9*10/10.
	if !out.Terminated || !out.Truncated || math.Abs(sum-.1) > 1e-12 {
		t.Errorf("%+v, return %v, want terminated, truncated and 0.1", out, sum)
	}
}

func TestViews(t *testing.T) {
	level := "#######\n#S  # #\n# # # #\n# #  G#\n#######\n"
	show := func(obs []byte, cols int) string {
		var s strings.Builder
		for i, b := range obs {
			s.WriteByte("?#.AG"[b])
			if i%cols == cols-1 {
				s.WriteByte('\n')
			}
		}
		return s.String()
	}
	fog := open1(t, "maze/7x5-v0", "view=fog", "radius=2")
	window := open1(t, "maze/7x5-v0", "view=window", "radius=2")
	full := open1(t, "maze/7x5-v0")
	for _, w := range []*World{fog, window, full} {
		if err := w.SetLevel(level); err != nil {
			t.Fatal(err)
		}
	}
	obs := make([]byte, 35)
	fog.Step(Right, obs)
	// At first it sees two steps right and down; then, one cell further, the wall beyond.
	if got, want := show(obs, 7), "#####??\n#.A.#??\n#.#.#??\n#.#????\n???????\n"; got != want {
		t.Errorf("fog:\n%swant:\n%s", got, want)
	}
	b := fog.Board()
	if b.Cells[6].Flags&grid.FlagHidden == 0 || b.Cells[6].Kind != KindWall || b.Cells[8].Flags&grid.FlagSeen == 0 {
		t.Errorf("fog: board cells %+v, %+v", b.Cells[6], b.Cells[8])
	}
	obs = obs[:25]
	window.Step(Right, obs)
	if got, want := show(obs, 5), "?????\n#####\n#.A.#\n#.#.#\n?????\n"; got != want {
		t.Errorf("window:\n%swant:\n%s", got, want)
	}
	obs = make([]byte, 35)
	full.Step(Up, obs)
	if got, want := show(obs, 7), "#######\n#A..#.#\n#.#.#.#\n#.#..G#\n#######\n"; got != want {
		t.Errorf("full:\n%swant:\n%s", got, want)
	}
}

func TestLevel(t *testing.T) {
	w := open1(t, "maze/7x5-v0", "view=fog")
	if err := w.SetLevel(corridor); err != nil {
		t.Fatal(err)
	}
	obs := make([]byte, w.Spec().ObsLen)
	w.Step(Right, obs)
	before := w.AppendState(nil)
	if text, err := w.Level(); err != nil || text != corridor {
		t.Errorf("level %q, %v", text, err)
	}
	for _, text := range []string{"", "#####\n#S G#\n#####\n", strings.Replace(corridor, "##### #", "#######", 1), "#######\n#S    #\n##### #\n#G  x #\n#######\n"} {
		if err := w.SetLevel(text); err == nil {
			t.Errorf("level %q was accepted", text)
		} else {
			t.Log(err)
		}
		if !bytes.Equal(before, w.AppendState(nil)) {
			t.Fatalf("level %q was refused but changed the state", text)
		}
	}
	if err := w.SetLevel(strings.Replace(corridor, "##### #", "#######", 1)); !errors.Is(err, ErrNoWay) {
		t.Errorf("error %v, want ErrNoWay", err)
	}
}

func TestEdit(t *testing.T) {
	w := open1(t, "maze/7x5-v0", "reward=distance")
	if err := w.SetLevel(corridor); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		x, y, value int
		want        string
	}{
		{0, 1, -1, "outer wall"},
		{1, 1, -1, "stay open"},
		{1, 3, 1, "stay open"},
		{9, 9, 0, "outside"},
		{3, 1, -1, "no way"},
		{2, 2, 7, "value 7"},
	} {
		if err := w.Edit(tt.x, tt.y, tt.value); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Edit(%d, %d, %d): error %v, want %q", tt.x, tt.y, tt.value, err, tt.want)
		}
	}
	if text, _ := w.Level(); text != corridor {
		t.Errorf("refused edits changed the level:\n%s", text)
	}
	if err := w.Edit(2, 2, -1); err != nil {
		t.Fatal(err)
	}
	if err := w.Edit(4, 3, 1); err != nil {
		t.Fatal(err)
	}
	if text, _ := w.Level(); text != "#######\n#S    #\n## ## #\n#G  # #\n#######\n" {
		t.Errorf("level:\n%s", text)
	}
	obs := make([]byte, w.Spec().ObsLen)
	if out := w.Step(Right, obs); out.Reward != .25 { // four moves now
		t.Errorf("reward %v, want 0.25", out.Reward)
	}
}

func TestActionMask(t *testing.T) {
	w := open1(t, "maze/7x5-v0")
	if err := w.SetLevel(corridor); err != nil {
		t.Fatal(err)
	}
	got := make([]bool, 4)
	w.ActionMask(got)
	if diff := cmp.Diff([]bool{false, false, false, true}, got); diff != "" {
		t.Error(diff)
	}
}

// A seed means the same level in every version: results name seeds.
func TestSeedsAreStable(t *testing.T) {
	w := open1(t, "maze/7x7-v0")
	w.Seed(1)
	w.Reset(make([]byte, w.Spec().ObsLen))
	if got, err := w.Level(); err != nil || got != "#######\n#G    #\n# #####\n# S   #\n# ### #\n#     #\n#######\n" {
		t.Errorf("seed 1, %v:\n%s", err, got)
	}
}

func TestMakeErrors(t *testing.T) {
	for _, tt := range []struct {
		id      string
		options []string
		want    string
	}{
		{"maze/4x9-v0", nil, "9 rows, 4 columns"},
		{"maze/09x9-v0", nil, "unknown environment"},
		{"maze/9x9-v0", []string{"veiw=fog"}, "did you mean view?"},
		{"maze/9x9-v0", []string{"view=fgo"}, "full, fog, window"},
		{"maze/9x9-v0", []string{"path=90"}, "least path 90"},
		{"maze/9x9-v0", []string{"radius=0"}, "radius=0"},
	} {
		e, err := env.Make(tt.id, tt.options...)
		if err == nil || e != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Make(%s, %v) = %v, %v, want %q", tt.id, tt.options, e, err, tt.want)
		}
	}
}

func FuzzSetState(f *testing.F) {
	e, err := env.Make("maze/7x5-v0", "view=fog", "reward=distance")
	if err != nil {
		f.Fatal(err)
	}
	w := e.(*World)
	f.Add(w.AppendState(nil))
	w.Reset(make([]byte, 35))
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
		obs := make([]byte, 35)
		bot := NewBot(w)
		for w.live {
			action, err := bot.Act()
			if err != nil {
				t.Fatal(err)
			}
			w.Step(action, obs)
		}
	})
}

func BenchmarkStep(b *testing.B) {
	for _, v := range [][]string{nil, {"view=fog"}, {"view=window"}} {
		b.Run(strings.Join(append(v, "15x15"), ","), func(b *testing.B) {
			w := open1(b, "maze/15x15-v0", v...)
			obs := make([]byte, w.Spec().ObsLen)
			rng := newRand(1)
			w.Reset(obs)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				if w.Step(rng.IntN(4), obs).Done() {
					w.Reset(obs)
				}
				n++
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "steps/s")
		})
	}
}

// TestOptionOnce: a bad option, which the opener finds too, is told in one line.
func TestOptionOnce(t *testing.T) {
	_, err := env.Make("maze/9x9-v0", "doors=x")
	if err == nil || strings.Count(err.Error(), "doors=x") != 1 || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v, want one line that names the option once", err)
	}
}
