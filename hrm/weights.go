//go:build cgo && !notorch

package hrm

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A product is x wᵀ + b. It is the one place where weights are multiplied with activations, so what a Core
// can do better than libtorch's product of tensors belongs here.
type product struct{ w, b *torch.Tensor } // [out, in], [out]; b may be nil

// weight is where w stands, nil of no product.
func (k *product) weight() **torch.Tensor {
	if k == nil {
		return nil
	}
	return &k.w
}

func (k *product) apply(p *pass, s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	b := k.b
	if p.products == torch.BFloat16 && p.dtype == torch.Float32 {
		return s.RoundedLinear(x, k.w, b)
	}
	if b != nil {
		b = s.To(b, p.dtype)
	}
	return s.Linear(x, s.To(k.w, p.dtype), b) // of a Core they have that type
}

// A weight is what a network asks its weights for.
type weight struct {
	name  string
	shape []int64
	fixed bool // not trained as it is: a buffer or a table
	cast  bool // used in the type of activations alone, so that a Core keeps it in that type
}

// A source is where the weights of a network come from: draw makes w from a generator, for one that
// has none to give. What it returns belongs to whoever made the source, or is nil if there is an error to
// tell when all was asked for.
type source func(s *torch.Scope, w weight, draw func(*torch.Generator) *torch.Tensor) *torch.Tensor

// drawn adds weights to p, drawn from gen in the order in which they are asked for.
func drawn(p *torch.Params, gen *torch.Generator) source {
	return func(s *torch.Scope, w weight, draw func(*torch.Generator) *torch.Tensor) *torch.Tensor {
		return addTo(p, s, w, draw(gen))
	}
}

// addTo makes x the parameter w of p.
func addTo(p *torch.Params, s *torch.Scope, w weight, x *torch.Tensor) *torch.Tensor {
	if w.fixed {
		return p.AddFixed(s, w.name, x)
	}
	return p.Add(s, w.name, x)
}

// live gives what the parameters p are now.
func live(p *torch.Params) func(*torch.Scope, weight) *torch.Tensor {
	return func(_ *torch.Scope, w weight) *torch.Tensor { return p.Get(w.name) }
}

// A reading gives weights that were saved, and notes which do not fit.
type reading struct {
	from map[string]safetensors.Tensor
	seen map[string]bool
	bad  []string
}

func newReading(from map[string]safetensors.Tensor) *reading {
	return &reading{from: from, seen: map[string]bool{}}
}

// give is w on the CPU, nil if it does not fit.
func (r *reading) give(s *torch.Scope, w weight) *torch.Tensor {
	x, err := r.read(w)
	if err != nil {
		r.bad = append(r.bad, err.Error())
		return nil
	}
	return s.Floats(x, w.shape...)
}

// into is the source that makes the weights parameters of p.
func (r *reading) into(p *torch.Params) source {
	return func(s *torch.Scope, w weight, _ func(*torch.Generator) *torch.Tensor) (t *torch.Tensor) {
		s.Do(torch.NoGrad, func(in *torch.Scope) {
			if x := r.give(in, w); x != nil {
				t = addTo(p, in, w, x)
			}
		})
		return t
	}
}

func (r *reading) read(w weight) ([]float32, error) {
	r.seen[w.name] = true
	t, ok := r.from[w.name]
	if !ok {
		return nil, fmt.Errorf("tensor %q is missing", w.name)
	}
	if !slices.Equal(t.Shape, w.shape) {
		return nil, fmt.Errorf("tensor %q: shape %v, want %v", w.name, t.Shape, w.shape)
	}
	x, err := t.Float32s()
	if err == nil {
		err = t.CheckFinite()
	}
	if err != nil {
		return nil, fmt.Errorf("tensor %q: %w", w.name, err)
	}
	return x, nil
}

