package arch

import "math"

// RopeTable is cos and sin [n, hd] of the angles t·theta^(-2j/hd), both halves equal. Positions count
// from 0 at the first prefix position; in two dimensions the first half of the pairs turns by row and
// the second by column of a grid with cols columns, with the prefix at angle 0.
func (c Config) RopeTable(n, cols int) (cos, sin []float32) {
	prefix, hd := c.Prefix(), c.Hidden/c.Heads
	cos, sin = make([]float32, n*hd), make([]float32, n*hd)
	for t := range n {
		for j := range hd / 2 {
			// The reference computes the frequencies and angles in float32.
			angle := float32(t) * float32(1/math.Pow(c.RopeTheta, float64(float32(2*j)/float32(hd))))
			if c.Positions == Rope2D {
				i, at := j, 0
				if i >= hd/4 {
					i -= hd / 4
				}
				if t >= prefix {
					at = (t - prefix) / cols
					if j >= hd/4 {
						at = (t - prefix) % cols
					}
				}
				angle = float32(at) * float32(math.Pow(c.RopeTheta, -float64(4*i)/float64(hd)))
			}
			co, si := float32(math.Cos(float64(angle))), float32(math.Sin(float64(angle)))
			cos[t*hd+j], cos[t*hd+j+hd/2] = co, co
			sin[t*hd+j], sin[t*hd+j+hd/2] = si, si
		}
	}
	return cos, sin
}

// RelativePairs is, for every pair of n positions, the entry of a (2r+1)² table of row and column
// distances cut at r = BiasRadius; pairs with a prefix position share the last entry, (2r+1)².
func (c Config) RelativePairs(n, cols int) []int64 {
	prefix, r := c.Prefix(), c.BiasRadius
	out := make([]int64, n*n)
	w := 2*r + 1
	for i := range n {
		for j := range n {
			k := w * w
			if i >= prefix && j >= prefix {
				a, b := i-prefix, j-prefix
				dr, dc := b/cols-a/cols, b%cols-a%cols
				k = (min(max(dr, -r), r)+r)*w + min(max(dc, -r), r) + r
			}
			out[i*n+j] = int64(k)
		}
	}
	return out
}
