package puzzle_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/env/puzzle"
)

// A small recipe trains on rows made on the fly. Its position is a few bytes in the checkpoint.
func ExampleGenerate() {
	shape := puzzle.Shape{SeqLen: 3, Vocab: 10, Identifiers: 1}
	sorted := func(rng *rand.Rand, in, label []int32) (int32, error) {
		low := rng.Int32N(8)
		copy(in, []int32{low + 1, low, low + 1})
		copy(label, []int32{low, low + 1, low + 1})
		return 0, nil
	}
	a := puzzle.Generate(shape, 7, sorted)
	in, label := make([]int32, 3), make([]int32, 3)
	a.Next(in, label)
	position := a.AppendState(nil)
	a.Next(in, label)
	want := fmt.Sprint(in, label)

	b := puzzle.Generate(shape, 7, sorted)
	if err := b.SetState(position); err != nil {
		fmt.Println(err)
	}
	b.Next(in, label)
	fmt.Println(len(position), "bytes, the same row:", fmt.Sprint(in, label) == want)
	// Output: 20 bytes, the same row: true
}
