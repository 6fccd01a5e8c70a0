package learn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm"
)

// TestCheck: of the presets nothing is wrong once they have data, and every field that is wrong is named.
func TestCheck(t *testing.T) {
	for _, name := range Presets() {
		r, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Stages) == 0 {
			r.Learn("arc:10:16:tasks", puzzle.Shape{SeqLen: 100, Vocab: 12, Identifiers: 17}, 10, 10)
		}
		if err := r.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	tests := []struct {
		spoil func(r *Recipe)
		want  string
	}{
		{func(r *Recipe) { r.Batch = 0 }, "batch is 0"},
		{func(r *Recipe) { r.Steps = -1 }, "steps is -1"},
		{func(r *Recipe) { r.LR = 0 }, "lr is 0"},
		{func(r *Recipe) { r.MinRatio = 1.5 }, "lr_min_ratio is 1.5"},
		{func(r *Recipe) { r.Warmup = -2 }, "lr_warmup is -2"},
		{func(r *Recipe) { r.Clip = -1 }, "clip is -1"},
		{func(r *Recipe) { r.StartNoise = -1 }, "start_noise is -1"},
		{func(r *Recipe) { r.PuzzleLR = -1 }, "puzzle_lr is -1"},
		{func(r *Recipe) { r.PuzzleDecay = -1 }, "puzzle_decay is -1"},
		{func(r *Recipe) { r.EMA = 1 }, "ema is 1"},
		{func(r *Recipe) { r.Loss = "mean" }, `loss "mean" is unknown`},
		{func(r *Recipe) { r.Judge = "fair" }, `judge "fair" is none of task maze-directions`},
		{func(r *Recipe) { r.Loss = Softmax }, `task "maze-directions" has sets of right answers`},
		{func(r *Recipe) { r.Task = "mazes" }, `task "mazes" is unknown`},
		{func(r *Recipe) { r.Adam.Rule = "sgd" }, `adam: rule "sgd" is unknown`},
		{func(r *Recipe) { r.Adam.Beta1 = 1 }, "adam: beta1 is 1"},
		{func(r *Recipe) { r.Adam.Beta2 = -1 }, "adam: beta2 is -1"},
		{func(r *Recipe) { r.Adam.Eps = -1 }, "adam: eps is -1"},
		{func(r *Recipe) { r.Adam.WeightDecay = -1 }, "adam: weight_decay is -1"},
		{func(r *Recipe) { r.Halting.MaxSegments = 0 }, "halting: act: MaxSegments is 0"},
		{func(r *Recipe) { r.Evaluation.MaxSegments = -1 }, "evaluation: act: MaxSegments is -1"},
		{func(r *Recipe) { r.Model.Hidden = 0 }, "hidden is 0"},
		{func(r *Recipe) { r.Unroll = 2 }, `unroll is 2, wants gradient "all-cycles"`},
		{func(r *Recipe) {
			r.Model, r.Cell = hrm.Config{}, &hrm.CellConfig{Vocab: 5, Seq: 6, Input: 7, Low: 6, High: 9}
			r.Training = hrm.Training{Gradient: hrm.AllCycles, Unroll: 2}
		}, "unroll is 2, want 1: the gradients of a cell"},
		{func(r *Recipe) { r.Stages = nil }, "stages is empty, want one or more"},
		{func(r *Recipe) { r.Stages[0].Until = 2 }, "stages[0].until is 2, want 0"},
		{func(r *Recipe) { r.Stages = r.Stages[:1] }, "stages[0].until is 0.02 of the last stage, want 1"},
		{func(r *Recipe) { r.Stages[0].Batch = -1 }, "stages[0].batch is -1"},
		{func(r *Recipe) { r.Stages[0].Exact = 0.5 }, "stages[0].window is 0"},
		{func(r *Recipe) { r.Stages[0].Exact = 1.5 }, "stages[0].exact is 1.5"},
		{func(r *Recipe) { r.Stages[0].MaxSegments = -1 }, "stages[0].max_segments is -1, want 0 to 4096"},
	}
	for _, tt := range tests {
		r := preset("maze")
		tt.spoil(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error = %v, want %q in it", err, tt.want)
		}
	}
}

