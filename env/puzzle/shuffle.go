package puzzle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
)

// An Order says how training walks through a Set.
type Order struct {
	Seed uint64
	// Batch is the number of rows of a training batch: a puzzle gives no more examples than the
	// batch has room for, and an iteration's last incomplete batch is dropped, as in the reference.
	// 0 means that there are no batches: every puzzle drawn gives all its examples.
	Batch int
	// Epochs are shuffled together into one iteration (epochs_per_iter of the reference). 0 means 1,
	// or with batches so many that dropping the incomplete one loses about a hundredth of the rows.
	Epochs int
	// Groups uses the first so many groups only; 0 means all.
	Groups int
}

// A Shuffle is the training Source of a Set. Iteration n is the concatenation of Epochs random
// permutations of the groups, drawn from a PCG-DXSM stream of its own made from Seed and n. The
// walk through it draws one puzzle of the group at random and then a random subset of its
// examples, in random order, so that an epoch shows every group once, in one of its copies
// (puzzle_dataset.py, _sample_batch; its draw of examples is unseeded, ours is not).
type Shuffle struct {
	set   *Set
	order Order

	iter  uint64    // number of the iteration
	perm  []int32   // its groups
	pcg   *rand.PCG // draws of puzzles and examples in this iteration
	rng   *rand.Rand
	at    int     // position in perm
	plan  []int32 // examples to come: one batch, or one puzzle if there are no batches
	taken int     // rows of plan that were handed out

	planAt  int    // at before plan was made
	planPCG []byte // and the generator's state
}

// Shuffle returns the training order of s.
func (s *Set) Shuffle(o Order) (*Shuffle, error) {
	if o.Batch < 0 || o.Epochs < 0 || o.Groups < 0 {
		return nil, fmt.Errorf("order: batch %d, epochs %d, groups %d: none may be negative", o.Batch, o.Epochs, o.Groups)
	}
	if o.Groups > s.Groups() {
		return nil, fmt.Errorf("order: %d groups asked for, %s has %d", o.Groups, s.Path, s.Groups())
	}
	if o.Groups == 0 {
		o.Groups = s.Groups()
	}
	fewest := 0 // examples an epoch gives at least
	for g := range o.Groups {
		first, end := s.Group(g)
		if first == end {
			return nil, fmt.Errorf("%s: group %d has no puzzle", s.Path, g)
		}
		least := s.Len()
		for p := first; p < end; p++ {
			_, from, to := s.Puzzle(p)
			least = min(least, to-from)
		}
		fewest += least
	}
	if fewest == 0 {
		return nil, fmt.Errorf("%s: no examples to train on", s.Path)
	}
	need := max(1, (o.Batch+fewest-1)/fewest)
	if o.Epochs == 0 {
		o.Epochs = max(need, min(100*o.Batch/fewest, 1<<22/o.Groups))
	}
	if o.Epochs < need {
		return nil, fmt.Errorf("order: an iteration of %d epochs may give no batch: %d rows an epoch, want %d", o.Epochs, fewest, o.Batch)
	}
	if int64(o.Epochs)*int64(o.Groups) > 1<<30 {
		return nil, fmt.Errorf("order: %d epochs of %d groups are too many for one iteration", o.Epochs, o.Groups)
	}
	sh := &Shuffle{set: s, order: o}
	sh.start(0)
	return sh, nil
}

// Shape is that of the Set.
func (s *Shuffle) Shape() Shape { return s.set.Shape() }

// Iteration is the number of the iteration that the last row was from.
func (s *Shuffle) Iteration() int { return int(s.iter) }

// Next reads the next row.
func (s *Shuffle) Next(in, label []int32) (int32, error) {
	for s.taken == len(s.plan) {
		s.makePlan()
	}
	id, err := s.set.Example(int(s.plan[s.taken]), in, label)
	if err == nil {
		s.taken++
	}
	return id, err
}

// start begins iteration n.
func (s *Shuffle) start(n uint64) {
	s.iter, s.at, s.taken, s.plan = n, 0, 0, s.plan[:0]
	s.pcg = rand.NewPCG(s.order.Seed, n)
	s.rng = rand.New(s.pcg)
	s.perm = s.perm[:0]
	for range s.order.Epochs {
		from := len(s.perm)
		for g := range s.order.Groups {
			s.perm = append(s.perm, int32(g))
		}
		epoch := s.perm[from:]
		s.rng.Shuffle(len(epoch), func(i, j int) { epoch[i], epoch[j] = epoch[j], epoch[i] })
	}
}

