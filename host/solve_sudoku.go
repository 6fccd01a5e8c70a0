package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/spf13/cobra"
)

func newSolveSudokuCmd() *cobra.Command {
	var f solveFlags
	cmd := &cobra.Command{
		Use:   "sudoku [PUZZLE|FILE|-]",
		Short: "Solve one sudoku",
		Long: `The puzzle is 81 characters (or 256, 36 or 16), 0 or a dot for an empty cell, A to G for 10 to 16, or a file with these or with a line for every
row, in most of the layouts that are in use; of a file with many puzzles each is solved, one result a line. It must have exactly one solution: that is checked first, by search. The answer is the network's
alone and is checked afterwards; an answer that is wrong is shown as such, with exit code 3, and one that is less
sure than --sure asks not at all. A trace
shows the thought about the puzzle itself, not about its copies.`,
		Example: "  ponder solve sudoku 53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79\n  ponder solve sudoku puzzle.txt --votes 8",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, text, err := readPuzzle(cmd, args)
			if err != nil {
				return err
			}
			list, err := exam.ParseSudokus(text)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			m, cfg, err := f.Open()
			if err != nil {
				return err
			}
			defer m.Close()
			if len(list) > 1 {
				return f.solveMany(cmd, m, list, cfg)
			}
			sol, err := exam.SolveSudoku(cmd.Context(), m, list[0], cfg, f.recorder())
			if err := f.done(err); err != nil {
				return err
			}
			err = f.Report(cmd.OutOrStdout(), sol)
			switch {
			case err != nil:
			case sol.Abstains:
				err = cli.WithCode(cli.ExitUnsolved, fmt.Errorf("the network is %.3f sure of an answer, --sure %.3g: none is given", sol.Confidence, f.Sure))
			case !sol.Valid:
				err = cli.WithCode(cli.ExitUnsolved, errors.New("the network's answer is no solution"))
			}
			return err
		},
	}
	f.add(cmd, "sudoku", "the copies")
	return cmd
}

// solveMany solves the puzzles of a file, one result a line: the answer and whether it is right.
func (f *solveFlags) solveMany(cmd *cobra.Command, m *think.Model, list []exam.Sudoku, cfg exam.Config) error {
	if f.trace != "" {
		return cli.Usagef("--trace holds one puzzle, the file has %d", len(list))
	}
	wrong, none := 0, 0
	out := cmd.OutOrStdout()
	for _, c := range list {
		sol, err := exam.SolveSudoku(cmd.Context(), m, c, cfg, nil)
		if err != nil {
			return err
		}
		switch {
		case sol.Abstains:
			none++
		case !sol.Valid:
			wrong++
		}
		if f.JSON {
			err = json.NewEncoder(out).Encode(sol)
		} else {
			_, err = fmt.Fprintln(out, sol.Line())
		}
		if err != nil {
			return err
		}
	}
	switch {
	case none > 0:
		return cli.WithCode(cli.ExitUnsolved, fmt.Errorf("the network is not so sure of its answers to %d of %d puzzles; of the others %d are no solutions", none, len(list), wrong))
	case wrong > 0:
		return cli.WithCode(cli.ExitUnsolved, fmt.Errorf("the network's answers to %d of %d puzzles are no solutions", wrong, len(list)))
	}
	return nil
}

// readPuzzle is the text of a puzzle given as argument, file or standard input, and what to call it.
func readPuzzle(cmd *cobra.Command, args []string) (name, text string, err error) {
	if len(args) == 0 {
		return readText(cmd, "-")
	}
	name, text, err = readText(cmd, args[0])
	if errors.Is(err, os.ErrNotExist) || err != nil && len(args[0]) > 255 {
		if _, bad := sudoku.Parse(args[0]); bad == nil || len(args[0]) >= 16 {
			return "puzzle", args[0], nil
		}
	}
	return name, text, err
}
