package learn

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"path/filepath"
	"reflect"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/internal/strictjson"
	"github.com/ponder-agents/ponder/torch"
)

// A Recipe is everything that decides what a training run computes.
type Recipe struct {
	Task  string     `json:"task"` // what the network answers, one that a family registers
	Model hrm.Config `json:"model,omitzero"`

	// Cell, if not nil, is the recurrent network that takes Model's place.
	Cell *hrm.CellConfig `json:"cell,omitempty"`

	hrm.Training
	Precision hrm.Precision `json:"precision"` // in which the network computes; "" means float32. Weights are float32 in any case

	Halting      act.Config `json:"halting"`                // while training
	Evaluation   act.Config `json:"evaluation"`             // afterwards: kept with the weights
	Loss         LossKind   `json:"loss"`                   // "" means Stablemax
	NoContinue   bool       `json:"no_continue"`            // see LoopConfig
	Unanswerable bool       `json:"unanswerable,omitempty"` // see LoopConfig
	Judge        string     `json:"judge"`                  // what halting foresees: "" every cell right, or a judge of the task
	StartNoise   float64    `json:"start_noise"`            // see LoopConfig

	Adam        torch.AdamConfig `json:"adam"`
	LR          float64          `json:"lr"`
	MinRatio    float64          `json:"lr_min_ratio"`
	Warmup      int64            `json:"lr_warmup"`
	Clip        float64          `json:"clip"` // longest norm of a step's gradients, longer ones are scaled down; 0 means any
	PuzzleLR    float64          `json:"puzzle_lr"`
	PuzzleDecay float64          `json:"puzzle_decay"`
	EMA         float64          `json:"ema"`
	EMAWarmup   bool             `json:"ema_warmup"`

	Batch  int     `json:"batch"`
	Steps  int64   `json:"steps"`
	Seed   uint64  `json:"seed"`
	Stages []Stage `json:"stages"`

	Identifiers []string `json:"identifiers,omitempty"` // names of the rows of the puzzle table (ARC)
}

// A Stage is a part of a course, easy ones first. It ends when Until of all steps are done, or
// earlier when the last Window steps, of at least MinSteps in this stage, were exact enough.
type Stage struct {
	Data        string  `json:"data"`         // what to learn from, as the caller's opener reads it
	Until       float64 `json:"until"`        // share of Recipe.Steps; the last stage's is 1
	Exact       float64 `json:"exact"`        // share of finished sequences answered exactly; 0 means wait for Until
	Window      int     `json:"window"`       // steps over which Exact is measured
	MinSteps    int64   `json:"min_steps"`    // least length of the stage
	MaxSegments int     `json:"max_segments"` // 0 means Halting.MaxSegments
	Batch       int     `json:"batch"`        // rows of a step; 0 means Recipe.Batch
}

// UnmarshalJSON reads a recipe, over what r is, as package strictjson does. Where the model says what recipes of
// before said there, its gradient and whether it computes in bfloat16, that is Training and Precision.
func (r *Recipe) UnmarshalJSON(data []byte) error {
	type plain Recipe
	if err := strictjson.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	var has struct{ Model, Cell json.RawMessage }
	if err := json.Unmarshal(data, &has); err != nil {
		return err
	}
	if has.Model == nil {
		if has.Cell != nil {
			r.Model = hrm.Config{} // that of a preset
		}
		return nil
	}
	return arch.ReadTraining(has.Model, &r.Training, &r.Precision)
}

// Spec says what the network takes and gives.
func (r Recipe) Spec() hrm.Spec {
	if r.Cell != nil {
		return r.Cell.Spec()
	}
	return r.Model.Spec()
}

// What a run may be: many times what anybody trains.
const (
	mostBatch  = 1 << 16
	mostSteps  = 1 << 40
	mostWindow = 1 << 20
)

// Check reports every problem of r at once.
func (r Recipe) Check() error {
	var bad problems.List
	bad.Add(r.Batch < 1 || r.Batch > mostBatch, "batch", "%d, want 1 to %d", r.Batch, mostBatch)
	bad.Add(r.Steps < 1 || r.Steps > mostSteps, "steps", "%d, want 1 to %d", r.Steps, int64(mostSteps))
	bad.Add(!(r.LR > 0), "lr", "%v, want more than 0", r.LR)
	bad.Add(!(r.MinRatio >= 0 && r.MinRatio <= 1), "lr_min_ratio", "%v, want 0 to 1", r.MinRatio)
	bad.Add(r.Warmup < 0, "lr_warmup", "%d, want 0 or more", r.Warmup)
	bad.Add(!(r.Clip >= 0), "clip", "%v, want 0 or more", r.Clip)
	bad.Add(r.Unanswerable && !r.NoContinue, "unanswerable", "true, wants no_continue = true")
	bad.Add(!(r.StartNoise >= 0), "start_noise", "%v, want 0 or more", r.StartNoise)
	bad.Add(!(r.PuzzleLR >= 0), "puzzle_lr", "%v, want 0 or more", r.PuzzleLR)
	bad.Add(!(r.PuzzleDecay >= 0), "puzzle_decay", "%v, want 0 or more", r.PuzzleDecay)
	bad.Add(!(r.EMA >= 0 && r.EMA < 1), "ema", "%v, want 0 to below 1", r.EMA)
	bad.Add(len(r.Stages) == 0, "stages", "empty, want one or more")
	last := 0.0
	for i, st := range r.Stages {
		of := func(field string) string { return fmt.Sprintf("stages[%d].%s", i, field) }
		bad.Add(st.Until < last || st.Until > 1, of("until"), "%v, want %v, where the stage before ends, to 1", st.Until, last)
		bad.Add(st.Batch < 0 || st.Batch > mostBatch, of("batch"), "%d, want 1 to %d, or 0 for the recipe's", st.Batch, mostBatch)
		bad.Add(!(st.Exact >= 0 && st.Exact <= 1), of("exact"), "%v, want 0 to 1", st.Exact)
		bad.Add(st.Exact > 0 && st.Window < 1 || st.Window > mostWindow, of("window"), "%d, want 1 to %d", st.Window, mostWindow)
		bad.Add(st.MinSteps < 0, of("min_steps"), "%d, want 0 or more", st.MinSteps)
		bad.Add(st.MaxSegments < 0 || st.MaxSegments > act.MostSegments, of("max_segments"), "%d, want 0 to %d", st.MaxSegments, act.MostSegments)
		last = st.Until
	}
	bad.Add(len(r.Stages) > 0 && last != 1, fmt.Sprintf("stages[%d].until", len(r.Stages)-1), "%v of the last stage, want 1", last)
	bad = append(bad, r.checkNetwork())
	bad.In("halting", r.Halting.Check())
	bad.In("evaluation", r.Evaluation.Check())
	bad.In("adam", r.Adam.Check())
	if r.Loss != "" {
		bad.In("loss", r.Loss.Check())
	}
	_, err := task.NewJudge(r.Task, r.Judge, 1)
	bad = append(bad, err)
	t, err := task.Find(r.Task) // one that nobody registered is of the caller's own opener
	if err == nil && t.Sets && r.Loss != AnyOf {
		bad = append(bad, fmt.Errorf("task %q has sets of right answers, want loss %q", r.Task, AnyOf))
	}
	if err := bad.Err(); err != nil {
		return fmt.Errorf("recipe: %w", err)
	}
	return nil
}

