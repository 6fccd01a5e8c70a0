package puzzle

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseTaskNamesFaults(t *testing.T) {
	tests := []struct{ text, want string }{
		{`{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]]}]}`, ""},
		{`{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]], "output": [[]]}]}`, "test pair 0, output: 0 columns, want 1 to 30"},
		{`{"train": [{"input": [[1, 2], [3]], "output": [[2]]}], "test": [{"input": [[3]]}]}`, "train pair 0, input: row 1 has 1 cells, row 0 has 2"},
		{`{"train": [{"input": [[1]], "output": [[2], [10]]}], "test": [{"input": [[3]]}]}`, "train pair 0, output: row 1, column 0: 10, want a colour from 0 to 9"},
		{`{"train": [{"input": [[1]]}], "test": [{"input": [[3]]}]}`, "train pair 0, output: 0 rows, want 1 to 30"},
		{`{"train": [], "test": [{"input": [[3]]}]}`, `no "train" pairs`},
		{"{\"train\": [],\n \"test\": 3}", "line 2, column 10: json: cannot unmarshal number"},
		{"{\"train\": [\n", "line 2, column 0: unexpected end of JSON input"},
		{`{"train": [{"input": [[1.5]], "output": [[2]]}], "test": []}`, "line 1, column 26: json: cannot unmarshal number 1.5"},
		{`{"train": [{"input": [` + strings.Repeat("[1],", 30) + `[1]], "output": [[2]]}], "test": [{"input": [[3]]}]}`, "train pair 0, input: 31 rows, want 1 to 30"},
	}
	for _, tt := range tests {
		_, err := ParseTask("x", []byte(tt.text))
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%.70s…: %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestReadTasks(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const task = `{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]], "output": [[4]]}]}`
	write("corpus/Above/Above1.json", task)
	write("corpus/Copy/Copy1.json", task)
	write("corpus/README.md", "no task")
	read := func(path string) string {
		tasks, folder, err := ReadTasks(filepath.Join(dir, path))
		if err != nil {
			return strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")
		}
		var out []string
		for _, task := range tasks {
			out = append(out, fmt.Sprintf("%s/%s:%d", folder[task.Name], task.Name, len(task.Test[0].Output.Cells)))
		}
		return strings.Join(out, " ")
	}
	check := func(path, want string) {
		t.Helper()
		if got := read(path); filepath.ToSlash(got) != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	check("corpus", "Above/Above1:1 Copy/Copy1:1")
	check("corpus/Copy/Copy1.json", "Copy/Copy1:1")

	// The files of the contest: tasks by name, answers apart.
	const challenges = `{"b": {"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]]}]}, "a": ` + task + `}`
	write("kaggle/arc-agi_evaluation_challenges.json", challenges)
	check("kaggle", "evaluation/a:1 evaluation/b:0")
	write("kaggle/arc-agi_evaluation_solutions.json", `{"a": [[[5, 6]]], "b": [[[7], [8], [9]]]}`)
	check("kaggle", "evaluation/a:2 evaluation/b:3")
	write("kaggle/arc-agi_evaluation_solutions.json", `{"a": [[[5, 6]]]}`)
	check("kaggle", "kaggle/arc-agi_evaluation_challenges.json: task b: 1 tests, but 0 answers in kaggle/arc-agi_evaluation_solutions.json")

	write("corpus/More/Copy1.json", task)
	check("corpus", `corpus/More/Copy1.json: task "Copy1" is in corpus/Copy/Copy1.json too`)
	write("corpus/More/Copy1.json", `{"train": 1}`)
	check("corpus", "corpus/More/Copy1.json: line 1, column 11: json: cannot unmarshal number into Go struct field rawTask.train of type []puzzle.rawPair")
	write("empty/x.txt", "")
	check("empty", "empty: no .json files of tasks")
}

// Every task of ARC-AGI-1 is read, framed, and its frames hold.
func TestRealTasks(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "arc")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the tasks of ARC-AGI-1 are not beside the checkout (shared/data/arc)")
	}
	tasks, folder, err := ReadTasks(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) != 800 {
		t.Errorf("%d tasks, want 800", len(tasks))
	}
	n := map[string]int{}
	for _, task := range tasks {
		n[folder[task.Name]]++
		FramePairs(rowRand(0, nameHash(task.Name)), slices.Concat(task.Train, task.Test), func(in, label []int32) {
			if err := ARCKind.Verify(in, label); err != nil {
				t.Errorf("%s: %v", task.Name, err)
			}
		})
	}
	if n["training"] != 400 || n["evaluation"] != 400 {
		t.Errorf("tasks by folder: %v", n)
	}
}
