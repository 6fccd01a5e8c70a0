package arcs_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/agent/task/arcs"
	"github.com/ponder-agents/ponder/env/arc"
)

// Answers to augmented copies of an ARC test vote once they are put back.
func ExampleVoter() {
	input := arc.Grid{Rows: 1, Cols: 2, Cells: []uint8{1, 2}}
	truth := arc.Grid{Rows: 2, Cols: 1, Cells: []uint8{2, 1}}
	wrong := arc.Grid{Rows: 1, Cols: 1, Cells: []uint8{5}}
	frame := func(g arc.Grid) []int32 {
		tokens := make([]int32, arcs.Side*arcs.Side)
		arcs.Frame(tokens, &g, 0, 0)
		return tokens
	}
	var v arcs.Voter
	for i, answer := range []arc.Grid{truth, wrong, truth} {
		aug := arcs.RandomAugmentation(rand.New(rand.NewPCG(1, uint64(i))))
		v.Add(aug.Name("flip"), frame(aug.Apply(input)), frame(aug.Apply(truth)), frame(aug.Apply(answer)), 2)
	}
	tasks := v.Tasks()
	best := tasks[0].Tests[0].Answers[0]
	strict, _ := arcs.Pass(tasks, 1)
	fmt.Printf("%s: %v with %d votes, pass@1 %.0f %%\n", tasks[0].Task, best.Grid.Cells, best.Votes, 100*strict)
	// Output: flip: [2 1] with 2 votes, pass@1 100 %
}
