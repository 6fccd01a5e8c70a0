//go:build cgo && !notorch

package hrm_test

import (
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// A small network thinks three segments about two grids of 2x3 cells. The carry is kept from scope to
// scope; everything else is freed with its own.
func ExampleModel() {
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	m, err := hrm.New(hrm.Config{
		Vocab: 5, Outputs: 4, Seq: 6, Rows: 2, Cols: 3,
		Hidden: 16, Heads: 2, Levels: hrm.HL(1, 1, 2, 2), Inner: 24,
		Positions: hrm.Rope2D, Registers: 1,
	}, params, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()

	var carry hrm.Carry
	defer func() { carry.Drop() }()
	for segment := range 3 {
		err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
			c := carry
			if segment == 0 {
				c = m.Start(s, 2, 6)
			}
			grids := s.Ints([]int64{
				0, 1, 2, 3, 4, 0,
				4, 3, 2, 1, 0, 4,
			}, 2, 6)
			next, out := m.Segment(s, c, hrm.Input{Tokens: grids})
			if segment == 0 {
				fmt.Println("z_H", torch.Shape(next[0]), "logits", torch.Shape(out.Logits), "q_halt", torch.Shape(out.QHalt))
			}
			// The Q head begins at weight 0 and bias -5: halt almost never.
			fmt.Println("segment", segment+1, "q_halt", s.ReadFloats(nil, out.QHalt))
			carry.Drop()
			carry = next.Keep(s)
		})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	// Output:
	// z_H [2 7 16] logits [2 6 4] q_halt [2]
	// segment 1 q_halt [-5 -5]
	// segment 2 q_halt [-5 -5]
	// segment 3 q_halt [-5 -5]
}

// Rows that begin a new task are put back to the start; the others think on.
func ExampleModel_Reset() {
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	m, err := hrm.New(hrm.Config{Vocab: 5, Seq: 6, Hidden: 16, Heads: 2, Levels: hrm.HL(1, 1, 1, 1)}, params, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	err = torch.Do(torch.NoGrad, func(s *torch.Scope) {
		start := m.Start(s, 2, 6)
		after, _ := m.Segment(s, start, hrm.Input{Tokens: s.Ints(make([]int64, 12), 2, 6)})
		reset := m.Reset(s, after, []bool{true, false})
		same := func(a, b *torch.Tensor, row int64) bool {
			return slices.Equal(s.ReadFloats(nil, s.Narrow(a, 0, row, 1)), s.ReadFloats(nil, s.Narrow(b, 0, row, 1)))
		}
		fmt.Println("row 0 is at the start:", same(reset[0], start[0], 0))
		fmt.Println("row 1 goes on:", same(reset[0], after[0], 1) && !same(reset[0], start[0], 1))
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// row 0 is at the start: true
	// row 1 goes on: true
}

// The GRU network reads a sequence as a recurrent network does: one segment an element, the carry
// goes on, and gradients go back through all of them.
func ExampleCell() {
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	c, err := hrm.NewCell(hrm.CellConfig{Input: 3, Low: 8, High: 4, Outputs: 2}, params, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = torch.Do(torch.Grad, func(s *torch.Scope) {
		h := c.Start(s, 1, 0)
		var out hrm.Output
		for _, x := range [][]float32{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}} {
			h, out = c.Think(s, h, s.Floats(x, 1, 3))
		}
		fmt.Println("low", torch.Shape(h[1]), "high", torch.Shape(h[0]), "logits", torch.Shape(out.Logits))
		names, trained := params.Trained()
		for i, g := range s.Gradients(s.Sum(out.Logits), trained[:4]) {
			fmt.Println(names[i], torch.Shape(g))
		}
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// low [1 8] high [1 4] logits [1 2]
	// low.weight_ih [24 7]
	// low.weight_hh [24 8]
	// low.bias_ih [24]
	// low.bias_hh [24]
}

// All that is wrong with a configuration is said at once.
func ExampleConfig_Check() {
	c := hrm.Base27M()
	c.Heads, c.Seq = 7, 0
	fmt.Println(c.Check())
	// Output:
	// hrm config: seq is 0, want 1 to 1048576
	// hidden 512 is not a multiple of heads 7
	// head width 73 is odd: rope needs pairs
}
