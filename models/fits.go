package models

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/hrm/arch"
)

// Fits reports why a shipped model cannot act in a world of spec; nil if it can. It reads no weights.
func Fits(name string, spec env.Spec) error {
	dir, err := Open(name)
	if err != nil {
		return err
	}
	b, err := fs.ReadFile(dir, checkpoint.ConfigFile)
	var cfg struct {
		Task  string      `json:"task"`
		Model arch.Config `json:"model"`
		Spec  env.Spec    `json:"spec"` // of the world of one that learned by acting
	}
	if err == nil {
		err = json.Unmarshal(b, &cfg)
	}
	if err != nil {
		return fmt.Errorf("model %s: %w", name, err)
	}
	if cfg.Task == task.PolicyTask {
		_, maps := cfg.Spec.Map()
		_, isMap := spec.Map()
		switch {
		case !slices.Equal(cfg.Spec.Actions, spec.Actions):
			return fmt.Errorf("it learned other actions, in %s", cfg.Spec.ID)
		case maps && isMap && spec.Vocab <= cfg.Spec.Vocab, spec.ObsLen == cfg.Spec.ObsLen && maps == isMap:
			return nil
		}
		return fmt.Errorf("it learned from other observations, in %s", cfg.Spec.ID)
	}
	r, err := task.NewReader(cfg.Task, spec)
	if err != nil {
		return err
	}
	tokens, rows, cols := r.Tokens(nil, make([]byte, spec.ObsLen))
	return cfg.Model.Fits(len(tokens), rows, cols)
}
