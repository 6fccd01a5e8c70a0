package engine

import (
	"fmt"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/logit"
	"github.com/ponder-agents/ponder/internal/vec"
)

// A grouped is the weights of a network that mixes by groups; hrm/groups_torch.go has its formulas. A row has a
// vector for every pair of a cell and a symbol, those of a cell side by side: so sums over groups of cells are
// sums of long slices.
type grouped struct {
	cfg arch.Config

	marks    []float32  // [marks, hidden]; without Settled two more, "this symbol is given", "another is"
	feedback []float32  // [2, hidden]: times the probability of the symbol; where that is below feedbackFloor; nil without
	heads    vec.Matrix // [hidden, 3]: answer, q_halt, q_continue
	qBias    []float32
	levels   []groupLevel
}

type groupLevel struct {
	name   string
	cycles int
	blocks []*groupBlock
	init   []float32 // [hidden]
}

// A groupBlock has the factors of its sums multiplied into its weights.
type groupBlock struct {
	message vec.Matrix   // [hidden, message]
	self    vec.Matrix   // [hidden, 2·inner], each half padded
	cell    vec.Matrix   // [message, 2·inner], likewise
	kinds   []vec.Matrix // the same, one of each kind of groups
	down    vec.Matrix   // [inner, hidden]
	settled []float32    // [2, message]: messages of settled cells, of their own symbol and of the others; nil if none are
}

// What hrm's network has for constants.
const (
	groupScale    = 1.0 / 3 // of sums
	feedbackFloor = 0.01    // the probability below which a symbol counts as excluded
	settledLogit  = 20      // lifts a settled cell's own symbol above the others
	noSymbol      = -100    // the logit of answers that are no symbol
)

// build asks r for every tensor.
func (g *grouped) build(r *reader) {
	c := g.cfg
	rows := c.Marks()
	if !c.Settled {
		rows += 2
	}
	g.marks = r.floats("inner.embed_tokens.embedding_weight", rows, c.Hidden)
	head := r.floats("inner.lm_head.weight", 1, c.Hidden)
	if c.Feedback {
		g.feedback = r.floats("inner.embed_feedback.embedding_weight", 2, c.Hidden)
	}
	q := r.floats("inner.q_head.weight", 2, c.Hidden)
	g.qBias = r.floats("inner.q_head.bias", 2)
	if r.take {
		g.heads = vec.NewMatrix(c.Hidden, 3)
		g.heads.SetTransposed(slices.Concat(head, q))
	}
	g.levels = nil
	stacks := map[string][]*groupBlock{}
	for i, l := range c.Levels {
		module, layers := c.Stack(i)
		if _, ok := stacks[module]; !ok {
			var blocks []*groupBlock
			for k := 0; k < layers && !r.hopeless(); k++ {
				blocks = append(blocks, newGroupBlock(r, c, fmt.Sprintf("inner.%s.layers.%d.", module, k)))
			}
			stacks[module] = blocks
		}
		g.levels = append(g.levels, groupLevel{
			name: l.Name, cycles: l.Cycles, blocks: stacks[module], init: r.floats("inner."+l.Name+"_init", c.Hidden),
		})
	}
}

func newGroupBlock(r *reader, c arch.Config, prefix string) *groupBlock {
	all := 1 / math.Sqrt(float64(1+len(c.Kinds)))
	half := func(name string, in int, by float64) vec.Matrix {
		m := r.halves(prefix+name, c.Inner, in)
		scale(m.Panels, by)
		return m
	}
	k := &groupBlock{
		message: r.matrix(prefix+"groups.message_proj.weight", c.Message, c.Hidden),
		self:    half("groups.self_proj.weight", c.Hidden, all),
		cell:    half("groups.cell_proj.weight", c.Message, all*groupScale),
	}
	if c.Settled {
		k.settled = r.floats(prefix+"groups.settled", 2, c.Message)
	}
	for _, kind := range c.Kinds {
		k.kinds = append(k.kinds, half("groups."+kind+"_proj.weight", c.Message, all*groupScale))
	}
	k.down = r.matrix(prefix+"mlp.down_proj.weight", c.Hidden, c.Inner)
	return k
}

// A grid is a grouped network for boards of one size.
type grid struct {
	*grouped
	cells, symbols, n int                         // n is cells·symbols
	groups            [][][]int                   // of each kind, a group's cells
	of                [][]membership              // of each cell
	says              map[*groupBlock][][]float32 // what a cell settled with a symbol says: padded [symbols, message] each; nil if none are
}

