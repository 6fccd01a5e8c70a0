package models

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	_ "github.com/ponder-agents/ponder/agent/task/families" // the families that the models answer
)

// Names returns the sorted names of the shipped models.
func Names() []string { return names(files) }

func names(fsys fs.FS) []string {
	configs, _ := fs.Glob(fsys, "*/"+checkpoint.ConfigFile) // the pattern is well-formed
	for i, c := range configs {
		configs[i] = strings.TrimSuffix(c, "/"+checkpoint.ConfigFile)
	}
	slices.Sort(configs)
	return configs
}

// Open returns the folder of a shipped model, for checkpoint.ReadFS. The error of an unknown name is
// fs.ErrNotExist and says which there are.
func Open(name string) (fs.FS, error) { return open(files, name) }

func open(fsys fs.FS, name string) (fs.FS, error) {
	all := names(fsys)
	switch {
	case slices.Contains(all, name):
		return fs.Sub(fsys, name)
	case len(all) == 0:
		return nil, fmt.Errorf("no model %q is shipped with this build, nor any other: %w", name, fs.ErrNotExist)
	}
	return nil, fmt.Errorf("no model %q, but %s: %w", name, strings.Join(all, ", "), fs.ErrNotExist)
}

// Card reads the model card of a shipped model.
func Card(name string) (checkpoint.Card, error) {
	fsys, err := Open(name)
	if err != nil {
		return checkpoint.Card{}, err
	}
	return card(fsys, name)
}

func card(fsys fs.FS, name string) (checkpoint.Card, error) {
	b, err := fs.ReadFile(fsys, checkpoint.CardFile)
	if err != nil {
		return checkpoint.Card{}, fmt.Errorf("model %s: %w", name, err)
	}
	c, err := checkpoint.ParseCard(string(b))
	if err != nil {
		return checkpoint.Card{}, fmt.Errorf("model %s: %w", name, err)
	}
	return c, nil
}
