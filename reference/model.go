package reference

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

// A Network is a Model in our words.
type Network struct {
	Config    arch.Config
	Training  arch.Training
	Precision arch.Precision
	Halting   act.Config // in training
}

// Network is m in our words.
func (m Model) Network() (Network, error) {
	n := Network{
		Config: arch.Config{
			Vocab: m.VocabSize, Seq: m.SeqLen,
			Hidden: m.HiddenSize, Heads: m.NumHeads, Levels: arch.HL(m.HLayers, m.LLayers, m.HCycles, m.LCycles),
			Expansion: m.Expansion, NormEps: m.RMSNormEps,
			Positions: arch.Positions(m.PosEncodings), RopeTheta: m.RopeTheta,
			PuzzleDim: m.PuzzleEmbNDim, PuzzlePositions: m.PuzzleEmbLen,
		},
		Precision: arch.BFloat16,
		Halting:   act.Config{MaxSegments: m.HaltMaxSteps, ExplorationProb: m.HaltExplorationProb},
	}
	if n.Config.PuzzleDim > 0 {
		n.Config.PuzzleIDs = m.NumPuzzleIdentifiers
	}
	if m.TRM {
		n.Config.Shared, n.Training.Gradient = true, arch.LastCycle
		n.Halting.Rule = act.HaltAbove
	}
	if m.MLPT {
		n.Config.Mixing = arch.TokenMLP
	}
	switch m.ForwardDType {
	case "", "bfloat16":
	case "float32":
		n.Precision = arch.Float32
	default:
		return n, fmt.Errorf("forward_dtype %q is unknown, want bfloat16 or float32", m.ForwardDType)
	}
	return n, n.Config.Check()
}
