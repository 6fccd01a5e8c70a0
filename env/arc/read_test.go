package arc

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
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
		tasks, folder, err := Read(Reading{}, filepath.Join(dir, path))
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
	check("corpus", `corpus/More/Copy1.json: task "Copy1" is in corpus/Copy/Copy1.json too; name folders that share none (ARC-AGI-2 contains tasks of ARC-AGI-1)`)
	write("corpus/More/Copy1.json", `{"train": 1}`)
	check("corpus", "corpus/More/Copy1.json: arc: line 1, column 11: train: number where it does not belong")
	write("empty/x.txt", "")
	check("empty", "empty: no tasks in .json or .jsonl files")
}

// TestReadBounded: a file that no machine should read whole is refused by name.
func TestReadBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.json")
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<30); err != nil { // a hole
		t.Skip(err)
	}
	if _, _, err := Read(Reading{}, path); err == nil || !strings.Contains(err.Error(), "big.json: more than") {
		t.Errorf("error %v", err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("error %v", err)
	}
}
