package open_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
	"github.com/ponder-agents/ponder/env/puzzle"
)

const (
	maze   = "#######\n#S   G#\n# ### #\n#     #\n#######\n"
	sudoku = "12..3.1...2....4"
	solved = "1243341243212134"
	asked  = "1243341243212130"
	level  = "minigrid level\ntask: goal\nagent: 1 1 right\nmap:\n## ## ## ## ##\n## .. .. Gg ##\n## ## ## ## ##\n"
	task   = `{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]], "output": [[4]]}]}`
)

// files are one of each kind in a folder, by name: none tells by it what it is.
func files(t *testing.T) (path func(name string) string) {
	dir := t.TempDir()
	path = func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{
		"maze": maze, "sudoku.x": sudoku + "\n21..3.2...1....4\n", "level.dat": level, "task": task, "words": "nothing of ours\n",
		"table": "quizzes,solutions\n" + asked + "," + solved + "\n", "bytes": "\x00\x01\x02",
	} {
		if err := os.WriteFile(path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w, err := trace.Create(path("seen"), trace.Header{EnvID: "maze/7x5-v0", Agent: trace.Oracle})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dataset(t, path("rows"), 7, 3)      // of no family
	dataset(t, path("sudokus"), 11, 16) // 4x4
	for name, config := range map[string]string{
		"policy": `{"task": "policy", "env": "maze/9x9-v0", "options": ["view=fog"]}`, "solver": `{"task": "sudoku"}`, "stranger": `{"task": "chess"}`,
	} {
		copyModel(t, path(name), config)
	}
	if err := os.Mkdir(path("empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// dataset writes five rows of n tokens in a folder: row i is 1+i, 2+i, … modulo 3, its answer i everywhere; rows of 16
// are a sudoku's.
func dataset(t *testing.T, dir string, vocab, n int) {
	t.Helper()
	w, err := puzzle.Create(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	s, err := w.Split("test", puzzle.Meta{VocabSize: vocab, SeqLen: n}, false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		in, label := make([]int32, n), make([]int32, n)
		for k := range n {
			in[k], label[k] = int32(1+i+k)%3, int32(i)
			if n == 16 {
				in[k] = int32(strings.IndexByte("0.1234", sudoku[k]))
				label[k] = max(2, in[k])
			}
		}
		s.Example(in, label)
		s.EndPuzzle(0)
		s.EndGroup()
	}
	if err := w.Commit(nil); err != nil {
		t.Fatal(err)
	}
}

// copyModel makes a checkpoint with another configuration out of a shipped one.
func copyModel(t *testing.T, dir, config string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS("../../models/doorkey-5x5")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "SHA256SUMS")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestNamed: what a name stands for is told by what is there, not by its ending.
func TestNamed(t *testing.T) {
	path := files(t)
	for name, want := range map[string]open.Thing{
		"maze": {World: "maze"}, path("maze"): {World: path("maze")}, path("seen"): {Trace: path("seen")},
		path("rows"): {World: path("rows")}, "dataset:" + path("rows"): {World: "dataset:" + path("rows")},
		path("policy"): {World: "maze/9x9-v0", Options: []string{"view=fog"}, Model: path("policy")},
		path("solver"): {World: "sudoku", Model: path("solver")}, path("none.txt"): {World: path("none.txt")},
	} {
		got, err := open.Named(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, want := range map[string]string{path("empty"): "neither of a run", path("stranger"): `the task "chess"`} {
		if _, err := open.Named(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}

// TestWorld opens a world of each kind of file, and says what is wrong with others.
func TestWorld(t *testing.T) {
	path := files(t)
	for name, want := range map[string]string{
		"maze": "maze/15x15-v0", path("maze"): "maze/7x5-v0", path("sudoku.x"): "sudoku/4x4-v0", path("level.dat"): "minigrid/level-v0",
		path("task"): "arc/file-v0", path("table"): "sudoku/4x4-v0", path("sudokus"): "sudoku/4x4-v0", path("rows"): path("rows"),
		"dataset:" + path("rows"): "dataset:" + path("rows"),
	} {
		e, err := open.World(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := e.Spec().ID; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
		if _, err := session.WorldOf(e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]string{
		path("nope.trace"): "there is no such file", "nope.trace": "there is no such file", "Maz": "did you mean maze", path("seen"): "a recording",
		path("words"): env.ErrNoLevel.Error(), path("bytes"): "byte 1 is zero", path("empty"): "no dataset", "dataset:" + path("nope"): "no such file",
		os.DevNull: "neither a file nor a folder",
	} {
		if _, err := open.World(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
	if _, err := open.World(path("maze"), "view=fog"); err == nil || !strings.Contains(err.Error(), "takes no option") {
		t.Errorf("an option of a file: %v", err)
	}
}

// TestQuiz: rows of no family are shown and answered, seed by seed.
func TestQuiz(t *testing.T) {
	path := files(t)
	if err := env.Check(func() env.Env {
		e, err := open.World(path("rows"))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}); err != nil {
		t.Error(err)
	}
	e, err := open.World(path("rows"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := session.WorldOf(e)
	if err != nil {
		t.Fatal(err)
	}
	obs := make([]byte, 3)
	w.Seed(3)
	w.Reset(obs)
	if diff := cmp.Diff([]byte{1, 2, 0}, obs); diff != "" || w.Board().Caption != "row 4 of 5" {
		t.Errorf("seed 3 of five rows shows %v as %q", obs, w.Board().Caption)
	}
	if d := cmp.Diff([]float64{1, 0, 0}, []float64{grade(w, 3, 3, 3), grade(w, 3, 1, 3), grade(w, 3, 3)}); d != "" {
		t.Errorf("right, wrong and short answers: %s", d)
	}
	var got []bool
	err = session.Survey(t.Context(), &session.Scene{World: w, Agent: threes{}, Whole: true}, 0, 100, func(e session.Example) error {
		got = append(got, e.Solved)
		return nil
	})
	if d := cmp.Diff([]bool{false, false, false, true, false}, got); err != nil || d != "" {
		t.Errorf("who answers 3 always: %v\n%s", err, d)
	}
	w.Seed(3)
	w.Reset(obs)
	if out := w.Step(0, obs); !out.Terminated || w.Board().Cells[0].Kind != 3 {
		t.Errorf("the answer: %+v, board %+v", out, w.Board())
	}
}

// grade is what an answer to the row that w shows is worth.
func grade(w session.World, answer ...uint8) float64 {
	g, ok := env.As[env.Grader](w)
	if !ok {
		return -1
	}
	return g.Grade(answer)
}

// threes answers 3 in each of three cells, after one segment.
type threes struct{ session.Agent }

func (threes) Describe(h *trace.Header) { h.Agent, h.MaxSegments = trace.Network, 1 }

func (threes) Begin(context.Context, []byte, bool) error { return nil }

func (threes) Think(_ context.Context, g *trace.Segment) error {
	g.Answer, g.Halted = []uint8{3, 3, 3}, true
	return nil
}
