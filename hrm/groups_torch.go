//go:build cgo && !notorch

package hrm

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/logit"
	"github.com/ponder-agents/ponder/torch"
	"github.com/sugarme/gotch/ts"
)

// Grouped mixing keeps a vector for every pair of a symbol and a cell of the board, symbol by symbol:
// position symbol·cells + cell. All weights are shared by all of them, so that relabelling the symbols
// and whatever permutation of the cells leaves the groups as they are permute the answer alike.
//
// With Config.Settled a cell whose token is a symbol is settled: its vectors stay what they were and take no
// time; it says the same to its groups always. The others are open, and a block (h wide, messages k wide,
// feed-forward f wide) makes of their vectors z, with what is added to them,
//
//	x  = z + …
//	m  = silu(x Wmᵀ)                                            the message of an open cell
//	u  = x Wsᵀ + Σ over kinds, Σ over groups g of the cell, (Σ of m over g, same symbol)/3 · Wkindᵀ
//	     + (Σ of m over the symbols of the cell)/3 · Wcᵀ         times 1/sqrt(1 + kinds)
//	z' = rms(x + swiglu(u) Wdᵀ)
//
// Sums are of a fixed scale, a third, so that what they mean does not depend on the board's size.
type groupBlock struct {
	message *torch.Tensor   // [k, h]
	self    *torch.Tensor   // [2f, h]
	cell    *torch.Tensor   // [2f, k]
	kinds   []*torch.Tensor // [2f, k] each
	down    *torch.Tensor   // [h, f]
	settled *torch.Tensor   // [2, k]: messages of settled cells, of their own symbol and of the others; nil if none are

	packed  *torch.Tensor // the weights for torch.Scope.GroupBlock; nil where it is not used
	version int64         // of the weights when they were packed
}

const groupScale = 1.0 / 3

// matrix is [out, in] of standard deviation 1/sqrt(in), kept in float32 whatever the activations are.
func matrix(b *builder, name string, out, in int) *torch.Tensor {
	return b.normal(name, 1/math.Sqrt(float64(in)), int64(out), int64(in))
}

func newGroupBlock(b *builder, c Config, prefix string) *groupBlock {
	k := &groupBlock{
		message: matrix(b, prefix+"groups.message_proj.weight", c.Message, c.Hidden),
		self:    matrix(b, prefix+"groups.self_proj.weight", 2*c.Inner, c.Hidden),
		cell:    matrix(b, prefix+"groups.cell_proj.weight", 2*c.Inner, c.Message),
	}
	if c.Settled {
		k.settled = b.normal(prefix+"groups.settled", 1, 2, int64(c.Message))
	}
	for _, kind := range c.Kinds {
		k.kinds = append(k.kinds, matrix(b, prefix+"groups."+kind+"_proj.weight", 2*c.Inner, c.Message))
	}
	k.down = matrix(b, prefix+"mlp.down_proj.weight", c.Hidden, c.Inner)
	return k
}

// scale of the sum u: the root of the number of its matrices but one.
func (k *groupBlock) scale() float64 { return 1 / math.Sqrt(float64(1+len(k.kinds))) }

// weights are those that torch.Scope.PackGroups takes.
func (k *groupBlock) weights(s *torch.Scope) []*torch.Tensor {
	quiet := k.settled
	if quiet == nil {
		quiet = s.Own(ts.Zeros([]int64{2, torch.Shape(k.message)[0]}, torch.Float32, torch.CPU.Gotch()))
	}
	return slices.Concat([]*torch.Tensor{k.message, k.self, k.down, k.cell}, k.kinds, []*torch.Tensor{quiet})
}

// pack lays the weights of the block out, unless they are as they were last time.
func (k *groupBlock) pack(s *torch.Scope) {
	all := k.weights(s)
	if version := torch.VersionOf(all); k.packed == nil || k.version != version {
		k.forget()
		k.packed, k.version = s.Keep(s.PackGroups(all, groupScale, k.scale())), version
	}
}

func (k *groupBlock) forget() {
	if k.packed != nil {
		k.packed.Drop()
		k.packed = nil
	}
}

