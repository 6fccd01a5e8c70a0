package engine

import (
	"fmt"
	"math"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/vec"
)

// A transformer is the weights of the transformer HRM (hrm.Model).
type transformer struct {
	cfg arch.Config

	tokens           []float32 // [vocab, hidden]
	positions        []float32 // [positions, hidden]; nil without
	puzzles          table     // [ids, dim]
	registers        []float32 // [registers, hidden]
	rowVecs, colVecs []float32 // [rows, hidden], [cols, hidden]; nil without
	regionVecs       []float32 // [regions, hidden]; nil without
	regions          []int     // of each cell, a row of regionVecs
	head             vec.Matrix
	qWeight, qBias   []float32 // [2, hidden], [2]
	levels           []level   // the slowest first
}

// A level is one of the states, with the blocks that update it.
type level struct {
	name   string // of the state: "H", "L"
	module string // under which Observe sees it: "H_level"
	mixing arch.Mixing
	cycles int // updates for each of the level before; of the first, in a segment
	blocks []*block
	init   []float32 // [hidden]
}

// A block mixes positions, then feeds forward, each followed by the norm of its residual.
type block struct {
	qkv, out           vec.Matrix  // of attention; with static mixing qkv has values alone
	bias               [][]float32 // of attention, a head each: padded [n, n], or entries of distances; nil without
	mix                [][]float32 // of static mixing, a head each: padded rows [n, n]
	tokenUp, tokenDown vec.Matrix  // of token mixing
	gateUp, down       vec.Matrix
	conv               []float32 // padded [9, inner]; nil without
}

// build asks r for every tensor.
func (m *transformer) build(r *reader) {
	c := m.cfg
	d, n := c.Hidden, c.Prefix()+c.Seq
	m.tokens = r.floats("inner.embed_tokens.embedding_weight", c.Vocab, d)
	m.head = r.matrix("inner.lm_head.weight", c.Outputs, d)
	m.qWeight = r.floats("inner.q_head.weight", 2, d)
	m.qBias = r.floats("inner.q_head.bias", 2)
	if c.PuzzleDim > 0 {
		m.puzzles = r.table("inner.puzzle_emb.weights", c.PuzzleIDs, c.PuzzleDim)
	}
	if c.Positions == arch.Learned {
		m.positions = r.floats("inner.embed_pos.embedding_weight", n, d)
	}
	if c.Registers > 0 {
		m.registers = r.floats("inner.registers", c.Registers, d)
	}
	if c.GridEmbed {
		m.rowVecs = r.floats("inner.embed_row.embedding_weight", c.Rows, d)
		m.colVecs = r.floats("inner.embed_col.embedding_weight", c.Cols, d)
		if of, n := c.Region(); n > 0 {
			m.regions, m.regionVecs = of, r.floats("inner.embed_box.embedding_weight", n, d)
		}
	}
	m.levels = nil
	stacks := map[string][]*block{}
	for i, l := range c.Levels {
		module, layers := c.Stack(i)
		if _, ok := stacks[module]; !ok {
			stacks[module] = m.stack(r, module, layers, c.MixingOf(i))
		}
		m.levels = append(m.levels, level{
			name: l.Name, module: module, mixing: c.MixingOf(i), cycles: l.Cycles, blocks: stacks[module], init: r.floats("inner."+l.Name+"_init", d),
		})
	}
}

func (m *transformer) stack(r *reader, module string, layers int, mixing arch.Mixing) []*block {
	var blocks []*block
	for i := 0; i < layers && !r.hopeless(); i++ {
		blocks = append(blocks, newBlock(r, m.cfg, mixing, fmt.Sprintf("inner.%s.layers.%d.", module, i)))
	}
	return blocks
}

