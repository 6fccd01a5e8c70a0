package arch

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBoard compares the groups of a 4x4 board with those written down by hand.
func TestBoard(t *testing.T) {
	got := Board(Boxes(4))
	want := Groups{
		"line": {{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}, {12, 13, 14, 15}, {0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14}, {3, 7, 11, 15}},
		"box":  {{0, 1, 4, 5}, {2, 3, 6, 7}, {8, 9, 12, 13}, {10, 11, 14, 15}},
		"mini": {
			{0, 1},
			{2, 3},
			{4, 5},
			{6, 7},
			{8, 9},
			{10, 11},
			{12, 13},
			{14, 15},
			{0, 4},
			{8, 12},
			{1, 5},
			{9, 13},
			{2, 6},
			{10, 14},
			{3, 7},
			{11, 15},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("4x4 (-want +got):\n%s", diff)
	}
	for _, side := range []int{4, 6, 9, 16, 25} {
		g := Board(Boxes(side))
		for _, kind := range []string{"line", "box", "mini"} {
			of := map[int]int{} // groups of each cell
			for _, group := range g[kind] {
				for _, cell := range group {
					of[cell]++
				}
			}
			for cell := range side * side {
				if of[cell] != map[string]int{"line": 2, "box": 1, "mini": 2}[kind] {
					t.Errorf("%dx%d: cell %d is in %d groups of kind %q", side, side, cell, of[cell], kind)
				}
			}
		}
	}
}

// TestBoxes: the boxes nearest to a square, by hand.
func TestBoxes(t *testing.T) {
	want := []int{
		0, 0, 0, 1, 1, 1,
		0, 0, 0, 1, 1, 1,
		2, 2, 2, 3, 3, 3,
		2, 2, 2, 3, 3, 3,
		4, 4, 4, 5, 5, 5,
		4, 4, 4, 5, 5, 5,
	}
	if diff := cmp.Diff(want, Boxes(6)); diff != "" {
		t.Errorf("6 rows (-want +got):\n%s", diff)
	}
	if got := Boxes(9); got[9*4+4] != 4 || got[80] != 8 {
		t.Errorf("9 rows: %v", got)
	}
}

// TestJigsaw: regions of any shape, whose minis are what they share with a line, and diagonals as lines.
func TestJigsaw(t *testing.T) {
	g := Board([]int{0, 0, 0, 1, 0, 1, 2, 1, 2, 2, 3, 1, 2, 3, 3, 3}, []int{0, 5, 10, 15})
	if diff := cmp.Diff([][]int{{0, 1, 2, 4}, {3, 5, 7, 11}, {6, 8, 9, 12}, {10, 13, 14, 15}}, g["box"]); diff != "" {
		t.Errorf("boxes (-want +got):\n%s", diff)
	}
	minis := [][]int{{0, 1, 2}, {5, 7}, {8, 9}, {13, 14, 15}, {0, 4}, {8, 12}, {10, 14}, {3, 7, 11}}
	if diff := cmp.Diff(minis, g["mini"]); diff != "" {
		t.Errorf("minis (-want +got):\n%s", diff)
	}
	if n := len(g["line"]); n != 9 || cmp.Diff([]int{0, 5, 10, 15}, g["line"][8]) != "" {
		t.Errorf("%d lines, the last %v", n, g["line"][n-1])
	}
}

// TestGroupIndex names what does not fit.
func TestGroupIndex(t *testing.T) {
	for want, g := range map[string]Groups{
		`kind "bag"`:         {"bag": {{0}}},
		"cell 4, the board":  {"line": {{0, 1}, {3, 4}}},
		"cell -1, the board": {"line": {{-1}}},
	} {
		if _, err := g.Index([]string{"line"}, 4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", g, err, want)
		}
	}
}

// TestGroupedConfig: what goes with mixing by groups, and what belongs to it alone.
func TestGroupedConfig(t *testing.T) {
	good := Config{Vocab: 11, Seq: 81, Rows: 9, Cols: 9, Hidden: 8, Heads: 1, Levels: HL(1, 1, 1, 1), Mixing: Grouped, Positions: NoPos, Kinds: []string{"line"}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	sp := good.Spec()
	if got := []int{sp.Tokens(81), sp.Tokens(36), sp.Tokens(256), sp.States[0].Len(36)}; !cmp.Equal(got, []int{11, 8, 18, 6 * 36 * 8}) {
		t.Errorf("tokens of 9x9, 6x6, 16x16 and numbers of a 6x6 state: %v", got)
	}
	for want, spoil := range map[string]func(c *Config){
		"without registers":        func(c *Config) { c.Registers = 1 },
		"needs kinds":              func(c *Config) { c.Kinds = nil },
		`kind 2 is "line"`:         func(c *Config) { c.Kinds = []string{"line", "line"} },
		"more than the 9 symbols":  func(c *Config) { c.Vocab = 9 },
		"outputs is 4, want vocab": func(c *Config) { c.Outputs = 4 },
		"belong to mixing":         func(c *Config) { c.Mixing = Attention },
	} {
		c := good
		spoil(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
