package engine_test

import (
	"cmp"
	"errors"
	"fmt"
	"testing"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/env/puzzle"
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
	// 2 segments
}

// TestEverything: there is no network that a recipe, a policy or a shipped model can have which the engine
// refuses; each thinks a segment.
func TestEverything(t *testing.T) {
	segment := func(name string, core think.Core) {
		t.Helper()
		shape := core.Spec().Shape
		rows, err := core.Open(1, shape)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		defer rows.Close()
		var out think.Output
		if err := errors.Join(rows.Begin(0, think.Input{Tokens: make([]int32, shape.Seq)}), rows.Segment([]int{0}, &out)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if want := cmp.Or(core.Spec().Answers, shape.Seq) * core.Spec().Outputs; len(out.Logits) != want || len(out.QHalt) != 1 {
			t.Errorf("%s: %d logits and %d q_halt, want %d and 1", name, len(out.Logits), len(out.QHalt), want)
		}
		for _, x := range out.Logits {
			if x-x != 0 {
				t.Errorf("%s: a logit is %v", name, x)
				break
			}
		}
	}
	for _, name := range models.Names() {
		m, err := engine.Shipped(name, models.Open)
		if err != nil {
			t.Error(err)
			continue
		}
		segment("model "+name, m.Core)
		m.Close()
	}
	for _, name := range learn.Presets() {
		r, err := learn.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if r.Cell == nil && r.Spec().Seq == 0 {
			r.Learn("sudoku:30-36", puzzle.Shape{SeqLen: 81, Vocab: 11, Identifiers: 3}, 9, 9)
		}
		c := r.Model
		c.PuzzleIDs = min(c.PuzzleIDs, 3)
		for i := range c.Levels {
			c.Levels[i].Layers = min(c.Levels[i].Layers, 1)
		}
		m, err := engine.New(c, engine.Weights(c, 1))
		if err != nil {
			t.Errorf("preset %s: %v", name, err)
			continue
		}
		segment("preset "+name, m)
	}
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
