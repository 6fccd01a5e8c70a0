package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/runlog"
)

// A Learner is what a run trains. One goroutine uses it at a time.
type Learner interface {
	// Describe says what it is. It does not change.
	Describe() Description
	// Steps is how many steps are done, and how many there are in all.
	Steps() (done, all int64)
	// Step does the next step, or the next few: Steps says. Where ctx ends in the middle it may return
	// its cause, and is then as it was before the step.
	Step(ctx context.Context) error
	// Progress is what the line on the terminal says of the steps since Metrics, such as "loss 0.812".
	Progress() []string
	// Metrics returns the values of the steps since its last call, which took d. Those that depend on
	// time have "time" or "per_second" in their names.
	Metrics(d time.Duration) []runlog.Field
	// Evaluate examines what was learned on count puzzles, or episodes, that are not learned from. It
	// changes nothing that the next steps depend on.
	Evaluate(ctx context.Context, count int) (Evaluation, error)
	// Snapshot copies everything that the following steps depend on, Metrics included: Train is what
	// Saved.State will be. The run fills in what the card says of the run.
	Snapshot() (checkpoint.Snapshot, error)
	// Close frees what it holds.
	Close()
}

// A Description is what a run records of its learner.
type Description struct {
	Learner string  // its kind, by which Resume tells who goes on: "supervised"
	Text    string  // for people: "sudoku: 135,000 parameters, 36000 steps of 32 rows"
	Unit    string  // what Steps counts; "" means steps
	Seed    uint64  // root of all random streams
	Config  any     // everything that decides what is computed, as it encodes to JSON; becomes config.toml
	Compute Compute // with what
}

// An Evaluation is what an examination found: a line for people and one of metrics.
type Evaluation struct {
	Text   string
	Fields []runlog.Field

	// For TensorBoard alone: how values are spread, and what was answered.
	Spreads  []Spread
	Pictures []Picture
}

// A Spread is values of one kind, as the segments that each puzzle took.
type Spread struct {
	Name   string
	Values []float32
}

// A Picture is of what was found.
type Picture struct {
	Name  string
	Image image.Image
}

// A Plan says when a run does what, in what Learner.Steps counts.
type Plan struct {
	LogEvery  int64 `json:"log_every"`  // between two lines of metrics
	SaveEvery int64 `json:"save_every"` // between two checkpoints
	EvalEvery int64 `json:"eval_every"` // between two evaluations; 0 means only at the end
	EvalCount int   `json:"eval_count"` // puzzles, or episodes, of an evaluation
}

// Check reports every field that is out of range, in one line.
func (p Plan) Check() error {
	var bad []string
	least := func(name string, v, least int64) {
		if v < least {
			bad = append(bad, fmt.Sprintf("%s is %d, want %d or more", name, v, least))
		}
	}
	least("log_every", p.LogEvery, 1)
	least("save_every", p.SaveEvery, 1)
	least("eval_every", p.EvalEvery, 0)
	least("eval_count", int64(p.EvalCount), 1)
	if len(bad) == 0 {
		return nil
	}
	return errors.New(strings.Join(bad, "; "))
}

// Saved is what a run left to go on from. Its tensors are valid while Resume's open runs.
type Saved struct {
	*checkpoint.Checkpoint
	Step    int64
	Learner string          // Description.Learner
	State   json.RawMessage // what Snapshot gave as Train
	Compute Compute         // with what the run computed last; the zero value if it does not say
}

// An Open makes the learner that goes on from what was saved; Resume closes it.
type Open func(s *Saved) (Learner, error)
