package think

import (
	"math"
	"math/rand/v2"
)

// A Reader is a Core that answers by one product with the state of its first level.
type Reader interface {
	Core
	// Readout is its factor, [outputs·width]: a token's logits are the products of the rows with its position. Where tokens have
	// planes it is [width], and a plane's product is the logit of the symbol that it stands for, the last of the outputs. It is nil
	// where answers are read in another way.
	Readout() []float32
}

const (
	beliefLift = 3  // logits by which a drawn answer is lifted at a noise of 1
	beliefHeld = 12 // segments for which a draw stays: time for the network to follow it, and, where it leads nowhere, for another
)

// A readout leans states towards answers. After a segment an answer is drawn for every token from the network's own
// probabilities (by their largest sum with a Gumbel number, which is one of the token and output for beliefHeld segments), and the state
// moves so that the answer's logit rises. What a network then makes of it is its own: what contradicts the question it gives up.
type readout struct {
	weights []float32 // of Reader
	level   Level     // the first
}

// readoutOf is that of c; it reports whether there is one.
func readoutOf(c Core) (readout, bool) {
	r, ok := c.(Reader)
	if !ok || len(r.Readout()) == 0 {
		return readout{}, false
	}
	return readout{r.Readout(), c.Spec().Levels[0]}, true
}

// lean moves z, a state of the first level, by what it answers, logits [tokens·outputs], where the token is asked: the drawn
// answer's logit rises by so much.
func (o readout) lean(z, logits []float32, asked []bool, by float32, r *rand.Rand) {
	width, seq := o.level.Width, len(asked)
	outputs := len(logits) / seq
	planes := (len(z)/width - o.level.Prefix) / seq
	for at, counts := range asked {
		best, most := 0, math.Inf(-1)
		for v, l := range logits[at*outputs : (at+1)*outputs] {
			if x := float64(l) - math.Log(-math.Log(1-r.Float64())); x > most {
				best, most = v, x
			}
		}
		place, w := o.level.Prefix+at, o.weights
		if o.level.Planes {
			place += (best - (outputs - planes)) * seq
		} else {
			w = w[best*width : (best+1)*width]
		}
		if !counts || place < 0 {
			continue
		}
		var norm float32
		for _, x := range w {
			norm += x * x
		}
		for i, x := range w {
			z[place*width+i] += by * x / max(norm, 1e-12)
		}
	}
}
