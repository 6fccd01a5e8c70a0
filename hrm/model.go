//go:build cgo && !notorch

package hrm

import (
	"math"

	"github.com/ponder-agents/ponder/torch"
	"github.com/sugarme/gotch/ts"
)

// A Model is the transformer HRM. It is used by one goroutine at a time; its parameters belong to
// the torch.Params given to New.
type Model struct {
	cfg    Config
	params *torch.Params
	h, l   *level // the same one if Config.Shared

	tokens, head, qWeight, qBias *torch.Tensor
	positions, puzzles           *torch.Tensor // nil without
	registers                    *torch.Tensor
	rows, cols, boxes            *torch.Tensor
	hInit, lInit                 *torch.Tensor

	tables map[[2]int]*tables // by rows and cols
	// observe is called with intermediate values in the order of computation; see Observe.
	observe func(name string, t *torch.Tensor)
	// attend is called with the attention weights [batch, n, n] of every block; see AttentionMaps.
	attend func(b *block, weights *torch.Tensor)
}

// A Carry is the state between segments, without history of gradients.
type Carry struct {
	ZH, ZL *torch.Tensor // [batch, n, hidden], n = Config.Prefix() + seq
}

// An Input is what a segment thinks about; it is the same in every segment of a task.
type Input struct {
	Tokens     *torch.Tensor // [batch, seq] int64, in [0, Config.Vocab)
	PuzzleIDs  *torch.Tensor // [batch] int64, in [0, Config.PuzzleIDs); nil without puzzle embedding
	PuzzleRows *torch.Tensor // [batch, puzzle dim] instead of the table's rows, for their gradient; may be nil
	Rows, Cols int           // shape of the grid if it is not Config's
}

// An Output is what a segment concludes.
type Output struct {
	Logits    *torch.Tensor // [batch, seq, outputs]
	QHalt     *torch.Tensor // [batch] float32, before the sigmoid
	QContinue *torch.Tensor // [batch] float32
}

// puzzleTable is the name of the puzzle embedding's table.
const puzzleTable = "inner.puzzle_emb.weights"

// New adds the parameters of a network to p under the reference's names, initialised from seed in the
// reference's order (truncated normal, "LeCun"; Q head 0 with bias -5; puzzle table 0).
func New(cfg Config, p *torch.Params, seed uint64) (*Model, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	m := &Model{cfg: cfg.WithDefaults(), params: p, tables: map[[2]int]*tables{}}
	gen := torch.NewGenerator(seed)
	defer gen.Close()
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) { m.init(s, gen) })
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Model) init(s *torch.Scope, gen *torch.Generator) {
	c, p := m.cfg, m.params
	d := int64(c.Hidden)
	b := &builder{s: s, gen: gen, p: p, cfg: c}
	std := 1 / math.Sqrt(float64(d))

	m.tokens = b.normal("inner.embed_tokens.embedding_weight", std, int64(c.Vocab), d)
	m.head = b.normal("inner.lm_head.weight", std, int64(c.Outputs), d)
	gen.TruncNormal(s, std, 2, d) // the reference draws q_head.weight, then sets it to 0
	m.qWeight = b.fill("inner.q_head.weight", 0, 2, d)
	m.qBias = b.fill("inner.q_head.bias", -5, 2)
	if c.PuzzleDim > 0 {
		m.puzzles = b.fixed(puzzleTable, b.zeros(int64(c.PuzzleIDs), int64(c.PuzzleDim)))
	}
	if c.Positions == Learned {
		m.positions = b.normal("inner.embed_pos.embedding_weight", std, int64(c.Prefix()+c.Seq), d)
	}
	if c.Registers > 0 {
		m.registers = b.normal("inner.registers", std, int64(c.Registers), d)
	}
	if c.GridEmbed {
		m.rows = b.normal("inner.embed_row.embedding_weight", std, int64(c.Rows), d)
		m.cols = b.normal("inner.embed_col.embedding_weight", std, int64(c.Cols), d)
		if c.BoxRows > 0 {
			m.boxes = b.normal("inner.embed_box.embedding_weight", std, int64(c.Seq/c.BoxRows/c.BoxCols), d)
		}
	}
	if !c.Shared {
		m.h = newLevel(b, "H_level", c.HLayers)
	}
	m.l = newLevel(b, "L_level", c.LLayers)
	if c.Shared {
		m.h = m.l
	}
	m.hInit = b.fixed("inner.H_init", gen.TruncNormal(s, 1, d))
	m.lInit = b.fixed("inner.L_init", gen.TruncNormal(s, 1, d))
}

// Config is the configuration with its defaults filled in.
func (m *Model) Config() Config { return m.cfg }

// Params are the parameters, in the order of initialisation.
func (m *Model) Params() *torch.Params { return m.params }

