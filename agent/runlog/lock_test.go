package runlog

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestLocked: a run is recorded by one at a time, and the other changes nothing of it.
func TestLocked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	l, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	l.Write(1, "train", Int("frames", 1))
	l.Write(2, "train", Int("frames", 2))
	if _, err := Resume(dir, 1); !errors.Is(err, ErrLocked) {
		t.Errorf("resumed beside the one that records: error %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(metricsPath(dir)); err != nil || string(text) != "{\"step\":1,\"kind\":\"train\",\"frames\":1}\n{\"step\":2,\"kind\":\"train\",\"frames\":2}\n" {
		t.Errorf("metrics %q, error %v", text, err)
	}
	for range 2 { // and when the first has ended
		l, err := Resume(dir, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
