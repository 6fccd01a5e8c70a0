//go:build cgo && !notorch

package learn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/internal/memory"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A Trainer runs a recipe, one step at a time. It is the learner of a run of supervised training.
type Trainer struct {
	recipe Recipe
	open   Open
	params *torch.Params
	net    hrm.Network
	opt    *Optimizer
	draws  *rng.Rand

	step       int64
	stage      int
	stageStart int64
	data       task.Rows
	loop       *Loop
	window     []tally // of the last steps of the stage, oldest first

	sum   sums // since the last line of metrics
	rows  int  // of sum.Finished, those of this process
	found *examined
}

// tally counts what finished in one step.
type tally struct{ Finished, Exact int }

// NewTrainer prepares step 1 of r on dev; open makes the data of its stages. The number of threads becomes
// torch.Threads for libtorch and its BLAS alike, so that it can be recorded and used again.
func NewTrainer(r Recipe, open Open, dev torch.Device) (*Trainer, error) {
	return trainerOf(r, open, dev, func(p *torch.Params) (hrm.Network, error) {
		return r.NewNetwork(p, rng.Stream(r.Seed, "initialisation").Uint64())
	})
}

// NewTrainerFrom is NewTrainer with the weights of a checkpoint called name, of a network of the same shape,
// instead of random ones. The checkpoint may be closed afterwards.
func NewTrainerFrom(name string, c *checkpoint.Checkpoint, r Recipe, open Open, dev torch.Device) (*Trainer, error) {
	return trainerOf(r, open, dev, func(p *torch.Params) (hrm.Network, error) { return r.NetworkOf(p, name, c) })
}

// NetworkOf is NetworkFrom with the weights of checkpoint c, which errors call name.
func (r Recipe) NetworkOf(p *torch.Params, name string, c *checkpoint.Checkpoint) (hrm.Network, error) {
	weights, err := c.Model.Tensors()
	if err != nil {
		return nil, fmt.Errorf("begin with model %s: %s: %w", name, checkpoint.ModelFile, err)
	}
	n, err := r.NetworkFrom(p, weights)
	if err != nil {
		return nil, fmt.Errorf("begin with model %s: %w", name, err)
	}
	return n, nil
}

