package act

import (
	"fmt"
	"math/rand/v2"
)

// Draws are the random numbers of exploration.
type Draws interface {
	// Uniforms fills dst with numbers in [0, 1).
	Uniforms(dst []float32)
	// Integers fills dst with uniform integers in [lo, hi].
	Integers(dst []int32, lo, hi int32)
}

// FromRand draws from r, whose state the caller saves to resume exactly.
func FromRand(r *rand.Rand) Draws { return randDraws{r} }

type randDraws struct{ r *rand.Rand }

func (d randDraws) Uniforms(dst []float32) {
	for i := range dst {
		dst[i] = d.r.Float32()
	}
}

func (d randDraws) Integers(dst []int32, lo, hi int32) {
	for i := range dst {
		dst[i] = lo + d.r.Int32N(hi-lo+1)
	}
}

// Recorded replays draws, one element of each slice a Step; it panics when they are used up or not
// of the length asked for.
type Recorded struct {
	Uniform [][]float32
	Integer [][]int32
}

// Uniforms copies the next recorded uniforms.
func (d *Recorded) Uniforms(dst []float32) { d.Uniform = replay(d.Uniform, dst) }

// Integers copies the next recorded integers.
func (d *Recorded) Integers(dst []int32, _, _ int32) { d.Integer = replay(d.Integer, dst) }

func replay[T any](record [][]T, dst []T) [][]T {
	if len(record) == 0 || len(record[0]) != len(dst) {
		panic(fmt.Sprintf("act: %d draws asked for that were not recorded", len(dst)))
	}
	copy(dst, record[0])
	return record[1:]
}
