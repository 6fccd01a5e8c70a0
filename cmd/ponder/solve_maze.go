package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/spf13/cobra"
)

func newSolveMazeCmd() *cobra.Command {
	var f solveFlags
	cmd := &cobra.Command{
		Use:   "maze [FILE|-]",
		Short: "Walk through one maze in text form (#, space, S, G)",
		Example: `  ponder solve maze maze.txt
  ponder env show maze --seed 3 --text | ponder solve maze -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			path := "-"
			if len(args) == 1 {
				path = args[0]
			}
			name, text, err := readText(cmd, path)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			mz, err := maze.Parse(text)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			m, cfg, err := f.open()
			if err != nil {
				return err
			}
			defer m.Close()
			sol, err := exam.SolveMaze(cmd.Context(), m, mz, cfg, f.recorder())
			if err := f.done(err); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			err = f.print(out, sol, func() error {
				verdict := "reached the goal by a shortest path"
				switch {
				case !sol.Solved:
					verdict = "did not reach the goal"
				case !sol.Optimal:
					verdict = fmt.Sprintf("reached the goal, %d moves more than needed", sol.Moves-sol.Shortest)
				}
				_, err := fmt.Fprintf(out, "%s\n%s: %d moves, %.1f segments of thought a move\n", strings.TrimRight(sol.Maze, "\n"), verdict, sol.Moves, sol.MeanSegments)
				return err
			})
			if err == nil && !sol.Solved {
				err = cli.WithCode(cli.ExitUnsolved, errors.New("the agent did not reach the goal"))
			}
			return err
		},
	}
	f.add(cmd, "maze", "nothing that a maze needs")
	hide(cmd, "votes", "batch", "seed")
	return cmd
}
