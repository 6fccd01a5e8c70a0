//go:build cgo && !notorch

package hrm

import (
	"math"

	"github.com/ponder-agents/ponder/torch"
)

// A transformer is the formulas of the HRM over its weights.
type transformer struct {
	cfg    Config // defaults filled in
	what   Spec
	device torch.Device
	stacks []*stack // of each level; all the same one if Config.Shared

	tokens              *torch.Tensor   // [vocab, hidden]
	head, q             *product        // [outputs, hidden]; [2, hidden]: q_halt and q_continue
	puzzles             *torch.Tensor   // [puzzle ids, puzzle dim]; nil without
	positions           *torch.Tensor   // [n, hidden]; nil without
	registers           *torch.Tensor   // [registers, hidden]; nil without
	rows, cols, regions *torch.Tensor   // [·, hidden]; nil without
	inits               []*torch.Tensor // [hidden] of each level

	tables tableCache
}

// newTransformer asks b for the weights of a network, under the reference's names and in its order.
func newTransformer(b *builder, cfg Config, dev torch.Device) *transformer {
	c := cfg.WithDefaults()
	t := &transformer{cfg: c, what: c.Spec(), device: dev}
	d := int64(c.Hidden)
	std := 1 / math.Sqrt(float64(d))

	t.tokens = b.normal("inner.embed_tokens.embedding_weight", std, int64(c.Vocab), d)
	t.head = b.product("inner.lm_head.weight", c.Outputs, c.Hidden)
	t.q = b.qHead("inner.q_head", c.Hidden, true)
	if c.PuzzleDim > 0 {
		t.puzzles = b.table(PuzzleTable, int64(c.PuzzleIDs), int64(c.PuzzleDim))
	}
	if c.Positions == Learned {
		t.positions = b.normal("inner.embed_pos.embedding_weight", std, int64(c.Prefix()+c.Seq), d)
	}
	if c.Registers > 0 {
		t.registers = b.normal("inner.registers", std, int64(c.Registers), d)
	}
	if c.GridEmbed {
		t.rows = b.normal("inner.embed_row.embedding_weight", std, int64(c.Rows), d)
		t.cols = b.normal("inner.embed_col.embedding_weight", std, int64(c.Cols), d)
		if _, n := c.Region(); n > 0 {
			t.regions = b.normal("inner.embed_box.embedding_weight", std, int64(n), d)
		}
	}
	made := map[string]*stack{}
	for i := range c.Levels {
		name, layers := c.Stack(i)
		if made[name] == nil {
			made[name] = newStack(b, c, name, layers, c.MixingOf(i))
		}
		t.stacks = append(t.stacks, made[name])
	}
	for _, l := range c.Levels {
		t.inits = append(t.inits, b.fixed("inner."+l.Name+"_init", d))
	}
	return t
}

func (t *transformer) spec() Spec                                    { return t.what }
func (t *transformer) begin(_ *torch.Scope, level int) *torch.Tensor { return t.inits[level] }

func (t *transformer) close() {
	t.tables.close()
	for _, k := range t.stacks {
		k.forget()
	}
}

func (t *transformer) segment(p *pass, s *torch.Scope, c Carry, in Input) (Carry, Output) {
	tables := t.tables.of(s, &t.cfg, t.device, int(torch.Shape(in.Tokens)[1]), in.Rows, in.Cols)
	if tables.cos != nil {
		p.see("rope.cos", tables.cos)
		p.see("rope.sin", tables.sin)
	}
	e := t.embed(p, s, in, tables)
	z := append(Carry{}, c...)
	t.pack(p, s)
	t.cfg.Updates(p.gradient, func(level int, record bool) {
		mode := torch.NoGrad
		if record {
			mode = s.Mode()
		}
		u := &update{pass: p, cfg: &t.cfg, tables: tables, stack: t.stacks[level]}
		if p.attend != nil && record {
			if u.stack.packed != nil {
				u.stack = u.stack.plain(s)
			}
			u.attend = func(w *torch.Tensor) { p.attend(level, w) }
		}
		s.Do(mode, func(in *torch.Scope) {
			z[level] = in.Lend(s, u.apply(in, z[level], t.around(z, e, level)...))
		})
	})
	return p.end(s, z), t.output(p, s, z[0], e)
}