// err says what did not fit, and what was never asked for.
func (r *reading) err() error {
	for name := range r.from {
		if !r.seen[name] {
			r.bad = append(r.bad, fmt.Sprintf("tensor %q is unknown to this network", name))
		}
	}
	if len(r.bad) == 0 {
		return nil
	}
	slices.Sort(r.bad)
	if len(r.bad) > 4 {
		r.bad = append(r.bad[:4], fmt.Sprintf("and %d more", len(r.bad)-4))
	}
	return fmt.Errorf("weights do not fit: %s", strings.Join(r.bad, "; "))
}

// A builder asks a source for the weights of a network.
type builder struct {
	s    *torch.Scope
	from source
}

// normal is a weight of standard deviation std.
func (b *builder) normal(name string, std float64, shape ...int64) *torch.Tensor {
	return b.from(b.s, weight{name: name, shape: shape}, func(g *torch.Generator) *torch.Tensor { return g.TruncNormal(b.s, std, shape...) })
}

// uniform is a weight from [-k, k).
func (b *builder) uniform(name string, k float64, shape ...int64) *torch.Tensor {
	return b.from(b.s, weight{name: name, shape: shape, cast: true}, func(g *torch.Generator) *torch.Tensor { return g.Uniform(b.s, -k, k, shape...) })
}

// fixed is a buffer of standard deviation 1.
func (b *builder) fixed(name string, shape ...int64) *torch.Tensor {
	return b.from(b.s, weight{name: name, shape: shape, fixed: true, cast: true}, func(g *torch.Generator) *torch.Tensor { return g.TruncNormal(b.s, 1, shape...) })
}

// table is a table of zeros, of which training moves the rows that occur.
func (b *builder) table(name string, shape ...int64) *torch.Tensor {
	return b.from(b.s, weight{name: name, shape: shape, fixed: true}, func(*torch.Generator) *torch.Tensor { return b.filled(0, shape...) })
}

// product is a matrix [out, in] of standard deviation 1/sqrt(in).
func (b *builder) product(name string, out, in int) *product {
	shape := []int64{int64(out), int64(in)}
	return &product{w: b.from(b.s, weight{name: name, shape: shape, cast: true}, func(g *torch.Generator) *torch.Tensor {
		return g.TruncNormal(b.s, 1/math.Sqrt(float64(in)), shape...)
	})}
}

// floats is a weight that begins as x says; cast says how it is used, see weight.
func (b *builder) floats(name string, cast bool, x func() []float32, shape ...int64) *torch.Tensor {
	return b.from(b.s, weight{name: name, shape: shape, cast: cast}, func(*torch.Generator) *torch.Tensor { return b.s.Floats(x(), shape...) })
}

// fill is a weight that begins as v everywhere.
func (b *builder) fill(name string, cast bool, v float32, shape ...int64) *torch.Tensor {
	return b.from(b.s, weight{name: name, shape: shape, cast: cast}, func(*torch.Generator) *torch.Tensor { return b.filled(v, shape...) })
}

func (b *builder) filled(v float32, shape ...int64) *torch.Tensor {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return b.s.Floats(slices.Repeat([]float32{v}, int(n)), shape...)
}

// conv is a depthwise kernel [9, f] that begins as the identity and noise of standard deviation 0.1.
func (b *builder) conv(name string, f int64) *torch.Tensor {
	return b.from(b.s, weight{name: name, shape: []int64{9, f}}, func(g *torch.Generator) *torch.Tensor {
		w := torch.Read[float32](nil, g.TruncNormal(b.s, 0.1, 9, f))
		for i := range f {
			w[4*f+i]++
		}
		return b.s.Floats(w, 9, f)
	})
}

// qHead reads q_halt and q_continue from d numbers; cast says how, see weight. It begins at "almost never halt": weight 0, bias -5.
func (b *builder) qHead(name string, d int, cast bool) *product {
	return &product{
		w: b.from(b.s, weight{name: name + ".weight", shape: []int64{2, int64(d)}, cast: cast}, func(g *torch.Generator) *torch.Tensor {
			g.TruncNormal(b.s, 1/math.Sqrt(float64(d)), 2, int64(d)) // the reference draws it, then sets it to 0
			return b.filled(0, 2, int64(d))
		}),
		b: b.fill(name+".bias", cast, -5, 2),
	}
}
