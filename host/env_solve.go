package host

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/cli"
)

func newEnvSolveCmd() *cobra.Command {
	var (
		oracle  string
		levels  int
		asJSON  bool
		options []string
	)
	cmd := &cobra.Command{
		Use:     "solve [PATTERN...]",
		Short:   "Let the oracles play levels and count what they solve",
		Example: "  ponder env solve 'MiniGrid-*' --levels 1000\n  ponder env solve maze --oracle bot --json",
		Long: `Plays the levels of the seeds 0, 1, … by every oracle, or the one named. Exit code 3 if a level was
neither solved nor proved unsolvable.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if levels < 1 {
				return cli.Usagef("--levels %d: want at least 1", levels)
			}
			found, err := entries(args)
			if err != nil {
				return err
			}
			rows, err := exam.Oracles(cmd.Context(), found, oracle, levels, options, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if len(rows) == 0 && len(options) > 0 {
				return cli.Usagef("no level was played: see above what %q is no option of", options)
			}
			if asJSON {
				err = cli.PrintJSON(cmd.OutOrStdout(), rows)
			} else {
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "env\toracle\tlevels\tsolved\tunsolvable\tmean steps\tshortest\tmissed seeds")
				for _, r := range rows {
					fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%.1f\t%d\t%v\n", r.Env, r.Oracle, r.Levels, r.Solved, r.Unsolvable, r.MeanSteps, r.Shortest, r.Missed)
				}
				err = w.Flush()
			}
			for _, r := range rows {
				if err == nil && r.Solved+r.Unsolvable < r.Levels {
					err = cli.WithCode(cli.ExitUnsolved, fmt.Errorf("%s: %s missed %d of %d levels", r.Env, r.Oracle, r.Levels-r.Solved-r.Unsolvable, r.Levels))
				}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&oracle, "oracle", "", "oracle by name: plan or bot; none means all")
	f.IntVar(&levels, "levels", 100, "levels to play")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	optionFlag(f, &options)
	return cmd
}
