package host

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/task/mazes"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// ponder runs a command line and returns its output and exit code.
func ponder(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	root := Root()
	var b bytes.Buffer
	root.SetOut(&b)
	root.SetErr(io.Discard)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	if err == nil {
		return b.String(), cli.ExitOK
	}
	return b.String() + err.Error(), cli.ExitCode(err)
}

// want runs a command line that must end with the exit code.
func want(t *testing.T, code int, args ...string) string {
	t.Helper()
	out, got := ponder(t, args...)
	if got != code {
		t.Fatalf("ponder %s: exit code %d, want %d: %s", strings.Join(args, " "), got, code, out)
	}
	return out
}

const taskJSON = `{"train": [{"input": [[1, 2]], "output": [[2], [1]]}], "test": [{"input": [[3, 4]], "output": [[4], [3]]}]}`

func writeTask(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(taskJSON), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestDataBuildGenerated(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{
			[]string{"sudoku", "--side", "9", "--givens", "40-50", "--generate", "6", "--generate-test", "4", "--augment", "3"},
			`[{"name":"train","examples":24,"puzzles":24,"groups":6},{"name":"test","examples":4,"puzzles":4,"groups":4}]`,
		},
		{
			[]string{"sudoku", "--side", "6", "--givens", "12-16", "--generate", "5", "--augment", "2", "--compact"},
			`[{"name":"train","examples":15,"puzzles":15,"groups":5}]`,
		},
		{
			[]string{"maze", "--size", "9", "--generate", "7", "--generate-test", "3", "--augment", "7"},
			`[{"name":"train","examples":56,"puzzles":56,"groups":7},{"name":"test","examples":3,"puzzles":3,"groups":3}]`,
		},
		{
			[]string{"maze", "--size", "30", "--generate-test", "2"},
			`[{"name":"test","examples":2,"puzzles":2,"groups":2}]`,
		},
	} {
		out := filepath.Join(dir, "set")
		got := want(t, cli.ExitOK, append(append([]string{"data", "build"}, tt.args...), "--out", out, "--json", "--seed", "3", "--replace")...)
		var made struct{ Splits json.RawMessage }
		if err := json.Unmarshal([]byte(got), &made); err != nil || string(made.Splits) != tt.want {
			t.Errorf("%v made %s, want %s", tt.args, got, tt.want)
		}
		if report := want(t, cli.ExitOK, "data", "check", out); strings.Contains(report, "problem:") || strings.Contains(report, "as any") {
			t.Errorf("%v: %s", tt.args, report)
		}
	}
	// The last one is as hard as published: more than 110 moves.
	s, err := puzzle.Open(filepath.Join(dir, "set"), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, label := make([]int32, 900), make([]int32, 900)
	for i := range s.Len() {
		if _, err := s.Example(i, in, label); err != nil {
			t.Fatal(err)
		}
		if moves, shortest, err := mazes.MarkedPath(in, label, 30); err != nil || moves != shortest || moves <= 110 {
			t.Errorf("maze %d: %d moves, shortest %d, %v", i, moves, shortest, err)
		}
	}
}

func TestDataBuildCSV(t *testing.T) {
	dir := t.TempDir()
	csv, set := filepath.Join(dir, "hard.csv"), filepath.Join(dir, "set")
	want(t, cli.ExitOK, "data", "build", "sudoku", "--generate", "12", "--min-rating", "2", "--out", csv)
	want(t, cli.ExitOK, "data", "build", "sudoku", "--train", csv, "--limit", "5", "--augment", "1", "--out", set)
	if got := want(t, cli.ExitOK, "data", "check", set, "--json"); !strings.Contains(got, `"examples":10,"puzzles":10,"groups":5`) {
		t.Errorf("check: %s", got)
	}
	got := want(t, cli.ExitOK, "data", "show", csv, "--index", "11")
	if lines := strings.Split(got, "\n"); len(lines) != 13 || !strings.Contains(lines[0], "hard.csv: line 13, rated ") || strings.Count(got, "|") != 4*9 {
		t.Errorf("show:\n%s", got)
	}
	for row, err := range puzzle.ReadCSVFile(csv) {
		if err != nil || row.Rating < 2 {
			t.Errorf("rated %d, want at least 2; %v", row.Rating, err)
		}
	}
}

func TestDataBuildARC(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"training/a", "training/b", "evaluation/c"} {
		writeTask(t, filepath.Join(dir, "tasks", name+".json"))
	}
	out := filepath.Join(dir, "set")
	build := func(more ...string) string {
		want(t, cli.ExitOK, append([]string{"data", "build", "arc", filepath.Join(dir, "tasks"), "--out", out, "--augment", "3", "--replace"}, more...)...)
		return want(t, cli.ExitOK, "data", "check", out)
	}
	if got := build(); !strings.Contains(got, "train: 20 examples of 12 puzzles in 3 groups") || !strings.Contains(got, "test: 4 examples of 4 puzzles in 1 groups") {
		t.Errorf("the folder evaluation evaluated: %s", got)
	}
	if got := build("--evaluate", "a,b"); !strings.Contains(got, "train: 16 examples") || !strings.Contains(got, "test: 8 examples of 8 puzzles in 2 groups") {
		t.Errorf("two tasks evaluated: %s", got)
	}
	if got := build("--evaluate", "none"); !strings.Contains(got, "train: 24 examples") || !strings.Contains(got, "no such split") {
		t.Errorf("none evaluated: %s", got)
	}
	want(t, cli.ExitUsage, "data", "build", "arc", filepath.Join(dir, "tasks"), "--out", out, "--evaluate", "d")
	writeTask(t, filepath.Join(dir, "other", "a.json"))
	if got := want(t, cli.ExitFailure, "data", "build", "arc", filepath.Join(dir, "tasks"), filepath.Join(dir, "other"), "--out", filepath.Join(dir, "n")); !strings.Contains(got, "task \"a\" is in") {
		t.Errorf("a task twice: %s", got)
	}
	const shown = `a train pair 0
12     2
       1

a test pair 0
34     4
       3
`
	if d := cmp.Diff(shown, want(t, cli.ExitOK, "data", "show", filepath.Join(dir, "tasks"), "--name", "a", "--count", "5")); d != "" {
		t.Error(d)
	}
}

