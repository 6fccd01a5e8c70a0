package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/internal/shell"
)

// Options are what a run does not depend on.
type Options struct {
	Out     io.Writer // gets progress and notes as text; nil means nobody does
	Command []string  // recorded as what began the run; nil means the process's own
	Until   int64     // stop, and save, when so many steps are done: the error is a Stopped of ErrUntil; 0 means at the end
}

// ErrUntil is the cause of a Stopped that Options.Until asked for.
var ErrUntil = errors.New("so many steps were asked for")

// A Stopped is the error of a run that ended early because its context did, and is saved.
type Stopped struct {
	Dir   string
	Step  int64
	Cause error // the context's, or ErrUntil
}

func (e *Stopped) Error() string {
	return fmt.Sprintf("stopped at step %d, saved in %s", e.Step, e.Dir)
}
func (e *Stopped) Unwrap() error { return e.Cause }

// version is that of train.json. A run of version 1 has no such field and no "state": what its learner,
// the supervised one, saved stands beside the plan.
const version = 2

// saved is train.json.
type saved struct {
	Version int    `json:"version"`
	Learner string `json:"learner"`
	Plan
	EvalDue bool            `json:"eval_due"` // this step is to be evaluated, and was not yet
	State   json.RawMessage `json:"state"`
}

// run is one under way.
type run struct {
	dir     string
	plan    Plan
	learner Learner
	about   Description
	log     *runlog.Log
	info    Info
	meter   *runlog.Meter
	due     bool      // the step in hand is to be evaluated
	since   time.Time // of the last line of metrics
}

// Begin starts a run of l in the folder dir, which must not be there yet or be empty, and trains until all
// steps are done or ctx ends: then the run is saved and the error is a Stopped. Where not even the first
// step was done nothing is left.
func Begin(ctx context.Context, dir string, l Learner, p Plan, o Options) error {
	if err := p.Check(); err != nil {
		return fmt.Errorf("run %s: %w", dir, err)
	}
	r := &run{dir: dir, plan: p, learner: l, about: l.Describe()}
	config, err := TOML(r.about.Config)
	if err != nil {
		return fmt.Errorf("run %s: %w", dir, err)
	}
	if r.log, err = runlog.Create(dir); err != nil {
		return err
	}
	if err = errors.Join(r.hyper(), replaceFile(filepath.Join(dir, ConfigFile), config)); err == nil {
		r.info = Info{Command: o.Command, Learner: r.about.Learner, Seed: r.about.Seed, Started: time.Now(), Compute: r.about.Compute}
		if r.info.Command == nil {
			r.info.Command = os.Args
		}
		r.info.describe()
		err = r.train(ctx, o)
	}
	_, stopped := errors.AsType[*Stopped](err)
	_, diverged := errors.AsType[*Diverged](err)
	if err != nil && !stopped && !diverged && r.done() == 0 {
		for _, name := range []string{ConfigFile, InfoFile} {
			os.Remove(filepath.Join(dir, name))
		}
		r.log.Discard()
	}
	return err
}

// hyper tells TensorBoard the configuration, which it lists beside the results of the runs.
func (r *run) hyper() error {
	b, err := json.Marshal(r.about.Config)
	var config any
	if err == nil {
		err = json.Unmarshal(b, &config)
	}
	if err != nil {
		return err
	}
	flat := flatten(config, ".%d")
	flat["seed"] = float64(r.about.Seed)
	r.log.Events.Hyper(flat, time.Now())
	return nil
}

// Resume goes on with the run in dir from its newest whole checkpoint, with the learner that open makes
// of it. What it finds out about checkpoints that are damaged, and about what will compute otherwise
// than it did before, it says on o.Out before it begins.
func Resume(ctx context.Context, dir string, open Open, o Options) error {
	r, notes, err := resume(dir, open)
	if err != nil {
		return fmt.Errorf("resume %s: %w", dir, err)
	}
	defer r.learner.Close()
	if o.Out != nil {
		for _, note := range notes {
			fmt.Fprintln(o.Out, "ponder:", note)
		}
	}
	return r.train(ctx, o)
}

