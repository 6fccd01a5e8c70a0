//go:build cgo && !notorch

package hrm

import (
	"math"

	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
	"github.com/sugarme/gotch/ts"
)

// A Cell is the HRM as a plain function: N steps of a low GRU on [x, h_high], then one step of a high
// GRU on h_low, which the answer and the Q head read. GRU formula, parameter names and initial
// values are those of PyTorch's GRUCell, under low.* and high.*.
//
// With CellConfig.Vocab it is a Network that reads sequences: the vectors of all tokens, one after the
// other, are mapped to x, and h_high to the answers of all tokens. Without it is for Think alone.
type Cell struct {
	Precision Precision // in which it computes; "" means Float32

	net    *cellNet
	params *torch.Params
}

// A cellNet is the formulas of a Cell over its weights.
type cellNet struct {
	cfg     CellConfig // defaults filled in
	what    Spec
	device  torch.Device
	tokens  *torch.Tensor // [vocab, embed]; nil without tokens
	encoder *product      // [input, seq·embed]
	low     gru
	high    gru
	out, q  *product
}

type gru struct{ wIH, wHH, bIH, bHH *torch.Tensor }

// NewCell adds the parameters of a cell to p, initialised from seed.
func NewCell(cfg CellConfig, p *torch.Params, seed uint64) (*Cell, error) {
	gen := torch.NewGenerator(seed)
	defer gen.Close()
	return newCell(cfg, p, drawn(p, gen))
}

// NewCellFrom is NewCell with the weights that were saved; they must be all of the network's and no
// others. After an error p is to be closed.
func NewCellFrom(cfg CellConfig, p *torch.Params, weights map[string]safetensors.Tensor) (*Cell, error) {
	r := newReading(weights)
	c, err := newCell(cfg, p, r.into(p))
	if err == nil {
		err = r.err()
	}
	return c, err
}

func newCell(cfg CellConfig, p *torch.Params, from source) (*Cell, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	c := &Cell{params: p}
	return c, torch.Do(torch.NoGrad, func(s *torch.Scope) { c.net = newCellNet(&builder{s, from}, cfg, p.Device()) })
}

func newCellNet(b *builder, cfg CellConfig, dev torch.Device) *cellNet {
	c := cfg.WithDefaults()
	n := &cellNet{cfg: c, what: c.Spec(), device: dev}
	newGRU := func(name string, in, hidden int) gru {
		k := 1 / math.Sqrt(float64(hidden))
		h := int64(hidden)
		return gru{
			b.uniform(name+".weight_ih", k, 3*h, int64(in)), b.uniform(name+".weight_hh", k, 3*h, h),
			b.uniform(name+".bias_ih", k, 3*h), b.uniform(name+".bias_hh", k, 3*h),
		}
	}
	n.low = newGRU("low", c.Input+c.High, c.Low)
	n.high = newGRU("high", c.Low, c.High)
	answers := c.Outputs
	if c.Vocab > 0 {
		n.tokens = b.normal("embed_tokens.embedding_weight", 1, int64(c.Vocab), int64(c.Embed))
		n.encoder = b.product("encoder.weight", c.Input, c.Seq*c.Embed)
		n.encoder.b = b.fill("encoder.bias", true, 0, int64(c.Input))
		answers *= c.Seq
	}
	n.out = b.product("out.weight", answers, c.High)
	n.out.b = b.fill("out.bias", true, 0, int64(answers))
	n.q = b.qHead("q_head", c.High, true)
	return n
}

// Config is the configuration with its defaults filled in.
func (c *Cell) Config() CellConfig { return c.net.cfg }

// Spec implements Network.
func (c *Cell) Spec() Spec { return c.net.what }

// Params implements Network.
func (c *Cell) Params() *torch.Params { return c.params }

// Close implements Network.
func (c *Cell) Close() {}

