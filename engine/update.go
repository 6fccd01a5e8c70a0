package engine

import (
	"math"
	"slices"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/vec"
)

// A shaped is a transformer for sequences of one shape, with what follows from the shape alone.
type shaped struct {
	*transformer
	shape think.Shape
	grid  [2]int // rows and columns
	n     int    // positions

	cos, sin []float32              // [n, width of a head]; nil without rope
	bias     map[*block][][]float32 // of attention, by head, padded [n, n]; nil where scores have none
}

func (m *transformer) fit(shape think.Shape) (formulas, error) {
	c := m.cfg
	if err := c.Fits(shape.Seq, shape.Rows, shape.Cols); err != nil {
		return nil, err
	}
	t := &shaped{transformer: m, shape: shape, n: c.Prefix() + shape.Seq}
	t.grid[0], t.grid[1] = c.Grid(shape.Seq, shape.Rows, shape.Cols)
	if c.Mixing == arch.Attention {
		if c.Positions == arch.Rope || c.Positions == arch.Rope2D {
			t.cos, t.sin = c.RopeTable(t.n, t.grid[1])
		}
		t.biases()
	}
	return t, nil
}

func (m *transformer) bytes(shape think.Shape) (row, work, tables float64) {
	c := m.cfg
	n, d, f := float64(c.Prefix())+float64(shape.Seq), float64(c.Hidden), float64(c.Inner)
	row = n * d * float64(1+len(m.levels))
	work = n * (8*d + 3*f + blockRows)
	tables = 2 * n * d / float64(c.Heads)
	if c.Bias == arch.RelativeBias {
		tables += n * n * 2 // the entries, 8 bytes each
		for _, l := range m.levels {
			tables += n * n * float64(c.Heads*len(l.blocks))
		}
	}
	if c.Mixing == arch.TokenMLP {
		work += 3 * d * float64(c.Width(int(n)))
	}
	return row, work, tables
}

// biases makes what attention adds to its scores.
func (t *shaped) biases() {
	c := t.cfg
	if c.Bias == arch.NoBias {
		return
	}
	t.bias = map[*block][][]float32{}
	var pairs []int64
	if c.Bias == arch.RelativeBias {
		pairs = c.RelativePairs(t.n, t.grid[1])
	}
	for _, l := range t.levels {
		for _, b := range l.blocks {
			if t.bias[b] != nil {
				continue // of a level that shares its blocks
			}
			if c.Bias == arch.TableBias {
				t.bias[b] = b.bias
				continue
			}
			wide := vec.Pad(t.n)
			for _, entries := range b.bias {
				x := make([]float32, vec.PadRows(t.n)*wide)
				for i, k := range pairs {
					x[i/t.n*wide+i%t.n] = entries[k]
				}
				t.bias[b] = append(t.bias[b], mask(x, t.n))
			}
		}
	}
}

func (t *shaped) layout() layout {
	c := t.cfg
	l := layout{tokens: c.Vocab, answers: t.shape.Seq, outputs: c.Outputs, width: vec.PadRows(t.n) * vec.Pad(c.Hidden)}
	if c.PuzzleDim > 0 {
		l.ids = c.PuzzleIDs
	}
	for _, v := range t.levels {
		l.states = append(l.states, state{name: v.name, places: t.n, width: c.Hidden, planes: 1})
	}
	return l
}

func (t *shaped) begin(z [][]float32) {
	for k, l := range t.levels {
		for i := range t.n {
			copy(z[k][i*vec.Pad(t.cfg.Hidden):], l.init)
		}
	}
}

// Attention implements think.Attender.
func (r attender) Attention(row int) ([][]float32, error) {
	if err := r.started(row); err != nil {
		return nil, err
	}
	w := r.workers[0].(*updater)
	z := make([][]float32, len(w.levels)) // the row does not move on
	for k := range z {
		z[k] = slices.Clone(r.rows[row].z[k])
	}
	w.maps = make([][]float32, len(z))
	defer func() { w.maps = nil }()
	w.cycle(z, r.rows[row].e, 0, true)
	return w.maps, nil
}

