package puzzle

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// csvSplits are the splits of a fixture's sources.
func csvSplits(t testing.TB, name string) []RowSplit {
	t.Helper()
	var splits []RowSplit
	for _, split := range []string{"train", "test"} {
		path := filepath.Join(fixtures(t), name, "source", split+".csv")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		splits = append(splits, RowSplit{Name: split, Rows: ReadCSV(bytes.NewReader(data), path)})
	}
	return splits
}

// files are the contents of all files below dir.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Every byte of the original builder's mazes.
func TestBuildMazeAsRecorded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "maze")
	if err := BuildMaze(t.Context(), dir, csvSplits(t, "maze9-tiny"), Build{Augment: 7}); err != nil {
		t.Fatal(err)
	}
	got, want := files(t, dir), files(t, filepath.Join(fixtures(t), "maze9-tiny"))
	for name := range want {
		if strings.HasPrefix(name, "source/") {
			continue
		}
		if got[name] != want[name] {
			t.Errorf("%s differs", name)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s is not in the original", name)
	}
}

// Every byte of the original sudokus but for the augmented boards, which are random; those are
// relabelled solutions of the right shape.
func TestBuildSudokuAsRecorded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sudoku")
	if err := BuildSudoku(t.Context(), dir, csvSplits(t, "sudoku9-tiny"), Build{Augment: 2, Seed: 5}); err != nil {
		t.Fatal(err)
	}
	got, want := files(t, dir), files(t, filepath.Join(fixtures(t), "sudoku9-tiny"))
	for name := range want {
		switch {
		case strings.HasPrefix(name, "source/"):
		case name == "train/all__inputs.npy" || name == "train/all__labels.npy":
			const head, row = 128, 81 * 8
			g, w := got[name], want[name]
			if len(g) != len(w) || g[:head] != w[:head] {
				t.Errorf("%s: shape or type differs", name)
				continue
			}
			for i := head; i < len(w); i += 3 * row { // the first of three copies
				if g[i:i+row] != w[i:i+row] {
					t.Errorf("%s: example %d differs", name, (i-head)/row)
				}
			}
		case got[name] != want[name]:
			t.Errorf("%s differs", name)
		}
	}
	r, err := Check(t.Context(), dir, "", nil)
	if err != nil || len(r.Problems) > 0 || r.Kind != SudokuKind {
		t.Errorf("check: %+v %v", r, err)
	}
}

