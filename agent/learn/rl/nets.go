//go:build cgo && !notorch

package rl

import (
	"fmt"
	"math"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/torch"
	"github.com/sugarme/gotch/ts"
)

// A NetworkConfig describes a network.
type NetworkConfig = arch.PolicyConfig

// kinds makes the part of a network that thinks.
var kinds = map[string]func(b *builder, cfg NetworkConfig) core{
	"hrm": newHRM, "cell": newCell, "conv": newFeedForward, "gru": newGRU, "lstm": newLSTM, "transformer": newTransformer,
}

// A reader makes of observations what segments begin with.
type reader interface {
	encode(s *torch.Scope, obs []byte, rows int) (Seen, error)
}

// A core is what lies between reader and heads.
type core interface {
	start(s *torch.Scope, rows int) State
	segment(s *torch.Scope, x Seen, z State) State
	// read is the vector [rows, readout] that the heads see.
	read(s *torch.Scope, x Seen, z State) *torch.Tensor
	readout() int
}

// A net is an encoder, a core and heads.
type net struct {
	cfg    NetworkConfig
	params *torch.Params
	enc    reader
	core   core
	policy head
	value  head
}

// A head is two layers with tanh between them.
type head struct{ w1, b1, w2, b2 *torch.Tensor }

func newHead(b *builder, name string, out, in int) head {
	var h head
	h.w1, h.b1 = b.linear(name+".0", arch.PolicyHead, in)
	h.w2, h.b2 = b.small(name+".2", out, arch.PolicyHead)
	return h
}

func (h head) apply(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	return s.Linear(s.Tanh(s.Linear(x, h.w1, h.b1)), h.w2, h.b2)
}

// NewNetwork makes a network for the observations and actions of spec, initialised from seed. An HRM
// that sees a map has a state for each of its cells, one that fills in a board a state for each symbol of each
// cell, one that sees anything else has one vector.
func NewNetwork(cfg NetworkConfig, spec env.Spec, dev torch.Device, seed uint64) (Network, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	plan, isMap := spec.Map()
	board, isBoard := spec.Board()
	isMap, isBoard = isMap && cfg.Kind == "hrm", isBoard && cfg.Kind == "hrm"
	if cfg.FiLM && (isMap || isBoard) {
		return nil, &problems.Field{Name: "policy.film", What: fmt.Sprintf(", and %s has no mission", spec.ID)}
	}
	if isBoard {
		return newBoard(cfg, board, spec, dev, seed)
	}
	n := &net{cfg: cfg, params: torch.NewParams(dev)}
	gen := torch.NewGenerator(seed)
	defer gen.Close()
	var err error
	failed := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		b := &builder{s: s, gen: gen, p: n.params}
		if isMap {
			m := newMapReader(b, plan, spec.Vocab, cfg.Hidden)
			n.enc, n.core = m, newMapCore(b, cfg, m)
		} else {
			if n.enc, err = newEncoder(b, spec, cfg.Hidden, cfg.FiLM); err != nil {
				return
			}
			n.core = kinds[cfg.Kind](b, cfg)
		}
		n.policy = newHead(b, "policy", len(spec.Actions), n.core.readout())
		n.value = newHead(b, "value", 1, n.core.readout())
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		n.params.Close()
		return nil, err
	}
	return n, nil
}

func (n *net) Params() *torch.Params { return n.params }

// Levels are what the parts of the state are called.
func (n *net) Levels() []string { return n.cfg.Levels() }

func (n *net) Close() { n.params.Close() }

func (n *net) Encode(s *torch.Scope, obs []byte, rows int) (Seen, error) {
	return n.enc.encode(s, obs, rows)
}
func (n *net) Start(s *torch.Scope, rows int) State { return n.core.start(s, rows) }
func (n *net) Segment(s *torch.Scope, x Seen, z State) State {
	return n.core.segment(s, x, z)
}

func (n *net) Heads(s *torch.Scope, x Seen, z State) Heads {
	r := n.core.read(s, x, z)
	return Heads{Logits: n.policy.apply(s, r), Value: s.Own(n.value.apply(s, r).Select(1, 0, false)), Read: r}
}

// hrm is the HRM over one vector: LCycles updates of z_L, one of z_H. A block is a SwiGLU feed-forward
// with the norm of its residual; the heads see z_H and the encoded input beside it, without which a
// kept carry does not learn from one segment's gradient.
type hrmCore struct {
	cfg    NetworkConfig
	l, h   block
	z0     *torch.Tensor // [2, hidden]
	params *torch.Params
}

type block struct{ up, down *torch.Tensor } // [4h, h], [h, 2h]