// Close frees the tables that the model made; the parameters stay Params'.
func (m *Model) Close() {
	for _, t := range m.tables {
		t.close()
	}
	clear(m.tables)
}

// Observe makes f see intermediate values of the following segments, under the reference's module
// names ("input_embeddings", "L_level.layers.0.self_attn", "H_level.out", …). The tensors are valid
// during the call. A nil f ends it.
func (m *Model) Observe(f func(name string, t *torch.Tensor)) { m.observe = f }

func (m *Model) see(name string, t *torch.Tensor) *torch.Tensor {
	if m.observe != nil {
		m.observe(name, t)
	}
	return t
}

// AttentionMaps are the attention weights of the last block of each level in its last update of a
// segment, averaged over heads: row-major [batch·n·n], the attending position first. Both are nil
// where the blocks have no attention. It thinks the segment again.
func (m *Model) AttentionMaps(s *torch.Scope, c Carry, in Input) (h, l []float32) {
	if m.cfg.Mixing != Attention {
		return nil, nil
	}
	lastH, lastL := m.h.blocks[len(m.h.blocks)-1], m.l.blocks[len(m.l.blocks)-1]
	updates := 0 // of the last block; H's follows LCycles of L's if they are one
	m.attend = func(b *block, w *torch.Tensor) {
		if b != lastH && b != lastL {
			return
		}
		if updates%(m.cfg.LCycles+1) == m.cfg.LCycles {
			h = torch.Read[float32](h, w)
		} else {
			l = torch.Read[float32](l, w)
		}
		updates++
	}
	defer func() { m.attend = nil }()
	s.Do(torch.NoGrad, func(in2 *torch.Scope) { m.Segment(in2, c, in) })
	return h, l
}

func (m *Model) dtype() torch.DType {
	if m.cfg.BF16 {
		return torch.BFloat16
	}
	return torch.Float32
}

// Start is the carry of batch rows that have not thought yet: z_H and z_L are the fixed H_init and
// L_init at every one of the n = Config.Prefix() + seq positions.
func (m *Model) Start(s *torch.Scope, batch, seq int) Carry {
	shape := []int64{int64(batch), int64(m.cfg.Prefix() + seq), int64(m.cfg.Hidden)}
	start := func(init *torch.Tensor) *torch.Tensor {
		return s.Own(s.Own(s.To(init, m.dtype()).Expand(shape, false, false)).Contiguous(false))
	}
	return Carry{start(m.hInit), start(m.lInit)}
}

// StartAt is a carry of batch sequences of seq tokens that begin anywhere: every number is drawn from gen
// as the entries of the initial vectors were.
func (m *Model) StartAt(s *torch.Scope, gen *torch.Generator, batch, seq int) Carry {
	draw := func() *torch.Tensor {
		z := gen.TruncNormal(s, 1, int64(batch), int64(m.cfg.Prefix()+seq), int64(m.cfg.Hidden))
		return s.To(s.Clone(z, m.params.Device()), m.dtype())
	}
	return Carry{draw(), draw()}
}

// Reset is c with the rows where fresh is set put back to the start.
func (m *Model) Reset(s *torch.Scope, c Carry, fresh []bool) Carry {
	mask := make([]uint8, len(fresh))
	for b, f := range fresh {
		if f {
			mask[b] = 1
		}
	}
	cond := s.To(torch.From(s, m.params.Device(), mask, int64(len(mask)), 1, 1), torch.Bool)
	return Carry{
		s.Own(s.To(m.hInit, m.dtype()).WhereSelf(cond, c.ZH, false)),
		s.Own(s.To(m.lInit, m.dtype()).WhereSelf(cond, c.ZL, false)),
	}
}

// CarryOf is the carry of batch rows with the numbers of zh and zl, [batch·n·hidden] each.
func (m *Model) CarryOf(s *torch.Scope, batch int, zh, zl []float32) Carry {
	state := func(z []float32) *torch.Tensor {
		d := int64(m.cfg.Hidden)
		return s.To(torch.From(s, m.params.Device(), z, int64(batch), int64(len(z))/d/int64(batch), d), m.dtype())
	}
	return Carry{state(zh), state(zl)}
}

// Join is the carry of the rows of parts, one after the other.
func Join(s *torch.Scope, parts ...Carry) Carry {
	if len(parts) == 1 {
		return parts[0]
	}
	var zh, zl []*torch.Tensor
	for _, c := range parts {
		zh, zl = append(zh, c.ZH), append(zl, c.ZL)
	}
	return Carry{s.Cat(0, zh...), s.Cat(0, zl...)}
}

// Narrow is the carry of n rows of c from row i, which shares c's memory.
func (c Carry) Narrow(s *torch.Scope, i, n int) Carry {
	return Carry{s.Narrow(c.ZH, 0, int64(i), int64(n)), s.Narrow(c.ZL, 0, int64(i), int64(n))}
}