// apply is the block over z [batch, symbols·cells, h], to whose open cells inject is added.
func (k *groupBlock) apply(g *grouped, s *torch.Scope, z *torch.Tensor, inject []*torch.Tensor, t *groupTables, now *groupScene) *torch.Tensor {
	c := &g.cfg
	if g.fused() {
		var add [2]*torch.Tensor
		copy(add[:], inject)
		var weights []*torch.Tensor // for their gradient
		if s.Mode() != torch.NoGrad {
			weights = k.weights(s)
		}
		return s.GroupBlock(k.packed, z, add[0], add[1], weights, t.flat, now.settled, groupScale, k.scale(), c.NormEps)
	}
	x := z
	for _, y := range inject {
		x = s.Add(x, y)
	}
	shape := torch.Shape(x)
	batch, cells := shape[0], int64(t.cells)
	symbols := shape[1] / cells
	msg := s.Linear(x, k.message, nil)
	msg = s.Mul(msg, s.Sigmoid(msg))
	if k.settled != nil {
		msg = s.Add(s.Mul(msg, now.open), s.MatMul(now.says, k.settled))
	}
	msg = s.Scale(s.Reshape(msg, batch, symbols, cells, -1), groupScale)
	u := s.Reshape(s.Linear(x, k.self, nil), batch, symbols, cells, -1)
	for i, w := range k.kinds {
		if t.rows[i] != nil {
			sums := s.MatMul(t.rows[i], msg) // [batch, symbols, groups, k]
			u = s.Add(u, s.MatMul(t.cols[i], s.Linear(sums, w, nil)))
		}
	}
	each := s.Own(msg.SumDimIntlist([]int64{1}, true, torch.Float32, false)) // [batch, 1, cells, k]
	u = s.Add(u, s.Linear(each, k.cell, nil))
	h := s.Linear(s.SwiGLU(s.Scale(u, k.scale())), k.down, nil)
	return s.Own(s.RMSAdd(x, s.Reshape(h, shape...), c.NormEps).WhereSelf(s.To(now.open, torch.Bool), z, false))
}

// groupTables are the groups of one board as tensors.
type groupTables struct {
	cells      int
	rows, cols []*torch.Tensor // [groups, cells] and [cells, groups] of each kind, for plain arithmetic; nil for an empty kind
	flat       *torch.Tensor   // int64, see arch.GroupIndex.Flat
}

func (t *groupTables) close() {
	for i := range t.rows {
		if t.rows[i] != nil {
			t.rows[i].Drop()
			t.cols[i].Drop()
		}
	}
	t.flat.Drop()
}

// A groupScene is what a segment sees of its input.
type groupScene struct {
	marks   *torch.Tensor // [batch, symbols·cells] int64: the row of grouped.marks that an open cell adds
	settled *torch.Tensor // [batch, cells] int64: the cell's symbol, -1 if it is open
	open    *torch.Tensor // [batch, symbols·cells, 1]: 1 if it is open
	says    *torch.Tensor // [batch, symbols·cells, 2]: 1 if the cell is settled with this symbol, with another
	mean    *torch.Tensor // [batch, 1, symbols·cells]: the weights of a mean over what is open, or over all if nothing is
	answer  *torch.Tensor // [batch, cells, symbols]: settledLogit at the symbols of settled cells
}

// settledLogit lifts a settled cell's own symbol above the others.
const settledLogit = 20

// look makes the scene of in.
func (g *grouped) look(s *torch.Scope, in Input) *groupScene {
	tokens := s.ReadInts(nil, in.Tokens)
	shape := torch.Shape(in.Tokens)
	batch, cells := int(shape[0]), int(shape[1])
	marks, symbols := g.cfg.Marks(), g.cfg.SymbolsOf(cells)
	n := symbols * cells
	settled, mark := make([]int64, batch*cells), make([]int64, batch*n)
	open, says, mean, answer := make([]float32, batch*n), make([]float32, batch*n*2), make([]float32, batch*n), make([]float32, batch*n)
	for b := range batch {
		count := 0
		for c := range cells {
			d := int(tokens[b*cells+c]) - marks
			settled[b*cells+c] = -1
			if d < 0 || !g.cfg.Settled {
				count += symbols
			} else {
				settled[b*cells+c] = int64(d)
				answer[(b*cells+c)*symbols+d] = settledLogit
			}
			for e := range symbols {
				at := b*n + e*cells + c
				other := 0 // from the cell's own symbol
				if d != e {
					other = 1
				}
				switch {
				case d < 0:
					open[at], mark[at] = 1, tokens[b*cells+c]
				case g.cfg.Settled:
					says[2*at+other] = 1
				default:
					open[at], mark[at] = 1, int64(marks+other)
				}
			}
		}
		for i := b * n; i < (b+1)*n; i++ {
			switch {
			case count == 0:
				mean[i] = 1 / float32(n)
			case open[i] > 0:
				mean[i] = 1 / float32(count)
			}
		}
	}
	dev := g.device
	rows, places := int64(batch), int64(n)
	return &groupScene{
		marks:   torch.From(s, dev, mark, rows, places),
		settled: torch.From(s, torch.CPU, settled, rows, int64(cells)),
		open:    torch.From(s, dev, open, rows, places, 1),
		says:    torch.From(s, dev, says, rows, places, 2),
		mean:    torch.From(s, dev, mean, rows, 1, places),
		answer:  torch.From(s, dev, answer, rows, int64(cells), int64(symbols)),
	}
}

