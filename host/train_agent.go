//go:build cgo && !notorch

package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/agent/learn/rl"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// agentFlags are a run of an agent that learns by acting, as flags and files say.
type agentFlags struct {
	cfg    rl.Config
	plan   run.Plan
	until  int64
	net    open.Run
	out    string
	set    []string
	dryRun bool
}

// train begins the run, in a folder called base if nothing else is said.
func (f *agentFlags) train(cmd *cobra.Command, base string) error {
	cfg, err := run.Override(f.cfg, f.set...)
	switch {
	case err != nil:
		return cli.Usagef("--set %w", err)
	case cfg.Algorithm == rl.AlgorithmHalt && cfg.Begin == "":
		return cli.Usagef("train halt: name the policy that is to learn when to stop by --begin (begin in a file), a run or a model of it")
	case cfg.Env == "":
		return cli.Usagef("train %s: name an environment by --env (env in a file; ponder env list)", cfg.Algorithm)
	case f.plan.Check() != nil:
		return cli.Usagef("--log-every, --save-every and --eval-count want 1 or more, --eval-every 0 or more")
	}
	if err := cfg.Check(); err != nil {
		return cli.WithCode(cli.ExitUsage, err)
	}
	if err := checkSeed(cfg.Seed); err != nil {
		return err
	}
	if err := checkEnv(cfg.Env, cfg.Options); err != nil {
		return err
	}
	if f.out == "" {
		f.out = filepath.Join("runs", time.Now().Format("20060102-150405-")+base)
	}
	if !f.dryRun {
		if err := runlog.CheckDir(f.out); err != nil {
			return err
		}
	}
	dev, err := openDevice(f.net)
	if err != nil {
		return err
	}
	l, err := newAgentLearner(cfg, dev)
	if err != nil {
		return err
	}
	defer l.Close()
	if f.dryRun {
		text, err := run.TOML(l.Describe().Config)
		if err == nil {
			_, err = cmd.OutOrStdout().Write(text)
		}
		return err
	}
	return runError(f.out, run.Begin(cmd.Context(), f.out, l, f.plan, run.Options{Out: cmd.ErrOrStderr(), Command: append([]string{"ponder"}, os.Args[1:]...), Until: f.until}))
}

// addPlan adds the flags that say when the run does what, in steps or what else is counted.
func addPlan(fl *pflag.FlagSet, p *run.Plan, until *int64, d run.Plan, unit, of string) {
	fl.Int64Var(&p.LogEvery, "log-every", d.LogEvery, unit+" between two lines of metrics")
	fl.Int64Var(&p.SaveEvery, "save-every", d.SaveEvery, unit+" between two checkpoints")
	fl.Int64Var(&p.EvalEvery, "eval-every", d.EvalEvery, unit+" between two evaluations on "+of+"; 0 means only at the end")
	fl.IntVar(&p.EvalCount, "eval-count", d.EvalCount, strings.TrimPrefix(of, "held-out ")+" of an evaluation")
	fl.Int64Var(until, "until", 0, "stop and save after so many "+unit+", to go on later by --resume; 0 means go on to the end")
}

// agentPlan is when the run of an agent does what, in frames.
var agentPlan = run.Plan{LogEvery: 2000, SaveEvery: 20_000, EvalCount: 200}

