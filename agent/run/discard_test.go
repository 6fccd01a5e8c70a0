package run

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDiscard: a run without a checkpoint goes, with what was being written; a folder with anything else stays whole.
func TestDiscard(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	fill := func(names ...string) {
		t.Helper()
		for _, name := range names {
			path := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte("x"), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := Discard(dir); err != nil {
		t.Errorf("no folder: %v", err)
	}
	own := []string{ConfigFile, InfoFile, "metrics.jsonl", "events.out.tfevents.1.host", BatchFile, ".run.json.tmp-12", ".config.toml.tmp-3", "checkpoints/.step-2.tmp-1/model.safetensors"}
	fill(own...)
	if err := Discard(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	for _, other := range []string{
		"thesis.txt", "checkpoints/step-2/model.safetensors", ".notes", ".git/HEAD", ".run.json", "run.json.tmp-1", "checkpoints/.notes", "checkpoints/.step-2.tmp-1/.notes", "checkpoints/.thesis/model.safetensors", ".step-2.tmp-1/model.safetensors",
	} {
		fill(append(own, other)...)
		if err := Discard(dir); err == nil || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%s: error %v", other, err)
		}
		if _, err := os.Stat(filepath.Join(dir, ConfigFile)); err != nil {
			t.Errorf("%s: %v", other, err)
		}
		os.Remove(filepath.Join(dir, other))
	}
}
