// Package logit says what a logit stands for.
package logit

import "math"

// P is the probability that logit q stands for, 1/(1+e^-q).
func P(q float32) float64 { return 1 / (1 + math.Exp(-float64(q))) }
