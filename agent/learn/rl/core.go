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
	spec think.Spec
}

// NewCore is n, made for spec, to think with; n stays its owner's and must not change.
func NewCore(n Network, spec env.Spec) (*Core, error) {
	c := &Core{net: n, spec: think.Spec{
		Vocab: spec.Vocab, Outputs: len(spec.Actions), Answers: 1, Shape: think.Shape{Seq: spec.ObsLen}, Fixed: true,
	}}
	names := levelNames(n)
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		for i, t := range n.Start(s, 1) {
			c.spec.Levels = append(c.spec.Levels, think.Level{Name: names[i], Width: int(t.Numel())})
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
func (c *Core) Close() error { c.net.Close(); return nil }

// Open implements think.Core.
func (c *Core) Open(rows int, shape think.Shape) (think.Rows, error) {
	if shape.Seq != c.spec.Shape.Seq {
		return nil, fmt.Errorf("observations of %d bytes, the network reads %d", shape.Seq, c.spec.Shape.Seq)
	}
	r := &coreRows{core: c, obs: make([]byte, rows*shape.Seq), begun: make([]bool, rows), fresh: make([]bool, rows)}
	return r, torch.Do(torch.NoGrad, func(s *torch.Scope) { r.state = c.net.Start(s, rows).keep(s) })
}

// coreRows are the rows of a Core: the states of all of them, in their places.
type coreRows struct {
	core  *Core
	obs   []byte // [rows][obsLen]
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
	n := r.core.spec.Shape.Seq
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
		x, err := r.core.net.Encode(s, rowsOf(r.obs, rows, r.core.spec.Shape.Seq), len(rows))
		if err != nil {
			return err
		}
		z := r.core.net.Segment(s, x, r.gather(s, rows))
		r.scatter(s, rows, z)
		h := r.core.net.Heads(s, x, z)
		out.Logits = s.ReadFloats(out.Logits, h.Logits)
		out.QHalt = r.q(s, out.QHalt, h.QHalt, len(rows))
		out.QContinue = r.q(s, out.QContinue, h.QContinue, len(rows))
		return nil
	})
}

// q reads a head of the Q values; zeros where there is none.
func (r *coreRows) q(s *torch.Scope, dst []float32, t *torch.Tensor, rows int) []float32 {
	if t == nil {
		return append(dst[:0], make([]float32, rows)...)
	}
	return s.ReadFloats(dst, t)
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
		z = r.core.net.Start(s, len(r.begun)).where(s, mask(s, r.core.net.Params().Device(), r.fresh), z)
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
	return torch.From(s, r.core.net.Params().Device(), ids, int64(len(ids)))
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
			next[i] = torch.From(s, r.core.net.Params().Device(), m[i], torch.Shape(t)...)
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
