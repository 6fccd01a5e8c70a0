//go:build cgo && !notorch

package learn

import (
	"encoding/json"
	"fmt"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// Data is what a stage learns from.
type Data struct {
	Source     puzzle.Source
	Rows, Cols int // shape of the grid; 0 means the model's own
}

// Open makes the data of a stage from its name; equal arguments give equal rows.
type Open func(name string, seed uint64) (Data, error)

// A Trainer runs a recipe, one step at a time. Its State is all that the following steps depend on.
type Trainer struct {
	recipe Recipe
	open   Open
	params *torch.Params
	model  *hrm.Model
	opt    *Optimizer
	draws  *rng.Rand

	step       int64
	stage      int
	stageStart int64
	data       Data
	loop       *Loop
	window     []tally // of the last steps of the stage, oldest first
}

// tally counts what finished in one step.
type tally struct{ Finished, Exact int }

// NewTrainer prepares step 1 of r on dev; open makes the data of its stages.
func NewTrainer(r Recipe, open Open, dev torch.Device) (*Trainer, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	t := &Trainer{recipe: r, open: open, params: torch.NewParams(dev)}
	var err error
	if t.model, err = hrm.New(r.Model, t.params, rng.Stream(r.Seed, "initialisation").Uint64()); err != nil {
		return nil, err
	}
	t.opt, err = NewOptimizer(t.params, OptimizerConfig{
		Adam:       r.Adam,
		Schedule:   torch.Schedule{LR: r.LR, MinRatio: r.MinRatio, Warmup: r.Warmup, Steps: r.Steps},
		TableLR:    r.PuzzleLR,
		TableDecay: r.PuzzleDecay,
		EMA:        r.EMA,
		EMAWarmup:  r.EMAWarmup,
	})
	if err != nil {
		t.Close()
		return nil, err
	}
	t.draws = rng.Stream(r.Seed, "explore")
	if err := t.enter(0); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Close frees what the trainer holds, the model's parameters included.
func (t *Trainer) Close() {
	if t.loop != nil {
		t.loop.Close()
	}
	if t.opt != nil {
		t.opt.Close()
	}
	if t.model != nil {
		t.model.Close()
	}
	t.params.Close()
}

// Model is the network being trained; its parameters are the live ones, not the average.
func (t *Trainer) Model() *hrm.Model { return t.model }

// Thinking is the network with its live parameters, to think with between steps. It stays the
// trainer's.
func (t *Trainer) Thinking() *think.Model {
	return &think.Model{Name: "in training", Engine: "torch", Core: NewCore(t.model), Usage: t.recipe.usage()}
}

// Begin starts from the weights of a network of the same shape instead of random ones; call it before
// the first step.
func (t *Trainer) Begin(n *Net) error {
	weights, err := n.Model.Params().Save()
	if err != nil {
		return err
	}
	if err := t.params.Load(weights); err != nil {
		return fmt.Errorf("begin with model %s: %w", n.Name, err)
	}
	return t.opt.Begin()
}

// Swap exchanges the live parameters with their average, if there is one: call it before and after
// an evaluation.
func (t *Trainer) Swap() error { return t.opt.Swap() }

// Recipe is what is being run.
func (t *Trainer) Recipe() Recipe { return t.recipe }

// Position is the number of the last step done, and the index of the stage that it ended in.
func (t *Trainer) Position() (step int64, stage int) { return t.step, t.stage }

// Done reports whether all steps are done.
func (t *Trainer) Done() bool { return t.step >= t.recipe.Steps }

// enter begins a stage: new data, and new rows unless grid, Batch and MaxSegments stay the same.
func (t *Trainer) enter(stage int) error {
	st := t.recipe.Stages[stage]
	data, err := t.open(st.Data, rng.Stream(t.recipe.Seed, fmt.Sprintf("data/%d", stage)).Uint64())
	if err != nil {
		return fmt.Errorf("stage %d (%s): %w", stage+1, st.Data, err)
	}
	if err := t.recipe.Fits(data.Source.Shape()); err != nil {
		return fmt.Errorf("stage %d (%s): %w", stage+1, st.Data, err)
	}
	halting := t.recipe.Halting
	if st.MaxSegments > 0 {
		halting.MaxSegments = st.MaxSegments
	}
	batch := t.recipe.Batch
	if st.Batch > 0 {
		batch = st.Batch
	}
	t.stage, t.stageStart, t.window = stage, t.step, nil
	seq := data.Source.Shape().SeqLen
	same := t.loop != nil && t.loop.batch.Rows == batch && t.loop.batch.Seq == seq && t.loop.halter.Config() == halting
	t.data = data
	if same {
		return nil
	}
	if t.loop != nil {
		t.loop.Close()
	}
	cols := data.Cols
	if cols == 0 {
		cols = t.recipe.Model.Cols
	}
	judge, err := task.NewJudge(t.recipe.Judge, cols)
	if err != nil {
		return err
	}
	t.loop, err = NewLoop(t.model, LoopConfig{Halting: halting, Loss: t.recipe.Loss, NoContinue: t.recipe.NoContinue, Judge: judge},
		batch, seq, act.FromRand(t.draws.Rand))
	if err != nil {
		return err
	}
	t.loop.Grid = [2]int{data.Rows, data.Cols}
	return nil
}

// Step does one step and moves to the next stage if it is time.
func (t *Trainer) Step() (Result, error) {
	res, err := learn(t.loop, t.data.Source, t.opt)
	if err != nil {
		return res, fmt.Errorf("step %d: %w", t.step+1, err)
	}
	t.step++
	st := t.recipe.Stages[t.stage]
	t.window = append(t.window, tally{res.Metrics.Count, res.Metrics.ExactAccuracy})
	if n := len(t.window) - max(st.Window, 1); n > 0 {
		t.window = t.window[n:]
	}
	if t.stage+1 < len(t.recipe.Stages) && t.learned(st) {
		return res, t.enter(t.stage + 1)
	}
	return res, nil
}

// learn thinks one segment about rows of src and learns from it.
func learn(l *Loop, src puzzle.Source, opt *Optimizer) (Result, error) {
	g, res, err := l.Gradients(func(_ int, in, label []int32) (int32, error) { return src.Next(in, label) })
	if err != nil {
		return res, err
	}
	defer g.Close()
	return res, opt.Apply(g)
}

// learned reports whether the stage is over.
func (t *Trainer) learned(st Stage) bool {
	if float64(t.step) >= st.Until*float64(t.recipe.Steps) {
		return true
	}
	if st.Exact == 0 || len(t.window) < st.Window || t.step-t.stageStart < st.MinSteps {
		return false
	}
	var sum tally
	for _, w := range t.window {
		sum.Finished += w.Finished
		sum.Exact += w.Exact
	}
	return sum.Finished > 0 && float64(sum.Exact) >= st.Exact*float64(sum.Finished)
}

// A State is all that the steps after it depend on, and the weights to use.
type State struct {
	Weights  map[string]safetensors.Tensor // to use: the average if there is one, and buffers
	Tensors  map[string]safetensors.Tensor // live parameters, moments, carry and rows
	Position json.RawMessage               // step, stage, random streams
}

// position is State.Position.
type position struct {
	Step       int64   `json:"step"`
	Stage      int     `json:"stage"`
	StageStart int64   `json:"stage_start"`
	Window     []tally `json:"window"`
	Source     []byte  `json:"source"`
	Draws      []byte  `json:"draws"`
	Halter     []byte  `json:"halter"`
}

// State copies the state after the last step.
func (t *Trainer) State() (State, error) {
	var st State
	var err error
	if st.Weights, st.Tensors, err = t.opt.Save(); err != nil {
		return st, err
	}
	if err := t.loop.save(st.Tensors); err != nil {
		return st, err
	}
	st.Position, err = json.Marshal(position{
		Step: t.step, Stage: t.stage, StageStart: t.stageStart, Window: t.window,
		Source: t.data.Source.AppendState(nil), Draws: t.draws.AppendState(nil), Halter: t.loop.halter.AppendState(nil),
	})
	return st, err
}

// Restore continues from a state of the same recipe.
func (t *Trainer) Restore(st State) error {
	var p position
	if err := json.Unmarshal(st.Position, &p); err != nil {
		return fmt.Errorf("training position: %w", err)
	}
	if p.Stage < 0 || p.Stage >= len(t.recipe.Stages) || p.Step < 0 || p.Step > t.recipe.Steps {
		return fmt.Errorf("training position: step %d in stage %d of %d", p.Step, p.Stage+1, len(t.recipe.Stages))
	}
	if err := t.opt.Load(st.Weights, st.Tensors, p.Step); err != nil {
		return err
	}
	t.step = p.Step
	if err := t.enter(p.Stage); err != nil {
		return err
	}
	t.stageStart, t.window = p.StageStart, p.Window
	if err := t.data.Source.SetState(p.Source); err != nil {
		return err
	}
	if err := t.draws.SetState(p.Draws); err != nil {
		return err
	}
	if err := t.loop.halter.SetState(p.Halter); err != nil {
		return err
	}
	return t.loop.load(st.Tensors, t.params.Device())
}

// save adds the rows and the carry to dst.
func (l *Loop) save(dst map[string]safetensors.Tensor) error {
	b := &l.batch
	rows, seq := int64(b.Rows), int64(b.Seq)
	dst["rows.inputs"] = safetensors.OfInt32s([]int64{rows, seq}, b.Inputs)
	dst["rows.labels"] = safetensors.OfInt32s([]int64{rows, seq}, b.Labels)
	dst["rows.ids"] = safetensors.OfInt32s([]int64{rows}, b.IDs)
	if l.carry.ZH == nil {
		return nil
	}
	return torch.Do(torch.NoGrad, func(s *torch.Scope) {
		for name, z := range map[string]*torch.Tensor{"carry.z_h": l.carry.ZH, "carry.z_l": l.carry.ZL} {
			// bfloat16 widens to float32 and back without loss.
			dst[name] = safetensors.OfFloat32s(torch.Shape(z), s.ReadFloats(nil, z))
		}
	})
}

// load restores what save added.
func (l *Loop) load(src map[string]safetensors.Tensor, dev torch.Device) error {
	for name, dst := range map[string][]int32{"rows.inputs": l.batch.Inputs, "rows.labels": l.batch.Labels, "rows.ids": l.batch.IDs} {
		x, err := src[name].Int64s()
		if err != nil || len(x) != len(dst) {
			return fmt.Errorf("tensor %q: %d values, want %d", name, len(x), len(dst))
		}
		for i, v := range x {
			dst[i] = int32(v)
		}
	}
	zh, ok := src["carry.z_h"]
	if !ok {
		return nil
	}
	zl := src["carry.z_l"]
	h, err := zh.Float32s()
	if err != nil {
		return err
	}
	lo, err := zl.Float32s()
	if err != nil {
		return err
	}
	l.carry.Drop()
	l.carry = hrm.Carry{}
	return torch.Do(torch.NoGrad, func(s *torch.Scope) {
		like := l.model.Start(s, l.batch.Rows, l.batch.Seq)
		l.carry = hrm.Carry{
			ZH: s.To(torch.From(s, dev, h, zh.Shape...), like.ZH.DType()),
			ZL: s.To(torch.From(s, dev, lo, zl.Shape...), like.ZL.DType()),
		}.Keep(s)
	})
}
