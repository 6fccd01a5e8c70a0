//go:build cgo && !notorch

package hrm

import (
	"github.com/ponder-agents/ponder/torch"
)

// A Network is a network as those see it who train it: Model or Cell. It is used by one goroutine at a
// time.
type Network interface {
	// Spec says what it takes, gives and carries.
	Spec() Spec
	// Params are its parameters, in the order of initialisation.
	Params() *torch.Params
	// Start is the carry of batch rows of seq tokens that have not thought yet.
	Start(s *torch.Scope, batch, seq int) Carry
	// Reset is c with the rows where fresh is set put back to the start.
	Reset(s *torch.Scope, c Carry, fresh []bool) Carry
	// Segment thinks once. The new carry has no history of gradients, but if Training.Unroll says so; c is left alone.
	Segment(s *torch.Scope, c Carry, in Input) (Carry, Output)
	// Compile makes a Core of the parameters as they are now.
	Compile(run Run) (*Core, error)
	// Close frees what the network made; the parameters stay Params'.
	Close()
}

// A Carry is the state between segments, without history of gradients: a tensor a level, the slowest
// first, of the shapes that Spec.States tells. The zero Carry is none.
type Carry []*torch.Tensor

// An Input is what a segment thinks about; it is the same in every segment of a task.
type Input struct {
	Tokens     *torch.Tensor // [batch, seq] int64, in [0, Spec.Vocab)
	PuzzleIDs  *torch.Tensor // [batch] int64, in [0, Spec.IDs); nil without puzzle embedding
	PuzzleRows *torch.Tensor // [batch, puzzle dim] instead of the rows of PuzzleTable, for their gradient; may be nil
	Rows, Cols int           // shape of the grid if it is not the network's own
	Groups     Groups        // of Grouped mixing; nil means those of a square board with boxes (arch.Board, arch.Boxes)
}

// An Output is what a segment concludes.
type Output struct {
	Logits    *torch.Tensor // [batch, seq, outputs]
	QHalt     *torch.Tensor // [batch] float32, before the sigmoid
	QContinue *torch.Tensor // [batch] float32

	// What heads of one's own may read, by Pool.
	State   *torch.Tensor // of the slowest level, with its history of gradients
	Encoded *torch.Tensor // the input as the levels see it, of the same shape, or [batch, width] if State is whole
	prefix  int           // places of both before the one of the first token
}

// Run says where and in which number format a network runs.
type Run struct {
	Device    torch.Device
	Precision Precision // "" means Float32
}

// passOf is how p computes on dev. On the CPU the factors of products alone are in a narrow format: it is they that take the
// time, and nothing else is lost.
func passOf(p Precision, dev torch.Device) pass {
	in := map[Precision]torch.DType{BFloat16: torch.BFloat16, Int8: torch.Int8}[p]
	switch {
	case p != BFloat16 && p != Int8:
		return pass{dtype: torch.Float32, products: torch.Float32}
	case dev == torch.CPU:
		return pass{dtype: torch.Float32, products: in}
	}
	return pass{dtype: in, products: in}
}

// Join is the carry of the rows of parts, one after the other.
func Join(s *torch.Scope, parts ...Carry) Carry {
	if len(parts) == 1 {
		return parts[0]
	}
	out := make(Carry, len(parts[0]))
	for k := range out {
		var zs []*torch.Tensor
		for _, c := range parts {
			zs = append(zs, c[k])
		}
		out[k] = s.Cat(0, zs...)
	}
	return out
}

// each is f of every state.
func (c Carry) each(f func(z *torch.Tensor) *torch.Tensor) Carry {
	out := make(Carry, len(c))
	for k, z := range c {
		out[k] = f(z)
	}
	return out
}

// Narrow is the carry of n rows of c from row i, which shares c's memory.
func (c Carry) Narrow(s *torch.Scope, i, n int) Carry {
	return c.each(func(z *torch.Tensor) *torch.Tensor { return s.Narrow(z, 0, int64(i), int64(n)) })
}

