// Package logit says what a logit stands for.
package logit

import "math"

// P is the probability that logit q stands for, 1/(1+e^-q).
func P(q float32) float64 { return 1 / (1 + math.Exp(-float64(q))) }

// Softmax puts into p the softmax of as many logits, stride apart. It is the same on every engine.
func Softmax(p, q []float32, stride int) {
	top := q[0]
	for i := range p {
		top = max(top, q[i*stride])
	}
	var all float64
	for i := range p {
		e := math.Exp(float64(q[i*stride] - top))
		p[i], all = float32(e), all+e
	}
	for i := range p {
		p[i] *= float32(1 / all)
	}
}
