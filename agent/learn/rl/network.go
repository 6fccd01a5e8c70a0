//go:build cgo && !notorch

package rl

import "github.com/ponder-agents/ponder/torch"

// A State is what a network carries from step to step, one tensor [rows, ...] for each of its parts;
// empty for a network without memory. It has no history of gradients between steps.
type State []*torch.Tensor

// Seen is what all segments about an observation begin with: one tensor [rows, ...] for each of its parts.
type Seen []*torch.Tensor

// Heads are what a network says of each row.
type Heads struct {
	Logits *torch.Tensor // [rows, actions] of a policy
	Value  *torch.Tensor // [rows] the return to come
	Read   *torch.Tensor // [rows, width] what both were read from: a Gate reads it too; nil if no gate is ever learned
}

// A Network acts. It is used by one goroutine at a time.
type Network interface {
	Params() *torch.Params
	// Encode reads observations: obs is [rows][obsLen].
	Encode(s *torch.Scope, obs []byte, rows int) (Seen, error)
	// Start is the state of rows whose episode begins.
	Start(s *torch.Scope, rows int) State
	// Segment thinks once.
	Segment(s *torch.Scope, x Seen, z State) State
	// Heads reads the state after a segment, beside what was seen.
	Heads(s *torch.Scope, x Seen, z State) Heads
	// Close frees the parameters.
	Close()
}

// pick is the rows ids of z.
func (z State) pick(s *torch.Scope, ids *torch.Tensor) State { return State(Seen(z).pick(s, ids)) }

func (x Seen) pick(s *torch.Scope, ids *torch.Tensor) Seen {
	out := make(Seen, len(x))
	for i, t := range x {
		out[i] = s.Index(t, 0, ids)
	}
	return out
}

// narrow is n rows of x from row i.
func (x Seen) narrow(s *torch.Scope, i, n int) Seen {
	out := make(Seen, len(x))
	for k, t := range x {
		out[k] = s.Narrow(t, 0, int64(i), int64(n))
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

// floats copies z to Go, part by part.
func (z State) floats(s *torch.Scope) (parts [][]float32) {
	for _, t := range z {
		parts = append(parts, s.ReadFloats(nil, t))
	}
	return parts
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
// last of them beside: where the one-step gradient begins. Rows that are done leave the batch.
func deliberate(s *torch.Scope, n Network, x Seen, z State, segments []int32) (after, before State) {
	d := newDeliberation(s, n, x, z, len(segments))
	for m := int32(1); len(d.rows) > 0; m++ {
		d.segment()
		d.leave(func(row int) bool { return segments[row] <= m })
	}
	return d.results()
}

// A deliberation is rows that think, each until it leaves.
type deliberation struct {
	s    *torch.Scope
	net  Network
	x    Seen
	z    State
	last State // before the last segment
	rows []int // that think, in the order of x and z

	place              []int64 // of each row in what left
	left               int
	afters, lastBefore []State
}

func newDeliberation(s *torch.Scope, n Network, x Seen, z State, rows int) *deliberation {
	d := &deliberation{s: s, net: n, x: x, z: z, rows: make([]int, rows), place: make([]int64, rows)}
	for i := range d.rows {
		d.rows[i] = i
	}
	return d
}

// segment lets all rows that still think do so once.
func (d *deliberation) segment() { d.last, d.z = d.z, d.net.Segment(d.s, d.x, d.z) }

// leave takes the rows out of which over is true.
func (d *deliberation) leave(over func(row int) bool) {
	var gone, on []int64
	still := 0
	for j, row := range d.rows {
		if over(row) {
			gone, d.place[row] = append(gone, int64(j)), int64(d.left)
			d.left++
			continue
		}
		on = append(on, int64(j))
		d.rows[still] = row
		still++
	}
	if d.rows = d.rows[:still]; len(gone) == 0 {
		return
	}
	if still == 0 {
		d.afters, d.lastBefore = append(d.afters, d.z), append(d.lastBefore, d.last)
		return
	}
	d.afters, d.lastBefore = append(d.afters, d.z.pick(d.s, d.ids(gone))), append(d.lastBefore, d.last.pick(d.s, d.ids(gone)))
	ids := d.ids(on)
	d.x, d.z = d.x.pick(d.s, ids), d.z.pick(d.s, ids)
}

func (d *deliberation) ids(x []int64) *torch.Tensor {
	return torch.From(d.s, d.net.Params().Device(), x, int64(len(x)))
}

// results are the states of all rows, which have left, in their order: after their last segments, and
// before them.
func (d *deliberation) results() (after, before State) {
	if len(d.afters) == 1 {
		return d.afters[0], d.lastBefore[0]
	}
	ids := d.ids(d.place)
	return join(d.s, d.afters).pick(d.s, ids), join(d.s, d.lastBefore).pick(d.s, ids)
}
