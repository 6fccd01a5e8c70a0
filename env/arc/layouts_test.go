package arc

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLayouts: a folder as people have it: foreign and hidden files, re-arc's lists, strings of digits, numbers
// with a point, a byte order mark, links, also in a circle.
func TestLayouts(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	pair := `{"input": [[1, 2]], "output": [[3]]}`
	for path, content := range map[string]string{
		"plain.json":             `{"train": [` + pair + `], "test": [` + pair + `]}`,
		"bom.json":               "\xef\xbb\xbf" + `{"train": [` + pair + `], "test": [` + pair + `]}`,
		"rearc.json":             `[` + pair + `, ` + pair + `]`,
		"digits.json":            `{"train": [{"input": ["12"], "output": ["3"]}], "test": [` + pair + `]}`,
		"point.json":             `{"train": [{"input": [[1.0, 2.0]], "output": [[3]]}], "test": [` + pair + `]}`,
		"whole.json":             `{"train": [{"input": "1 2", "output": "3\n"}], "test": [` + pair + `]}`,
		"barc.jsonl":             `{"examples": [[[[1, 2]], [[3]]], [[[1, 2]], [[3]]]], "source": "def main"}` + "\n\n" + `{"uid": "named", "examples": [[["12"], ["3"]], {"input": [[4]], "output": [[5]]}]}`,
		"list.json":              `[{"id": "first", "train": [` + pair + `], "test": [` + pair + `]}]`,
		"kit.json":               `{"train": {"t": {"train": [` + pair + `], "test": [` + pair + `]}}, "eval": {"e": {"train": [` + pair + `], "test": [` + pair + `]}}}`,
		"many.json":              `{"m": {"train": [` + pair + `], "test": [` + pair + `]}}`,
		"package.json":           `{"name": "x", "version": 1}`,
		"words.jsonl":            `{"text": "none"}` + "\n",
		"empty.jsonl":            "",
		"number.json":            "12",
		"._plain.json":           "\x00\x05",
		"sample_submission.json": `{"x": [{"attempt_1": [[0]]}]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(other, "linked.json"), []byte(`{"train": [`+pair+`], "test": [`+pair+`]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"more": other, "circle": dir} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	var notes []string
	tasks, folder, err := Read(Reading{Note: func(line string) { notes = append(notes, line) }}, dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, task := range tasks {
		names = append(names, task.Name)
	}
	want := []string{"barc-1", "bom", "digits", "e", "first", "linked", "m", "named", "plain", "point", "rearc", "t", "whole"}
	if !slices.Equal(names, want) {
		t.Fatalf("tasks %q, want %q", names, want)
	}
	if folder["e"] != "evaluation" || folder["t"] != "training" || folder["plain"] != filepath.Base(dir) {
		t.Errorf("folders %v", folder)
	}
	if len(notes) != 1 || !strings.HasSuffix(notes[0], "passed over 6 that hold no tasks: ._plain.json, empty.jsonl, number.json, package.json, …") {
		t.Errorf("notes %q", notes)
	}
	for _, task := range tasks {
		p := task.Train[0]
		if got := string(p.Input.AppendText(nil)) + string(p.Output.AppendText(nil)); got != "12\n3\n" || len(task.Test) != 1 {
			t.Errorf("%s: %q, %d tests", task.Name, got, len(task.Test))
		}
	}
}

// TestSkipBad: bad tasks are named, and left out where that is asked for.
func TestSkipBad(t *testing.T) {
	dir := t.TempDir()
	const good, short = `{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]]}]}`, `{"train": [], "test": [{"input": [[3]]}]}`
	for name, content := range map[string]string{
		"a.json": good, "b.json": `{"train": [{"input": [[10]]`, "c.json": short,
		"d.json": `{"train": [{"input": ["1x"], "output": [[2]]}], "test": [{"input": [[3]]}]}`,
		"e.json": `{"one": ` + good + `, "two": ` + short + `}`, "f.jsonl": good + "\n{\"train\": 1}\n" + good + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := Read(Reading{}, dir)
	if err == nil {
		t.Fatal("bad tasks were read")
	}
	all := strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")
	want := []string{
		"b.json: arc: line 1, column 27: unexpected end of JSON input",
		"c.json: arc: no train pairs",
		`d.json: arc: row 1 of a grid: 'x': want a colour 0 to 9`,
		"e.json: task two: arc: no train pairs",
		"f.jsonl: task 2: arc: line 1, column 11: train: number where it does not belong",
	}
	if got := strings.Split(all, "\n"); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	var notes []string
	tasks, _, err := Read(Reading{SkipBad: true, Note: func(line string) { notes = append(notes, line) }}, dir)
	if err != nil || len(tasks) != 4 || len(notes) != 5 || !strings.HasPrefix(notes[0], "left out: ") {
		t.Errorf("%d tasks, notes %q, %v", len(tasks), notes, err)
	}
}

// FuzzRead: no file of tasks makes the reader panic, and every task found is one.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"train": {"t": {"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": "12"}]}}, "eval": {}}`), false)
	f.Add([]byte(`[{"input": ["1"], "output": [[2.0]]}, {"input": [[1]]}]`), false)
	f.Add([]byte(`{"examples": [[[[1]], [[2]]], [[[1]], [[2]]]], "id": "x"}`), true)
	f.Fuzz(func(t *testing.T, data []byte, lines bool) {
		c := contents{name: "x"}
		if lines {
			c.bad(c.readLines(strings.NewReader(string(data))))
		} else {
			c.bad(c.read(data))
		}
		for _, task := range c.found {
			if len(task.Train) == 0 || len(task.Test) == 0 || task.Train[0].Input.Rows == 0 {
				t.Errorf("%+v", task)
			}
		}
	})
}