// checkNetwork reports every problem of the network at once.
func (r Recipe) checkNetwork() error {
	errs := []error{r.Training.Check(), r.Precision.Check()}
	switch {
	case r.Cell == nil:
		errs = append(errs, r.Model.Check())
	case !reflect.ValueOf(r.Model).IsZero():
		errs = append(errs, errors.New("a model and a cell, want one of them"))
	case r.Unroll > 1:
		errs = append(errs, fmt.Errorf("unroll is %d, want 1: the gradients of a cell end in the segment", r.Unroll))
	case r.Cell.Vocab == 0:
		errs = append(errs, errors.New("cell.vocab is 0, want that of the data"))
	default:
		errs = append(errs, r.Cell.Check())
	}
	return errors.Join(errs...)
}

// Fits reports whether the network can read and answer rows of this shape.
func (r Recipe) Fits(s puzzle.Shape) error {
	m := r.Spec()
	vocab, outputs := m.Tokens(s.SeqLen), m.Outputs
	if m.Symbols != 0 {
		outputs = vocab
	}
	classes, limit := s.Labels, r.Loss.labels(outputs)
	if classes == 0 {
		classes = s.Vocab
	}
	switch {
	case s.Vocab > vocab:
		return fmt.Errorf("its vocabulary is %d, model.vocab is %d", s.Vocab, vocab)
	case r.Loss == AnyOf && s.Labels == 0:
		return fmt.Errorf("its labels are tokens, loss %q wants sets of classes", AnyOf)
	case classes > limit:
		return fmt.Errorf("its labels are in [0, %d), the model tells %d apart", classes, limit)
	case m.IDs > 0 && s.Identifiers > m.IDs:
		return fmt.Errorf("it has %d puzzle identifiers, model.puzzle_ids is %d", s.Identifiers, m.IDs)
	case s.SeqLen != m.Seq && (m.Rows == 0 || m.Fixed):
		return fmt.Errorf("its rows have %d tokens, model.seq is %d", s.SeqLen, m.Seq)
	}
	return nil
}

// Learn makes r learn from one kind of data, and its network fit: vocabulary, classes, length,
// identifiers, the shape of the grid and of its regions.
func (r *Recipe) Learn(data string, s puzzle.Shape, rows, cols int) {
	r.Stages = []Stage{{Data: data, Until: 1}}
	outputs := s.Labels
	if r.Loss == AnyOf && s.Labels > 0 {
		outputs = bits.Len(uint(s.Labels - 1)) // the classes whose sets labels are
	}
	if c := r.Cell; c != nil {
		c.Vocab, c.Outputs, c.Seq, c.Rows, c.Cols = s.Vocab, outputs, s.SeqLen, rows, cols
		return
	}
	m := &r.Model
	m.Vocab, m.Outputs, m.Seq, m.Rows, m.Cols = s.Vocab, outputs, s.SeqLen, rows, cols
	if m.Regions != nil {
		m.Regions = nil
		if t, err := task.Find(r.Task); err == nil && t.Boxes != nil {
			if height, width, ok := t.Boxes(s.SeqLen); ok {
				m.Regions = hrm.Tiles(rows, cols, height, width)
			}
		}
	}
	if m.PuzzleDim > 0 {
		m.PuzzleIDs = s.Identifiers
	}
}

// usage is what thinking with the network needs to know.
func (r Recipe) usage() think.Usage {
	var stages []think.Stage
	for _, s := range r.Stages {
		stages = append(stages, think.Stage{Data: s.Data, Until: s.Until})
	}
	return think.Usage{
		Task: r.Task, Halting: r.Evaluation, Loss: string(r.Loss), Judge: r.Judge, NoContinue: r.NoContinue, Unanswerable: r.Unanswerable, Identifiers: r.Identifiers,
		Data: think.DataOf(stages),
	}
}

// ReadRecipe is the preset of that name, or what a TOML file says, which is read by run.ReadTOML.
func ReadRecipe(name string) (Recipe, error) {
	if filepath.Ext(name) != ".toml" {
		return Preset(name)
	}
	return run.ReadTOML(name, "preset", Preset)
}
