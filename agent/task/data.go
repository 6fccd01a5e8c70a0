package task

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// Open makes the training rows that a recipe's stage names, and the shape of their grid:
//
//	maze-directions:N   N×N mazes, the optimal directions of every cell
//	maze-path:N         N×N mazes, the way marked
//	maze-way:N          the same, and the optimal directions of all other cells to learn from
//	maze-path:N-MIN     with ways of at least MIN moves; for the others too
//	maze-path:hard      30×30, more than 110 moves, as Maze-Hard
//	sudoku:LO-HI        9×9 with so many givens; sudoku:minimal has as few as unique solutions need
//	sudoku6:LO-HI       6×6
//	sudoku-csv:FILE     puzzles of a CSV, each time with another symmetry; every tenth row is held out
//	sudoku-csv:A,B      those of A; those of B are held out
//	dataset:DIR         a dataset in the reference's format, as it is; its split test is held out
//	arc:SIDE:COPIES:DIR ARC tasks of grids up to SIDE with so many augmented copies; the tests are held out
//	mix:A|B             rows of A and of B, half and half
//
// Mazes are of the wall layouts that are held out for evaluation if heldOut is set, else of the others.
func Open(name string, seed uint64, heldOut bool) (src puzzle.Source, rows, cols int, err error) {
	kind, arg, _ := strings.Cut(name, ":")
	switch kind {
	case MazeDirectionsTask, MazePathTask, MazeWayTask:
		cfg, err := mazeConfig(arg)
		if err != nil {
			return nil, 0, 0, fmt.Errorf("data %q: %w", name, err)
		}
		cfg.Split = maze.Train
		if heldOut {
			cfg.Split = maze.Test
		}
		open := map[string]func(maze.Config, uint64) (puzzle.Source, error){
			MazeDirectionsTask: MazeDirections, MazePathTask: MazePath, MazeWayTask: MazeWay,
		}[kind]
		if src, err = open(cfg, seed); err != nil {
			return nil, 0, 0, fmt.Errorf("data %q: %w", name, err)
		}
		n := cfg.Rows - 2
		if kind != MazeDirectionsTask && cfg.Rows%2 == 0 { // see PathCrop
			n = cfg.Rows
		}
		return src, n, n, nil
	case "dataset", "sudoku-csv", "arc", "mix":
		open := map[string]func(string, uint64, bool) (puzzle.Source, int, int, error){
			"dataset": openDataset, "sudoku-csv": openSudokuCSV, "arc": openARC, "mix": openMix,
		}[kind]
		if src, rows, cols, err = open(arg, seed, heldOut); err != nil {
			return nil, 0, 0, fmt.Errorf("data %q: %w", name, err)
		}
		return src, rows, cols, nil
	case "sudoku", "sudoku6":
		cfg := sudoku.Config{Side: 9}
		if kind == "sudoku6" {
			cfg.Side = 6
		}
		if arg != "minimal" {
			if _, err := fmt.Sscanf(arg, "%d-%d", &cfg.MinGivens, &cfg.MaxGivens); err != nil {
				return nil, 0, 0, fmt.Errorf("data %q: givens %q, want LO-HI or minimal", name, arg)
			}
		}
		if src, err = Sudokus(cfg, seed); err != nil {
			return nil, 0, 0, fmt.Errorf("data %q: %w", name, err)
		}
		return src, cfg.Side, cfg.Side, nil
	}
	return nil, 0, 0, fmt.Errorf("data %q: unknown kind, want maze-directions, maze-path, maze-way, sudoku, sudoku6, sudoku-csv, dataset, arc or mix", name)
}

// Of is the task that a data name's rows of shape s are for, "" where that cannot be told.
func Of(name string, s puzzle.Shape) string {
	kind, arg, _ := strings.Cut(name, ":")
	switch kind {
	case "sudoku", "sudoku6", "sudoku-csv":
		return SudokuTask
	case "mix":
		first, _, _ := strings.Cut(arg, "|")
		return Of(first, s)
	case "dataset":
		return map[puzzle.Kind]string{puzzle.SudokuKind: SudokuTask, puzzle.MazeKind: MazePathTask, puzzle.ARCKind: ARCTask}[s.Kind()]
	}
	return kind // of mazes and ARC it is the task's name
}

// mazeConfig reads N, N-MIN or hard.
func mazeConfig(arg string) (maze.Config, error) {
	if arg == "hard" {
		return maze.Hard(), nil
	}
	size, least, long := strings.Cut(arg, "-")
	n, err := strconv.Atoi(size)
	if err != nil || n < 5 || n > maze.MaxSide {
		return maze.Config{}, fmt.Errorf("size %q, want a number from 5 to %d, N-MIN for ways of at least MIN moves, or hard", arg, maze.MaxSide)
	}
	cfg := maze.Recipe(n)
	if long {
		if cfg.MinPath, err = strconv.Atoi(least); err != nil || cfg.MinPath < 1 {
			return cfg, fmt.Errorf("least way %q, want a number of moves", least)
		}
	}
	return cfg, nil
}
