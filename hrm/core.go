//go:build cgo && !notorch

package hrm

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A Core is a network for thinking: its weights are copied once, in the type in which they are used, and
// never change. It may be shared by goroutines; Close it when none uses it.
type Core struct {
	net    formulas
	reads  []float32 // see Readout
	device torch.Device
	how    pass
	tf32   bool
	owned  []*torch.Tensor
	replay recorder
	close  sync.Once
}

var errTF32 = errors.New("precision tf32 is a GPU's")

// Load makes the core of a transformer from the weights that were saved; they must be all of the network's
// and no others.
func Load(cfg Config, weights map[string]safetensors.Tensor, run Run) (*Core, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	return load(weights, run, stacks(&cfg), func(b *builder, dev torch.Device) formulas { return formulasOf(b, cfg, dev) })
}

// LoadCell is Load of a Cell.
func LoadCell(cfg CellConfig, weights map[string]safetensors.Tensor, run Run) (*Core, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	return load(weights, run, false, func(b *builder, dev torch.Device) formulas { return newCellNet(b, cfg, dev) })
}

func load(weights map[string]safetensors.Tensor, run Run, stacks bool, make func(*builder, torch.Device) formulas) (*Core, error) {
	r := newReading(weights)
	c, err := compile(run, stacks, r.give, make)
	if err != nil {
		return nil, err
	}
	if err := r.err(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// ErrPrecision is Load's error where a network does not compute in the number format.
var ErrPrecision = errors.New("not in this number format")

// compile makes a core of what give has of each weight; where that is nil, the core is not to be used. stacks says
// whether its blocks can be one operation.
func compile(run Run, stacks bool, give func(s *torch.Scope, w weight) *torch.Tensor, make func(*builder, torch.Device) formulas) (*Core, error) {
	if err := run.Precision.CheckThinking(); err != nil {
		return nil, err
	}
	if run.Precision == TF32 && run.Device == torch.CPU {
		return nil, errTF32
	}
	if run.Precision == Int8 && !(stacks && run.Device == torch.CPU) {
		return nil, fmt.Errorf("hrm: precision %s: %w: blocks of attention, matrices or token mixing on the CPU have it", run.Precision, ErrPrecision)
	}
	c := &Core{device: run.Device, how: passOf(run.Precision, run.Device), tf32: run.Precision == TF32}
	complete := true
	from := func(s *torch.Scope, w weight, _ func(*torch.Generator) *torch.Tensor) (kept *torch.Tensor) {
		s.Do(torch.NoGrad, func(in *torch.Scope) {
			x := give(in, w)
			if x == nil {
				complete = false
				return
			}
			if w.cast {
				x = in.To(x, c.how.dtype)
			}
			kept = in.Keep(in.Clone(x, c.device))
			c.owned = append(c.owned, kept)
		})
		return kept
	}
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		c.net = make(&builder{s, from}, c.device)
		if !complete {
			return
		}
		switch t := c.net.(type) {
		case *transformer:
			c.reads = s.ReadFloats(nil, s.To(t.head.w, torch.Float32))
			t.pack(c.pass(), s)
			dropped := t.onlyPacked()
			c.owned = slices.DeleteFunc(c.owned, func(x *torch.Tensor) bool { return slices.Contains(dropped, x) })
		case *grouped:
			c.reads = s.ReadFloats(nil, s.To(t.head.w, torch.Float32))
			t.pack(s)
		}
	})
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close frees the core.
func (c *Core) Close() error {
	c.close.Do(func() {
		c.replay.close()
		if c.net != nil {
			c.net.close()
		}
		for _, t := range c.owned {
			t.Drop()
		}
	})
	return nil
}

// Spec says what it takes, gives and carries.
func (c *Core) Spec() Spec { return c.net.spec() }

// Readout is the factor [outputs, hidden] by which answers are read off the state of the first level, row-major; [hidden] of a
// network that mixes by groups, whose places are those of symbols; nil of others. It must not be changed.
func (c *Core) Readout() []float32 { return c.reads }

// Device is where it computes.
func (c *Core) Device() torch.Device { return c.device }

func (c *Core) pass() *pass {
	p := c.how
	return &p
}

// Start is the carry of batch rows of seq tokens that have not thought yet.
func (c *Core) Start(s *torch.Scope, batch, seq int) Carry {
	return start(c.net, &c.how, s, batch, seq)
}

// CarryOf is the carry of one row of seq tokens with the numbers of states, those of one level each.
func (c *Core) CarryOf(s *torch.Scope, seq int, states [][]float32) Carry {
	out := Carry{}
	for k, st := range c.Spec().States {
		out = append(out, s.To(torch.From(s, c.device, states[k], stateShape(st, 1, seq)...), c.how.dtype))
	}
	return out
}

// Segment thinks once, as Model.Segment. On a GPU a small batch of a shape that comes again is replayed as one
// recording.
func (c *Core) Segment(s *torch.Scope, z Carry, in Input) (Carry, Output) {
	if c.device == torch.CPU {
		return c.net.segment(c.pass(), s, z, in)
	}
	c.replay.mu.Lock()
	defer c.replay.mu.Unlock()
	torch.AllowTF32(c.tf32)
	if r := c.replay.of(c, s, z, in); r != nil {
		return r.segment(s, z, in)
	}
	return c.net.segment(c.pass(), s, z, in)
}

// Read is what z says about in, without thinking.
func (c *Core) Read(s *torch.Scope, z Carry, in Input) Output { return c.net.read(c.pass(), s, z, in) }

// Attends reports whether AttentionMaps has any.
func (c *Core) Attends() bool {
	t, ok := c.net.(*transformer)
	return ok && t.cfg.Mixing == Attention
}

// AttentionMaps are, for each level, the attention weights of its last block in its last update of the
// segment that follows z, averaged over heads: row-major [batch·n·n], the attending position first. They are
// nil where the network has no attention.
func (c *Core) AttentionMaps(s *torch.Scope, z Carry, in Input) [][]float32 {
	maps := make([][]float32, len(z))
	p := c.pass()
	p.attend = func(level int, w *torch.Tensor) { maps[level] = torch.Read[float32](nil, w) }
	s.Do(torch.NoGrad, func(inner *torch.Scope) { c.net.segment(p, inner, z, in) })
	return maps
}
