//go:build cgo && !notorch

package rl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/ponder-agents/ponder/agent/exam"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// draw is after how many segments each of n rows is to act whatever its gate says, 0 where the gate decides.
func (w *gating) draw(n int) []int32 {
	drawn := make([]int32, n)
	if w.cfg.Learn == LearnPPO {
		return drawn
	}
	for i := range drawn {
		if w.rng.Float64() < w.explore {
			drawn[i] = 1 + int32(w.rng.IntN(w.actor.cfg.Segments))
		}
	}
	return drawn
}

// halts is whether row i acts after m segments, of which the gate says q, and the log-probability of that where it is drawn.
func (w *gating) halts(q []float32, m int32, drawn []int32, i int) (stops bool, logProb float32) {
	switch {
	case w.cfg.Learn == LearnPPO:
		choice, lp := sample(w.actor.rng.Rand, q)
		return choice == 0, lp
	case drawn[i] > 0:
		return m == drawn[i], 0
	}
	return q[0] > q[1], 0
}

// values are what rows of features f, of which the gate says q [rows, 2], are worth; forced says that they have no choice but to act.
func (w *gating) values(s *torch.Scope, f *torch.Tensor, q []float32, forced bool) []float32 {
	if w.cfg.Learn == LearnPPO {
		return s.ReadFloats(nil, w.gate.value.apply(s, f))
	}
	out := make([]float32, len(q)/2)
	for i := range out {
		if out[i] = q[2*i]; !forced {
			out[i] = max(q[2*i], q[2*i+1])
		}
	}
	return out
}

// Lessons are what acting and thinking on were worth after some thoughts; NaN where that was not seen.
type lessons struct {
	features     []float32 // [thoughts][width]
	halt, onward []float32
}

func (l *lessons) clear() { l.features, l.halt, l.onward = l.features[:0], l.halt[:0], l.onward[:0] }

var unseen = float32(math.NaN())

// lessons are those of a rollout whose returns are estimated: acting was worth the return, thinking on what the gate says of the
// next thought, less the price.
func (r *thoughts) lessons(price float64) *lessons {
	l := &lessons{features: r.features, halt: make([]float32, len(r.values)), onward: make([]float32, len(r.values))}
	for k, segments := range r.segments {
		for m := range int(segments) {
			id := r.at[k*r.most+m]
			l.halt[id], l.onward[id] = unseen, unseen
			if r.halt[id] {
				l.halt[id] = r.returns[id]
			} else {
				l.onward[id] = r.values[r.at[k*r.most+m+1]] - float32(price)
			}
		}
	}
	return l
}

// study lowers the squared errors of Q_halt and Q_continue, or of their difference. ease is what the rate is multiplied with.
func (w *gating) study(all *lessons, ease float64) (mean Losses, err error) {
	var sum Losses
	count := 0
	for range w.cfg.Epochs {
		for _, ids := range cut(w.rng.Perm(len(all.halt)), w.cfg.Batch) {
			var l Losses
			if l, err = w.correct(all, ids, w.cfg.LR*ease); err != nil {
				return sum, err
			}
			sum.add(l, 1)
			count++
		}
	}
	mean.add(sum, 1/float64(max(1, count)))
	return mean, nil
}

// correct moves the gate by the lessons ids.
func (w *gating) correct(all *lessons, ids []int, lr float64) (l Losses, err error) {
	width, n := w.thoughts.width, int64(len(ids))
	features := make([]float32, 0, len(ids)*width)
	targets, known := make([]float32, 0, 2*len(ids)), make([]float32, 0, 2*len(ids)) // [ids, 2] as the gate's; 0 where not seen
	for _, id := range ids {
		features = append(features, all.features[id*width:(id+1)*width]...)
		pair := []float32{all.halt[id], all.onward[id]}
		if w.cfg.Difference {
			pair = []float32{pair[1] - pair[0]}
		}
		for _, x := range pair {
			seen := float32(1)
			if math.IsNaN(float64(x)) {
				x, seen = 0, 0
			}
			targets, known = append(targets, x), append(known, seen)
		}
	}
	columns := int64(len(targets)) / n
	l.Norm, err = descend(w.gate.params, w.adam, lr, w.cfg.MaxNorm, func() map[string]safetensors.Tensor {
		return map[string]safetensors.Tensor{
			"features": safetensors.OfFloat32s([]int64{n, int64(width)}, features), "targets": safetensors.OfFloat32s([]int64{n, columns}, targets),
		}
	}, func(s *torch.Scope) (*torch.Tensor, error) {
		dev := w.gate.params.Device()
		q := w.gate.q.apply(s, torch.From(s, dev, features, n, int64(width)))
		if w.cfg.Difference {
			q = s.Sub(s.Narrow(q, 1, 1, 1), s.Narrow(q, 1, 0, 1))
		}
		miss := s.Own(s.Mul(s.Sub(q, torch.From(s, dev, targets, n, columns)), torch.From(s, dev, known, n, columns)).Square(false))
		loss := s.Scale(s.Sum(miss), 1/float64(n))
		l.Loss, l.Q = number(loss), number(s.Scale(s.Sum(q), 1/float64(n*columns)))
		return loss, nil
	})
	return l, err
}

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

