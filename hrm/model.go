//go:build cgo && !notorch

package hrm

import (
	"github.com/ponder-agents/ponder/internal/memory"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A Model is the transformer HRM with parameters that live: they belong to the torch.Params given to New
// and may change between segments. It is used by one goroutine at a time.
type Model struct {
	Training  Training  // what records gradients, in a scope of torch.Grad
	Precision Precision // in which it computes; "" means Float32

	cfg     Config // defaults filled in
	net     formulas
	params  *torch.Params
	observe func(name string, t *torch.Tensor)
}

// PuzzleTable is the name of the puzzle embedding's parameter [puzzle ids, puzzle dim] of networks that have
// one, those whose Spec.IDs is not 0. It is not trained as a whole: see torch.Params.Lookup.
const PuzzleTable = "inner.puzzle_emb.weights"

// New adds the parameters of a network to p under the reference's names, initialised from seed in the
// reference's order (truncated normal, "LeCun"; Q head 0 with bias -5; puzzle table 0).
func New(cfg Config, p *torch.Params, seed uint64) (*Model, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if err := memory.Check("the network", 4*cfg.Parameters()); err != nil {
		return nil, err
	}
	gen := torch.NewGenerator(seed)
	defer gen.Close()
	return newModel(cfg, p, drawn(p, gen))
}

// NewFrom is New with the weights that were saved; they must be all of the network's and no others. After
// an error p is to be closed.
func NewFrom(cfg Config, p *torch.Params, weights map[string]safetensors.Tensor) (*Model, error) {
	r := newReading(weights)
	m, err := newModel(cfg, p, r.into(p))
	if err == nil {
		err = r.err()
	}
	return m, err
}

func newModel(cfg Config, p *torch.Params, from source) (*Model, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	m := &Model{cfg: cfg.WithDefaults(), params: p}
	return m, torch.Do(torch.NoGrad, func(s *torch.Scope) { m.net = formulasOf(&builder{s, from}, m.cfg, p.Device()) })
}

// formulasOf asks b for the weights of the network that cfg describes.
func formulasOf(b *builder, cfg Config, dev torch.Device) formulas {
	if cfg.Mixing == Grouped {
		return newGrouped(b, cfg, dev)
	}
	return newTransformer(b, cfg, dev)
}

// Config is the configuration with its defaults filled in.
func (m *Model) Config() Config { return m.cfg }

// Spec implements Network.
func (m *Model) Spec() Spec { return m.net.spec() }

// Params implements Network.
func (m *Model) Params() *torch.Params { return m.params }

// Close frees the tables that the model made; the parameters stay Params'.
func (m *Model) Close() { m.net.close() }

// Observe makes f see intermediate values of the following segments, under the reference's module
// names ("input_embeddings", "L_level.layers.0.self_attn", "H_level.out", …). The tensors are valid
// during the call. A nil f ends it.
func (m *Model) Observe(f func(name string, t *torch.Tensor)) { m.observe = f }

func (m *Model) pass() *pass {
	p := passOf(m.Precision, m.params.Device())
	p.gradient, p.observe, p.history = m.Training.Gradient, m.observe, m.Training.Unroll > 1
	return &p
}

// Start implements Network: every level is at its fixed initial vector in all n = Config.Prefix() + seq
// places.
func (m *Model) Start(s *torch.Scope, batch, seq int) Carry {
	return start(m.net, m.pass(), s, batch, seq)
}

// Reset implements Network.
func (m *Model) Reset(s *torch.Scope, c Carry, fresh []bool) Carry { return reset(m.net, s, c, fresh) }

// Segment thinks once: the updates of Config.Levels, of which Training says which record gradients (only in
// a Grad scope). The new carry has no history unless Training.Unroll is more than 1; c is left alone.
//
// It panics with torch.Error if shapes disagree; call it inside torch.Do.
func (m *Model) Segment(s *torch.Scope, c Carry, in Input) (Carry, Output) {
	if m.params.Device() != torch.CPU {
		torch.AllowTF32(m.Precision == TF32)
	} else if m.Precision == TF32 {
		panic(torch.Error{Op: "segment", Msg: errTF32.Error()})
	}
	return m.net.segment(m.pass(), s, c, in)
}

// Read is what Segment would conclude of the carry that it leaves; nothing is thought.
func (m *Model) Read(s *torch.Scope, c Carry, in Input) Output { return m.net.read(m.pass(), s, c, in) }

// Compile implements Network.
func (m *Model) Compile(run Run) (*Core, error) {
	return compile(run, stacks(&m.cfg), live(m.params), func(b *builder, dev torch.Device) formulas { return formulasOf(b, m.cfg, dev) })
}
