package env

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/ponder-agents/ponder/env/rng"
)

// Check tests whether an Env keeps the promises of this package: spaces, determinism by seed,
// continued streams, buffers not kept, panics on misuse, truncation at the limit, snapshots and
// clones that resume bit for bit, no allocation in a step. open makes a new Env each time; without
// seeds 0, 1 and 42 are used. The error joins all that was found.
func Check(open func() Env, seeds ...uint64) error {
	var errs []error
	CheckEach(open, seeds, func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	})
	return errors.Join(errs...)
}

// CheckEach runs the parts of Check and reports each with its result.
func CheckEach(open func() Env, seeds []uint64, report func(name string, err error)) {
	if len(seeds) == 0 {
		seeds = []uint64{0, 1, 42}
	}
	c := checker{open: open, seeds: seeds}
	for _, part := range []struct {
		name string
		run  func() error
	}{
		{"spec", c.spec},
		{"same seed, same episodes", c.sameSeed},
		{"other seed, other episodes", c.otherSeed},
		{"buffers", c.buffers},
		{"misuse panics", c.misuse},
		{"limit", c.limit},
		{"snapshot", c.snapshot},
		{"clone", c.clone},
		{"allocations", c.allocations},
	} {
		report(part.name, guard(part.run))
	}
}

// guard turns a panic of the Env into an error.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f()
}

type checker struct {
	open  func() Env
	seeds []uint64
}

// A driver plays an Env with actions of a seed and records what it brings.
type driver struct {
	e     Env
	spec  Spec
	draws *rng.Rand
	obs   []byte
	live  bool
}

func newDriver(e Env, seed uint64) *driver {
	s := e.Spec()
	return &driver{e: e, spec: s, draws: rng.Stream(seed, "check"), obs: make([]byte, s.ObsLen)}
}

// step resets if need be, else acts; record, if not nil, grows by what came of it.
func (d *driver) step(record *[]byte) (out Outcome) {
	if !d.live {
		d.e.Reset(d.obs)
	} else {
		out = d.e.Step(d.draws.IntN(len(d.spec.Actions)), d.obs)
	}
	d.live = !out.Done()
	if record != nil {
		*record = append(*record, d.obs...)
		*record = binary.LittleEndian.AppendUint64(*record, math.Float64bits(out.Reward))
		*record = append(*record, b2i(out.Terminated), b2i(out.Truncated))
	}
	return out
}

func b2i(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func (d *driver) play(n int) []byte {
	var record []byte
	for range n {
		d.step(&record)
	}
	return record
}

// compare names the first step at which two records of a driver differ.
func (d *driver) compare(a, b []byte) error {
	if bytes.Equal(a, b) {
		return nil
	}
	row := d.spec.ObsLen + 10
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Errorf("step %d, byte %d of observation and outcome: %d and %d", i/row, i%row, a[i], b[i])
		}
	}
	return fmt.Errorf("%d and %d steps", len(a)/row, len(b)/row)
}

// rounds is how many steps the comparisons play: a few hundred, less where observations are large.
func (c *checker) rounds() int { return max(60, min(600, 4_000_000/(c.open().Spec().ObsLen+1))) }

