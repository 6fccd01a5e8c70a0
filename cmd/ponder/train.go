//go:build cgo && !notorch

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The folders of a run.
const (
	runCheckpoints = checkpoint.RunSeries // the newest two kept
	runModel       = checkpoint.RunModel
)

// trainFlags are the flags of train.
type trainFlags struct {
	net        modelFlags
	out        string
	resume     string
	begin      string
	data       string
	tasks      string
	steps      int64
	seed       uint64
	batch      int
	precision  string
	logEvery   int64
	saveEvery  int64
	evalEvery  int64
	evalCount  int
	dryRun     bool
	forceSteps bool
	forceSeed  bool
	forceBatch bool
}

func newTrainCmd() *cobra.Command {
	var f trainFlags
	cmd := &cobra.Command{
		Use:   "train RECIPE|FILE.toml",
		Short: "Train a network and save it with what is needed to go on exactly",
		Long: `Trains by a recipe: one of ` + strings.Join(learn.Presets(), ", ") + `, or a TOML file that names one as
preset and overrides its fields (ponder train maze --dry-run prints them all). The run's folder gets the
full configuration, metrics.jsonl, TensorBoard events and checkpoints; the finished weights are in its
folder model. Ctrl-C or SIGTERM saves and ends; --resume goes on bit for bit, after kill -9 too.`,
		Example: "  ponder train maze --out runs/maze\n  ponder train --resume runs/maze\n  ponder eval maze --model runs/maze",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.forceSteps, f.forceSeed, f.forceBatch = cmd.Flags().Changed("steps"), cmd.Flags().Changed("seed"), cmd.Flags().Changed("batch")
			switch {
			case f.resume != "" && len(args) > 0:
				return usagef("--resume takes its recipe from the run: leave %q out", args[0])
			case f.resume == "" && len(args) == 0:
				return usagef("train: name a recipe (%s), a TOML file, or --resume DIR", strings.Join(learn.Presets(), ", "))
			case f.logEvery < 1 || f.saveEvery < 1 || f.evalEvery < 0 || f.evalCount < 1:
				return usagef("--log-every, --save-every and --eval-count want 1 or more, --eval-every 0 or more")
			}
			if f.resume != "" {
				var idle []string
				cmd.Flags().Visit(func(fl *pflag.Flag) {
					if !slices.Contains([]string{"resume", "device", "threads"}, fl.Name) {
						idle = append(idle, "--"+fl.Name)
					}
				})
				if len(idle) > 0 {
					return usagef("--resume takes all else from the run: leave out %s", strings.Join(idle, ", "))
				}
				return resume(cmd, &f)
			}
			return train(cmd, &f, args[0])
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.out, "out", "", "the run's folder; default runs/TIME-RECIPE")
	fl.StringVar(&f.resume, "resume", "", "go on with the run in this folder")
	fl.StringVar(&f.data, "data", "", "learn from this instead of the recipe's stages: a dataset's folder, or dataset:DIR, sudoku-csv:FILE, arc:SIDE:COPIES:DIR, sudoku:LO-HI, mix:A|B")
	fl.StringVar(&f.tasks, "tasks", "", "learn ARC from the tasks in this folder whose grids fit into 10x10, with 16 copies of each; short for --data arc:10:16:DIR")
	fl.StringVar(&f.begin, "begin", "", "start from the weights of this model, a name or a folder, instead of random ones")
	fl.Int64Var(&f.steps, "steps", 0, "steps in all, instead of the recipe's")
	fl.Uint64Var(&f.seed, "seed", 0, "root of all random streams, instead of the recipe's")
	fl.IntVar(&f.batch, "batch", 0, "rows of a step, instead of the recipe's")
	fl.StringVar(&f.precision, "precision", "", "float32, bf16, or auto: measure both at the start and take the faster; default the recipe's")
	fl.Int64Var(&f.logEvery, "log-every", 50, "steps between two lines of metrics")
	fl.Int64Var(&f.saveEvery, "save-every", 500, "steps between two checkpoints")
	fl.Int64Var(&f.evalEvery, "eval-every", 2000, "steps between two evaluations on held-out puzzles; 0 means only at the end")
	fl.IntVar(&f.evalCount, "eval-count", 200, "puzzles of an evaluation")
	fl.BoolVar(&f.dryRun, "dry-run", false, "print the recipe as TOML, its parameters, and stop")
	f.net.addDevice(fl)
	writes(fl, "out", aFolder)
	cmd.MarkFlagsMutuallyExclusive("data", "tasks")
	return cmd
}

