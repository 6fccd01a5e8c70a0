//go:build cgo && !notorch

package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/learn/rl"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/internal/shell"
	"github.com/ponder-agents/ponder/torch"

	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/cli/ask"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// savesRun says what train does after a signal.
const savesRun = "ending after the step in hand, and saving"

// trainFlags are the flags of train.
type trainFlags struct {
	net       open.Run
	out       string
	resume    string
	begin     string
	data      string
	tasks     string
	steps     int64
	seed      uint64
	batch     int
	precision string
	set       []string
	plan      run.Plan
	until     int64
	agent     agentFile
	dryRun    bool
	changed   func(flag string) bool // it was given
}

func newTrainCmd() *cobra.Command {
	var f trainFlags
	cmd := cli.Saves(&cobra.Command{
		Use:   "train RECIPE|FILE.toml|ppo|dqn|imitate|halt",
		Short: "Train a network and save it with what is needed to go on exactly",
		Long: `Trains by a recipe: one of ` + strings.Join(learn.Presets(), ", ") + `, or a TOML file that names one as
preset and overrides its fields (ponder train maze --dry-run prints them all). A file that names an algorithm
(ppo, dqn, imitate, halt) trains an agent: its fields are over the algorithm's own (ponder train ppo --env ID --dry-run
prints them all), and --env, --policy and --frames are short for three of them. The run's folder gets the
full configuration, metrics.jsonl, TensorBoard events and checkpoints; the finished weights are in its
folder model. Ctrl-C or SIGTERM saves and ends; --resume goes on bit for bit, after kill -9 too.

` + dataNames(),
		Example: "  ponder train maze --out runs/maze\n  ponder train doorkey.toml --seed 2 --out runs/doorkey-2\n  ponder train --resume runs/maze\n  ponder eval maze --model runs/maze",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.changed = cmd.Flags().Changed
			switch {
			case f.resume != "" && len(args) > 0:
				return cli.Usagef("--resume takes its recipe from the run: leave %q out", args[0])
			case f.resume == "" && len(args) == 0:
				return cli.Usagef("train: name a recipe (%s), a TOML file, or --resume DIR", strings.Join(learn.Presets(), ", "))
			case f.plan.Check() != nil:
				return cli.Usagef("--log-every, --save-every and --eval-count want 1 or more, --eval-every 0 or more")
			}
			if f.resume != "" {
				var idle []string
				cmd.Flags().Visit(func(fl *pflag.Flag) {
					if !slices.Contains([]string{"resume", "device", "threads", "until"}, fl.Name) {
						idle = append(idle, "--"+fl.Name)
					}
				})
				if len(idle) > 0 {
					return cli.Usagef("--resume takes all else from the run: leave out %s", strings.Join(idle, ", "))
				}
				return f.goOn(cmd)
			}
			agent, unread := isAgentFile(args[0])
			if agent {
				return f.trainAgent(cmd, args[0])
			}
			if err := f.idle(agentOnly, "a recipe"); err != nil && unread == nil { // else what is wrong is the file
				return err
			}
			return f.train(cmd, args[0])
		},
	}, savesRun)
	fl := cmd.Flags()
	fl.StringVar(&f.out, "out", "", "the run's folder; default runs/TIME-RECIPE")
	fl.StringVar(&f.resume, "resume", "", "go on with the run in this folder")
	fl.StringVar(&f.data, "data", "", "learn from this instead of the recipe's stages: a name of data or a dataset's folder")
	fl.StringVar(&f.tasks, "tasks", "", "learn ARC from the tasks in this folder whose grids fit into 10x10, with 16 copies of each; short for --data arc:10:16:DIR")
	fl.StringVar(&f.begin, "begin", "", "start from the weights of this model, a name or a folder, instead of random ones")
	fl.StringArrayVar(&f.set, "set", nil, "a field of the recipe, KEY=VALUE as model.hidden=64; may be repeated (--dry-run prints all fields)")
	fl.Int64Var(&f.steps, "steps", 0, "steps in all, instead of the recipe's")
	fl.Uint64Var(&f.seed, "seed", 0, "root of all random streams, instead of the recipe's")
	fl.IntVar(&f.batch, "batch", 0, "rows of a step, instead of the recipe's")
	fl.StringVar(&f.precision, "precision", "", "float32, bf16, or auto: measure both at the start and take the faster; default the recipe's")
	addPlan(fl, &f.plan, &f.until, run.Plan{LogEvery: 50, SaveEvery: 500, EvalEvery: 2000, EvalCount: 200}, "steps", "held-out puzzles")
	fl.BoolVar(&f.dryRun, "dry-run", false, "print the recipe as TOML, its parameters, and stop")
	ask.AddDevice(fl, &f.net)
	f.agent.add(fl)
	cli.Writes(fl, "out", cli.Folder)
	cli.ReadsFolder(fl, "data")
	cli.ReadsFolder(fl, "tasks")
	cmd.MarkFlagsMutuallyExclusive("data", "tasks")
	cmd.AddCommand(
		newTrainAgentCmd(rl.AlgorithmPPO, "Learn an environment by acting in it", `An agent learns from its own reward (PPO). By default it is an HRM that keeps its carry from step to step and
thinks one or two segments before each action, with a small reward for what it has not seen before in the
episode: the recipe that learns MiniGrid. All of it is in the run's folder, and --resume goes on bit for bit.`),
		newTrainAgentCmd(rl.AlgorithmDQN, "Learn what every action in an environment is worth", `An agent learns the worth of its actions from all that it remembers having done (double DQN with n-step
returns). The state that a decision began with is remembered with it; --sequences learns from --length decisions
in a row, as networks with a long memory need. All of it is in the run's folder, the memory too.`),
		newTrainAgentCmd(rl.AlgorithmImitate, "Learn an environment from its oracle", `The agent learns to do what the environment's oracle would do where the agent itself has come to (DAgger): at
first the oracle acts, later the agent. A resumed run lets the oracle begin anew in the episodes under way.`),
		newTrainAgentCmd(rl.AlgorithmHalt, "Learn when to stop thinking, from return", `A policy that learned to act (--begin) stays as it is; a gate learns from the return, less --price for every
segment, whether to act now or to think on (docs/halting.md).`),
	)
	return cmd
}

