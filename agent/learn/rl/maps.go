//go:build cgo && !notorch

package rl

import (
	"math"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/torch"
)

// A mapReader gives every cell of a map a vector. The agent is not in it: what is thought about a map
// stays right when the agent moves.
//
//	Seen[0]  [rows, cells, width]
//	Seen[1]  [rows] int64, the agent's cell
type mapReader struct {
	field      env.Field
	vocab      int
	rows, cols int
	cells      *torch.Tensor // [vocab, width]
	params     *torch.Params
}

func newMapReader(b *builder, f env.Field, vocab, width int) *mapReader {
	return &mapReader{
		field: f, vocab: vocab, rows: f.Shape[0], cols: f.Shape[1], params: b.p,
		cells: b.normal("encoder.cells", 1, int64(vocab), int64(width)),
	}
}

func (m *mapReader) encode(s *torch.Scope, obs []byte, rows int) (Seen, error) {
	n := m.rows * m.cols
	if err := checkObs(obs, rows, n, m.vocab); err != nil {
		return nil, err
	}
	ids, at := make([]int64, len(obs)), make([]int64, rows)
	for i, v := range obs {
		if v == m.field.Agent {
			v, at[i/n] = m.field.Under, int64(i%n)
		}
		ids[i] = int64(v)
	}
	dev := m.params.Device()
	return Seen{
		s.Embedding(m.cells, torch.From(s, dev, ids, int64(rows), int64(n))),
		torch.From(s, dev, at, int64(rows)),
	}, nil
}

// A mapCore is an HRM with a state for every cell of a map. A block mixes a cell with those around it:
// it widens, convolves each channel over 3x3 cells, gates (SwiGLU) and adds with the norm of the
// residual. The heads see z_H where the agent stands, and what is seen there.
type mapCore struct {
	cfg    NetworkConfig
	seen   *mapReader
	l, h   mapBlock
	z0     *torch.Tensor // [2, width]
	params *torch.Params
}

type mapBlock struct{ up, conv, down *torch.Tensor } // [4h, h], [9, 4h], [h, 2h]

func newMapCore(b *builder, cfg NetworkConfig, seen *mapReader) *mapCore {
	block := func(name string) mapBlock {
		h, k := int64(cfg.Hidden), 1/math.Sqrt(float64(cfg.Hidden))
		return mapBlock{
			b.uniform(name+".mlp.gate_up_proj.weight", k, 4*h, h), b.uniform(name+".mlp.conv.weight", 1/math.Sqrt(3), 9, 4*h),
			b.uniform(name+".mlp.down_proj.weight", k/math.Sqrt2, h, 2*h),
		}
	}
	return &mapCore{
		cfg: cfg, seen: seen, l: block("L_level"), h: block("H_level"),
		z0: b.p.AddFixed(b.s, "init", b.gen.TruncNormal(b.s, 1, 2, int64(cfg.Hidden))), params: b.p,
	}
}

func (c *mapCore) start(s *torch.Scope, rows int) State {
	level := func(i int64) *torch.Tensor {
		z := s.Own(s.Narrow(c.z0, 0, i, 1).Expand([]int64{int64(rows), int64(c.seen.rows * c.seen.cols), int64(c.cfg.Hidden)}, false, false))
		return s.Own(z.Contiguous(false))
	}
	return State{level(0), level(1)}
}

func (c *mapCore) apply(s *torch.Scope, k mapBlock, x *torch.Tensor) *torch.Tensor {
	wide := s.Conv3x3(s.Linear(x, k.up, nil), k.conv, c.seen.rows, c.seen.cols, 0)
	return s.RMSAdd(x, s.Linear(s.SwiGLU(wide), k.down, nil), 1e-5)
}

func (c *mapCore) segment(s *torch.Scope, x Seen, z State) State {
	zh, zl := z[0], z[1]
	around := s.Add(zh, x[0])
	for range c.cfg.LCycles {
		zl = c.apply(s, c.l, s.Add(zl, around))
	}
	return State{c.apply(s, c.h, s.Add(zh, zl)), zl}
}

func (c *mapCore) readout() int { return 2 * c.cfg.Hidden }

// read is z_H and the input at the agent's cell.
func (c *mapCore) read(s *torch.Scope, x Seen, z State) *torch.Tensor {
	shape := torch.Shape(z[0])
	first := make([]int64, shape[0]) // cell 0 of every row in the flat list of cells
	for i := range first {
		first[i] = int64(i) * shape[1]
	}
	at := s.Add(x[1], torch.From(s, c.params.Device(), first, shape[0]))
	cell := func(t *torch.Tensor) *torch.Tensor { return s.Index(s.Reshape(t, -1, shape[2]), 0, at) }
	return s.Cat(1, cell(z[0]), s.Tanh(cell(x[0])))
}

// resized is n for maps of another size: the weights are the same. Only a network of maps can be.
func (n *net) resized(rows, cols int) (*net, bool) {
	c, ok := n.core.(*mapCore)
	if !ok {
		return nil, false
	}
	seen := *c.seen
	seen.rows, seen.cols = rows, cols
	core := *c
	core.seen = &seen
	other := *n
	other.enc, other.core = &seen, &core
	return &other, true
}

// anySize reports whether n reads maps of any size.
func anySize(n Network) bool {
	own, ok := n.(*net)
	if ok {
		_, ok = own.core.(*mapCore)
	}
	return ok
}
