//go:build cgo && !notorch

package learn

import (
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// OptimizerConfig says how parameters move. The zero values are the published HRM's but for the
// schedule, which is required.
type OptimizerConfig struct {
	Adam        torch.AdamConfig `json:"adam"`
	Schedule    torch.Schedule   `json:"schedule"`
	PuzzleLR    float64          `json:"puzzle_lr"`    // base rate of the puzzle table, same schedule; 0 means Schedule.LR
	PuzzleDecay float64          `json:"puzzle_decay"` // its weight decay
	EMA         float64          `json:"ema"`          // rate of the average of the parameters; 0 means none
	EMAWarmup   bool             `json:"ema_warmup"`   // at step n at most (1+n)/(10+n)
}

// An Optimizer moves a model's parameters: AdamATan2 or AdamW on all of them, SignSGD on the rows of
// the puzzle table that occur, and an exponential moving average beside.
type Optimizer struct {
	cfg  OptimizerConfig
	adam *torch.Adam
	ema  *torch.EMA // nil without

	Norm bool // compute Result.GradNorm
}

// NewOptimizer starts at step 0.
func NewOptimizer(m *hrm.Model, cfg OptimizerConfig) (*Optimizer, error) {
	if cfg.PuzzleLR == 0 {
		cfg.PuzzleLR = cfg.Schedule.LR
	}
	adam, err := torch.NewAdam(m.Params(), cfg.Adam)
	if err != nil {
		return nil, err
	}
	o := &Optimizer{cfg: cfg, adam: adam}
	if cfg.EMA > 0 {
		if o.ema, err = torch.NewEMA(m.Params()); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// Steps is the number of steps done.
func (o *Optimizer) Steps() int64 { return o.adam.Steps() }

// EMA is the average of the parameters, nil without.
func (o *Optimizer) EMA() *torch.EMA { return o.ema }

// Close frees the state.
func (o *Optimizer) Close() {
	o.adam.Close()
	if o.ema != nil {
		o.ema.Close()
	}
}

// step moves the puzzle table first, then the parameters, then the average, as the reference does.
func (o *Optimizer) step(s *torch.Scope, m *hrm.Model, c *Call) (norm float64) {
	t := o.adam.Steps() + 1
	if o.Norm {
		all := c.Grads
		if c.Puzzle != nil {
			all = append(all[:len(all):len(all)], c.Puzzle)
		}
		norm = s.Norm(all)
	}
	if c.Puzzle != nil {
		sched := o.cfg.Schedule
		sched.LR = o.cfg.PuzzleLR
		ids := s.To(torch.From(s, m.Params().Device(), c.Batch.IDs, int64(c.Batch.Rows)), torch.Int64)
		s.SignSGD(m.PuzzleTable(), c.Puzzle, ids, sched.At(t), o.cfg.PuzzleDecay)
	}
	o.adam.Step(c.Grads, o.cfg.Schedule.At(t))
	if o.ema != nil {
		mu := o.cfg.EMA
		if o.cfg.EMAWarmup {
			mu = min(mu, float64(1+t)/float64(10+t))
		}
		o.ema.Update(mu)
	}
	return norm
}
