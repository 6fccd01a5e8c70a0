package learn

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// presets are the recipes of no family: published ones.
var presets = map[string]func() Recipe{
	"hrm":         HRM,
	"trm":         TRM,
	"transformer": Transformer,
	"direct":      Direct,
}

// Presets are the names of the recipes that Preset knows.
func Presets() []string {
	families, err := task.Recipes()
	if err != nil {
		families = nil // Preset says so
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(presets)), maps.Keys(families))
	slices.Sort(names)
	return names
}

// Preset is the recipe of that name: one of this package or of a family. "small" is what others begin with,
// see Small.
func Preset(name string) (Recipe, error) {
	if name == "small" {
		return Small(), nil
	}
	if p, ok := presets[name]; ok {
		return p(), nil
	}
	families, err := task.Recipes()
	if err != nil {
		return Recipe{}, err
	}
	text, ok := families[name]
	if !ok {
		return Recipe{}, fmt.Errorf("recipe %q is unknown, want one of %q", name, Presets())
	}
	return run.ParseTOML(name+".toml", text, "preset", Preset)
}

// Small is what recipes for a few minutes on a CPU have in common: 64 wide, one block a level,
// a register for the Q head, q_halt alone, AdamW with an average of the weights.
func Small() Recipe {
	return Recipe{
		Model: hrm.Config{
			Hidden: 64, Levels: hrm.HL(1, 1, 2, 2), Inner: 160, Registers: 1,
		},
		Evaluation: act.Config{Rule: act.HaltAbove},
		NoContinue: true,
		Adam:       torch.AdamConfig{Rule: torch.AdamW, WeightDecay: 0.1},
		LR:         2e-3, MinRatio: 0.1, Warmup: 100, EMA: 0.999, EMAWarmup: true,
		Batch: 32, Seed: 1,
	}
}

// HRM is the published network and training on Sudoku-Extreme-1k (HRM's README): 27 million
// parameters, 20,000 epochs of 1,000 puzzles in batches of 384. It needs data, dataset:DIR; other sets
// take other numbers of steps.
func HRM() Recipe {
	return Recipe{
		Task:       "sudoku",
		Model:      hrm.Base27M(),
		Halting:    act.Config{MaxSegments: 16, ExplorationProb: 0.1},
		Evaluation: act.Config{MaxSegments: 16, Rule: act.Never},
		Adam:       torch.AdamConfig{WeightDecay: 1},
		LR:         7e-5, MinRatio: 1, Warmup: 2000, PuzzleLR: 7e-5, PuzzleDecay: 1,
		Batch: 384, Steps: 20000 * 1000 / 384,
		Stages: []Stage{{Data: "dataset:data/sudoku-extreme-1k-aug-1000", Until: 1}},
	}
}

// TRM is the published Tiny Recursion Model on Sudoku-Extreme-1k (TRM's README): one network of two
// blocks for both levels, mixing by an MLP, gradients through the last H cycle, no continue loss, an
// average of the weights.
func TRM() Recipe {
	r := HRM()
	m := &r.Model
	m.Shared, m.Levels = true, hrm.HL(0, 2, 3, 6)
	m.Mixing, m.Positions, m.PuzzlePositions = hrm.TokenMLP, hrm.NoPos, 16
	r.Gradient = hrm.LastCycle
	r.NoContinue = true
	r.Halting.Rule = act.HaltAbove
	r.LR, r.PuzzleLR, r.EMA = 1e-4, 1e-4, 0.999
	r.Batch, r.Steps = 768, 50000*1000/768
	return r
}

// Transformer is HRM's outer loop around a network without a hierarchy: one stack of as many blocks
// as both of HRM's levels have together, so of equal size, applied twice in a segment, first to z_L
// and then to z_H, with gradients through both.
func Transformer() Recipe {
	r := HRM()
	m := &r.Model
	m.Shared, m.Levels = true, hrm.HL(0, m.Levels[0].Layers+m.Levels[1].Layers, 1, 1)
	return r
}

// Direct is Transformer with one segment: the answer comes at once.
func Direct() Recipe {
	r := Transformer()
	r.Halting = act.Config{MaxSegments: 1}
	r.Evaluation.MaxSegments = 1
	return r
}
