package refconfig

import (
	"fmt"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/hrm/arch"
)

// A Model is a model's configuration in the words of the published implementations of HRM and of
// TRM, with what their dataset adds.
type Model struct {
	HaltExplorationProb float64 `json:"halt_exploration_prob"`
	HaltMaxSteps        int     `json:"halt_max_steps"`
	HCycles             int     `json:"H_cycles"`
	LCycles             int     `json:"L_cycles"`
	HLayers             int     `json:"H_layers"`
	LLayers             int     `json:"L_layers"`
	HiddenSize          int     `json:"hidden_size"`
	NumHeads            int     `json:"num_heads"`
	Expansion           float64 `json:"expansion"`
	PuzzleEmbNDim       int     `json:"puzzle_emb_ndim"`
	PosEncodings        string  `json:"pos_encodings"`
	RMSNormEps          float64 `json:"rms_norm_eps"`
	RopeTheta           float64 `json:"rope_theta"`
	ForwardDType        string  `json:"forward_dtype"` // "" means bfloat16

	TRM           bool `json:"-"` // one network for both levels
	PuzzleEmbLen  int  `json:"puzzle_emb_len"`
	MLPT          bool `json:"mlp_t"`
	NoACTContinue bool `json:"no_ACT_continue"`

	SeqLen               int `json:"seq_len"`
	VocabSize            int `json:"vocab_size"`
	NumPuzzleIdentifiers int `json:"num_puzzle_identifiers"`
}

// Config is the model and its halting in training. forward_dtype bfloat16 becomes Config.BF16.
func (m Model) Config() (arch.Config, act.Config, error) {
	c := arch.Config{
		Vocab: m.VocabSize, Seq: m.SeqLen,
		Hidden: m.HiddenSize, Heads: m.NumHeads, HLayers: m.HLayers, LLayers: m.LLayers,
		HCycles: m.HCycles, LCycles: m.LCycles, Expansion: m.Expansion, NormEps: m.RMSNormEps,
		Positions: arch.Positions(m.PosEncodings), RopeTheta: m.RopeTheta,
		PuzzleDim: m.PuzzleEmbNDim, PuzzlePositions: m.PuzzleEmbLen,
	}
	if c.PuzzleDim > 0 {
		c.PuzzleIDs = m.NumPuzzleIdentifiers
	}
	halt := act.Config{MaxSegments: m.HaltMaxSteps, ExplorationProb: m.HaltExplorationProb}
	if m.TRM {
		c.Shared, c.Gradient = true, arch.LastCycle
		halt.Rule = act.HaltAbove
	}
	if m.MLPT {
		c.Mixing = arch.TokenMLP
	}
	switch m.ForwardDType {
	case "", "bfloat16":
		c.BF16 = true
	case "float32":
	default:
		return c, halt, fmt.Errorf("forward_dtype %q is unknown, want bfloat16 or float32", m.ForwardDType)
	}
	return c, halt, c.Check()
}
