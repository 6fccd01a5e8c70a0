package arch

import (
	"errors"
	"fmt"
	"math"
)

// Positions says how a block knows where a token stands.
type Positions string

const (
	Rope    Positions = "rope"    // rotary, one axis (the default)
	Rope2D  Positions = "rope-2d" // rotary, half of a head by row and half by column
	Learned Positions = "learned" // a trained vector per position
	NoPos   Positions = "none"
)

// Mixing says how a block exchanges information between positions.
type Mixing string

const (
	Attention  Mixing = "attention" // softmax attention (the default)
	TokenMLP   Mixing = "mlp"       // a SwiGLU over the positions (TRM's mlp_t)
	StaticMix  Mixing = "static"    // a trained matrix per head instead of attention weights
	defaultMix        = Attention
)

// Bias is what attention adds to its scores.
type Bias string

const (
	NoBias       Bias = ""
	TableBias    Bias = "table"    // trained, [heads, n, n] a block
	RelativeBias Bias = "relative" // trained, by row and column distance up to BiasRadius
)

// Gradient says which passes of a segment record gradients.
type Gradient string

const (
	LastPass  Gradient = "last-pass"  // the last update of z_L and of z_H (HRM; the default)
	LastCycle Gradient = "last-cycle" // all updates of the last H cycle (TRM)
)

// Config describes the transformer (hrm.Model). The zero value of a field is the published HRM's choice; Vocab, Seq,
// Hidden, Heads, the layers and the cycles are required.
type Config struct {
	Vocab   int `json:"vocab"`   // input tokens are in [0, Vocab)
	Outputs int `json:"outputs"` // classes of a cell's answer; 0 means Vocab
	Seq     int `json:"seq"`     // tokens of a sequence, Rows·Cols of a grid; other grids run too where no table is tied to it
	Rows    int `json:"rows"`    // shape of the grid that the tokens form; 0 means a plain sequence
	Cols    int `json:"cols"`

	Hidden    int     `json:"hidden"`    // D
	Heads     int     `json:"heads"`     // Hidden is a multiple of it
	HLayers   int     `json:"h_layers"`  // blocks of the H level; unused if Shared
	LLayers   int     `json:"l_layers"`  // blocks of the L level
	HCycles   int     `json:"h_cycles"`  // updates of z_H in a segment
	LCycles   int     `json:"l_cycles"`  // updates of z_L for each of z_H
	Expansion float64 `json:"expansion"` // of the feed-forward; 0 means 4
	Inner     int     `json:"inner"`     // width of the feed-forward; 0 means Expansion·Hidden·2/3 rounded up to 256
	NormEps   float64 `json:"norm_eps"`  // 0 means 1e-5

	Positions Positions `json:"positions"`
	RopeTheta float64   `json:"rope_theta"` // 0 means 10000

	PuzzleIDs       int `json:"puzzle_ids"`       // rows of the puzzle table
	PuzzleDim       int `json:"puzzle_dim"`       // width of a row; 0 means no puzzle embedding
	PuzzlePositions int `json:"puzzle_positions"` // positions that it takes before the tokens; 0 means ceil(PuzzleDim/Hidden)

	Registers  int      `json:"registers"`   // trained vectors in front of everything; the Q head reads the first
	GridEmbed  bool     `json:"grid_embed"`  // add trained row and column vectors to the tokens
	BoxRows    int      `json:"box_rows"`    // with GridEmbed, add one for the box of this height too (sudoku); 0 means none
	BoxCols    int      `json:"box_cols"`    // and width
	Mixing     Mixing   `json:"mixing"`      //
	Bias       Bias     `json:"bias"`        // of attention
	BiasRadius int      `json:"bias_radius"` // of RelativeBias; 0 means 3
	GroupBias  bool     `json:"group_bias"`  // start StaticMix or TableBias from same row, column, box
	Conv       bool     `json:"conv"`        // a depthwise 3x3 convolution inside the feed-forward
	Shared     bool     `json:"shared"`      // one network for both levels (TRM)
	BF16       bool     `json:"bf16"`        // compute in bfloat16, keep weights in float32
	Gradient   Gradient `json:"gradient"`    //
}

// Base27M is the published network for sudoku (27,275,266 parameters at Vocab 11); set Vocab, Seq
// and PuzzleIDs for other tasks.
func Base27M() Config {
	return Config{
		Vocab: 11, Seq: 81, Hidden: 512, Heads: 8,
		HLayers: 4, LLayers: 4, HCycles: 2, LCycles: 2,
		PuzzleIDs: 1, PuzzleDim: 512,
	}
}

// WithDefaults fills in what zero values mean.
func (c Config) WithDefaults() Config {
	or := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	if c.Expansion == 0 {
		c.Expansion = 4
	}
	if c.NormEps == 0 {
		c.NormEps = 1e-5
	}
	if c.RopeTheta == 0 {
		c.RopeTheta = 10000
	}
	if c.Positions == "" {
		c.Positions = Rope
	}
	if c.Mixing == "" {
		c.Mixing = defaultMix
	}
	if c.Gradient == "" {
		c.Gradient = LastPass
	}
	or(&c.Outputs, c.Vocab)
	or(&c.BiasRadius, 3)
	or(&c.Inner, c.Width(c.Hidden))
	if c.PuzzleDim > 0 && c.Hidden > 0 {
		or(&c.PuzzlePositions, (c.PuzzleDim+c.Hidden-1)/c.Hidden)
	}
	return c
}

