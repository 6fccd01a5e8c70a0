//go:build cgo && !notorch

package learn

import (
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// NewNetwork makes the network that r describes, to be trained as r says: its parameters are added to p,
// drawn from seed.
func (r Recipe) NewNetwork(p *torch.Params, seed uint64) (hrm.Network, error) {
	return r.network(
		func(c hrm.CellConfig) (*hrm.Cell, error) { return hrm.NewCell(c, p, seed) },
		func(c hrm.Config) (*hrm.Model, error) { return hrm.New(c, p, seed) })
}

// NetworkFrom is NewNetwork with weights that were saved. After an error p is to be closed.
func (r Recipe) NetworkFrom(p *torch.Params, weights map[string]safetensors.Tensor) (hrm.Network, error) {
	return r.network(
		func(c hrm.CellConfig) (*hrm.Cell, error) { return hrm.NewCellFrom(c, p, weights) },
		func(c hrm.Config) (*hrm.Model, error) { return hrm.NewFrom(c, p, weights) })
}

func (r Recipe) network(cell func(hrm.CellConfig) (*hrm.Cell, error), model func(hrm.Config) (*hrm.Model, error)) (hrm.Network, error) {
	if r.Cell != nil {
		n, err := cell(*r.Cell)
		if err != nil {
			return nil, err
		}
		n.Precision = r.Precision
		return n, nil
	}
	n, err := model(r.Model)
	if err != nil {
		return nil, err
	}
	n.Training, n.Precision = r.Training, r.Precision
	return n, nil
}

// LoadCore makes the network that r describes of weights that were saved, to think with. Without a
// precision it runs in the one that it was trained in.
func (r Recipe) LoadCore(weights map[string]safetensors.Tensor, run hrm.Run) (*hrm.Core, error) {
	run = r.run(run)
	if r.Cell != nil {
		return hrm.LoadCell(*r.Cell, weights, run)
	}
	return hrm.Load(r.Model, weights, run)
}

func (r Recipe) run(run hrm.Run) hrm.Run {
	if run.Precision == "" {
		run.Precision = r.Precision
	}
	return run
}
