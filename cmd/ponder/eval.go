package main

import (
	"encoding/json"
	"fmt"
	"io"

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

// report prints a result, for people or as JSON.
func (f *askFlags) report(w io.Writer, res interface{ Print(io.Writer) error }) error {
	if f.asJSON {
		return json.NewEncoder(w).Encode(res)
	}
	return res.Print(w)
}

// atLeast fails if a score is below what was asked for.
func atLeast(score, least float64, what string) error {
	if score < least {
		return cli.WithCode(cli.ExitUnsolved, fmt.Errorf("%.4f %s, asked for %.4f", score, what, least))
	}
	return nil
}