func openData(name string, seed uint64) (learn.Data, error) {
	src, rows, cols, err := task.Open(name, seed, false)
	return learn.Data{Source: src, Rows: rows, Cols: cols}, err
}

// learnFrom puts the data that the flags ask for into r.
func (f *trainFlags) learnFrom(r *learn.Recipe) error {
	name := f.data
	if f.tasks != "" {
		name = "arc:10:16:" + f.tasks
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = "dataset:" + name
	}
	if name != "" {
		src, rows, cols, err := task.Open(name, 0, false)
		if err != nil {
			return err
		}
		r.Learn(name, src.Shape(), rows, cols)
		if t := task.Of(name, src.Shape()); t != "" {
			r.Task = t
		}
	}
	if len(r.Stages) == 0 {
		return usagef("the recipe names no data: add --data or --tasks")
	}
	last := r.Stages[len(r.Stages)-1].Data
	if arg, ok := strings.CutPrefix(last, "arc:"); ok {
		arc, err := task.ParseARC(arg)
		if err != nil {
			return fmt.Errorf("data %q: %w", last, err)
		}
		demos, _ := arc.Sets()
		r.Identifiers = demos.Names
	}
	return nil
}

// checkData makes sure before anything begins that the data of every stage is there and fits r, and that
// the held-out puzzles of the evaluations can be read.
func (f *trainFlags) checkData(r learn.Recipe) error {
	checked := map[string]bool{}
	for _, st := range r.Stages {
		if checked[st.Data] {
			continue
		}
		checked[st.Data] = true
		src, _, _, err := task.Open(st.Data, 0, false)
		if err != nil {
			return err
		}
		if t := task.Of(st.Data, src.Shape()); t != "" && t != r.Task {
			return fmt.Errorf("data %q is for task %q, the recipe's is %q", st.Data, t, r.Task)
		}
		if err := r.Fits(src.Shape()); err != nil {
			return fmt.Errorf("data %q: %w", st.Data, err)
		}
	}
	last := r.Stages[len(r.Stages)-1].Data
	src, _, _, err := task.Open(last, r.Seed+1, true)
	if err != nil {
		return err
	}
	if err := r.Fits(src.Shape()); err != nil {
		return fmt.Errorf("data %q, held out: %w", last, err)
	}
	if !strings.Contains(last, "dataset:") {
		return nil // generated, or read as a whole
	}
	in, label := make([]int32, src.Shape().SeqLen), make([]int32, src.Shape().SeqLen)
	for range f.evalCount {
		if _, err := src.Next(in, label); err != nil {
			return fmt.Errorf("data %q: %w", last, err)
		}
	}
	return nil
}

// dataError gives the code of a wrong flag to what is wrong with a data name, not with what it names.
func dataError(err error) error {
	if _, ok := errors.AsType[*task.NameError](err); ok {
		return withCode(exitUsage, err)
	}
	return err
}

func train(cmd *cobra.Command, f *trainFlags, name string) error {
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
	r, err := readRecipe(name)
	if err != nil {
		return err
	}
	if err := f.learnFrom(&r); err != nil && !(f.dryRun && errors.Is(err, fs.ErrNotExist)) {
		return dataError(err)
	}
	if f.forceSteps {
		r.Steps = f.steps
	}
	if f.forceSeed {
		r.Seed = f.seed
	}
	if f.forceBatch {
		r.Batch = f.batch
	}
	if err := r.Check(); err != nil {
		return withCode(exitUsage, err)
	}
	if err := f.checkData(r); err != nil && !(f.dryRun && errors.Is(err, fs.ErrNotExist)) {
		return dataError(err)
	}
	dev, err := f.net.use()
	if err != nil {
		return err
	}
	if err := f.choosePrecision(cmd, &r, dev); err != nil {
		return err
	}
	fields, err := asTOML(r)
	if err != nil {
		return err
	}
	if f.dryRun {
		params := torch.NewParams(dev)
		defer params.Close()
		m, err := hrm.New(r.Model, params, 0)
		if err != nil {
			return err
		}
		defer m.Close()
		fmt.Fprintf(cmd.OutOrStdout(), "# %d parameters\n", params.Count())
		return toml.NewEncoder(cmd.OutOrStdout()).Encode(fields)
	}
	t, err := learn.NewTrainer(r, openData, dev)
	if err != nil {
		return err
	}
	defer t.Close()
	if f.begin != "" {
		c, err := openCheckpoint(f.begin)
		if err != nil {
			return err
		}
		n, err := learn.NewNet(f.begin, c, dev)
		c.Close()
		if err != nil {
			return err
		}
		err = t.Begin(n)
		n.Close()
		if err != nil {
			return err
		}
	}
	log, err := runlog.Create(dir)
	if err != nil {
		return err
	}
	err = runlog.WriteConfig(dir, fields)
	if err == nil {
		info := runlog.Info{Command: append([]string{"ponder"}, os.Args[1:]...), Seed: r.Seed, Started: time.Now(), State: "running"}
		info.Describe()
		err = (&training{f: f, dir: dir, log: log, info: info, t: t, dev: dev}).run(cmd.Context())
	}
	if step, _ := t.Position(); err != nil && step == 0 && exitCode(err) != exitInterrupted {
		log.Discard() // nothing was learned; err says why
	}
	return err
}

