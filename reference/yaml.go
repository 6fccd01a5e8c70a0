package reference

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ponder-agents/ponder/internal/plainyaml"
)

// ConfigFile is the name of the configuration that the trainers write.
const ConfigFile = "all_config.yaml"

// A Training is how the weights came to be. Inference needs none of it.
type Training struct {
	Loss                 string  `json:"loss"` // "stablemax_cross_entropy" or "softmax_cross_entropy"
	Epochs               int     `json:"epochs"`
	GlobalBatchSize      int     `json:"global_batch_size"`
	LR                   float64 `json:"lr"`
	LRMinRatio           float64 `json:"lr_min_ratio"`
	LRWarmupSteps        int     `json:"lr_warmup_steps"`
	WeightDecay          float64 `json:"weight_decay"`
	Beta1                float64 `json:"beta1"`
	Beta2                float64 `json:"beta2"`
	PuzzleEmbLR          float64 `json:"puzzle_emb_lr"`
	PuzzleEmbWeightDecay float64 `json:"puzzle_emb_weight_decay"`
	EMA                  bool    `json:"ema"` // the saved weights are the averaged ones
	EMARate              float64 `json:"ema_rate"`
	Seed                 int64   `json:"seed"`
	DataPath             string  `json:"data_path"`
	Project              string  `json:"project"`
	Run                  string  `json:"run"`
}

// file is all_config.yaml. Pointers tell absent from zero.
type file struct {
	Arch *struct {
		Name                string   `yaml:"name"` // module@class
		HaltExplorationProb float64  `yaml:"halt_exploration_prob"`
		HaltMaxSteps        int      `yaml:"halt_max_steps"`
		HCycles             int      `yaml:"H_cycles"`
		LCycles             int      `yaml:"L_cycles"`
		HLayers             int      `yaml:"H_layers"`
		LLayers             int      `yaml:"L_layers"`
		HiddenSize          int      `yaml:"hidden_size"`
		NumHeads            int      `yaml:"num_heads"`
		Expansion           float64  `yaml:"expansion"`
		PuzzleEmbNDim       int      `yaml:"puzzle_emb_ndim"`
		PuzzleEmbLen        *int     `yaml:"puzzle_emb_len"`
		PosEncodings        string   `yaml:"pos_encodings"`
		RMSNormEps          *float64 `yaml:"rms_norm_eps"`
		RopeTheta           *float64 `yaml:"rope_theta"`
		ForwardDType        string   `yaml:"forward_dtype"`
		MLPT                bool     `yaml:"mlp_t"`
		NoACTContinue       *bool    `yaml:"no_ACT_continue"`
		Loss                struct {
			Type string `yaml:"loss_type"`
		} `yaml:"loss"`
	} `yaml:"arch"`
	Epochs               int     `yaml:"epochs"`
	GlobalBatchSize      int     `yaml:"global_batch_size"`
	LR                   float64 `yaml:"lr"`
	LRMinRatio           float64 `yaml:"lr_min_ratio"`
	LRWarmupSteps        int     `yaml:"lr_warmup_steps"`
	WeightDecay          float64 `yaml:"weight_decay"`
	Beta1                float64 `yaml:"beta1"`
	Beta2                float64 `yaml:"beta2"`
	PuzzleEmbLR          float64 `yaml:"puzzle_emb_lr"`
	PuzzleEmbWeightDecay float64 `yaml:"puzzle_emb_weight_decay"`
	EMA                  bool    `yaml:"ema"`
	EMARate              float64 `yaml:"ema_rate"`
	Seed                 int64   `yaml:"seed"`
	DataPath             string  `yaml:"data_path"`
	ProjectName          string  `yaml:"project_name"`
	RunName              string  `yaml:"run_name"`
}

// Parse reads all_config.yaml. SeqLen, VocabSize and NumPuzzleIdentifiers are not in it and stay 0;
// keys that this package does not know are passed over, as the trainers add ever more of them.
func Parse(text []byte) (Model, Training, error) {
	ref, tr, err := parse(text)
	if err != nil {
		return Model{}, Training{}, fmt.Errorf("%s: %w", ConfigFile, err)
	}
	return ref, tr, nil
}