// newTrainAgentCmd is `ponder train ppo` or another algorithm by which an agent learns by acting.
func newTrainAgentCmd(algorithm, short, long string) *cobra.Command {
	f := agentFlags{cfg: rl.Default(algorithm, "").Filled()} // a flag may say 0
	cfg := &f.cfg
	cmd := cli.Saves(&cobra.Command{
		Use:     algorithm + " --env ID",
		Short:   short,
		Long:    long,
		Example: fmt.Sprintf("  ponder train %s --env MiniGrid-DoorKey-5x5-v0 %s--frames 100000 --seed 1 --out runs/doorkey\n  ponder train --resume runs/doorkey\n  ponder eval agent --env MiniGrid-DoorKey-5x5-v0 --model runs/doorkey", algorithm, map[bool]string{true: "--begin doorkey-5x5 "}[algorithm == rl.AlgorithmHalt]),
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.train(cmd, algorithm) },
	}, savesRun)
	fl := cmd.Flags()
	fl.StringVar(&cfg.Env, "env", "", "id of the environment")
	optionFlag(fl, &cfg.Options)
	fl.StringVar(&cfg.Begin, "begin", "", "begin with the weights of this model, a name or a folder, and its network")
	if algorithm != rl.AlgorithmHalt {
		fl.StringVar(&cfg.Policy.Kind, "policy", cfg.Policy.Kind, "network: hrm, cell, conv, gru, lstm or transformer")
		fl.IntVar(&cfg.Policy.Hidden, "hidden", cfg.Policy.Hidden, "width of the network's state")
		fl.BoolVar(&cfg.Act.Reset, "reset-carry", false, "start every decision afresh instead of where the last one ended")
		fl.Float64Var(&cfg.Act.Bonus.Size, "bonus", cfg.Act.Bonus.Size, "reward for what was not seen before in the episode; it is not counted in mean_return")
		fl.StringVar(&cfg.Act.Bonus.Kind, "bonus-kind", cfg.Act.Bonus.Kind, "what is new: first (an image), count (the same, less each time), noveld (more than what was seen before it) or things (in view or in hand)")
		fl.Float64Var(&cfg.Act.Bonus.Fade, "bonus-fade", cfg.Act.Bonus.Fade, "times seen in the run after which things are paid less")
	}
	fl.Int64Var(&cfg.Frames, "frames", cfg.Frames, "steps of all environments together")
	fl.Uint64Var(&cfg.Seed, "seed", 0, "root of all random streams")
	fl.IntVar(&cfg.Envs, "envs", cfg.Envs, "environments that act at once")
	fl.IntVar(&cfg.Act.MaxSteps, "max-steps", 0, "steps after which an episode that is learned from is cut off; 0 means where its environment does")
	segments := "a decision takes 1 to this many segments while learning, this many afterwards"
	if algorithm == rl.AlgorithmHalt {
		segments = "most segments of a decision"
	}
	fl.IntVar(&cfg.Act.Segments, "segments", cfg.Act.Segments, segments)
	fl.Float64Var(&cfg.Act.Gamma, "gamma", cfg.Act.Gamma, "discount")
	sweep := &cfg.PPO.SweepConfig
	switch algorithm {
	case rl.AlgorithmDQN:
		sweep = &cfg.DQN.SweepConfig
		fl.IntVar(&cfg.DQN.Steps, "steps", cfg.DQN.Steps, "rewards of a return, before a Q-value stands for the rest")
		fl.IntVar(&cfg.DQN.Replay, "replay", cfg.DQN.Replay, "decisions that are remembered")
		fl.IntVar(&cfg.DQN.Warmup, "warmup", cfg.DQN.Warmup, "of them, before the first is learned from")
		fl.Float64Var(&cfg.DQN.Target, "target", cfg.DQN.Target, "share of the way that the target network goes with each minibatch")
		fl.Float64Var(&cfg.DQN.Explore, "explore", cfg.DQN.Explore, "chance of an action drawn evenly, to which it falls from 1; 0 for none")
		fl.Float64Var(&cfg.DQN.ExploreFor, "explore-for", cfg.DQN.ExploreFor, "share of the run in which it falls")
		fl.IntVar(&cfg.DQN.Length, "length", cfg.DQN.Length, "decisions of a sequence, with --sequences")
		fl.IntVar(&cfg.DQN.BurnIn, "burn-in", cfg.DQN.BurnIn, "first of them, which only bring the state up to date; 0 for none")
	case rl.AlgorithmImitate:
		sweep = &cfg.Imitate.SweepConfig
		fl.StringVar(&cfg.Imitate.Oracle, "oracle", "", "name of the oracle to imitate; default the environment's best")
	case rl.AlgorithmHalt:
		sweep = &cfg.Halt.SweepConfig
		fl.StringVar(&cfg.Halt.Learn, "learn", cfg.Halt.Learn, "how: ppo (acting and thinking on are drawn), td (Q-values of both, from what followed) or branches (Q-values, from copies of the world that acted after other numbers of segments)")
		fl.Float64Var(&cfg.Halt.Price, "price", cfg.Halt.Price, "of a segment, in units of return")
		fl.Float64Var(&cfg.Halt.Entropy, "entropy", cfg.Halt.Entropy, "weight of the gate's entropy, which falls to a tenth; 0 for none")
		fl.BoolFunc("together", "the policy learns on too, by PPO and in turn with the gate; it draws its actions", func(string) error {
			cfg.Halt.Together, cfg.Act.Greedy = true, false
			return nil
		})
		fl.BoolFunc("sample", "draw actions while learning when to stop, instead of the likeliest", func(string) error { cfg.Act.Greedy = false; return nil })
	default:
		fl.Float64Var(&cfg.PPO.Entropy, "entropy", cfg.PPO.Entropy, "weight of the policy's entropy; 0 for none")
		fl.Float64Var(&cfg.PPO.ValueClip, "value-clip", 0, "most that a value may move in an update; 0 for no limit")
		fl.Float64Var(&cfg.PPO.KLStop, "kl-stop", 0, "end an update's epochs when the policy has moved so far; 0 for never")
	}
	fl.IntVar(&sweep.Horizon, "horizon", sweep.Horizon, "steps of an environment between two updates")
	fl.IntVar(&sweep.Epochs, "epochs", sweep.Epochs, "passes over what was gathered; of dqn, how often a decision is learned from in the mean")
	fl.IntVar(&sweep.Batch, "batch", sweep.Batch, "decisions of a minibatch, of halt thoughts")
	fl.Float64Var(&sweep.LR, "lr", sweep.LR, "learning rate")
	if algorithm != rl.AlgorithmHalt {
		fl.BoolVar(&sweep.Anneal, "anneal", false, "let learning rate and entropy fall to a tenth")
		if algorithm != rl.AlgorithmDQN {
			fl.Float64Var(&sweep.EMA, "ema", 0, "use an average of the weights, which keeps so much of itself with each step of learning, as 0.999; 0 for the last weights")
		}
		fl.BoolVar(&sweep.Sequences, "sequences", false, "gradients through all steps of a rollout (of dqn, a sequence), as recurrent networks need for long memory")
	}
	fl.StringArrayVar(&f.set, "set", nil, "a field of the configuration, KEY=VALUE as ppo.lambda=0.9; may be repeated (--dry-run prints all fields)")
	fl.StringVar(&f.out, "out", "", "the run's folder; default runs/TIME-"+algorithm)
	cli.Writes(fl, "out", cli.Folder)
	addPlan(fl, &f.plan, &f.until, agentPlan, "frames", "fresh levels")
	fl.BoolVar(&f.dryRun, "dry-run", false, "look at all that can be without training, print the configuration as TOML, which train takes as a file, and stop")
	ask.AddDevice(fl, &f.net)
	return cmd
}

// newAgentLearner begins with random weights, or with those of the model that cfg names. A field that will not do
// is an error of usage.
func newAgentLearner(cfg rl.Config, dev torch.Device) (l *rl.Learner, err error) {
	defer func() {
		if _, ok := errors.AsType[*problems.Field](err); ok {
			err = cli.WithCode(cli.ExitUsage, err)
		}
	}()
	if cfg.Begin == "" {
		return rl.New(cfg, dev)
	}
	c, err := ask.Checkpoint(cfg.Begin)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return rl.NewFrom(cfg.Begin, c, cfg, dev)
}