// resume opens the run in dir. The caller closes its learner.
func resume(dir string, open Open) (r *run, notes []string, err error) {
	series := filepath.Join(dir, checkpoint.RunSeries)
	c, step, err := checkpoint.LoadNewest(series)
	if err != nil {
		if steps, _ := checkpoint.Steps(series); len(steps) == 0 {
			err = fmt.Errorf("no checkpoint in %s; want the folder of a run that saved one", series)
		}
		return nil, nil, err
	}
	defer c.Close()
	if c.Warning != nil {
		notes = append(notes, c.Warning.Error())
	}
	r = &run{dir: dir}
	s := &Saved{Checkpoint: c, Step: int64(step)}
	if err := r.read(s); err != nil {
		return nil, nil, fmt.Errorf("checkpoint %s: %w", c.Dir, err)
	}
	if r.info, err = ReadInfo(dir); err != nil {
		return nil, nil, err
	}
	s.Compute = r.info.Compute
	l, err := open(s)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	r.learner, r.about = l, l.Describe()
	if done := r.done(); done != s.Step {
		return nil, nil, fmt.Errorf("checkpoint %s: what it holds is of step %d", c.Dir, done)
	}
	machine := r.info.Machine
	r.info.describe()
	notes = append(notes, r.compare(machine)...)
	r.info.Learner, r.info.Compute = r.about.Learner, r.about.Compute
	r.info.Error, r.info.Ended, r.info.Step = "", nil, s.Step
	r.info.Resumed = append(r.info.Resumed, time.Now())
	if r.due {
		r.log, err = runlog.ResumeBefore(dir, s.Step, "eval")
	} else {
		r.log, err = runlog.Resume(dir, s.Step)
	}
	return r, notes, err
}

// read reads train.json into r and s.
func (r *run) read(s *Saved) error {
	if s.Train == nil || s.Optimizer == nil {
		return errors.New("weights only, training cannot go on from it")
	}
	t := saved{Version: 1, Learner: "supervised", State: s.Train}
	if err := json.Unmarshal(s.Train, &t); err != nil {
		return fmt.Errorf("%s: %w", checkpoint.TrainFile, err)
	}
	if t.Version < 1 || t.Version > version {
		return fmt.Errorf("%s: version %d, this ponder reads 1 to %d", checkpoint.TrainFile, t.Version, version)
	}
	if err := t.Check(); err != nil {
		return fmt.Errorf("%s: %w", checkpoint.TrainFile, err)
	}
	r.plan, r.due = t.Plan, t.EvalDue
	s.Learner, s.State = t.Learner, t.State
	return nil
}

// compare says what will compute otherwise than it did on machine.
func (r *run) compare(machine string) (notes []string) {
	now := r.about.Compute
	if r.info.Compute.Threads == 0 && now.Threads > 0 {
		notes = append(notes, fmt.Sprintf("the run does not say with how many threads it computed, as runs of older versions do not: if not with %d, it will end with other weights", now.Threads))
	}
	if list := differences(r.info.Compute, machine, now, r.info.Machine); len(list) > 0 {
		notes = append(notes, fmt.Sprintf("the run goes on with %s: it will end with other weights than a run in one go", strings.Join(list, "; ")))
	}
	return notes
}

func (r *run) done() int64 {
	done, _ := r.learner.Steps()
	return done
}

// train does the steps that are left and records how that ended.
func (r *run) train(ctx context.Context, o Options) (err error) {
	out := o.Out
	if out == nil {
		out = io.Discard
	}
	r.info.State = Running
	if err := writeInfo(r.dir, r.info); err != nil {
		return errors.Join(err, r.log.Close())
	}
	defer func() {
		r.info.State = Finished
		if _, stopped := errors.AsType[*Stopped](err); stopped {
			r.info.State = Interrupted
		} else if err != nil {
			r.info.State, r.info.Error = Failed, err.Error()
		}
		now := time.Now()
		r.info.Ended, r.info.Step = &now, r.done()
		end := errors.Join(writeInfo(r.dir, r.info), r.log.Close())
		if err == nil {
			err = end // what fails after a failure says nothing new
		}
	}()
	done, all := r.learner.Steps()
	r.meter = runlog.NewMeter(out, done, all, time.Now)
	r.meter.Unit = r.about.Unit
	c := r.about.Compute
	r.meter.Print(fmt.Sprintf("%s on %s (%s; kernels: %s; %s, %d threads) into %s", r.about.Text, c.Device, c.Library, c.Kernels, c.Precision, c.Threads, r.dir))
	defer r.meter.Done()
	r.since = time.Now()
	if r.due {
		err := r.evaluate(ctx)
		if err == nil && done >= all {
			err = r.save()
		}
		if err != nil {
			return err
		}
	}
	for done < all {
		if ctx.Err() != nil {
			return r.stop(context.Cause(ctx))
		}
		if o.Until > 0 && done >= o.Until {
			return r.stop(ErrUntil)
		}
		if done, err = r.step(ctx); err != nil {
			return err
		}
	}
	snap, err := r.snapshot()
	if err != nil {
		return err
	}
	snap.Optimizer, snap.Train = nil, nil
	dir := filepath.Join(r.dir, checkpoint.RunModel)
	if err := checkpoint.Save(dir, snap); err != nil {
		return err
	}
	r.meter.Done()
	r.meter.Print("finished: " + dir)
	return nil
}