// branch copies some rows' worlds and states at the decision that they are about to take. The copies think 1, 2, 4, ... or the most
// segments about it and then go on as the gate says, with the same random numbers, to the end of the episode. So much was acting
// then worth, without the price of that thought; thinking on was worth the best of what longer thoughts brought, less their price.
func (w *gating) branch(ctx context.Context) error {
	a, b := w.actor, w.branches
	rows, width := w.rng.Perm(a.vec.Len())[:b.rows], len(b.tries)
	actions, live := make([]int32, b.vec.Len()), make([]int, b.vec.Len()) // live: the branches that go on
	draws := make([]*rand.Rand, b.vec.Len())
	seed := w.rng.Uint64()
	for k, row := range rows {
		world, err := a.vec.AppendRow(row, nil)
		if err != nil {
			return err
		}
		for j := range b.tries {
			i := k*width + j
			if err := b.vec.SetRow(i, world); err != nil {
				return err
			}
			live[i], draws[i] = i, rand.New(rand.NewPCG(seed, uint64(k)))
		}
	}
	choose := func(i int, logits []float32) {
		if actions[i] = likeliest(logits); !a.cfg.Greedy {
			actions[i], _ = sample(draws[i], logits)
		}
	}
	obsLen := a.vec.Spec().ObsLen
	var z State // of the live branches, kept
	defer func() { z.drop() }()
	most := a.cfg.Segments
	features, gates := make([][]float32, most), make([][]float32, most) // by segment, [rows, width] and what the gate says, [rows, 2]
	var bad error
	failed := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		x, err := w.net.Encode(s, rowsOf(a.vec.Obs, rows, obsLen), len(rows))
		if err != nil {
			bad = err
			return
		}
		now := a.from(s, a.state, rows, len(rows))
		var tried []State
		for m := range most {
			last := now
			now = w.net.Segment(s, x, now)
			h := w.net.Heads(s, x, now)
			f := w.gate.features(s, h, last, now)
			features[m], gates[m] = s.ReadFloats(nil, f), s.ReadFloats(nil, w.gate.q.apply(s, f))
			if j := len(tried); b.tries[j] == m+1 {
				tried = append(tried, now)
				logits := s.ReadFloats(nil, h.Logits)
				k := len(logits) / len(rows)
				for r := range rows {
					choose(r*width+j, logits[r*k:(r+1)*k])
				}
			}
			w.spent += len(rows)
		}
		order := make([]int64, len(live)) // joined, they lie by tries first
		for i := range order {
			order[i] = int64(i%width*len(rows) + i/width)
		}
		z = join(s, tried).pick(s, torch.From(s, w.net.Params().Device(), order, int64(len(order)))).keep(s)
	})
	if err := errors.Join(bad, failed); err != nil {
		return err
	}
	worth, weight := make([]float64, len(live)), 1.0
	for t := 0; ; t++ {
		if err := b.vec.Step(actions); err != nil {
			return err
		}
		var stay []int64
		still := 0
		for j, i := range live {
			worth[i] += weight * float64(b.vec.Rewards[i])
			if !b.vec.Done(i) && !w.cutOff(rows[i/width], t) {
				stay, live[still] = append(stay, int64(j)), i
				still++
			}
		}
		if live = live[:still]; still == 0 || t == longestBranch {
			break
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		weight *= a.cfg.Gamma
		segments, err := w.follow(&z, stay, live, choose)
		if err != nil {
			return err
		}
		for j, i := range live {
			worth[i] -= weight * w.cfg.Price * float64(segments[j])
		}
	}
	for r := range rows {
		got := worth[r*width : (r+1)*width]
		next := -1 // of tries: where thinking on ends
		for m := most; m >= 1; m-- {
			n := len(features[m-1]) / len(rows)
			halt, onward := unseen, unseen
			j, tried := slices.BinarySearch(b.tries, m)
			if tried {
				halt = float32(got[j])
			}
			if next >= 0 {
				onward = float32(got[next] - w.cfg.Price*float64(b.tries[next]-m))
			}
			b.features = append(b.features, features[m-1][r*n:(r+1)*n]...)
			b.halt, b.onward = append(b.halt, halt), append(b.onward, onward)
			if q := gates[m-1][2*r:]; m == most || q[0] > q[1] {
				next = j
			}
		}
	}
	return nil
}

// cutOff is whether a run's limit ends an episode of row after t+1 more steps.
func (w *gating) cutOff(row, t int) bool {
	e := w.actor.now[row]
	return e.Limit > 0 && e.Length+t+1 >= e.Limit
}

// follow lets the branches live, of which z holds the rows stay, think until the gate is content, and choose what to do. z is then
// theirs, after that.
func (w *gating) follow(z *State, stay []int64, live []int, choose func(i int, logits []float32)) (segments []int32, err error) {
	a, v := w.actor, w.branches.vec
	segments = make([]int32, len(live))
	failed := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		var x Seen
		if x, err = w.net.Encode(s, rowsOf(v.Obs, live, v.Spec().ObsLen), len(live)); err != nil {
			return
		}
		before := z.pick(s, torch.From(s, w.net.Params().Device(), stay, int64(len(stay))))
		d := newDeliberation(s, w.net, x, a.from(s, before, nil, len(live)), len(live))
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
					choose(live[row], logits[j*k:(j+1)*k])
				}
				j++
				return halts
			})
		}
		after, _ := d.results()
		z.drop()
		*z = after.keep(s)
	})
	return segments, errors.Join(err, failed)
}
