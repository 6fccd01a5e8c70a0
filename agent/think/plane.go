package think

import "math"

// calibrationSegments is how long a network thinks to find the planes in which its thought is shown.
const calibrationSegments = 8

// A plane holds the mean of a level's state over positions and segments and two directions of its
// space, each [width]: the principal components of the way that one thought takes.
type plane struct{ center, x, y []float32 }

// at is where the mean z over positions lies in the plane.
func (p plane) at(z []float32) (at [2]float32) {
	for i, v := range z {
		at[0] += (v - p.center[i]) * p.x[i]
		at[1] += (v - p.center[i]) * p.y[i]
	}
	return at
}

// planes are one plane for each level, found by thinking about in when they are first asked for. They
// stay for the life of the model, so that all its thoughts are seen from one side.
func (m *Model) planes(in Input, shape Shape) ([]plane, error) {
	m.plane.Do(func() { m.plans, m.err = calibrate(m.Core, in, shape) })
	return m.plans, m.err
}

func calibrate(c Core, in Input, shape Shape) ([]plane, error) {
	rows, err := c.Open(1, shape)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if err := rows.Begin(0, in); err != nil {
		return nil, err
	}
	levels := c.Spec().Levels
	ways := make([][][]float32, len(levels))
	var out Output
	for range calibrationSegments {
		if err := rows.Segment([]int{0}, &out); err != nil {
			return nil, err
		}
		state, err := rows.Save(0)
		if err != nil {
			return nil, err
		}
		for k, z := range state {
			ways[k] = append(ways[k], mean(z, levels[k].Width))
		}
	}
	all := make([]plane, len(levels))
	for k := range all {
		all[k] = principal(ways[k])
	}
	return all, nil
}

// mean is z [n·width] averaged over positions.
func mean(z []float32, width int) []float32 {
	out := make([]float32, width)
	n := float32(len(z) / width)
	for i, v := range z {
		out[i%width] += v / n
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