func newBlock(b *builder, name string, h int) block {
	k := 1 / math.Sqrt(float64(h))
	return block{b.uniform(name+".mlp.gate_up_proj.weight", k, int64(4*h), int64(h)), b.uniform(name+".mlp.down_proj.weight", k/math.Sqrt2, int64(h), int64(2*h))}
}

func (k block) apply(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	return s.RMSAdd(x, s.Linear(s.SwiGLU(s.Linear(x, k.up, nil)), k.down, nil), 1e-5)
}

func newHRM(b *builder, cfg NetworkConfig) core {
	return &hrmCore{
		cfg: cfg, l: newBlock(b, "L_level", cfg.Hidden), h: newBlock(b, "H_level", cfg.Hidden),
		z0: b.p.AddFixed(b.s, "init", b.gen.TruncNormal(b.s, 1, 2, int64(cfg.Hidden))), params: b.p,
	}
}

func (c *hrmCore) start(s *torch.Scope, rows int) State {
	row := func(i int64) *torch.Tensor {
		return s.Own(s.Narrow(c.z0, 0, i, 1).Expand([]int64{int64(rows), int64(c.cfg.Hidden)}, false, false))
	}
	return State{row(0), row(1)}
}

func (c *hrmCore) segment(s *torch.Scope, x Seen, z State) State {
	zh, zl := z[0], z[1]
	around := s.Add(zh, x[0])
	for range c.cfg.LCycles {
		zl = c.l.apply(s, s.Add(zl, around))
	}
	return State{c.h.apply(s, s.Add(zh, zl)), zl}
}

func (c *hrmCore) readout() int { return 2 * c.cfg.Hidden }

func (c *hrmCore) read(s *torch.Scope, x Seen, z State) *torch.Tensor {
	return s.Cat(1, z[0], s.Tanh(x[0]))
}

// feedForward has no state: one segment is as good as many.
type feedForward struct{ width int }

func newFeedForward(_ *builder, cfg NetworkConfig) core { return feedForward{cfg.Hidden} }

func (feedForward) start(*torch.Scope, int) State                 { return nil }
func (feedForward) segment(_ *torch.Scope, _ Seen, z State) State { return z }
func (f feedForward) readout() int                                { return f.width }
func (feedForward) read(s *torch.Scope, x Seen, _ State) *torch.Tensor {
	return s.Tanh(x[0])
}

// A recurrent is a GRU or an LSTM, one step a segment.
type recurrent struct {
	width              int
	lstm               bool
	wIH, wHH, bIH, bHH *torch.Tensor
	dev                torch.Device
}

func newRecurrent(b *builder, cfg NetworkConfig, lstm bool) core {
	gates := int64(3)
	if lstm {
		gates = 4
	}
	h, k := int64(cfg.Hidden), 1/math.Sqrt(float64(cfg.Hidden))
	add := func(name string, shape ...int64) *torch.Tensor { return b.uniform("core."+name, k, shape...) }
	return &recurrent{
		width: cfg.Hidden, lstm: lstm, dev: b.p.Device(),
		wIH: add("weight_ih", gates*h, h), wHH: add("weight_hh", gates*h, h), bIH: add("bias_ih", gates*h), bHH: add("bias_hh", gates*h),
	}
}

func newGRU(b *builder, cfg NetworkConfig) core  { return newRecurrent(b, cfg, false) }
func newLSTM(b *builder, cfg NetworkConfig) core { return newRecurrent(b, cfg, true) }

func (c *recurrent) start(s *torch.Scope, rows int) State {
	zeros := func() *torch.Tensor {
		return torch.From(s, c.dev, make([]float32, rows*c.width), int64(rows), int64(c.width))
	}
	if c.lstm {
		return State{zeros(), zeros()}
	}
	return State{zeros()}
}

func (c *recurrent) segment(s *torch.Scope, x Seen, z State) State {
	in := s.Tanh(x[0])
	if !c.lstm {
		return State{s.Own(ts.GruCell(in, z[0], c.wIH, c.wHH, c.bIH, c.bHH))}
	}
	h, cell, err := ts.LstmCell(in, z, c.wIH, c.wHH, c.bIH, c.bHH)
	both := s.OwnAll([]*torch.Tensor{h, cell}, err)
	return State{both[0], both[1]}
}

func (c *recurrent) readout() int { return 2 * c.width }

func (c *recurrent) read(s *torch.Scope, x Seen, z State) *torch.Tensor {
	return s.Cat(1, z[0], s.Tanh(x[0]))
}

// cellCore is the HRM of two GRUs (hrm.Cell's formulas): low steps on [x, h_high], then a high one.
type cellCore struct {
	width     int
	low, high *recurrent
}

