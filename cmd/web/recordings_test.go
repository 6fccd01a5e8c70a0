//go:build !js

package main

import (
	"path/filepath"
	"testing"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/trace"
)

// TestRecordings: those of the gallery are what it says, whole, of shipped models, and all that lie there.
func TestRecordings(t *testing.T) {
	for _, show := range open.Recordings() {
		f, err := trace.Open(filepath.Join("recordings", show.Recording))
		if err != nil {
			t.Errorf("%s: %v", show.Title, err)
			continue
		}
		defer f.Close()
		first, end := f.Range()
		h := f.Header()
		if h.EnvID != show.Choice.Env || h.Model != show.Choice.Model || f.Damage() != nil || first == end || show.About == "" {
			t.Errorf("%s: %s by %s, steps %d to %d, %v", show.Title, h.EnvID, h.Model, first, end, f.Damage())
		}
	}
	files, err := filepath.Glob("recordings/*")
	if err != nil || len(files) != len(open.Recordings()) {
		t.Errorf("files %q, %v", files, err)
	}
}
