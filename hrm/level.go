//go:build cgo && !notorch

package hrm

import (
	"fmt"
	"math"

	"github.com/ponder-agents/ponder/torch"
)

// A stack is the blocks that update the state of a level, or of all levels if they share them.
type stack struct {
	name   string
	mixing Mixing
	blocks []*block

	packed  *torch.Tensor // the weights for torch.Scope.Stack; nil where it is not used
	version int64         // of the weights when they were packed
	in      torch.DType   // of products, as they were packed
	only    bool          // packed; those of the blocks are dropped, see plain
}

func newStack(b *builder, c Config, name string, layers int, mixing Mixing) *stack {
	k := &stack{name: name, mixing: mixing}
	for i := range layers {
		next := newBlock(b, c, mixing, fmt.Sprintf("inner.%s.layers.%d.", name, i))
		k.blocks = append(k.blocks, next)
		if next.down.w == nil {
			break // it is not there; a configuration may claim a million more
		}
	}
	return k
}

// An update is that of one level: what its blocks need to know beside their weights.
type update struct {
	*pass
	cfg    *Config
	tables *tables
	stack  *stack
	block  int                   // of the stack, the one that computes
	attend func(w *torch.Tensor) // gets the attention [batch, n, n] of the last block; may be nil
}

// fused reports whether the blocks are one operation: where nobody wants gradients or looks inside.
func (u *update) fused(s *torch.Scope) bool {
	return u.stack.packed != nil && u.observe == nil && (u.stack.only || s.Mode() == torch.NoGrad)
}

// apply runs the blocks over x [batch, n, hidden] with the injection added, one or two tensors of that shape.
func (u *update) apply(s *torch.Scope, x *torch.Tensor, inject ...*torch.Tensor) *torch.Tensor {
	if u.fused(s) {
		l := torch.Layout{Cos: u.tables.cos, Sin: u.tables.sin, Rows: u.tables.rows, Cols: u.tables.cols, Skip: u.cfg.Prefix(), Eps: u.cfg.NormEps}
		for _, b := range u.stack.blocks {
			if b.bias != nil {
				l.Bias = append(l.Bias, b.scores(s, u.tables))
			}
		}
		return s.Stack(u.stack.packed, x, inject[0], append(inject, nil)[1], l)
	}
	sum := inject[0]
	for _, y := range inject[1:] {
		sum = s.Add(sum, y)
	}
	x = s.Add(x, sum)
	for i, b := range u.stack.blocks {
		u.block = i
		x = u.see("", b.apply(u, s, x))
	}
	return u.pass.see(u.stack.name+".out", x)
}

// weights are where the weights of the blocks that torch.Scope.PackStack takes stand, in its order.
func (k *stack) weights() (all []**torch.Tensor) {
	for _, b := range k.blocks {
		for _, w := range []**torch.Tensor{b.qkv.weight(), b.out.weight(), &b.mix, b.tokenUp.weight(), b.tokenDn.weight(), b.gateUp.weight(), b.down.weight(), &b.conv} {
			if w != nil && *w != nil {
				all = append(all, w)
			}
		}
	}
	return all
}

// stacks reports whether the blocks of a network can be one operation.
func stacks(c *Config) bool {
	return c.Mixing != Grouped && (c.Mixing != StaticMix || c.Hidden/c.Heads%16 == 0)
}

// pack lays the weights of the stack out for torch.Scope.Stack, unless they are as they were last time.
func (k *stack) pack(s *torch.Scope, c *Config, in torch.DType) {
	mixing := torch.MixAttention
	switch k.mixing {
	case Local:
		mixing = torch.MixNone
	case StaticMix:
		mixing = torch.MixMatrices
	case TokenMLP:
		mixing = torch.MixTokens
	}
	var all []*torch.Tensor
	for _, w := range k.weights() {
		all = append(all, *w)
	}
	version := torch.VersionOf(all)
	if k.packed != nil && k.version == version && k.in == in {
		return
	}
	k.forget()
	k.version, k.in = version, in
	k.packed = s.Keep(s.PackStack(all, len(k.blocks), mixing, c.Heads, in))
}