// step does one step and what is due after it: first the lines, then the checkpoint that counts on them.
func (r *run) step(ctx context.Context) (done int64, err error) {
	before := r.done()
	if err := r.learner.Step(ctx); err != nil {
		if ctx.Err() != nil {
			err = r.stop(context.Cause(ctx))
		}
		if d, ok := errors.AsType[*Diverged](err); ok {
			err = r.diverged(d, err)
		}
		return before, err
	}
	done, all := r.learner.Steps()
	due := func(every int64) bool { return every > 0 && done/every > before/every || done >= all }
	r.meter.Update(done, r.learner.Progress()...)
	if due(r.plan.LogEvery) {
		now := time.Now()
		if err := r.log.Write(done, "train", append(r.learner.Metrics(now.Sub(r.since)), timeOf(now))...); err != nil {
			return done, err
		}
		r.since = now
	}
	if r.due = due(r.plan.EvalEvery); r.due {
		if err := r.evaluate(ctx); err != nil {
			return done, err
		}
	}
	if due(r.plan.SaveEvery) {
		return done, r.save()
	}
	return done, nil
}

// timeOf is the field that says when a line was written.
func timeOf(t time.Time) runlog.Field { return runlog.String("time", t.UTC().Format(time.RFC3339)) }

// evaluate examines the learner at the step in hand.
func (r *run) evaluate(ctx context.Context) error {
	e, err := r.learner.Evaluate(ctx, r.plan.EvalCount)
	if err != nil && ctx.Err() != nil {
		return r.stop(context.Cause(ctx))
	}
	if err != nil {
		return err
	}
	for _, v := range e.Spreads {
		r.log.Events.Histogram("eval/"+v.Name, r.done(), v.Values)
	}
	for _, p := range e.Pictures {
		r.log.Events.Image("eval/"+p.Name, r.done(), p.Image)
	}
	if err := r.log.Write(r.done(), "eval", append(e.Fields, timeOf(time.Now()))...); err != nil {
		return err
	}
	r.due = false
	r.meter.Print(fmt.Sprintf("step %d: %s", r.done(), e.Text))
	return nil
}

// stop saves a run that ends early.
func (r *run) stop(cause error) error {
	r.meter.Done()
	if err := r.save(); err != nil {
		return err
	}
	return &Stopped{Dir: r.dir, Step: r.done(), Cause: cause}
}

// save writes a checkpoint after the lines of metrics that belong before it.
func (r *run) save() error {
	if err := r.log.Sync(); err != nil {
		return err
	}
	snap, err := r.snapshot()
	if err != nil {
		return err
	}
	state, err := json.Marshal(snap.Train)
	if err != nil {
		return err
	}
	snap.Train = saved{Version: version, Learner: r.about.Learner, Plan: r.plan, EvalDue: r.due, State: state}
	return checkpoint.SaveStep(filepath.Join(r.dir, checkpoint.RunSeries), int(r.done()), 2, snap)
}

// snapshot is the learner's with what the card says of the run.
func (r *run) snapshot() (checkpoint.Snapshot, error) {
	snap, err := r.learner.Snapshot()
	snap.Card.Name, snap.Card.Command = filepath.Base(r.dir), shell.Join(r.info.Command)
	return snap, err
}
