//go:build cgo && !notorch

package hrm

import (
	"fmt"
	"math"

	"github.com/ponder-agents/ponder/torch"
)

// A level is a stack of blocks; both levels of a model may be one.
type level struct {
	name   string
	blocks []*block
}

func newLevel(b *builder, name string, layers int) *level {
	l := &level{name: name}
	for i := range layers {
		l.blocks = append(l.blocks, newBlock(b, fmt.Sprintf("inner.%s.layers.%d.", name, i)))
	}
	return l
}

// apply runs the blocks over x [batch, n, hidden], which already has the injection added.
func (l *level) apply(m *Model, s *torch.Scope, name string, x *torch.Tensor, t *tables) *torch.Tensor {
	for i, b := range l.blocks {
		see := func(part string, x *torch.Tensor) *torch.Tensor {
			if m.observe != nil {
				m.observe(fmt.Sprintf("%s.layers.%d%s", name, i, part), x)
			}
			return x
		}
		x = see("", b.apply(m, s, x, t, see))
	}
	return x
}

// A block is attention (or another mixing of positions) and a SwiGLU feed-forward, each followed by
// the norm of its residual: x = rms(x + mix(x)), x = rms(x + mlp(x)).
type block struct {
	qkv, out         *torch.Tensor // [3D, D], [D, D]; of StaticMix qkv is [D, D]: values alone
	bias             *torch.Tensor // [heads, n, n], or [heads, (2r+1)²+1] if relative; nil without
	mix              *torch.Tensor // [heads, n, n] of StaticMix
	tokenUp, tokenDn *torch.Tensor // [2F', n], [n, F'] of TokenMLP
	gateUp, down     *torch.Tensor // [2F, D], [D, F]
	conv             *torch.Tensor // [9, F]; nil without
}

func newBlock(b *builder, prefix string) *block {
	c := b.cfg
	n := c.Prefix() + c.Seq
	k := &block{}
	switch c.Mixing {
	case Attention:
		k.qkv = b.linear(prefix+"self_attn.qkv_proj.weight", 3*c.Hidden, c.Hidden)
		k.out = b.linear(prefix+"self_attn.o_proj.weight", c.Hidden, c.Hidden)
		switch c.Bias {
		case TableBias:
			k.bias = b.floats(prefix+"self_attn.bias", groups(c, 2, false), int64(c.Heads), int64(n), int64(n))
		case RelativeBias:
			w := 2*c.BiasRadius + 1
			k.bias = b.fill(prefix+"self_attn.bias", 0, int64(c.Heads), int64(w*w+1))
		}
	case StaticMix:
		k.qkv = b.linear(prefix+"self_attn.v_proj.weight", c.Hidden, c.Hidden)
		k.out = b.linear(prefix+"self_attn.o_proj.weight", c.Hidden, c.Hidden)
		k.mix = b.floats(prefix+"self_attn.mix", groups(c, 1, true), int64(c.Heads), int64(n), int64(n))
	case TokenMLP:
		f := c.Width(n)
		k.tokenUp = b.linear(prefix+"mlp_t.gate_up_proj.weight", 2*f, n)
		k.tokenDn = b.linear(prefix+"mlp_t.down_proj.weight", n, f)
	}
	k.gateUp = b.linear(prefix+"mlp.gate_up_proj.weight", 2*c.Inner, c.Hidden)
	k.down = b.linear(prefix+"mlp.down_proj.weight", c.Hidden, c.Inner)
	if c.Conv {
		k.conv = b.p.Add(b.s, prefix+"mlp.conv.weight", convInit(b, int64(c.Inner)))
	}
	return k
}

// convInit is the identity plus noise of standard deviation 0.1: [9, f].
func convInit(b *builder, f int64) *torch.Tensor {
	w := torch.Read[float32](nil, b.gen.TruncNormal(b.s, 0.1, 9, f))
	for i := range f {
		w[4*f+i]++
	}
	return b.s.Floats(w, 9, f)
}

// groups is a table [heads, n, n] that holds v where position j is in the group of position i: the
// same row for head 0, column for head 1, box for head 2, all of them for further heads, and the
// prefix for everyone. It is 0 without GroupBias. If mean is set each row sums to v.
func groups(c Config, v float64, mean bool) []float32 {
	p := c.Prefix()
	n := p + c.Seq
	out := make([]float32, c.Heads*n*n)
	if !c.GroupBias {
		return out
	}
	box := func(i int) int {
		if c.BoxRows == 0 {
			return -1 - i // every cell its own
		}
		return i/c.Cols/c.BoxRows*(c.Cols/c.BoxCols) + i%c.Cols/c.BoxCols
	}
	for h := range c.Heads {
		for i := range n {
			row := out[(h*n+i)*n : (h*n+i+1)*n]
			count := 0
			for j := range row {
				same := i < p || j < p
				if !same {
					a, b := i-p, j-p
					r, l, x := a/c.Cols == b/c.Cols, a%c.Cols == b%c.Cols, box(a) == box(b)
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

func (k *block) apply(m *Model, s *torch.Scope, x *torch.Tensor, t *tables, see func(string, *torch.Tensor) *torch.Tensor) *torch.Tensor {
	eps := m.cfg.NormEps
	if m.cfg.Mixing == TokenMLP {
		y := s.Own(s.Transpose(x, 1, 2).Contiguous(false)) // [batch, D, n]
		up := s.SwiGLU(m.linear(s, y, k.tokenUp, nil))
		y = s.RMSAdd(y, see(".mlp_t", m.linear(s, up, k.tokenDn, nil)), eps)
		x = s.Own(s.Transpose(y, 1, 2).Contiguous(false))
	} else {
		x = s.RMSAdd(x, see(".self_attn", m.linear(s, k.mixed(m, s, x, t, see), k.out, nil)), eps)
	}
	h := s.SwiGLU(m.linear(s, x, k.gateUp, nil))
	if k.conv != nil {
		h = s.Conv3x3(h, k.conv, t.rows, t.cols, m.cfg.Prefix())
	}
	return s.RMSAdd(x, see(".mlp", m.linear(s, h, k.down, nil)), eps)
}

// mixed is what attention, or the static matrices in its place, gathers for each position.
func (k *block) mixed(m *Model, s *torch.Scope, x *torch.Tensor, t *tables, see func(string, *torch.Tensor) *torch.Tensor) *torch.Tensor {
	c := m.cfg
	qkv := m.linear(s, x, k.qkv, nil)
	if c.Mixing == Attention {
		see(".self_attn.qkv_proj", qkv)
		bias := k.scores(s, t)
		if m.attend != nil {
			m.attend(k, s.AttentionMap(qkv, c.Heads, t.cos, t.sin, bias))
		}
		return s.Attention(qkv, c.Heads, t.cos, t.sin, bias)
	}
	// [batch, n, heads, hd] -> [heads, n, batch·hd], times [heads, n, n], and back.
	shape := torch.Shape(x)
	batch, n, hd := shape[0], shape[1], int64(c.Hidden/c.Heads)
	v := s.Own(s.Reshape(qkv, batch, n, int64(c.Heads), hd).Permute([]int64{2, 1, 0, 3}, false))
	y := s.MatMul(s.To(k.mix, m.dtype()), s.Reshape(v, int64(c.Heads), n, batch*hd))
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
