//go:build cgo && !notorch

package speed

import (
	"context"
	"fmt"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A work is a case that is ready to be timed.
type work struct {
	once       func() error // a segment, or a training step
	operations float64      // of its products; 0 where they are not counted
	close      func()

	// What Python needs to do the same.
	plan    plan
	weights map[string]safetensors.Tensor
	tensors map[string]safetensors.Tensor // inputs, and what must come out
}

// A plan is what bench/hrm.py is told of a case; the zero values of Training's fields mean what they do in a
// learn.Recipe.
type plan struct {
	Config   hrm.Config `json:"config"` // defaults filled in
	Groups   hrm.Groups `json:"groups,omitempty"`
	Training *training  `json:"training,omitempty"` // nil is a segment
}

type training struct {
	Loss     learn.LossKind   `json:"loss"`
	Gradient hrm.Gradient     `json:"gradient"`
	Target   bool             `json:"target"` // q_continue is learned
	Adam     torch.AdamConfig `json:"adam"`
	LR       float64          `json:"lr"`
	TableLR  float64          `json:"table_lr"`
	Decay    float64          `json:"table_decay"`
	EMA      float64          `json:"ema"`
	Ignore   int              `json:"ignore"` // label of a cell that is not scored
}

// open makes c ready.
func (c Case) open(run hrm.Run) (*work, error) {
	if c.Data != "" {
		return c.learning(run)
	}
	return c.thinking(run)
}

func (c Case) thinking(run hrm.Run) (*work, error) {
	n, err := c.net(run)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	if n.Recipe.Cell != nil {
		return nil, fmt.Errorf("%s: a recurrent cell, whose speed is not measured here", c.Name)
	}
	cfg := n.Recipe.Model.WithDefaults()
	core, err := n.Network.Compile(run)
	if err != nil {
		return nil, err
	}
	w := &work{operations: Segment(cfg, c.Batch), plan: planOf(cfg)}
	draws := rng.Stream(seed, "bench")
	tokens := make([]int64, c.Batch*cfg.Seq)
	for i := range tokens {
		tokens[i] = int64(draws.Uint32N(uint32(cfg.Vocab)))
	}
	ids, rows, seq := make([]int64, c.Batch), int64(c.Batch), int64(cfg.Seq)
	var in hrm.Input
	var carry hrm.Carry
	w.close = func() {
		carry.Drop()
		for _, t := range []*torch.Tensor{in.Tokens, in.PuzzleIDs} {
			if t != nil {
				t.Drop()
			}
		}
		core.Close()
	}
	w.tensors = map[string]safetensors.Tensor{
		"tokens": safetensors.OfInt64s([]int64{rows, seq}, tokens), "ids": safetensors.OfInt64s([]int64{rows}, ids),
	}
	err = torch.Do(torch.NoGrad, func(s *torch.Scope) {
		in = hrm.Input{Tokens: s.Keep(torch.From(s, run.Device, tokens, rows, seq)), PuzzleIDs: s.Keep(torch.From(s, run.Device, ids, rows))}
		carry = core.Start(s, c.Batch, cfg.Seq).Keep(s)
		_, out := core.Segment(s, carry, in)
		w.expect(s, out)
	})
	if err == nil {
		w.weights, err = n.Network.Params().Save()
	}
	if err != nil {
		w.close()
		return nil, err
	}
	w.once = func() error {
		return torch.Do(torch.NoGrad, func(s *torch.Scope) { core.Segment(s, carry, in) })
	}
	return w, nil
}

func planOf(c hrm.Config) plan {
	p := plan{Config: c}
	if c.Mixing == hrm.Grouped {
		p.Groups = board(c)
	}
	return p
}

// expect notes what Python must give.
func (w *work) expect(s *torch.Scope, out hrm.Output) {
	for name, x := range map[string]*torch.Tensor{"logits": out.Logits, "q_halt": out.QHalt, "q_continue": out.QContinue} {
		w.tensors[name] = safetensors.OfFloat32s(torch.Shape(x), s.ReadFloats(nil, x))
	}
}

func (c Case) learning(run hrm.Run) (*work, error) {
	r := c.Recipe
	r.Precision, r.Batch, r.Seed = run.Precision, c.Batch, seed
	r.Stages = []learn.Stage{{Data: c.Data, Until: 1}}
	fixed := &fixedRows{}
	open := func(name string, seed uint64, heldOut bool) (rows task.Rows, err error) {
		if rows, err = task.Open(name, seed, heldOut); err == nil {
			err = fixed.take(rows.Source, c.Batch)
		}
		rows.Source = fixed
		return rows, err
	}
	t, err := learn.NewTrainer(r, open, run.Device)
	if err != nil {
		return nil, err
	}
	cfg := r.Model.WithDefaults()
	target := !r.NoContinue && r.Halting.MaxSegments > 1
	w := &work{
		operations: Step(cfg, r.Gradient, c.Batch, target),
		once:       func() error { return t.Step(context.Background()) },
		close:      t.Close,
		plan:       planOf(cfg),
		tensors:    map[string]safetensors.Tensor{},
	}
	w.plan.Training = &training{
		Loss: r.Loss, Gradient: r.Gradient, Target: target, Adam: r.Adam, LR: r.LR, TableLR: r.PuzzleLR, Decay: r.PuzzleDecay, EMA: r.EMA, Ignore: puzzle.Ignore,
	}
	if err := w.first(t.Network(), r, fixed); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// first computes, without applying them, the gradients of the first step: what Python must give.
func (w *work) first(n hrm.Network, r learn.Recipe, rows *fixedRows) (err error) {
	loop, err := learn.NewLoop(n, learn.LoopConfig{Halting: r.Halting, Loss: r.Loss, NoContinue: r.NoContinue}, r.Batch, n.Spec().Seq, act.FromRand(rng.Stream(seed, "bench").Rand))
	if err != nil {
		return err
	}
	defer loop.Close()
	loop.Inspect = func(s *torch.Scope, c *learn.Call) {
		w.expect(s, c.Out)
		b := c.Batch
		shape := []int64{int64(b.Rows), int64(b.Seq)}
		w.tensors["tokens"] = safetensors.OfInt64s(shape, wide(b.Inputs))
		w.tensors["labels"] = safetensors.OfInt64s(shape, wide(b.Labels))
		w.tensors["ids"] = safetensors.OfInt64s(shape[:1], wide(b.IDs))
		exact := make([]float32, b.Rows)
		for i, ok := range c.Score.Exact {
			if ok {
				exact[i] = 1
			}
		}
		w.tensors["exact"] = safetensors.OfFloat32s(shape[:1], exact)
	}
	if w.weights, err = n.Params().Save(); err != nil {
		return err
	}
	g, _, err := loop.Gradients(func(_ int, in, label []int32) (int32, error) { return rows.Next(in, label) })
	if err != nil {
		return err
	}
	defer g.Close()
	names, _ := n.Params().Trained()
	return torch.Do(torch.NoGrad, func(s *torch.Scope) {
		for i, x := range g.Dense {
			w.tensors["gradient."+names[i]] = safetensors.OfFloat32s(torch.Shape(x), s.ReadFloats(nil, x))
		}
	})
}

func wide(x []int32) []int64 {
	out := make([]int64, len(x))
	for i, v := range x {
		out[i] = int64(v)
	}
	return out
}

// fixedRows are the first rows of a source, again and again: making puzzles is no part of what is timed.
type fixedRows struct {
	puzzle.Source
	inputs, labels [][]int32
	ids            []int32
	next           int
}

// take reads the rows.
func (f *fixedRows) take(src puzzle.Source, rows int) error {
	*f = fixedRows{Source: src}
	for range rows {
		in, label := make([]int32, src.Shape().SeqLen), make([]int32, src.Shape().SeqLen)
		id, err := src.Next(in, label)
		if err != nil {
			return err
		}
		f.inputs, f.labels, f.ids = append(f.inputs, in), append(f.labels, label), append(f.ids, id)
	}
	return nil
}

// Next implements puzzle.Source.
func (f *fixedRows) Next(in, label []int32) (int32, error) {
	i := f.next % len(f.ids)
	f.next++
	copy(in, f.inputs[i])
	copy(label, f.labels[i])
	return f.ids[i], nil
}