// A grouped is the formulas of Grouped mixing over their weights, see groupBlock.
type grouped struct {
	cfg    Config // defaults filled in
	device torch.Device
	plain  bool // compute by libtorch's operations, for the test of the fused one

	marks    *torch.Tensor // [marks, h]: of open cells, by their token; without Config.Settled two more, "this symbol is given", "another is"
	feedback *torch.Tensor // [2, h]: times the probability of the symbol; where that is below feedbackFloor; nil without
	head, q  *product      // [1, h]; [2, h]
	stacks   [][]*groupBlock
	names    []string        // of the stacks, for Observe
	inits    []*torch.Tensor // [h] of each level

	mu     sync.Mutex
	tables map[[2]int]*groupTables // of boards whose groups nobody told, by rows and columns
}

// newGrouped asks b for the weights of a network.
func newGrouped(b *builder, c Config, dev torch.Device) *grouped {
	d := int64(c.Hidden)
	rows := c.Marks()
	if !c.Settled {
		rows += 2
	}
	g := &grouped{cfg: c, device: dev, tables: map[[2]int]*groupTables{}}
	g.marks = b.normal("inner.embed_tokens.embedding_weight", 1, int64(rows), d)
	g.head = &product{w: matrix(b, "inner.lm_head.weight", 1, c.Hidden)}
	if c.Feedback {
		g.feedback = b.normal("inner.embed_feedback.embedding_weight", 0.5, 2, d)
	}
	g.q = b.qHead("inner.q_head", c.Hidden, false)
	made := map[string][]*groupBlock{}
	for i := range c.Levels {
		name, layers := c.Stack(i)
		if made[name] == nil {
			for k := range layers {
				made[name] = append(made[name], newGroupBlock(b, c, fmt.Sprintf("inner.%s.layers.%d.", name, k)))
				if made[name][k].down == nil {
					break // it is not there; a configuration may claim a million more
				}
			}
		}
		g.stacks, g.names = append(g.stacks, made[name]), append(g.names, name)
	}
	for _, l := range c.Levels {
		g.inits = append(g.inits, b.fixed("inner."+l.Name+"_init", d))
	}
	return g
}

func (g *grouped) spec() Spec                                    { return g.cfg.Spec() }
func (g *grouped) begin(_ *torch.Scope, level int) *torch.Tensor { return g.inits[level] }
func (g *grouped) read(p *pass, s *torch.Scope, c Carry, in Input) Output {
	p, c = wide(p, s, c)
	now := g.look(s, in)
	return g.output(p, s, now, c[0], g.embed(p, s, now, c[0]))
}

// wide is p and c in float32, in which all is computed: of another type is only what is carried.
func wide(p *pass, s *torch.Scope, c Carry) (*pass, Carry) {
	w := *p
	w.dtype, w.products = torch.Float32, torch.Float32
	return &w, c.each(func(z *torch.Tensor) *torch.Tensor { return s.To(z, torch.Float32) })
}

// fused reports whether a block is one operation.
func (g *grouped) fused() bool {
	return !g.plain && g.device == torch.CPU && (g.cfg.Hidden|g.cfg.Message|g.cfg.Inner)%16 == 0
}

// pack packs the weights of the blocks where they are one operation. Those of a Core are packed when it is made, so
// that this writes nothing.
func (g *grouped) pack(s *torch.Scope) {
	if !g.fused() {
		return
	}
	for _, stack := range g.stacks {
		for _, b := range stack {
			b.pack(s)
		}
	}
}