// A membership is a group by its kind and number.
type membership struct{ kind, group int }

func (g *grouped) fit(shape think.Shape) (formulas, error) {
	c := g.cfg
	if err := c.Fits(shape.Seq, shape.Rows, shape.Cols); err != nil {
		return nil, err
	}
	rows, cols := c.Grid(shape.Seq, shape.Rows, shape.Cols)
	if rows != cols {
		return nil, fmt.Errorf("a grid of %dx%d has no groups of its own, want a square one", rows, cols)
	}
	t := &grid{grouped: g, cells: shape.Seq, symbols: c.SymbolsOf(shape.Seq), of: make([][]membership, shape.Seq)}
	t.n = t.cells * t.symbols
	board := arch.Board(arch.Boxes(rows))
	for kind, name := range c.Kinds {
		t.groups = append(t.groups, board[name])
		for i, group := range board[name] {
			for _, cell := range group {
				t.of[cell] = append(t.of[cell], membership{kind, i})
			}
		}
	}
	t.says = map[*groupBlock][][]float32{}
	for _, l := range g.levels {
		for _, b := range l.blocks {
			if c.Settled {
				t.says[b] = b.sayings(c.Message, t.symbols)
			}
		}
	}
	return t, nil
}

// sayings are what a cell says that is settled with each symbol, about every symbol.
func (b *groupBlock) sayings(message, symbols int) [][]float32 {
	all := make([][]float32, symbols)
	for d := range all {
		all[d] = make([]float32, symbols*vec.Pad(message))
		for s := range symbols {
			other := 0 // from the cell's own symbol
			if s != d {
				other = message
			}
			copy(all[d][s*vec.Pad(message):], b.settled[other:other+message])
		}
	}
	return all
}

func (g *grouped) bytes(shape think.Shape) (row, work, tables float64) {
	c := g.cfg
	symbols := float64(c.Symbols)
	if symbols == 0 {
		symbols = math.Sqrt(float64(shape.Seq))
	}
	n := float64(shape.Seq) * symbols
	// Groups are at most as many as cells, in each of few kinds.
	work = n * (float64(4*c.Hidden+c.Message+16) + float64(len(c.Kinds)*(c.Message+2*c.Inner)))
	return n * float64(c.Hidden*(1+len(g.levels))), work, n * symbols
}

func (t *grid) layout() layout {
	c := t.cfg
	sp := c.Spec()
	l := layout{tokens: sp.Tokens(t.cells), answers: t.cells, outputs: max(c.Outputs, c.Marks()+t.symbols), width: vec.PadRows(t.n) * vec.Pad(c.Hidden)}
	for _, v := range t.levels {
		l.states = append(l.states, state{name: v.name, places: t.n, width: c.Hidden, planes: t.symbols})
	}
	return l
}

func (t *grid) begin(z [][]float32) {
	for k, l := range t.levels {
		for i := range t.n {
			copy(z[k][i*vec.Pad(t.cfg.Hidden):], l.init)
		}
	}
}

// A board is what a row thinks about: cells that are settled do not think, the open ones are numbered anew.
type board struct {
	open    []int     // cells
	settled []int     // of each cell, its symbol; -1 for an open one
	members [][][]int // of each kind and group, its open members, by number
	told    [][][]int // and the symbols of the settled ones
}

// encode finds out which cells are open, and makes e of them: padded [open cells, symbols, hidden], the vectors
// of their tokens.
func (t *grid) encode(r *row, in think.Input) error {
	c := t.cfg
	b := &board{settled: make([]int, t.cells)}
	number := make([]int, t.cells)
	marks, d, wide := c.Marks(), c.Hidden, vec.Pad(c.Hidden)
	for cell, token := range in.Tokens {
		b.settled[cell] = -1
		symbol := int(token) - marks
		if symbol >= 0 && c.Settled {
			b.settled[cell] = symbol
			continue
		}
		number[cell] = len(b.open)
		for s := range t.symbols {
			mark := int(token)
			if symbol == s {
				mark = marks
			} else if symbol >= 0 {
				mark = marks + 1
			}
			copy(r.e[(len(b.open)*t.symbols+s)*wide:], t.marks[mark*d:(mark+1)*d])
		}
		b.open = append(b.open, cell)
	}
	for _, groups := range t.groups {
		var members, told [][]int
		for _, group := range groups {
			var who, what []int
			for _, cell := range group {
				if d := b.settled[cell]; d >= 0 {
					what = append(what, d)
				} else {
					who = append(who, number[cell])
				}
			}
			members, told = append(members, who), append(told, what)
		}
		b.members, b.told = append(b.members, members), append(b.told, told)
	}
	r.board = b
	return nil
}

