package engine

import (
	"fmt"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/vec"
)

// A mapPolicy is the weights of an HRM with a state for every cell of a map, which learned by acting (package rl).
type mapPolicy struct {
	cfg     arch.PolicyConfig
	field   env.Field
	vocab   int
	actions int
	cells   []float32 // [vocab, hidden]
	blocks  [2]mapBlock
	start   []float32 // [2, hidden] of H and L
	verdict verdict
}

// A mapBlock is x = rms(x + down(swiglu(conv(up(x))))), the convolution over 3x3 cells of each channel.
type mapBlock struct {
	up   vec.Matrix
	conv []float32 // [9, 2·padded 2·hidden]
	down vec.Matrix
}

func (p *mapPolicy) build(r *reader) {
	h := p.cfg.Hidden
	p.cells = r.floats("encoder.cells", p.vocab, h)
	for i, name := range []string{"L_level", "H_level"} {
		b := &p.blocks[i]
		b.up, b.down = r.halves(name+".mlp.gate_up_proj.weight", 2*h, h), r.matrix(name+".mlp.down_proj.weight", h, 2*h)
		w := r.floats(name+".mlp.conv.weight", 9, 4*h)
		if w != nil {
			half := vec.Pad(2 * h)
			b.conv = make([]float32, 9*2*half)
			for k := range 9 {
				copy(b.conv[k*2*half:], w[k*4*h:][:2*h])
				copy(b.conv[k*2*half+half:], w[k*4*h+2*h:][:2*h])
			}
		}
	}
	p.start = r.floats("init", 2, h)
	p.verdict.build(r)
}

func (p *mapPolicy) states(places int) []state {
	var out []state
	for _, name := range p.cfg.Levels() {
		out = append(out, state{name: name, places: places, width: p.cfg.Hidden, planes: 1})
	}
	return out
}

func (p *mapPolicy) bytes(shape think.Shape) (row, worker, tables float64) {
	n, h := float64(vec.PadRows(shape.Seq)), float64(vec.Pad(p.cfg.Hidden))
	return 3 * n * h, 20 * n * h, 0
}

// A mapWatcher is a mapPolicy for maps of one size.
type mapWatcher struct {
	*mapPolicy
	rows, cols int
	levels     []state
}

func (p *mapPolicy) fit(shape think.Shape) (formulas, error) {
	if shape.Rows*shape.Cols != shape.Seq || shape.Seq == 0 {
		return nil, fmt.Errorf("a map of %d rows, %d columns in %d bytes", shape.Rows, shape.Cols, shape.Seq)
	}
	return &mapWatcher{p, shape.Rows, shape.Cols, p.states(shape.Seq)}, nil
}

func (p *mapWatcher) layout() layout {
	return layout{
		states: p.levels, tokens: p.vocab, answers: 1, outputs: p.actions,
		width: vec.PadRows(p.rows*p.cols)*vec.Pad(p.cfg.Hidden) + 1, // and the agent's cell
	}
}

func (p *mapWatcher) begin(z [][]float32) {
	h, d := p.cfg.Hidden, vec.Pad(p.cfg.Hidden)
	for k := range z {
		for i := range p.rows * p.cols {
			copy(z[k][i*d:i*d+h], p.start[k*h:])
		}
	}
}

func (p *mapWatcher) agent(r *row) *float32 {
	return &r.e[vec.PadRows(p.rows*p.cols)*vec.Pad(p.cfg.Hidden)]
}

func (p *mapWatcher) encode(r *row, in think.Input) error {
	h, d := p.cfg.Hidden, vec.Pad(p.cfg.Hidden)
	*p.agent(r) = 0
	for i, v := range in.Tokens {
		if v == int32(p.field.Agent) {
			v = int32(p.field.Under)
			*p.agent(r) = float32(i)
		}
		copy(r.e[i*d:i*d+h], p.cells[int(v)*h:])
	}
	return nil
}

// A mapActor is a worker of a mapPolicy.
type mapActor struct {
	*mapWatcher
	tell      *teller
	around, y []float32 // padded [cells, hidden]
	wide      []float32 // padded [cells, 4·hidden]
	grid      []float32 // the same with a border of zeros
	act       []float32 // padded [cells, 2·hidden]
	both      vector
}

func (p *mapWatcher) worker(*view) worker {
	n, d, half := vec.PadRows(p.rows*p.cols), vec.Pad(p.cfg.Hidden), vec.Pad(2*p.cfg.Hidden)
	return &mapActor{
		mapWatcher: p, tell: p.verdict.open(), around: make([]float32, n*d), y: make([]float32, n*d), wide: make([]float32, n*2*half),
		grid: make([]float32, (p.rows+2)*(p.cols+2)*2*half), act: make([]float32, n*half), both: newVector(2 * p.cfg.Hidden),
	}
}

func (w *mapActor) segment(r *row, logits []float32) (halt, cont float32) {
	n := vec.PadRows(w.rows*w.cols) * vec.Pad(w.cfg.Hidden)
	zh, zl := r.z[0][:n], r.z[1][:n]
	w.tell.begin(r.z)
	vec.Add(w.around, zh, r.e[:n])
	for range w.cfg.LCycles {
		vec.Add(zl, zl, w.around)
		w.apply(&w.blocks[0], zl)
	}
	vec.Add(zh, zh, zl)
	w.apply(&w.blocks[1], zh)
	h := w.cfg.Hidden
	at := int(*w.agent(r)) * vec.Pad(h)
	copy(w.both, zh[at:at+h])
	tanh(w.both[h:2*h], r.e[at:at+h])
	return w.tell.tell(logits, w.both, r.z, w.levels)
}

// apply is the block b over x, in place.
func (w *mapActor) apply(b *mapBlock, x []float32) {
	n, d, half := vec.PadRows(w.rows*w.cols), vec.Pad(w.cfg.Hidden), vec.Pad(2*w.cfg.Hidden)
	vec.Product(w.wide, 2*half, x, d, n, b.up)
	line := (w.cols + 2) * 2 * half
	for y := range w.rows {
		copy(w.grid[(y+1)*line+2*half:][:w.cols*2*half], w.wide[y*w.cols*2*half:])
	}
	for y := range w.rows {
		vec.Convolve3x3(w.wide[y*w.cols*2*half:], w.grid[y*line:], b.conv, w.cols, 2*half, line)
	}
	vec.SwiGLU(w.act, w.wide, w.rows*w.cols, half)
	vec.Product(w.y, d, w.act, half, n, b.down)
	vec.RMSAdd(x, x, w.y, n, d, w.cfg.Hidden, 1e-5)
}
