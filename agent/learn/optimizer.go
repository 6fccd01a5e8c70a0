//go:build cgo && !notorch

package learn

import (
	"fmt"

	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// OptimizerConfig says how parameters move. The zero values are the published HRM's but for the
// schedule, which is required.
type OptimizerConfig struct {
	Adam       torch.AdamConfig
	Schedule   torch.Schedule
	TableLR    float64 // base rate of tables, same schedule; 0 means Schedule.LR
	TableDecay float64 // their weight decay
	EMA        float64 // rate of the average of the parameters; 0 means none
	EMAWarmup  bool    // at step n at most (1+n)/(10+n)
}

// An Optimizer moves parameters, whoever owns them: AdamATan2 or AdamW on all that are trained, SignSGD
// on the rows of tables that occur, and an exponential moving average beside.
type Optimizer struct {
	cfg    OptimizerConfig
	params *torch.Params
	adam   *torch.Adam
	ema    *torch.EMA // nil without
}

// NewOptimizer starts at step 0. Close it before p.
func NewOptimizer(p *torch.Params, cfg OptimizerConfig) (*Optimizer, error) {
	if cfg.TableLR == 0 {
		cfg.TableLR = cfg.Schedule.LR
	}
	adam, err := torch.NewAdam(p, cfg.Adam)
	if err != nil {
		return nil, err
	}
	o := &Optimizer{cfg: cfg, params: p, adam: adam}
	if cfg.EMA > 0 {
		if o.ema, err = torch.NewEMA(p); err != nil {
			o.Close()
			return nil, err
		}
	}
	return o, nil
}

// Steps is the number of steps done.
func (o *Optimizer) Steps() int64 { return o.adam.Steps() }

// LR is the learning rate of the last step, 0 before the first.
func (o *Optimizer) LR() float64 { return o.cfg.Schedule.At(o.Steps()) }

// Close frees the state.
func (o *Optimizer) Close() {
	o.adam.Close()
	if o.ema != nil {
		o.ema.Close()
	}
}

// Apply does one step: it moves the tables, then the parameters, then the average, as the reference
// does. g stays the caller's.
func (o *Optimizer) Apply(g *Gradients) error {
	return torch.Do(torch.NoGrad, func(s *torch.Scope) {
		t := o.Steps() + 1
		tables := o.cfg.Schedule
		tables.LR = o.cfg.TableLR
		for _, sp := range g.Sparse {
			s.SignSGD(o.params.Get(sp.Table), sp.Rows, sp.IDs, tables.At(t), o.cfg.TableDecay)
		}
		o.adam.Step(g.Dense, o.cfg.Schedule.At(t), 1)
		if o.ema != nil {
			mu := o.cfg.EMA
			if o.cfg.EMAWarmup {
				mu = torch.WarmEMA(mu, t)
			}
			o.ema.Update(mu)
		}
	})
}

// Swap exchanges the live parameters with their average, if there is one: call it before and after an
// evaluation.
func (o *Optimizer) Swap() error {
	if o.ema == nil {
		return nil
	}
	return o.ema.Swap()
}

// Save copies the weights to use, which are the average where there is one, and the state that the
// following steps need beside them: m.NAME and v.NAME, and with an average live.NAME.
func (o *Optimizer) Save() (weights, state map[string]safetensors.Tensor, err error) {
	if weights, err = o.params.Save(); err != nil {
		return nil, nil, err
	}
	if state, err = o.adam.Save(); err != nil || o.ema == nil {
		return weights, state, err
	}
	return weights, state, o.ema.Divide(weights, state)
}

// Load restores what Save copied after so many steps, the parameters too.
func (o *Optimizer) Load(weights, state map[string]safetensors.Tensor, steps int64) error {
	if o.ema != nil {
		var err error
		if weights, err = o.ema.Unite(weights, state); err != nil {
			return fmt.Errorf("average: %w", err)
		}
	}
	if err := o.params.Load(weights); err != nil {
		return err
	}
	if err := o.adam.Load(state, steps); err != nil {
		return fmt.Errorf("optimiser: %w", err)
	}
	return nil
}