// recipe is the one of that name, a preset or a file, as the flags change it.
func (f *trainFlags) recipe(name string) (learn.Recipe, error) {
	r, err := learn.ReadRecipe(name)
	if err != nil {
		if _, ok := errors.AsType[*fs.PathError](err); !ok {
			err = cli.WithCode(cli.ExitUsage, err)
		}
		return r, err
	}
	if r, err = run.Override(r, f.set...); err != nil {
		return r, cli.Usagef("--set %w", err)
	}
	data := dataName(f.data)
	if f.tasks != "" {
		data = "arc:10:16:" + f.tasks
	}
	if data != "" {
		err = r.LearnFrom(data, task.Open)
	}
	if err == nil && len(r.Stages) == 0 {
		return r, cli.Usagef("the recipe names no data: add --data or --tasks")
	}
	if err == nil {
		err = r.NameIdentifiers(task.Open)
	}
	if err != nil && !f.mayMiss(err) {
		return r, dataError(err)
	}
	if f.changed("steps") {
		r.Steps = f.steps
	}
	if f.changed("seed") {
		r.Seed = f.seed
	}
	if f.changed("batch") {
		r.Batch = f.batch
	}
	if err := r.Check(); err != nil {
		return r, cli.WithCode(cli.ExitUsage, err)
	}
	if err := r.CheckData(task.Open, f.plan.EvalCount); err != nil && !f.mayMiss(err) {
		return r, dataError(err)
	}
	return r, nil
}

// checkSeed refuses a seed that no TOML file can have: a run says it in its own.
func checkSeed(seed uint64) error {
	if seed > math.MaxInt64 {
		return cli.Usagef("--seed %d: want at most %d, the largest integer of TOML", seed, math.MaxInt64)
	}
	return nil
}

// mayMiss reports whether err says that data is not there, where only the recipe is asked for.
func (f *trainFlags) mayMiss(err error) bool { return f.dryRun && errors.Is(err, fs.ErrNotExist) }

func (f *trainFlags) train(cmd *cobra.Command, name string) error {
	dir := f.out
	if dir == "" {
		base := strings.TrimSuffix(filepath.Base(name), ".toml")
		dir = filepath.Join("runs", time.Now().Format("20060102-150405-")+base)
	}
	if !f.dryRun {
		if err := runlog.CheckDir(dir); err != nil {
			return err
		}
	}
	r, err := f.recipe(name)
	if err == nil {
		err = checkSeed(r.Seed)
	}
	if err != nil {
		return err
	}
	dev, err := openDevice(f.net)
	if err != nil {
		return err
	}
	if err := f.choosePrecision(cmd, &r, dev); err != nil {
		return err
	}
	if f.dryRun {
		return f.show(cmd.OutOrStdout(), r, dev)
	}
	t, err := f.trainer(r, dev)
	if err != nil {
		return err
	}
	defer t.Close()
	return runError(dir, run.Begin(cmd.Context(), dir, t, f.plan, run.Options{Out: cmd.ErrOrStderr(), Command: append([]string{"ponder"}, os.Args[1:]...), Until: f.until}))
}