// groupRows is about how many rows go through a block's feed-forward at once, so that what lies between its
// products stays in the cache.
const groupRows = 36

// A summer is a worker of a grouped network. Rows are pairs of an open cell and a symbol.
type summer struct {
	*grid
	step int // cells that go through a feed-forward at once: their rows are a multiple of vec.RowStep

	e      []float32   // padded [n, hidden]: tokens and feedback
	x      []float32   // padded [n, hidden]: a state's open cells, if some are settled
	inject []float32   // padded [n, hidden]
	gate   []float32   // [step·symbols, 2·padded message]: messages before their silu, and ones
	m      []float32   // padded [n, message]
	each   []float32   // padded [cells, message]: sums over the symbols of a cell
	ofCell []float32   // [cells, 2·padded inner]: what follows from them
	sums   [][]float32 // of each kind, padded [groups, symbols, message]
	ofKind [][]float32 // of each kind, [groups, symbols, 2·padded inner]
	up     []float32   // [step·symbols, 2·padded inner]
	act    []float32   // padded [step·symbols, inner]
	y      []float32   // padded [step·symbols, hidden]
	answer []float32   // padded [n, 3]
	chance []float32   // [symbols]
}

func (t *grid) worker(*view) worker {
	c := t.cfg
	w := &summer{grid: t, step: 1, chance: make([]float32, t.symbols)}
	for w.step*t.symbols < groupRows || w.step*t.symbols%vec.RowStep != 0 {
		w.step++
	}
	rows := func(n, width int) []float32 { return make([]float32, vec.PadRows(n)*vec.Pad(width)) }
	step, both := w.step*t.symbols, 2*vec.Pad(c.Inner)
	w.e, w.x, w.inject, w.y = rows(t.n, c.Hidden), rows(t.n, c.Hidden), rows(t.n, c.Hidden), rows(step, c.Hidden)
	message := vec.Pad(c.Message)
	w.gate = make([]float32, step*2*message)
	for i := range step {
		for j := range message {
			w.gate[(2*i+1)*message+j] = 1
		}
	}
	w.m, w.each, w.ofCell = rows(t.n, c.Message), rows(t.cells, c.Message), rows(t.cells, both)
	for _, groups := range t.groups {
		w.sums = append(w.sums, rows(len(groups)*t.symbols, c.Message))
		w.ofKind = append(w.ofKind, rows(len(groups)*t.symbols, both))
	}
	w.up, w.act = rows(step, both), rows(step, c.Inner)
	w.answer = rows(t.n, 3)
	return w
}

func (w *summer) segment(r *row, logits []float32) (halt, cont float32) {
	w.embed(r)
	w.cycle(r, 0)
	return w.conclude(r, logits)
}

// embed makes e: the tokens, and what the state answers to them.
func (w *summer) embed(r *row) {
	c := w.cfg
	d, wide := c.Hidden, vec.Pad(c.Hidden)
	n := len(r.board.open) * w.symbols
	copy(w.e[:n*wide], r.e)
	if c.Feedback {
		zh := w.openOf(r, r.z[0])
		vec.Product(w.answer, vec.Lanes, zh, wide, vec.PadRows(n), w.heads)
		for i := 0; i < n; i += w.symbols {
			logit.Softmax(w.chance, w.answer[i*vec.Lanes:], vec.Lanes)
			for s, p := range w.chance {
				x := w.e[(i+s)*wide:][:d]
				excluded := w.feedback[d:]
				for j, f := range w.feedback[:d] {
					f = float32(p * f) // to be rounded, as it is by libtorch
					if p < feedbackFloor {
						f += excluded[j]
					}
					x[j] += f
				}
			}
		}
	}
}

// openOf is the open cells of the state z.
func (w *summer) openOf(r *row, z []float32) []float32 {
	if len(r.board.open) == w.cells {
		return z
	}
	step := w.symbols * vec.Pad(w.cfg.Hidden)
	for i, cell := range r.board.open {
		copy(w.x[i*step:], z[cell*step:(cell+1)*step])
	}
	return w.x
}

// cycle updates level k its cycles times, as updater.cycle does.
func (w *summer) cycle(r *row, k int) {
	l := &w.levels[k]
	for range l.cycles {
		if k+1 < len(w.levels) {
			w.cycle(r, k+1)
		}
		w.update(r, k)
	}
}

