package host

import (
	"fmt"

	"github.com/ponder-agents/ponder/cli"
	"github.com/spf13/cobra"
)

func newEvalCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Measure what a model achieves on puzzles that it has not seen",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newEvalSudokuCmd(), newEvalMazeCmd(), newEvalARCCmd(), newEvalDataCmd(), newEvalAgentCmd())
	return cmd
}

// atLeast fails if a score is below what was asked for.
func atLeast(score, least float64, what string) error {
	if score < least {
		return cli.WithCode(cli.ExitUnsolved, fmt.Errorf("%.4f %s, asked for %.4f", score, what, least))
	}
	return nil
}
