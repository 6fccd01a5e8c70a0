package host

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/env"
)

func newBenchCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure speed"}
	cmd.AddCommand(newBenchEnvCmd(), newBenchThinkCmd(), newBenchHaltingCmd(), newBenchHRMCmd())
	return cmd
}

func newBenchEnvCmd() *cobra.Command {
	var (
		patterns []string
		cfg      env.SpeedConfig
		asJSON   bool
		options  []string
	)
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Steps per second of environments under random actions",
		Long: `Steps environments by actions drawn uniformly from all of them, in same-step autoreset: drawing
the actions, writing the observations and resetting are counted. The best of the repetitions is
printed.`,
		Example: "  ponder bench env --env MiniGrid-DoorKey-8x8-v0 --threads 1 --envs 256 --json\n  ponder bench env --env 'MiniGrid-*'",
		Args:    cli.ExactArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := entries(patterns)
			if err != nil {
				return err
			}
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cfg.Threads))
			width := 0
			for _, e := range found {
				width = max(width, len(e.ID))
			}
			row := func(cells ...any) { // of the table, as soon as it is measured
				if !asJSON {
					fmt.Fprintf(cmd.OutOrStdout(), "%-*s  %7v  %4v  %8v  %11v  %13v\n", append([]any{width}, cells...)...)
				}
			}
			row("env", "threads", "envs", "Msteps/s", "allocs/step", "steps/episode")
			rows := []env.Speed{}
			for _, e := range found {
				if cmd.Context().Err() != nil {
					return cmd.Context().Err()
				}
				r, err := env.MeasureSpeed(e.ID, cfg, options...)
				if err != nil {
					return cli.WithCode(cli.ExitUsage, err)
				}
				rows = append(rows, r)
				row(r.Env, r.Threads, r.Envs, fmt.Sprintf("%.2f", r.StepsPerSecond/1e6), fmt.Sprintf("%.4f", r.AllocsPerStep),
					fmt.Sprintf("%.0f", float64(r.Steps)/float64(max(r.Episodes, 1))))
			}
			switch {
			case asJSON && len(rows) == 1:
				return cli.PrintJSON(cmd.OutOrStdout(), rows[0])
			case asJSON:
				return cli.PrintJSON(cmd.OutOrStdout(), rows)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&patterns, "env", []string{"MiniGrid-DoorKey-8x8-v0"}, "environment or pattern; may be repeated")
	f.IntVar(&cfg.Threads, "threads", 1, "processors used")
	f.IntVar(&cfg.Envs, "envs", 256, "environments in the vector")
	f.IntVar(&cfg.Steps, "steps", 2_000_000, "environment steps of a repetition")
	cli.Bound(f, "threads", atLeastOne("threads"))
	cli.Bound(f, "envs", atLeastOne("envs"))
	cli.Bound(f, "steps", atLeastOne("steps"))
	f.IntVar(&cfg.Repeats, "repeats", 3, "repetitions; the best counts")
	cli.Bound(f, "repeats", atLeastOne("repeats"))
	f.Uint64Var(&cfg.Seed, "seed", 0, "seed of the first environment and of the actions")
	f.BoolVar(&asJSON, "json", false, "print JSON; one object for one environment, else an array")
	optionFlag(f, &options)
	return cmd
}
