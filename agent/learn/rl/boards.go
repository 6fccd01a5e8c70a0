//go:build cgo && !notorch

package rl

import (
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// A boardNet fills in a board: an HRM that mixes by groups (hrm.Grouped), with a state for every symbol of every cell.
// The logit of putting a symbol into a cell is read where both meet, all else from the mean over the board.
//
//	Seen[0]  [rows, cells] int64
type boardNet struct {
	cfg    NetworkConfig
	hrm    *hrm.Model
	obsLen int
	cells  int
	rest   *head // of the actions that put no symbol anywhere; nil if there are none
	value  head
}

func newBoard(cfg NetworkConfig, f env.Field, spec env.Spec, dev torch.Device, seed uint64) (*boardNet, error) {
	params := torch.NewParams(dev)
	n := &boardNet{cfg: cfg, obsLen: spec.ObsLen, cells: f.Len()}
	var err error
	if n.hrm, err = hrm.New(cfg.Board(n.cells, f.Symbols, spec.Vocab), params, seed); err != nil {
		params.Close()
		return nil, err
	}
	n.hrm.Training = hrm.Training{Gradient: hrm.AllCycles, Unroll: 2} // a state keeps its history within a step
	gen := torch.NewGenerator(seed + 1)
	defer gen.Close()
	err = torch.Do(torch.NoGrad, func(s *torch.Scope) {
		b := &builder{s: s, gen: gen, p: params}
		if more := len(spec.Actions) - n.cells*f.Symbols; more > 0 {
			h := newHead(b, "policy", more, 2*cfg.Hidden)
			n.rest = &h
		}
		n.value = newHead(b, "value", 1, 2*cfg.Hidden)
	})
	if err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (n *boardNet) Params() *torch.Params { return n.hrm.Params() }

// Levels are what the parts of the state are called.
func (n *boardNet) Levels() []string { return n.cfg.Levels() }

func (n *boardNet) Close() {
	n.hrm.Close()
	n.hrm.Params().Close()
}

func (n *boardNet) Encode(s *torch.Scope, obs []byte, rows int) (Seen, error) {
	if err := checkObs(obs, rows, n.obsLen, n.hrm.Config().Vocab); err != nil {
		return nil, err
	}
	ids := make([]int64, 0, rows*n.cells)
	for i := range rows {
		for _, v := range obs[i*n.obsLen:][:n.cells] {
			ids = append(ids, int64(v))
		}
	}
	return Seen{torch.From(s, n.Params().Device(), ids, int64(rows), int64(n.cells))}, nil
}

func (n *boardNet) Start(s *torch.Scope, rows int) State { return State(n.hrm.Start(s, rows, n.cells)) }

func (n *boardNet) Segment(s *torch.Scope, x Seen, z State) State {
	after, _ := n.hrm.Segment(s, hrm.Carry(z), hrm.Input{Tokens: x[0]})
	return State(after)
}

func (n *boardNet) Heads(s *torch.Scope, x Seen, z State) Heads {
	out := n.hrm.Read(s, hrm.Carry(z), hrm.Input{Tokens: x[0]})
	shape := torch.Shape(out.Logits)
	symbols := int64(n.hrm.Config().Symbols)
	logits := s.Reshape(s.Narrow(out.Logits, 2, shape[2]-symbols, symbols), shape[0], -1)
	read := out.Pool(s, hrm.Pool{Mean: true, Input: true})
	if n.rest != nil {
		logits = s.Cat(1, logits, n.rest.apply(s, read))
	}
	return Heads{Logits: logits, Value: s.Own(n.value.apply(s, read).Select(1, 0, false)), Read: read}
}
