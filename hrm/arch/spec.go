package arch

import "fmt"

// A Spec says what a network takes, gives and carries, whatever it is made of.
type Spec struct {
	Vocab   int     // tokens are in [0, Vocab)
	Outputs int     // logits of a token
	Seq     int     // tokens of a sequence
	Rows    int     // shape of the grid that they form; 0 is a plain sequence
	Cols    int     //
	Fixed   bool    // no other length or shape fits
	IDs     int     // puzzle identifiers are in [0, IDs); 0 is none
	Symbols int     // of the tokens of its own shape, the last; those of others end at Tokens; 0 is none, PerRow as many as a square grid has rows
	States  []State // what is carried of each level, the slowest first
}

// A State is what is carried of one level: [batch, places, Width], or [batch, Width] if Whole.
type State struct {
	Name   string
	Width  int
	Prefix int  // places before the one of the first token
	Planes int  // places of a token, first one of each, then the next of each, …; 0 means 1, PerRow as many as a square grid has rows
	Whole  bool // one state for the whole sequence
}

// PerRow is a number that is that of the rows of a square grid.
const PerRow = -1

// perRow is n, or the rows of a square grid of seq tokens.
func perRow(n, seq int) int {
	if n != PerRow {
		return n
	}
	for n = 0; n*n < seq; n++ {
	}
	return n
}

// Places is how many places s has for a sequence of seq tokens; none if Whole.
func (s State) Places(seq int) int { return s.Prefix + max(1, perRow(s.Planes, seq))*seq }

// Len is how many numbers s is for a sequence of seq tokens.
func (s State) Len(seq int) int {
	if s.Whole {
		return s.Width
	}
	return s.Places(seq) * s.Width
}

// Tokens is the end of the range of tokens of a sequence of seq: Vocab, but where the symbols that they may
// be are as many as a board of that size has.
func (s Spec) Tokens(seq int) int {
	if s.Symbols == 0 {
		return s.Vocab
	}
	return s.Vocab - perRow(s.Symbols, s.Seq) + perRow(s.Symbols, seq)
}

// Spec is what the network takes, gives and carries.
func (c Config) Spec() Spec {
	c = c.WithDefaults()
	sp := Spec{Vocab: c.Vocab, Outputs: c.Outputs, Seq: c.Seq, Rows: c.Rows, Cols: c.Cols, Fixed: c.FixedLength()}
	if c.PuzzleDim > 0 {
		sp.IDs = c.PuzzleIDs
	}
	if c.Mixing == Grouped {
		if sp.Symbols = c.Symbols; sp.Symbols == 0 {
			sp.Symbols = PerRow
		}
	}
	for _, l := range c.Levels {
		sp.States = append(sp.States, State{Name: l.Name, Width: c.Hidden, Prefix: c.Prefix(), Planes: sp.Symbols})
	}
	return sp
}

// Grid is Spec.Grid.
func (c Config) Grid(seq, rows, cols int) (int, int) { return c.Spec().Grid(seq, rows, cols) }

// Fits is Spec.Fits.
func (c Config) Fits(seq, rows, cols int) error { return c.Spec().Fits(seq, rows, cols) }

// Grid is the shape of a grid of seq tokens, rows 0 standing for the network's own.
func (s Spec) Grid(seq, rows, cols int) (int, int) {
	switch {
	case s.Rows == 0:
		return 1, seq
	case rows == 0:
		return s.Rows, s.Cols
	}
	return rows, cols
}

// Fits reports whether the network takes sequences of seq tokens that form a grid of rows and cols;
// rows 0 stands for the network's own.
func (s Spec) Fits(seq, rows, cols int) error {
	rows, cols = s.Grid(seq, rows, cols)
	if seq < 1 || rows < 1 || rows*cols != seq || s.Fixed && (seq != s.Seq || s.Rows > 0 && rows != s.Rows) {
		return fmt.Errorf("%d tokens of a %dx%d grid do not fit a network for %d tokens of %dx%d", seq, rows, cols, s.Seq, s.Rows, s.Cols)
	}
	return nil
}