func TestFits(t *testing.T) {
	maze, sudoku, groups, plain := preset("maze"), preset("sudoku"), preset("sudoku-groups"), HRM()
	hard := plain
	hard.Model.PuzzleIDs = 4
	tests := []struct {
		name   string
		recipe Recipe
		shape  puzzle.Shape
		want   string // "" means that it fits
	}{
		{"its own", maze, puzzle.Shape{SeqLen: 169, Vocab: 6, Identifiers: 1, Labels: 16}, ""},
		{"a map is read at any size", maze, puzzle.Shape{SeqLen: 49, Vocab: 6, Identifiers: 1, Labels: 16}, ""},
		{"a table is not", sudoku, puzzle.Shape{SeqLen: 36, Vocab: 8, Identifiers: 1}, "its rows have 36 tokens, model.seq is 81"},
		{"nor a sequence", plain, puzzle.Shape{SeqLen: 36, Vocab: 11, Identifiers: 1}, "its rows have 36 tokens, model.seq is 81"},
		{"fewer tokens", plain, puzzle.Shape{SeqLen: 81, Vocab: 8, Identifiers: 1}, ""},
		{"more tokens", plain, puzzle.Shape{SeqLen: 81, Vocab: 12, Identifiers: 1}, "its vocabulary is 12, model.vocab is 11"},
		{"more classes", plain, puzzle.Shape{SeqLen: 81, Vocab: 11, Identifiers: 1, Labels: 12}, "its labels are in [0, 12), the model tells 11 apart"},
		{"sets of more classes", maze, puzzle.Shape{SeqLen: 169, Vocab: 6, Identifiers: 1, Labels: 17}, "its labels are in [0, 17), the model tells 16 apart"},
		{"tokens instead of sets", maze, puzzle.Shape{SeqLen: 169, Vocab: 6, Identifiers: 1}, `its labels are tokens, loss "any-of" wants sets`},
		{"more identifiers", hard, puzzle.Shape{SeqLen: 81, Vocab: 11, Identifiers: 5}, "it has 5 puzzle identifiers, model.puzzle_ids is 4"},
		{"a board of groups is of any size", groups, puzzle.Shape{SeqLen: 256, Vocab: 18, Identifiers: 1}, ""},
		{"with as many symbols as rows", groups, puzzle.Shape{SeqLen: 36, Vocab: 11, Identifiers: 1}, "its vocabulary is 11, model.vocab is 8"},
		{"identifiers nobody looks at", sudoku, puzzle.Shape{SeqLen: 81, Vocab: 11, Identifiers: 5}, ""},
	}
	for _, tt := range tests {
		err := tt.recipe.Fits(tt.shape)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error = %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestLearn: after Learn the recipe passes its own checks for the data, whatever it was made for.
func TestLearn(t *testing.T) {
	maze4 := preset("maze")
	maze4.Model.Outputs = 9
	table := HRM()
	tests := []struct {
		name       string
		recipe     Recipe
		shape      puzzle.Shape
		rows, cols int
		want       hrm.Config // of what depends on the data
	}{
		{"sets of directions", maze4, puzzle.Shape{SeqLen: 25, Vocab: 6, Identifiers: 1, Labels: 16}, 5, 5, hrm.Config{Vocab: 6, Outputs: 4, Seq: 25, Rows: 5, Cols: 5}},
		{"small boards", preset("sudoku"), puzzle.Shape{SeqLen: 36, Vocab: 11, Identifiers: 1}, 6, 6, hrm.Config{Vocab: 11, Seq: 36, Rows: 6, Cols: 6, Regions: hrm.Tiles(6, 6, 2, 3)}},
		{"no boxes", preset("sudoku"), puzzle.Shape{SeqLen: 49, Vocab: 6, Identifiers: 1}, 7, 7, hrm.Config{Vocab: 6, Seq: 49, Rows: 7, Cols: 7}},
		{"puzzles with names", table, puzzle.Shape{SeqLen: 900, Vocab: 12, Identifiers: 961}, 30, 30, hrm.Config{Vocab: 12, Seq: 900, Rows: 30, Cols: 30, PuzzleIDs: 961}},
	}
	for _, tt := range tests {
		r := tt.recipe
		r.Learn("data", tt.shape, tt.rows, tt.cols)
		m := r.Model
		got := hrm.Config{Vocab: m.Vocab, Outputs: m.Outputs, Seq: m.Seq, Rows: m.Rows, Cols: m.Cols, Regions: m.Regions, PuzzleIDs: m.PuzzleIDs}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if r.Evaluation == (act.Config{}) || len(r.Stages) != 1 || r.Check() != nil || r.Fits(tt.shape) != nil {
			t.Errorf("%s: %v, %v", tt.name, r.Check(), r.Fits(tt.shape))
		}
	}
}
