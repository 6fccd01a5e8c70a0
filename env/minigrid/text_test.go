package minigrid

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
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
	for _, c := range []struct {
		old, new     string
		line, column int
		msg          string
	}{
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
		text := strings.Replace(small, c.old, c.new, 1)
		_, err := FromText("test", text, Config{})
		var te *grid.TextError
		if !errors.As(err, &te) || te.Line != c.line || te.Column != c.column || !strings.Contains(te.Msg, c.msg) {
			t.Errorf("%q for %q: error %v, want line %d, column %d with %q", c.new, c.old, err, c.line, c.column, c.msg)
		}
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
	for _, id := range []string{"MiniGrid-ObstructedMaze-1Dlhb-v0", "MiniGrid-Dynamic-Obstacles-5x5-v0", "MiniGrid-PutNear-6x6-N2-v0"} {
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
