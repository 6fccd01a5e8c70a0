package hrm

import "github.com/ponder-agents/ponder/hrm/arch"

// What describes a network, under the names that its users know; package arch explains them.
type (
	Config     = arch.Config
	CellConfig = arch.CellConfig
	Positions  = arch.Positions
	Mixing     = arch.Mixing
	Bias       = arch.Bias
	Level      = arch.Level
	Spec       = arch.Spec
	State      = arch.State
	Training   = arch.Training
	Gradient   = arch.Gradient
	Precision  = arch.Precision
	Groups     = arch.Groups
)

// The values of Config's fields.
const (
	Rope    = arch.Rope
	Rope2D  = arch.Rope2D
	Learned = arch.Learned
	NoPos   = arch.NoPos

	Attention = arch.Attention
	TokenMLP  = arch.TokenMLP
	StaticMix = arch.StaticMix
	Local     = arch.Local
	Grouped   = arch.Grouped

	NoBias       = arch.NoBias
	TableBias    = arch.TableBias
	RelativeBias = arch.RelativeBias

	LastPass  = arch.LastPass
	LastCycle = arch.LastCycle
	AllCycles = arch.AllCycles

	Float32  = arch.Float32
	BFloat16 = arch.BFloat16
	TF32     = arch.TF32
	Int8     = arch.Int8
)

// Base27M is the published network for sudoku (27,275,266 parameters at Vocab 11); set Vocab, Seq
// and PuzzleIDs for other tasks.
func Base27M() Config { return arch.Base27M() }

// HL is the two levels of the papers: hCycles updates of z_H in a segment, lCycles of z_L before each.
func HL(hLayers, lLayers, hCycles, lCycles int) []Level {
	return arch.HL(hLayers, lLayers, hCycles, lCycles)
}

// Board is the groups of a square board with such regions and, counted as lines, more groups.
func Board(region []int, more ...[]int) Groups { return arch.Board(region, more...) }

// Tiles is Config.Regions of a grid that is cut into tiles of height rows and width cols.
func Tiles(rows, cols, height, width int) []string { return arch.Tiles(rows, cols, height, width) }
