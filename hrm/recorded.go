//go:build cgo && !notorch

package hrm

import (
	"sync"

	"github.com/ponder-agents/ponder/torch"
)

// A recorder replays segments of a core on a GPU, where a small batch is otherwise bound by the launching of
// its kernels. It records a shape that comes again and again.
type recorder struct {
	mu    sync.Mutex
	asked map[inputShape]int
	all   map[inputShape]*recorded // nil of a shape that could not be recorded
}

// An inputShape is what a recording is of.
type inputShape struct{ batch, seq, rows, cols int64 }

const (
	recordAfter     = 2       // segments of a shape before it is recorded
	recordPositions = 1 << 13 // most positions of a batch; larger ones keep the GPU busy anyway
	recordMost      = 16      // recordings of a core
)

// A recorded is a segment of one shape that runs again: what it reads and what it makes keep their places.
type recorded struct {
	carry, next Carry
	in          Input
	out         Output
	run         *torch.Recording
	owned       []*torch.Tensor
}

// of is the recording for in, nil where there is none (yet).
func (r *recorder) of(c *Core, s *torch.Scope, z Carry, in Input) *recorded {
	if s.Mode() != torch.NoGrad || in.PuzzleRows != nil || in.Groups != nil || !c.device.Records() {
		return nil
	}
	if _, ok := c.net.(*transformer); !ok {
		return nil
	}
	shape := torch.Shape(in.Tokens)
	key := inputShape{shape[0], shape[1], int64(in.Rows), int64(in.Cols)}
	return r.find(key, func() *recorded { return record(c, z, in) })
}

// find is the recording of a shape, nil where there is none (yet): it is tried once, when the shape has come recordAfter times;
// where that gives nil, the shape goes on launch by launch.
func (r *recorder) find(key inputShape, try func() *recorded) *recorded {
	if rec, tried := r.all[key]; tried {
		return rec
	}
	if key.batch*key.seq > recordPositions || len(r.all) == recordMost {
		return nil
	}
	if r.asked == nil {
		r.asked, r.all = map[inputShape]int{}, map[inputShape]*recorded{}
	}
	if r.asked[key]++; r.asked[key] <= recordAfter {
		return nil
	}
	r.all[key] = try()
	return r.all[key]
}

// record records a segment of c of the shape of z and in; nil if it cannot be, as for want of memory.
func record(c *Core, z Carry, in Input) *recorded {
	r := &recorded{in: in}
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		own := func(t *torch.Tensor) *torch.Tensor {
			r.owned = append(r.owned, s.Keep(t))
			return t
		}
		r.carry = z.each(func(t *torch.Tensor) *torch.Tensor { return own(s.Clone(t, c.device)) })
		r.in.Tokens = own(s.Clone(in.Tokens, c.device))
		if in.PuzzleIDs != nil {
			r.in.PuzzleIDs = own(s.Clone(in.PuzzleIDs, c.device))
		}
		r.run = s.Record(c.device, func(s *torch.Scope) { r.next, r.out = c.net.segment(c.pass(), s, r.carry, r.in) })
		for _, t := range append(Carry{r.out.Logits, r.out.QHalt, r.out.QContinue, r.out.State, r.out.Encoded}, r.next...) {
			own(t)
		}
	})
	if err != nil {
		r.close()
		return nil
	}
	return r
}

// segment is Core.Segment.
func (r *recorded) segment(s *torch.Scope, z Carry, in Input) (Carry, Output) {
	for k := range z {
		torch.Copy(r.carry[k], z[k])
	}
	torch.Copy(r.in.Tokens, in.Tokens)
	if in.PuzzleIDs != nil {
		torch.Copy(r.in.PuzzleIDs, in.PuzzleIDs)
	}
	r.run.Replay()
	own := func(t *torch.Tensor) *torch.Tensor { return s.Clone(t, torch.DeviceOf(t)) }
	next, out := r.next.each(own), r.out
	out.Logits, out.QHalt, out.QContinue, out.Encoded = own(out.Logits), own(out.QHalt), own(out.QContinue), own(out.Encoded)
	out.State = next[0]
	return next, out
}

func (r *recorded) close() {
	if r.run != nil {
		r.run.Close()
	}
	for _, t := range r.owned {
		t.Drop()
	}
}

func (r *recorder) close() {
	for _, rec := range r.all {
		if rec != nil {
			rec.close()
		}
	}
	r.all = nil
}
