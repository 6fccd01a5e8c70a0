package engine

import (
	"errors"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/vec"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A cell is the weights of the recurrent HRM (hrm.Cell): low steps on [x, h_high], then a high step on h_low.
type cell struct {
	cfg       arch.CellConfig
	tokens    []float32 // [vocab, embed]
	encoder   affine    // [input, seq·embed]
	low, high gru
	out, q    affine
}

// NewCell is New for the recurrent network that cfg describes, which must read tokens.
func NewCell(cfg arch.CellConfig, weights map[string]safetensors.Tensor) (*Model, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if cfg.Vocab == 0 {
		return nil, errors.New("the cell reads vectors, not tokens: its vocab is 0")
	}
	c := &cell{cfg: cfg.WithDefaults()}
	if err := read(weights, c.build); err != nil {
		return nil, err
	}
	return &Model{net: c, spec: open.Spec(cfg.Spec())}, nil
}

func (n *cell) build(r *reader) {
	c := n.cfg
	n.low = r.gru("low", c.Low, c.Input+c.High)
	n.high = r.gru("high", c.High, c.Low)
	n.tokens = r.floats("embed_tokens.embedding_weight", c.Vocab, c.Embed)
	n.encoder = r.affine("encoder", c.Input, c.Seq*c.Embed)
	n.out = r.affine("out", c.Seq*c.Outputs, c.High)
	n.q = r.affine("q_head", 2, c.High)
}

func (n *cell) bytes(think.Shape) (row, worker, tables float64) {
	c := n.cfg
	state := float64(vec.RowStep * (c.Low + c.High + c.Input))
	return state, 2*state + float64(vec.RowStep*(6*(c.Low+c.High)+c.Seq*c.Outputs)), float64(vec.RowStep * c.Seq * c.Embed)
}

// A readable is a cell with room to encode what it reads.
type readable struct {
	*cell
	seen vector // the vectors of all tokens
}

func (n *cell) fit(shape think.Shape) (formulas, error) {
	if err := n.cfg.Spec().Fits(shape.Seq, shape.Rows, shape.Cols); err != nil {
		return nil, err
	}
	return &readable{n, newVector(n.cfg.Seq * n.cfg.Embed)}, nil
}

func (n *readable) layout() layout {
	c := n.cfg
	return layout{
		tokens: c.Vocab, answers: c.Seq, outputs: c.Outputs, width: vec.RowStep * vec.Pad(c.Input),
		states: []state{{name: "high", places: 1, width: c.High, planes: 1}, {name: "low", places: 1, width: c.Low, planes: 1}},
	}
}

func (n *readable) begin(z [][]float32) {
	for _, h := range z {
		clear(h)
	}
}

func (n *readable) encode(r *row, in think.Input) error {
	e := n.cfg.Embed
	for t, token := range in.Tokens {
		copy(n.seen[t*e:], n.tokens[int(token)*e:(int(token)+1)*e])
	}
	n.encoder.apply(r.e, n.seen)
	return nil
}

// A stepper is a worker of a cell.
type stepper struct {
	*cell
	low, high gru
	in        vector // [x, h_high]
	answer, q vector
}

func (n *readable) worker(*view) worker {
	return &stepper{
		cell: n.cell, low: n.low.opened(), high: n.high.opened(),
		in: newVector(n.cfg.Input + n.cfg.High), answer: newVector(n.out.w.Out), q: newVector(2),
	}
}

func (w *stepper) segment(r *row, logits []float32) (halt, cont float32) {
	high, low := vector(r.z[0]), vector(r.z[1])
	concat(w.in, r.e[:w.cfg.Input], high[:w.cfg.High])
	w.low.see(w.in)
	for range w.cfg.Steps {
		w.low.step(low)
	}
	w.high.see(low)
	w.high.step(high)
	w.out.apply(w.answer, high)
	copy(logits, w.answer)
	w.cell.q.apply(w.q, high)
	return w.q[0], w.q[1]
}
