package arch

import (
	"fmt"
	"slices"
)

// Groups say which cells of a board belong together, by kind: the cells of each group of a kind,
// counted row by row. They are data, so that weights trained on one board think about others: a kind
// may have any number of groups of any size, and a cell may be in several groups of a kind or in none.
//
//	Groups{"line": {{0, 1, 2}, {3, 4, 5}, …, {0, 3, 6}, …}}  // rows and columns share their weights
type Groups map[string][][]int

// A GroupIndex is Groups in the order of Config.Kinds, flat: what the blocks of Grouped mixing read.
type GroupIndex struct {
	Cells   int
	Kinds   []int // [kinds+1] groups before each kind, and all of them
	Starts  []int // [groups+1] members before each group
	Members []int // cells
}

// Index checks g against the kinds of a network and the cells of a board.
func (g Groups) Index(kinds []string, cells int) (*GroupIndex, error) {
	for kind := range g {
		if !slices.Contains(kinds, kind) {
			return nil, fmt.Errorf("groups of kind %q, the network knows %q", kind, kinds)
		}
	}
	x := &GroupIndex{Cells: cells, Kinds: []int{0}, Starts: []int{0}}
	for _, kind := range kinds {
		for i, group := range g[kind] {
			for _, cell := range group {
				if cell < 0 || cell >= cells {
					return nil, fmt.Errorf("group %d of kind %q has cell %d, the board has %d", i, kind, cell, cells)
				}
			}
			x.Members = append(x.Members, group...)
			x.Starts = append(x.Starts, len(x.Members))
		}
		x.Kinds = append(x.Kinds, len(x.Starts)-1)
	}
	return x, nil
}

// groups is the number of groups of all kinds.
func (x *GroupIndex) groups() int { return len(x.Starts) - 1 }

// Incidence is, for one kind, the matrix [groups, cells] of who is a member, and its transpose.
func (x *GroupIndex) Incidence(kind int) (rows, cols []float32) {
	from, to := x.Kinds[kind], x.Kinds[kind+1]
	n := to - from
	rows, cols = make([]float32, n*x.Cells), make([]float32, n*x.Cells)
	for g := range n {
		for _, cell := range x.Members[x.Starts[from+g]:x.Starts[from+g+1]] {
			rows[g*x.Cells+cell]++
			cols[cell*n+g]++
		}
	}
	return rows, cols
}

// Flat is x for the fused operation: cells, kinds, groups, members, then the groups before each kind,
// the members before each group, the members; then for the way back the groups before each cell and
// the groups of each.
func (x *GroupIndex) Flat() []int64 {
	out := []int64{int64(x.Cells), int64(len(x.Kinds) - 1), int64(x.groups()), int64(len(x.Members))}
	of := make([][]int, x.Cells)
	for g := range x.groups() {
		for _, cell := range x.Members[x.Starts[g]:x.Starts[g+1]] {
			of[cell] = append(of[cell], g)
		}
	}
	before, all := []int{0}, []int(nil)
	for _, gs := range of {
		all = append(all, gs...)
		before = append(before, len(all))
	}
	for _, part := range [][]int{x.Kinds, x.Starts, x.Members, before, all} {
		for _, v := range part {
			out = append(out, int64(v))
		}
	}
	return out
}

// Board is the cells of a square board of digits that belong together, by kind: "line" the rows and columns,
// "box" the regions, "mini" what a region shares with a line, if that is more than one cell. region is the
// number of every cell's, so that they may have any shape (jigsaw); more are further groups that hold every
// digit once, such as the diagonals, and count as lines.
func Board(region []int, more ...[]int) Groups {
	side := perRow(PerRow, len(region))
	boxes := slices.Max(region) + 1
	lines, inside, minis := make([][]int, 2*side), make([][]int, boxes), make([][]int, 2*side*boxes)
	for cell, b := range region {
		inside[b] = append(inside[b], cell)
		for _, line := range []int{cell / side, side + cell%side} {
			lines[line] = append(lines[line], cell)
			minis[line*boxes+b] = append(minis[line*boxes+b], cell)
		}
	}
	minis = slices.DeleteFunc(minis, func(m []int) bool { return len(m) < 2 })
	return Groups{"line": append(lines, more...), "box": inside, "mini": minis}
}

// Boxes is the number of every cell's box on a board of so many rows, counted row by row: the boxes of as many
// cells that are nearest to a square, 2x2 for 4 rows, 2x3 for 6, 3x3 for 9, 4x4 for 16.
func Boxes(side int) []int {
	height := 1
	for h := 2; h*h <= side; h++ {
		if side%h == 0 {
			height = h
		}
	}
	box := make([]int, side*side)
	for cell := range box {
		box[cell] = cell/side/height*height + cell%side/(side/height)
	}
	return box
}

// SymbolsOf is how many symbols a cell of a board of seq cells may hold.
func (c Config) SymbolsOf(seq int) int {
	if c.Symbols > 0 {
		return c.Symbols
	}
	return perRow(PerRow, seq)
}

// Marks is the number of tokens that are no symbol: padding and the empty cell. They come first.
func (c Config) Marks() int { return c.Vocab - c.SymbolsOf(c.Seq) }

// checkGroups reports what does not go together with Grouped mixing.
func (c Config) checkGroups(bad func(cond bool, format string, args ...any)) {
	if c.Mixing != Grouped {
		bad(len(c.Kinds) > 0 || c.Symbols != 0 || c.Message != 0 || c.Feedback || c.Settled, "kinds, symbols, message, feedback and settled belong to mixing %q, it is %q", Grouped, c.Mixing)
		return
	}
	bad(c.Positions != NoPos || c.Registers > 0 || c.PuzzleDim > 0 || c.GridEmbed || c.Conv || c.Bias != NoBias, "mixing %q goes with positions %q and without registers, puzzle embedding, grid_embed, conv and bias", Grouped, NoPos)
	bad(len(c.Kinds) == 0, "mixing %q needs kinds of groups", Grouped)
	for i, kind := range c.Kinds {
		bad(kind == "" || slices.Contains(c.Kinds[:i], kind), "kind %d is %q: want names that differ", i+1, kind)
	}
	bad(c.Symbols < 0 || c.Message < 0, "symbols is %d and message %d, want none negative", c.Symbols, c.Message)
	bad(c.Seq > 0 && c.SymbolsOf(c.Seq) >= c.Vocab, "vocab is %d, want more than the %d symbols of a cell: a token for the empty one", c.Vocab, c.SymbolsOf(c.Seq))
	bad(c.Outputs != c.Vocab, "outputs is %d, want vocab %d: an answer is a symbol", c.Outputs, c.Vocab)
}