// An updater is a worker of a transformer.
type updater struct {
	*shaped
	*view

	inject  []float32 // padded [n, hidden]
	y       []float32 // padded [n, hidden]: what a part of a block adds
	wide    []float32 // padded [n, 3·hidden] or [blockRows…, 2·inner]
	mixed   []float32 // padded [n, hidden]
	act     []float32 // padded [n, inner]
	grid3x3 []float32 // [rows+2, cols+2, padded inner], a border of zeros around the grid; nil without conv
	turned  []float32 // padded [hidden, n] of token mixing
	answer  []float32 // padded [n, outputs]
	room    headRoom

	maps  [][]float32 // what Attention asked for, a level each; nil if it did not
	level int         // that is updated
	last  bool        // of its updates in the segment
}

func (t *shaped) worker(v *view) worker {
	c := t.cfg
	n, d := vec.PadRows(t.n), vec.Pad(c.Hidden)
	w := &updater{shaped: t, view: v}
	w.inject, w.y, w.mixed = make([]float32, n*d), make([]float32, n*d), make([]float32, n*d)
	w.act = make([]float32, n*vec.Pad(c.Inner))
	w.answer = make([]float32, n*vec.Pad(c.Outputs))
	wide := max(n*vec.Pad(3*c.Hidden), min(n, feedRows(c.Inner))*2*vec.Pad(c.Inner))
	if c.Conv {
		w.grid3x3 = make([]float32, (t.grid[0]+2)*(t.grid[1]+2)*vec.Pad(c.Inner))
	}
	if c.Mixing == arch.TokenMLP {
		rows, f := vec.PadRows(c.Hidden), vec.Pad(c.Width(t.n))
		w.turned = make([]float32, rows*vec.Pad(t.n))
		w.mixed = make([]float32, rows*vec.Pad(t.n))
		w.act = make([]float32, max(len(w.act), rows*f))
		wide = max(wide, rows*2*f)
	}
	w.wide = make([]float32, wide)
	w.room = newHeadRoom(c, t.n)
	return w
}

func (w *updater) segment(row *row, logits []float32) (halt, cont float32) {
	c := w.cfg
	if w.f != nil {
		w.observeInput(row)
	}
	w.cycle(row.z, row.e, 0, true)

	zh := row.z[0]
	d := c.Hidden
	vec.Product(w.answer, vec.Pad(c.Outputs), zh, vec.Pad(d), vec.PadRows(w.n), w.head)
	compact(logits[:0], w.answer[c.Prefix()*vec.Pad(c.Outputs):], w.shape.Seq, c.Outputs)
	return dot(w.qBias[0], zh, w.qWeight[:d]), dot(w.qBias[1], zh, w.qWeight[d:]) // position 0
}

// cycle updates level k of the states z, which see the input as e, its cycles times; final says that the level
// before is in its last cycle. Time scales nest: of two neighbours the faster level is updated its cycles
// times, then the slower one once.
func (w *updater) cycle(z [][]float32, e []float32, k int, final bool) {
	l := &w.levels[k]
	for i := range l.cycles {
		last := final && i == l.cycles-1
		inject := e
		if k+1 < len(z) {
			w.cycle(z, e, k+1, last)
			inject = z[k+1]
		}
		if k > 0 {
			vec.Add(w.inject, z[k-1], inject)
			inject = w.inject
		}
		w.level, w.last = k, last
		vec.Add(z[k], z[k], inject)
		w.apply(l, z[k])
	}
}

func (w *updater) observeInput(row *row) {
	if w.cos != nil {
		w.f("rope.cos", w.cos)
		w.f("rope.sin", w.sin)
	}
	w.see("input_embeddings", row.e, w.n, w.cfg.Hidden)
}

// feedRows is how many rows go through a feed-forward of a width at once: as many as keep what lies
// between its products in a cache of 256 kB, and enough to be worth reading the weights.
func feedRows(inner int) int {
	return vec.PadRows(max(blockRows, 256<<10/4/(2*vec.Pad(inner))))
}

// scaleOf is what attention multiplies its scores with.
func scaleOf(c arch.Config) float32 {
	return float32(1 / math.Sqrt(float64(c.Hidden/c.Heads)))
}
