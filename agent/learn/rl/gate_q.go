//go:build cgo && !notorch

package rl

import (
	"math"

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
	features   []float32 // [thoughts][width]
	halt, cont []float32
}

func (l *lessons) clear() { l.features, l.halt, l.cont = l.features[:0], l.halt[:0], l.cont[:0] }

var unseen = float32(math.NaN())

// lessons are those of a rollout whose returns are estimated: acting was worth the return, thinking on what the gate says of the
// next thought, less the price.
func (r *thoughts) lessons(price float64) *lessons {
	l := &lessons{features: r.features, halt: make([]float32, len(r.values)), cont: make([]float32, len(r.values))}
	for k, segments := range r.segments {
		for m := range int(segments) {
			id := r.at[k*r.most+m]
			l.halt[id], l.cont[id] = unseen, unseen
			if r.halt[id] {
				l.halt[id] = r.returns[id]
			} else {
				l.cont[id] = r.values[r.at[k*r.most+m+1]] - float32(price)
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
		pair := []float32{all.halt[id], all.cont[id]}
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
