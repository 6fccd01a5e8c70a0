package host

import (
	"errors"
	"fmt"

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
			m, cfg, err := f.Open()
			if err != nil {
				return err
			}
			defer m.Close()
			end := watch(cmd, &cfg, "decisions", 0)
			sol, err := exam.SolveMaze(cmd.Context(), m, mz, cfg, f.recorder())
			end()
			if err := f.done(err); err != nil {
				return err
			}
			err = f.Report(cmd.OutOrStdout(), sol)
			if err == nil && !sol.Solved {
				text := "the agent did not reach the goal"
				if sol.Learned > 0 && max(mz.Rows, mz.Cols) > sol.Learned {
					text = fmt.Sprintf("%s: the maze is %dx%d, model %s learned from %dx%d; --model maze-path marks ways in up to 30x30", text, mz.Rows, mz.Cols, m.Name, sol.Learned, sol.Learned)
				}
				err = cli.WithCode(cli.ExitUnsolved, errors.New(text))
			}
			return err
		},
	}
	f.add(cmd, "maze", "nothing that a maze needs")
	cli.Unused(cmd.Flags(), "votes", "batch", "seed", "sure")
	return cmd
}
