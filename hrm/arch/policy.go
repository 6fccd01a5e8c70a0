package arch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/internal/problems"
)

// A PolicyConfig describes a network that acts (package rl). The zero values are the HRM's that learn MiniGrid
// best here.
type PolicyConfig struct {
	Kind    string `json:"kind" toml:"kind"`         // one of PolicyKinds; "" means "hrm"
	Hidden  int    `json:"hidden" toml:"hidden"`     // width of the state; 0 means 64
	LCycles int    `json:"l_cycles" toml:"l_cycles"` // hrm: updates of z_L for each of z_H; 0 means 2
	Window  int    `json:"window" toml:"window"`     // transformer: steps that it looks back on; 0 means 32
	FiLM    bool   `json:"film" toml:"film"`         // the mission scales and shifts the channels of what is seen, cells and convolutions (Perez et al. 2018, arXiv:1709.07871)
}

// The widths of what all policies have.
const (
	PolicyEmbedding = 16 // of what stands for one number of an image
	PolicyMission   = 32 // of what stands for a mission
	PolicyHead      = 64 // inside a head
	PolicyCellSteps = 4  // low steps of a segment of kind "cell"
)

// Board is the network of an HRM that fills in a square board of so many cells, whose numbers are below vocab and the
// last symbols of which actions put there: it mixes by groups, so that relabelled, turned or with rows exchanged
// the board is answered alike.
func (c PolicyConfig) Board(cells, symbols, vocab int) Config {
	c = c.WithDefaults()
	side := perRow(PerRow, cells)
	return Config{
		Vocab: vocab, Seq: cells, Rows: side, Cols: side, Hidden: c.Hidden, Heads: 1, Inner: c.Hidden, Message: (c.Hidden + 1) / 2,
		Levels: []Level{{Name: "H", Layers: 1, Cycles: 1}, {Name: "L", Layers: 1, Cycles: c.LCycles}},
		Mixing: Grouped, Kinds: []string{"line", "box", "mini"}, Symbols: symbols, Positions: NoPos,
	}
}

// PolicyKinds are the kinds in the order of the help.
func PolicyKinds() []string { return []string{"hrm", "cell", "conv", "gru", "lstm", "transformer"} }

// WithDefaults fills in what zero values mean.
func (c PolicyConfig) WithDefaults() PolicyConfig {
	if c.Kind == "" {
		c.Kind = "hrm"
	}
	for _, f := range []struct {
		p *int
		v int
	}{{&c.Hidden, 64}, {&c.LCycles, 2}, {&c.Window, 32}} {
		if *f.p == 0 {
			*f.p = f.v
		}
	}
	return c
}

// Check reports every problem of c at once.
func (c PolicyConfig) Check() error {
	c = c.WithDefaults()
	var bad problems.List
	bad.Add(!slices.Contains(PolicyKinds(), c.Kind), "kind", "%q, want one of %s", c.Kind, strings.Join(PolicyKinds(), ", "))
	bad.Add(c.Hidden < 1 || c.Hidden > 4096, "hidden", "%d, want 1 to 4096", c.Hidden)
	bad.Add(c.LCycles < 1 || c.LCycles > 64, "l_cycles", "%d, want 1 to 64", c.LCycles)
	bad.Add(c.Window < 1 || c.Window > 1024, "window", "%d, want 1 to 1024", c.Window)
	if err := bad.Err(); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	return nil
}

// Levels are what the parts of the state are called, the slowest first; none for a network without memory.
func (c PolicyConfig) Levels() []string {
	switch c.WithDefaults().Kind {
	case "hrm", "cell":
		return []string{"H", "L"}
	case "lstm":
		return []string{"h", "c"}
	case "transformer":
		return []string{"past", "there"}
	case "conv":
		return nil
	}
	return []string{"h"}
}