func newCell(b *builder, cfg NetworkConfig) core {
	h, k := int64(cfg.Hidden), 1/math.Sqrt(float64(cfg.Hidden))
	gru := func(name string, in int64) *recurrent {
		add := func(part string, shape ...int64) *torch.Tensor { return b.uniform(name+"."+part, k, shape...) }
		return &recurrent{width: cfg.Hidden, dev: b.p.Device(), wIH: add("weight_ih", 3*h, in), wHH: add("weight_hh", 3*h, h), bIH: add("bias_ih", 3*h), bHH: add("bias_hh", 3*h)}
	}
	return &cellCore{cfg.Hidden, gru("low", 2*h), gru("high", h)}
}

func (c *cellCore) start(s *torch.Scope, rows int) State {
	return State{c.high.start(s, rows)[0], c.low.start(s, rows)[0]}
}

func (c *cellCore) segment(s *torch.Scope, x Seen, z State) State {
	in, low := s.Cat(1, s.Tanh(x[0]), z[0]), z[1]
	for range arch.PolicyCellSteps {
		low = s.Own(ts.GruCell(in, low, c.low.wIH, c.low.wHH, c.low.bIH, c.low.bHH))
	}
	return State{s.Own(ts.GruCell(low, z[0], c.high.wIH, c.high.wHH, c.high.bIH, c.high.bHH)), low}
}

func (c *cellCore) readout() int { return 2 * c.width }

func (c *cellCore) read(s *torch.Scope, x Seen, z State) *torch.Tensor {
	return s.Cat(1, z[0], s.Tanh(x[0]))
}

// transformer attends from the present to the last Window steps. Its state is those steps and which of
// them there are.
type transformer struct {
	cfg      NetworkConfig
	qkv, out *torch.Tensor
	place    *torch.Tensor // [window, hidden]
	mlp      block
	dev      torch.Device
}

func newTransformer(b *builder, cfg NetworkConfig) core {
	h, k := int64(cfg.Hidden), 1/math.Sqrt(float64(cfg.Hidden))
	return &transformer{
		cfg: cfg, dev: b.p.Device(), qkv: b.uniform("core.qkv.weight", k, 3*h, h), out: b.uniform("core.out.weight", k, h, h),
		place: b.normal("core.place", 0.1, int64(cfg.Window), h), mlp: newBlock(b, "core", cfg.Hidden),
	}
}

func (c *transformer) start(s *torch.Scope, rows int) State {
	w, h := int64(c.cfg.Window), int64(c.cfg.Hidden)
	n := int64(rows)
	return State{
		torch.From(s, c.dev, make([]float32, n*w*h), n, w, h), // the newest last
		torch.From(s, c.dev, make([]float32, n*w), n, w),      // 1 where there is one
	}
}

func (c *transformer) segment(s *torch.Scope, x Seen, z State) State {
	shape := torch.Shape(x[0])
	n, w := shape[0], int64(c.cfg.Window)
	past := s.Cat(1, s.Narrow(z[0], 1, 1, w-1), s.Reshape(s.Tanh(x[0]), n, 1, shape[1]))
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	there := s.Cat(1, s.Narrow(z[1], 1, 1, w-1), torch.From(s, c.dev, ones, n, 1))
	return State{past, there}
}

func (c *transformer) readout() int { return 2 * c.cfg.Hidden }

func (c *transformer) read(s *torch.Scope, x Seen, z State) *torch.Tensor {
	h := int64(c.cfg.Hidden)
	shape := torch.Shape(x[0])
	n, w := shape[0], int64(c.cfg.Window)
	in := s.Add(z[0], c.place)
	qkv := s.Linear(in, c.qkv, nil) // [n, w, 3h]
	q := s.Narrow(s.Narrow(qkv, 1, w-1, 1), 2, 0, h)
	k, v := s.Narrow(qkv, 2, h, h), s.Narrow(qkv, 2, 2*h, h)
	scores := s.Scale(s.MatMul(q, s.Transpose(k, 1, 2)), 1/math.Sqrt(float64(h))) // [n, 1, w]
	absent := s.Scale(s.Sub(s.Reshape(z[1], n, 1, w), s.Floats([]float32{1}, 1)), 1e9)
	weights := s.Own(s.Add(scores, absent).Softmax(-1, torch.Float32, false))
	y := s.Linear(s.Reshape(s.MatMul(weights, v), n, h), c.out, nil)
	now := s.Tanh(x[0])
	return s.Cat(1, c.mlp.apply(s, s.RMSAdd(now, y, 1e-5)), now)
}
