package env_test

import (
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
)

// TestOpenLevel opens texts of several families and sizes, and says what is wrong in others.
func TestOpenLevel(t *testing.T) {
	for _, c := range []struct{ text, id, wrong string }{
		{text: "#######\n#S   G#\n# ### #\n#     #\n#######\n", id: "maze/7x5-v0"},
		{text: "12..\n3.1.\n..2.\n...4\n", id: "sudoku/4x4-v0"},
		{text: "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79", id: "sudoku/9x9-v0"},
		{text: "#####\n#S X#\n#  G#\n#####\n", wrong: "line 2, column 4"},
		{text: "12\n34\n", wrong: "sudoku: "},
	} {
		e, err := env.OpenLevel(c.text)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%q: error %v, want %q", c.text, err, c.wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if got := e.Spec().ID; got != c.id {
			t.Errorf("%q is of %s, want %s", c.text, got, c.id)
		}
		// Every seed begins on the text itself.
		obs := make([]byte, e.Spec().ObsLen)
		l, _ := env.As[env.Leveler](e)
		for seed := range uint64(3) {
			e.Seed(seed)
			e.Reset(obs)
			if got, err := l.Level(); err != nil || bare(got) != bare(c.text) {
				t.Errorf("the level is %q (%v), want %q", got, err, c.text)
			}
		}
		env.CheckEach(func() env.Env {
			e, err := env.OpenLevel(c.text)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}, nil, func(name string, err error) {
			if err != nil && name != "allocations" { // of restoring the level
				t.Errorf("%q: %s: %v", c.text, name, err)
			}
		})
	}
	mini, err := env.Make("MiniGrid-Empty-5x5-v0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := env.Level(mini, "minigrid level\n"); err == nil {
		t.Error("a level was begun without the observation of it")
	}
}

// bare is a level without spaces and lines.
func bare(text string) string {
	return strings.NewReplacer(" ", "", "\n", "", "|", "", "-", "", "+", "").Replace(text)
}

// TestPaint: every family can draw its boards, and is drawn by one entry alone.
func TestPaint(t *testing.T) {
	painters := map[string]int{}
	for _, e := range env.List("") {
		if painters[e.Family] += 0; e.Paint != nil {
			painters[e.Family]++
		}
	}
	for _, family := range []string{"arc", "maze", "minigrid"} {
		if painters[family] != 1 {
			t.Errorf("%s has %d painters, want 1", family, painters[family])
		}
	}
}
