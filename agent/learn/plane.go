//go:build cgo && !notorch

package learn

import (
	"math"

	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/torch"
)

// calibrationSegments is how long a network thinks to find the planes in which its thought is shown.
const calibrationSegments = 8

// A planes holds, for z_H and z_L, the mean over positions and segments and two directions of the
// hidden space, each [hidden]: the principal components of the way that one thought takes.
type planes struct {
	h, l plane
}

type plane struct{ center, x, y []float32 }

// at is where the mean z over positions lies in the plane.
func (p plane) at(z []float32) (at [2]float32) {
	for i, v := range z {
		at[0] += (v - p.center[i]) * p.x[i]
		at[1] += (v - p.center[i]) * p.y[i]
	}
	return at
}

// calibrate finds the network's planes, if it has none yet, by thinking about one sequence. They stay
// for the life of the Net, so that all its thoughts are seen from one side.
func (n *Net) calibrate(tokens []int32, rows, cols int) error {
	if n.planes != nil {
		return nil
	}
	b := puzzle.Batch{Inputs: tokens, IDs: []int32{0}, Rows: 1, Seq: len(tokens)}
	var h, l [][]float32
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		c := n.Model.Start(s, 1, b.Seq)
		in := input(s, n.Model, &b, [2]int{rows, cols})
		for range calibrationSegments {
			c, _ = n.Model.Segment(s, c, in)
			h = append(h, mean(s.ReadFloats(nil, c.ZH), n.Model.Config().Hidden))
			l = append(l, mean(s.ReadFloats(nil, c.ZL), n.Model.Config().Hidden))
		}
	})
	if err != nil {
		return err
	}
	n.planes = &planes{principal(h), principal(l)}
	return nil
}

// mean is z [n·hidden] averaged over positions.
func mean(z []float32, hidden int) []float32 {
	out := make([]float32, hidden)
	n := float32(len(z) / hidden)
	for i, v := range z {
		out[i%hidden] += v / n
	}
	return out
}

// principal is the plane of the first two principal components of points [k][d], k small: the
// eigenvectors of their k×k Gram matrix, by power iteration with deflation.
func principal(points [][]float32) plane {
	k, d := len(points), len(points[0])
	p := plane{center: make([]float32, d)}
	for _, x := range points {
		for i, v := range x {
			p.center[i] += v / float32(k)
		}
	}
	gram := make([]float64, k*k)
	for a := range k {
		for b := range k {
			for i := range d {
				gram[a*k+b] += float64(points[a][i]-p.center[i]) * float64(points[b][i]-p.center[i])
			}
		}
	}
	component := func() []float32 {
		u := make([]float64, k)
		for a := range u {
			u[a] = math.Cos(float64(a)) // any start that is not an eigenvector will do
		}
		value := 0.0
		for range 200 {
			next := make([]float64, k)
			norm := 0.0
			for a := range k {
				for b := range k {
					next[a] += gram[a*k+b] * u[b]
				}
				norm += next[a] * next[a]
			}
			if value = math.Sqrt(norm); value < 1e-12 {
				return make([]float32, d) // the points lie in less than a plane
			}
			for a := range next {
				u[a] = next[a] / value
			}
		}
		for a := range k {
			for b := range k {
				gram[a*k+b] -= value * u[a] * u[b]
			}
		}
		out := make([]float32, d)
		for a, w := range u {
			for i := range d {
				out[i] += float32(w/math.Sqrt(value)) * (points[a][i] - p.center[i])
			}
		}
		return out
	}
	p.x, p.y = component(), component()
	return p
}
