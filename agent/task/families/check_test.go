package families_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// copyFixture is a writable copy of a recorded dataset.
func copyFixture(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(fixtures(t), name))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCheckFindsNothingInTheFixtures(t *testing.T) {
	for name, want := range map[string]puzzle.Report{
		"sudoku9-tiny": {Kind: "sudoku", Splits: []puzzle.SplitReport{{Name: "train", Examples: 42, Puzzles: 42, Groups: 14, Scored: 42 * 81}, {Name: "test", Examples: 6, Puzzles: 6, Groups: 6, Scored: 6 * 81}}},
		"maze9-tiny":   {Kind: "maze", Splits: []puzzle.SplitReport{{Name: "train", Examples: 56, Puzzles: 56, Groups: 7, Scored: 56 * 81}, {Name: "test", Examples: 3, Puzzles: 3, Groups: 3, Scored: 3 * 81}}},
	} {
		want.Dir = filepath.Join(fixtures(t), name)
		want.Problems, want.Notes = []string{}, []string{}
		got, err := puzzle.Check(t.Context(), want.Dir, task.RowKind, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// Every kind of damage is found, with file, field and position.
func TestCheckFindsDamage(t *testing.T) {
	set := func(file string, offset int, b ...byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, file)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			copy(data[offset:], b)
			if err := os.WriteFile(path, data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	replace := func(file, old, with string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, file)
			data, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(data), old) {
				t.Fatalf("%s: no %q, %v", file, old, err)
			}
			if err := os.WriteFile(path, []byte(strings.Replace(string(data), old, with, 1)), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	truncate := func(file string, n int64) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, file)
			info, err := os.Stat(path)
			if err == nil {
				err = os.Truncate(path, info.Size()-n)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(file string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, file)); err != nil {
				t.Fatal(err)
			}
		}
	}
	const head = 128
	tests := []struct {
		name, set string
		damage    func(t *testing.T, dir string)
		want      string // in the only problem
	}{
		{
			"cut array", "maze9-tiny", truncate("train/all__labels.npy", 5),
			"train/all__labels.npy: truncated: 4659 bytes, want 4664 for shape [56 81] of |u1",
		},
		{"long array", "maze9-tiny", truncate("test/all__inputs.npy", -3), "test/all__inputs.npy: 3 bytes after the end"},
		{"no array", "maze9-tiny", remove("test/all__group_indices.npy"), "test/all__group_indices.npy: no such file"},
		{"not an array", "maze9-tiny", set("train/all__inputs.npy", 0, 'P', 'K'), `train/all__inputs.npy: no .npy file: it begins with "PKUMPY"`},
		{"floats", "maze9-tiny", set("train/all__inputs.npy", 21, '<', 'f', '1'), "train/all__inputs.npy: .npy header"},
		{
			"input beyond the vocabulary", "maze9-tiny", set("train/all__inputs.npy", head+81*2+4, 6),
			"train/all__inputs.npy: example 2, cell 4: 6, want a token in [0, 6)",
		},
		{
			"label beyond the vocabulary", "sudoku9-tiny", set("train/all__labels.npy", head+(81*5+7)*8, 0, 0, 0, 0, 9),
			"train/all__labels.npy: example 5, cell 7: a value beyond int32, want a token in [0, 11)",
		},
		{"wrong sudoku", "sudoku9-tiny", set("test/all__labels.npy", head+81, 3, 3), // the first cells of example 1
			"test/all__labels.npy: example 1: cell 1: 2 is twice in row 0"},
		{
			"given cell relabelled", "sudoku9-tiny", set("test/all__inputs.npy", head, 4),
			"test/all__labels.npy: example 0: cell 0: the label is 7, but the input gives 4",
		},
		{
			"broken path", "maze9-tiny", set("test/all__labels.npy", head+15, 2),
			"test/all__labels.npy: example 0: the 21 marked cells do not lead from the start",
		},
		{"grid with a hole", "arc-tiny", set("test/all__inputs.npy", head+31, 0), "test/all__labels.npy: example 0: input: cell 31: token 0"},
		{"no end marker", "arc-tiny", set("test/all__labels.npy", head+899, 1), "test/all__labels.npy: example 0: label: cell 899: token 1, want 0"},
		{"offsets fall", "maze9-tiny", set("train/all__puzzle_indices.npy", head+4*3, 1), "train/all__puzzle_indices.npy: element 3: 1 is less than the 2 before it"},
		{"offsets end early", "maze9-tiny", set("train/all__group_indices.npy", head+4*7, 55), "train/all__group_indices.npy: element 7: 55, want 56, the number of puzzles"},
		{"offsets start late", "maze9-tiny", set("train/all__group_indices.npy", head, 1), "train/all__group_indices.npy: element 0: 1, want 0"},
		{"identifier", "arc-tiny", set("test/all__puzzle_identifiers.npy", head+4*2, 16), "test/all__puzzle_identifiers.npy: element 2: 16, want an identifier in [0, 16)"},
		{"empty group", "maze9-tiny", set("test/all__group_indices.npy", head+4, 2), "test: group 1 (group_indices element 2) has no puzzle"},
		{"vocabulary", "maze9-tiny", replace("test/dataset.json", `"vocab_size": 6`, `"vocab_size": 7`), "test/dataset.json: field vocab_size: 7, but 6 in the train split"},
		{"other length", "maze9-tiny", replace("train/dataset.json", `"seq_len": 81`, `"seq_len": 80`), "train/all__labels.npy: shape [56 81], want [examples 80] (seq_len of dataset.json)"},
		{"groups", "maze9-tiny", replace("train/dataset.json", `"total_groups": 7`, `"total_groups": 8`), "train/dataset.json: field total_groups: 8, but group_indices has 7 groups"},
		{"mean", "maze9-tiny", replace("train/dataset.json", `"mean_puzzle_examples": 1.0`, `"mean_puzzle_examples": 2`), "train/dataset.json: field mean_puzzle_examples: 2, but"},
		{"type", "maze9-tiny", replace("train/dataset.json", `"pad_id": 0`, `"pad_id": "0"`), "train/dataset.json: line 1, column 14: json"},
		{"pad", "maze9-tiny", replace("train/dataset.json", `"pad_id": 0`, `"pad_id": 6`), "train/dataset.json: field pad_id: 6, want a token in [0, 6)"},
		{"sets", "maze9-tiny", replace("train/dataset.json", `["all"]`, `["../all"]`), `train/dataset.json: field sets: "../all", want a file name`},
		{"cut json", "maze9-tiny", truncate("train/dataset.json", 9), "train/dataset.json: line 1, column"},
		{"no names", "arc-tiny", remove("identifiers.json"), "identifiers.json: missing"},
		{"few names", "arc-tiny", replace("identifiers.json", `"double02", `, ``), "identifiers.json: 15 names, want 16"},
		{"names twice", "arc-tiny", replace("identifiers.json", `"double02"`, `"mirror01"`), `identifiers.json: entry 6: "mirror01" is entry 1 too`},
		{"blank", "arc-tiny", replace("identifiers.json", `"<blank>"`, `"blank"`), `identifiers.json: entry 0: "blank", want "<blank>"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := copyFixture(t, tt.set)
			tt.damage(t, dir)
			r, err := puzzle.Check(t.Context(), dir, task.RowKind, nil)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.ReplaceAll(strings.Join(r.Problems, "\n"), dir+string(filepath.Separator), "")
			if !strings.Contains(filepath.ToSlash(all), tt.want) {
				t.Errorf("found:\n%s\nwant %s", all, tt.want)
			}
		})
	}
}

func TestCheckCountsRepeatedProblems(t *testing.T) {
	dir := copyFixture(t, "maze9-tiny")
	path := filepath.Join(dir, "train", "all__inputs.npy")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data[128:] {
		data[128+i] = 9
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := puzzle.Check(t.Context(), dir, task.RowKind, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Problems); n != 11 || !strings.HasSuffix(r.Problems[n-1], ": 46 more like these") {
		t.Errorf("%d lines, the last %q", n, r.Problems[n-1])
	}
}

func TestCheckFindsLeaks(t *testing.T) {
	dir := copyFixture(t, "maze9-tiny")
	for _, a := range []string{"inputs", "labels"} {
		train, err := os.ReadFile(filepath.Join(dir, "train", "all__"+a+".npy"))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "test", "all__"+a+".npy")
		test, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copy(test[128+81:128+2*81], train[128+81*10:])
		if err := os.WriteFile(path, test, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	r, err := puzzle.Check(t.Context(), dir, task.RowKind, nil)
	if err != nil || len(r.Problems) > 0 {
		t.Fatalf("%v %v", err, r.Problems)
	}
	if len(r.Notes) != 1 || !strings.HasSuffix(r.Notes[0], "example 10 is test example 1") {
		t.Errorf("notes %v", r.Notes)
	}
}
