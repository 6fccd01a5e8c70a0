package hrm

import "github.com/ponder-agents/ponder/hrm/arch"

// What describes a network, under the names that its users know; package arch explains them.
type (
	Config     = arch.Config
	CellConfig = arch.CellConfig
	Positions  = arch.Positions
	Mixing     = arch.Mixing
	Bias       = arch.Bias
	Gradient   = arch.Gradient
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

	NoBias       = arch.NoBias
	TableBias    = arch.TableBias
	RelativeBias = arch.RelativeBias

	LastPass  = arch.LastPass
	LastCycle = arch.LastCycle
)

// Base27M is the published network for sudoku (27,275,266 parameters at Vocab 11); set Vocab, Seq
// and PuzzleIDs for other tasks.
func Base27M() Config { return arch.Base27M() }
