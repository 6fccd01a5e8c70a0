//go:build cgo && !notorch

package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/runlog"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/task/puzzles"
	"github.com/ponder-agents/ponder/agent/task/show"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// Supervised is the learner of a Trainer's runs, as run.json names it.
const Supervised = "supervised"

// ComputeOf is what decides, beside a configuration, what is computed on dev in this process.
func ComputeOf(dev torch.Device, p hrm.Precision) run.Compute {
	c := run.Compute{
		Device: dev.String(), Threads: torch.Threads(), Precision: "float32", Library: "libtorch " + torch.Version(), Kernels: torch.Kernels(),
	}
	switch p {
	case hrm.BFloat16:
		c.Precision = "bfloat16"
	case hrm.TF32:
		c.Precision = "tf32"
	}
	if _, text, ok := strings.Cut(torch.Build(), "CPU capability usage: "); ok {
		name, _, _ := strings.Cut(text, "\n")
		c.Kernels += ", libtorch's " + name
	}
	return c
}

// Describe implements run.Learner.
func (t *Trainer) Describe() run.Description {
	r := t.recipe
	return run.Description{
		Learner: Supervised,
		Text:    fmt.Sprintf("%s: %d parameters, %d steps of %d rows", r.Task, t.params.Count(), r.Steps, r.Batch),
		Seed:    r.Seed, Config: r, Compute: ComputeOf(t.params.Device(), r.Precision),
	}
}

// Steps implements run.Learner.
func (t *Trainer) Steps() (done, all int64) { return t.step, t.recipe.Steps }

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

