package arch

import (
	"errors"
	"fmt"
	"math"
	"slices"
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
	Grouped    Mixing = "groups"    // sums over Groups of cells, a vector for each pair of a symbol and a cell
	Local      Mixing = "local"     // of a level alone: no part of its own, cells see their neighbours by Conv
	defaultMix        = Attention
)

// Bias is what attention adds to its scores.
type Bias string

const (
	NoBias       Bias = ""
	TableBias    Bias = "table"    // trained, [heads, n, n] a block
	RelativeBias Bias = "relative" // trained, by row and column distance up to BiasRadius
)

// Config says what the transformer (hrm.Model) is; how it is trained and how it runs are Training and
// Precision. The zero value of a field is the published HRM's choice; Vocab, Seq, Hidden, Heads and
// Levels are required.
type Config struct {
	Vocab   int `json:"vocab"`   // input tokens are in [0, Vocab)
	Outputs int `json:"outputs"` // classes of a cell's answer; 0 means Vocab
	Seq     int `json:"seq"`     // tokens of a sequence, Rows·Cols of a grid; other grids run too where no table is tied to it
	Rows    int `json:"rows"`    // shape of the grid that the tokens form; 0 means a plain sequence
	Cols    int `json:"cols"`

	// Regions is a partition of the grid's cells, as the boxes of a sudoku: a string a row, a character a
	// cell, cells of one character being a region. Nil means none.
	Regions []string `json:"regions,omitempty"`

	Hidden    int     `json:"hidden"`    // D
	Heads     int     `json:"heads"`     // Hidden is a multiple of it
	Levels    []Level `json:"levels"`    // the slowest first; HL makes those of the papers
	Shared    bool    `json:"shared"`    // one stack of blocks, the last level's, for all of them (TRM)
	Expansion float64 `json:"expansion"` // of the feed-forward; 0 means 4
	Inner     int     `json:"inner"`     // width of the feed-forward; 0 means Expansion·Hidden·2/3 rounded up to 256
	NormEps   float64 `json:"norm_eps"`  // 0 means 1e-5

	Positions Positions `json:"positions"`
	RopeTheta float64   `json:"rope_theta"` // 0 means 10000

	PuzzleIDs       int `json:"puzzle_ids"`       // rows of the puzzle table
	PuzzleDim       int `json:"puzzle_dim"`       // width of a row; 0 means no puzzle embedding
	PuzzlePositions int `json:"puzzle_positions"` // positions that it takes before the tokens; 0 means ceil(PuzzleDim/Hidden)

	Registers  int    `json:"registers"`   // trained vectors in front of everything; the Q head reads the first
	GridEmbed  bool   `json:"grid_embed"`  // add trained vectors of row, column and, with Regions, region to the tokens
	Mixing     Mixing `json:"mixing"`      //
	Bias       Bias   `json:"bias"`        // of attention
	BiasRadius int    `json:"bias_radius"` // of RelativeBias; 0 means 3
	GroupBias  bool   `json:"group_bias"`  // start StaticMix or TableBias from same row, column, region
	Conv       bool   `json:"conv"`        // a depthwise 3x3 convolution inside the feed-forward

	// Of Grouped mixing.
	Kinds    []string `json:"kinds,omitempty"`    // of groups, each with weights of its own
	Symbols  int      `json:"symbols,omitempty"`  // that a cell may hold; 0 means as many as a square board has rows
	Message  int      `json:"message,omitempty"`  // width of what is summed over a group; 0 means Hidden
	Feedback bool     `json:"feedback,omitempty"` // the last segment's answer is part of the input
	Settled  bool     `json:"settled,omitempty"`  // cells whose token is a symbol do not think: faster, but they learn slower
}

