package env_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
)

// TestOpenLevel opens texts of several families and sizes, and says what is wrong in others.
func TestOpenLevel(t *testing.T) {
	for _, c := range []struct{ text, id, wrong, level string }{
		{text: "#######\n#S   G#\n# ### #\n#     #\n#######\n", id: "maze/7x5-v0"},
		{text: "12..\n3.1.\n..2.\n...4\n", id: "sudoku/4x4-v0"},
		{text: "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79", id: "sudoku/9x9-v0"},
		{text: "#####\n#S X#\n#  G#\n#####\n", wrong: "line 2, column 4"},
		{text: "12\n34\n", wrong: "sudoku: "},
		{text: mini, id: "minigrid/level-v0"},
		{text: "\ufeff" + strings.ReplaceAll(mini, "\n", "\r\n"), id: "minigrid/level-v0", level: mini},
		{text: strings.Replace(mini, "Gg", "Qg", 1), wrong: "minigrid: line 9, column 10: unknown cell"},
		{text: task, id: "arc/file-v0"},
		{text: `{"a": ` + task + `}`, id: "arc/file-v0", level: task},
		{text: strings.Replace(task, "[[4]]", "[[14]]", 1), wrong: "14"},
		{text: "a text of words, about nothing", wrong: env.ErrNoLevel.Error()},
		{text: `{"words": "about nothing"}`, wrong: env.ErrNoLevel.Error()},
		{text: "", wrong: env.ErrNoLevel.Error()},
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
			if got, err := l.Level(); err != nil || bare(got) != bare(cmp.Or(c.level, c.text)) {
				t.Errorf("the level is %q (%v), want %q", got, err, cmp.Or(c.level, c.text))
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
	empty, err := env.Make("MiniGrid-Empty-5x5-v0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := env.Level(empty, "minigrid level\n"); err == nil {
		t.Error("a level was begun without the observation of it")
	}
}

const (
	mini = "minigrid level\n; minigrid/level-v0\ntask: goal\nlimit: 20\nsee_through: false\nagent: 1 1 right\nmap:\n## ## ## ## ##\n## .. .. Gg ##\n## ## ## ## ##\n"
	task = `{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]], "output": [[4]]}]}`
)

// TestOpenLevels opens texts of many levels: every seed begins on its own, and the next episodes on those behind it.
func TestOpenLevels(t *testing.T) {
	for _, c := range []struct {
		text, id, wrong string
		levels          []string
	}{
		{text: "12..\n3.1.\n..2.\n...4\n\n21..3.2...1....4\n", id: "sudoku/4x4-v0", levels: []string{"12..3.1...2....4", "21..3.2...1....4"}},
		{text: "12..3.1...2....4\n53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79", wrong: "puzzle 2 has 81 cells"},
		{text: "12..3.1...2....4\n11..............\n", wrong: "level 2: "},
		{text: "#####\n#S G#\n#####\n#   #\n#####\n\n#####\n#S  #\n### #\n#G  #\n#####\n", id: "maze/5x5-v0", levels: []string{"######SG#############", "######S######G######"}},
		{text: "#####\n#S G#\n#####\n#   #\n#####\n\n######\n#S  G#\n######\n#    #\n######\n", wrong: "the 2th maze is 6x5"},
		{text: "[" + task + "," + strings.ReplaceAll(task, "3", "5") + "]", id: "arc/file-v0"},
		{text: task + "\n" + strings.ReplaceAll(task, "3", "5") + "\n", id: "arc/file-v0"},
		{text: strings.Replace(task, `"test": [`, `"test": [{"input": [[7]], "output": [[8]]},`, 1), id: "arc/file-v0"},
	} {
		e, err := env.OpenLevel(c.text)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%q: error %v, want %q", c.text, err, c.wrong)
			}
			continue
		}
		if err != nil || e.Spec().ID != c.id || e.Spec().Fixed {
			t.Errorf("%q: %v, want two levels of %s", c.text, err, c.id)
			continue
		}
		obs := make([]byte, e.Spec().ObsLen)
		level := func() string {
			e.Reset(obs)
			l, _ := env.As[env.Leveler](e)
			text, err := l.Level()
			if err != nil {
				t.Fatal(err)
			}
			return bare(text)
		}
		e.Seed(4)
		first, second, third := level(), level(), level()
		e.Seed(1)
		if again := level(); first == second || third != first || again != second {
			t.Errorf("%q: levels %q, %q, %q, and of seed 1 %q", c.text, first, second, third, again)
		}
		if len(c.levels) > 0 && (first != c.levels[0] || second != c.levels[1]) {
			t.Errorf("%q: levels %q and %q, want %q", c.text, first, second, c.levels)
		}
		if err := env.Check(func() env.Env { e, _ := env.OpenLevel(c.text); return e }); err != nil && !strings.Contains(err.Error(), "alloc") {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}

// FuzzOpenLevel: a text is refused, or opens worlds that begin on its levels.
func FuzzOpenLevel(f *testing.F) {
	for _, text := range []string{
		mini, task, "[" + task + "]", task + "\n" + task, "#######\n#S   G#\n# ### #\n#     #\n#######\n", "12..3.1...2....4\n21..3.2...1....4",
		"+--+--+--+\n|A    |  |\n+  +--+  +\n|       B|\n+--+--+--+\n", "[[1,2,0,0],[3,0,1,0],[0,0,2,0],[0,0,0,4]]", "[Puzzle]\n12..\n3.1.\n..2.\n...4\n[State]\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := env.OpenLevel(text)
		if err != nil {
			return
		}
		obs := make([]byte, e.Spec().ObsLen)
		e.Seed(1 << 40)
		e.Reset(obs)
		e.Step(0, obs)
	})
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
