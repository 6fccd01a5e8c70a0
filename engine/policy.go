package engine

import (
	"fmt"
	"math"
	"strings"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/vec"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A policy is the weights of a network that learned by acting (package rl): eyes, a core, and heads that read
// the core's state.
type policy struct {
	cfg  arch.PolicyConfig
	spec env.Spec
	eyes eyes

	// The core; which there are depends on the kind.
	blocks    []policyBlock // hrm: L, H; transformer: one
	start     []float32     // [2, hidden] of hrm
	low, high gru           // cell; of gru high alone
	in, past  affine        // lstm
	qkv, mix  affine        // transformer
	place     []float32     // [window, hidden] of transformer

	verdict verdict
}

// A policyBlock is x = rms(x + down(swiglu(x))).
type policyBlock struct{ up, down vec.Matrix }

// NewPolicy is New for a network that learned to act in a world of spec.
func NewPolicy(cfg arch.PolicyConfig, spec env.Spec, weights map[string]safetensors.Tensor) (*Model, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if err := checkSpec(spec); err != nil {
		return nil, err
	}
	if cfg.FiLM {
		if err := checkFilm(spec); err != nil {
			return nil, err
		}
	}
	gated := false
	for name := range weights {
		gated = gated || strings.HasPrefix(name, "gate.")
	}
	net, build, sp := policyOf(cfg.WithDefaults(), spec, gated)
	if err := read(weights, build); err != nil {
		return nil, err
	}
	return &Model{net: net, spec: sp}, nil
}

// policyOf is the network of a policy in a world of spec, with a gate if gated, what asks for its weights, and what it
// takes and gives.
func policyOf(cfg arch.PolicyConfig, spec env.Spec, gated bool) (network, func(*reader), think.Spec) {
	v := verdict{read: 2 * cfg.Hidden, levels: len(cfg.Levels()), own: len(spec.Actions), gated: gated}
	if cfg.Kind == "conv" {
		v.read = cfg.Hidden
	}
	sp := think.Spec{Vocab: spec.Vocab, Outputs: len(spec.Actions), Answers: 1, Shape: think.Shape{Seq: spec.ObsLen}, Fixed: true}
	if f, ok := spec.Map(); ok && cfg.Kind == "hrm" {
		p := &mapPolicy{cfg: cfg, field: f, vocab: spec.Vocab, actions: len(spec.Actions), verdict: v}
		sp.Shape.Rows, sp.Shape.Cols, sp.Fixed = f.Shape[0], f.Shape[1], false
		sp.Levels = levelsOf(p.states(1))
		return p, p.build, sp
	}
	if f, ok := spec.Board(); ok && cfg.Kind == "hrm" {
		v.own -= f.Len() * f.Symbols
		p := &boardPolicy{grouped: &grouped{cfg: cfg.Board(f.Len(), f.Symbols, spec.Vocab).WithDefaults()}, spec: spec, verdict: v}
		sp.Levels = levelsOf(p.states())
		return p, p.build, sp
	}
	p := &policy{cfg: cfg, spec: spec, eyes: eyes{spec: spec, filmed: cfg.FiLM}, verdict: v}
	sp.Levels = levelsOf(p.states())
	return p, p.build, sp
}

// levelsOf are the levels of states, places of one token each.
func levelsOf(states []state) (out []think.Level) {
	for _, st := range states {
		out = append(out, think.Level{Name: st.name, Width: st.places * st.width})
	}
	return out
}

func (p *policy) build(r *reader) {
	h := p.cfg.Hidden
	p.eyes.build(r, h)
	block := func(name string) policyBlock {
		return policyBlock{r.halves(name+".mlp.gate_up_proj.weight", 2*h, h), r.matrix(name+".mlp.down_proj.weight", h, 2*h)}
	}
	switch p.cfg.Kind {
	case "hrm":
		p.blocks = []policyBlock{block("L_level"), block("H_level")}
		p.start = r.floats("init", 2, h)
	case "cell":
		p.low, p.high = r.gru("low", h, 2*h), r.gru("high", h, h)
	case "gru":
		p.high = r.gru("core", h, h)
	case "lstm":
		p.in, p.past = r.gated("core", 4, h, h)
	case "transformer":
		p.qkv, p.mix = affine{w: r.matrix("core.qkv.weight", 3*h, h)}, affine{w: r.matrix("core.out.weight", h, h)}
		p.place = r.floats("core.place", p.cfg.Window, h)
		p.blocks = []policyBlock{block("core")}
	}
	p.verdict.build(r)
}

func (p *policy) states() []state {
	var out []state
	for i, name := range p.cfg.Levels() {
		s := state{name: name, places: 1, width: p.cfg.Hidden, planes: 1}
		if p.cfg.Kind == "transformer" {
			if s.places = p.cfg.Window; i == 1 { // which of the steps there are
				s.places, s.width = 1, p.cfg.Window
			}
		}
		out = append(out, s)
	}
	return out
}

func (p *policy) bytes(think.Shape) (row, worker, tables float64) {
	h, w := float64(vec.RowStep*p.cfg.Hidden), float64(p.cfg.Window)
	row = 3 * h
	worker = 24 * h
	if p.cfg.Kind == "transformer" {
		row, worker = row+w*h, worker+4*w*h
	}
	return row, worker, float64(6*64*vec.PadRows(p.eyes.rows*p.eyes.cols) + vec.RowStep*p.eyes.seen)
}

// A watcher is a policy with room to look at an observation.
type watcher struct {
	*policy
	look *look
}

func (p *policy) fit(shape think.Shape) (formulas, error) {
	if shape.Seq != p.spec.ObsLen {
		return nil, fmt.Errorf("observations of %d bytes, the network reads %d", shape.Seq, p.spec.ObsLen)
	}
	return &watcher{p, p.eyes.open()}, nil
}

func (p *watcher) layout() layout {
	return layout{states: p.states(), tokens: p.spec.Vocab, answers: 1, outputs: len(p.spec.Actions), width: vec.RowStep * vec.Pad(p.cfg.Hidden)}
}

func (p *watcher) begin(z [][]float32) {
	for k := range z {
		clear(z[k])
		if p.cfg.Kind == "hrm" {
			copy(z[k], p.start[k*p.cfg.Hidden:][:p.cfg.Hidden])
		}
	}
}

func (p *watcher) encode(r *row, in think.Input) error {
	p.look.encode(r.e, in.Tokens)
	return nil
}

// An actor is a worker of a policy.
type actor struct {
	*policy
	levels         []state
	low, high      gru
	x, now, around vector // what is seen, its tanh, what an update adds
	up, act, y     vector // of a block
	both           vector // what the heads see, and what a cell's low steps do
	tell           *teller
	gates, past    vector // lstm
	steps          []float32
	qkv            []float32 // transformer: [window, 3·hidden]
	weights        []float32
}

func (p *watcher) worker(*view) worker {
	h := p.cfg.Hidden
	w := &actor{
		policy: p.policy, levels: p.states(), now: newVector(h), around: newVector(h), x: newVector(h), up: newVector(2 * vec.Pad(2*h)), act: newVector(2 * h), y: newVector(h),
		both: newVector(2 * h), tell: p.verdict.open(),
	}
	switch p.cfg.Kind {
	case "cell":
		w.low, w.high = p.low.opened(), p.high.opened()
	case "gru":
		w.high = p.high.opened()
	case "lstm":
		w.gates, w.past = newVector(4*h), newVector(4*h)
	case "transformer":
		n := vec.PadRows(p.cfg.Window)
		w.steps, w.qkv, w.weights = make([]float32, n*vec.Pad(h)), make([]float32, n*vec.Pad(3*h)), make([]float32, vec.Pad(p.cfg.Window))
	}
	return w
}

func (w *actor) segment(r *row, logits []float32) (halt, cont float32) {
	h := w.cfg.Hidden
	x := vector(r.e)
	tanh(w.now[:h], x[:h])
	w.tell.begin(r.z)
	state := w.now // what the heads see first
	switch w.cfg.Kind {
	case "hrm":
		state = w.think(x, r.z[0], r.z[1])
	case "cell":
		high, low := vector(r.z[0]), vector(r.z[1])
		concat(w.both, w.now[:h], high[:h])
		w.low.see(w.both)
		for range arch.PolicyCellSteps {
			w.low.step(low)
		}
		w.high.see(low)
		w.high.step(high)
		state = high
	case "gru":
		w.high.see(w.now)
		w.high.step(r.z[0])
		state = r.z[0]
	case "lstm":
		state = w.remember(r.z[0], r.z[1])
	case "transformer":
		state = w.lookBack(r.z[0], r.z[1])
	}
	concat(w.both, state[:h], w.now[:w.verdict.read-h])
	return w.tell.tell(logits, w.both, r.z, w.levels)
}

// think is the HRM over one vector: LCycles updates of z_L, one of z_H, which is what the heads see.
func (w *actor) think(x, zh, zl vector) vector {
	wide := vec.Pad(w.cfg.Hidden)
	vec.Add(w.around[:wide], zh[:wide], x[:wide])
	for range w.cfg.LCycles {
		vec.Add(zl[:wide], zl[:wide], w.around)
		w.apply(w.blocks[0], zl)
	}
	vec.Add(zh[:wide], zh[:wide], zl)
	w.apply(w.blocks[1], zh)
	return zh
}

// apply is the block b over x, in place.
func (w *actor) apply(b policyBlock, x vector) {
	h := w.cfg.Hidden
	wide, inner := vec.Pad(h), vec.Pad(2*h)
	vec.Product(w.up, 2*inner, x, wide, vec.RowStep, b.up)
	vec.SwiGLU(w.act, w.up, 1, inner)
	vec.Product(w.y, wide, w.act, inner, vec.RowStep, b.down)
	w.add(x, w.y)
}

// add is x = rms(x + y).
func (w *actor) add(x, y vector) { vec.RMSAdd(x, x, y, 1, vec.Pad(w.cfg.Hidden), w.cfg.Hidden, 1e-5) }

// remember is a step of PyTorch's LSTMCell: gates input, forget, new, output.
func (w *actor) remember(h, c vector) vector {
	w.in.apply(w.gates, w.now)
	w.policy.past.apply(w.past, h)
	n := w.cfg.Hidden
	for i := range n {
		gate := func(k int) float32 { return w.gates[k*n+i] + w.past[k*n+i] }
		c[i] = sigmoid(gate(1))*c[i] + sigmoid(gate(0))*float32(math.Tanh(float64(gate(2))))
		h[i] = sigmoid(gate(3)) * float32(math.Tanh(float64(c[i])))
	}
	return h
}

// lookBack attends from the present to the last steps, which it moves on; there says which there are.
func (w *actor) lookBack(past, there vector) vector {
	h, n := w.cfg.Hidden, w.cfg.Window
	wide, three := vec.Pad(h), vec.Pad(3*h)
	copy(past, past[wide:n*wide])
	copy(past[(n-1)*wide:n*wide], w.now[:wide])
	copy(there, there[1:n])
	there[n-1] = 1
	for i := range n {
		x := w.steps[i*wide:][:h]
		copy(x, past[i*wide:])
		sum(x, w.place[i*h:])
	}
	vec.Product(w.qkv, three, w.steps, wide, vec.PadRows(n), w.policy.qkv.w)
	q, by := w.qkv[(n-1)*three:][:h], float32(1/math.Sqrt(float64(h)))
	for i := range w.weights {
		w.weights[i] = masked
		if i < n && there[i] != 0 {
			w.weights[i] = dot(0, q, w.qkv[i*three+h:][:h]) * by
		}
	}
	vec.Softmax(w.weights, 1, len(w.weights))
	clear(w.around)
	for i := range n {
		for j, v := range w.qkv[i*three+2*h:][:h] {
			w.around[j] += w.weights[i] * v
		}
	}
	w.mix.apply(w.y, w.around)
	copy(w.x, w.now)
	w.add(w.x, w.y)
	w.apply(w.blocks[0], w.x)
	return w.x
}
