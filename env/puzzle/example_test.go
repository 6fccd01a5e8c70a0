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

// Answers to augmented copies of an ARC test vote once they are put back.
func ExampleVoter() {
	input := puzzle.Grid{Rows: 1, Cols: 2, Cells: []uint8{1, 2}}
	truth := puzzle.Grid{Rows: 2, Cols: 1, Cells: []uint8{2, 1}}
	wrong := puzzle.Grid{Rows: 1, Cols: 1, Cells: []uint8{5}}
	frame := func(g puzzle.Grid) []int32 {
		tokens := make([]int32, puzzle.ARCSide*puzzle.ARCSide)
		g.Frame(tokens, 0, 0)
		return tokens
	}
	var v puzzle.Voter
	for i, answer := range []puzzle.Grid{truth, wrong, truth} {
		aug := puzzle.RandomAugmentation(rand.New(rand.NewPCG(1, uint64(i))))
		v.Add(aug.Name("flip"), frame(aug.Apply(input)), frame(aug.Apply(truth)), frame(aug.Apply(answer)), 2)
	}
	tasks := v.Tasks()
	best := tasks[0].Tests[0].Answers[0]
	strict, _ := puzzle.Pass(tasks, 1)
	fmt.Printf("%s: %v with %d votes, pass@1 %.0f %%\n", tasks[0].Task, best.Grid.Cells, best.Votes, 100*strict)
	// Output: flip: [2 1] with 2 votes, pass@1 100 %
}
