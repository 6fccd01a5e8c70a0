package think

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env"
)

// A Model is a network and what is to be known to use it. It may be shared.
type Model struct {
	Name    string        // for traces and messages
	Engine  string        // what computes: "torch" or "go"
	Kernels func() string // what the engine computes with on this machine; nil if it does not say
	Core    Core
	Usage   Usage

	Precision Precision // in which it computes

	plane sync.Once // see planes
	plans []plane
	err   error
}

// A Precision is the number format in which a network computes: float32; or bf16 or int8, to which the factors of its products are
// rounded. If it was chosen for its speed, Times are the milliseconds of a segment of eight sequences in each format.
type Precision struct {
	Name  string             `json:"name"`
	Times map[string]float64 `json:"ms,omitempty"`
}

// String is the choice in words, the fastest first.
func (p Precision) String() string {
	if len(p.Times) == 0 {
		return p.Name
	}
	names := slices.SortedFunc(maps.Keys(p.Times), func(a, b string) int {
		return cmp.Or(cmp.Compare(p.Times[a], p.Times[b]), cmp.Compare(a, b))
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s %.4g", name, p.Times[name]))
	}
	return fmt.Sprintf("%s, chosen by milliseconds of a segment: %s", p.Name, strings.Join(parts, ", "))
}

// A Usage says how a network was trained to be used: the part of a checkpoint's config.json that
// thinking reads.
type Usage struct {
	Task         string     `json:"task"`                   // what it answers, a name of package task
	Halting      act.Config `json:"evaluation"`             //
	Loss         string     `json:"loss"`                   // AnyOf: the right answers of a cell are a set
	Judge        string     `json:"judge"`                  // what q_halt foresees: "" every cell right, or a judge of the task
	NoContinue   bool       `json:"no_continue"`            // q_continue was not trained
	Unanswerable bool       `json:"unanswerable,omitempty"` // q_continue says that the question has no right answer, or several
	KeepCarry    bool       `json:"keep_carry"`             // decisions of an episode go on where the last one ended
	Price        float64    `json:"price"`                  // of a segment in units of return, as its halting was learned; 0 if it was not
	Discount     float64    `json:"discount"`               // of the return; 0 where there is none

	Env       string `json:"env"` // id of the environment that it learned to act in, "" for none
	env.Split        // the levels that it learned from

	Identifiers []string `json:"identifiers"` // names of the rows of the puzzle table (ARC)
	Data        []string `json:"-"`           // names of what it learned from, as task.Open reads them, that of the most steps first
}

// AnyOf is the Usage.Loss of labels that are bit masks of right classes.
const AnyOf = "any-of"

// A Stage is a part of a training: the rows of Data, as task.Open reads it, up to the share Until of all steps.
type Stage struct {
	Data  string  `json:"data"`
	Until float64 `json:"until"`
}

// DataOf are the different Data of stages, that of the most steps first.
func DataOf(stages []Stage) []string {
	shares, begin := map[string]float64{}, 0.0
	for _, s := range stages {
		shares[s.Data] += s.Until - begin
		begin = s.Until
	}
	return slices.SortedFunc(maps.Keys(shares), func(a, b string) int {
		return cmp.Or(cmp.Compare(shares[b], shares[a]), cmp.Compare(a, b))
	})
}

// ReadUsage reads the part of config.json that says how to use the network beside it.
func ReadUsage(config []byte) (Usage, error) {
	var c struct {
		Usage
		Stages []Stage `json:"stages"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return Usage{}, err
	}
	u := c.Usage
	u.Data = DataOf(c.Stages)
	if err := u.Halting.Check(); err != nil {
		return u, fmt.Errorf("evaluation: %w", err)
	}
	_, err := task.NewJudge(u.Task, u.Judge, 1)
	return u, err
}

// foresees reports whether q_halt was trained. That of a policy which always thinks the most segments was
// not: nothing asks it.
func (u Usage) foresees() bool { return u.Task != task.PolicyTask || u.Halting.Rule != act.Never }

// Close frees the network, if it holds what is to be freed.
func (m *Model) Close() error {
	if c, ok := m.Core.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Scorer is what compares the network's answers with labels, on grids of cols columns.
func (u Usage) Scorer(cols int) (Scorer, error) {
	j, err := task.NewJudge(u.Task, u.Judge, cols)
	return Scorer{Sets: u.Loss == AnyOf, Judge: j}, err
}

// A Config says how a model is to think. The zero value halts as it was trained to and starts every
// decision afresh.
type Config struct {
	Halting   act.Config // MaxSegments 0 means the model's own
	KeepCarry bool       // start a decision in the state in which the last one of the episode ended
	Restarts  int        // how often a thought begins anew from a random state, see Thinker; not with KeepCarry
	Many                 // several thoughts about a question, not with KeepCarry

	// First is how many segments the first decision of an episode takes, whatever the rule says; 0 leaves
	// it to the rule. A Policy heeds it.
	First int

	// Stop ends the decisions of a Policy besides, by what it would do; "" leaves them to Halting.
	Stop    Stop
	Entropy float64 // of the actions, in nats, below which StopEntropy ends a decision

	// Sample draws an action from the probabilities that a policy gives, instead of the likeliest: what
	// it learned to do, and what gets it out of going to and fro. Only for models that learned to act.
	Sample     bool
	SampleSeed uint64

	last bool // a thought that the most segments end says what its last segment says, not its most content
}

// A Stop is a way to end a decision that needs no Q head: simple rules that one that was learned is to beat. The most segments
// of Halting end it in any case.
type Stop string

const (
	StopUniform   Stop = "uniform"   // after a number of segments drawn evenly for every decision
	StopEntropy   Stop = "entropy"   // when the actions' entropy is below Config.Entropy; only of models that learned to act
	StopUnchanged Stop = "unchanged" // when the likeliest action is that of the segment before
)

// Stops are all of them.
func Stops() []Stop { return []Stop{StopUniform, StopEntropy, StopUnchanged} }

// of fills in what zero values mean, and checks.
func (c Config) of(m *Model) (Config, error) {
	if c.Halting.MaxSegments == 0 {
		c.Halting = m.Usage.Halting
	}
	c.Halting.ExplorationProb = 0
	switch {
	case c.First < 0:
		return c, fmt.Errorf("think: %d segments first, want 0 or more", c.First)
	case c.Restarts < 0:
		return c, fmt.Errorf("think: %d restarts, want 0 or more", c.Restarts)
	case c.Restarts > 0 && c.KeepCarry:
		return c, errors.New("think: restarts and a kept carry exclude each other")
	case c.Thoughts > 1 && c.KeepCarry:
		return c, errors.New("think: several thoughts and a kept carry exclude each other")
	case c.Thoughts > 1 && m.Usage.Task == task.PolicyTask:
		return c, fmt.Errorf("think: model %s learned to act: it has one thought about what it sees", m.Name)
	case c.Stop != "" && !slices.Contains(Stops(), c.Stop):
		return c, fmt.Errorf("think: stop %q: want one of %q", c.Stop, Stops())
	case c.Stop == StopEntropy && m.Usage.Task != task.PolicyTask:
		return c, fmt.Errorf("think: model %s answers %s: only a policy's actions have an entropy", m.Name, m.Usage.Task)
	case c.Stop == StopEntropy && !(c.Entropy > 0):
		return c, fmt.Errorf("think: entropy %v, want more than 0", c.Entropy)
	case c.Sample && m.Usage.Task != task.PolicyTask:
		return c, fmt.Errorf("think: model %s answers %s: only a policy's actions can be drawn", m.Name, m.Usage.Task)
	}
	if err := c.Many.check(); err != nil {
		return c, err
	}
	var err error
	if c.Many, err = c.Many.For(m.Core); err != nil {
		return c, fmt.Errorf("think: model %s: %w", m.Name, err)
	}
	if t, err := task.Find(m.Usage.Task); c.several() && c.Pick == PickCheck && (err != nil || t.Check == nil) {
		return c, errNoCheck
	}
	c.last = m.Usage.Task == task.PolicyTask
	return c, c.Halting.Check()
}

// thinking lets n rows of m's think as c says.
func (m *Model) thinking(rows Rows, n int, c Config) *thinking {
	th := newThinking(m.Core, rows, n, c)
	if t, err := task.Find(m.Usage.Task); err == nil {
		th.asked, th.check = t.Asked, CheckOf(t, m.Core.Spec().Shape.Cols)
	}
	return th
}

// check reports the first value that the network has no vector for.
func (s Spec) check(in Input) error {
	end := s.Tokens(len(in.Tokens))
	for t, v := range in.Tokens {
		if v < 0 || int(v) >= end {
			return fmt.Errorf("input, cell %d: %d, want a token in [0, %d)", t, v, end)
		}
	}
	if s.IDs > 0 && (in.ID < 0 || int(in.ID) >= s.IDs) {
		return fmt.Errorf("puzzle identifier %d, want one in [0, %d)", in.ID, s.IDs)
	}
	return nil
}
