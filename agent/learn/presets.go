package learn

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// presets are recipes by name.
var presets = map[string]func() Recipe{
	"maze":          Maze,
	"maze-path":     MazePath,
	"sudoku":        Sudoku,
	"sudoku-groups": SudokuGroups,
	"arc":           ARC,
	"hrm":           HRM,
	"trm":           TRM,
	"transformer":   Transformer,
	"direct":        Direct,
}

// Presets are the names of the recipes that Preset knows.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// Preset is the recipe of that name.
func Preset(name string) (Recipe, error) {
	p, ok := presets[name]
	if !ok {
		return Recipe{}, fmt.Errorf("recipe %q is unknown, want one of %q", name, Presets())
	}
	return p(), nil
}

// small is what the recipes for a few minutes on a CPU have in common: 64 wide, one block a level,
// a register for the Q head, q_halt alone, AdamW with an average of the weights.
func small() Recipe {
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

// Maze trains the agent that walks through mazes: the optimal directions of every open cell, on mazes
// that grow from 7x7 to 15x15 and then, in 24 rounds, are of 9x9 to 17x17. 98 thousand parameters; the
// map is read at any size.
func Maze() Recipe {
	r := small()
	r.Task = task.MazeDirectionsTask
	r.Loss, r.Judge = AnyOf, "path"
	m := &r.Model
	m.Vocab, m.Outputs, m.Rows, m.Cols, m.Seq = task.MazeVocab, 4, 13, 13, 169
	m.Heads, m.Positions, m.RopeTheta, m.Conv = 2, hrm.Rope2D, 100, true
	r.Halting = act.Config{MaxSegments: 6, ExplorationProb: 0.4, Rule: act.HaltAbove, Threshold: 4}
	r.Evaluation = act.Config{MaxSegments: 6, Rule: act.HaltAbove, Threshold: 4.4}
	r.Steps, r.EMA, r.MinRatio = 36000, 0.9995, 0.02
	stage := func(size int, until float64) {
		until, _ = strconv.ParseFloat(strconv.FormatFloat(until, 'f', 5, 64), 64) // five decimals, as in the file that it was trained from
		r.Stages = append(r.Stages, Stage{Data: fmt.Sprintf("%s:%d", task.MazeDirectionsTask, size), Until: until})
	}
	stage(7, 0.02)
	stage(9, 0.05)
	stage(11, 0.10)
	stage(13, 0.17)
	stage(15, 0.26)
	const begin, rounds = 0.26, 24
	for k := range rounds {
		from, share := begin+(1-begin)*float64(k)/rounds, 0.0
		for _, part := range []struct {
			size  int
			share float64
		}{{9, 0.09}, {17, 0.24}, {11, 0.12}, {15, 0.30}, {13, 0.25}} {
			share += part.share
			stage(part.size, from+(1-begin)/rounds*share)
		}
	}
	return r
}

// MazePath trains the network that marks the shortest way, as Maze-Hard asks, on mazes from 7x7 to 30x30
// with more than 110 moves. Off the way it learns directions, which makes the marks learnable.
func MazePath() Recipe {
	r := Maze()
	r.Task, r.Judge = task.MazeWayTask, "marks"
	r.Model.Outputs = task.WayMark + 1
	r.Halting = act.Config{MaxSegments: 8, ExplorationProb: 0.4, Rule: act.HaltAbove, Threshold: 3}
	r.Evaluation = act.Config{MaxSegments: 32, Rule: act.HaltAbove, Threshold: 3}
	r.Steps, r.Stages = 30000, nil
	for _, st := range []struct {
		mazes    string
		until    float64
		segments int
		batch    int
	}{
		{"7", 0.02, 4, 0},
		{"9", 0.07, 4, 0},
		{"11", 0.12, 6, 0},
		{"13", 0.18, 6, 0},
		{"15", 0.26, 8, 0},
		{"19", 0.34, 8, 16},
		{"15", 0.37, 8, 0},
		{"24-40", 0.44, 12, 8},
		{"15", 0.47, 8, 0},
		{"9", 0.48, 6, 0},
		{"30-80", 0.54, 16, 8},
		{"hard", 0.64, 24, 8},
		{"15", 0.69, 8, 0},
		{"19", 0.71, 8, 16},
		{"9", 0.73, 6, 0},
		{"hard", 0.81, 24, 8},
		{"15", 0.86, 8, 0},
		{"9", 0.88, 6, 0},
		{"hard", 0.96, 24, 8},
		{"9", 0.97, 6, 0},
		{"15", 0.985, 8, 0},
		{"hard", 1, 24, 8},
	} {
		r.Stages = append(r.Stages, Stage{Data: task.MazeWayTask + ":" + st.mazes, Until: st.until, MaxSegments: st.segments, Batch: st.batch})
	}
	return r
}

// Sudoku trains the solver of 9x9 sudokus on puzzles that lose their givens. 135 thousand parameters;
// static matrices that begin as "same row, column, box" take the place of attention.
func Sudoku() Recipe {
	r := small()
	r.Task = task.SudokuTask
	r.Loss = Softmax
	m := &r.Model
	m.Vocab, m.Rows, m.Cols, m.Seq, m.Regions = task.SudokuVocab(9), 9, 9, 81, hrm.Tiles(9, 9, 3, 3)
	m.Heads, m.Mixing, m.GroupBias, m.GridEmbed, m.Positions = 4, hrm.StaticMix, true, true, hrm.NoPos
	r.Halting = act.Config{MaxSegments: 16, ExplorationProb: 0.1, Rule: act.HaltAbove, Threshold: 3}
	r.Evaluation = act.Config{MaxSegments: 32, Rule: act.HaltAbove, Threshold: 3}
	r.Steps = 36000
	r.Stages = []Stage{
		{Data: "sudoku:55-65", Until: 0.04, Exact: 0.7, Window: 100, MinSteps: 200, MaxSegments: 4},
		{Data: "sudoku:46-54", Until: 0.08, Exact: 0.7, Window: 100, MinSteps: 200, MaxSegments: 4},
		{Data: "sudoku:40-46", Until: 0.14, Exact: 0.7, Window: 100, MinSteps: 200, MaxSegments: 4},
		{Data: "sudoku:34-40", Until: 0.25, Exact: 0.7, Window: 100, MinSteps: 200, MaxSegments: 8},
		{Data: "sudoku:30-36", Until: 0.6, MaxSegments: 8},
		{Data: "sudoku:27-36", Until: 1, MaxSegments: 16},
	}
	return r
}

// SudokuGroups trains a solver that no symmetry of the board can change: a vector for each digit of each cell,
// sums over rows, columns, boxes and their intersections. 67 thousand parameters, for boards of any size.
func SudokuGroups() Recipe {
	r := small()
	r.Task = task.SudokuTask
	r.Loss = Softmax
	r.Model = hrm.Config{
		Vocab: task.SudokuVocab(9), Seq: 81, Rows: 9, Cols: 9,
		Hidden: 48, Message: 32, Inner: 80, Heads: 1, Levels: hrm.HL(1, 1, 2, 2),
		Positions: hrm.NoPos, Mixing: hrm.Grouped, Kinds: []string{"line", "box", "mini"}, Feedback: true,
	}
	r.Gradient = hrm.LastCycle
	r.Halting = act.Config{MaxSegments: 24, ExplorationProb: 0.2, Rule: act.HaltAbove, Threshold: 3}
	r.Evaluation = act.Config{MaxSegments: 64, Rule: act.HaltAbove, Threshold: 3}
	r.StartNoise, r.Clip, r.MinRatio = 1, 1, 0.02
	r.Steps = 36000
	r.Stages = []Stage{{Data: "reveal:30:mix:sudoku:minimal|2*sudoku:hard", Until: 1}}
	return r
}

// ARC trains on the demonstrations of ARC tasks with small grids: 16 augmented copies of each, a
// vector for every task and copy. It needs data, arc:SIDE:COPIES:DIR; the network of 10x10 has 0.1
// million parameters and the table.
func ARC() Recipe {
	r := small()
	r.Task = task.ARCTask
	r.Loss = Softmax
	m := &r.Model
	m.Vocab, m.Rows, m.Cols, m.Seq = 12, 10, 10, 100
	m.Heads, m.Positions, m.RopeTheta, m.Conv = 2, hrm.Rope2D, 100, true
	m.PuzzleDim, m.PuzzleIDs = 64, 1
	r.PuzzleLR, r.PuzzleDecay = 1e-2, 0.1
	r.Halting = act.Config{MaxSegments: 4, ExplorationProb: 0.1, Rule: act.HaltAbove, Threshold: 3}
	r.Evaluation = act.Config{MaxSegments: 4, Rule: act.HaltAbove, Threshold: 3}
	r.Steps = 4000
	return r
}

// HRM is the published network and training on Sudoku-Extreme-1k (HRM's README): 27 million
// parameters, 20,000 epochs of 1,000 puzzles in batches of 384. It needs data, dataset:DIR; other sets
// take other numbers of steps.
func HRM() Recipe {
	return Recipe{
		Task:       task.SudokuTask,
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
