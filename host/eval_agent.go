package host

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/models"
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
the world knows the shortest way. A pattern of ids makes a table (--json: a line for each); those that no model is
shipped for, or that --model does not fit, are passed over. A model whose run kept levels apart (levels in its
configuration) is examined on those that it did not learn from, and on those that it did.`,
		Example: "  ponder eval agent --env MiniGrid-DoorKey-5x5-v0 --episodes 1000 --json\n  ponder eval agent --env maze/15x15-v0 --model maze --rule never --segments 6\n  ponder eval agent --env 'MiniGrid-*' --episodes 100",
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
			stop, entropy, err := simpleRule(cmd.Flags(), &q.Thinking)
			if err != nil {
				return err
			}
			ids, err := agentWorlds(id, options)
			if err != nil {
				return err
			}
			var all exam.AgentResults
			model := q.Name
			for _, id := range ids {
				if q.Name = model; model == "" {
					if q.Name = models.For(id); q.Name == "" {
						if len(ids) > 1 {
							continue
						}
						return cli.Usagef("no model is shipped for %s: name one by --model (ponder train ppo makes one)", id)
					}
				}
				m, cfg, err := q.Open()
				if err != nil {
					return err
				}
				cfg.Sample, cfg.SampleSeed, cfg.First, cfg.Stop, cfg.Entropy = sample, q.Seed, first, stop, entropy
				end := watch(cmd, &cfg, "episodes", 0)
				if cmd.Flags().Changed("price") {
					m.Usage.Price = price
				}
				res, err := exam.Agents(cmd.Context(), m, id, options, episodes, q.Seed, cfg, func(r *exam.AgentResult, options []string) error {
					if !regret {
						return nil
					}
					return r.AddRegret(cmd.Context(), m, options, cfg)
				})
				end()
				m.Close()
				if errors.Is(err, exam.ErrFit) && len(ids) > 1 {
					fmt.Fprintf(cmd.ErrOrStderr(), "ponder: %v; passed over\n", err)
					continue
				}
				if err != nil {
					return err
				}
				if q.JSON {
					for i := range res {
						if err := q.Report(cmd.OutOrStdout(), &res[i]); err != nil {
							return err
						}
					}
				}
				all = append(all, res...)
			}
			switch {
			case len(all) == 0:
				return cli.Usagef("no environment of %s has a model that fits: name one by --model", id)
			case q.JSON:
			case len(all) == 1 && len(ids) == 1:
				err = q.Report(cmd.OutOrStdout(), &all[0])
			default:
				err = q.Report(cmd.OutOrStdout(), all)
			}
			if err != nil {
				return err
			}
			return atLeast(all.Least(), least, "succeed")
		},
	}
	q.Add(cmd, "", "the first episode")
	f := cmd.Flags()
	f.Lookup("rule").Usage = "halting rule: halt-above, halt-over-continue, never (always the most segments), or one that knows nothing of halting: uniform (a random number of segments), entropy (of the actions, below --threshold nats) or unchanged (the likeliest action is that of the segment before); default the model's own"
	f.Lookup("threshold").Usage = "q_halt that halt-above asks for, default the model's own; entropy below which the rule entropy acts"
	f.StringVar(&id, "env", "", "id of the environment, or a pattern with * and ? of several")
	optionFlag(f, &options)
	f.IntVar(&episodes, "episodes", 200, "number of episodes")
	f.BoolVar(&sample, "sample", false, "draw every action from the policy, as in training, instead of the likeliest")
	f.IntVar(&first, "first", 0, "segments of an episode's first decision, whatever the rule says")
	f.BoolVar(&regret, "regret", false, "branch a decision of every episode: what would other numbers of segments have brought?")
	f.Float64Var(&price, "price", 0, "of a segment, in units of return, for --regret; default what the model's halting was learned with")
	f.Float64Var(&least, "min-success", 0, "exit with 3 if a smaller share succeeds")
	cli.Unused(cmd.Flags(), "votes", "sure")
	return cmd
}

// simpleRule is the rule of --rule, if it is one of think.Stops, with the entropy that it may need; halting itself is then never
// content.
func simpleRule(f *pflag.FlagSet, t *ask.Thinking) (stop think.Stop, entropy float64, err error) {
	if stop = think.Stop(t.Rule); !slices.Contains(think.Stops(), stop) {
		return "", 0, nil
	}
	t.Rule = act.Never.String()
	if stop == think.StopEntropy {
		nats, _ := f.GetFloat32("threshold") // there is such a flag
		if entropy = float64(nats); !(entropy > 0) {
			err = cli.Usagef("--rule entropy: say by --threshold below how many nats it is to act, more than 0 (of 7 actions all alike: 1.95)")
		}
	}
	return stop, entropy, err
}

// agentWorlds are the ids that the name of an environment, or a pattern, is of.
func agentWorlds(name string, options []string) (ids []string, err error) {
	if !strings.ContainsAny(name, "*?") {
		if err := checkEnv(name, options); err != nil {
			return nil, err
		}
		_, id, err := env.Lookup(name)
		return []string{id}, err
	}
	for _, e := range env.List(name) {
		bad := checkEnv(e.ID, options)
		if bad == nil {
			ids = append(ids, e.ID)
		} else if err == nil {
			err = bad
		}
	}
	switch {
	case len(ids) > 0:
		return ids, nil // without those that ask for options, as a level's file
	case err == nil:
		err = cli.Usagef("no environment matches %s (ponder env list)", name)
	}
	return nil, err
}
