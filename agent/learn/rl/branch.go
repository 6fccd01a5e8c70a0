//go:build cgo && !notorch

package rl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/torch"
)

// Branches are copies of the worlds of some rows, in which they act after other numbers of segments than in their own.
type branches struct {
	tries []int    // numbers of segments
	rows  int      // that are branched at once
	vec   *env.Vec // [rows][tries]
	lessons
}

// longestBranch is how many steps a branch goes on at most; what would come after is not counted.
const longestBranch = 200

func newBranches(a *Actor, share float64, more func(rows int) (*env.Vec, error)) (*branches, error) {
	b := &branches{tries: exam.Branches(a.cfg.Segments), rows: max(1, int(share*float64(a.vec.Len())+0.5))}
	vec, err := more(b.rows * len(b.tries))
	if err != nil {
		return nil, err
	}
	_, saves := env.As[env.Snapshotter](vec.Env(0))
	if _, process := env.As[io.Closer](vec.Env(0)); !saves || process {
		vec.Close()
		return nil, fmt.Errorf("%s cannot be copied, which branches need", vec.Spec().ID)
	}
	vec.Reset(0)
	b.vec = vec
	return b, nil
}

// A branching is the branches of one step: copies of the worlds of rows at the decision that they are about to take, which think
// each of the numbers of segments about it.
type branching struct {
	rows     []int        // of the run, that are branched
	live     []int        // the branches that go on, row by row those of all tries
	z        State        // of the live ones, kept
	actions  []int32      // of each branch
	draws    []*rand.Rand // of each branch; those of a row draw the same
	worth    []float64    // of each branch, from acting on
	features [][]float32  // by segment of the decision, [rows, width] of features
	gates    [][]float32  // and what the gate says of them, [rows, 2]
}

// branch lets branches of some rows act, and go on as the gate says, with the same random numbers, to the end of the episode or
// where a limit cuts it off. So much was acting worth after each number of segments that was tried, without the price of that
// thought; thinking on was worth what the next number brought with which the gate is content, less the price of what is thought
// more. (The best of all longer thoughts is worth too much: it has the luck of the best of several.)
func (w *gating) branch(ctx context.Context) error {
	b, err := w.copyRows()
	if err != nil {
		return err
	}
	defer func() { b.z.drop() }()
	if err := w.tryAll(b); err != nil {
		return err
	}
	if err := w.playOn(ctx, b); err != nil {
		return err
	}
	w.branches.learn(b, w.cfg.Price)
	return nil
}

// copyRows copies the worlds of rows that are drawn.
func (w *gating) copyRows() (*branching, error) {
	a, v, width := w.actor, w.branches.vec, len(w.branches.tries)
	n := v.Len()
	b := &branching{
		rows: w.rng.Perm(a.vec.Len())[:w.branches.rows], live: make([]int, n),
		actions: make([]int32, n), draws: make([]*rand.Rand, n), worth: make([]float64, n),
	}
	seed := w.rng.Uint64()
	for k, row := range b.rows {
		world, err := a.vec.AppendRow(row, nil)
		if err != nil {
			return nil, err
		}
		for j := range width {
			i := k*width + j
			if err := v.SetRow(i, world); err != nil {
				return nil, err
			}
			b.live[i], b.draws[i] = i, rand.New(rand.NewPCG(seed, uint64(k)))
		}
	}
	return b, nil
}

// choose decides what branch i does.
func (w *gating) choose(b *branching, i int, logits []float32) {
	if b.actions[i] = likeliest(logits); !w.actor.cfg.Greedy {
		b.actions[i], _ = sample(b.draws[i], logits)
	}
}