func (g *grouped) close() {
	for _, stack := range g.stacks {
		for _, b := range stack {
			b.forget()
		}
	}
	for _, t := range g.tables {
		t.close()
	}
	clear(g.tables)
}

func (g *grouped) segment(p *pass, s *torch.Scope, c Carry, in Input) (Carry, Output) {
	carried := p.dtype
	p, c = wide(p, s, c)
	g.pack(s)
	t, now := g.tablesOf(s, in), g.look(s, in)
	e := g.embed(p, s, now, c[0])
	z := append(Carry{}, c...)
	g.cfg.Updates(p.gradient, func(level int, record bool) {
		mode := torch.NoGrad
		if record {
			mode = s.Mode()
		}
		s.Do(mode, func(in *torch.Scope) {
			inject := []*torch.Tensor{e} // as transformer.around, not yet summed
			if level+1 < len(z) {
				inject[0] = z[level+1]
			}
			if level > 0 {
				inject = append([]*torch.Tensor{z[level-1]}, inject...)
			}
			x := z[level]
			for _, b := range g.stacks[level] {
				x = b.apply(g, in, x, inject, t, now)
				inject = nil
			}
			z[level] = in.Lend(s, p.see(g.names[level]+".out", x))
		})
	})
	return p.end(s, z).each(func(z *torch.Tensor) *torch.Tensor { return s.To(z, carried) }), g.output(p, s, now, z[0], e)
}

// tablesOf is the groups of in. Those that nobody told stay with g, others die with s.
func (g *grouped) tablesOf(s *torch.Scope, in Input) *groupTables {
	seq := int(torch.Shape(in.Tokens)[1])
	sp := g.cfg.Spec()
	if err := sp.Fits(seq, in.Rows, in.Cols); err != nil {
		panic(torch.Error{Op: "segment", Msg: err.Error()})
	}
	rows, cols := sp.Grid(seq, in.Rows, in.Cols)
	if in.Groups != nil {
		return g.tabulate(s, in.Groups, seq, func(x *torch.Tensor) *torch.Tensor { return x })
	}
	if rows != cols {
		panic(torch.Error{Op: "segment", Msg: fmt.Sprintf("a grid of %dx%d has no groups of its own: Input.Groups is nil", rows, cols)})
	}
	key := [2]int{rows, cols}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tables[key] == nil {
		board := arch.Board(arch.Boxes(rows))
		maps.DeleteFunc(board, func(kind string, _ [][]int) bool { return !slices.Contains(g.cfg.Kinds, kind) })
		g.tables[key] = g.tabulate(s, board, seq, s.Keep)
	}
	return g.tables[key]
}

func (g *grouped) tabulate(s *torch.Scope, groups Groups, cells int, keep func(*torch.Tensor) *torch.Tensor) *groupTables {
	x, err := groups.Index(g.cfg.Kinds, cells)
	if err != nil {
		panic(torch.Error{Op: "segment", Msg: err.Error()})
	}
	n := len(g.cfg.Kinds)
	t := &groupTables{cells: cells, rows: make([]*torch.Tensor, n), cols: make([]*torch.Tensor, n)}
	for i := range n {
		rows, cols := x.Incidence(i)
		if n := int64(x.Kinds[i+1] - x.Kinds[i]); n > 0 {
			t.rows[i] = keep(torch.From(s, g.device, rows, n, int64(cells)))
			t.cols[i] = keep(torch.From(s, g.device, cols, int64(cells), n))
		}
	}
	flat := x.Flat()
	t.flat = keep(torch.From(s, torch.CPU, flat, int64(len(flat))))
	return t
}

// feedbackFloor is the probability below which a symbol counts as excluded.
const feedbackFloor = 0.01

// noSymbol is the logit of answers that are no symbol; its exponential is 0 beside those of symbols.
const noSymbol = -100

// embed is e [batch, symbols·cells, h] of the tokens and of what zh answers.
func (g *grouped) embed(p *pass, s *torch.Scope, now *groupScene, zh *torch.Tensor) *torch.Tensor {
	e := s.Embedding(g.marks, now.marks)
	if g.feedback != nil {
		var of *torch.Tensor
		s.Do(torch.NoGrad, func(in *torch.Scope) { of = in.Lend(s, g.believes(p, in, now, zh)) })
		e = s.Add(e, s.Linear(of, s.Transpose(g.feedback, 0, 1), nil))
	}
	return p.see("input_embeddings", e)
}

