package hrm

import (
	"fmt"

	"github.com/ponder-agents/ponder/act"
)

// A Reference is a model's configuration in the words of the published implementations of HRM and of
// TRM, with what their dataset adds.
type Reference struct {
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
func (r Reference) Config() (Config, act.Config, error) {
	c := Config{
		Vocab: r.VocabSize, Seq: r.SeqLen,
		Hidden: r.HiddenSize, Heads: r.NumHeads, HLayers: r.HLayers, LLayers: r.LLayers,
		HCycles: r.HCycles, LCycles: r.LCycles, Expansion: r.Expansion, NormEps: r.RMSNormEps,
		Positions: Positions(r.PosEncodings), RopeTheta: r.RopeTheta,
		PuzzleDim: r.PuzzleEmbNDim, PuzzlePositions: r.PuzzleEmbLen,
	}
	if c.PuzzleDim > 0 {
		c.PuzzleIDs = r.NumPuzzleIdentifiers
	}
	halt := act.Config{MaxSegments: r.HaltMaxSteps, ExplorationProb: r.HaltExplorationProb}
	if r.TRM {
		c.Shared, c.Gradient = true, LastCycle
		halt.Rule = act.HaltAbove
	}
	if r.MLPT {
		c.Mixing = TokenMLP
	}
	switch r.ForwardDType {
	case "", "bfloat16":
		c.BF16 = true
	case "float32":
	default:
		return c, halt, fmt.Errorf("forward_dtype %q is unknown, want bfloat16 or float32", r.ForwardDType)
	}
	return c, halt, c.Check()
}
