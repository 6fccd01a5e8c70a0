package rl

// Thoughts are what n rows thought in t decisions, as a [Gate] learns from it. A decision is a chain of
// thoughts, of which the last acts.
type thoughts struct {
	steps, rows, most int
	width             int // of the features

	at       []int32   // [steps][rows][most] which thought segment m was; those beyond the last are of no account
	segments []int32   // [steps][rows]
	rewards  []float32 // [steps][rows] with what a cut episode adds
	done     []bool    // [steps][rows]
	next     []float32 // [rows] the value of the first thought that would follow

	// Of each thought:
	features []float32 // [][width]
	halt     []bool    // it acted
	forced   []bool    // it was the last that was allowed
	logProb  []float32 // of halting or going on, whichever it did
	values   []float32

	advantages, returns []float32 // by estimate
}

func newThoughts(steps, rows, most, width int) *thoughts {
	n := steps * rows
	return &thoughts{
		steps: steps, rows: rows, most: most, width: width,
		at: make([]int32, n*most), segments: make([]int32, n), rewards: make([]float32, n), done: make([]bool, n), next: make([]float32, rows),
	}
}

// clear forgets the thoughts.
func (r *thoughts) clear() {
	r.features, r.halt, r.forced, r.logProb, r.values = r.features[:0], r.halt[:0], r.forced[:0], r.logProb[:0], r.values[:0]
}

// estimate fills in advantages and returns. Thinking on costs price and leads to the next thought,
// undiscounted; acting brings the reward, and gamma times the first thought after it less its price. Each
// thought is so paid for once; the first of all, which nobody chose, is the decision's before. Lambda is
// of acting alone: within a decision what came is taken as it came.
func (r *thoughts) estimate(gamma, lambda, price float64) {
	n := len(r.values)
	r.advantages, r.returns = append(r.advantages[:0], make([]float32, n)...), append(r.returns[:0], make([]float32, n)...)
	for i := range r.rows {
		after, ahead := float64(r.next[i]), 0.0 // value and advantage of the next decision's first thought
		for t := r.steps - 1; t >= 0; t-- {
			k := t*r.rows + i
			live := gamma
			if r.done[k] {
				live = 0
			}
			target := float64(r.rewards[k]) + live*(after-price)
			ahead *= live * lambda
			for m := r.segments[k] - 1; m >= 0; m-- {
				id := r.at[k*r.most+int(m)]
				v := float64(r.values[id])
				ahead += target - v
				r.advantages[id], r.returns[id] = float32(ahead), float32(ahead+v)
				after, target = v, v-price
			}
		}
	}
}
