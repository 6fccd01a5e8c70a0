package engine

import (
	"math"

	"github.com/ponder-agents/ponder/internal/logit"
	"github.com/ponder-agents/ponder/internal/vec"
)

// A vector is the first of as many rows as a product computes at once; the others are of no matter.
type vector []float32

func newVector(n int) vector { return make(vector, vec.RowStep*vec.Pad(n)) }

// An affine is x wᵀ + b of vectors.
type affine struct {
	w vec.Matrix
	b []float32 // nil without
}

// affine asks for the tensors of a layer, name.weight [out, in] and name.bias [out].
func (r *reader) affine(name string, out, in int) affine {
	return affine{r.matrix(name+".weight", out, in), r.floats(name+".bias", out)}
}

// apply puts what becomes of x into dst.
func (a affine) apply(dst, x vector) {
	vec.Product(dst, vec.Pad(a.w.Out), x, vec.Pad(a.w.In), vec.RowStep, a.w)
	sum(dst[:len(a.b)], a.b)
}

// concat puts parts one after the other into dst.
func concat(dst vector, parts ...[]float32) {
	for _, p := range parts {
		dst = dst[copy(dst, p):]
	}
}

func tanh(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(math.Tanh(float64(v)))
	}
}

func sigmoid(x float32) float32 { return float32(logit.P(x)) }

// A gru is PyTorch's GRUCell.
type gru struct {
	in, past  affine // [3·width, ·]: reset, update, new
	from, was vector // what becomes of the input and of the state
}

// gated asks for the tensors of a recurrent layer of n gates.
func (r *reader) gated(name string, n, width, in int) (fromIn, fromPast affine) {
	return affine{r.matrix(name+".weight_ih", n*width, in), r.floats(name+".bias_ih", n*width)},
		affine{r.matrix(name+".weight_hh", n*width, width), r.floats(name+".bias_hh", n*width)}
}

func (r *reader) gru(name string, width, in int) gru {
	var g gru
	g.in, g.past = r.gated(name, 3, width, in)
	return g
}

// opened is g with room for one goroutine.
func (g gru) opened() gru {
	g.from, g.was = newVector(g.in.w.Out), newVector(g.in.w.Out)
	return g
}

// see sets the input of the steps that follow.
func (g gru) see(x vector) { g.in.apply(g.from, x) }

// step updates h.
func (g gru) step(h vector) {
	g.past.apply(g.was, h)
	n := g.in.w.Out / 3
	for i := range n {
		reset, update := sigmoid(g.from[i]+g.was[i]), sigmoid(g.from[n+i]+g.was[n+i])
		next := float32(math.Tanh(float64(g.from[2*n+i] + reset*g.was[2*n+i])))
		h[i] = (1-update)*next + update*h[i]
	}
}
