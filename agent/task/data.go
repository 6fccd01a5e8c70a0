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
//	sudoku:hard         9×9, minimal, of sudoku.Walk: ever harder neighbours of random ones
//	sudoku6:LO-HI       6×6
//	sudoku-csv:FILE     puzzles of a CSV, each time with another symmetry; every tenth row is held out
//	sudoku-csv:A,B      those of A; those of B, none of them in A, are held out
//	dataset:DIR         a dataset in the reference's format, as it is; its split test is held out
//	arc:SIDE:COPIES:DIR ARC tasks of grids up to SIDE with so many augmented copies; the tests are held out
//	mix:A|B             rows of A and of B, half and half; mix:2*A|3*B two of A for three of B
//	reveal:N:A          rows of A, half of them with up to N of their answers given; as they are for evaluation
//
// Mazes are of the wall layouts that are held out for evaluation if heldOut is set, else of the others.
func Open(name string, seed uint64, heldOut bool) (src puzzle.Source, rows, cols int, err error) {
	kind, arg, _ := strings.Cut(name, ":")
	switch kind {
	case MazeDirectionsTask, MazePathTask, MazeWayTask:
		src, rows, cols, err = openMaze(kind, arg, seed, heldOut)
	case "sudoku":
		src, rows, cols, err = openSudoku(9, arg, seed)
	case "sudoku6":
		src, rows, cols, err = openSudoku(6, arg, seed)
	case "sudoku-csv":
		src, rows, cols, err = openSudokuCSV(arg, seed, heldOut)
	case "dataset":
		src, rows, cols, err = openDataset(arg, seed, heldOut)
	case "arc":
		src, rows, cols, err = openARC(arg, seed, heldOut)
	case "mix":
		src, rows, cols, err = openMix(arg, seed, heldOut)
	case "reveal":
		src, rows, cols, err = openReveal(arg, seed, heldOut)
	default:
		err = nameErrorf("unknown kind, want maze-directions, maze-path, maze-way, sudoku, sudoku6, sudoku-csv, dataset, arc, mix or reveal")
	}
	if err != nil {
		return nil, 0, 0, fmt.Errorf("data %q: %w", name, err)
	}
	return src, rows, cols, nil
}

// A NameError is what is wrong with a data name itself, not with what it names.
type NameError struct{ err error }

func (e *NameError) Error() string { return e.err.Error() }
func (e *NameError) Unwrap() error { return e.err }

func nameErrorf(format string, args ...any) error {
	return &NameError{fmt.Errorf(format, args...)}
}

func openMaze(task, arg string, seed uint64, heldOut bool) (puzzle.Source, int, int, error) {
	cfg, err := mazeConfig(arg)
	if err != nil {
		return nil, 0, 0, err
	}
	cfg.Split = maze.Train
	if heldOut {
		cfg.Split = maze.Test
	}
	open := map[string]func(maze.Config, uint64) (puzzle.Source, error){
		MazeDirectionsTask: MazeDirections, MazePathTask: MazePath, MazeWayTask: MazeWay,
	}[task]
	src, err := open(cfg, seed)
	if err != nil {
		return nil, 0, 0, &NameError{err}
	}
	n := cfg.Rows - 2
	if task != MazeDirectionsTask && cfg.Rows%2 == 0 { // see PathCrop
		n = cfg.Rows
	}
	return src, n, n, nil
}

func openSudoku(side int, arg string, seed uint64) (puzzle.Source, int, int, error) {
	cfg := sudoku.Config{Side: side}
	switch arg {
	case "minimal":
	case "hard":
		src, err := HardSudokus(side, seed)
		return src, side, side, err
	default:
		if _, err := fmt.Sscanf(arg, "%d-%d", &cfg.MinGivens, &cfg.MaxGivens); err != nil {
			return nil, 0, 0, nameErrorf("givens %q, want LO-HI, minimal or hard", arg)
		}
	}
	src, err := Sudokus(cfg, seed)
	if err != nil {
		return nil, 0, 0, &NameError{err}
	}
	return src, side, side, nil
}

// Of is the task that a data name's rows of shape s are for, "" where that cannot be told.
func Of(name string, s puzzle.Shape) string {
	kind, arg, _ := strings.Cut(name, ":")
	switch kind {
	case "sudoku", "sudoku6", "sudoku-csv":
		return SudokuTask
	case "mix":
		first, _, _ := strings.Cut(arg, "|")
		_, first = weighted(first)
		return Of(first, s)
	case "reveal":
		_, rest, _ := strings.Cut(arg, ":")
		return Of(rest, s)
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
		return maze.Config{}, nameErrorf("size %q, want a number from 5 to %d, N-MIN for ways of at least MIN moves, or hard", arg, maze.MaxSide)
	}
	cfg := maze.Recipe(n)
	if long {
		if cfg.MinPath, err = strconv.Atoi(least); err != nil || cfg.MinPath < 1 {
			return cfg, nameErrorf("least way %q, want a number of moves", least)
		}
	}
	return cfg, nil
}
