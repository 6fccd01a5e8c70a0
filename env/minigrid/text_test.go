package minigrid

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/envtest"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/rng"
)

// TestLevelRoundTrip saves states of every id as text and loads them into another Env, which must then
// be the same but for the count of steps and the random stream.
func TestLevelRoundTrip(t *testing.T) {
	for _, l := range miniLevels() {
		e, err := New(l.id, Config{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := New(l.id, Config{})
		if err != nil {
			t.Fatal(err)
		}
		obs := make([]byte, e.spec.ObsLen)
		draws := rng.Stream(1, l.id)
		e.Seed(11)
		e.Reset(obs)
		for range 60 {
			if e.Step(draws.IntN(len(e.spec.Actions)), obs).Done() {
				e.Reset(obs)
			}
			text, err := e.Level()
			if err != nil {
				t.Fatal(err)
			}
			if err := o.SetLevel(text); err != nil {
				t.Fatalf("%s: %v\n%s", l.id, err, text)
			}
			same := e.clone()
			same.steps, same.rng = o.steps, o.rng
			if !bytes.Equal(sortedState(same), sortedState(o)) {
				again, _ := o.Level()
				t.Fatalf("%s: loaded level differs\n%s\n%s", l.id, text, again)
			}
		}
	}
}

// TestBabyLevelRoundTrip saves the first state of episodes of every BabyAI id as text, and loads it into
// another Env, which must then be the same, and states further on, whose instructions begin anew.
func TestBabyLevelRoundTrip(t *testing.T) {
	for _, l := range babyLevels() {
		e, err := New(l.id, Config{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := New(l.id, Config{})
		if err != nil {
			t.Fatal(err)
		}
		obs, obs2 := make([]byte, e.spec.ObsLen), make([]byte, e.spec.ObsLen)
		draws := rng.Stream(1, l.id)
		load := func() string {
			t.Helper()
			text, err := e.Level()
			if err != nil {
				t.Fatal(err)
			}
			if err := o.SetLevel(text); err != nil {
				t.Fatalf("%s: %v\n%s", l.id, err, text)
			}
			if again, _ := o.Level(); again != text {
				t.Fatalf("%s: loaded level differs\n%s\n%s", l.id, text, again)
			}
			return text
		}
		for seed := range uint64(4) {
			e.Seed(seed)
			e.Reset(obs)
			text := load()
			if e.carry == 0 {
				same := e.clone()
				same.rng = o.rng
				for _, q := range []*quest{same.quest, o.quest} { // what earlier episodes left behind
					clear(q.instrs[q.n:])
					clear(q.cur[q.things:])
					clear(q.kept[q.things:])
				}
				if !bytes.Equal(sortedState(same), sortedState(o)) {
					t.Fatalf("%s: loaded level differs\n%s", l.id, text)
				}
			}
			for range 80 {
				a := draws.IntN(7)
				out := e.Step(a, obs)
				if out2 := o.Step(a, obs2); out != out2 || !bytes.Equal(obs, obs2) {
					t.Fatalf("%s: action %d gives %v, and %v in the loaded level\n%s", l.id, a, out, out2, text)
				}
				if out.Done() {
					e.Reset(obs)
					load()
				}
			}
			load()
		}
	}
}

const told = `minigrid level
task: instr
do: putnext object red any key any behind
do: pickup ball any right strict
do: after 0 1
rooms: 7
agent: 2 3 right
limit: 40
map:
## ## ## ## ## ## ##
## .. .. .. .. .. ##
## .. Kg .. .. Ab ##
## Kb .. Br .. .. ##
## .. .. Ag .. .. ##
## .. .. .. .. .. ##
## ## ## ## ## ## ##
`

// TestInstructions follows the instructions of a level file: the key behind is the blue one alone, and
// the ball on the right the green one.
func TestInstructions(t *testing.T) {
	const mission = "put the red object next to the key behind you after you pick up the ball on your right"
	// The ball is taken from (2, 4) and put down, then the box from (2, 3).
	box := []int{Right, Forward, Left, Pickup, Right, Drop, Right, Right, Forward, Right, Pickup}
	for _, c := range []struct {
		name    string
		actions []int
		reward  float64
		ended   bool
	}{
		{"both", append(slices.Clone(box), Right, Forward, Right, Drop), 1 - 0.9*(15/40.), true},
		{"beside the other key", append(slices.Clone(box), Forward, Left, Drop), 0, false},
		{"the box first", []int{Pickup}, 0, true}, // the ball's instruction is strict
		{"a key first", []int{Left, Pickup}, 0, true},
	} {
		e, err := FromText("test", told, Config{})
		if err != nil {
			t.Fatal(err)
		}
		obs := make([]byte, e.spec.ObsLen)
		e.Reset(obs)
		if e.Mission() != mission {
			t.Fatalf("mission %q, want %q", e.Mission(), mission)
		}
		var out env.Outcome
		for i, a := range c.actions {
			if out = e.Step(a, obs); out.Done() && i+1 < len(c.actions) {
				t.Errorf("%s: the episode ended after action %d", c.name, i)
				break
			}
		}
		if out.Reward != c.reward || out.Terminated != c.ended {
			text, _ := e.Level()
			t.Errorf("%s: reward %v, ended %t, want %v, %t\n%s", c.name, out.Reward, out.Terminated, c.reward, c.ended, text)
		}
	}
	path := filepath.Join(t.TempDir(), "level.txt")
	if err := os.WriteFile(path, []byte(told), 0o644); err != nil {
		t.Fatal(err)
	}
	open := func() env.Env {
		e, err := env.Make("minigrid/level-v0", "file="+path)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	envtest.Run(t, open)
	if _, err := oracles[0].Open(open()); err == nil || !strings.Contains(err.Error(), "the plan does not follow BabyAI's instructions; the bot does") {
		t.Errorf("oracle %s: error %v", oracles[0].Name, err)
	}
}

// sortedState is a snapshot without the order in which boxes are kept.
func sortedState(e *Env) []byte {
	c := e.clone()
	for i := range c.inside {
		for j := range i {
			if c.inside[i].pos < c.inside[j].pos {
				c.inside[i], c.inside[j] = c.inside[j], c.inside[i]
			}
		}
	}
	return c.AppendState(nil)
}

const small = `minigrid level
; a key in a box
task: goal
mission: get to the goal
limit: 30
agent: 1 1 right
inside: 2 1 key red
map:
## ## ## ## ##
## .. Bx Lr ##
## .. .. ## ##
## ## ## Gg ##
## ## ## ## ##
`

func TestLevelFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "level.txt")
	if err := os.WriteFile(path, []byte(small), 0o644); err != nil {
		t.Fatal(err)
	}
	open := func() env.Env {
		e, err := env.Make("minigrid/level-v0", "file="+path)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	envtest.Run(t, open)
	e := open().(*Env)
	obs := make([]byte, e.spec.ObsLen)
	e.Reset(obs)
	for _, a := range []int{Toggle, Pickup, Forward, Toggle} {
		e.Step(a, obs)
	}
	if got := e.Cell(3, 1); got != door(Red, DoorOpen) {
		t.Errorf("after opening box and door the door is a %v", got)
	}
	if _, err := env.Make("minigrid/level-v0", "file="+path+"x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}

// TestLevelErrors spoils the small level in one place at a time.
func TestLevelErrors(t *testing.T) {
	type fault struct {
		old, new     string
		line, column int
		msg          string
	}
	try := func(level string, c fault) {
		t.Helper()
		text := strings.Replace(level, c.old, c.new, 1)
		_, err := FromText("test", text, Config{})
		var te *grid.TextError
		if !errors.As(err, &te) || te.Line != c.line || te.Column != c.column || !strings.Contains(te.Msg, c.msg) {
			t.Errorf("%q for %q: error %v, want line %d, column %d with %q", c.new, c.old, err, c.line, c.column, c.msg)
		}
	}
	for _, c := range []fault{
		{"pickup ball", "take ball", 4, 5, "unknown instruction"},
		{"pickup ball any right strict", "pickup", 4, 5, "1 words after do: want 4"},
		{"pickup ball any right", "pickup wall any right", 4, 12, "want key, ball"},
		{"key any behind", "key any north", 3, 28, "key any north"},
		{"key any behind", "key pink any", 3, 28, "a colour"},
		{"after 0 1", "after 0 2", 5, 13, "from 0"},
		{"after 0 1", "after 0 0", 5, 13, "from 0"},
		{"after 0 1", "after 0 1 strict", 5, 5, "want 3"},
		{"do: after 0 1\n", "", 1, 1, "belongs to one below"},
		{"rooms: 7\n", "", 1, 1, "go together"},
		{"rooms: 7", "rooms: 2", 6, 8, "3 to 63"},
		{"task: instr", "task: goal", 1, 1, "go together"},
		{"do: after", strings.Repeat("do: goto ball any any\n", 6) + "do: after", 10, 5, "more than 7"},
		{"do: putnext object red any key any behind\ndo: pickup ball any right strict\ndo: after 0 1", strings.Repeat("do: putnext ball red front box red front\n", 4) +
			"do: before 0 1\ndo: after 4 2\ndo: before 5 3", 1, 1, "instructions of 74 words: want at most 72"},
	} {
		try(told, c)
	}
	for _, c := range []fault{
		{"minigrid level", "maze level", 1, 1, "minigrid level"},
		{"## .. Bx Lr ##", "## .. Bx Lr #", 10, 14, "13 characters"},
		{"## .. Bx Lr ##", "## .. Bx Lr ## ##", 10, 15, "17 characters"},
		{"## .. Bx Lr ##", "## .. Qx Lr ##", 10, 7, `unknown cell "Qx"`},
		{"## .. Bx Lr ##", "## ..-Bx Lr ##", 10, 6, "blank"},
		{"agent: 1 1 right", "agent: 1 1 north", 6, 12, "north"},
		{"agent: 1 1 right", "agent: 1 9 right", 6, 8, "below 5"},
		{"agent: 1 1 right", "agent: 0 0 right", 6, 8, "cannot stand"},
		{"agent: 1 1 right", "", 1, 1, `no "agent`},
		{"task: goal", "task: win", 3, 7, "unknown task"},
		{"task: goal", "task: unlock 1 1", 3, 7, "no door"},
		{"task: goal", "task: pickup red key", 3, 14, "key, ball or box"},
		{"task: goal", "task: goto 1", 3, 7, "want 2"},
		{"task: goal", "task: dynobst", 1, 1, "go together"},
		{"limit: 30", "limit: none", 5, 8, "none"},
		{"limit: 30", "limits: 30", 5, 1, "unknown key"},
		{"limit: 30", "limit 30", 5, 1, "key: value"},
		{"inside: 2 1 key red", "inside: 1 1 key red", 7, 9, "no box"},
		{"inside: 2 1 key red", "carry: wall grey", 7, 8, "key, ball or box"},
		{"mission: get to the goal", "mission: get to the exit", 4, 10, "exit"},
		{"map:", "map: here", 8, 5, "next line"},
	} {
		try(small, c)
	}
	e, err := New("MiniGrid-DoorKey-5x5-v0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	e.Reset(make([]byte, e.spec.ObsLen))
	before := e.AppendState(nil)
	for _, text := range []string{"", small[:40], strings.Replace(small, "## ## ## Gg ##\n", "", 1), strings.Replace(small, "limit: 30", "limit: 3000", 1)} {
		if e.SetLevel(text) == nil || !bytes.Equal(before, e.AppendState(nil)) {
			t.Errorf("SetLevel took a bad level, or changed the state:\n%s", text)
		}
	}
}

func FuzzLevel(f *testing.F) {
	f.Add(small)
	f.Add(told)
	for _, id := range []string{"BabyAI-MiniBossLevel-v0", "BabyAI-PutNextS5N2Carrying-v0", "MiniGrid-ObstructedMaze-1Dlhb-v0", "MiniGrid-Dynamic-Obstacles-5x5-v0", "MiniGrid-PutNear-6x6-N2-v0"} {
		e, err := New(id, Config{})
		if err != nil {
			f.Fatal(err)
		}
		e.Reset(make([]byte, e.spec.ObsLen))
		text, _ := e.Level()
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := FromText("test", text, Config{})
		if err != nil {
			var te *grid.TextError
			if !errors.As(err, &te) || te.Line < 1 || te.Column < 1 {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		obs := make([]byte, e.spec.ObsLen)
		e.Reset(obs)
		text2, err := e.Level()
		if err != nil {
			t.Fatal(err)
		}
		again, err := FromText("test", text2, Config{})
		if err != nil {
			t.Fatalf("%v in the text of a level that was read\n%s", err, text2)
		}
		again.Reset(obs)
		if text3, _ := again.Level(); text3 != text2 {
			t.Fatalf("text changed from\n%s to\n%s", text2, text3)
		}
		draws := rng.Stream(0, text)
		for range 40 {
			if e.Step(draws.IntN(len(e.spec.Actions)), obs).Done() {
				e.Reset(obs)
			}
		}
	})
}

// FuzzState loads damaged snapshots: they must be refused without a change, or be a state in which the
// Env can go on.
func FuzzState(f *testing.F) {
	id := "MiniGrid-ObstructedMaze-1Dlhb-v0"
	e, err := New(id, Config{})
	if err != nil {
		f.Fatal(err)
	}
	obs := make([]byte, e.spec.ObsLen)
	e.Reset(obs)
	f.Add(e.AppendState(nil))
	for range 30 {
		e.Step(e.rng.Below(7), obs)
	}
	f.Add(e.AppendState(nil))
	f.Fuzz(func(t *testing.T, state []byte) {
		e, err := New(id, Config{})
		if err != nil {
			t.Fatal(err)
		}
		before := e.AppendState(nil)
		if err := e.SetState(state); err != nil {
			if !bytes.Equal(before, e.AppendState(nil)) {
				t.Fatal("a refused snapshot changed the state")
			}
			return
		}
		if !bytes.Equal(state, e.AppendState(nil)) {
			t.Fatal("a snapshot that was taken is not what is saved")
		}
		for range 40 {
			if e.ended || e.Step(e.rng.Below(7), obs).Done() {
				e.Reset(obs)
			}
		}
	})
}
