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
	States  []State // what is carried of each level, the slowest first
}

// A State is what is carried of one level: [batch, places, Width], or [batch, Width] if Whole.
type State struct {
	Name   string
	Width  int
	Prefix int  // places before the one of the first token
	Whole  bool // one state for the whole sequence
}

// Len is how many numbers s is for a sequence of seq tokens.
func (s State) Len(seq int) int {
	if s.Whole {
		return s.Width
	}
	return (s.Prefix + seq) * s.Width
}

// Spec is what the network takes, gives and carries.
func (c Config) Spec() Spec {
	c = c.WithDefaults()
	sp := Spec{Vocab: c.Vocab, Outputs: c.Outputs, Seq: c.Seq, Rows: c.Rows, Cols: c.Cols, Fixed: c.FixedLength()}
	if c.PuzzleDim > 0 {
		sp.IDs = c.PuzzleIDs
	}
	for _, l := range c.Levels {
		sp.States = append(sp.States, State{Name: l.Name, Width: c.Hidden, Prefix: c.Prefix()})
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
