package host

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ponder-agents/ponder/agent/sweep"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/internal/shell"
	"github.com/spf13/cobra"
)

func newSweepCmd() *cobra.Command {
	var out, array string
	var parallel, threads, index int
	var list, asJSON bool
	cmd := cli.Saves(&cobra.Command{
		Use:   "sweep FILE.toml --out DIR",
		Short: "Train under many settings, with several seeds each, and stop what falls behind",
		Long: `Trains what the file names under every setting of a grid, or under some drawn at random, in so many processes as
--parallel says. The same command goes on after Ctrl-C or kill -9: what is done stays, what ran goes on from its
newest checkpoint. The runs are folders in DIR, for ponder runs list DIR and ponder report DIR. An example:

  train = "doorkey.toml"            # or a recipe; args = ["--log-every", "500"] go with it
  seeds = [1, 2, 3]
  metric = "train mean_return"      # by which settings are compared; smaller = true where less is better
  stop = "halving"                  # after a quarter and a half (rungs) the better half (keep) goes on
  method = "random"                 # or grid, with lists alone
  trials = 16
  [fields]
  policy.kind = ["hrm", "gru"]
  ppo.lr = {low = 1e-4, high = 1e-2, log = true}`,
		Example: "  ponder sweep lr.toml --out sweeps/lr --parallel 4\n  ponder sweep lr.toml --out sweeps/lr --list\n  ponder sweep lr.toml --out sweeps/lr --array slurm | sh",
		Args:    cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			changed := cmd.Flags().Changed
			switch {
			case out == "":
				return cli.Usagef("sweep: name the folder of the runs by --out DIR")
			case array != "" && array != "slurm" && array != "kubernetes":
				return cli.Usagef("--array %q: want slurm or kubernetes", array)
			case changed("index") && (array != "" || list):
				return cli.Usagef("--index goes with neither --array nor --list")
			case asJSON && !list:
				return cli.Usagef("--json is for --list")
			}
			p, _, err := sweep.Read(args[0])
			if err != nil {
				if _, ok := errors.AsType[*os.PathError](err); !ok {
					err = cli.WithCode(cli.ExitUsage, err)
				}
				return err
			}
			if array != "" {
				text, err := sweep.Array(p, array, args[0], out)
				if err != nil {
					return cli.WithCode(cli.ExitUsage, err)
				}
				_, err = fmt.Fprint(cmd.OutOrStdout(), text)
				return err
			}
			begin := sweep.Open
			if list {
				begin = sweep.Look
			}
			s, err := begin(args[0], out)
			if err != nil {
				return err
			}
			exe, err := os.Executable()
			if err != nil {
				return err
			}
			s.Command, s.Parallel, s.Threads, s.Out = []string{exe, "train"}, parallel, threads, cmd.ErrOrStderr()
			switch {
			case list:
			case changed("index"):
				return sweepError(cmd, s.One(cmd.Context(), index), args[0], out)
			default:
				if err := sweepError(cmd, s.Run(cmd.Context()), args[0], out); err != nil {
					return err
				}
			}
			if asJSON {
				return cli.PrintJSON(cmd.OutOrStdout(), s.Standings())
			}
			return sweep.Print(cmd.OutOrStdout(), p, s.Standings())
		},
	}, "ending the runs after the step in hand, and saving")
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "the sweep's folder, in which every run has one")
	cli.Writes(f, "out", cli.Folder)
	f.IntVar(&parallel, "parallel", 1, "processes at once")
	f.IntVar(&threads, "threads", 0, "threads of one operation in each process; 0 means an equal share of the processors")
	f.IntVar(&index, "index", 0, "train the run of this number alone, as a task of an array does")
	f.StringVar(&array, "array", "", "print the command that starts all runs as a slurm array or a kubernetes indexed job, and stop")
	f.BoolVar(&list, "list", false, "print where the settings stand, and stop")
	f.BoolVar(&asJSON, "json", false, "with --list, one JSON value")
	return cmd
}

// sweepError says of what ended a sweep how it goes on.
func sweepError(cmd *cobra.Command, err error, file, out string) error {
	if err == nil {
		return nil
	}
	if cmd.Context().Err() != nil {
		return cli.WithCode(cli.ExitInterrupted, fmt.Errorf("stopped, saved; go on with: %s", shell.Join([]string{"ponder", "sweep", file, "--out", out})))
	}
	_, setting := errors.AsType[*sweep.SettingError](err)
	_, metric := errors.AsType[*sweep.MetricError](err)
	if setting || metric {
		return cli.WithCode(cli.ExitUsage, err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) > 1 {
		return fmt.Errorf("%d runs failed, the first: %s", len(lines), lines[0])
	}
	return err
}
