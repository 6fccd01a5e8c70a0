package engine

import (
	"math"

	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/vec"
)

// A head is two layers with tanh between them.
type head struct{ first, second affine }

func (r *reader) head(name string, out, in int) head {
	return head{r.affine(name+".0", arch.PolicyHead, in), r.affine(name+".2", out, arch.PolicyHead)}
}

// A verdict is what a policy concludes of a segment: its heads, and its gate if it has one (package rl's).
type verdict struct {
	read, levels   int // numbers that the heads read, and levels of the state
	own            int // actions whose logits the head says, the last ones; all but on a board
	actions, value head
	gated          bool
	gate           head // q_halt and q_continue; it reads what the heads read, and how the thought goes
}

// build asks r for the heads.
func (v *verdict) build(r *reader) {
	if v.own > 0 {
		v.actions = r.head("policy", v.own, v.read)
	}
	v.value = r.head("value", 1, v.read)
	if v.gated {
		width := v.read + v.levels + 2
		v.gate = r.head("gate.q", 2, width)
		r.head("gate.value", 1, width) // which acting does not ask
	}
}

// A teller is a verdict with room for one goroutine.
type teller struct {
	*verdict
	inner, answer vector
	features      vector
	before        [][]float32 // of each level, where there is a gate
}

func (v *verdict) open() *teller {
	t := &teller{verdict: v, inner: newVector(arch.PolicyHead), answer: newVector(max(2, v.own))}
	if v.gated {
		t.features = newVector(v.read + v.levels + 2)
		t.before = make([][]float32, v.levels)
	}
	return t
}

// begin notes the state before a segment.
func (t *teller) begin(z [][]float32) {
	if t.gated {
		for k := range z {
			t.before[k] = append(t.before[k][:0], z[k]...)
		}
	}
}

func (t *teller) apply(h head, x vector) vector {
	h.first.apply(t.inner, x)
	tanh(t.inner[:arch.PolicyHead], t.inner[:arch.PolicyHead])
	h.second.apply(t.answer, t.inner)
	return t.answer
}

// tell writes the head's logits for what the heads read and gives the Q values, zeros without a gate. z is the state
// after the segment, laid out as states say.
func (t *teller) tell(logits []float32, read vector, z [][]float32, states []state) (halt, cont float32) {
	if t.own > 0 {
		copy(logits[len(logits)-t.own:], t.apply(t.actions, read)[:t.own])
	}
	if !t.gated {
		return 0, 0
	}
	f := t.features[copy(t.features, read[:t.read]):]
	for k, st := range states {
		f[k] = moved(z[k], t.before[k], st)
	}
	f[len(states)], f[len(states)+1] = entropy(logits), t.apply(t.value, read)[0]
	q := t.apply(t.gate, t.features)
	return q[0], q[1]
}

// moved is the logarithm (base 10) of how far a level moved, root mean square.
func moved(now, before []float32, st state) float32 {
	sum := 0.0
	for p := range st.places {
		at := p * vec.Pad(st.width)
		for i, x := range now[at : at+st.width] {
			d := float64(x - before[at+i])
			sum += d * d
		}
	}
	return float32(0.5 * math.Log10(sum/float64(st.places*st.width)+1e-12))
}

// entropy is that of a softmax, in nats.
func entropy(logits []float32) float32 {
	most, sum, e := logits[0], 0.0, 0.0
	for _, x := range logits {
		most = max(most, x)
	}
	for _, x := range logits {
		sum += math.Exp(float64(x - most))
	}
	for _, x := range logits {
		lp := float64(x-most) - math.Log(sum)
		e -= math.Exp(lp) * lp
	}
	return float32(e)
}
