package engine_test

import (
	"fmt"
	"testing"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/models"
)

// The shipped network solves a sudoku (that of Wikipedia's article). Tokens are 1 for an empty cell, a
// digit and 1 else.
func Example() {
	const puzzle = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
	m, err := engine.Shipped("sudoku", models.Open)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	rows, err := m.Core.Open(1, m.Core.Spec().Shape)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rows.Close()
	in := think.Input{Tokens: make([]int32, 81)}
	for i, c := range puzzle {
		in.Tokens[i] = 1
		if c != '.' {
			in.Tokens[i] = c - '0' + 1
		}
	}
	if err := rows.Begin(0, in); err != nil {
		fmt.Println(err)
		return
	}
	var out think.Output
	segments := 0
	for len(out.QHalt) == 0 || out.QHalt[0] <= m.Usage.Halting.Threshold {
		if err := rows.Segment([]int{0}, &out); err != nil {
			fmt.Println(err)
			return
		}
		segments++
	}
	for i, given := range puzzle {
		answer := out.Logits[i*11 : (i+1)*11]
		best := 0
		for k, x := range answer {
			if x > answer[best] {
				best = k
			}
		}
		if given != '.' {
			best = int(given-'0') + 1 // the network answers what is asked for, no more
		}
		fmt.Print(best - 1)
		if i%9 == 8 {
			fmt.Println()
		}
	}
	fmt.Println(segments, "segments")
	// Output:
	// 534678912
	// 672195348
	// 198342567
	// 859761423
	// 426853791
	// 713924856
	// 961537284
	// 287419635
	// 345286179
	// 3 segments
}

func BenchmarkSegment(b *testing.B) {
	for _, s := range []struct {
		model string
		side  int
	}{{"maze", 15}, {"maze-path", 30}, {"sudoku", 9}} {
		b.Run(fmt.Sprintf("%s/%dx%d", s.model, s.side, s.side), func(b *testing.B) {
			m, err := engine.Shipped(s.model, models.Open)
			if err != nil {
				b.Fatal(err)
			}
			defer m.Close()
			rows, err := m.Core.Open(1, think.Shape{Seq: s.side * s.side, Rows: s.side, Cols: s.side})
			if err != nil {
				b.Fatal(err)
			}
			defer rows.Close()
			in := think.Input{Tokens: make([]int32, s.side*s.side)}
			for i := range in.Tokens {
				in.Tokens[i] = int32(i*i) % int32(m.Core.Spec().Vocab)
			}
			if err := rows.Begin(0, in); err != nil {
				b.Fatal(err)
			}
			var out think.Output
			all := []int{0}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if err := rows.Segment(all, &out); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "segments/s")
		})
	}
}
