//go:build cgo && !notorch

package rl

import (
	"fmt"
	"slices"
	"sync"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/torch"
)

// A Core is a network that acts, for package think: the tokens of a row are the bytes of an observation,
// its answer is one logit for each action.
type Core struct {
	mu   sync.Mutex // of the network, which one goroutine uses at a time
	net  Network
	gate *Gate // nil for a network that does not decide how long it thinks
	spec think.Spec
}

// NewCore is n, made for spec, to think with, and a gate that says when it is enough, or nil; both stay
// their owner's and must not change.
func NewCore(n Network, g *Gate, spec env.Spec) (*Core, error) {
	c := &Core{net: n, gate: g, spec: think.Spec{
		Vocab: spec.Vocab, Outputs: len(spec.Actions), Answers: 1, Shape: think.Shape{Seq: spec.ObsLen}, Fixed: true,
	}}
	cells := 1
	if f, ok := spec.Map(); ok && anySize(n) {
		c.spec.Shape.Rows, c.spec.Shape.Cols = f.Shape[0], f.Shape[1]
		c.spec.Fixed, cells = false, f.Len()
		n, _ = n.(*net).resized(f.Shape[0], f.Shape[1]) // it may have been made for another size
	}
	names := levelNames(n)
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		for i, t := range n.Start(s, 1) {
			c.spec.Levels = append(c.spec.Levels, think.Level{Name: names[i], Width: int(t.Numel()) / cells})
		}
	})
	return c, err
}

// levelNames are what the parts of a network's state are called.
func levelNames(n Network) []string {
	if l, ok := n.(interface{ Levels() []string }); ok {
		return l.Levels()
	}
	return []string{"1", "2", "3", "4", "5", "6", "7", "8"}
}

// Spec implements think.Core.
func (c *Core) Spec() think.Spec { return c.spec }

// Close closes the network.
func (c *Core) Close() error {
	c.net.Close()
	if c.gate != nil {
		c.gate.Close()
	}
	return nil
}

// Open implements think.Core.
func (c *Core) Open(rows int, shape think.Shape) (think.Rows, error) {
	n := c.net
	switch {
	case c.spec.Fixed && shape.Seq != c.spec.Shape.Seq:
		return nil, fmt.Errorf("observations of %d bytes, the network reads %d", shape.Seq, c.spec.Shape.Seq)
	case !c.spec.Fixed && shape.Rows*shape.Cols != shape.Seq:
		return nil, fmt.Errorf("a map of %d rows, %d columns in %d bytes", shape.Rows, shape.Cols, shape.Seq)
	case !c.spec.Fixed:
		n, _ = c.net.(*net).resized(shape.Rows, shape.Cols)
	}
	r := &coreRows{
		core: c, net: n, seq: shape.Seq, obs: make([]byte, rows*shape.Seq), begun: make([]bool, rows), fresh: make([]bool, rows),
	}
	return r, torch.Do(torch.NoGrad, func(s *torch.Scope) { r.state = n.Start(s, rows).keep(s) })
}

// coreRows are the rows of a Core: the states of all of them, in their places.
type coreRows struct {
	core  *Core
	net   Network // for maps of this size
	seq   int     // bytes of an observation
	obs   []byte  // [rows][seq]
	begun []bool
	fresh []bool // the state is to be the start
	state State
}

// Begin implements think.Rows.
func (r *coreRows) Begin(row int, in think.Input) error {
	r.begun[row] = true
	r.fresh[row] = true
	return r.Turn(row, in)
}

// Turn implements think.Rows.
func (r *coreRows) Turn(row int, in think.Input) error {
	n := r.seq
	switch {
	case !r.begun[row]:
		return fmt.Errorf("row %d has not begun", row)
	case len(in.Tokens) != n:
		return fmt.Errorf("row %d: %d bytes, want %d", row, len(in.Tokens), n)
	}
	for i, t := range in.Tokens {
		r.obs[row*n+i] = byte(t)
	}
	return nil
}