// tryAll thinks the most segments about the decision. A branch chooses by the one that it tries, and goes on from the state after it.
func (w *gating) tryAll(b *branching) (err error) {
	a, tries := w.actor, w.branches.tries
	failed := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		var x Seen
		if x, err = w.net.Encode(s, rowsOf(a.vec.Obs, b.rows, a.vec.Spec().ObsLen), len(b.rows)); err != nil {
			return
		}
		z := a.from(s, a.state, b.rows, len(b.rows))
		var tried []State
		for m := range a.cfg.Segments {
			last := z
			z = w.net.Segment(s, x, z)
			h := w.net.Heads(s, x, z)
			f := w.gate.features(s, h, last, z)
			b.features, b.gates = append(b.features, s.ReadFloats(nil, f)), append(b.gates, s.ReadFloats(nil, w.gate.q.apply(s, f)))
			if j := len(tried); tries[j] == m+1 {
				tried = append(tried, z)
				logits := s.ReadFloats(nil, h.Logits)
				k := len(logits) / len(b.rows)
				for r := range b.rows {
					w.choose(b, r*len(tries)+j, logits[r*k:(r+1)*k])
				}
			}
			w.spent += len(b.rows)
		}
		order := make([]int64, len(b.live)) // joined, they lie try by try
		for i := range order {
			order[i] = int64(i%len(tries)*len(b.rows) + i/len(tries))
		}
		b.z = join(s, tried).pick(s, torch.From(s, w.net.Params().Device(), order, int64(len(order)))).keep(s)
	})
	return errors.Join(err, failed)
}

// playOn acts in all branches until their episodes end.
func (w *gating) playOn(ctx context.Context, b *branching) error {
	v, width, weight := w.branches.vec, len(w.branches.tries), 1.0
	for t := 0; ; t++ {
		if err := v.Step(b.actions); err != nil {
			return err
		}
		var stay []int64 // rows of b.z
		still := 0
		for j, i := range b.live {
			b.worth[i] += weight * float64(v.Rewards[i])
			if !v.Done(i) && !w.cutOff(b.rows[i/width], t) {
				stay, b.live[still] = append(stay, int64(j)), i
				still++
			}
		}
		if b.live = b.live[:still]; still == 0 || t == longestBranch {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		weight *= w.actor.cfg.Gamma
		segments, err := w.follow(b, stay)
		if err != nil {
			return err
		}
		for j, i := range b.live {
			b.worth[i] -= weight * w.cfg.Price * float64(segments[j])
		}
	}
}

// learn adds the lessons of what b came to.
func (all *branches) learn(b *branching, price float64) {
	most, width := len(b.features), len(all.tries)
	for r := range b.rows {
		worth := b.worth[r*width : (r+1)*width]
		next := -1 // of tries: where thinking on ends
		for m := most; m >= 1; m-- {
			n := len(b.features[m-1]) / len(b.rows)
			halt, cont := unseen, unseen
			j, tried := slices.BinarySearch(all.tries, m)
			if tried {
				halt = float32(worth[j])
			}
			if next >= 0 {
				cont = float32(worth[next] - price*float64(all.tries[next]-m))
			}
			all.features = append(all.features, b.features[m-1][r*n:(r+1)*n]...)
			all.halt, all.cont = append(all.halt, halt), append(all.cont, cont)
			if q := b.gates[m-1][2*r:]; m == most || q[0] > q[1] {
				next = j
			}
		}
	}
}

// cutOff is whether a run's limit ends an episode of row after t+1 more steps.
func (w *gating) cutOff(row, t int) bool {
	e := w.actor.now[row]
	return e.Limit > 0 && e.Length+t+1 >= e.Limit
}

// follow lets the live branches, of which b.z holds the rows stay, think until the gate is content, and choose.
func (w *gating) follow(b *branching, stay []int64) (segments []int32, err error) {
	a, v, n := w.actor, w.branches.vec, len(b.live)
	segments = make([]int32, n)
	failed := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		var x Seen
		if x, err = w.net.Encode(s, rowsOf(v.Obs, b.live, v.Spec().ObsLen), n); err != nil {
			return
		}
		before := b.z.pick(s, torch.From(s, w.net.Params().Device(), stay, int64(n)))
		d := newDeliberation(s, w.net, x, a.from(s, before, nil, n), n)
		for m := int32(1); len(d.rows) > 0; m++ {
			d.segment()
			h := w.net.Heads(s, d.x, d.z)
			logits, q := s.ReadFloats(nil, h.Logits), s.ReadFloats(nil, w.gate.q.apply(s, w.gate.features(s, h, d.last, d.z)))
			k := len(logits) / len(d.rows)
			w.spent += len(d.rows)
			j := 0
			d.leave(func(row int) bool {
				halts := int(m) == a.cfg.Segments || q[2*j] > q[2*j+1]
				if halts {
					segments[row] = m
					w.choose(b, b.live[row], logits[j*k:(j+1)*k])
				}
				j++
				return halts
			})
		}
		after, _ := d.results()
		b.z.drop()
		b.z = after.keep(s)
	})
	return segments, errors.Join(err, failed)
}
