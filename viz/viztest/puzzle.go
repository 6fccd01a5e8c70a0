package viztest

import (
	"math"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/grid"
)

// Sudoku is a decision of n segments about a sudoku, with its header: each segment has more digits
// right. Cells hold their digit as Kind, givens carry grid.FlagGiven.
func Sudoku(n int) (trace.Header, *trace.Step) {
	// A solution by shifting rows, and which cells are given.
	r := rand.New(rand.NewPCG(3, 9))
	solution := make([]uint8, 81)
	for i := range solution {
		x, y := i%9, i/9
		solution[i] = uint8((y*3+y/3+x)%9 + 1)
	}
	b := grid.Board{Family: "sudoku", Cols: 9, Rows: 9, Cells: make([]grid.Cell, 81), Caption: "fill every row, column and box with 1 to 9"}
	for i := range b.Cells {
		if r.IntN(5) < 2 {
			b.Cells[i] = grid.Cell{Kind: solution[i], State: solution[i], Flags: grid.FlagGiven}
		}
	}
	s := &trace.Step{Board: b, Seed: 9, Action: -1}
	h := trace.Header{EnvID: "sudoku/9x9-v0", Model: "sudoku", Agent: "hrm", MaxSegments: 16, Rule: "halt-over-continue", Answer: trace.AnswerDigit, Levels: []string{"H", "L"}}
	settle := make([]int, 81) // segment in which a cell is right
	for i := range settle {
		settle[i] = r.IntN(n)
	}
	for k := range n {
		g := trace.Segment{Answer: make([]uint8, 81), Confidence: make([]uint8, 81)}
		high, low := trace.Level{Change: make([]float32, 81)}, trace.Level{Change: make([]float32, 81)}
		wrong := 0
		for i := range g.Answer {
			g.Answer[i], g.Confidence[i] = solution[i], uint8(200+55*(k+1)/n)
			if b.Cells[i].Flags == 0 && settle[i] > k {
				g.Answer[i], g.Confidence[i] = uint8(r.IntN(9)+1), uint8(70+r.IntN(90))
				wrong++
			}
			high.Change[i] = float32(g.Confidence[i]) / 255 / float32(k+1)
			low.Change[i] = 1.2 * high.Change[i]
		}
		g.QHalt = 2.2 - float32(wrong)/8
		g.QContinue = float32(wrong)/10 - 0.6
		g.Halted = k == n-1
		sin, cos := math.Sincos(float64(k) * 0.8)
		high.Path = [2]float32{float32(3 * cos / float64(k+1)), float32(2 * sin / float64(k+1))}
		low.Path = [2]float32{float32(sin / float64(k+1)), float32(2 * cos / float64(k+1))}
		g.Levels = []trace.Level{high, low}
		s.Thought = append(s.Thought, g)
	}
	return h, s
}

// ARC is a decision of n segments about a grid of colours, with its header. Cells hold their colour
// as Color.
func ARC(n int) (trace.Header, *trace.Step) {
	const side = 12
	b := grid.Board{Family: "arc", Cols: side, Rows: side, Cells: make([]grid.Cell, side*side), Caption: "find the rule, paint the answer"}
	want := make([]uint8, side*side)
	for i := range want {
		x, y := i%side, i/side
		switch {
		case x == y || x == side-1-y:
			want[i] = 2
		case (x-5)*(x-5)+(y-5)*(y-5) < 14:
			want[i] = 4
		case y == 9:
			want[i] = 1
		}
		if x < side/2 {
			b.Cells[i].Color = want[i]
		}
	}
	r := rand.New(rand.NewPCG(4, 4))
	s := &trace.Step{Board: b, Seed: 4, Action: -1}
	h := trace.Header{EnvID: "arc/3631a71a-v0", Model: "arc", Agent: "hrm", MaxSegments: 16, Rule: "halt-above", Answer: trace.AnswerColor, Levels: []string{"H", "L"}}
	for k := range n {
		g := trace.Segment{Answer: make([]uint8, side*side), Confidence: make([]uint8, side*side)}
		for i := range g.Answer {
			x := i % side
			g.Answer[i], g.Confidence[i] = want[i], 250
			if x >= (k+2)*side/(n+1) {
				g.Answer[i], g.Confidence[i] = uint8(r.IntN(10)), uint8(50+r.IntN(60))
			}
		}
		g.QHalt = float32(k) - float32(n) + 1.8
		g.Halted = k == n-1
		s.Thought = append(s.Thought, g)
	}
	return h, s
}