// Width is the reference's inner width of a feed-forward over d: 2/3 of the expansion, rounded up to
// a multiple of 256.
func (c Config) Width(d int) int {
	return (int(math.RoundToEven(c.Expansion*float64(d)*2/3)) + 255) / 256 * 256
}

// Prefix is the number of positions before the tokens: registers and the puzzle embedding.
func (c Config) Prefix() int { return c.Registers + c.WithDefaults().PuzzlePositions }

// FixedLength reports whether a table of the network is tied to Seq.
func (c Config) FixedLength() bool {
	c = c.WithDefaults()
	return c.Positions == Learned || c.Bias == TableBias || c.Mixing != Attention || c.GridEmbed
}

// Grid is the shape of a grid of seq tokens, rows 0 standing for the configuration's own.
func (c Config) Grid(seq, rows, cols int) (int, int) {
	switch {
	case c.Rows == 0:
		return 1, seq
	case rows == 0:
		return c.Rows, c.Cols
	}
	return rows, cols
}

// Fits reports whether the network takes sequences of seq tokens that form a grid of rows and cols;
// rows 0 stands for the configuration's own.
func (c Config) Fits(seq, rows, cols int) error {
	rows, cols = c.Grid(seq, rows, cols)
	if seq < 1 || rows < 1 || rows*cols != seq || c.FixedLength() && (seq != c.Seq || c.Rows > 0 && rows != c.Rows) {
		return fmt.Errorf("%d tokens of a %dx%d grid do not fit a model for %d tokens of %dx%d", seq, rows, cols, c.Seq, c.Rows, c.Cols)
	}
	return nil
}

// Check reports every problem of c at once.
func (c Config) Check() error {
	c = c.WithDefaults()
	var errs []error
	bad := func(cond bool, format string, args ...any) {
		if cond {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	for _, f := range []struct {
		name string
		n    int
	}{
		{"vocab", c.Vocab},
		{"seq", c.Seq},
		{"hidden", c.Hidden},
		{"heads", c.Heads},
		{"l_layers", c.LLayers},
		{"h_cycles", c.HCycles},
		{"l_cycles", c.LCycles},
		{"outputs", c.Outputs},
		{"inner", c.Inner},
	} {
		bad(f.n < 1, "%s is %d, want at least 1", f.name, f.n)
	}
	bad(!c.Shared && c.HLayers < 1, "h_layers is %d, want at least 1", c.HLayers)
	if c.Heads > 0 {
		bad(c.Hidden%c.Heads != 0, "hidden %d is not a multiple of heads %d", c.Hidden, c.Heads)
		hd := c.Hidden / c.Heads
		bad(c.Positions == Rope && c.Mixing == Attention && hd%2 != 0, "head width %d is odd: rope needs pairs", hd)
		bad(c.Positions == Rope2D && hd%4 != 0, "head width %d is not a multiple of 4: rope-2d needs two pairs", hd)
	}
	grid := c.Rows > 0 && c.Cols > 0
	bad((c.Rows != 0 || c.Cols != 0) && c.Rows*c.Cols != c.Seq, "rows %d times cols %d is not seq %d", c.Rows, c.Cols, c.Seq)
	bad(!grid && (c.Positions == Rope2D || c.Conv || c.GridEmbed || c.Bias == RelativeBias || c.GroupBias), "rope-2d, conv, grid_embed, group_bias and the relative bias need rows and cols")
	bad(c.PuzzleDim > 0 && c.PuzzleIDs < 1, "puzzle_ids is %d with puzzle_dim %d", c.PuzzleIDs, c.PuzzleDim)
	bad(c.PuzzleDim == 0 && c.PuzzlePositions > 0, "puzzle_positions is %d without puzzle_dim", c.PuzzlePositions)
	bad(c.PuzzleDim > c.PuzzlePositions*c.Hidden, "puzzle_dim %d does not fit into %d positions of %d", c.PuzzleDim, c.PuzzlePositions, c.Hidden)
	bad(c.Registers < 0 || c.NormEps <= 0 || c.RopeTheta <= 0 || c.Expansion <= 0, "registers, norm_eps, rope_theta and expansion must not be negative")
	bad((c.BoxRows == 0) != (c.BoxCols == 0), "box_rows %d and box_cols %d go together", c.BoxRows, c.BoxCols)
	if c.BoxRows > 0 && c.BoxCols > 0 {
		bad(c.Rows%c.BoxRows != 0 || c.Cols%c.BoxCols != 0, "boxes of %dx%d do not tile %dx%d", c.BoxRows, c.BoxCols, c.Rows, c.Cols)
	}
	bad(c.GroupBias && c.Mixing != StaticMix && c.Bias != TableBias, "group_bias needs mixing static or the table bias")
	known := func(name, v string, all ...string) {
		for _, a := range all {
			if v == a {
				return
			}
		}
		bad(true, "%s %q is unknown, want one of %q", name, v, all)
	}
	known("positions", string(c.Positions), string(Rope), string(Rope2D), string(Learned), string(NoPos))
	known("mixing", string(c.Mixing), string(Attention), string(TokenMLP), string(StaticMix))
	known("bias", string(c.Bias), string(NoBias), string(TableBias), string(RelativeBias))
	known("gradient", string(c.Gradient), string(LastPass), string(LastCycle))
	if len(errs) > 0 {
		return fmt.Errorf("hrm config: %w", errors.Join(errs...))
	}
	return nil
}
