//go:build cgo && !notorch

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/spf13/cobra"
)

// sudokuSolution is what solve sudoku prints with --json.
type sudokuSolution struct {
	Solution   string  `json:"solution"` // one line of digits: what the network answers, right or wrong
	Valid      bool    `json:"valid"`    // checked: full, by the rules, all givens kept
	Segments   float64 `json:"segments"` // of thought; with votes the mean
	Confidence float64 `json:"confidence"`
	Votes      int     `json:"votes"`       // copies asked
	InFavour   int     `json:"in_favour"`   // that gave this answer
	WrongCells int     `json:"wrong_cells"` // against the only solution
	Rating     int     `json:"rating"`      // guesses a search needs
}

func newSolveSudokuCmd() *cobra.Command {
	var net netFlags
	var halt haltFlags
	var asJSON bool
	var out string
	var votes int
	var seed uint64
	cmd := &cobra.Command{
		Use:   "sudoku [PUZZLE|FILE|-]",
		Short: "Solve one sudoku",
		Long: `The puzzle is 81 characters, 0 or a dot for an empty cell, or a file with these or with a line for every
row. It must have exactly one solution: that is checked first, by search. The answer is the network's
alone and is checked afterwards; an answer that is wrong is shown as such, with exit code 3.`,
		Example: "  ponder solve sudoku 53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79\n  ponder solve sudoku puzzle.txt --votes 8",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if votes < 1 {
				return usagef("--votes %d: want 1 or more", votes)
			}
			name, text, err := readPuzzle(cmd, args)
			if err != nil {
				return err
			}
			c, err := parseSudoku(text)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			n, err := openSudokuNet(&net, c.cells)
			if err != nil {
				return err
			}
			defer n.Close()
			if err := halt.apply(cmd, n); err != nil {
				return err
			}
			sol, answer, err := solveSudoku(cmd, n, &halt, c, votes, seed, out)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(sol)
			} else {
				verdict := "solved, checked"
				if !sol.Valid {
					verdict = fmt.Sprintf("not solved, %d cells wrong", sol.WrongCells)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s%s: %.4g segments, confidence %.3f", sudoku.AppendText(nil, answer), verdict, sol.Segments, sol.Confidence)
				if votes > 1 {
					fmt.Fprintf(cmd.OutOrStdout(), ", %d of %d votes", sol.InFavour, votes)
				}
				fmt.Fprintln(cmd.OutOrStdout())
			}
			if err == nil && !sol.Valid {
				err = withCode(exitUnsolved, errors.New("the network's answer is no solution"))
			}
			return err
		},
	}
	net.add(cmd.Flags(), "sudoku")
	halt.add(cmd)
	cmd.Flags().IntVar(&votes, "votes", 1, "symmetric copies that vote, the puzzle itself included")
	cmd.Flags().Uint64Var(&seed, "seed", 0, "of the copies")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.Flags().StringVar(&out, "trace", "", "write what was thought about the puzzle itself to this file, for ponder play --trace")
	return cmd
}

// readPuzzle is the text of a puzzle given as argument, file or standard input, and what to call it.
func readPuzzle(cmd *cobra.Command, args []string) (name, text string, err error) {
	if len(args) == 0 || args[0] == "-" {
		data, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxLevel))
		return "standard input", string(data), err
	}
	f, err := os.Open(args[0])
	if errors.Is(err, os.ErrNotExist) || err != nil && len(args[0]) > 255 {
		if _, bad := sudoku.Parse(args[0]); bad == nil || len(args[0]) >= 16 {
			return "puzzle", args[0], nil
		}
	}
	if err != nil {
		return args[0], "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxLevel))
	return args[0], string(data), err
}

// parseSudoku reads a puzzle and finds its only solution.
func parseSudoku(text string) (sudokuCase, error) {
	cells, err := sudoku.Parse(text)
	if err != nil {
		return sudokuCase{}, err
	}
	c := sudokuCase{cells: cells, solution: make([]uint8, len(cells))}
	s, err := sudoku.NewSolver(boardSide(cells))
	if err != nil {
		return c, err
	}
	c.rating, err = s.Check(c.solution, cells)
	return c, err
}

// solveSudoku thinks about c and, for more votes, about copies of it. A trace, if any, shows the first.
func solveSudoku(cmd *cobra.Command, n *learn.Net, halt *haltFlags, c sudokuCase, votes int, seed uint64, out string) (*sudokuSolution, []uint8, error) {
	if out != "" {
		if err := traceSudoku(cmd, n, c, out); err != nil {
			return nil, nil, err
		}
	}
	sol := &sudokuSolution{Votes: votes, Rating: c.rating}
	var answer []uint8
	_, err := voteSudokus(cmd.Context(), n, halt, []sudokuCase{c}, votes, min(votes, 64), seed, func(_ int, b *task.Ballot, _ []uint8, segments int) {
		best, share := b.Best()
		answer = best.Cells
		sol.Confidence, sol.InFavour = math.Round(1e6*share)/1e6, best.Votes
		sol.Segments = float64(segments) / float64(votes)
	})
	if err != nil {
		return nil, nil, err
	}
	sol.Solution, sol.Valid = string(sudoku.AppendLine(nil, answer)), sudoku.Solves(answer, c.cells)
	for i := range answer {
		sol.WrongCells += int(count(answer[i] != c.solution[i]))
	}
	return sol, answer, nil
}

// traceSudoku writes one decision, all segments of thought about the whole puzzle, to a file.
func traceSudoku(cmd *cobra.Command, n *learn.Net, c sudokuCase, out string) (err error) {
	side := boardSide(c.cells)
	w, err := sudoku.NewWorld(fmt.Sprintf("sudoku/%dx%d-v0", side, side), sudoku.WorldConfig{Puzzle: sudoku.Config{Side: side}})
	if err != nil {
		return err
	}
	spec := w.Spec()
	obs := make([]byte, spec.ObsLen)
	w.Seed(0)
	w.Reset(obs)
	if err := w.SetLevel(string(sudoku.AppendText(nil, c.cells))); err != nil {
		return err
	}
	w.Observe(obs)
	mind, err := learn.NewMind(n, spec, learn.PolicyConfig{})
	if err != nil {
		return err
	}
	defer mind.Close()
	file, err := createTrace(out, n, spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	step := trace.Step{Board: w.Board(), Action: -1, Terminated: true}
	mind.Begin(obs)
	for halted := false; !halted; {
		var g trace.Segment
		if err := mind.Think(cmd.Context(), &g); err != nil {
			return err
		}
		step.Thought = append(step.Thought, g)
		halted = g.Halted
	}
	return file.Put(&step)
}
