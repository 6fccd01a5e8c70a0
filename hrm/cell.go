//go:build cgo && !notorch

package hrm

import (
	"math"

	"github.com/ponder-agents/ponder/torch"
	"github.com/sugarme/gotch/ts"
)

// A Cell is the HRM as a plain function: N steps of a low GRU on [x, h_high], then one step of a high
// GRU on h_low, which the answer and the Q head read. GRU formula, parameter names and initial
// values are those of PyTorch's GRUCell, under low.* and high.*.
type Cell struct {
	cfg          CellConfig
	low, high    gru
	outW, outB   *torch.Tensor
	haltW, haltB *torch.Tensor
}

type gru struct{ wIH, wHH, bIH, bHH *torch.Tensor }

// A CellCarry is the state between segments.
type CellCarry struct {
	Low, High *torch.Tensor // [batch, Low], [batch, High]
}

// NewCell adds the parameters of a cell to p, initialised from seed.
func NewCell(cfg CellConfig, p *torch.Params, seed uint64) (*Cell, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	c := &Cell{cfg: cfg}
	gen := torch.NewGenerator(seed)
	defer gen.Close()
	return c, torch.Do(torch.NoGrad, func(s *torch.Scope) {
		newGRU := func(name string, in, hidden int) gru {
			k := 1 / math.Sqrt(float64(hidden))
			add := func(part string, shape ...int64) *torch.Tensor {
				return p.Add(s, name+"."+part, gen.Uniform(s, -k, k, shape...))
			}
			h := int64(hidden)
			return gru{add("weight_ih", 3*h, int64(in)), add("weight_hh", 3*h, h), add("bias_ih", 3*h), add("bias_hh", 3*h)}
		}
		c.low = newGRU("low", cfg.Input+cfg.High, cfg.Low)
		c.high = newGRU("high", cfg.Low, cfg.High)
		b := &builder{s: s, gen: gen, p: p}
		c.outW = b.linear("out.weight", cfg.Outputs, cfg.High)
		c.outB = b.fill("out.bias", 0, int64(cfg.Outputs))
		c.haltW = b.fill("q_head.weight", 0, 2, int64(cfg.High))
		c.haltB = b.fill("q_head.bias", -5, 2)
	})
}

// Config is the configuration with its default filled in.
func (c *Cell) Config() CellConfig { return c.cfg }

// Start is the carry of rows that have not thought yet: zeros.
func (c *Cell) Start(s *torch.Scope, dev torch.Device, batch int) CellCarry {
	zeros := func(n int) *torch.Tensor {
		return torch.From(s, dev, make([]float32, batch*n), int64(batch), int64(n))
	}
	return CellCarry{zeros(c.cfg.Low), zeros(c.cfg.High)}
}

// Segment thinks once about x [batch, Input]. In a Grad scope it records all of it; detach the carry
// to cut the history between segments. Output.Logits is [batch, Outputs].
func (c *Cell) Segment(s *torch.Scope, h CellCarry, x *torch.Tensor) (CellCarry, Output) {
	in := s.Cat(1, x, h.High)
	for range c.cfg.Steps {
		h.Low = c.low.step(s, in, h.Low)
	}
	h.High = c.high.step(s, h.Low, h.High)
	q := s.Linear(h.High, c.haltW, c.haltB)
	return h, Output{
		Logits:    s.Linear(h.High, c.outW, c.outB),
		QHalt:     s.Own(q.Select(1, 0, false)),
		QContinue: s.Own(q.Select(1, 1, false)),
	}
}

func (g gru) step(s *torch.Scope, x, h *torch.Tensor) *torch.Tensor {
	return s.Own(ts.GruCell(x, h, g.wIH, g.wHH, g.bIH, g.bHH))
}
