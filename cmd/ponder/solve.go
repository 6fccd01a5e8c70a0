//go:build cgo && !notorch

package main

import "github.com/spf13/cobra"

func newSolveCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "solve",
		Short: "Solve one puzzle and say how long it was thought about",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newSolveSudokuCmd(), newSolveMazeCmd(), newSolveARCCmd())
	return cmd
}