func trainerOf(r Recipe, open Open, dev torch.Device, network func(*torch.Params) (hrm.Network, error)) (*Trainer, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	if err := r.checkMemory(dev); err != nil {
		return nil, err
	}
	torch.SetThreads(torch.Threads())
	t := &Trainer{recipe: r, open: open, params: torch.NewParams(dev)}
	var err error
	if t.net, err = network(t.params); err != nil {
		t.Close()
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

// checkMemory reports whether the largest batch of any stage can be learned from, on the CPU: the system ends a process
// that takes more than there is. What is on another device it says itself.
func (r Recipe) checkMemory(dev torch.Device) error {
	if dev != torch.CPU || r.Cell != nil {
		return nil
	}
	size, batch := 4, r.Batch
	if r.Precision == hrm.BFloat16 {
		size = 2
	}
	for _, st := range r.Stages {
		batch = max(batch, st.Batch)
	}
	rows := batch * max(r.Unroll, 1)
	return memory.Check(fmt.Sprintf("a batch of %d", batch), r.Model.StepBytes(rows, r.Model.Seq, r.Training.Gradient, size))
}

// Close frees what the trainer holds, the model's parameters included.
func (t *Trainer) Close() {
	if t.loop != nil {
		t.loop.Close()
	}
	if t.opt != nil {
		t.opt.Close()
	}
	if t.net != nil {
		t.net.Close()
	}
	t.params.Close()
}

// Network is what is being trained; its parameters are the live ones, not the average.
func (t *Trainer) Network() hrm.Network { return t.net }

// Thinking is the network as it is now, with the average of its parameters if there is one, to think with.
func (t *Trainer) Thinking() (*think.Model, error) {
	if err := t.opt.Swap(); err != nil {
		return nil, err
	}
	m, err := t.recipe.thinking("in training", t.net)
	return m, errors.Join(err, t.opt.Swap())
}

// enter begins a stage: new data, and new rows unless grid, batch and halting stay the same; rows that go
// on finish what they think about first.
func (t *Trainer) enter(stage int) error {
	st := t.recipe.Stages[stage]
	data, err := t.open(st.Data, rng.Stream(t.recipe.Seed, fmt.Sprintf("data/%d", stage)).Uint64(), false)
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
	seq, grid := data.Source.Shape().SeqLen, [2]int{data.Rows, data.Cols}
	t.data = data
	if l := t.loop; l != nil && l.batch.Rows == batch && l.batch.Seq == seq && l.Grid == grid && l.halter.Config() == halting {
		return nil
	}
	if t.loop != nil {
		t.loop.Close()
	}
	cols := data.Cols
	if cols == 0 {
		cols = t.recipe.Spec().Cols
	}
	judge, err := task.NewJudge(t.recipe.Task, t.recipe.Judge, cols)
	if err != nil {
		return err
	}
	t.loop, err = NewLoop(t.net, LoopConfig{Halting: halting, Loss: t.recipe.Loss, NoContinue: t.recipe.NoContinue, Unanswerable: t.recipe.Unanswerable, StartNoise: t.recipe.StartNoise, Unroll: t.recipe.Unroll, Judge: judge},
		batch, seq, act.FromRand(t.draws.Rand))
	if err != nil {
		return err
	}
	t.loop.Grid, t.loop.Noise = grid, t.draws.Rand
	return nil
}

// Step does one step and moves to the next stage if it is time.
func (t *Trainer) Step(context.Context) error {
	res, err := learn(t.loop, t.data.Source, t.opt, t.recipe.Clip)
	if err != nil {
		return fmt.Errorf("step %d: %w", t.step+1, err)
	}
	t.step++
	t.sum.add(res)
	t.rows += res.Metrics.Count
	st := t.recipe.Stages[t.stage]
	t.window = append(t.window, tally{res.Metrics.Count, res.Metrics.ExactAccuracy})
	if n := len(t.window) - max(st.Window, 1); n > 0 {
		t.window = t.window[n:]
	}
	if t.stage+1 < len(t.recipe.Stages) && t.learned(st) {
		return t.enter(t.stage + 1)
	}
	return nil
}

// learn thinks one segment about rows of src and learns from it, by gradients no longer than clip unless
// that is 0.
func learn(l *Loop, src puzzle.Source, opt *Optimizer, clip float64) (Result, error) {
	g, res, err := l.Gradients(func(_ int, in, label []int32) (int32, error) { return src.Next(in, label) })
	if err != nil {
		return res, err
	}
	defer g.Close()
	if clip > 0 {
		norm, err := g.Clip(clip)
		if err == nil {
			err = run.CheckFinite("gradient", norm, l.rows)
		}
		if err != nil {
			return res, err
		}
	}
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

// save adds the rows and the carry to dst.
func (l *Loop) save(dst map[string]safetensors.Tensor) error {
	maps.Copy(dst, l.rows())
	return torch.Do(torch.NoGrad, func(s *torch.Scope) {
		for k, z := range l.carry {
			// bfloat16 widens to float32 and back without loss.
			dst[l.carryName(k)] = safetensors.OfFloat32s(torch.Shape(z), s.ReadFloats(nil, z))
		}
	})
}

// rows is what the batch holds.
func (l *Loop) rows() map[string]safetensors.Tensor {
	b := &l.batch
	rows, seq := int64(b.Rows), int64(b.Seq)
	return map[string]safetensors.Tensor{
		"rows.inputs": safetensors.OfInt32s([]int64{rows, seq}, b.Inputs),
		"rows.labels": safetensors.OfInt32s([]int64{rows, seq}, b.Labels),
		"rows.ids":    safetensors.OfInt32s([]int64{rows}, b.IDs),
	}
}

// carryName is the name under which the state of level k is saved: carry.z_h of "H".
func (l *Loop) carryName(k int) string {
	return "carry.z_" + strings.ToLower(l.net.Spec().States[k].Name)
}

// load restores what save added.
func (l *Loop) load(src map[string]safetensors.Tensor) error {
	for name, dst := range map[string][]int32{"rows.inputs": l.batch.Inputs, "rows.labels": l.batch.Labels, "rows.ids": l.batch.IDs} {
		x, err := src[name].Int64s()
		if err != nil || len(x) != len(dst) {
			return fmt.Errorf("tensor %q: %d values, want %d", name, len(x), len(dst))
		}
		for i, v := range x {
			dst[i] = int32(v)
		}
	}
	if _, ok := src[l.carryName(0)]; !ok {
		return nil // of before the first step
	}
	var bad error
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		carry := l.net.Start(s, l.batch.Rows, l.batch.Seq)
		for k, z := range carry {
			name := l.carryName(k)
			x, err := src[name].Float32s()
			if shape := torch.Shape(z); err == nil && !slices.Equal(src[name].Shape, shape) {
				err = fmt.Errorf("shape %v, want %v", src[name].Shape, shape)
			}
			if err != nil {
				bad = fmt.Errorf("tensor %q: %w", name, err)
				return
			}
			carry[k] = s.To(torch.From(s, torch.DeviceOf(z), x, src[name].Shape...), z.DType())
		}
		l.carry.Drop()
		l.carry = carry.Keep(s)
	})
	return errors.Join(bad, err)
}
