package host

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/cli"
)

func newRunsCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "runs", Short: "What training runs there are and what they came to"}
	var asJSON bool
	list := &cobra.Command{
		Use:     "list [DIR]",
		Short:   "All runs below a folder: state, step, best figure, time, machine",
		Example: "  ponder runs list\n  ponder runs list runs --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := run.Find(append(args, ".")[0])
			switch {
			case err != nil:
				return err
			case asJSON:
				return cli.PrintJSON(cmd.OutOrStdout(), all)
			}
			return all.Print(cmd.OutOrStdout(), time.Now())
		},
	}
	show := &cobra.Command{
		Use:     "show DIR",
		Short:   "One run: how it was begun, where it stands, every metric's last and best",
		Example: "  ponder runs show runs/maze",
		Args:    cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := run.Summarize(args[0])
			switch {
			case err != nil:
				return err
			case asJSON:
				return cli.PrintJSON(cmd.OutOrStdout(), s)
			}
			return s.Print(cmd.OutOrStdout(), time.Now())
		},
	}
	compare := &cobra.Command{
		Use:     "compare DIR DIR...",
		Short:   "Runs beside each other: what their configurations differ in, and what came of it",
		Example: "  ponder runs compare runs/a runs/b",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := run.Compare(args...)
			switch {
			case err != nil:
				return err
			case asJSON:
				return cli.PrintJSON(cmd.OutOrStdout(), c)
			}
			return c.Print(cmd.OutOrStdout())
		},
	}
	for _, c := range []*cobra.Command{list, show, compare} {
		c.Flags().BoolVar(&asJSON, "json", false, "one JSON value")
		cmd.AddCommand(c)
	}
	return cmd
}