// update is one of level k: of z, to which the states of its neighbours are added.
func (w *summer) update(r *row, k int) {
	b := r.board
	wide := vec.Pad(w.cfg.Hidden)
	size := len(b.open) * w.symbols * wide
	inject := w.inject[:size]
	if k+1 < len(w.levels) {
		copy(inject, w.openOf(r, r.z[k+1]))
	} else {
		copy(inject, w.e)
	}
	if k > 0 {
		vec.Add(inject, inject, w.openOf(r, r.z[k-1])[:size])
	}
	x := w.openOf(r, r.z[k])
	vec.Add(x[:size], x[:size], inject)
	for _, block := range w.levels[k].blocks {
		w.apply(block, b, x)
	}
	if len(b.open) < w.cells {
		step := w.symbols * wide
		for i, cell := range b.open {
			copy(r.z[k][cell*step:(cell+1)*step], x[i*step:])
		}
	}
}

// apply is the block k over the open cells x, in place.
func (w *summer) apply(k *groupBlock, b *board, x []float32) {
	c := w.cfg
	wide, message, both := vec.Pad(c.Hidden), vec.Pad(c.Message), 2*vec.Pad(c.Inner)
	cells, step := len(b.open), w.step*w.symbols
	n := cells * w.symbols
	for i := 0; i < n; i += step {
		rows := vec.PadRows(min(step, n-i))
		vec.Product(w.gate, 2*message, x[i*wide:], wide, rows, k.message)
		vec.SwiGLU(w.m[i*message:], w.gate, rows, message)
	}
	of := w.symbols * message // of a cell
	for cell := range cells {
		sum := w.each[cell*message : (cell+1)*message]
		copy(sum, w.m[cell*of:])
		for s := 1; s < w.symbols; s++ {
			vec.Add(sum, sum, w.m[cell*of+s*message:])
		}
	}
	vec.Product(w.ofCell, both, w.each, message, vec.PadRows(cells), k.cell)
	for kind := range w.groups {
		sums := w.sums[kind]
		for i, members := range b.members[kind] {
			sum := sums[i*of : (i+1)*of]
			clear(sum)
			for _, d := range b.told[kind][i] {
				vec.Add(sum, sum, w.says[k][d])
			}
			for _, cell := range members {
				vec.Add(sum, sum, w.m[cell*of:])
			}
		}
		vec.Product(w.ofKind[kind], both, sums, message, vec.PadRows(len(w.groups[kind])*w.symbols), k.kinds[kind])
	}
	of = w.symbols * both
	for i := 0; i < cells; i += w.step {
		some := min(w.step, cells-i)
		rows := vec.PadRows(some * w.symbols)
		x := x[i*w.symbols*wide:]
		vec.Product(w.up, both, x, wide, rows, k.self)
		for j := range some {
			up := w.up[j*of : (j+1)*of]
			for s := range w.symbols {
				one := up[s*both : (s+1)*both]
				vec.Add(one, one, w.ofCell[(i+j)*both:])
			}
			for _, m := range w.of[b.open[i+j]] {
				vec.Add(up, up, w.ofKind[m.kind][m.group*of:])
			}
		}
		vec.SwiGLU(w.act, w.up, rows, both/2)
		vec.Product(w.y, wide, w.act, both/2, rows, k.down)
		vec.RMSAdd(x, x, w.y, rows, wide, c.Hidden, float32(c.NormEps))
	}
}

// conclude reads one logit for each symbol of a cell, and the Q values from the mean over what is open, or over
// all if nothing is.
func (w *summer) conclude(r *row, logits []float32) (halt, cont float32) {
	c := w.cfg
	for i := range logits {
		logits[i] = noSymbol
	}
	vec.Product(w.answer, vec.Lanes, r.z[0], vec.Pad(c.Hidden), vec.PadRows(w.n), w.heads)
	width := len(logits) / w.cells
	var q [2]float64
	open := len(r.board.open)
	for cell, symbol := range r.board.settled {
		out := logits[cell*width+c.Marks():][:w.symbols]
		for s := range out {
			a := w.answer[(cell*w.symbols+s)*vec.Lanes:]
			out[s] = a[0]
			if symbol < 0 || open == 0 {
				q[0] += float64(a[1])
				q[1] += float64(a[2])
			}
		}
		if symbol >= 0 {
			out[symbol] += settledLogit
		}
	}
	if open == 0 {
		open = w.cells
	}
	n := float64(open * w.symbols)
	return float32(q[0]/n + float64(w.qBias[0])), float32(q[1]/n + float64(w.qBias[1]))
}
