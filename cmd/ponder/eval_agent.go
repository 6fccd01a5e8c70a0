package main

import (
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/models"
	"github.com/spf13/cobra"
)

func newEvalAgentCmd() *cobra.Command {
	var q ask.Flags
	var id string
	var options []string
	var episodes int
	var least float64
	var sample, regret bool
	var price float64
	var first int
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Let a model act in fresh episodes of an environment",
		Long: `Plays episodes seeded with --seed and the numbers after it, and takes the likeliest action at every
step, or with --sample one that the policy draws.
Success is an end with a positive reward. SPL weights success by the shortest over the walked length, where
the world knows the shortest way.`,
		Example: "  ponder eval agent --env MiniGrid-DoorKey-5x5-v0 --episodes 1000 --json\n  ponder eval agent --env maze/15x15-v0 --model maze --rule never --segments 6",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case id == "":
				return cli.Usagef("eval agent: name an environment by --env (ponder env list)")
			case cmd.Flags().Changed("price") && !regret:
				return cli.Usagef("--price is for --regret")
			case episodes < 1:
				return cli.Usagef("--episodes %d: want 1 or more", episodes)
			}
			if err := q.Check(); err != nil {
				return err
			}
			e, err := env.Make(id, options...)
			if err != nil {
				return cli.WithCode(cli.ExitUsage, err)
			}
			if q.Name == "" {
				if q.Name = models.For(e.Spec().ID); q.Name == "" {
					return cli.Usagef("no model is shipped for %s: name one by --model (ponder train ppo makes one)", e.Spec().ID)
				}
			}
			m, cfg, err := q.Open()
			if err != nil {
				return err
			}
			defer m.Close()
			cfg.Sample, cfg.SampleSeed, cfg.First = sample, q.Seed, first
			res, err := exam.Agent(cmd.Context(), m, id, options, episodes, q.Seed, cfg)
			if err != nil {
				return err
			}
			if regret {
				if cmd.Flags().Changed("price") {
					m.Usage.Price = price
				}
				if err := res.AddRegret(cmd.Context(), m, options, cfg); err != nil {
					return err
				}
			}
			if err := q.Report(cmd.OutOrStdout(), &res); err != nil {
				return err
			}
			return atLeast(res.Success, least, "succeed")
		},
	}
	q.Add(cmd, "", "the first episode")
	f := cmd.Flags()
	f.StringVar(&id, "env", "", "id of the environment")
	f.StringArrayVar(&options, "option", nil, "option of the environment, NAME=VALUE; may be repeated")
	f.IntVar(&episodes, "episodes", 200, "number of episodes")
	f.BoolVar(&sample, "sample", false, "draw every action from the policy, as in training, instead of the likeliest")
	f.IntVar(&first, "first", 0, "segments of an episode's first decision, whatever the rule says")
	f.BoolVar(&regret, "regret", false, "branch a decision of every episode: what would other numbers of segments have brought?")
	f.Float64Var(&price, "price", 0, "of a segment, in units of return, for --regret; default what the model's halting was learned with")
	f.Float64Var(&least, "min-success", 0, "exit with 3 if a smaller share succeeds")
	hide(cmd, "votes")
	return cmd
}