// Pick is the carry of the given rows of c.
func (c Carry) Pick(s *torch.Scope, rows *torch.Tensor) Carry {
	return Carry{s.Index(c.ZH, 0, rows), s.Index(c.ZL, 0, rows)}
}

// Keep takes the carry out of the scope; Drop frees it.
func (c Carry) Keep(s *torch.Scope) Carry { return Carry{s.Keep(c.ZH), s.Keep(c.ZL)} }

// Drop frees a kept carry; the zero Carry is ignored.
func (c Carry) Drop() {
	if c.ZH != nil {
		c.ZH.Drop()
		c.ZL.Drop()
	}
}

// PuzzleRows looks up the puzzle embeddings of ids [batch], for Input.PuzzleRows.
func (m *Model) PuzzleRows(s *torch.Scope, ids *torch.Tensor) torch.Lookup {
	return m.params.Lookup(s, puzzleTable, ids)
}

// PuzzleTable is the table [puzzle ids, puzzle dim]; nil without.
func (m *Model) PuzzleTable() *torch.Tensor { return m.puzzles }

// Segment thinks once: HCycles·LCycles updates of z_L and HCycles of z_H, of which Config.Gradient
// says which record gradients (only in a Grad scope). The new carry has no history; c is left alone.
//
// It panics with torch.Error if shapes disagree; call it inside torch.Do.
func (m *Model) Segment(s *torch.Scope, c Carry, in Input) (Carry, Output) {
	seq := int(torch.Shape(in.Tokens)[1])
	t := m.tablesFor(s, seq, in.Rows, in.Cols)
	if t.cos != nil {
		m.see("rope.cos", t.cos)
		m.see("rope.sin", t.sin)
	}
	e := m.embed(s, in, t)

	zh, zl := c.ZH, c.ZL
	update := func(record bool, l *level, name string, z *torch.Tensor, inject ...*torch.Tensor) *torch.Tensor {
		mode := torch.NoGrad
		if record {
			mode = s.Mode()
		}
		var out *torch.Tensor
		s.Do(mode, func(in *torch.Scope) {
			x := inject[0]
			if len(inject) > 1 {
				x = in.Add(x, inject[1])
			}
			out = in.Lend(s, m.see(name+".out", l.apply(m, in, name, in.Add(z, x), t)))
		})
		return out
	}
	for h := range m.cfg.HCycles {
		lastH := h == m.cfg.HCycles-1
		for l := range m.cfg.LCycles {
			record := lastH && (l == m.cfg.LCycles-1 || m.cfg.Gradient == LastCycle)
			zl = update(record, m.l, "L_level", zl, zh, e)
		}
		zh = update(lastH, m.h, m.hName(), zh, zl)
	}
	return Carry{s.Detach(zh), s.Detach(zl)}, m.output(s, zh, seq)
}

// hName is the module name under which Observe sees the H level.
func (m *Model) hName() string {
	if m.cfg.Shared {
		return "L_level"
	}
	return "H_level"
}

// output reads the answer from the token positions of z_H and the Q values from its position 0.
func (m *Model) output(s *torch.Scope, zh *torch.Tensor, seq int) Output {
	cells := s.Narrow(zh, 1, int64(m.cfg.Prefix()), int64(seq))
	q := s.To(m.linear(s, s.Reshape(s.Narrow(zh, 1, 0, 1), -1, int64(m.cfg.Hidden)), m.qWeight, m.qBias), torch.Float32)
	return Output{
		Logits:    m.linear(s, cells, m.head, nil),
		QHalt:     s.Own(q.Select(1, 0, false)),
		QContinue: s.Own(q.Select(1, 1, false)),
	}
}

// linear is x wᵀ + b with the float32 weights cast to the forward type at each use.
func (m *Model) linear(s *torch.Scope, x, w, b *torch.Tensor) *torch.Tensor {
	if b != nil {
		b = s.To(b, m.dtype())
	}
	return s.Linear(x, s.To(w, m.dtype()), b)
}