func (c *checker) spec() error {
	e := c.open()
	s := e.Spec()
	var errs []error
	n := 0
	for _, f := range s.Layout {
		n += f.Len()
	}
	if s.ID == "" {
		errs = append(errs, errors.New("no ID"))
	}
	if n != s.ObsLen || n == 0 {
		errs = append(errs, fmt.Errorf("the fields of Layout have %d bytes, ObsLen is %d", n, s.ObsLen))
	}
	if s.Vocab < 1 || s.Vocab > 256 {
		errs = append(errs, fmt.Errorf("vocabulary of %d, want 1 to 256", s.Vocab))
	}
	if len(s.Actions) == 0 {
		errs = append(errs, errors.New("no actions"))
	}
	if s.MaxSteps < 0 {
		errs = append(errs, fmt.Errorf("MaxSteps is %d", s.MaxSteps))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	d := newDriver(e, c.seeds[0])
	e.Seed(c.seeds[0])
	for i := range c.rounds() {
		d.step(nil)
		for j, b := range d.obs {
			if int(b) >= s.Vocab {
				return fmt.Errorf("step %d: byte %d of the observation is %d, the vocabulary %d", i, j, b, s.Vocab)
			}
		}
	}
	if a, b := fmt.Sprint(s), fmt.Sprint(e.Spec()); a != b {
		return fmt.Errorf("Spec changed from %s to %s", a, b)
	}
	return nil
}

func (c *checker) sameSeed() error {
	used := c.open()
	newDriver(used, 7).play(50) // a used Env, to be seeded again, must equal a new one
	for _, seed := range c.seeds {
		e := c.open()
		e.Seed(seed)
		used.Seed(seed)
		d := newDriver(e, seed)
		if err := d.compare(d.play(c.rounds()), newDriver(used, seed).play(c.rounds())); err != nil {
			return fmt.Errorf("seed %d: a new and a used environment differ: %w", seed, err)
		}
	}
	fresh, zero := c.open(), c.open()
	zero.Seed(0)
	d := newDriver(fresh, 0)
	if err := d.compare(d.play(20), newDriver(zero, 0).play(20)); err != nil {
		return fmt.Errorf("an environment never seeded is not as by Seed(0): %w", err)
	}
	return nil
}

func (c *checker) otherSeed() error {
	if c.open().Spec().Fixed {
		return nil
	}
	// What can differ may differ late or seldom: forty seeds, and forty episodes of one.
	play := func(e Env) string { return string(newDriver(e, 3).play(12)) }
	seeds, resets := map[string]bool{}, map[string]bool{}
	for i := range uint64(40) {
		e := c.open()
		e.Seed(i)
		seeds[play(e)] = true
	}
	e := c.open()
	e.Seed(c.seeds[0])
	for range 40 {
		resets[play(e)] = true
	}
	if len(seeds) == 1 {
		return errors.New("forty seeds gave the same episode; set Spec.Fixed if nothing is drawn")
	}
	if len(resets) == 1 {
		return errors.New("forty resets of one seed gave the same episode; Reset must continue the stream")
	}
	return nil
}

func (c *checker) buffers() error {
	a, b := c.open(), c.open()
	a.Seed(c.seeds[0])
	b.Seed(c.seeds[0])
	da, db := newDriver(a, 5), newDriver(b, 5)
	for i := range min(200, c.rounds()) {
		for j := range da.obs { // what lies in the buffer before must not matter
			da.obs[j] = 0xAA
			db.obs[j] = 0x55
		}
		var ra, rb []byte
		da.step(&ra)
		db.step(&rb)
		if !bytes.Equal(ra, rb) {
			return fmt.Errorf("step %d: the observation depends on what was in the buffer, or is not written whole", i)
		}
	}
	return nil
}

func (c *checker) misuse() error {
	e := c.open()
	d := newDriver(e, 1)
	e.Seed(c.seeds[0])
	d.step(nil)
	for _, a := range []int{-1, len(d.spec.Actions), math.MaxInt} {
		if !panics(func() { e.Step(a, d.obs) }) {
			return fmt.Errorf("Step(%d) did not panic; there are %d actions", a, len(d.spec.Actions))
		}
	}
	for range max(d.spec.MaxSteps, 1) + 1 {
		if d.step(nil).Done() {
			if !panics(func() { e.Step(0, d.obs) }) {
				return errors.New("Step after the end did not panic")
			}
			return nil
		}
	}
	return nil
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return
}

func (c *checker) limit() error {
	e := c.open()
	most := e.Spec().MaxSteps
	if most == 0 {
		return nil
	}
	e.Seed(c.seeds[0])
	d := newDriver(e, 2)
	lim, _ := As[Limiter](e)
	for range 3 {
		d.live = false
		d.step(nil)
		for t := 1; ; t++ {
			out := d.step(nil)
			want := most
			if lim != nil {
				want = lim.Limit()
			}
			if out.Truncated != (t >= want) && (lim != nil || t >= want) || t > most {
				return fmt.Errorf("step %d: truncated is %t, the limit %d of at most %d", t, out.Truncated, want, most)
			}
			if out.Done() {
				break
			}
		}
	}
	return nil
}

func (c *checker) snapshot() error {
	e := c.open()
	s, ok := e.(Snapshotter)
	if !ok {
		return nil
	}
	n := max(30, c.rounds()/4)
	for _, seed := range c.seeds {
		e.Seed(seed)
		d := newDriver(e, seed)
		d.play(n / 2)
		state, live := s.AppendState(nil), d.live
		if prefix := []byte("kept"); !bytes.Equal(s.AppendState(prefix), append(prefix, state...)) {
			return errors.New("AppendState doesn't append, or changes the state")
		}
		resume := func(e Env) []byte {
			r := newDriver(e, seed+1)
			r.live = live
			return r.play(n)
		}
		want := resume(e)
		other := c.open()
		other.Seed(seed + 9)
		newDriver(other, 9).play(7)
		for _, to := range []Env{e, other} {
			if err := to.(Snapshotter).SetState(state); err != nil {
				return fmt.Errorf("seed %d: SetState of its own snapshot: %w", seed, err)
			}
			if err := d.compare(want, resume(to)); err != nil {
				return fmt.Errorf("seed %d: resumed episodes differ: %w", seed, err)
			}
		}
		before := s.AppendState(nil)
		bad := [][]byte{nil, append(slices.Clone(state), 0), bytes.Repeat([]byte{0xFF}, len(state))}
		for i := range 40 {
			bad = append(bad, state[:len(state)*i/40])
		}
		for _, b := range bad {
			if err := s.SetState(b); err == nil {
				return fmt.Errorf("SetState accepted a cut or foreign snapshot of %d bytes; its own have %d", len(b), len(state))
			}
			if !bytes.Equal(before, s.AppendState(nil)) {
				return errors.New("SetState changed the state although it returned an error")
			}
		}
	}
	return nil
}

func (c *checker) clone() error {
	e := c.open()
	cl, ok := e.(Cloner)
	if !ok {
		return nil
	}
	e.Seed(c.seeds[0])
	d := newDriver(e, 1)
	d.play(15)
	a, b := cl.Clone(), cl.Clone()
	play := func(e Env) []byte {
		r := newDriver(e, 8)
		r.live = d.live
		return r.play(60)
	}
	want := play(a)
	if err := d.compare(want, play(b)); err != nil {
		return fmt.Errorf("two clones differ, or share state: %w", err)
	}
	if err := d.compare(want, play(e)); err != nil {
		return fmt.Errorf("clone and original differ, or share state: %w", err)
	}
	return nil
}

func (c *checker) allocations() error {
	e := c.open()
	e.Seed(c.seeds[0])
	d := newDriver(e, 1)
	const n = 300
	for range n {
		d.step(nil)
	}
	// Other goroutines allocate too, so the least of some tries counts.
	least := uint64(math.MaxUint64)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			d.step(nil)
		}
		runtime.ReadMemStats(&after)
		least = min(least, after.Mallocs-before.Mallocs)
	}
	if least > 0 {
		return fmt.Errorf("%d steps, resets included, allocated %d times", n, least)
	}
	return nil
}
