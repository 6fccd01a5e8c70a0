package speed

import (
	"testing"

	"github.com/ponder-agents/ponder/hrm/arch"
)

// TestLocal: blocks of a local level have a feed-forward and nothing else.
func TestLocal(t *testing.T) {
	c := arch.Config{Vocab: 3, Seq: 4, Rows: 2, Cols: 2, Hidden: 2, Heads: 1, Inner: 3, Registers: 1, Conv: true, Levels: arch.HL(1, 1, 2, 2)}
	whole := Segment(c, 1)
	c.Levels[1].Mixing = arch.Local
	const attention = 2*5*2*6 + 2*5*2*2 + 2*(2*5*5*2) // of each of L's 4 updates
	if got := Segment(c, 1); got != whole-4*attention {
		t.Errorf("%v, want %v", got, whole-4*attention)
	}
}

// TestSegment counts by hand: 4 tokens and a register, 2 wide, feed-forward 3, two cycles of H and of L, so 2
// updates of H's one block and 4 of L's, of which one each records gradients, or with LastCycle 1 and 2.
func TestSegment(t *testing.T) {
	tiny := arch.Config{Vocab: 3, Seq: 4, Rows: 2, Cols: 2, Hidden: 2, Heads: 1, Inner: 3, Registers: 1, Levels: arch.HL(1, 1, 2, 2)}
	const (
		head      = 2*4*2*3 + 2*2*2                 // 3 answers of 4 cells, 2 Q values
		mlp       = 2*5*2*6 + 2*5*3*2               // 5 places: to 2·3, then from 3 to 2
		attention = 2*5*2*6 + 2*5*2*2 + 2*(2*5*5*2) // q, k, v; out; scores and values
		static    = 2*5*2*2 + 2*5*2*2 + 2*5*5*2     // values; out; the matrix
		token     = 2*(2*5*2*256) + 2*(2*256*5)     // 2 channels, from 5 to 2·256, then from 256 to 5
		places    = 2 * 4                           // of groups: 2 symbols for each of 4 cells
		message   = 2 * places * 2 * 5              // to 5
		sums      = 2*4*5*6 + 2*2*8*5*6             // of 4 cells; of 2 symbols in 4 lines, 2 boxes and the 2 minis that they share with rows
		groups    = message + 2*places*2*6 + sums + 2*places*3*2
		groupHead = 2*places*2*1 + 2*2*2
	)
	with := func(change func(*arch.Config)) arch.Config {
		c := tiny
		change(&c)
		return c
	}
	grouped := with(func(c *arch.Config) {
		c.Mixing, c.Positions, c.Registers, c.Kinds, c.Message = arch.Grouped, arch.NoPos, 0, []string{"line", "box", "mini"}, 5
	})
	for _, tt := range []struct {
		name        string
		cfg         arch.Config
		block, head float64
	}{
		{"attention", tiny, attention + mlp, head},
		{"static", with(func(c *arch.Config) { c.Mixing = arch.StaticMix }), static + mlp, head},
		{"mlp", with(func(c *arch.Config) { c.Mixing = arch.TokenMLP }), token + mlp, head},
		{"groups", grouped, groups, groupHead},
		{"settled groups", with(func(c *arch.Config) { *c = grouped; c.Settled = true }), 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.cfg.Check(); err != nil {
				t.Fatal(err)
			}
			if got, want := Segment(tt.cfg, 7), 7*(6*tt.block+tt.head); got != want {
				t.Errorf("a segment: %v, want %v", got, want)
			}
			if got, want := Step(tt.cfg, arch.LastPass, 7, false), 7*((6+2*2)*tt.block+3*tt.head); got != want {
				t.Errorf("a step through the last pass: %v, want %v", got, want)
			}
			if got, want := Step(tt.cfg, arch.LastCycle, 1, true), (6+2*3+6)*tt.block+4*tt.head; got != want {
				t.Errorf("a step through the last cycle, with a target: %v, want %v", got, want)
			}
		})
	}
}