func TestDataShowPNG(t *testing.T) {
	dir := t.TempDir()
	set, pic := filepath.Join(dir, "set"), filepath.Join(dir, "p.png")
	want(t, cli.ExitOK, "data", "build", "maze", "--size", "9", "--generate", "3", "--out", set)
	want(t, cli.ExitOK, "data", "show", set, "--png", pic, "--tile", "10", "--count", "2")
	f, err := os.Open(pic)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 2*90+3*5 || b.Dy() != 2*90+3*5 {
		t.Errorf("picture of %v", b)
	}
	want(t, cli.ExitUsage, "data", "show", set, "--png", pic, "--tile", "0")
	want(t, cli.ExitFailure, "data", "show", set, "--index", "3")
	if got := want(t, cli.ExitOK, "data", "show", set, "--answer=false"); strings.Contains(got, "o") {
		t.Errorf("the answer is shown:\n%s", got)
	}
}

func TestDataCheckFails(t *testing.T) {
	set := filepath.Join(t.TempDir(), "set")
	want(t, cli.ExitOK, "data", "build", "maze", "--size", "9", "--generate", "3", "--out", set)
	path := filepath.Join(set, "train", "all__labels.npy")
	if err := os.Truncate(path, 200); err != nil {
		t.Fatal(err)
	}
	if got := want(t, cli.ExitFailure, "data", "check", set); !strings.Contains(got, "all__labels.npy: truncated: 200 bytes, want 371") {
		t.Errorf("check: %s", got)
	}
	want(t, cli.ExitFailure, "data", "check", filepath.Join(set, "nothing"))
	want(t, cli.ExitUsage, "data", "check")
	want(t, cli.ExitUsage, "data", "check", set, "--kind", "chess")
}

