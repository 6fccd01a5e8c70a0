// Package arcs is the family of ARC tasks (env/arc) as rows to learn from: grids in frames of tokens, as the
// reference's datasets hold them, augmented copies under identifiers of their own, and votes over the
// answers to the copies. Importing it registers the family with package task.
package arcs

import (
	"embed"
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// Task is the task of networks that answer ARC tasks, and the family's name.
const Task = "arc"

//go:embed recipes/*.toml
var recipes embed.FS

func init() {
	task.Register(task.Family{
		Name:    Task,
		Tasks:   []task.Task{{Name: Task, Published: puzzle.Shape{SeqLen: Side * Side, Vocab: Vocab}}},
		Kind:    &kind,
		Dataset: Task,
		Draw:    board,
		Text:    text,
		Recipes: recipes,
		Data: []task.Data{
			{Kind: "arc", Task: Task, Usage: "arc:SIDE:COPIES:DIR ARC tasks of grids up to SIDE with so many augmented copies; the tests are held out", Open: open},
		},
	})
}

// board is the grid of a frame.
func board(_, tokens []int32) (grid.Board, []int) {
	g, _, _, err := ReadFrame(tokens)
	if err != nil {
		g = Crop(tokens)
	}
	if g.Rows == 0 {
		return grid.Board{}, nil
	}
	return arc.BoardOf(&g), nil
}

// text writes colours as digits or, with ansi, as two coloured blanks each.
func text(b grid.Board, _ []int, ansi bool) (lines []string, width int) {
	width = b.Cols
	if ansi {
		width *= 2
	}
	for row := range slices.Chunk(b.Cells, b.Cols) {
		line := ""
		for _, cell := range row {
			if k := arc.Palette[cell.Color]; ansi {
				line += fmt.Sprintf("\x1b[48;2;%d;%d;%dm  \x1b[0m", k.R, k.G, k.B)
			} else {
				line += string('0' + rune(cell.Color))
			}
		}
		lines = append(lines, line)
	}
	return lines, width
}
