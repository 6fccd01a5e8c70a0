package arc

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/ponder-agents/ponder/env"
)

func init() {
	for i, u := range rules {
		e := env.Entry{
			ID:     "arc/" + u.name + "-v0",
			Family: "arc",
			About:  u.about,
			Options: []env.Option{
				{Name: "size", Default: "5", About: "most rows and columns of an input, 3 to 30"},
				{Name: "dir", Default: "", About: "folder of task files, searched with its subfolders: arc/TASK-v0 is TASK.json there"},
				{Name: "test", Default: "0", About: "which test of a file, from 1; 0 draws one for each episode"},
				{Name: "augment", Default: "false", About: "turn or mirror the task and rename its colours, anew for each episode"},
				{Name: "demos", Default: "0", About: "demonstrations in the observation, up to 16; 0 means all of a file's or 3, -1 none"},
				{Name: "trials", Default: "2", About: "answers that may be submitted"},
				{Name: "reward", Default: "solved", About: "solved (1 for the right answer) or progress (half for that, half for partial credit)"},
				{Name: "move_cost", Default: "0", About: "taken from the reward of every step"},
				{Name: "steps", Default: "0", About: "limit of an episode; 0 is 200 and 4 for each cell of the largest output"},
			},
			Open: open,
			Oracles: []env.OracleEntry{
				{Name: "plan", About: "draws the answer, which it knows", Open: func(e env.Env) (env.Oracle, error) {
					w, ok := e.(*World)
					if !ok {
						return nil, fmt.Errorf("arc: no oracle for %T", e)
					}
					return NewPlan(w), nil
				}},
			},
		}
		if i == 0 { // it stands for the files' tasks too
			e.Aliases = []string{"arc"}
			e.Form = "arc/TASK-v0"
			e.Paint, e.OpenLevel = PaintBoard, openLevel
			e.Match = func(id string) bool { _, ok := taskName(id); return ok }
		}
		env.Register(e)
	}
}

func open(id string, o *env.Options) (env.Env, error) {
	cfg := WorldConfig{
		Size:     o.Int("size", 3, MaxSide),
		Augment:  o.Bool("augment"),
		Demos:    o.Int("demos", -1, maxDemos),
		Trials:   o.Int("trials", 1, 9),
		Reward:   Reward(o.Choice("reward", "solved", "progress")),
		MoveCost: o.Float("move_cost", 0, 1e6),
		MaxSteps: o.Int("steps", 0, 1<<30),
		Test:     o.Int("test", 0, 1000),
	}
	if err := o.Err(); err != nil {
		return nil, err
	}
	name, _ := taskName(id)
	if dir := o.String("dir"); dir != "" {
		path, err := find(dir, name)
		if err != nil {
			return nil, err
		}
		if cfg.Task, err = Load(path); err != nil {
			return nil, err
		}
	} else if cfg.Rule = name; ruleOf(name) == nil {
		return nil, fmt.Errorf("give the folder of the task's file by dir=FOLDER; without one there are arc/%s-v0",
			strings.Join(Rules(), "-v0, arc/"))
	}
	w, err := NewWorld(id, cfg)
	if err != nil {
		return nil, err // not a nil *World in an Env
	}
	return w, nil
}

// taskName reads arc/TASK-v0.
func taskName(id string) (string, bool) {
	name, ok := strings.CutPrefix(id, "arc/")
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, "-v0")
	return name, ok && name != "" && !strings.ContainsAny(name, `/\. `)
}

// find is the path of NAME.json in dir or a folder within, the first in order.
func find(dir, name string) (string, error) {
	var found string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() && d.Name() == name+".json" {
			found = path
			return fs.SkipAll
		}
		return nil
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("option dir=%s: %w", dir, err)
	case found == "":
		return "", fmt.Errorf("option dir=%s: no %s.json in it", dir, name)
	}
	return found, nil
}
