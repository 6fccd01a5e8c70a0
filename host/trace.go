package host

import (
	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/cli"
)

func newTraceCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{Use: "trace", Short: "What is in a recording"}
	show := &cobra.Command{
		Use:     "show FILE",
		Short:   "Who played what, and every step: segments thought, action, reward",
		Example: "  ponder record maze --seed 3 --out maze.trace\n  ponder trace show maze.trace --json",
		Args:    cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := trace.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			s, err := f.Summary()
			switch {
			case err != nil:
				return err
			case asJSON:
				return cli.PrintJSON(cmd.OutOrStdout(), s)
			}
			return s.Print(cmd.OutOrStdout())
		},
	}
	show.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.AddCommand(show)
	return cmd
}