// Segment implements think.Rows.
func (r *coreRows) Segment(rows []int, out *think.Output) error {
	for _, row := range rows {
		if !r.begun[row] {
			return fmt.Errorf("row %d has not begun", row)
		}
	}
	return r.do(func(s *torch.Scope) error {
		x, err := r.net.Encode(s, rowsOf(r.obs, rows, r.seq), len(rows))
		if err != nil {
			return err
		}
		before := r.gather(s, rows)
		z := r.net.Segment(s, x, before)
		h := r.net.Heads(s, x, z)
		out.Logits = s.ReadFloats(out.Logits, h.Logits)
		r.gate(s, len(rows), h, before, z, out)
		r.scatter(s, rows, z)
		return nil
	})
}

// gate asks the gate about n rows; without one the Q values are zeros.
func (r *coreRows) gate(s *torch.Scope, n int, h Heads, before, after State, out *think.Output) {
	out.QHalt, out.QContinue = append(out.QHalt[:0], make([]float32, n)...), append(out.QContinue[:0], make([]float32, n)...)
	g := r.core.gate
	if g == nil {
		return
	}
	q := s.ReadFloats(nil, g.q.apply(s, g.features(s, h, before, after)))
	for i := range n {
		out.QHalt[i], out.QContinue[i] = q[2*i], q[2*i+1]
	}
}

func (r *coreRows) do(f func(*torch.Scope) error) error {
	r.core.mu.Lock()
	defer r.core.mu.Unlock()
	var err error
	failed := torch.Do(torch.NoGrad, func(s *torch.Scope) { err = f(s) })
	if err == nil {
		err = failed
	}
	return err
}

// gather is the states of rows in their order.
func (r *coreRows) gather(s *torch.Scope, rows []int) State {
	z := r.state
	if slices.Contains(r.fresh, true) {
		z = r.net.Start(s, len(r.begun)).where(s, mask(s, r.net.Params().Device(), r.fresh), z)
		r.keep(s, z)
		z = r.state
		clear(r.fresh)
	}
	if inOrder(rows, len(r.begun)) {
		return z
	}
	return z.pick(s, r.ids(s, rows))
}

// scatter puts z into the places of rows.
func (r *coreRows) scatter(s *torch.Scope, rows []int, z State) {
	if inOrder(rows, len(r.begun)) {
		r.keep(s, z)
		return
	}
	ids := r.ids(s, rows)
	for i, t := range r.state {
		if err := t.IndexCopy_(0, ids, z[i]); err != nil {
			panic(torch.Error{Op: "index copy", Msg: err.Error()})
		}
	}
}

func (r *coreRows) ids(s *torch.Scope, rows []int) *torch.Tensor {
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = int64(row)
	}
	return torch.From(s, r.net.Params().Device(), ids, int64(len(ids)))
}

// keep makes z the state.
func (r *coreRows) keep(s *torch.Scope, z State) {
	next := z.keep(s)
	r.state.drop()
	r.state = next
}

// inOrder reports whether rows are all of n in their order.
func inOrder(rows []int, n int) bool {
	for i, row := range rows {
		if i != row {
			return false
		}
	}
	return len(rows) == n
}

// Save implements think.Rows.
func (r *coreRows) Save(row int) (m think.Memory, err error) {
	err = r.do(func(s *torch.Scope) error {
		for _, t := range r.gather(s, []int{row}) {
			m = append(m, s.ReadFloats(nil, t))
		}
		return nil
	})
	return m, err
}

// Load implements think.Rows.
func (r *coreRows) Load(row int, m think.Memory) error {
	if len(m) != len(r.state) {
		return fmt.Errorf("row %d: a memory of %d parts, want %d", row, len(m), len(r.state))
	}
	return r.do(func(s *torch.Scope) error {
		z := r.gather(s, []int{row})
		next := make(State, len(z))
		for i, t := range z {
			if int(t.Numel()) != len(m[i]) {
				return fmt.Errorf("row %d: a memory of %d numbers, want %d", row, len(m[i]), t.Numel())
			}
			next[i] = torch.From(s, r.net.Params().Device(), m[i], torch.Shape(t)...)
		}
		r.scatter(s, []int{row}, next)
		return nil
	})
}

// Close implements think.Rows.
func (r *coreRows) Close() error {
	r.state.drop()
	r.state = nil
	return nil
}