func (s *sums) add(r Result) {
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

// Progress implements run.Learner.
func (t *Trainer) Progress() []string {
	s, n := t.sum, float64(max(1, t.sum.Finished))
	return []string{
		fmt.Sprintf("stage %d", t.stage+1), fmt.Sprintf("loss %.3f", s.Loss/float64(max(1, s.Steps))),
		fmt.Sprintf("exact %.1f%%", 100*float64(s.Exact)/n), fmt.Sprintf("%.1f segments", float64(s.Segments)/n),
	}
}

// Metrics implements run.Learner.
func (t *Trainer) Metrics(d time.Duration) []runlog.Field {
	s, steps, n := t.sum, float64(max(1, t.sum.Steps)), float64(max(1, t.sum.Finished))
	rate := float64(t.rows) / d.Seconds()
	t.sum, t.rows = sums{}, 0
	return []runlog.Field{
		runlog.Int("stage", int64(t.stage)), // from 0, as in the recipe's list
		runlog.Float("loss", s.Loss/steps), runlog.Float("q_loss", s.QLoss/steps),
		runlog.Float("exact_accuracy", float64(s.Exact)/n), runlog.Float("accuracy", s.Accuracy/n),
		runlog.Float("q_halt_accuracy", float64(s.QAccuracy)/n), runlog.Float("segments", float64(s.Segments)/n),
		runlog.Float("lr", t.opt.LR()), runlog.Float("puzzles_per_second", rate),
	}
}

// examined is the last evaluation, for the model card.
type examined struct {
	Count    int     `json:"count"`
	Exact    float64 `json:"exact_accuracy"`
	Segments float64 `json:"mean_segments"`
}

// Evaluate examines the weights to use, the averaged ones if there are, on held-out puzzles of the last
// stage.
func (t *Trainer) Evaluate(ctx context.Context, count int) (e run.Evaluation, err error) {
	data, err := t.open(t.lastData(), t.recipe.Seed+1, true)
	if err != nil {
		return e, err
	}
	m, err := t.Thinking()
	if err != nil {
		return e, err
	}
	var first []int32 // the answer to the first row
	v, err := exam.EvaluateEach(ctx, m, data.Source, data.Rows, data.Cols, count, exam.Config{}, func(th *think.Thought, pred, _ []int32, _ think.Score) error {
		if th.Job == 0 {
			first = slices.Clone(pred)
		}
		return nil
	})
	if err := errors.Join(err, m.Close()); err != nil {
		return e, err
	}
	e.Spreads = []run.Spread{{Name: "segments", Values: v.Taken}}
	if e.Pictures, err = t.picture(first); err != nil {
		return e, err
	}
	t.found = &examined{v.Count, v.ExactAccuracy, v.MeanSegments}
	e.Text = fmt.Sprintf("held out: exact %.1f%%, cells %.2f%%, %.2f segments", 100*v.ExactAccuracy, 100*v.CellAccuracy, v.MeanSegments)
	e.Fields = []runlog.Field{
		runlog.Float("exact_accuracy", v.ExactAccuracy), runlog.Float("cell_accuracy", v.CellAccuracy),
		runlog.Float("judged_accuracy", v.JudgedAccuracy), runlog.Float("q_halt_accuracy", v.QHaltAccuracy),
		runlog.Float("segments", v.MeanSegments),
		runlog.Float("puzzles_per_second", v.PuzzlesPerSecond),
	}
	return e, nil
}

// picture is the first held-out row beside the answer to it, where rows and answers are boards of a family.
func (t *Trainer) picture(answer []int32) ([]run.Picture, error) {
	data, err := t.open(t.lastData(), t.recipe.Seed+1, true)
	if err != nil {
		return nil, err
	}
	shape := data.Source.Shape()
	f := task.KindOf(shape)
	if f == nil || shape.Labels != 0 || len(answer) != shape.SeqLen {
		return nil, nil
	}
	p := puzzles.Puzzle{Family: f, In: make([]int32, shape.SeqLen), Label: answer}
	if _, err := data.Source.Next(p.In, make([]int32, shape.SeqLen)); err != nil {
		return nil, err
	}
	img, err := show.Paint([]puzzles.Puzzle{p}, 16)
	if errors.Is(err, show.ErrLarge) {
		return nil, nil
	}
	return []run.Picture{{Name: "board", Image: img}}, err
}

// lastData is the name of what the last stage learns from.
func (t *Trainer) lastData() string { return t.recipe.Stages[len(t.recipe.Stages)-1].Data }

// trained is what train.json holds of a Trainer.
type trained struct {
	Position position  `json:"position"`
	Sum      sums      `json:"sum"`
	Found    *examined `json:"found,omitempty"`
}

type position struct {
	Step       int64   `json:"step"`
	Stage      int     `json:"stage"`
	StageStart int64   `json:"stage_start"`
	Window     []tally `json:"window"`
	Source     []byte  `json:"source"`
	Draws      []byte  `json:"draws"`
	Halter     []byte  `json:"halter"`
}

// Snapshot implements run.Learner.
func (t *Trainer) Snapshot() (snap checkpoint.Snapshot, err error) {
	snap.Config = t.recipe
	if snap.Model, snap.Optimizer, err = t.opt.Save(); err != nil {
		return snap, err
	}
	if err := t.loop.save(snap.Optimizer); err != nil {
		return snap, err
	}
	snap.Train = trained{Sum: t.sum, Found: t.found, Position: position{
		Step: t.step, Stage: t.stage, StageStart: t.stageStart, Window: t.window,
		Source: t.data.Source.AppendState(nil), Draws: t.draws.AppendState(nil), Halter: t.loop.halter.AppendState(nil),
	}}
	snap.Card = t.card()
	return snap, nil
}

// card is the model card of the weights as they are.
func (t *Trainer) card() checkpoint.Card {
	task := t.recipe.Task
	card := checkpoint.Card{
		License: "apache-2.0", Tags: []string{"hrm", "ponder", task},
		Summary: fmt.Sprintf("HRM for %s after %d of %d steps.", task, t.step, t.recipe.Steps),
		Env:     task, Parameters: int64(t.params.Count()),
	}
	if e := t.found; e != nil && e.Count > 0 {
		on := fmt.Sprintf("%d held-out puzzles of %s", e.Count, t.lastData())
		card.Results = []checkpoint.Result{
			{Metric: "exact_accuracy", On: on, Value: e.Exact},
			{Metric: "mean_segments", On: on, Value: e.Segments},
		}
	}
	return card
}

// Resume makes the Trainer that goes on from what a run of one saved, for run.Resume. It computes with as
// many threads as the run did; for another number call torch.SetThreads afterwards.
func Resume(s *run.Saved, open Open, dev torch.Device) (*Trainer, error) {
	if s.Learner != Supervised {
		return nil, fmt.Errorf("the run is of learner %q, not of %q training", s.Learner, Supervised)
	}
	var r Recipe
	if err := json.Unmarshal(s.Config, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", checkpoint.ConfigFile, err)
	}
	var st trained
	if err := json.Unmarshal(s.State, &st); err != nil {
		return nil, fmt.Errorf("%s: %w", checkpoint.TrainFile, err)
	}
	if s.Compute.Threads > 0 {
		torch.SetThreads(s.Compute.Threads)
	}
	weights, err := s.Model.Tensors()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", checkpoint.ModelFile, err)
	}
	t, err := trainerOf(r, open, dev, func(p *torch.Params) (hrm.Network, error) { return r.NetworkFrom(p, weights) })
	if err != nil {
		return nil, err
	}
	if err := t.restore(s, st, weights); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// restore continues from a state of the same recipe.
func (t *Trainer) restore(s *run.Saved, st trained, weights map[string]safetensors.Tensor) error {
	p := st.Position
	if p.Stage < 0 || p.Stage >= len(t.recipe.Stages) || p.Step < 0 || p.Step > t.recipe.Steps {
		return fmt.Errorf("training position: step %d in stage %d of %d", p.Step, p.Stage+1, len(t.recipe.Stages))
	}
	state, err := s.Optimizer.Tensors()
	if err != nil {
		return fmt.Errorf("%s: %w", checkpoint.OptimizerFile, err)
	}
	if err := t.opt.Load(weights, state, p.Step); err != nil {
		return err
	}
	t.step = p.Step
	if err := t.enter(p.Stage); err != nil {
		return err
	}
	t.stageStart, t.window, t.sum, t.found = p.StageStart, p.Window, st.Sum, st.Found
	if err := t.data.Source.SetState(p.Source); err != nil {
		return err
	}
	if err := t.draws.SetState(p.Draws); err != nil {
		return err
	}
	if err := t.loop.halter.SetState(p.Halter); err != nil {
		return err
	}
	return t.loop.load(state)
}
