//go:build cgo && !notorch

package rl

import "github.com/ponder-agents/ponder/torch"

// A State is what a network carries from step to step, one tensor [rows, ...] for each of its parts;
// empty for a network without memory. It has no history of gradients between steps.
type State []*torch.Tensor

// Heads are what a network says of each row.
type Heads struct {
	Logits    *torch.Tensor // [rows, actions]: of a policy, or what DQN takes for returns
	Value     *torch.Tensor // [rows] the return to come
	QHalt     *torch.Tensor // [rows] the return of acting now; nil for a network that does not decide how long it thinks
	QContinue *torch.Tensor // [rows] of thinking on, its price paid
}

// A Network acts. It is used by one goroutine at a time.
type Network interface {
	Params() *torch.Params
	// Encode makes of observations what all segments about them begin with: obs is [rows][obsLen].
	Encode(s *torch.Scope, obs []byte, rows int) (*torch.Tensor, error)
	// Start is the state of rows whose episode begins.
	Start(s *torch.Scope, rows int) State
	// Segment thinks once.
	Segment(s *torch.Scope, x *torch.Tensor, z State) State
	// Heads reads the state after a segment, beside what was seen.
	Heads(s *torch.Scope, x *torch.Tensor, z State) Heads
	// Close frees the parameters.
	Close()
}

// pick is the rows ids of z.
func (z State) pick(s *torch.Scope, ids *torch.Tensor) State {
	out := make(State, len(z))
	for i, t := range z {
		out[i] = s.Index(t, 0, ids)
	}
	return out
}

// where is z in the rows where mask [rows] is true, other in the rest.
func (z State) where(s *torch.Scope, mask *torch.Tensor, other State) State {
	out := make(State, len(z))
	for i, t := range z {
		shape := torch.Shape(t)
		for k := 1; k < len(shape); k++ {
			shape[k] = 1
		}
		out[i] = s.Own(t.WhereSelf(s.Reshape(mask, shape...), other[i], false))
	}
	return out
}

// keep takes z out of the scope.
func (z State) keep(s *torch.Scope) State {
	out := make(State, len(z))
	for i, t := range z {
		out[i] = s.Keep(s.Clone(s.Detach(t), torch.DeviceOf(t)))
	}
	return out
}

// drop frees a state that was kept.
func (z State) drop() {
	for _, t := range z {
		t.Drop()
	}
}

// join puts states one after the other along the rows.
func join(s *torch.Scope, all []State) State {
	if len(all) == 0 {
		return nil
	}
	out := make(State, len(all[0]))
	for i := range out {
		parts := make([]*torch.Tensor, len(all))
		for k, z := range all {
			parts[k] = z[i]
		}
		out[i] = s.Cat(0, parts...)
	}
	return out
}

// mask is a tensor [rows] of booleans.
func mask(s *torch.Scope, dev torch.Device, x []bool) *torch.Tensor {
	f := make([]float32, len(x))
	for i, b := range x {
		if b {
			f[i] = 1
		}
	}
	return s.To(torch.From(s, dev, f, int64(len(f))), torch.Bool)
}

// deliberate thinks segments[i] segments about row i, one at least, from z, and gives the state before the
// last of them beside: where the one-step gradient begins.
func deliberate(s *torch.Scope, n Network, x *torch.Tensor, z State, segments []int32) (after, before State) {
	most, least := int32(1), int32(1<<30)
	for _, m := range segments {
		most, least = max(most, m), min(least, m)
	}
	before = z
	dev := n.Params().Device()
	on := make([]bool, len(segments))
	for k := int32(1); k <= most; k++ {
		next := n.Segment(s, x, z)
		if k <= least { // all rows go on
			before, z = z, next
			continue
		}
		for i, m := range segments {
			on[i] = m >= k
		}
		going := mask(s, dev, on)
		before, z = z.where(s, going, before), next.where(s, going, z)
	}
	return z, before
}
