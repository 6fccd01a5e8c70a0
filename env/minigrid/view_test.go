package minigrid

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/rng"
)

// TestWrappers compares the kinds of observation with MiniGrid's wrappers (testdata/wrappers.py).
func TestWrappers(t *testing.T) {
	data, err := os.ReadFile("testdata/wrappers.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		ID, Option string
		Seed       uint64
		Actions    []int
		RawMission []int `json:"mission"`
		SHA256     []string
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		e, err := env.Make(c.ID, c.Option)
		if err != nil {
			t.Fatal(err)
		}
		obs := make([]byte, e.Spec().ObsLen)
		e.Seed(c.Seed)
		e.Reset(obs)
		n := e.Spec().Layout[0].Len()
		for i, tok := range obs[n+1:] {
			if int(tok) != c.RawMission[i] {
				t.Errorf("%s seed %d: token %d of the mission is %d, want %d", c.ID, c.Seed, i, tok, c.RawMission[i])
				break
			}
		}
		for i, a := range c.Actions {
			e.Step(a, obs)
			if h := sha256.Sum256(obs[:n]); hex.EncodeToString(h[:])[:16] != c.SHA256[i] {
				t.Errorf("%s %s seed %d: observation after step %d differs", c.ID, c.Option, c.Seed, i+1)
				break
			}
		}
	}
}

// sweep is MiniGrid's own way to find what is visible: two sweeps a row, marks made earlier counting.
func sweep(clear []uint64, n int) []uint64 {
	seen := make([]uint64, n)
	see := func(i, j int) { seen[j] |= 1 << i }
	see(n/2, n-1)
	for j := n - 1; j >= 0; j-- {
		for i := 0; i < n-1; i++ {
			if seen[j]>>i&1 == 1 && clear[j]>>i&1 == 1 {
				see(i+1, j)
				if j > 0 {
					see(i+1, j-1)
					see(i, j-1)
				}
			}
		}
		for i := n - 1; i > 0; i-- {
			if seen[j]>>i&1 == 1 && clear[j]>>i&1 == 1 {
				see(i-1, j)
				if j > 0 {
					see(i-1, j-1)
					see(i, j-1)
				}
			}
		}
	}
	return seen
}

// TestSight compares three ways to find what is visible on random views: MiniGrid's sweeps, the runs
// of grid.Visible and the packed words of a view of 7.
func TestSight(t *testing.T) {
	draws := rng.Stream(0, "sight")
	for round := range 30_000 {
		n := 3 + 2*draws.IntN(7)
		clear := make([]uint64, n)
		for j := range clear {
			clear[j] = draws.Uint64() & (1<<n - 1)
			if round%2 == 0 {
				clear[j] |= draws.Uint64() & (1<<n - 1)
			}
		}
		want := sweep(clear, n)
		got := make([]uint64, n)
		grid.Visible(clear, got)
		if !slices.Equal(got, want) {
			t.Fatalf("clear %b: visible %b, want %b", clear, got, want)
		}
		if n == 7 {
			var packed, wantPacked uint64
			for j := range n {
				packed |= clear[j] << (8 * j)
				wantPacked |= want[j] << (8 * j)
			}
			if s := sight(packed); s != wantPacked {
				t.Fatalf("clear %b: packed sight %x, want %x", clear, s, wantPacked)
			}
		}
	}
}

// TestFastView compares the packed view of 7 with the plain one at every pose of random grids, to
// the border.
func TestFastView(t *testing.T) {
	draws := rng.Stream(0, "fast view")
	var all []Cell
	for i := range 256 {
		if c := Cell(i); c.valid() {
			all = append(all, c)
		}
	}
	for _, through := range []bool{false, true} {
		e := newEnv(level{id: "test", w: 13, h: 10, limit: 9, through: through, missionLen: MissionLen}, Config{View: 7})
		obs, want := make([]byte, e.spec.ObsLen), make([]byte, 147)
		for range 40 {
			for y := range e.h {
				for x := range e.w {
					c := Empty
					if draws.IntN(2) == 0 {
						c = all[draws.IntN(len(all))]
					}
					e.set(x, y, c)
				}
			}
			for y := range e.h {
				for x := range e.w {
					e.pos, e.dir = e.at(x, y), draws.IntN(4)
					e.carry = 0
					if draws.IntN(2) == 0 {
						e.carry = key(uint8(draws.IntN(6)))
					}
					e.observe(obs)
					e.see(want, 7)
					if !bytes.Equal(obs[:147], want) {
						t.Fatalf("view at (%d, %d) to %s differs from the plain one", x, y, dirNames[e.dir])
					}
				}
			}
		}
	}
}

// TestActionMask compares the mask with what the actions change.
func TestActionMask(t *testing.T) {
	for _, l := range miniLevels() {
		e, err := New(l.id, Config{})
		if err != nil {
			t.Fatal(err)
		}
		obs := make([]byte, e.spec.ObsLen)
		e.Seed(3)
		e.Reset(obs)
		draws := rng.Stream(3, l.id)
		mask := make([]bool, len(e.spec.Actions))
		for range 150 {
			e.ActionMask(mask)
			for a, useful := range mask {
				if e.task.kind == taskDynamic {
					break // balls move whatever the action is
				}
				before, after := e.clone(), e.clone()
				out := after.act(a)
				before.steps++
				changed := out.Terminated || out.Reward != 0 || !bytes.Equal(before.AppendState(nil), after.AppendState(nil))
				if changed != useful {
					t.Fatalf("%s: mask of %s is %t, the action changes something: %t", l.id, actionNames[a], useful, changed)
				}
			}
			if e.Step(draws.IntN(len(mask)), obs).Done() {
				e.Reset(obs)
			}
		}
	}
}

func TestSpellings(t *testing.T) {
	if got := Cell(door(Blue, DoorLocked)).String(); got != "locked blue door" {
		t.Errorf("a locked blue door is called %q", got)
	}
	const mission = "get the red key from the blue room, unlock the red door and go to the goal"
	toks, err := Tokenize(mission)
	if err != nil || Sentence(toks) != mission {
		t.Errorf("Sentence(Tokenize) = %q, %v", Sentence(toks), err)
	}
	if _, err := Tokenize("open the gate"); err == nil || !strings.Contains(err.Error(), `"gate"`) {
		t.Errorf("an unknown word gives %v", err)
	}
	for i := range 256 {
		c := Cell(i)
		again, err := NewCell(c.Type(), c.Color(), c.State())
		if c.valid() != (err == nil && again == c && c != 0) {
			t.Errorf("cell %d: valid is %t, NewCell gives %v, %v", i, c.valid(), again, err)
		}
	}
}
