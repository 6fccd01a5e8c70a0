//go:build cgo && !notorch

package learn

import (
	"github.com/ponder-agents/ponder/torch"
	"github.com/sugarme/gotch/ts"
)

// Gradients are those of a batch's mean loss: what Loop.Gradients computes and Optimizer.Apply takes.
// Who stands between may read them and change them in place. Close frees them.
type Gradients struct {
	Dense  []*torch.Tensor  // of the trained parameters, in the order of Params.Trained
	Sparse []SparseGradient // of tables, where any was looked up
}

// A SparseGradient is that of the rows that a batch looked up of a table.
type SparseGradient struct {
	Table string        // its name in Params
	IDs   *torch.Tensor // [n] int64, which rows
	Rows  *torch.Tensor // [n, width], the gradient of each
}

// Differentiate is the gradients of loss, a scalar, by the trained parameters of p and by looked, which
// were looked up of its tables. It belongs into the scope in which loss was made, one of torch.Grad,
// and frees what that recorded.
func Differentiate(s *torch.Scope, p *torch.Params, loss *torch.Tensor, looked ...torch.Lookup) *Gradients {
	_, by := p.Trained()
	n := len(by)
	for _, l := range looked {
		by = append(by, l.Rows)
	}
	g := &Gradients{}
	for i, x := range s.Gradients(loss, by) {
		if x = s.Keep(x); i < n {
			g.Dense = append(g.Dense, x)
		} else {
			l := looked[i-n]
			g.Sparse = append(g.Sparse, SparseGradient{l.Table, s.Keep(l.IDs), x})
		}
	}
	return g
}

// tensors are all of g but identifiers.
func (g *Gradients) tensors() []*torch.Tensor {
	all := g.Dense[:len(g.Dense):len(g.Dense)]
	for _, sp := range g.Sparse {
		all = append(all, sp.Rows)
	}
	return all
}

// Norm is the root of the sum of the squares of all gradients.
func (g *Gradients) Norm() (norm float64, err error) {
	err = torch.Do(torch.NoGrad, func(s *torch.Scope) { norm = s.Norm(g.tensors()) })
	return norm, err
}

// Clip scales the gradients down if their norm is above limit, and returns what it was.
func (g *Gradients) Clip(limit float64) (norm float64, err error) {
	if norm, err = g.Norm(); err != nil || !(norm > limit) {
		return norm, err
	}
	f := ts.FloatScalar(limit / norm)
	defer f.Drop()
	for _, x := range g.tensors() {
		if err := x.MulScalar_(f); err != nil {
			return norm, err
		}
	}
	return norm, nil
}

// Close frees the gradients.
func (g *Gradients) Close() {
	for _, x := range g.tensors() {
		x.Drop()
	}
	for _, sp := range g.Sparse {
		sp.IDs.Drop()
	}
	*g = Gradients{}
}
