package task

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// Open makes the training rows that a recipe's stage names, and the shape of their grid:
//
//	maze-directions:N   N×N mazes, the optimal directions of every cell
//	maze-path:N         N×N mazes, the way marked
//	maze-path:hard      30×30, more than 110 moves
//
// Mazes are of the wall layouts that are held out for evaluation if heldOut is set, else of the others.
func Open(name string, seed uint64, heldOut bool) (src puzzle.Source, rows, cols int, err error) {
	kind, arg, _ := strings.Cut(name, ":")
	switch kind {
	case "maze-directions", "maze-path":
		cfg, err := mazeConfig(arg)
		if err != nil {
			return nil, 0, 0, fmt.Errorf("data %q: %w", name, err)
		}
		cfg.Split = maze.Train
		if heldOut {
			cfg.Split = maze.Test
		}
		if kind == "maze-path" {
			src, err = MazePath(cfg, seed)
		} else {
			src, err = MazeDirections(cfg, seed)
		}
		if err != nil {
			return nil, 0, 0, fmt.Errorf("data %q: %w", name, err)
		}
		n := cfg.Rows - 2
		if cfg.Rows%2 == 0 {
			n = cfg.Rows
		}
		return src, n, n, nil
	}
	return nil, 0, 0, fmt.Errorf("data %q: unknown kind, want maze-directions or maze-path", name)
}

func mazeConfig(arg string) (maze.Config, error) {
	if arg == "hard" {
		return maze.Hard(), nil
	}
	n, err := strconv.Atoi(arg)
	if err != nil || n < 5 || n > maze.MaxSide || n%2 == 0 {
		return maze.Config{}, fmt.Errorf("size %q, want an odd number from 5 to %d, or hard", arg, maze.MaxSide)
	}
	return maze.Recipe(n), nil
}
