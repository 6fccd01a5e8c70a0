//go:build cgo && !notorch

package torch

// #include "ponder.h"
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/sugarme/gotch/ts"
)

// RMSAdd is rms(x + y) with rms(z) = z / sqrt(mean(z²) + eps) over the last axis, in float32 inside:
// the residual and post-norm of a block. x and y have one shape.
func (s *Scope) RMSAdd(x, y *Tensor, eps float64) *Tensor {
	return s.own("rms_add", C.ponder_rms_add(handle(x), handle(y), C.double(eps)))
}

// Attention is softmax(q kᵀ / sqrt(hd) + bias) v of packed projections. On the CPU it computes in float32
// inside, whatever qkv is: libtorch's products and softmax in bfloat16 round at every step.
//
//	qkv       [batch, n, 3·heads·hd]  first all heads of q, then of k, then of v
//	cos, sin  [n, hd]                 rotary table, both halves equal; nil for none
//	bias      [heads, n, n]           added to the scores; nil for none
//	result    [batch, n, heads·hd]
func (s *Scope) Attention(qkv *Tensor, heads int, cos, sin, bias *Tensor) *Tensor {
	if dtype := qkv.DType(); dtype == BFloat16 && DeviceOf(qkv) == CPU {
		return s.To(s.Attention(s.To(qkv, Float32), heads, cos, sin, bias), dtype)
	}
	return s.own("attention", C.ponder_attention(handle(qkv), C.int(heads), handle(cos), handle(sin), handle(bias)))
}

// AttentionMap is the weights of the same attention, averaged over heads: [batch, n, n].
func (s *Scope) AttentionMap(qkv *Tensor, heads int, cos, sin, bias *Tensor) *Tensor {
	if dtype := qkv.DType(); dtype == BFloat16 && DeviceOf(qkv) == CPU {
		return s.To(s.AttentionMap(s.To(qkv, Float32), heads, cos, sin, bias), dtype)
	}
	return s.own("attention map", C.ponder_attention_map(handle(qkv), C.int(heads), handle(cos), handle(sin), handle(bias)))
}

// SwiGLU is silu(g)·u of gu = [g | u] along the last axis: [..., 2f] to [..., f].
func (s *Scope) SwiGLU(gu *Tensor) *Tensor { return s.own("swiglu", C.ponder_swiglu(handle(gu))) }

// Conv3x3 is a depthwise 3×3 convolution with zero border over the cells of a grid.
//
//	x  [batch, skip + rows·cols, f]  the first skip positions pass unchanged
//	w  [9, f]                        row-major kernel of each channel
func (s *Scope) Conv3x3(x, w *Tensor, rows, cols, skip int) *Tensor {
	return s.own("conv3x3", C.ponder_conv3x3(handle(x), handle(w), C.int64_t(rows), C.int64_t(cols), C.int64_t(skip)))
}

// A Mixing is how the positions of a sequence come together in a block of PackStack.
type Mixing int

// Mixings, and what each gives for every block before the weights of the feed-forward, gate and up [2f, d] and down
// [d, f], and its convolution [9, f] if it has one.
const (
	MixAttention Mixing = iota // qkv [3d, d], out [d, d]
	MixMatrices                // values [d, d], out [d, d], matrices [heads, n, n]; d/heads is a multiple of 16
	MixTokens                  // gate and up [2t, n], down [n, t] over positions
	MixNone                    // nothing
)

// PackStack lays the weights of a stack of blocks, one after the other, out as products read them, for Stack: float32 on
// the CPU. in is the type of the products' factors: Float32; BFloat16, to which weights are rounded here and rows in each
// product, whose sums are float32; or Int8, whole numbers with a scale for each output of a weight and for each row.
// Everything else is float32.
func (s *Scope) PackStack(weights []*Tensor, blocks int, mixing Mixing, heads int, in DType) *Tensor {
	format, ok := map[DType]C.int{Float32: 0, BFloat16: 1, Int8: 2}[in]
	if !ok {
		panic(Error{Op: "stack", Msg: fmt.Sprintf("no products of %v", in)})
	}
	hs := handles(weights)
	return s.own("stack", C.ponder_stack_pack(unsafe.SliceData(hs), C.int(len(hs)), C.int(blocks), C.int(mixing), C.int(heads), format))
}

// UnpackStack is the n weights that PackStack was given, as the products see them.
func (s *Scope) UnpackStack(packed *Tensor, n int) []*Tensor {
	hs := make([]C.ponder_tensor, n)
	check("stack", C.ponder_stack_unpack(handle(packed), unsafe.SliceData(hs), C.int(n)))
	return s.ownAll("stack", hs)
}

// VersionOf is a number that grows whenever one of ts is written to.
func VersionOf(ts []*Tensor) int64 {
	hs := handles(ts)
	return int64(C.ponder_version(unsafe.SliceData(hs), C.int(len(hs))))
}

// A Layout is what a Stack needs to know of positions.
type Layout struct {
	Cos, Sin         *Tensor   // [n, d/heads], rotary table; nil for none
	Bias             []*Tensor // of each block's attention [heads, n, n]; nil for none
	Rows, Cols, Skip int       // the grid of a convolution, after the first positions
	Eps              float64   // of norms
}

// Stack is what the blocks packed by PackStack make of z + plus + too [batch, n, d], of which plus and too may be
// nil: RMSAdd, Attention, SwiGLU and Conv3x3 one after the other, without gradient. The result of a row does not
// depend on the others.
func (s *Scope) Stack(packed, z, plus, too *Tensor, l Layout) *Tensor {
	hs := handles(l.Bias)
	return s.own("stack", C.ponder_stack(handle(packed), handle(z), handle(plus), handle(too), handle(l.Cos), handle(l.Sin), unsafe.SliceData(hs), C.int(len(hs)), C.int64_t(l.Rows), C.int64_t(l.Cols), C.int64_t(l.Skip), C.double(l.Eps)))
}

