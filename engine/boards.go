package engine

import (
	"fmt"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/internal/vec"
)

// A boardPolicy is the weights of an HRM that learned to fill in a board (package rl): a network that mixes by
// groups, whose answers are actions.
type boardPolicy struct {
	*grouped
	spec    env.Spec
	verdict verdict
}

func (p *boardPolicy) build(r *reader) {
	p.grouped.build(r)
	p.verdict.build(r)
}

func (p *boardPolicy) shape() think.Shape {
	return think.Shape{Seq: p.cfg.Seq, Rows: p.cfg.Rows, Cols: p.cfg.Cols}
}

func (p *boardPolicy) states() []state {
	var out []state
	for _, l := range p.cfg.Levels {
		out = append(out, state{name: l.Name, places: p.cfg.Seq * p.cfg.Symbols, width: p.cfg.Hidden, planes: p.cfg.Symbols})
	}
	return out
}

func (p *boardPolicy) bytes(think.Shape) (row, worker, tables float64) {
	return p.grouped.bytes(p.shape())
}

// A boardWatcher is a boardPolicy that can be asked.
type boardWatcher struct {
	*grid
	policy *boardPolicy
}

func (p *boardPolicy) fit(shape think.Shape) (formulas, error) {
	if shape.Seq != p.spec.ObsLen {
		return nil, fmt.Errorf("observations of %d bytes, the network reads %d", shape.Seq, p.spec.ObsLen)
	}
	g, err := p.grouped.fit(p.shape())
	if err != nil {
		return nil, err
	}
	return &boardWatcher{g.(*grid), p}, nil
}

func (p *boardWatcher) layout() layout {
	l := p.grid.layout()
	l.tokens, l.answers, l.outputs = p.policy.spec.Vocab, 1, len(p.policy.spec.Actions)
	return l
}

// encode reads the board, with which an observation begins.
func (p *boardWatcher) encode(r *row, in think.Input) error {
	in.Tokens = in.Tokens[:p.cells]
	return p.grid.encode(r, in)
}

// A filler is a worker of a boardPolicy.
type filler struct {
	*summer
	tell   *teller
	levels []state
	both   vector
}

func (p *boardWatcher) worker(v *view) worker {
	return &filler{p.grid.worker(v).(*summer), p.policy.verdict.open(), p.policy.states(), newVector(2 * p.cfg.Hidden)}
}

func (w *filler) segment(r *row, logits []float32) (halt, cont float32) {
	w.tell.begin(r.z)
	w.embed(r)
	w.cycle(r, 0)
	h, wide := w.cfg.Hidden, vec.Pad(w.cfg.Hidden)
	vec.Product(w.answer, vec.Lanes, r.z[0], wide, vec.PadRows(w.n), w.heads)
	clear(w.both)
	for i := range w.n {
		logits[i] = w.answer[i*vec.Lanes]
		sum(w.both[:h], r.z[0][i*wide:])
		sum(w.both[h:2*h], w.e[i*wide:])
	}
	scale(w.both, 1/float64(w.n))
	return w.tell.tell(logits, w.both, r.z, w.levels)
}