// around is what an update of a level has injected: the states of its neighbours, of the last level the
// encoded input in place of the one that it lacks.
func (t *transformer) around(z Carry, e *torch.Tensor, level int) []*torch.Tensor {
	below := e
	if level+1 < len(z) {
		below = z[level+1]
	}
	if level == 0 {
		return []*torch.Tensor{below}
	}
	return []*torch.Tensor{z[level-1], below}
}

// pack packs the weights of the stacks where updates are computed by torch.Scope.Stack. Those of a Core are packed
// when it is made, so that this writes nothing.
func (t *transformer) pack(p *pass, s *torch.Scope) {
	if p.observe != nil || t.device != torch.CPU || !stacks(&t.cfg) {
		return
	}
	for _, k := range t.stacks {
		if !k.only {
			k.pack(s, &t.cfg, p.products)
		}
	}
}

// onlyPacked frees the weights that are packed, of a network that does not change, and returns them.
func (t *transformer) onlyPacked() (dropped []*torch.Tensor) {
	for _, k := range t.stacks {
		if k.packed != nil && !k.only {
			dropped = append(dropped, k.drop()...)
		}
	}
	return dropped
}

func (t *transformer) read(p *pass, s *torch.Scope, c Carry, in Input) Output {
	tables := t.tables.of(s, &t.cfg, t.device, int(torch.Shape(in.Tokens)[1]), in.Rows, in.Cols)
	return t.output(p, s, c[0], t.embed(p, s, in, tables))
}

// output reads the answer from the token positions of z and the Q values from its position 0.
func (t *transformer) output(p *pass, s *torch.Scope, z, e *torch.Tensor) Output {
	prefix := int64(t.cfg.Prefix())
	cells := s.Narrow(z, 1, prefix, torch.Shape(z)[1]-prefix)
	first := s.Reshape(s.Narrow(z, 1, 0, 1), -1, int64(t.cfg.Hidden))
	out := Output{Logits: t.head.apply(p, s, cells), State: z, Encoded: e, prefix: int(prefix)}
	out.qValues(s, t.q.apply(p, s, first))
	return out
}

// embed is e [batch, n, hidden]: registers, puzzle vector and tokens, with positions, times
// sqrt(hidden).
func (t *transformer) embed(p *pass, s *torch.Scope, in Input, tables *tables) *torch.Tensor {
	c := t.cfg
	d := int64(c.Hidden)
	batch := torch.Shape(in.Tokens)[0]
	e := s.Embedding(t.tokens, in.Tokens)
	if c.GridEmbed {
		parts := 3.0
		e = s.Add(s.Add(e, s.Embedding(t.rows, tables.rowIDs)), s.Embedding(t.cols, tables.colIDs))
		if t.regions != nil {
			e = s.Add(e, s.Embedding(t.regions, tables.regionIDs))
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
			rows = s.Embedding(t.puzzles, in.PuzzleIDs)
		}
		pad := int64(c.PuzzlePositions)*d - int64(c.PuzzleDim)
		if pad > 0 {
			rows = s.Own(rows.ConstantPadNd([]int64{0, pad}, false))
		}
		e = s.Cat(1, s.Reshape(rows, batch, int64(c.PuzzlePositions), d), e)
	}
	if t.registers != nil {
		e = s.Cat(1, s.Own(t.registers.Expand([]int64{batch, int64(c.Registers), d}, false, false)), e)
	}
	if t.positions != nil {
		e = s.Scale(s.Add(e, t.positions), math.Sqrt(0.5))
	}
	return p.see("input_embeddings", s.To(s.Scale(e, math.Sqrt(float64(d))), p.dtype))
}