// Base27M is the published network for sudoku (27,275,266 parameters at Vocab 11); set Vocab, Seq
// and PuzzleIDs for other tasks.
func Base27M() Config {
	return Config{
		Vocab: 11, Seq: 81, Hidden: 512, Heads: 8, Levels: HL(4, 4, 2, 2),
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
	or(&c.Outputs, c.Vocab)
	if c.Mixing == Grouped {
		or(&c.Message, c.Hidden)
	}
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
	return c.Positions == Learned || c.Bias == TableBias || c.Mixing == TokenMLP || c.Mixing == StaticMix || c.GridEmbed
}

// What a network may be, so that a configuration that is mistaken or hostile is refused before anything is
// made of it: many times what anybody trains.
const (
	MostTokens = 1 << 20
	MostWidth  = 1 << 14
	MostIDs    = 1 << 26
	mostLevels = 16
	mostLayers = 1 << 8  // of a level
	mostUpdate = 1 << 14 // of blocks in a segment
)

// Parameters is at least how many numbers the network has.
func (c Config) Parameters() float64 {
	c = c.WithDefaults()
	d := float64(c.Hidden)
	n := float64(c.Vocab+c.Outputs)*d + float64(c.PuzzleIDs)*float64(c.PuzzleDim)
	for i, l := range c.Levels {
		if !c.Shared || i == len(c.Levels)-1 {
			n += float64(l.Layers) * d * 3 * float64(c.Inner)
			if c.MixingOf(i) == Attention {
				n += float64(l.Layers) * 4 * d * d
			}
		}
	}
	return n
}

// StepBytes is the least memory that a step of training takes for rows sequences of seq tokens, beside the
// parameters: of every block that is recorded its input, its sum and the gate and value of its SwiGLU, which the
// gradients need, two states of every level, and the logits, elements of size bytes.
func (c Config) StepBytes(rows, seq int, gradient Gradient, size int) float64 {
	c = c.WithDefaults()
	blocks := 0
	c.Updates(gradient, func(level int, record bool) {
		if record {
			_, layers := c.Stack(level)
			blocks += layers
		}
	})
	d := float64(c.Hidden)
	token := float64(blocks)*(2*d+2*float64(c.Inner)) + 2*d*float64(len(c.Levels)) + float64(c.Outputs)
	return float64(rows) * float64(seq) * token * float64(size)
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
		name           string
		n, least, most int
	}{
		{"vocab", c.Vocab, 1, MostTokens},
		{"seq", c.Seq, 1, MostTokens},
		{"hidden", c.Hidden, 1, MostWidth},
		{"heads", c.Heads, 1, MostWidth},
		{"outputs", c.Outputs, 1, MostTokens},
		{"inner", c.Inner, 1, 8 * MostWidth},
		{"rows", c.Rows, 0, MostTokens},
		{"cols", c.Cols, 0, MostTokens},
		{"puzzle_ids", c.PuzzleIDs, 0, MostIDs},
		{"puzzle_dim", c.PuzzleDim, 0, 64 * MostWidth},
		{"puzzle_positions", c.PuzzlePositions, 0, MostTokens},
		{"registers", c.Registers, 0, MostTokens},
		{"bias_radius", c.BiasRadius, 0, MostTokens},
		{"symbols", c.Symbols, 0, MostTokens},
		{"message", c.Message, 0, MostWidth},
	} {
		bad(f.n < f.least || f.n > f.most, "%s is %d, want %d to %d", f.name, f.n, f.least, f.most)
	}
	c.checkLevels(bad)
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
	c.checkRegions(bad)
	c.checkGroups(bad)
	bad(c.GroupBias && c.Mixing != StaticMix && c.Bias != TableBias, "group_bias needs mixing static or the table bias")
	check := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	check(known("positions", c.Positions, Rope, Rope2D, Learned, NoPos))
	check(known("mixing", c.Mixing, Attention, TokenMLP, StaticMix, Grouped))
	check(known("bias", c.Bias, NoBias, TableBias, RelativeBias))
	if len(errs) > 0 {
		return fmt.Errorf("hrm config: %w", errors.Join(errs...))
	}
	return nil
}

// known reports that v is none of all.
func known[T ~string](name string, v T, all ...T) error {
	if slices.Contains(all, v) {
		return nil
	}
	return fmt.Errorf("%s %q is unknown, want one of %q", name, v, all)
}
