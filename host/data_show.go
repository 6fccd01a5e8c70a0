package host

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/task/puzzles"
	"github.com/ponder-agents/ponder/agent/task/show"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/viz"
)

func newDataShowCmd() *cobra.Command {
	var split, name, kind, png, colour string
	var index, count, tile int
	var answer bool
	cmd := &cobra.Command{
		Use:   "show PATH",
		Short: "Draw puzzles of a dataset, CSV or task file in the terminal or as PNG",
		Long: `Draws puzzles and their answers. PATH is a dataset, a CSV of sudokus or mazes, an ARC task or a folder
of tasks. --png FILE makes a picture instead of text.`,
		Example: `  ponder data show data/sudoku-1k --split test --index 7
  ponder data show data/arc-1 --split train --name 00d62c1b --count 3 --png task.png`,
		Args: cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := puzzles.Query{Split: split, Name: name, Plain: kind == anyKind, Index: index, Count: count}
			if kind != "" && kind != anyKind {
				var err error
				if q.Family, err = task.Kind(kind); err != nil {
					return cli.Usagef("--kind: %v, or any", err)
				}
			}
			if index < 0 || count < 1 || tile < 1 || tile > 200 {
				return cli.Usagef("--index %d, --count %d, --tile %d: want at least 0, 1, and 1 to 200", index, count, tile)
			}
			list, err := puzzles.Load(args[0], q)
			if err != nil {
				return err
			}
			if !answer {
				for i := range list {
					list[i].Label = nil
				}
			}
			if png != "" {
				img, err := show.Paint(list, tile)
				if errors.Is(err, show.ErrLarge) {
					return cli.Usagef("%v: lower --tile or --count", err)
				}
				if err != nil {
					return err
				}
				return viz.SavePNG(png, img)
			}
			ansi := colour == "always"
			switch colour {
			case "auto":
				ansi = cli.InColour(cmd.OutOrStdout())
			case "always", "never":
			default:
				return cli.Usagef("--color %s: want auto, always or never", colour)
			}
			for i, p := range list {
				if i > 0 {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				fmt.Fprintln(cmd.OutOrStdout(), p.Title)
				io.WriteString(output.Raw(cmd.OutOrStdout()), show.Text(&p, ansi))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&split, "split", "", "split of a dataset (default test, or train if there is no other)")
	f.StringVar(&name, "name", "", "show puzzles of this identifier's or task's name only, for example an ARC task")
	f.IntVar(&index, "index", 0, "number of the first puzzle, from 0 on")
	f.IntVar(&count, "count", 1, "how many")
	f.BoolVar(&answer, "answer", true, "draw the answers too")
	f.StringVar(&kind, "kind", "", "what the rows are: sudoku, maze, arc or any (default: what they look like)")
	f.StringVar(&png, "png", "", "write a picture to this file")
	cli.Writes(f, "png", cli.File)
	cli.ReadsFolders(cmd)
	f.IntVar(&tile, "tile", 24, "pixels of a cell in the picture")
	f.StringVar(&colour, "color", "auto", "colours in the terminal: auto, always or never")
	return cmd
}