// trainer begins with random weights, or with those of the model that the flags name.
func (f *trainFlags) trainer(r learn.Recipe, dev torch.Device) (*learn.Trainer, error) {
	if f.begin == "" {
		return learn.NewTrainer(r, task.Open, dev)
	}
	c, err := ask.Checkpoint(f.begin)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return learn.NewTrainerFrom(f.begin, c, r, task.Open, dev)
}

// show prints the recipe and the size of its network.
func (f *trainFlags) show(w io.Writer, r learn.Recipe, dev torch.Device) error {
	params := torch.NewParams(dev)
	defer params.Close()
	m, err := f.network(params, r)
	if err != nil {
		return err
	}
	defer m.Close()
	text, err := run.TOML(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "# %d parameters\n%s", params.Count(), text)
	return err
}

// network is the one that training begins with, all but its random weights.
func (f *trainFlags) network(params *torch.Params, r learn.Recipe) (hrm.Network, error) {
	if f.begin == "" {
		return r.NewNetwork(params, 0)
	}
	c, err := ask.Checkpoint(f.begin)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return r.NetworkOf(params, f.begin, c)
}

// choosePrecision sets the number format that --precision asks for. The choice becomes part of the
// run's configuration, so that a resumed run keeps it.
func (f *trainFlags) choosePrecision(cmd *cobra.Command, r *learn.Recipe, dev torch.Device) error {
	switch f.precision {
	case "":
	case string(hrm.Float32), string(hrm.BFloat16), string(hrm.TF32):
		r.Precision = hrm.Precision(f.precision)
	case "auto":
		times, err := learn.MeasurePrecision(*r, task.Open, dev)
		if err != nil {
			return err
		}
		r.Precision = times[0].Precision
		fmt.Fprintf(cmd.ErrOrStderr(), "precision: %s at %.1f ms a step, %s takes %.1f\n", times[0].Precision, 1e3*times[0].Step.Seconds(),
			times[1].Precision, 1e3*times[1].Step.Seconds())
	default:
		return cli.Usagef("--precision %q: want float32, bf16 or auto", f.precision)
	}
	return nil
}

// goOn resumes the run in f.resume, on the device and with the threads that it had unless flags say otherwise.
func (f *trainFlags) goOn(cmd *cobra.Command) error {
	begun := false
	open := func(s *run.Saved) (run.Learner, error) {
		if s.Compute.Device != "" && !f.changed("device") {
			f.net.Device = s.Compute.Device
		}
		if f.net.Threads > 0 {
			s.Compute.Threads = f.net.Threads
		}
		dev, err := openDevice(f.net)
		if err != nil {
			return nil, err
		}
		resume := rl.Resume(dev)
		if s.Learner == learn.Supervised {
			resume = func(s *run.Saved) (run.Learner, error) { return learn.Resume(s, task.Open, dev) }
		}
		l, err := resume(s)
		begun = err == nil
		return l, err
	}
	err := run.Resume(cmd.Context(), f.resume, open, run.Options{Out: cmd.ErrOrStderr(), Until: f.until})
	if !begun {
		return err
	}
	return runError(f.resume, err)
}

// runError adds to the error of a run that can go on how it does.
func runError(dir string, err error) error {
	resume := shell.Join([]string{"ponder", "train", "--resume", dir})
	if stopped, ok := errors.AsType[*run.Stopped](err); ok {
		if errors.Is(err, run.ErrUntil) {
			fmt.Fprintf(os.Stderr, "at step %d, saved; go on with: %s\n", stopped.Step, resume)
			return nil
		}
		return cli.WithCode(cli.ExitInterrupted, fmt.Errorf("stopped at step %d, saved; go on with: %s", stopped.Step, resume))
	}
	if _, ok := errors.AsType[*fs.PathError](err); !ok { // else a file, as on a full disk
		return err
	}
	steps, serr := checkpoint.Steps(filepath.Join(dir, checkpoint.RunSeries))
	if serr != nil || len(steps) == 0 {
		return err
	}
	return fmt.Errorf("%w; step %d is saved, go on when it is mended: %s", err, steps[len(steps)-1], resume)
}

// openDevice is the device on which training runs.
func openDevice(r open.Run) (torch.Device, error) {
	dev, err := learn.Device(r)
	return dev, ask.Code(err)
}