// drop frees the weights that are packed, and returns them.
func (k *stack) drop() (dropped []*torch.Tensor) {
	for _, w := range k.weights() {
		dropped = append(dropped, *w)
		(*w).Drop()
	}
	k.only = true
	return dropped
}

// plain is k with weights that s has unpacked.
func (k *stack) plain(s *torch.Scope) *stack {
	p := &stack{name: k.name, mixing: k.mixing}
	for _, b := range k.blocks {
		p.blocks = append(p.blocks, b.copy())
	}
	all := p.weights()
	for i, w := range s.UnpackStack(k.packed, len(all)) {
		*all[i] = w
	}
	return p
}

func (k *stack) forget() {
	if k.packed != nil {
		k.packed.Drop()
		k.packed = nil
	}
}

// see shows x, a part of the block that computes.
func (u *update) see(part string, x *torch.Tensor) *torch.Tensor {
	if u.observe != nil {
		u.observe(fmt.Sprintf("%s.layers.%d%s", u.stack.name, u.block, part), x)
	}
	return x
}

// A block is attention (or another mixing of positions) and a SwiGLU feed-forward, each followed by
// the norm of its residual: x = rms(x + mix(x)), x = rms(x + mlp(x)). Of Local mixing it is the second alone.
type block struct {
	qkv, out         *product      // [3D, D], [D, D]; of StaticMix qkv is [D, D]: values alone
	bias             *torch.Tensor // [heads, n, n], or [heads, (2r+1)²+1] if relative; nil without
	mix              *torch.Tensor // [heads, n, n] of StaticMix
	tokenUp, tokenDn *product      // [2F', n], [n, F'] of TokenMLP
	gateUp, down     *product      // [2F, D], [D, F]
	conv             *torch.Tensor // [9, F]; nil without
}

func newBlock(b *builder, c Config, mixing Mixing, prefix string) *block {
	n := c.Prefix() + c.Seq
	heads, places := int64(c.Heads), int64(n)
	k := &block{}
	switch mixing {
	case Attention:
		k.qkv = b.product(prefix+"self_attn.qkv_proj.weight", 3*c.Hidden, c.Hidden)
		k.out = b.product(prefix+"self_attn.o_proj.weight", c.Hidden, c.Hidden)
		switch c.Bias {
		case TableBias:
			k.bias = b.floats(prefix+"self_attn.bias", false, func() []float32 { return groups(c, 2, false) }, heads, places, places)
		case RelativeBias:
			w := 2*c.BiasRadius + 1
			k.bias = b.fill(prefix+"self_attn.bias", false, 0, heads, int64(w*w+1))
		}
	case StaticMix:
		k.qkv = b.product(prefix+"self_attn.v_proj.weight", c.Hidden, c.Hidden)
		k.out = b.product(prefix+"self_attn.o_proj.weight", c.Hidden, c.Hidden)
		k.mix = b.floats(prefix+"self_attn.mix", true, func() []float32 { return groups(c, 1, true) }, heads, places, places)
	case TokenMLP:
		f := c.Width(n)
		k.tokenUp = b.product(prefix+"mlp_t.gate_up_proj.weight", 2*f, n)
		k.tokenDn = b.product(prefix+"mlp_t.down_proj.weight", n, f)
	}
	k.gateUp = b.product(prefix+"mlp.gate_up_proj.weight", 2*c.Inner, c.Hidden)
	k.down = b.product(prefix+"mlp.down_proj.weight", c.Hidden, c.Inner)
	if c.Conv {
		k.conv = b.conv(prefix+"mlp.conv.weight", int64(c.Inner))
	}
	return k
}

