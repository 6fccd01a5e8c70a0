//go:build cgo && !notorch

package hrm

import "github.com/ponder-agents/ponder/torch"

// A Pool says what heads of one's own (a policy, a value) read after a segment: for each thing that is
// set a vector of every row.
type Pool struct {
	First bool          // what the Q head reads: the first register, or the first place where there is none
	Mean  bool          // the mean over the places of tokens
	At    *torch.Tensor // [batch] int64: the place of one token of each row, as the cell where an agent stands
	Input bool          // beside each of them the same of the encoded input
}

// Pool reads the state of the slowest level, and the encoded input: [batch, width·k] float32 for the k
// vectors that p asks for, in the order of its fields, all of the state before those of the input. Of a
// network with one state for the whole sequence First, Mean and At are that state. Gradients go back
// through it as through Logits.
func (o Output) Pool(s *torch.Scope, p Pool) *torch.Tensor {
	from := []*torch.Tensor{o.State}
	if p.Input {
		from = append(from, o.Encoded)
	}
	var parts []*torch.Tensor
	for _, x := range from {
		parts = append(parts, p.of(s, s.To(x, torch.Float32), int64(o.prefix))...)
	}
	if len(parts) == 0 {
		panic(torch.Error{Op: "pool", Msg: "nothing is asked for: set First, Mean or At"})
	}
	return s.Cat(1, parts...)
}

// of are the vectors [batch, width] that p asks for of x: [batch, places, width], or [batch, width].
func (p Pool) of(s *torch.Scope, x *torch.Tensor, prefix int64) []*torch.Tensor {
	shape := torch.Shape(x)
	whole := len(shape) == 2
	tokens := x
	if !whole {
		tokens = s.Narrow(x, 1, prefix, shape[1]-prefix)
	}
	var out []*torch.Tensor
	add := func(ask bool, pool func() *torch.Tensor) {
		switch {
		case ask && whole:
			out = append(out, x)
		case ask:
			out = append(out, pool())
		}
	}
	add(p.First, func() *torch.Tensor { return s.Own(x.Select(1, 0, false)) })
	add(p.Mean, func() *torch.Tensor { return s.Own(tokens.MeanDim([]int64{1}, false, torch.Float32, false)) })
	add(p.At != nil, func() *torch.Tensor {
		at := s.Own(s.Reshape(p.At, -1, 1, 1).Expand([]int64{shape[0], 1, shape[2]}, false, false))
		return s.Own(s.Own(tokens.Gather(1, at, false, false)).Select(1, 0, false))
	})
	return out
}