// embed is e [batch, n, hidden]: registers, puzzle vector and tokens, with positions, times
// sqrt(hidden).
func (m *Model) embed(s *torch.Scope, in Input, t *tables) *torch.Tensor {
	c := m.cfg
	d := int64(c.Hidden)
	batch := torch.Shape(in.Tokens)[0]
	e := s.Embedding(m.tokens, in.Tokens)
	if c.GridEmbed {
		parts := 3.0
		e = s.Add(s.Add(e, s.Embedding(m.rows, t.rowIDs)), s.Embedding(m.cols, t.colIDs))
		if m.boxes != nil {
			e = s.Add(e, s.Embedding(m.boxes, t.boxIDs))
			parts = 4
		}
		e = s.Scale(e, 1/math.Sqrt(parts)) // keeps the scale of one embedding
	}
	if c.PuzzleDim > 0 {
		rows := in.PuzzleRows
		if rows == nil {
			if in.PuzzleIDs == nil {
				panic(torch.Error{Op: "segment", Msg: "the model has a puzzle embedding but the input has no PuzzleIDs"})
			}
			rows = s.Embedding(m.puzzles, in.PuzzleIDs)
		}
		pad := int64(c.PuzzlePositions)*d - int64(c.PuzzleDim)
		if pad > 0 {
			rows = s.Own(rows.ConstantPadNd([]int64{0, pad}, false))
		}
		e = s.Cat(1, s.Reshape(rows, batch, int64(c.PuzzlePositions), d), e)
	}
	if m.registers != nil {
		e = s.Cat(1, s.Own(m.registers.Expand([]int64{batch, int64(c.Registers), d}, false, false)), e)
	}
	if m.positions != nil {
		e = s.Scale(s.Add(e, m.positions), math.Sqrt(0.5))
	}
	return m.see("input_embeddings", s.To(s.Scale(e, math.Sqrt(float64(d))), m.dtype()))
}

// tables are what a segment needs to know of the positions of one grid shape.
type tables struct {
	rows, cols             int
	cos, sin               *torch.Tensor // [n, head width]; nil without rope
	rowIDs, colIDs, boxIDs *torch.Tensor // [seq] int64; nil without GridEmbed
	pairs                  *torch.Tensor // [n·n] int64, entry of the relative table; nil without
}

func (t *tables) close() {
	for _, x := range []*torch.Tensor{t.cos, t.sin, t.rowIDs, t.colIDs, t.boxIDs, t.pairs} {
		if x != nil {
			x.Drop()
		}
	}
}

// tablesFor returns the tables of a grid shape, made at its first use; the model owns them.
func (m *Model) tablesFor(s *torch.Scope, seq, rows, cols int) *tables {
	c := m.cfg
	if err := c.Fits(seq, rows, cols); err != nil {
		panic(torch.Error{Op: "segment", Msg: err.Error()})
	}
	rows, cols = c.Grid(seq, rows, cols)
	key := [2]int{rows, cols}
	if t := m.tables[key]; t != nil {
		return t
	}
	t := &tables{rows: rows, cols: cols}
	dev := m.params.Device()
	n, hd := c.Prefix()+seq, c.Hidden/c.Heads
	if c.Mixing == Attention && (c.Positions == Rope || c.Positions == Rope2D) {
		cos, sin := c.RopeTable(n, cols)
		t.cos = s.Keep(torch.From(s, dev, cos, int64(n), int64(hd)))
		t.sin = s.Keep(torch.From(s, dev, sin, int64(n), int64(hd)))
	}
	if c.GridEmbed {
		r, l, b := make([]int64, seq), make([]int64, seq), make([]int64, seq)
		for i := range seq {
			r[i], l[i] = int64(i/cols), int64(i%cols)
			if c.BoxRows > 0 {
				b[i] = int64(i/cols/c.BoxRows*(cols/c.BoxCols) + i%cols/c.BoxCols)
			}
		}
		t.rowIDs, t.colIDs, t.boxIDs = s.Keep(torch.From(s, dev, r, int64(seq))), s.Keep(torch.From(s, dev, l, int64(seq))), s.Keep(torch.From(s, dev, b, int64(seq)))
	}
	if c.Bias == RelativeBias {
		t.pairs = s.Keep(torch.From(s, dev, c.RelativePairs(n, cols), int64(n*n)))
	}
	m.tables[key] = t
	return t
}

// builder adds initialised parameters.
type builder struct {
	s   *torch.Scope
	gen *torch.Generator
	p   *torch.Params
	cfg Config
}

func (b *builder) normal(name string, std float64, shape ...int64) *torch.Tensor {
	return b.p.Add(b.s, name, b.gen.TruncNormal(b.s, std, shape...))
}

// linear is a matrix [out, in] with standard deviation 1/sqrt(in).
func (b *builder) linear(name string, out, in int) *torch.Tensor {
	return b.normal(name, 1/math.Sqrt(float64(in)), int64(out), int64(in))
}

func (b *builder) fill(name string, v float32, shape ...int64) *torch.Tensor {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = v
	}
	return b.p.Add(b.s, name, b.s.Floats(x, shape...))
}

func (b *builder) floats(name string, x []float32, shape ...int64) *torch.Tensor {
	return b.p.Add(b.s, name, b.s.Floats(x, shape...))
}

func (b *builder) fixed(name string, init *torch.Tensor) *torch.Tensor {
	return b.p.AddFixed(b.s, name, init)
}

func (b *builder) zeros(shape ...int64) *torch.Tensor {
	return b.s.Own(ts.Zeros(shape, torch.Float32, torch.CPU.Gotch()))
}