// choosePrecision sets the number format that --precision asks for. The choice becomes part of the
// run's configuration, so that a resumed run keeps it.
func (f *trainFlags) choosePrecision(cmd *cobra.Command, r *learn.Recipe, dev torch.Device) error {
	switch f.precision {
	case "":
	case "float32", "bf16":
		r.Model.BF16 = f.precision == "bf16"
	case "auto":
		times, err := learn.MeasurePrecision(*r, openData, dev)
		if err != nil {
			return err
		}
		names := map[bool]string{false: "float32", true: "bf16"}
		r.Model.BF16 = times[0].BF16
		fmt.Fprintf(cmd.ErrOrStderr(), "precision: %s at %.1f ms a step, %s takes %.1f\n", names[times[0].BF16], 1e3*times[0].Step.Seconds(),
			names[times[1].BF16], 1e3*times[1].Step.Seconds())
	default:
		return usagef("--precision %q: want float32, bf16 or auto", f.precision)
	}
	return nil
}

func resume(cmd *cobra.Command, f *trainFlags) error {
	dev, err := f.net.use()
	if err != nil {
		return err
	}
	dir := f.resume
	c, step, err := checkpoint.LoadNewest(filepath.Join(dir, runCheckpoints))
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, checkpoint.ErrDamaged) {
		return fmt.Errorf("resume %s: no checkpoint in %s; want the --out folder of a run that saved one", dir, filepath.Join(dir, runCheckpoints))
	}
	if err != nil {
		return fmt.Errorf("resume %s: %w", dir, err)
	}
	defer c.Close()
	if c.Warning != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "ponder:", c.Warning)
	}
	st, r, err := learn.ReadState(c)
	if err != nil {
		return err
	}
	var saved savedTrain
	if err := json.Unmarshal(c.Train, &saved); err != nil {
		return fmt.Errorf("resume %s: %w", dir, err)
	}
	st.Position = saved.Position
	t, err := learn.NewTrainer(r, openData, dev)
	if err != nil {
		return fmt.Errorf("resume %s: %w", dir, err)
	}
	defer t.Close()
	if err := t.Restore(st); err != nil {
		return fmt.Errorf("resume %s: %w", dir, err)
	}
	log, err := runlog.Resume(dir, int64(step))
	if err != nil {
		return err
	}
	info, err := runlog.ReadInfo(dir)
	if err != nil {
		return err
	}
	info.State, info.Error, info.Ended, info.Step = "running", "", nil, int64(step)
	info.Resumed = append(info.Resumed, time.Now())
	f.logEvery, f.saveEvery, f.evalEvery, f.evalCount = saved.LogEvery, saved.SaveEvery, saved.EvalEvery, saved.EvalCount
	return (&training{f: f, dir: dir, log: log, info: info, t: t, dev: dev, sum: saved.Sum}).run(cmd.Context())
}

// savedTrain is train.json: the trainer's position and what the log had gathered.
type savedTrain struct {
	Position  json.RawMessage `json:"position"`
	Sum       sums            `json:"sum"`
	LogEvery  int64           `json:"log_every"`
	SaveEvery int64           `json:"save_every"`
	EvalEvery int64           `json:"eval_every"`
	EvalCount int             `json:"eval_count"`
}

// sums gathers what a line of metrics averages.
type sums struct {
	Steps     int64   `json:"steps"`
	Loss      float64 `json:"loss"`
	QLoss     float64 `json:"q_loss"`
	Finished  int     `json:"finished"`
	Exact     int     `json:"exact"`
	Accuracy  float64 `json:"accuracy"`
	QAccuracy int     `json:"q_accuracy"`
	Segments  int     `json:"segments"`
}