// believes is [batch, symbols·cells, 2]: the probabilities that zh answers, without gradient, and 1 where one is below
// feedbackFloor.
func (g *grouped) believes(p *pass, s *torch.Scope, now *groupScene, zh *torch.Tensor) *torch.Tensor {
	shape, answer := torch.Shape(now.marks), g.head.apply(p, s, zh)
	cells := torch.Shape(now.settled)[1]
	if g.exact(s) {
		x := s.ReadFloats(nil, answer)
		out := make([]float32, 2*len(x))
		chance := make([]float32, shape[1]/cells)
		for b := 0; b < len(x); b += int(shape[1]) {
			for c := range int(cells) {
				logit.Softmax(chance, x[b+c:], int(cells))
				for d, q := range chance {
					at := b + d*int(cells) + c
					if out[2*at] = q; q < feedbackFloor {
						out[2*at+1] = 1
					}
				}
			}
		}
		return torch.From(s, g.device, out, shape[0], shape[1], 2)
	}
	x := s.Own(s.Reshape(answer, shape[0], -1, cells).Softmax(1, torch.Float32, false))
	x = s.Reshape(x, shape[0], shape[1], 1)
	floor := ts.FloatScalar(feedbackFloor)
	defer floor.Drop()
	return s.Cat(2, x, s.To(s.Own(x.Lt(floor, false)), torch.Float32))
}

// exact reports whether what is around the blocks is computed as engine does it, bit for bit.
func (g *grouped) exact(s *torch.Scope) bool { return g.fused() && s.Mode() == torch.NoGrad }

// output reads one logit for each symbol of a cell, and the Q values from the mean over what is open.
func (g *grouped) output(p *pass, s *torch.Scope, now *groupScene, zh, e *torch.Tensor) Output {
	shape := torch.Shape(now.settled)
	batch, cells := shape[0], shape[1]
	symbols, marks := int64(g.cfg.SymbolsOf(int(cells))), int64(g.cfg.Marks())
	none := func(n int64) *torch.Tensor {
		return s.Scale(s.Own(ts.Ones([]int64{batch, cells, n}, torch.Float32, g.device.Gotch())), noSymbol)
	}
	x := s.Transpose(s.Reshape(g.head.apply(p, s, zh), batch, symbols, cells), 1, 2)
	logits := s.Cat(2, none(marks), s.Add(x, now.answer))
	if rest := int64(g.cfg.Outputs) - marks - symbols; rest > 0 { // a board of fewer symbols than trained on
		logits = s.Cat(2, logits, none(rest))
	}
	out := Output{Logits: logits, State: zh, Encoded: e}
	if g.exact(s) {
		out.qValues(s, g.meanQ(p, s, now, zh))
	} else {
		out.qValues(s, g.q.apply(p, s, s.Reshape(s.MatMul(now.mean, zh), batch, int64(g.cfg.Hidden))))
	}
	return out
}

// meanQ is the Q values [batch, 2] as the mean of those of each place.
func (g *grouped) meanQ(p *pass, s *torch.Scope, now *groupScene, zh *torch.Tensor) *torch.Tensor {
	shape, cells := torch.Shape(zh), int(torch.Shape(now.settled)[1])
	n := int(shape[1])
	each, bias := s.ReadFloats(nil, s.Linear(zh, g.q.w, nil)), s.ReadFloats(nil, g.q.b)
	settled := s.ReadInts(nil, now.settled)
	out := make([]float32, 0, 2*shape[0])
	for b := range int(shape[0]) {
		settled := settled[b*cells : (b+1)*cells]
		closed := !slices.Contains(settled, -1)
		var sum [2]float64
		count := 0
		for c, d := range settled {
			if d >= 0 && !closed {
				continue
			}
			for at := c; at < n; at += cells {
				q := each[2*(b*n+at):]
				sum[0], sum[1], count = sum[0]+float64(q[0]), sum[1]+float64(q[1]), count+1
			}
		}
		for i, q := range sum {
			out = append(out, float32(q/float64(count)+float64(bias[i])))
		}
	}
	return torch.From(s, g.device, out, shape[0], 2)
}
