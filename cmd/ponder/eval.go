//go:build cgo && !notorch

package main

import "github.com/spf13/cobra"

func newEvalCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Measure what a model achieves on puzzles that it has not seen",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newEvalSudokuCmd(), newEvalMazeCmd(), newEvalARCCmd())
	return cmd
}
