package arc

import (
	"os"
	"path/filepath"
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
	tasks, _, err := Read(dir)
	if err != nil || len(tasks) != 6 {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	for _, task := range tasks {
		p := task.Train[0]
		if got := string(p.Input.AppendText(nil)) + string(p.Output.AppendText(nil)); got != "12\n3\n" || len(task.Test) != 1 {
			t.Errorf("%s: %q, %d tests", task.Name, got, len(task.Test))
		}
	}
}