func newBlock(r *reader, c arch.Config, mixing arch.Mixing, prefix string) *block {
	n, d := c.Prefix()+c.Seq, c.Hidden
	k := &block{}
	switch mixing {
	case arch.Attention:
		k.qkv = r.matrix(prefix+"self_attn.qkv_proj.weight", 3*d, d)
		k.out = r.matrix(prefix+"self_attn.o_proj.weight", d, d)
		switch c.Bias {
		case arch.TableBias:
			k.bias = heads(r.floats(prefix+"self_attn.bias", c.Heads, n, n), c.Heads)
			for h, x := range k.bias {
				k.bias[h] = mask(pad(x, n, vec.PadRows(n), n), n)
			}
		case arch.RelativeBias:
			w := 2*c.BiasRadius + 1
			k.bias = heads(r.floats(prefix+"self_attn.bias", c.Heads, w*w+1), c.Heads)
		}
	case arch.StaticMix:
		k.qkv = r.matrix(prefix+"self_attn.v_proj.weight", d, d)
		k.out = r.matrix(prefix+"self_attn.o_proj.weight", d, d)
		k.mix = heads(r.floats(prefix+"self_attn.mix", c.Heads, n, n), c.Heads)
		for h, x := range k.mix {
			k.mix[h] = pad(x, n, vec.PadRows(n), n)
		}
	case arch.TokenMLP:
		f := c.Width(n)
		k.tokenUp = r.halves(prefix+"mlp_t.gate_up_proj.weight", f, n)
		k.tokenDown = r.matrix(prefix+"mlp_t.down_proj.weight", n, f)
	}
	k.gateUp = r.halves(prefix+"mlp.gate_up_proj.weight", c.Inner, d)
	k.down = r.matrix(prefix+"mlp.down_proj.weight", d, c.Inner)
	if c.Conv {
		k.conv = r.padded(prefix+"mlp.conv.weight", 9, c.Inner)
	}
	return k
}

// heads cuts x into n equal parts; none of nil.
func heads(x []float32, n int) [][]float32 {
	if x == nil {
		return nil
	}
	out := make([][]float32, n)
	for i := range out {
		out[i] = x[i*len(x)/n : (i+1)*len(x)/n]
	}
	return out
}

// masked is what scores of positions that are none are set to: its softmax is 0.
const masked = -1e30

// mask sets what pads rows of n numbers to masked, and returns x.
func mask(x []float32, n int) []float32 {
	if wide := vec.Pad(n); wide > n {
		for at := n; at < len(x); at += wide {
			for i := at; i < at+wide-n; i++ {
				x[i] = masked
			}
		}
	}
	return x
}

// encode makes e, padded [n, hidden], of in: registers, puzzle embedding and tokens, with their positions,
// times sqrt(hidden).
func (m *shaped) encode(r *row, in think.Input) error {
	c, dst, cols := m.cfg, r.e, m.grid[1]
	d, prefix := c.Hidden, c.Prefix()
	wide := vec.Pad(d)
	for i := range c.Registers {
		copy(dst[i*wide:], m.registers[i*d:(i+1)*d])
	}
	if c.PuzzleDim > 0 {
		x, err := m.puzzles.row(int(in.ID))
		if err != nil {
			return err
		}
		for i := range c.PuzzlePositions {
			part := dst[(c.Registers+i)*wide:][:d]
			clear(part)
			if i*d < len(x) {
				copy(part, x[i*d:])
			}
		}
	}
	for t, token := range in.Tokens {
		x := dst[(prefix+t)*wide:][:d]
		copy(x, m.tokens[int(token)*d:(int(token)+1)*d])
		if c.GridEmbed {
			row, col := t/cols, t%cols
			parts := 3.0
			sum(x, m.rowVecs[row*d:])
			sum(x, m.colVecs[col*d:])
			if m.regions != nil {
				sum(x, m.regionVecs[m.regions[t]*d:])
				parts = 4
			}
			scale(x, 1/math.Sqrt(parts)) // keeps the scale of one embedding
		}
	}
	for i := range prefix + len(in.Tokens) {
		x := dst[i*wide:][:d]
		if m.positions != nil {
			sum(x, m.positions[i*d:])
			scale(x, math.Sqrt(0.5))
		}
		scale(x, math.Sqrt(float64(d)))
	}
	return nil
}

func sum(dst, x []float32) {
	for i := range dst {
		dst[i] += x[i]
	}
}

func scale(x []float32, by float64) {
	for i := range x {
		x[i] *= float32(by)
	}
}
