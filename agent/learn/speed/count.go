package speed

import "github.com/ponder-agents/ponder/hrm/arch"

// Segment is how many floating point operations the matrix products of one segment of the network c are, about
// batch sequences of its own length; 0 where they are not counted. Of an update of a level, a block has, with n
// positions (prefix and tokens), d = Hidden and f = Inner,
//
//	attention   2·n·d·3d + 2·n·d·d (projections) + 2·n·n·d + 2·n·n·d (scores, weighted values)
//	static      2·n·d·d + 2·n·d·d + 2·n·n·d
//	local       nothing
//	mlp         2·d·n·2t + 2·d·t·n, t the width of the feed-forward over positions
//	and all     2·n·d·2f + 2·n·f·d
//
// and the heads 2·seq·d·Outputs + 2·d·2 once. Of groups, with p = symbols·seq positions, messages k wide and g
// groups of all kinds on a square board,
//
//	groups      2·p·d·k + 2·p·d·2f + 2·seq·k·2f + 2·symbols·g·k·2f + 2·p·f·d
//
// and the heads 2·p·d + 2·d·2. Norms, convolutions, sums over groups, softmax and rotation are no products.
// Where cells settle the work depends on the puzzle and is not counted.
func Segment(c arch.Config, batch int) float64 {
	all, _, head := products(c, "")
	return float64(batch) * (all + head)
}

// Step is Segment of a training step: the forward pass, twice as much again for the way back through what
// records gradients (of x·W by x and by W; of attention's two products by both sides), and, where q_continue is
// learned, one more segment for its target.
func Step(c arch.Config, gradient arch.Gradient, batch int, target bool) float64 {
	all, recorded, head := products(c, gradient)
	n := all + 2*recorded + 3*head
	if target {
		n += all + head
	}
	return float64(batch) * n
}

// products are the operations for one sequence: of all updates of a segment, of those that record gradients,
// and of the heads.
func products(c arch.Config, gradient arch.Gradient) (all, recorded, head float64) {
	c = c.WithDefaults()
	_, head = ofBlock(c, c.Mixing)
	c.Updates(gradient, func(level int, record bool) {
		_, layers := c.Stack(level)
		block, _ := ofBlock(c, c.MixingOf(level))
		all += float64(layers) * block
		if record {
			recorded += float64(layers) * block
		}
	})
	return all, recorded, head
}

func ofBlock(c arch.Config, mixing arch.Mixing) (block, head float64) {
	seq, d, f := float64(c.Seq), float64(c.Hidden), float64(c.Inner)
	n := float64(c.Prefix()) + seq
	head = 2*seq*d*float64(c.Outputs) + 4*d
	switch mixing {
	case arch.Local:
	case arch.Attention:
		block = 8*n*d*d + 4*n*n*d
	case arch.StaticMix:
		block = 4*n*d*d + 2*n*n*d
	case arch.TokenMLP:
		block = 6 * d * n * float64(c.Width(c.Prefix()+c.Seq))
	default:
		if c.Settled || c.Rows != c.Cols || c.Rows == 0 {
			return 0, 0
		}
		symbols, k, g := float64(c.SymbolsOf(c.Seq)), float64(c.Message), 0.0
		for kind, groups := range board(c) {
			for _, of := range c.Kinds {
				if of == kind {
					g += float64(len(groups))
				}
			}
		}
		n = symbols * seq
		return 2*n*d*k + 4*f*(n*d+seq*k+symbols*g*k) + 2*n*f*d, 2*n*d + 4*d
	}
	return block + 6*n*d*f, head
}

// board is the groups of a square board of c's size, with its usual boxes.
func board(c arch.Config) arch.Groups { return arch.Board(arch.Boxes(c.Rows)) }
