//go:build cgo && !notorch

package torch

// #include "ponder.h"
import "C"

import "unsafe"

// A Generator draws random tensors on the CPU with the stream of torch.manual_seed(seed).
type Generator struct{ p unsafe.Pointer }

// NewGenerator returns a generator; Close frees it.
func NewGenerator(seed uint64) *Generator { return &Generator{C.ponder_generator(C.uint64_t(seed))} }

// Close frees the generator.
func (g *Generator) Close() {
	C.ponder_generator_free(g.p)
	g.p = nil
}

// Uniform draws from [lo, hi).
func (g *Generator) Uniform(s *Scope, lo, hi float64, shape ...int64) *Tensor {
	return s.own("uniform", C.ponder_uniform(g.p, dims(shape), C.int(len(shape)), C.double(lo), C.double(hi)))
}

// TruncNormal draws from a normal distribution cut at two standard deviations and widened so that
// the cut one has standard deviation std (the reference's initialisation).
func (g *Generator) TruncNormal(s *Scope, std float64, shape ...int64) *Tensor {
	return s.own("trunc_normal", C.ponder_trunc_normal(g.p, dims(shape), C.int(len(shape)), C.double(std)))
}
