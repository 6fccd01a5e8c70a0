package ask

import (
	"encoding/json"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/cli"
	"github.com/ponder-agents/ponder/hrm/arch"
)

// Thinking says how a model thinks.
type Thinking struct {
	think.Wishes
	threshold float32
	changed   func(flag string) bool
}

// Add adds the flags to cmd.
func (t *Thinking) Add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&t.Segments, "segments", 0, "most segments, more than in training too; 0 means the model's own limit")
	f.StringVar(&t.Rule, "rule", "", "halting rule: halt-above, halt-over-continue or never (always the most segments); default the model's own")
	f.Float32Var(&t.threshold, "threshold", 0, "q_halt that halt-above asks for; default the model's own")
	f.IntVar(&t.Restarts, "restarts", 0, "times to begin again from a random state where the most segments end without the rule being content; the try of the largest q_halt counts")
	f.IntVar(&t.Thoughts, "thoughts", 1, "thoughts about each question, all but the first disturbed by noise; one of them answers")
	f.Float64Var(&t.Noise, "noise", 1, "how much disturbs a thought: standard deviation of what is added to its state; of beliefs 1 is 3 logits")
	f.StringVar((*string)(&t.Disturb), "disturb", "", "what of a thought noise disturbs: its beliefs (after every segment it leans towards answers drawn from its own probabilities; the default, where a network's answers are read off its state), its start, or its steps, the state after every segment")
	f.StringVar((*string)(&t.Pick), "pick", string(think.PickQ), "which thought answers: q (the largest q_halt), first (to be content), vote (the answer that most give), residual (the smallest last change) or check (one that keeps the rules, of ways the shortest: not the network's knowledge)")
	f.BoolVar(&t.KeepCarry, "keep-carry", false, "start a decision where the last one of the episode ended, not afresh")
	t.changed = f.Changed
}

// Check reports what is wrong with the flags, whatever the model, and must come before Config.
func (t *Thinking) Check() error {
	if t.Restarts > 0 && t.KeepCarry {
		return cli.Usagef("--restarts and --keep-carry exclude each other")
	}
	if t.Thoughts > 1 && t.KeepCarry {
		return cli.Usagef("--thoughts and --keep-carry exclude each other")
	}
	if t.Pick != "" && !slices.Contains(think.Picks(), t.Pick) {
		return cli.Usagef("--pick %s: want one of %q", t.Pick, think.Picks())
	}
	if t.Disturb != "" && !slices.Contains(think.Disturbs(), t.Disturb) {
		return cli.Usagef("--disturb %s: want one of %q", t.Disturb, think.Disturbs())
	}
	if r := new(act.Rule); t.Rule != "" && r.UnmarshalText([]byte(t.Rule)) != nil {
		return cli.Usagef("rule %q: want halt-over-continue, halt-above or never", t.Rule)
	}
	if t.changed != nil && t.changed("threshold") {
		t.Threshold = &t.threshold
	}
	return nil
}

// Of is how m is to think: its own halting but for what the flags say.
func (t *Thinking) Of(m *think.Model) (think.Config, error) {
	cfg, err := t.Config(m)
	return cfg, cli.WithCode(cli.ExitUsage, err)
}

// A Mind says how an agent that is watched thinks, and what computes it.
type Mind struct {
	Thinking
	open.Run
}

// Add adds the flags to cmd.
func (m *Mind) Add(cmd *cobra.Command) {
	m.Thinking.Add(cmd)
	AddEngine(cmd.Flags(), &m.Run)
	AddPrecision(cmd.Flags(), &m.Run)
}

// Check reports what is wrong with the flags, whatever the model.
func (m *Mind) Check() error {
	if _, err := Choose(m.Run); err != nil {
		return err
	}
	return m.Thinking.Check()
}

// Scene opens the world of c and the agent that is to play it.
func (m *Mind) Scene(c session.Choice) (*session.Scene, error) {
	s, err := open.Scene(c, m.Wishes, m.Run)
	return s, Code(err)
}

// Flags say how a model is asked: those of eval and solve.
type Flags struct {
	Model
	Thinking
	Sure  float64
	Votes int
	Batch int
	Seed  uint64
	JSON  bool
}

// Add adds the flags to cmd; seedOf says what the seed is of.
func (f *Flags) Add(cmd *cobra.Command, model, seedOf string) {
	fl := cmd.Flags()
	f.Model.Add(fl, model)
	f.Thinking.Add(cmd)
	fl.Float64Var(&f.Sure, "sure", 0, "answer only what the model is so sure of, 0 to 1: coverage, risk and calibration; 0 answers all")
	fl.IntVar(&f.Votes, "votes", 1, "symmetric copies that vote, the question itself included")
	fl.IntVar(&f.Batch, "batch", 64, "sequences thought about at once")
	fl.Uint64Var(&f.Seed, "seed", 0, "of "+seedOf)
	fl.BoolVar(&f.JSON, "json", false, "one JSON object")
}

// Open checks the flags, loads the model and says how it is to be asked.
func (f *Flags) Open() (*think.Model, exam.Config, error) {
	if err := f.Check(); err != nil {
		return nil, exam.Config{}, err
	}
	m, err := f.Model.Open()
	if err != nil {
		return nil, exam.Config{}, err
	}
	cfg, err := f.Of(m)
	if err != nil {
		m.Close()
		return nil, exam.Config{}, err
	}
	return m, exam.Config{Config: cfg, Batch: f.Batch, Votes: f.Votes, Seed: f.Seed, Sure: f.Sure}, nil
}

// Rounds reports whether m thinks in another precision than float32, as was asked: then what that costs is told too.
func (f *Flags) Rounds(m *think.Model) bool {
	return f.Precision != "" && m.Precision.Name != string(arch.Float32)
}

// InFloat32 opens the model again to think in float32; nil where m does not round. It is to be closed.
func (f *Flags) InFloat32(m *think.Model) (*think.Model, error) {
	if !f.Rounds(m) {
		return nil, nil
	}
	plain := f.Model
	plain.Precision = string(arch.Float32)
	return plain.Open()
}

// Report prints a result, for people or as JSON.
func (f *Flags) Report(w io.Writer, res interface{ Print(io.Writer) error }) error {
	if f.JSON {
		return json.NewEncoder(w).Encode(res)
	}
	return res.Print(w)
}
