// Package mazes is the family of mazes (env/maze) as rows to learn from. Importing it registers the family with
// package task.
package mazes

import (
	"embed"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// The tasks of networks for mazes.
const (
	DirectionsTask = "maze-directions" // see Directions
	PathTask       = "maze-path"       // see Path
	RouteTask      = "maze-route"      // see Route
)

//go:embed recipes/*.toml
var recipes embed.FS

func init() {
	f := task.Family{Name: "maze", Kind: &kind, Dataset: PathTask, Draw: board, Text: text, Level: level, Recipes: recipes}
	for _, t := range []struct {
		task.Task
		usage string
		open  func(maze.Config, uint64) (puzzle.Source, error)
	}{
		{
			task.Task{Name: DirectionsTask, Sets: true, Judges: map[string]func(int) task.Judge{"path": follows}},
			"maze-directions:N   NxN mazes, the optimal directions of every cell", Directions,
		},
		{
			task.Task{Name: PathTask, Published: puzzle.Shape{SeqLen: 900, Vocab: Vocab}},
			`maze-path:N         NxN mazes, the way marked
maze-path:N-MIN     with ways of at least MIN moves; for the others too
maze-path:hard      30x30, more than 110 moves, as Maze-Hard`, Path,
		},
		{
			task.Task{Name: RouteTask, Sets: true, Judges: map[string]func(int) task.Judge{"path": follows}},
			"maze-route:N        as maze-path, but the optimal directions of every cell: the way is what one walks by them", Route,
		},
	} {
		t.Asked = func(token int32) bool { return token == int32(maze.TokenOpen) || token == int32(maze.TokenStart) }
		if t.Name != DirectionsTask {
			t.Check = func(in, pred []int32, cols int) (float64, bool) { return wayLength(t.Name, in, pred, cols) }
			t.Rules = func(cols int) task.Rules { return rules(t.Name, cols) }
		}
		t.Reader = func(spec env.Spec) (task.Reader, error) { return newReader(t.Name, spec) }
		f.Tasks = append(f.Tasks, t.Task)
		f.Data = append(f.Data, task.Data{Kind: t.Name, Task: t.Name, Usage: t.usage, Open: func(arg string, seed uint64, heldOut bool) (task.Rows, error) {
			cfg, err := config(arg)
			if err != nil {
				return task.Rows{}, err
			}
			cfg.Split = maze.Train
			if heldOut {
				cfg.Split = maze.Test
			}
			src, err := t.open(cfg, seed)
			if err != nil {
				return task.Rows{}, &task.NameError{Err: err}
			}
			n := cfg.Rows - 2
			if t.Name != DirectionsTask && cfg.Rows%2 == 0 { // see PathCrop
				n = cfg.Rows
			}
			return task.Rows{Source: src, Rows: n, Cols: n}, nil
		}})
	}
	task.Register(f)
}

// config reads N, N-MIN or hard.
func config(arg string) (maze.Config, error) {
	if arg == "hard" {
		return maze.Hard(), nil
	}
	size, least, long := strings.Cut(arg, "-")
	n, err := strconv.Atoi(size)
	if err != nil || n < 5 || n > maze.MaxSide {
		return maze.Config{}, task.NameErrorf("size %q, want a number from 5 to %d, N-MIN for ways of at least MIN moves, or hard", arg, maze.MaxSide)
	}
	cfg := maze.Recipe(n)
	if long {
		if cfg.MinPath, err = strconv.Atoi(least); err != nil || cfg.MinPath < 1 {
			return cfg, task.NameErrorf("least way %q, want a number of moves", least)
		}
	}
	return cfg, nil
}

// follows is the judge "path", see followed.
func follows(cols int) task.Judge {
	return func(in, label, pred []int32) bool { return followed(in, label, pred, cols) }
}

// wayLength is the check of tasks that mark a way: whether the marks on tokens in are one way from start to goal and nothing else, and
// minus its cells, so that of two ways the shorter one is worth more.
func wayLength(name string, in, pred []int32, cols int) (worth float64, ok bool) {
	m := &maze.Maze{Rows: len(in) / cols, Cols: cols, Wall: make([]bool, len(in)), Start: slices.Index(in, int32(maze.TokenStart)), Goal: slices.Index(in, int32(maze.TokenGoal))}
	if m.Start < 0 || m.Goal < 0 {
		return 0, false
	}
	marked := make([]bool, len(in))
	tokens := slices.Clone(pred)
	Marked(name, in, tokens, cols)
	for i, t := range in {
		m.Wall[i] = t == int32(maze.TokenWall)
		marked[i] = t == int32(maze.TokenOpen) && tokens[i] == int32(maze.TokenPath)
	}
	way := m.AppendMarked(nil, marked)
	return -float64(len(way)), len(way) > 0
}

// followed reports whether an agent that starts at the start and moves by pred reaches the goal by a
// shortest way, that is, if every direction on its way is one of the labelled ones.
func followed(in, label, pred []int32, cols int) bool {
	at := slices.Index(in, int32(maze.TokenStart))
	for range in {
		switch {
		case at < 0 || label[at] == puzzle.Ignore:
			return at >= 0 && in[at] == int32(maze.TokenGoal)
		case label[at]>>pred[at]&1 == 0:
			return false
		}
		at = next(at, int(pred[at]), len(in), cols)
	}
	return false
}