// makePlan draws the next batch, or the next puzzle if there are no batches. If the iteration ends
// before the batch is full, the plan stays empty and the next iteration begins.
func (s *Shuffle) makePlan() {
	if s.at == len(s.perm) {
		s.start(s.iter + 1)
	}
	s.planAt = s.at
	s.planPCG, _ = s.pcg.AppendBinary(s.planPCG[:0]) // never fails
	s.taken, s.plan = 0, s.plan[:0]
	for s.at < len(s.perm) {
		first, end := s.set.Group(int(s.perm[s.at]))
		s.at++
		_, from, to := s.set.Puzzle(first + s.rng.IntN(end-first))
		n := to - from
		if s.order.Batch > 0 {
			n = min(n, s.order.Batch-len(s.plan))
		}
		s.sample(from, to, n)
		if s.order.Batch == 0 || len(s.plan) == s.order.Batch {
			return
		}
	}
	s.plan = s.plan[:0]
	s.start(s.iter + 1)
}

// sample appends n of the examples [from, to) to the plan, without replacement, in random order.
func (s *Shuffle) sample(from, to, n int) {
	at := len(s.plan)
	for e := from; e < to; e++ {
		s.plan = append(s.plan, int32(e))
	}
	all := s.plan[at:]
	for i := range n { // Fisher and Yates, stopped after n
		j := i + s.rng.IntN(len(all)-i)
		all[i], all[j] = all[j], all[i]
	}
	s.plan = s.plan[:at+n]
}

// AppendState appends the position: what identifies Set and Order, the iteration, and the
// generator before the batch under way, which SetState draws again.
func (s *Shuffle) AppendState(dst []byte) []byte {
	dst = s.appendKey(dst)
	le := binary.LittleEndian
	dst = le.AppendUint64(dst, s.iter)
	if s.taken == len(s.plan) { // nothing under way
		dst = le.AppendUint64(dst, uint64(s.at))
		dst = le.AppendUint64(dst, 0)
		dst, _ = s.pcg.AppendBinary(dst)
		return dst
	}
	dst = le.AppendUint64(dst, uint64(s.planAt))
	dst = le.AppendUint64(dst, uint64(s.taken))
	return append(dst, s.planPCG...)
}

// appendKey appends what must be equal for a state to fit.
func (s *Shuffle) appendKey(dst []byte) []byte {
	dst = append(dst, "ord1"...)
	o := s.order
	for _, v := range []uint64{
		o.Seed, uint64(o.Batch), uint64(o.Epochs), uint64(o.Groups),
		uint64(s.set.Len()), uint64(s.set.Puzzles()), uint64(s.set.Groups()),
	} {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return dst
}

// SetState continues where AppendState was, on the same data and with the same Order.
func (s *Shuffle) SetState(state []byte) error {
	key := s.appendKey(nil)
	if len(state) < len(key)+24 || string(state[:4]) != "ord1" {
		return errors.New("puzzle: the bytes are no state of a training order")
	}
	if string(state[:len(key)]) != string(key) {
		return errors.New("puzzle: the state is of another dataset or training order (seed, batch, epochs, groups, sizes)")
	}
	le, rest := binary.LittleEndian, state[len(key):]
	iter, at, taken := le.Uint64(rest), le.Uint64(rest[8:]), le.Uint64(rest[16:])
	next := &Shuffle{set: s.set, order: s.order}
	next.start(iter)
	if at > uint64(len(next.perm)) {
		return fmt.Errorf("puzzle: the state is at group %d of %d", at, len(next.perm))
	}
	if err := next.pcg.UnmarshalBinary(rest[24:]); err != nil {
		return fmt.Errorf("puzzle: generator in the state: %w", err)
	}
	next.at = int(at)
	if taken > 0 {
		next.makePlan()
		if taken >= uint64(len(next.plan)) || next.iter != iter {
			return fmt.Errorf("puzzle: the state took %d rows of a batch of %d", taken, len(next.plan))
		}
		next.taken = int(taken)
	}
	*s = *next
	return nil
}
