package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/text"
	"github.com/ponder-agents/ponder/models"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// modelFlags choose a network, what computes it and where.
type modelFlags struct {
	engineFlags
	model     string
	precision string
	threads   int
}

func (f *modelFlags) add(flags *pflag.FlagSet, model string) {
	flags.StringVar(&f.model, "model", model, "name of a shipped model (ponder models) or a checkpoint folder")
	flags.StringVar(&f.precision, "precision", "", "number format to compute in, float32 or bf16; default the one that the model was trained in; the engine go has float32 alone")
	f.engineFlags.add(flags)
	flags.IntVar(&f.threads, "threads", 0, "threads of one operation; 0 leaves it to the engine")
}

// open loads the model.
func (f *modelFlags) open() (*think.Model, error) {
	name, err := f.choose()
	if err != nil {
		return nil, err
	}
	if err := f.checkPrecision(name); err != nil {
		return nil, err
	}
	c, err := openCheckpoint(f.model)
	if err != nil {
		return nil, err
	}
	if name == engineTorch {
		defer c.Close()
		return f.openTorch(c)
	}
	if f.threads > 0 {
		runtime.GOMAXPROCS(f.threads)
	}
	return engine.Open(f.model, c)
}

func (f *modelFlags) checkPrecision(engine string) error {
	switch p := arch.Precision(f.precision); {
	case p.Check() != nil:
		return cli.Usagef("--precision %q: want %s or %s", p, arch.Float32, arch.BFloat16)
	case engine == engineGo && p == arch.BFloat16:
		return cli.Usagef("--precision %s: the engine go has %s alone", p, arch.Float32)
	}
	return nil
}

// openCheckpoint opens a shipped model by name, a checkpoint folder, or the newest checkpoint of a run.
func openCheckpoint(name string) (*checkpoint.Checkpoint, error) {
	c, err := models.Find(name)
	if err == nil && c.Warning != nil {
		fmt.Fprintln(os.Stderr, "ponder:", text.Plain(c.Warning.Error()))
	}
	return c, err
}

// thinkFlags say how a model thinks. They are the same for everything that thinks.
type thinkFlags struct {
	segments  int
	rule      string
	threshold float32
	restarts  int
	keep      bool

	changed func(flag string) bool
}

func (f *thinkFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.IntVar(&f.segments, "segments", 0, "most segments, more than in training too; 0 means the model's own limit")
	fl.StringVar(&f.rule, "rule", "", "halting rule: halt-above, halt-over-continue or never (always the most segments); default the model's own")
	fl.Float32Var(&f.threshold, "threshold", 0, "q_halt that halt-above asks for; default the model's own")
	fl.IntVar(&f.restarts, "restarts", 0, "times to begin again from a random state where the most segments end without the rule being content; the try of the largest q_halt counts")
	fl.BoolVar(&f.keep, "keep-carry", false, "start a decision where the last one of the episode ended, not afresh")
	f.changed = fl.Changed
}

// check reports what is wrong with the flags, whatever the model.
func (f *thinkFlags) check() error {
	if f.restarts > 0 && f.keep {
		return cli.Usagef("--restarts and --keep-carry exclude each other")
	}
	if r := new(act.Rule); f.rule != "" && r.UnmarshalText([]byte(f.rule)) != nil {
		return cli.Usagef("rule %q: want halt-over-continue, halt-above or never", f.rule)
	}
	return nil
}

// config is how m is to think: its own halting but for what the flags say.
func (f *thinkFlags) config(m *think.Model) (think.Config, error) {
	if err := f.check(); err != nil {
		return think.Config{}, err
	}
	w := think.Wishes{Segments: f.segments, Rule: f.rule, Restarts: f.restarts, KeepCarry: f.keep}
	if f.changed != nil && f.changed("threshold") {
		w.Threshold = &f.threshold
	}
	cfg, err := w.Config(m)
	return cfg, cli.WithCode(cli.ExitUsage, err)
}

// mindFlags say how an agent that is watched thinks: the flags of play and record.
type mindFlags struct {
	thinkFlags
	engineFlags
}

func (f *mindFlags) add(cmd *cobra.Command) {
	f.thinkFlags.add(cmd)
	f.engineFlags.add(cmd.Flags())
}

// check reports what is wrong with the flags, whatever the model.
func (f *mindFlags) check() error {
	if _, err := f.choose(); err != nil {
		return err
	}
	return f.thinkFlags.check()
}

// askFlags say how a model is asked: the flags of eval and solve.
type askFlags struct {
	modelFlags
	thinkFlags
	many   think.Many
	sure   float64
	votes  int
	batch  int
	seed   uint64
	asJSON bool
}

func (f *askFlags) add(cmd *cobra.Command, model, seedOf string) {
	fl := cmd.Flags()
	f.modelFlags.add(fl, model)
	f.thinkFlags.add(cmd)
	fl.IntVar(&f.many.Thoughts, "thoughts", 1, "thoughts about each question, all but the first from a disturbed start; one of them answers")
	fl.Float64Var(&f.many.Noise, "noise", 1, "standard deviation of what disturbs the start of a thought")
	fl.StringVar((*string)(&f.many.Pick), "pick", string(think.PickQ), "which thought answers: q (the largest q_halt), first (to be content), vote (the answer that most give) or residual (the smallest last change)")
	fl.Float64Var(&f.sure, "sure", 0, "answer only what the model is so sure of, 0 to 1: coverage, risk and calibration; 0 answers all")
	fl.IntVar(&f.votes, "votes", 1, "symmetric copies that vote, the question itself included")
	fl.IntVar(&f.batch, "batch", 64, "sequences thought about at once")
	fl.Uint64Var(&f.seed, "seed", 0, "of "+seedOf)
	fl.BoolVar(&f.asJSON, "json", false, "one JSON object")
}

// check reports what is wrong with the flags, whatever the model.
func (f *askFlags) check() error {
	if !slices.Contains(think.Picks(), f.many.Pick) {
		return cli.Usagef("--pick %s: want one of %q", f.many.Pick, think.Picks())
	}
	if f.many.Thoughts > 1 && f.keep {
		return cli.Usagef("--thoughts and --keep-carry exclude each other")
	}
	return f.thinkFlags.check()
}

// open loads the model and says how it is to be asked.
func (f *askFlags) open() (*think.Model, exam.Config, error) {
	m, err := f.modelFlags.open()
	if err != nil {
		return nil, exam.Config{}, err
	}
	cfg, err := f.config(m)
	if err != nil {
		m.Close()
		return nil, exam.Config{}, err
	}
	cfg.Many = f.many
	return m, exam.Config{Config: cfg, Batch: f.batch, Votes: f.votes, Seed: f.seed, Sure: f.sure}, nil
}
