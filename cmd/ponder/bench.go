package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/rng"
)

func newBenchCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure speed"}
	cmd.AddCommand(newBenchEnvCmd(), newBenchThinkCmd())
	return cmd
}

// An envSpeed is a row of `ponder bench env`.
type envSpeed struct {
	Env            string  `json:"env"`
	Threads        int     `json:"threads"`
	Envs           int     `json:"envs"`
	Steps          int     `json:"steps"` // of each repetition
	Repeats        int     `json:"repeats"`
	StepsPerSecond float64 `json:"steps_per_second"` // best repetition
	AllocsPerStep  float64 `json:"allocs_per_step"`  // least of the repetitions
	Episodes       int     `json:"episodes"`         // that ended in the best
}

func newBenchEnvCmd() *cobra.Command {
	var (
		patterns []string
		threads  int
		envs     int
		steps    int
		repeats  int
		seed     uint64
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
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if threads < 1 || envs < 1 || steps < 1 || repeats < 1 {
				return usagef("--threads, --envs, --steps and --repeats must be at least 1")
			}
			found, err := entries(patterns)
			if err != nil {
				return err
			}
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
			rows := []envSpeed{}
			for _, e := range found {
				if cmd.Context().Err() != nil {
					return cmd.Context().Err()
				}
				r, err := benchEnv(e.ID, threads, envs, steps, repeats, seed, options)
				if err != nil {
					return err
				}
				rows = append(rows, r)
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				if len(rows) == 1 {
					return enc.Encode(rows[0])
				}
				return enc.Encode(rows)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintf(w, "env\tthreads\tenvs\tMsteps/s\tallocs/step\tsteps/episode\n")
			for _, r := range rows {
				fmt.Fprintf(w, "%s\t%d\t%d\t%.2f\t%.4f\t%.0f\n", r.Env, r.Threads, r.Envs, r.StepsPerSecond/1e6, r.AllocsPerStep,
					float64(r.Steps)/float64(max(r.Episodes, 1)))
			}
			return w.Flush()
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&patterns, "env", []string{"MiniGrid-DoorKey-8x8-v0"}, "environment or pattern; may be repeated")
	f.IntVar(&threads, "threads", 1, "processors used")
	f.IntVar(&envs, "envs", 256, "environments in the vector")
	f.IntVar(&steps, "steps", 2_000_000, "environment steps of a repetition")
	f.IntVar(&repeats, "repeats", 3, "repetitions; the best counts")
	f.Uint64Var(&seed, "seed", 0, "seed of the first environment and of the actions")
	f.BoolVar(&asJSON, "json", false, "print JSON; one object for one environment, else an array")
	f.StringArrayVarP(&options, "option", "o", nil, "option of the environments, NAME=VALUE; may be repeated")
	return cmd
}

func benchEnv(id string, threads, envs, steps, repeats int, seed uint64, options []string) (envSpeed, error) {
	v, err := env.MakeVec(id, envs, env.VecConfig{Workers: threads}, options...)
	if err != nil {
		return envSpeed{}, withCode(exitUsage, err)
	}
	defer v.Close()
	v.Reset(seed)
	draws := rng.Stream(seed, "bench")
	n := uint32(len(v.Spec().Actions))
	actions := make([]int32, envs)
	rounds := max(steps/envs, 1)
	r := envSpeed{Env: id, Threads: threads, Envs: envs, Steps: rounds * envs, Repeats: repeats}
	play := func(rounds int) (episodes int, err error) {
		for range rounds {
			for i := range actions {
				actions[i] = int32(draws.Uint32N(n))
			}
			if err := v.Step(actions); err != nil {
				return 0, err
			}
			for i := range v.Terminated {
				if v.Done(i) {
					episodes++
				}
			}
		}
		return episodes, nil
	}
	if _, err := play(max(rounds/20, 1)); err != nil {
		return r, err
	}
	for k := range repeats {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		episodes, err := play(rounds)
		if err != nil {
			return r, err
		}
		speed := float64(r.Steps) / time.Since(start).Seconds()
		runtime.ReadMemStats(&after)
		allocs := float64(after.Mallocs-before.Mallocs) / float64(r.Steps)
		if k == 0 || allocs < r.AllocsPerStep {
			r.AllocsPerStep = allocs
		}
		if speed > r.StepsPerSecond {
			r.StepsPerSecond, r.Episodes = speed, episodes
		}
	}
	return r, nil
}