func (s *sums) add(r learn.Result) {
	rows := float64(r.Rows)
	s.Steps++
	s.Loss += r.Loss.LM / rows
	s.QLoss += (r.Loss.QHalt + r.Loss.QContinue) / rows
	s.Finished += r.Metrics.Count
	s.Exact += r.Metrics.ExactAccuracy
	s.Accuracy += r.Metrics.Accuracy
	s.QAccuracy += r.Metrics.QHaltAccuracy
	s.Segments += r.Metrics.Segments
}

// training is a run under way.
type training struct {
	f     *trainFlags
	dir   string
	log   *runlog.Log
	info  runlog.Info
	t     *learn.Trainer
	dev   torch.Device
	sum   sums
	last  think.Evaluation
	since time.Time // of the last line of metrics
	done  int       // sequences finished since then
}

func (r *training) run(ctx context.Context) (err error) {
	if err := runlog.WriteInfo(r.dir, r.info); err != nil {
		return err
	}
	defer func() {
		r.info.State = "finished"
		switch {
		case exitCode(err) == exitInterrupted:
			r.info.State = "interrupted"
		case err != nil:
			r.info.State, r.info.Error = "failed", err.Error()
		}
		now := time.Now()
		r.info.Ended = &now
		r.info.Step, _ = r.t.Position()
		end := errors.Join(runlog.WriteInfo(r.dir, r.info), r.log.Close())
		if err == nil {
			err = end // what fails after a failure says nothing new
		}
		err = r.goesOn(err)
	}()
	recipe := r.t.Recipe()
	step, _ := r.t.Position()
	meter := runlog.NewMeter(os.Stderr, step, recipe.Steps, time.Now)
	meter.Print(fmt.Sprintf("%s: %d parameters, %d steps of %d rows on %s (libtorch %s, kernels %s, %d threads) into %s",
		recipe.Task, r.t.Model().Params().Count(), recipe.Steps, recipe.Batch, r.dev, torch.Version(), torch.Kernels(), torch.Threads(), r.dir))
	r.since = time.Now()
	for !r.t.Done() {
		if ctx.Err() != nil {
			meter.Done()
			return r.stop(step)
		}
		res, err := r.t.Step()
		if err != nil {
			return err
		}
		var stage int
		step, stage = r.t.Position()
		r.sum.add(res)
		r.done += res.Metrics.Count
		n := max(1, r.sum.Finished)
		meter.Update(step, fmt.Sprintf("stage %d", stage+1), fmt.Sprintf("loss %.3f", r.sum.Loss/float64(r.sum.Steps)),
			fmt.Sprintf("exact %.1f%%", 100*float64(r.sum.Exact)/float64(n)), fmt.Sprintf("%.1f segments", float64(r.sum.Segments)/float64(n)))
		if step%r.f.logEvery == 0 || r.t.Done() {
			if err := r.write(step, stage); err != nil {
				return err
			}
		}
		if r.f.evalEvery > 0 && step%r.f.evalEvery == 0 || r.t.Done() {
			if err := r.evaluate(ctx, step); err != nil && ctx.Err() != nil {
				meter.Done()
				return r.stop(step)
			} else if err != nil {
				return err
			}
			meter.Print(fmt.Sprintf("step %d: held out: exact %.1f%%, cells %.2f%%, %.2f segments",
				step, 100*r.last.ExactAccuracy, 100*r.last.CellAccuracy, r.last.MeanSegments))
		}
		if step%r.f.saveEvery == 0 || r.t.Done() {
			if err := r.save(); err != nil {
				return err
			}
		}
	}
	meter.Done()
	return r.finish()
}

// stop saves a run that was interrupted.
func (r *training) stop(step int64) error {
	if err := r.save(); err != nil {
		return err
	}
	return withCode(exitInterrupted, fmt.Errorf("stopped at step %d, saved; go on with: ponder train --resume %s", step, r.dir))
}

// goesOn adds to the error of a file, as on a full disk, what there is to go on from.
func (r *training) goesOn(err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); !ok {
		return err
	}
	steps, serr := checkpoint.Steps(filepath.Join(r.dir, runCheckpoints))
	if serr != nil || len(steps) == 0 {
		return err
	}
	return fmt.Errorf("%w; step %d is saved, go on when it is mended: ponder train --resume %s", err, steps[len(steps)-1], r.dir)
}

