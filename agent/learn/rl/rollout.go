package rl

import "github.com/ponder-agents/ponder/torch/safetensors"

// Decisions are what was seen and done, one after the other.
type Decisions struct {
	Obs      []byte  // [][obsLen] what was seen
	Actions  []int32 //
	Fresh    []bool  // the observation is the first of its episode
	Segments []int32 // thought before the action
}

func newDecisions(n, obsLen int) Decisions {
	return Decisions{Obs: make([]byte, n*obsLen), Actions: make([]int32, n), Fresh: make([]bool, n), Segments: make([]int32, n)}
}

// batch is the decisions ids as tensors.
func (d *Decisions) batch(ids []int, obsLen int) map[string]safetensors.Tensor {
	n := int64(len(ids))
	return map[string]safetensors.Tensor{
		"obs":      safetensors.OfUint8s([]int64{n, int64(obsLen)}, rowsOf(d.Obs, ids, obsLen)),
		"actions":  safetensors.OfInt32s([]int64{n}, picked(d.Actions, ids)),
		"fresh":    safetensors.OfBools([]int64{n}, picked(d.Fresh, ids)),
		"segments": safetensors.OfInt32s([]int64{n}, picked(d.Segments, ids)),
	}
}

// picked is the entries ids of x.
func picked[T any](x []T, ids []int) []T {
	y := make([]T, len(ids))
	for i, k := range ids {
		y[i] = x[k]
	}
	return y
}

// rowsOf gathers observations.
func rowsOf(obs []byte, ids []int, obsLen int) []byte {
	out := make([]byte, 0, len(ids)*obsLen)
	for _, k := range ids {
		out = append(out, obs[k*obsLen:(k+1)*obsLen]...)
	}
	return out
}

// A Rollout is what n rows did in t steps: the slabs are [t][n], time outermost.
type Rollout struct {
	Steps, Rows int
	Decisions
	LogProb []float32 // of the action, when it was chosen
	Values  []float32 // [t+1][n]; the last are of what is seen now
	Rewards []float32 // with what bonuses and truncated episodes add
	Done    []bool    // the episode ended with the step
	Oracle  []int32   // what the oracle would have done, -1 where it knew no way; nil if none is imitated

	cuts []cutOff // where a limit ended an episode, if they are kept

	Advantages []float32 // by Estimate
	Returns    []float32 // Advantages + Values: what the values are to become
}

// NewRollout makes room.
func NewRollout(steps, rows, obsLen int) *Rollout {
	n := steps * rows
	return &Rollout{
		Steps: steps, Rows: rows, Decisions: newDecisions(n, obsLen),
		LogProb: make([]float32, n), Values: make([]float32, n+rows), Rewards: make([]float32, n), Done: make([]bool, n),
		Advantages: make([]float32, n), Returns: make([]float32, n),
	}
}

// Estimate fills in Advantages and Returns: generalised advantage estimation (arXiv:1506.02438, equation
// 16) with discount gamma and lambda. An episode that ended adds nothing of what came after; one that a
// limit cut off has the value of where it stood in its last reward already.
func (r *Rollout) Estimate(gamma, lambda float64) {
	for i := range r.Rows {
		next := 0.0
		for t := r.Steps - 1; t >= 0; t-- {
			k := t*r.Rows + i
			live := 1.0
			if r.Done[k] {
				live = 0
			}
			delta := float64(r.Rewards[k]) + gamma*live*float64(r.Values[k+r.Rows]) - float64(r.Values[k])
			next = delta + gamma*lambda*live*next
			r.Advantages[k] = float32(next)
			r.Returns[k] = r.Advantages[k] + r.Values[k]
		}
	}
}
