package families_test

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

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/task/mazes"
	"github.com/ponder-agents/ponder/agent/task/sudokus"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/internal/beside"
)

// fixtures is the folder of the recorded datasets; see its README.md.
func fixtures(t testing.TB) string { return beside.Shared(t, "hrm", "dataset") }

// csvSplits are the splits of a fixture's sources.
func csvSplits(t testing.TB, name string) []puzzle.RowSplit {
	t.Helper()
	var splits []puzzle.RowSplit
	for _, split := range []string{"train", "test"} {
		path := filepath.Join(fixtures(t), name, "source", split+".csv")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		splits = append(splits, puzzle.RowSplit{Name: split, Rows: puzzle.ReadCSV(bytes.NewReader(data), path)})
	}
	return splits
}

// Every byte of the original builder's mazes.
func TestBuildMazeAsRecorded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "maze")
	if err := (puzzle.Build{Augment: 7}).Rows(t.Context(), dir, csvSplits(t, "maze9-tiny"), mazes.Form); err != nil {
		t.Fatal(err)
	}
	got, want := beside.Files(t, dir), beside.Files(t, filepath.Join(fixtures(t), "maze9-tiny"))
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
	if err := (puzzle.Build{Augment: 2, Seed: 5}).Rows(t.Context(), dir, csvSplits(t, "sudoku9-tiny"), sudokus.Form); err != nil {
		t.Fatal(err)
	}
	got, want := beside.Files(t, dir), beside.Files(t, filepath.Join(fixtures(t), "sudoku9-tiny"))
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
	r, err := puzzle.Check(t.Context(), dir, task.RowKind, nil)
	if err != nil || len(r.Problems) > 0 || r.Kind != "sudoku" {
		t.Errorf("check: %+v %v", r, err)
	}
}

func TestBuildDoesNotDependOnWorkers(t *testing.T) {
	var want map[string]string
	for _, workers := range []int{1, 3, 8} {
		dir := filepath.Join(t.TempDir(), "d")
		if err := (puzzle.Build{Augment: 5, Workers: workers, Compact: true}).Rows(t.Context(), dir, csvSplits(t, "sudoku9-tiny"), sudokus.Form); err != nil {
			t.Fatal(err)
		}
		got := beside.Files(t, dir)
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

// A build that fails or is interrupted leaves nothing; one that replaces leaves the old one until
// the end.
func TestBuildLeavesNothingHalfWritten(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "d")
	good := func() []puzzle.RowSplit { return csvSplits(t, "maze9-tiny") }
	bad := func() []puzzle.RowSplit {
		s := good()
		s[1].Rows = puzzle.ReadCSV(strings.NewReader("question,answer\nSG##,SG##\n####,####\n"), "bad.csv")
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
	err := puzzle.Build{}.Rows(t.Context(), dir, bad(), mazes.Form)
	const want = `bad.csv: line 2: a puzzle of 4 cells after ones of 81`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if got := entries(); len(got) > 0 {
		t.Errorf("a failed build left %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (puzzle.Build{}).Rows(ctx, dir, good(), mazes.Form); err != context.Canceled {
		t.Errorf("error %v, want canceled", err)
	}
	if got := entries(); len(got) > 0 {
		t.Errorf("an interrupted build left %v", got)
	}
	if err := (puzzle.Build{}).Rows(t.Context(), dir, good(), mazes.Form); err != nil {
		t.Fatal(err)
	}
	before := beside.Files(t, dir)
	if err := (puzzle.Build{Augment: 7}).Rows(t.Context(), dir, good(), mazes.Form); err == nil {
		t.Error("an existing dataset was overwritten")
	}
	if err := (puzzle.Build{Replace: true}).Rows(t.Context(), dir, bad(), mazes.Form); err == nil {
		t.Error("bad rows were accepted")
	}
	if d := cmp.Diff(before, beside.Files(t, dir)); d != "" {
		t.Error("a failed build changed the dataset it was to replace")
	}
	if err := (puzzle.Build{Augment: 7, Replace: true}).Rows(t.Context(), dir, good(), mazes.Form); err != nil {
		t.Fatal(err)
	}
	if s, err := puzzle.Open(dir, "train"); err != nil || s.Len() != 56 {
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
		{"sudoku", q[1:], a, "f.csv: line 2, column question: 80 characters, want 81 (or 256, 36 or 16)"},
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
		for row, err := range puzzle.ReadCSV(strings.NewReader(fmt.Sprintf("answer,question\n%s,%s\n", tt.answer, tt.question)), "f.csv") {
			if err != nil {
				t.Fatal(err)
			}
			if tt.kind == "sudoku" {
				_, _, err = sudokus.Parse(row)
			} else {
				_, _, err = mazes.Parse(row)
			}
			if got := fmt.Sprint(err); got != tt.want && !(tt.want == "" && err == nil) {
				t.Errorf("%s %q %q: %v, want %s", tt.kind, tt.question, tt.answer, err, tt.want)
			}
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("source,question,answer,rating\na,S G ,SoG ,3\n")
	f.Add("question,answer\n" + strings.Repeat(".", 16) + ",1234341221434321\n")
	f.Add("answer,question\n\"x")
	f.Fuzz(func(t *testing.T, text string) {
		for row, err := range puzzle.ReadCSV(strings.NewReader(text), "f.csv") {
			if err != nil {
				if !strings.HasPrefix(err.Error(), "f.csv: ") {
					t.Errorf("error without the file's name: %v", err)
				}
				continue
			}
			for _, f := range task.Families() {
				if f.Kind == nil || f.Kind.Parse == nil {
					continue
				}
				kind := f.Kind
				in, label, err := kind.Parse(row)
				if err != nil {
					continue
				}
				if len(in) != len(row.Question) || len(label) != len(in) {
					t.Errorf("%s %q: %d and %d tokens", kind.Name, row.Question, len(in), len(label))
				}
				if err := kind.Verify(in, label); err != nil && !strings.Contains(err.Error(), "a shortest one") {
					t.Errorf("%s %q %q passes, but not Verify: %v", kind.Name, row.Question, row.Answer, err)
				}
			}
		}
	})
}