// write appends the line of metrics of the steps since the last one.
func (r *training) write(step int64, stage int) error {
	s, steps, n := r.sum, float64(r.sum.Steps), float64(max(1, r.sum.Finished))
	now := time.Now()
	rate := float64(r.done) / now.Sub(r.since).Seconds()
	r.since, r.done = now, 0
	r.sum = sums{}
	recipe := r.t.Recipe()
	return r.log.Write(step, "train",
		runlog.Int("stage", int64(stage)), // from 0, as in the recipe's list
		runlog.Float("loss", s.Loss/steps), runlog.Float("q_loss", s.QLoss/steps),
		runlog.Float("exact_accuracy", float64(s.Exact)/n), runlog.Float("accuracy", s.Accuracy/n),
		runlog.Float("q_halt_accuracy", float64(s.QAccuracy)/n), runlog.Float("segments", float64(s.Segments)/n),
		runlog.Float("lr", torch.Schedule{LR: recipe.LR, MinRatio: recipe.MinRatio, Warmup: recipe.Warmup, Steps: recipe.Steps}.At(step)),
		runlog.Float("puzzles_per_second", rate))
}

// evaluate examines the averaged weights on held-out puzzles of the last stage.
func (r *training) evaluate(ctx context.Context, step int64) error {
	recipe := r.t.Recipe()
	data := recipe.Stages[len(recipe.Stages)-1].Data
	src, rows, cols, err := task.Open(data, recipe.Seed+1, true)
	if err != nil {
		return err
	}
	if err := r.t.Swap(); err != nil {
		return err
	}
	r.last, err = exam.Evaluate(ctx, r.t.Thinking(), src, rows, cols, r.f.evalCount, exam.Config{})
	if err := errors.Join(err, r.t.Swap()); err != nil {
		return err
	}
	return r.log.Write(step, "eval",
		runlog.Float("exact_accuracy", r.last.ExactAccuracy), runlog.Float("cell_accuracy", r.last.CellAccuracy),
		runlog.Float("judged_accuracy", r.last.JudgedAccuracy), runlog.Float("q_halt_accuracy", r.last.QHaltAccuracy),
		runlog.Float("segments", r.last.MeanSegments),
		runlog.Float("puzzles_per_second", r.last.PuzzlesPerSecond))
}

// save writes a checkpoint after the lines of metrics that belong before it.
func (r *training) save() error {
	if err := r.log.Sync(); err != nil {
		return err
	}
	st, err := r.t.State()
	if err != nil {
		return err
	}
	step, _ := r.t.Position()
	snap := st.Snapshot(r.t.Recipe(), r.card())
	snap.Train = savedTrain{st.Position, r.sum, r.f.logEvery, r.f.saveEvery, r.f.evalEvery, r.f.evalCount}
	return checkpoint.SaveStep(filepath.Join(r.dir, runCheckpoints), int(step), 2, snap)
}

// finish writes the weights alone as the run's model.
func (r *training) finish() error {
	st, err := r.t.State()
	if err != nil {
		return err
	}
	snap := st.Snapshot(r.t.Recipe(), r.card())
	snap.Optimizer, snap.Train = nil, nil
	dir := filepath.Join(r.dir, runModel)
	if err := checkpoint.Save(dir, snap); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "finished: %s\n", dir)
	return nil
}

// card is the model card of the weights as they are.
func (r *training) card() checkpoint.Card {
	recipe := r.t.Recipe()
	step, _ := r.t.Position()
	card := checkpoint.Card{
		License: "apache-2.0", Tags: []string{"hrm", "ponder", recipe.Task}, Name: filepath.Base(r.dir),
		Summary:    fmt.Sprintf("HRM for %s after %d of %d steps.", recipe.Task, step, recipe.Steps),
		Env:        recipe.Task,
		Parameters: int64(r.t.Model().Params().Count()),
		Command:    strings.Join(r.info.Command, " "),
	}
	if r.last.Count > 0 {
		on := fmt.Sprintf("%d held-out puzzles of %s", r.last.Count, recipe.Stages[len(recipe.Stages)-1].Data)
		card.Results = []checkpoint.Result{
			{Metric: "exact_accuracy", On: on, Value: r.last.ExactAccuracy},
			{Metric: "mean_segments", On: on, Value: r.last.MeanSegments},
		}
	}
	return card
}