// Pick is the carry of the given rows [n] of c.
func (c Carry) Pick(s *torch.Scope, rows *torch.Tensor) Carry {
	return c.each(func(z *torch.Tensor) *torch.Tensor { return s.Index(z, 0, rows) })
}

// Floats are the numbers of the states, those of one level each.
func (c Carry) Floats(s *torch.Scope) [][]float32 {
	var out [][]float32
	for _, z := range c {
		out = append(out, s.ReadFloats(nil, z))
	}
	return out
}

// Detach is the carry without its history of gradients.
func (c Carry) Detach(s *torch.Scope) Carry { return c.each(s.Detach) }

// Keep takes the carry out of the scope; Drop frees it.
func (c Carry) Keep(s *torch.Scope) Carry { return c.each(s.Keep) }

// Lend moves the carry from its scope to outer, where it lives on.
func (c Carry) Lend(s, outer *torch.Scope) Carry {
	return c.each(func(z *torch.Tensor) *torch.Tensor { return s.Lend(outer, z) })
}

// Drop frees a kept carry; the zero Carry is ignored.
func (c Carry) Drop() {
	for _, z := range c {
		z.Drop()
	}
}

// A pass is how one segment is computed.
type pass struct {
	dtype    torch.DType // of activations
	products torch.DType // of the factors of products
	gradient Gradient
	history  bool                                   // the new carry keeps its history of gradients
	observe  func(name string, t *torch.Tensor)     // see Model.Observe; may be nil
	attend   func(level int, weights *torch.Tensor) // gets the attention [batch, n, n] of each level's last block in its last update; may be nil
}

// end is the carry as a segment leaves it.
func (p *pass) end(s *torch.Scope, c Carry) Carry {
	if p.history {
		return c
	}
	return c.Detach(s)
}

func (p *pass) see(name string, t *torch.Tensor) *torch.Tensor {
	if p.observe != nil {
		p.observe(name, t)
	}
	return t
}

// formulas are what a network computes, over weights that are live or compiled.
type formulas interface {
	spec() Spec
	// begin is the vector [width] that the state of a level has at the start in every place.
	begin(s *torch.Scope, level int) *torch.Tensor
	segment(p *pass, s *torch.Scope, c Carry, in Input) (Carry, Output)
	read(p *pass, s *torch.Scope, c Carry, in Input) Output
	close()
}

// start is the carry of rows that have not thought yet.
func start(f formulas, p *pass, s *torch.Scope, batch, seq int) Carry {
	out := Carry{}
	for k, st := range f.spec().States {
		v := s.To(f.begin(s, k), p.dtype)
		out = append(out, s.Own(s.Own(v.Expand(stateShape(st, batch, seq), false, false)).Contiguous(false)))
	}
	return out
}

// stateShape is the shape of a level's state.
func stateShape(st State, batch, seq int) []int64 {
	if st.Whole {
		return []int64{int64(batch), int64(st.Width)}
	}
	return []int64{int64(batch), int64(st.Places(seq)), int64(st.Width)}
}

// reset is c with the rows where fresh is set put back to the start.
func reset(f formulas, s *torch.Scope, c Carry, fresh []bool) Carry {
	mask := make([]uint8, len(fresh))
	for b, f := range fresh {
		if f {
			mask[b] = 1
		}
	}
	rows := s.To(torch.From(s, torch.DeviceOf(c[0]), mask, int64(len(mask))), torch.Bool)
	out := Carry{}
	for k, z := range c {
		shape := torch.Shape(z)
		for i := 1; i < len(shape); i++ {
			shape[i] = 1
		}
		v := s.To(f.begin(s, k), z.DType())
		out = append(out, s.Own(v.WhereSelf(s.Reshape(rows, shape...), z, false)))
	}
	return out
}

// qValues splits q [batch, 2].
func (o *Output) qValues(s *torch.Scope, q *torch.Tensor) {
	q = s.To(q, torch.Float32)
	o.QHalt, o.QContinue = s.Own(q.Select(1, 0, false)), s.Own(q.Select(1, 1, false))
}
