// Package sudokus is the family of sudokus (env/sudoku) as rows to learn from. Importing it registers the family
// with package task.
package sudokus

import (
	"embed"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// Task is the task of networks that answer sudokus, and the family's name.
const Task = "sudoku"

//go:embed recipes/*.toml
var recipes embed.FS

func init() {
	task.Register(task.Family{
		Name:    Task,
		Tasks:   []task.Task{{Name: Task, Reader: newReader, Given: true, Boxes: sudoku.Boxes, Asked: func(t int32) bool { return t == blank }, Check: check, Rules: rules, Published: puzzle.Shape{SeqLen: 81, Vocab: Vocab(9)}}},
		Kind:    &kind,
		Dataset: Task,
		Draw:    board,
		Text:    text,
		Level:   level,
		Recipes: recipes,
		Data: []task.Data{
			{Kind: "sudoku", Task: Task, Usage: `sudoku:LO-HI        9x9 with so many givens; sudoku:minimal has as few as unique solutions need
sudoku:hard         9x9, minimal, of sudoku.Walk: ever harder neighbours of random ones`, Open: generated(9)},
			{Kind: "sudoku6", Task: Task, Usage: "sudoku6:LO-HI       6x6", Open: generated(6)},
			{Kind: "sudoku16", Task: Task, Usage: "sudoku16:LO-HI      16x16; sudoku16:dug has as few as short searches can show to be enough", Open: generated(16)},
			{Kind: "sudoku-csv", Task: Task, Usage: `sudoku-csv:FILE     puzzles of a CSV, each time with another symmetry; every tenth row is held out
sudoku-csv:A,B      those of A; those of B, none of them in A, are held out`, Open: openCSV},
			{Kind: "spoilt", Task: Task, Usage: `spoilt:FAULT:A      rows of A without a right answer: none (another digit for a given), guess (a wrong digit in an empty
                    cell) or two (a given gone, two solutions); as they are for evaluation and where they cannot be spoilt`, Open: openSpoilt},
		},
	})
}

// generated opens generated puzzles of boards with side rows: LO-HI givens, minimal or hard; at 16x16, where neither
// comes in a short time, dug.
func generated(side int) func(arg string, seed uint64, heldOut bool) (task.Rows, error) {
	return func(arg string, seed uint64, _ bool) (task.Rows, error) {
		rows := task.Rows{Rows: side, Cols: side}
		var err error
		cfg := sudoku.Config{Side: side}
		words := "minimal or hard"
		if side > 9 {
			words = "or dug"
		}
		switch {
		case arg == "hard" && side <= 9:
			rows.Source, err = Hard(side, seed)
			return rows, err
		case arg == "minimal" && side <= 9, arg == "dug" && side > 9:
		default:
			if cfg.MinGivens, cfg.MaxGivens, err = sudoku.ParseGivens(arg); err != nil {
				return rows, task.NameErrorf("givens %q: %v, %s", arg, err, words)
			}
		}
		if rows.Source, err = Generate(cfg, seed); err != nil {
			return rows, &task.NameError{Err: err}
		}
		return rows, nil
	}
}