func TestDataBuildUsage(t *testing.T) {
	out := filepath.Join(t.TempDir(), "set")
	for _, args := range [][]string{
		{"sudoku", "--generate", "1"}, // no --out
		{"sudoku", "--out", out},      // no source
		{"sudoku", "--out", out, "--generate", "-1"},
		{"sudoku", "--out", out, "--generate", "1", "--train", "x.csv"},
		{"sudoku", "--out", out, "--generate", "1", "--from", "x"},
		{"sudoku", "--out", out, "--generate", "1", "--limit", "1"},
		{"sudoku", "--out", out, "--generate", "1", "--side", "8"},
		{"sudoku", "--out", out, "--generate", "1", "--givens", "a-b"},
		{"sudoku", "--out", out, "--generate", "1", "--augment", "-1"},
		{"sudoku", "--out", out + ".csv", "--generate", "1", "--generate-test", "1"},
		{"maze", "--out", out, "--generate", "1", "--size", "2"},
		{"arc", "--out", out},
	} {
		want(t, cli.ExitUsage, append([]string{"data", "build"}, args...)...)
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%v wrote something", args)
		}
	}
}

func TestDataGet(t *testing.T) {
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	w := tar.NewWriter(z)
	for name, text := range map[string]string{
		"ARC-AGI-master/data/training/a.json":   taskJSON,
		"ARC-AGI-master/data/evaluation/b.json": taskJSON,
		"ARC-AGI-master/apps/index.json":        "{}",
		"ARC-AGI-master/data/a/b/deep.json":     "{}",
	} {
		w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg})
		w.Write([]byte(text))
	}
	w.Close()
	z.Close()
	const csv = "source,question,answer,rating\n"
	served := map[string][]byte{
		"/fchollet/ARC-AGI/tar.gz/refs/heads/master":                     archive.Bytes(),
		"/datasets/sapientinc/maze-30x30-hard-1k/resolve/main/train.csv": []byte(csv + "x,S G      ,SoG      ,2\n"),
		"/datasets/sapientinc/maze-30x30-hard-1k/resolve/main/test.csv":  []byte(csv + "x,G S      ,GoS      ,2\n"),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := served[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(data)
	}))
	defer server.Close()
	dir := t.TempDir()
	get := func(code int, args ...string) string {
		return want(t, code, append([]string{"data", "get", "--mirror", server.URL + "/"}, args...)...)
	}

	folder := filepath.Join(dir, "arc")
	get(cli.ExitOK, "arc-agi-1", "--out", folder)
	tasks, from, err := arc.Read(arc.Reading{}, folder)
	if err != nil || len(tasks) != 2 || from["b"] != "evaluation" {
		t.Errorf("%d tasks, folders %v, %v", len(tasks), from, err)
	}
	get(cli.ExitOK, "arc-agi-1", "--out", folder) // again: it is there
	hard := filepath.Join(dir, "mazes")
	get(cli.ExitOK, "maze-30x30-hard-1k", "--out", hard)
	want(t, cli.ExitOK, "data", "build", "maze", "--from", hard, "--augment", "1", "--out", filepath.Join(dir, "set"))
	want(t, cli.ExitOK, "data", "check", filepath.Join(dir, "set"))

	// What is there is not asked for again, and a changed file is noticed.
	get(cli.ExitOK, "maze-30x30-hard-1k", "--out", hard)
	os.Remove(filepath.Join(hard, "test.csv"))
	served["/datasets/sapientinc/maze-30x30-hard-1k/resolve/main/test.csv"] = []byte("other")
	if got := get(cli.ExitFailure, "maze-30x30-hard-1k", "--out", hard); !strings.Contains(got, "of the first download") {
		t.Errorf("a changed file: %s", got)
	}
	get(cli.ExitFailure, "sudoku-extreme", "--out", filepath.Join(dir, "s")) // 404
	get(cli.ExitUsage, "chess")
	get(cli.ExitUsage, "sudoku-extreme", "--sha256", "00")
	if got := want(t, cli.ExitOK, "data", "get"); strings.Count(got, "https://") != 7 {
		t.Errorf("list: %s", got)
	}
}
