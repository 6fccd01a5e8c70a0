// Command v1 wrote v1.trace, a file in version 1 of the format, with the package as it was at commit
// 1742557; later ones write other versions. In a checkout of that commit:
//
//	go run v1.go v1.trace
package main

import (
	"errors"
	"log"
	"os"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
)

func main() {
	w, err := trace.Create(os.Args[1], trace.Header{
		EnvID: "maze/3x2-v0", Model: "maze", Agent: "hrm", Actions: []string{"up", "down", "left", "right"},
		MaxSegments: 16, Rule: "halt-above", Threshold: 0.25, Answer: trace.AnswerDirection,
	})
	if err != nil {
		log.Fatal(err)
	}
	board := grid.Board{Family: "maze", Caption: "go to the goal", Cols: 3, Rows: 2, Cells: make([]grid.Cell, 6), Pieces: []grid.Piece{{X: 2, Y: 1, Kind: 0, Color: 1, Dir: 3}}}
	for i := range board.Cells {
		board.Cells[i] = grid.Cell{Kind: uint8(i), Color: uint8(10 + i), State: uint8(20 + i), Flags: uint8(i % 2)}
	}
	first := trace.Step{Episode: 1, Index: 4, Seed: 1 << 63, Board: board, Action: 2, Reward: -0.5, Return: 1.5}
	for k := range 2 {
		g := trace.Segment{
			QHalt: float32(k) - 0.5, QContinue: 0.75, Halted: k == 1,
			Answer: []uint8{0, 1, 2, 3, 255, uint8(k)}, Confidence: []uint8{250, 200, 150, 100, 50, uint8(9 * k)},
			Actions: []float32{0.125, 0.25, 0.5, 0.125},
			NormH:   []float32{0, 1, 2, 3, 4, 255}, NormL: []float32{510, 0, 2, 4, 6, 8}, // kept exactly in 8 bits
			PathH: [2]float32{1, float32(k)}, PathL: [2]float32{-2, float32(3 * k)},
		}
		if k == 1 {
			for i := range 36 {
				g.AttentionH = append(g.AttentionH, uint8(7*i))
				g.AttentionL = append(g.AttentionL, uint8(255-7*i))
			}
		}
		first.Thought = append(first.Thought, g)
	}
	// A thought that says nothing of its states, and the last state of the episode, without thought.
	second := trace.Step{Episode: 1, Index: 5, Seed: 1 << 63, Board: board, Thought: []trace.Segment{{QHalt: 2, Halted: true}}, Action: 3, Reward: 1, Return: 2.5, Terminated: true}
	last := trace.Step{Episode: 1, Index: 6, Seed: 1 << 63, Board: board, Action: -1, Return: 2.5, Terminated: true}
	if err := errors.Join(w.Put(&first), w.Put(&second), w.Put(&last), w.Close()); err != nil {
		log.Fatal(err)
	}
}
