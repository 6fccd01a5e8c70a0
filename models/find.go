package models

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/checkpoint"
)

// ErrNone is what Find's error is where neither a model nor a folder has the name.
var ErrNone = errors.New("neither a folder nor one of the shipped models")

// Find opens a shipped model by its name, a checkpoint folder, or the newest checkpoint of a run.
func Find(name string) (*checkpoint.Checkpoint, error) {
	if slices.Contains(Names(), name) {
		dir, err := Open(name)
		if err != nil {
			return nil, err
		}
		return checkpoint.ReadFS(dir)
	}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("model %q: %w %q", name, ErrNone, Names())
	}
	return checkpoint.Find(name)
}

// For is the name of the model shipped for an environment, "" for none: that of its id, or else of its
// family.
func For(envID string) string {
	for _, name := range Names() {
		if c, err := Card(name); err == nil && c.Env == envID {
			return name
		}
	}
	name, _, _ := strings.Cut(envID, "/")
	if !slices.Contains(Names(), name) {
		return ""
	}
	return name
}