// groups is a table [heads, n, n] that holds v where position j is in the group of position i: the
// same row for head 0, column for head 1, region for head 2, all of them for further heads, and the
// prefix for everyone. It is 0 without GroupBias. If mean is set each row sums to v.
func groups(c Config, v float64, mean bool) []float32 {
	p := c.Prefix()
	n := p + c.Seq
	out := make([]float32, c.Heads*n*n)
	if !c.GroupBias {
		return out
	}
	region, _ := c.Region()
	for h := range c.Heads {
		for i := range n {
			row := out[(h*n+i)*n : (h*n+i+1)*n]
			count := 0
			for j := range row {
				same := i < p || j < p
				if !same {
					a, b := i-p, j-p
					r, l, x := a/c.Cols == b/c.Cols, a%c.Cols == b%c.Cols, a == b
					if region != nil {
						x = region[a] == region[b]
					}
					same = (h == 0 && r) || (h == 1 && l) || (h == 2 && x) || (h > 2 && (r || l || x))
				}
				if same {
					row[j] = float32(v)
					count++
				}
			}
			if mean {
				for j := range row {
					row[j] /= float32(math.Sqrt(float64(count)))
				}
			}
		}
	}
	return out
}

// copy is k with weights that can be set apart from k's.
func (k *block) copy() *block {
	c := *k
	for _, p := range []**product{&c.qkv, &c.out, &c.tokenUp, &c.tokenDn, &c.gateUp, &c.down} {
		if *p != nil {
			*p = &product{w: (*p).w, b: (*p).b}
		}
	}
	return &c
}

func (k *block) apply(u *update, s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	eps := u.cfg.NormEps
	switch u.stack.mixing {
	case TokenMLP:
		y := s.Own(s.Transpose(x, 1, 2).Contiguous(false)) // [batch, D, n]
		up := s.SwiGLU(k.tokenUp.apply(u.pass, s, y))
		y = s.RMSAdd(y, u.see(".mlp_t", k.tokenDn.apply(u.pass, s, up)), eps)
		x = s.Own(s.Transpose(y, 1, 2).Contiguous(false))
	case Attention, StaticMix:
		x = s.RMSAdd(x, u.see(".self_attn", k.out.apply(u.pass, s, k.mixed(u, s, x))), eps)
	}
	h := s.SwiGLU(k.gateUp.apply(u.pass, s, x))
	if k.conv != nil {
		h = s.Conv3x3(h, k.conv, u.tables.rows, u.tables.cols, u.cfg.Prefix())
	}
	return s.RMSAdd(x, u.see(".mlp", k.down.apply(u.pass, s, h)), eps)
}

// mixed is what attention, or the static matrices in its place, gathers for each position.
func (k *block) mixed(u *update, s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	c, t := u.cfg, u.tables
	qkv := k.qkv.apply(u.pass, s, x)
	if c.Mixing == Attention {
		u.see(".self_attn.qkv_proj", qkv)
		bias := k.scores(s, t)
		if u.attend != nil && u.block == len(u.stack.blocks)-1 {
			u.attend(s.AttentionMap(qkv, c.Heads, t.cos, t.sin, bias))
		}
		return s.Attention(qkv, c.Heads, t.cos, t.sin, bias)
	}
	// [batch, n, heads, hd] -> [heads, n, batch·hd], times [heads, n, n], and back.
	shape := torch.Shape(x)
	batch, n, hd := shape[0], shape[1], int64(c.Hidden/c.Heads)
	v := s.Own(s.Reshape(qkv, batch, n, int64(c.Heads), hd).Permute([]int64{2, 1, 0, 3}, false))
	y := s.MatMul(s.To(k.mix, u.dtype), s.Reshape(v, int64(c.Heads), n, batch*hd))
	y = s.Own(s.Reshape(y, int64(c.Heads), n, batch, hd).Permute([]int64{2, 1, 0, 3}, false))
	return s.Reshape(y, batch, n, int64(c.Hidden))
}

// scores is the bias of attention [heads, n, n], or nil.
func (k *block) scores(s *torch.Scope, t *tables) *torch.Tensor {
	if k.bias == nil || t.pairs == nil {
		return k.bias
	}
	shape := torch.Shape(k.bias)
	n := int64(math.Sqrt(float64(t.pairs.Numel())) + 0.5)
	return s.Reshape(s.Index(k.bias, 1, t.pairs), shape[0], n, n)
}