// The original ARC test split, cell for cell, from the names of its identifiers and the sources;
// and our own build of these sources has the same metadata, types and shapes.
func TestBuildARCAsRecorded(t *testing.T) {
	root := filepath.Join(fixtures(t), "arc-tiny")
	tasks, _, err := ReadTasks(filepath.Join(root, "source"))
	if err != nil {
		t.Fatal(err)
	}
	byName, evaluate := map[string]Task{}, map[string]bool{}
	for _, task := range tasks {
		byName[task.Name], evaluate[task.Name] = task, true
	}
	for _, split := range []string{"train", "test"} {
		s := openFixture(t, "arc-tiny", split)
		in, label := make([]int32, 900), make([]int32, 900)
		for p := range s.Puzzles() {
			id, first, end := s.Puzzle(p)
			name, aug := ParseName(s.Name(id))
			task := aug.Task(byName[name])
			if task.Name != s.Name(id) {
				t.Errorf("%s: the copy is named %s", s.Name(id), task.Name)
			}
			pairs := task.Test
			if split == "train" {
				pairs = task.Train
			}
			if len(pairs) != end-first {
				t.Fatalf("%s: %d pairs, want %d", task.Name, len(pairs), end-first)
			}
			for e := first; e < end; e++ {
				if _, err := s.Example(e, in, label); err != nil {
					t.Fatal(err)
				}
				_, row, col, err := ReadFrame(in)
				if err != nil || split == "test" && row+col > 0 {
					t.Fatalf("%s, example %d: grid at (%d, %d), %v", split, e, row, col, err)
				}
				pair, wantIn, wantLabel := pairs[e-first], make([]int32, 900), make([]int32, 900)
				pair.Input.Frame(wantIn, row, col)
				pair.Output.Frame(wantLabel, row, col)
				for i, v := range wantLabel {
					if v == 0 {
						wantLabel[i] = Ignore
					}
				}
				if !slices.Equal(in, wantIn) || !slices.Equal(label, wantLabel) {
					t.Errorf("%s, example %d of %s differs", split, e, task.Name)
				}
			}
		}
	}

	dir := filepath.Join(t.TempDir(), "arc")
	if err := BuildARC(t.Context(), dir, tasks, evaluate, Build{Augment: 4, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	got, want := files(t, dir), files(t, root)
	for name, w := range want {
		switch g := got[name]; {
		case strings.HasPrefix(name, "source/") || name == "identifiers.json":
		case strings.HasSuffix(name, "inputs.npy") || strings.HasSuffix(name, "labels.npy"):
			if len(g) != len(w) || g[:128] != w[:128] {
				t.Errorf("%s: type or shape differs", name)
			}
		case strings.HasSuffix(name, "puzzle_indices.npy"): // sources in another order
			if len(g) != len(w) || g[:128] != w[:128] {
				t.Errorf("%s: type or shape differs", name)
			}
		case g != w:
			t.Errorf("%s differs", name)
		}
	}
	for _, d := range []string{dir, root} {
		r, err := Check(t.Context(), d, "", nil)
		if err != nil || len(r.Problems) > 0 || r.Kind != ARCKind {
			t.Errorf("check: %+v %v", r, err)
		}
	}
}

func arcTask(name string, train, test int) Task {
	t := Task{Name: name}
	for i := range train + test {
		g := Grid{2, 3, []uint8{uint8(i % 10), 1, 2, 3, 4, 5}}
		if i < train {
			t.Train = append(t.Train, Pair{g, g})
		} else {
			t.Test = append(t.Test, Pair{g, g})
		}
	}
	return t
}

// Where the pairs of evaluated and other tasks go, and under which identifiers.
func TestARCSets(t *testing.T) {
	hidden := arcTask("c", 2, 2)
	hidden.Test[1].Output = Grid{}
	train, test, err := ARCSets(t.Context(), []Task{arcTask("a", 3, 1), arcTask("b", 2, 2), hidden},
		map[string]bool{"b": true}, Build{Augment: 2})
	if err != nil {
		t.Fatal(err)
	}
	puzzles := func(s *Set) (out []string) {
		for p := range s.Puzzles() {
			id, first, end := s.Puzzle(p)
			name, _ := ParseName(s.Name(id))
			out = append(out, fmt.Sprintf("%d:%s x%d", id, name, end-first))
		}
		return out
	}
	want := []string{
		"1:a x4", "2:a x4", "3:a x4", // train and test pairs of a task that is not evaluated
		"4:b x2", "5:b x2", "6:b x2", // demonstrations only
		"7:c x3", "8:c x3", "9:c x3", // without the pair whose output is unknown
	}
	if d := cmp.Diff(want, puzzles(train)); d != "" {
		t.Errorf("train: %s", d)
	}
	if d := cmp.Diff([]string{"4:b x2", "5:b x2", "6:b x2"}, puzzles(test)); d != "" {
		t.Errorf("test: %s", d)
	}
	if train.Groups() != 3 || test.Groups() != 1 || train.Shape() != (Shape{SeqLen: 900, Vocab: 12, Identifiers: 10}) || test.Shape() != train.Shape() {
		t.Errorf("%d and %d groups of %+v and %+v", train.Groups(), test.Groups(), train.Shape(), test.Shape())
	}
	in, label := make([]int32, 900), make([]int32, 900)
	moved := 0
	for p := range train.Puzzles() { // one pair stays at (0, 0), the others go anywhere
		_, first, end := train.Puzzle(p)
		stayed := 0
		for e := first; e < end; e++ {
			if _, err := train.Example(e, in, label); err != nil {
				t.Fatal(err)
			}
			if in[0] != 0 {
				stayed++
			} else {
				moved++
			}
		}
		if stayed == 0 {
			t.Errorf("puzzle %d: every pair was moved", p)
		}
	}
	if moved == 0 {
		t.Error("no pair was moved")
	}
}

func TestBuildDoesNotDependOnWorkers(t *testing.T) {
	var want map[string]string
	for _, workers := range []int{1, 3, 8} {
		dir := filepath.Join(t.TempDir(), "d")
		if err := BuildSudoku(t.Context(), dir, csvSplits(t, "sudoku9-tiny"), Build{Augment: 5, Workers: workers, Compact: true}); err != nil {
			t.Fatal(err)
		}
		got := files(t, dir)
		if want == nil {
			want = got
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%d workers: other files", workers)
		}
	}
	if h := want["train/all__inputs.npy"]; !strings.Contains(h[:128], "'|u1'") {
		t.Errorf("compact inputs: %q", h[:128])
	}
}

func TestBuildChooses(t *testing.T) {
	rows := func(yield func(Row, error) bool) {
		for i := range 1000 {
			if !yield(Row{Rating: i % 10, At: fmt.Sprint(i)}, nil) {
				return
			}
		}
	}
	count := make([]int, 1000)
	for seed := range uint64(200) {
		n, last := 0, -1
		for row, err := range (RowSplit{Name: "train", Rows: rows, MinRating: 5, Limit: 50}).choose(seed) {
			if err != nil {
				t.Fatal(err)
			}
			var i int
			fmt.Sscan(row.At, &i)
			if i <= last || row.Rating < 5 {
				t.Fatalf("seed %d: row %d, rated %d, after row %d", seed, i, row.Rating, last)
			}
			n, last = n+1, i
			count[i]++
		}
		if n != 50 {
			t.Fatalf("seed %d: %d rows, want 50", seed, n)
		}
	}
	for i, n := range count { // binomial, 200 draws of 1/10: mean 20, sd 4.2
		if i%10 >= 5 && (n < 1 || n > 46) {
			t.Errorf("row %d was chosen %d times of 200, want about 20", i, n)
		}
	}
	for _, err := range (RowSplit{Name: "train", Rows: rows, Limit: 1001}).choose(0) {
		if err == nil {
			t.Error("1001 of 1000 rows were chosen")
		}
		break
	}
}

// A build that fails or is interrupted leaves nothing; one that replaces leaves the old one until
// the end.
func TestBuildLeavesNothingHalfWritten(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "d")
	good := func() []RowSplit { return csvSplits(t, "maze9-tiny") }
	bad := func() []RowSplit {
		s := good()
		s[1].Rows = ReadCSV(strings.NewReader("question,answer\nSG##,SG##\n####,####\n"), "bad.csv")
		return s
	}
	entries := func() (names []string) {
		list, err := os.ReadDir(parent)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			names = append(names, e.Name())
		}
		return names
	}
	err := BuildMaze(t.Context(), dir, bad(), Build{})
	const want = `bad.csv: line 2: a puzzle of 4 cells after ones of 81`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if got := entries(); len(got) > 0 {
		t.Errorf("a failed build left %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := BuildMaze(ctx, dir, good(), Build{}); err != context.Canceled {
		t.Errorf("error %v, want canceled", err)
	}
	if got := entries(); len(got) > 0 {
		t.Errorf("an interrupted build left %v", got)
	}
	if err := BuildMaze(t.Context(), dir, good(), Build{}); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	if err := BuildMaze(t.Context(), dir, good(), Build{Augment: 7}); err == nil {
		t.Error("an existing dataset was overwritten")
	}
	if err := BuildMaze(t.Context(), dir, bad(), Build{Replace: true}); err == nil {
		t.Error("bad rows were accepted")
	}
	if d := cmp.Diff(before, files(t, dir)); d != "" {
		t.Error("a failed build changed the dataset it was to replace")
	}
	if err := BuildMaze(t.Context(), dir, good(), Build{Augment: 7, Replace: true}); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(dir, "train"); err != nil || s.Len() != 56 {
		t.Errorf("after replacing: %v", err)
	}
	if got := entries(); !slices.Equal(got, []string{"d"}) {
		t.Errorf("left behind: %v", got)
	}
}

func TestRowsNameTheirFaults(t *testing.T) {
	q := strings.Repeat(".", 81)
	a := "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
	tests := []struct {
		kind, question, answer, want string
	}{
		{"sudoku", q, a, ""},
		{"sudoku", q[1:], a, "f.csv: line 2, column question: 80 characters, want 81 (or 36 or 16)"},
		{"sudoku", "x" + q[1:], a, `f.csv: line 2, column question: character 0 is 'x', want 1 to 9, 0 or '.'`},
		{"sudoku", q, "." + a[1:], `f.csv: line 2, column answer: character 0 is '.', want 1 to 9`},
		{"sudoku", q[:80] + "1", a, `f.csv: line 2, column answer: character 80 is '9', the question gives '1'`},
		{"sudoku", q, a[:80] + "1", `f.csv: line 2, column answer: cell 80: 1 is twice in row 8`},
		{"maze", "S G  #   ", "SoG  #   ", ""},
		{"maze", "S G  #  ", "SoG  #  ", "f.csv: line 2, column question: 8 characters, want a square number"},
		{"maze", "S G  #  x", "SoG  #  x", `f.csv: line 2, column question: character 8 is 'x', want one of "# SG"`},
		{"maze", "S G  #   ", "S G  #   ", "f.csv: line 2, column answer: the 0 marked cells do not lead from the start, cell 0, to the goal, cell 2"},
		{"maze", "S G  #   ", "SoG  #  o", "f.csv: line 2, column answer: 2 cells are marked, but the way along them enters only 1"},
		{"maze", "S G  #   ", "SoG  o   ", "f.csv: line 2, column answer: cell 5: label 5 on input 1, want the same or a path mark on an open cell"},
		{"maze", "S#G###   ", "S#G###   ", "f.csv: line 2, column answer: no way from start to goal"},
		{"maze", "S  S#G   ", "S  S#G   ", "f.csv: line 2, column answer: cell 3: a second 'S', the first is cell 0"},
	}
	for _, tt := range tests {
		for row, err := range ReadCSV(strings.NewReader(fmt.Sprintf("answer,question\n%s,%s\n", tt.answer, tt.question)), "f.csv") {
			if err != nil {
				t.Fatal(err)
			}
			if tt.kind == "sudoku" {
				_, _, err = row.Sudoku()
			} else {
				_, _, err = row.Maze()
			}
			if got := fmt.Sprint(err); got != tt.want && !(tt.want == "" && err == nil) {
				t.Errorf("%s %q %q: %v, want %s", tt.kind, tt.question, tt.answer, err, tt.want)
			}
		}
	}
}

// A disk that fills up ends the build with one error and leaves nothing.
func TestBuildOnAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	w, err := Create(filepath.Join(t.TempDir(), "d"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	s, err := w.Split("train", arcMeta(), false)
	if err != nil {
		t.Fatal(err)
	}
	s.inputs.w.Reset(full)
	row := make([]int32, 900)
	n := 0
	for ; s.failed() == nil && n < 1000; n++ {
		s.Example(row, row)
	}
	if n == 1000 {
		t.Error("a full disk was not noticed")
	}
	err = w.Commit(nil)
	if err == nil || strings.Count(err.Error(), "no space left") != 1 {
		t.Errorf("error %v, want no space left, once", err)
	}
}
