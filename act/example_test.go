package act_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/act"
)

func ExampleHalter() {
	h, _ := act.New(act.Config{MaxSegments: 4}, 2, nil)
	h.Step(act.Q{Halt: []float32{1, -1}, Continue: []float32{0, 0}})
	fmt.Println(h.Halted(), h.Segments())
	// Output: [true false] [1 1]
}

// A decision: every row thinks until it has halted, and those that have are left out of the batch.
func ExampleHalter_Compact() {
	// segment stands for the network: row b is sure after b+1 segments.
	thought := make([]int, 3)
	segment := func(rows []int) (q act.Q) {
		for _, b := range rows {
			thought[b]++
			q.Halt = append(q.Halt, float32(thought[b]-b)-0.5)
		}
		return q
	}
	h, _ := act.New(act.Config{MaxSegments: 8, Rule: act.HaltAbove}, 3, nil)
	for rows := []int{0, 1, 2}; len(rows) > 0; rows = h.Compact(rows[:0]) {
		fmt.Println("rows", rows)
		h.StepRows(rows, segment(rows))
	}
	fmt.Println("segments", h.Segments())
	// Output:
	// rows [0 1 2]
	// rows [1 2]
	// rows [2]
	// segments [1 2 3]
}

// Training: rows that have halted are filled with the next examples, the others go on.
func ExampleHalter_Halted() {
	h, _ := act.New(act.Config{MaxSegments: 2, ExplorationProb: 0.1}, 2, act.FromRand(rand.New(rand.NewPCG(1, 2))))
	next := 0
	row := make([]int, 2)
	for range 3 {
		for b, halted := range h.Halted() {
			if halted {
				row[b] = next
				next++
			}
		}
		h.Step(act.Q{Halt: []float32{1, -1}, Continue: []float32{0, 0}}) // of the network, on the examples row
		fmt.Println("examples", row, "halted", h.Halted())
	}
	// Output:
	// examples [0 1] halted [true false]
	// examples [2 1] halted [true true]
	// examples [3 4] halted [true false]
}

// Draws that were recorded replay a run: here row 0 may not halt before its segment 2, though it
// would.
func ExampleRecorded() {
	h, _ := act.New(act.Config{MaxSegments: 4, ExplorationProb: 0.5}, 2, &act.Recorded{
		Uniform: [][]float32{{0.2, 0.9}, {0.7, 0.6}},
		Integer: [][]int32{{2, 3}, {4, 2}},
	})
	for range 2 {
		h.Step(act.Q{Halt: []float32{1, 1}, Continue: []float32{0, 0}})
		fmt.Println("minimum", h.MinSegments(), "segments", h.Segments(), "halted", h.Halted())
	}
	// Output:
	// minimum [2 0] segments [1 1] halted [false true]
	// minimum [0 0] segments [2 1] halted [true true]
}

func ExampleAppendTargets() {
	next := act.Q{Halt: []float32{0, 0}, Continue: []float32{2, 2}}
	fmt.Printf("%.3f\n", act.AppendTargets(nil, next, []bool{false, true}))
	// Output: [0.881 0.500]
}