// PackGroups lays the weights of a block of hrm's mixing by groups out as GroupBlock reads them: float32 on the CPU, of
// widths that are multiples of 16. native/src/ponder.h says which, and what sums and all are.
func (s *Scope) PackGroups(weights []*Tensor, sums, all float64) *Tensor {
	hs := handles(weights)
	return s.own("group block", C.ponder_group_pack(unsafe.SliceData(hs), C.int(len(hs)), C.double(sums), C.double(all)))
}

// GroupBlock is that block, fused: what becomes of the state z [batch, symbols·cells, hidden], to whose open cells plus
// and too are added, of which too or both may be nil. packed is what PackGroups made of weights, sums and all;
// weights are for their gradient, and may be nil where nobody wants one. native/src/ponder.h says what the others are.
func (s *Scope) GroupBlock(packed, z, plus, too *Tensor, weights []*Tensor, index, settled *Tensor, sums, all, eps float64) *Tensor {
	hs := handles(weights)
	return s.own("group block", C.ponder_group_block(handle(packed), handle(z), handle(plus), handle(too), unsafe.SliceData(hs), C.int(len(hs)), handle(index), handle(settled), C.double(sums), C.double(all), C.double(eps)))
}

// Linear is x wᵀ + b: x [..., in], w [out, in], b [out] or nil.
func (s *Scope) Linear(x, w, b *Tensor) *Tensor {
	return s.own("linear", C.ponder_linear(handle(x), handle(w), handle(b), 0))
}

// RoundedLinear is Linear of float32 on the CPU whose products, of the gradient too, round their factors to bfloat16 and sum in
// float32.
func (s *Scope) RoundedLinear(x, w, b *Tensor) *Tensor {
	return s.own("linear", C.ponder_linear(handle(x), handle(w), handle(b), 1))
}

// Embedding picks the rows ids of table: [rows, width] and int64 [...] to [..., width].
func (s *Scope) Embedding(table, ids *Tensor) *Tensor {
	return s.Own(ts.Embedding(table, ids, -1, false, false))
}

// Bag is the sums [len(begins), width] of the rows ids of table [entries, width], of which each begins where begins says; without
// begins it is these rows [len(ids), width].
func (s *Scope) Bag(table *Tensor, ids, begins []int64) *Tensor {
	return s.own("bag", C.ponder_bag(handle(table), (*C.int64_t)(unsafe.SliceData(ids)), C.int64_t(len(ids)), (*C.int64_t)(unsafe.SliceData(begins)), C.int64_t(len(begins))))
}

// Add is x + y with broadcasting.
func (s *Scope) Add(x, y *Tensor) *Tensor { return s.Own(x.Add(y, false)) }

// Sub is x - y with broadcasting.
func (s *Scope) Sub(x, y *Tensor) *Tensor { return s.Own(x.Sub(y, false)) }

// Mul is x·y elementwise with broadcasting.
func (s *Scope) Mul(x, y *Tensor) *Tensor { return s.Own(x.Mul(y, false)) }

// Scale is f·x.
func (s *Scope) Scale(x *Tensor, f float64) *Tensor {
	c := ts.FloatScalar(f)
	defer c.Drop()
	return s.Own(x.MulScalar(c, false))
}

// MatMul is the matrix product over the last two axes.
func (s *Scope) MatMul(x, y *Tensor) *Tensor { return s.Own(x.Matmul(y, false)) }

// Sum is the sum of all elements: a scalar.
func (s *Scope) Sum(x *Tensor) *Tensor { return s.Own(x.Sum(x.DType(), false)) }

// Cat joins tensors along axis dim.
func (s *Scope) Cat(dim int64, xs ...*Tensor) *Tensor { return s.Own(ts.Cat(xs, dim)) }

// Narrow is length entries of axis dim from start.
func (s *Scope) Narrow(x *Tensor, dim, start, length int64) *Tensor {
	return s.Own(x.Narrow(dim, start, length, false))
}

// Reshape gives x another shape with as many elements; one axis may be -1.
func (s *Scope) Reshape(x *Tensor, shape ...int64) *Tensor { return s.Own(x.Reshape(shape, false)) }

// Transpose swaps axes a and b.
func (s *Scope) Transpose(x *Tensor, a, b int64) *Tensor { return s.Own(x.Transpose(a, b, false)) }

// Index picks entries of axis dim by int64 ids.
func (s *Scope) Index(x *Tensor, dim int64, ids *Tensor) *Tensor {
	return s.Own(x.IndexSelect(dim, ids, false))
}

// To is x with another element type; x itself if it has that type.
func (s *Scope) To(x *Tensor, dtype DType) *Tensor {
	if x.DType() == dtype {
		return x
	}
	return s.Own(x.Totype(dtype, false))
}

// Detach is x without its history of gradients; it shares x's memory.
func (s *Scope) Detach(x *Tensor) *Tensor { return s.Own(x.Detach(false)) }

// Sigmoid is 1 / (1 + exp(-x)).
func (s *Scope) Sigmoid(x *Tensor) *Tensor { return s.Own(x.Sigmoid(false)) }

// Tanh is the hyperbolic tangent.
func (s *Scope) Tanh(x *Tensor) *Tensor { return s.Own(x.Tanh(false)) }

// Argmax is the index of the largest entry of the last axis, the first of equals.
func (s *Scope) Argmax(x *Tensor) *Tensor { return s.Own(x.Argmax([]int64{-1}, false, false)) }
