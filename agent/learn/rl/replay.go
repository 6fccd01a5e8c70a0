package rl

import (
	"errors"
	"fmt"
	"math"

	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A cutOff is what an episode stopped at, in decision at of a Rollout, which a limit ended.
type cutOff struct {
	at       int
	obs      []byte
	states   [][]float32 // that the thought about it would begin with, part by part
	segments int32
}

// A replay remembers the last decisions, for learning from any of them: a ring of slots in the order in
// which they were acted. What an episode stopped at that a limit ended has a slot too, without an action.
//
// A decision can be learned from once its return is known: steps rewards later, or at the end of its
// episode. Where it goes on from there, next says, which is a later slot than its own and so is forgotten
// later.
type replay struct {
	steps int     // rewards of a return
	gamma float64 // discount
	Decisions
	states   [][]float32 // that the decisions begin with: part by part, [slots][width]
	rewards  []float32   // discounted, of up to steps steps
	discount []float32   // of what follows them; 0 where the episode ended
	next     []int32     // the slot that follows them
	then     []int32     // of the row's next decision; -1 while there is none
	known    []bool      // the return is

	size int     // slots that were ever written
	at   int     // the next to be written
	last []int32 // the row's newest decision; -1 before there is one
	open [][]int32
}

// newReplay makes room for so many slots, of rows whose observations have obsLen bytes, and the parts of
// whose states so many numbers.
func newReplay(slots, rows, obsLen int, widths []int, steps int, gamma float64) *replay {
	r := &replay{
		steps: steps, gamma: gamma, Decisions: newDecisions(slots, obsLen),
		rewards: make([]float32, slots), discount: make([]float32, slots), next: make([]int32, slots), then: make([]int32, slots), known: make([]bool, slots),
		last: make([]int32, rows), open: make([][]int32, rows),
	}
	for _, w := range widths {
		r.states = append(r.states, make([]float32, slots*w))
	}
	for i := range r.last {
		r.last[i] = -1
	}
	return r
}

func (r *replay) slots() int { return len(r.known) }

// put writes a slot, over the oldest if there is no other.
func (r *replay) put(obs []byte, states func(part int) []float32, segments int32) int32 {
	k := r.at
	r.at = (k + 1) % r.slots()
	r.size = min(r.size+1, r.slots())
	copy(r.Obs[k*len(obs):], obs)
	for p, all := range r.states {
		x := states(p)
		copy(all[k*len(x):], x)
	}
	r.Segments[k], r.Fresh[k], r.known[k], r.then[k] = segments, false, false, -1
	return int32(k)
}

// add remembers a rollout, whose decisions began with the given states: part by part [t·n][width].
func (r *replay) add(x *Rollout, states [][]float32) {
	obsLen := len(x.Obs) / (x.Steps * x.Rows)
	cuts := x.cuts
	for k := range x.Steps * x.Rows {
		i := k % x.Rows
		slot := r.put(x.Obs[k*obsLen:(k+1)*obsLen], func(p int) []float32 {
			w := len(states[p]) / (x.Steps * x.Rows)
			return states[p][k*w : (k+1)*w]
		}, x.Segments[k])
		r.Actions[slot], r.Fresh[slot], r.rewards[slot], r.discount[slot] = x.Actions[k], x.Fresh[k], 0, 1
		if before := r.last[i]; before >= 0 {
			r.then[before] = slot
		}
		r.last[i] = slot
		if len(r.open[i]) == r.steps { // the oldest has had all its rewards
			r.close(i, 1, slot)
		}
		r.open[i] = append(r.open[i], slot)
		for _, o := range r.open[i] {
			r.rewards[o] += r.discount[o] * x.Rewards[k]
			r.discount[o] *= float32(r.gamma)
		}
		if !x.Done[k] {
			continue
		}
		if len(cuts) > 0 && cuts[0].at == k { // goes on, where nobody acted
			c := cuts[0]
			cuts = cuts[1:]
			r.close(i, len(r.open[i]), r.put(c.obs, func(p int) []float32 { return c.states[p] }, c.segments))
			continue
		}
		for _, o := range r.open[i] {
			r.discount[o] = 0
		}
		r.close(i, len(r.open[i]), slot)
	}
}

// close gives the oldest n open decisions of row i what follows them.
func (r *replay) close(i, n int, next int32) {
	for _, o := range r.open[i][:n] {
		r.next[o], r.known[o] = next, true
	}
	r.open[i] = append(r.open[i][:0], r.open[i][n:]...)
}

// draw draws a slot whose decision, and the n-1 of its row after it, can be learned from, and appends
// those n to dst. ok is false if it found none.
func (r *replay) draw(intN func(int) int, dst []int, n int) (out []int, ok bool) {
	const tries = 1000 // all but the newest few can be
	if r.size == 0 {
		return dst, false
	}
	for range tries {
		k := int32(intN(r.size))
		out = dst
		for len(out) < len(dst)+n && k >= 0 && r.known[k] {
			out = append(out, int(k))
			k = r.then[k]
		}
		if len(out) == len(dst)+n {
			return out, true
		}
	}
	return dst, false
}

// save adds what r holds to tensors.
func (r *replay) save(tensors map[string]safetensors.Tensor) {
	n := r.size
	column := []int64{int64(n)}
	matrix := func(all, slots int) []int64 { return []int64{int64(n), int64(all / slots)} }
	tensors["replay.obs"] = safetensors.OfUint8s(matrix(len(r.Obs), r.slots()), r.Obs[:n*len(r.Obs)/r.slots()])
	for p, x := range r.states {
		tensors[fmt.Sprintf("replay.state.%d", p)] = safetensors.OfFloat32s(matrix(len(x), r.slots()), x[:n*len(x)/r.slots()])
	}
	for name, x := range map[string][]int32{"actions": r.Actions, "segments": r.Segments, "next": r.next, "then": r.then} {
		tensors["replay."+name] = safetensors.OfInt32s(column, x[:n])
	}
	for name, x := range map[string][]float32{"rewards": r.rewards, "discount": r.discount} {
		tensors["replay."+name] = safetensors.OfFloat32s(column, x[:n])
	}
	for name, x := range map[string][]bool{"fresh": r.Fresh, "known": r.known} {
		tensors["replay."+name] = safetensors.OfBools(column, x[:n])
	}
	rows := int64(len(r.last))
	open := make([]int32, 0, len(r.last)*r.steps)
	for _, o := range r.open {
		for k := range r.steps {
			if k < len(o) {
				open = append(open, o[k])
			} else {
				open = append(open, -1)
			}
		}
	}
	tensors["replay.at"] = safetensors.OfInt32s([]int64{1}, []int32{int32(r.at)})
	tensors["replay.last"] = safetensors.OfInt32s([]int64{rows}, r.last)
	tensors["replay.open"] = safetensors.OfInt32s([]int64{rows, int64(r.steps)}, open)
}

// load restores what save added.
func (r *replay) load(tensors map[string]safetensors.Tensor) error {
	most := int64(r.slots())
	n := min(tensors["replay.known"].Len(), r.slots())
	at, open := make([]int32, 1), make([]int32, len(r.last)*r.steps)
	obs := tensors["replay.obs"]
	errs := []error{
		loadInts(tensors, "at", at, 0, most-1), loadInts(tensors, "last", r.last, -1, most-1), loadInts(tensors, "open", open, -1, most-1),
		loadInts(tensors, "actions", r.Actions[:n], 0, math.MaxInt32), loadInts(tensors, "segments", r.Segments[:n], 1, math.MaxInt32),
		loadInts(tensors, "next", r.next[:n], 0, most-1), loadInts(tensors, "then", r.then[:n], -1, most-1),
		load(tensors, "rewards", r.rewards[:n], safetensors.Tensor.Float32s), load(tensors, "discount", r.discount[:n], safetensors.Tensor.Float32s),
		load(tensors, "fresh", r.Fresh[:n], safetensors.Tensor.Bools), load(tensors, "known", r.known[:n], safetensors.Tensor.Bools),
		load(tensors, "obs", r.Obs[:n*len(r.Obs)/r.slots()], func(t safetensors.Tensor) ([]byte, error) { return obs.Data, nil }),
	}
	for p, x := range r.states {
		errs = append(errs, load(tensors, fmt.Sprintf("state.%d", p), x[:n*len(x)/r.slots()], safetensors.Tensor.Float32s))
	}
	r.size, r.at = n, int(at[0])
	for i := range r.open {
		r.open[i] = r.open[i][:0]
		for _, k := range open[i*r.steps : (i+1)*r.steps] {
			if k >= 0 {
				r.open[i] = append(r.open[i], k)
			}
		}
	}
	return errors.Join(errs...)
}

func load[T any](tensors map[string]safetensors.Tensor, name string, dst []T, read func(safetensors.Tensor) ([]T, error)) error {
	x, err := read(tensors["replay."+name])
	if err == nil && len(x) != len(dst) {
		err = fmt.Errorf("%d values, want %d", len(x), len(dst))
	}
	if err != nil {
		return fmt.Errorf("tensor %q: %w", "replay."+name, err)
	}
	copy(dst, x)
	return nil
}

func loadInts(tensors map[string]safetensors.Tensor, name string, dst []int32, least, most int64) error {
	x := make([]int64, len(dst))
	if err := load(tensors, name, x, safetensors.Tensor.Int64s); err != nil {
		return err
	}
	for i, v := range x {
		if v < least || v > most {
			return fmt.Errorf("tensor %q: %d, want %d to %d", "replay."+name, v, least, most)
		}
		dst[i] = int32(v)
	}
	return nil
}