func parse(text []byte) (ref Model, tr Training, err error) {
	var f file
	if err := plainyaml.Unmarshal(text, &f); err != nil {
		return ref, tr, err
	}
	a := f.Arch
	if a == nil {
		return ref, tr, errors.New("no arch, the model's configuration")
	}
	trm, err := isTRM(a.Name)
	if err != nil {
		return ref, tr, err
	}
	ref = Model{
		HaltExplorationProb: a.HaltExplorationProb, HaltMaxSteps: a.HaltMaxSteps,
		HCycles: a.HCycles, LCycles: a.LCycles, HLayers: a.HLayers, LLayers: a.LLayers,
		HiddenSize: a.HiddenSize, NumHeads: a.NumHeads, Expansion: a.Expansion,
		PuzzleEmbNDim: a.PuzzleEmbNDim, PosEncodings: a.PosEncodings,
		RMSNormEps: or(a.RMSNormEps, 1e-5), RopeTheta: or(a.RopeTheta, 10000), ForwardDType: a.ForwardDType,
		TRM: trm,
	}
	if ref.ForwardDType == "" {
		ref.ForwardDType = "bfloat16"
	}
	if trm {
		// Defaults of trm.py; the table of the first puzzle position is padded to the others.
		ref.MLPT, ref.NoACTContinue = a.MLPT, or(a.NoACTContinue, true)
		if ref.PuzzleEmbNDim > 0 {
			ref.PuzzleEmbLen = or(a.PuzzleEmbLen, 16)
		}
	}
	var errs []error
	for _, d := range []struct {
		key string
		n   int
	}{
		{"hidden_size", ref.HiddenSize},
		{"num_heads", ref.NumHeads},
		{"L_layers", ref.LLayers},
		{"H_cycles", ref.HCycles},
		{"L_cycles", ref.LCycles},
		{"halt_max_steps", ref.HaltMaxSteps},
		{"H_layers", ref.HLayers},
	} {
		if d.key == "H_layers" && trm {
			continue // it has one level
		}
		if d.n < 1 || d.n > maxSize {
			errs = append(errs, fmt.Errorf("arch.%s is %d, want 1 to %d", d.key, d.n, maxSize))
		}
	}
	if ref.PuzzleEmbNDim < 0 || ref.PuzzleEmbNDim > maxSize || ref.PuzzleEmbLen < 0 || ref.PuzzleEmbLen > maxSize {
		errs = append(errs, fmt.Errorf("arch.puzzle_emb_ndim %d or puzzle_emb_len %d, want 0 to %d", ref.PuzzleEmbNDim, ref.PuzzleEmbLen, maxSize))
	}
	if !(ref.Expansion > 0 && ref.Expansion <= maxSize) {
		errs = append(errs, fmt.Errorf("arch.expansion is %v", ref.Expansion))
	}
	tr = Training{
		Loss: a.Loss.Type, Epochs: f.Epochs, GlobalBatchSize: f.GlobalBatchSize, LR: f.LR, LRMinRatio: f.LRMinRatio,
		LRWarmupSteps: f.LRWarmupSteps, WeightDecay: f.WeightDecay, Beta1: f.Beta1, Beta2: f.Beta2,
		PuzzleEmbLR: f.PuzzleEmbLR, PuzzleEmbWeightDecay: f.PuzzleEmbWeightDecay, EMA: f.EMA, EMARate: f.EMARate, Seed: f.Seed,
		DataPath: f.DataPath, Project: f.ProjectName, Run: f.RunName,
	}
	return ref, tr, errors.Join(errs...)
}

// maxSize bounds every size of a configuration, far above any model and far below an overflow.
const maxSize = 1 << 20

// maxConfig is how many bytes a configuration may have; a published one has fewer than 2,000.
const maxConfig = 1 << 20

// isTRM tells the two models apart by arch.name, module@class. TRM's repository has ablations of the
// same class in modules of their own, which are other networks.
func isTRM(name string) (bool, error) {
	module, class, _ := strings.Cut(name, "@")
	ablation := strings.HasSuffix(module, "trm_singlez") || strings.Contains(module, "trm_hier")
	switch {
	case strings.Contains(class, "TinyRecursive") && !ablation:
		return true, nil
	case strings.Contains(class, "Hierarchical"):
		return false, nil
	}
	return false, fmt.Errorf("arch.name %.200q is neither HRM's HierarchicalReasoningModel nor TRM's TinyRecursiveReasoningModel", name)
}

func or[T any](p *T, absent T) T {
	if p == nil {
		return absent
	}
	return *p
}