// Start implements Network: h_high [batch, High] and h_low [batch, Low] are 0. seq is of no matter.
func (c *Cell) Start(s *torch.Scope, batch, seq int) Carry {
	return start(c.net, c.pass(), s, batch, seq)
}

// Reset implements Network.
func (c *Cell) Reset(s *torch.Scope, h Carry, fresh []bool) Carry { return reset(c.net, s, h, fresh) }

// Segment implements Network: Think about the tokens of in.
func (c *Cell) Segment(s *torch.Scope, h Carry, in Input) (Carry, Output) {
	return c.net.segment(c.pass(), s, h, in)
}

// Think thinks once about x [batch, Input]. In a Grad scope it records all of it, and the new carry has
// its history: detach it to cut the history between segments. Output.Logits is [batch, Outputs], or, where
// the cell has tokens, [batch, seq, Outputs].
func (c *Cell) Think(s *torch.Scope, h Carry, x *torch.Tensor) (Carry, Output) {
	return c.net.think(c.pass(), s, h, x)
}

// Compile implements Network.
func (c *Cell) Compile(run Run) (*Core, error) {
	return compile(run, false, live(c.params), func(b *builder, dev torch.Device) formulas { return newCellNet(b, c.net.cfg, dev) })
}

func (c *Cell) pass() *pass {
	p := passOf(c.Precision, c.params.Device())
	return &p
}

func (n *cellNet) spec() Spec { return n.what }
func (n *cellNet) close()     {}

func (n *cellNet) begin(s *torch.Scope, level int) *torch.Tensor {
	width := n.what.States[level].Width
	return torch.From(s, n.device, make([]float32, width), int64(width))
}

func (n *cellNet) segment(p *pass, s *torch.Scope, h Carry, in Input) (Carry, Output) {
	next, out := n.think(p, s, h, n.encode(p, s, in))
	return next.Detach(s), out
}

// encode is x [batch, Input] of the tokens of in.
func (n *cellNet) encode(p *pass, s *torch.Scope, in Input) *torch.Tensor {
	if n.tokens == nil {
		panic(torch.Error{Op: "segment", Msg: "the cell reads vectors, not tokens: its vocab is 0"})
	}
	shape := torch.Shape(in.Tokens)
	if err := n.what.Fits(int(shape[1]), in.Rows, in.Cols); err != nil {
		panic(torch.Error{Op: "segment", Msg: err.Error()})
	}
	x := s.To(s.Reshape(s.Embedding(n.tokens, in.Tokens), shape[0], -1), p.dtype)
	return n.encoder.apply(p, s, x)
}

func (n *cellNet) think(p *pass, s *torch.Scope, h Carry, x *torch.Tensor) (Carry, Output) {
	high, low := h[0], h[1]
	in := s.Cat(1, x, high)
	for range n.cfg.Steps {
		low = n.low.step(p, s, in, low)
	}
	high = n.high.step(p, s, low, high)
	return Carry{high, low}, n.output(p, s, high, x)
}

func (n *cellNet) read(p *pass, s *torch.Scope, h Carry, in Input) Output {
	return n.output(p, s, h[0], n.encode(p, s, in))
}

func (n *cellNet) output(p *pass, s *torch.Scope, high, x *torch.Tensor) Output {
	out := Output{Logits: n.out.apply(p, s, high), State: high, Encoded: x}
	if n.tokens != nil {
		out.Logits = s.Reshape(out.Logits, -1, int64(n.cfg.Seq), int64(n.cfg.Outputs))
	}
	out.qValues(s, n.q.apply(p, s, high))
	return out
}

func (g gru) step(p *pass, s *torch.Scope, x, h *torch.Tensor) *torch.Tensor {
	to := func(w *torch.Tensor) *torch.Tensor { return s.To(w, p.dtype) }
	return s.Own(ts.GruCell(x, h, to(g.wIH), to(g.wHH), to(g.bIH), to(g.bHH)))
}
