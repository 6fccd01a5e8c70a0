package puzzle

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What transforms.json records of the original programs.
type transforms struct {
	Dihedral struct {
		Input   [][]int
		Outputs [][][]int
		Inverse []int
	}
	Sudoku []struct {
		Question, Answer string
		DigitMap         []int32 `json:"digit_map"`
		Transpose        bool
		RowPerm          []int  `json:"row_perm"`
		ColPerm          []int  `json:"col_perm"`
		QuestionOut      string `json:"question_out"`
		AnswerOut        string `json:"answer_out"`
	} `json:"sudoku_shuffle"`
	Frame []struct {
		Input, Output [][]int
		PadR          int     `json:"pad_r"`
		PadC          int     `json:"pad_c"`
		InputTokens   []int32 `json:"input_tokens"`
		OutputTokens  []int32 `json:"output_tokens"`
	} `json:"arc_frame"`
	Hash struct{ Task, Hash string } `json:"arc_puzzle_hash"`
	Crop []struct {
		Tokens     []int32
		Rows, Cols int
		Grid       [][]int
	} `json:"arc_crop"`
	Inverse []struct {
		Name      string
		Grid, Out [][]int
	} `json:"arc_inverse_aug"`
}

func readTransforms(t *testing.T) (x transforms) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixtures(t), "transforms.json"))
	if err == nil {
		err = json.Unmarshal(data, &x)
	}
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func gridOf(t testing.TB, rows [][]int) Grid {
	t.Helper()
	if len(rows) == 0 {
		return Grid{Cells: []uint8{}}
	}
	g, err := newGrid(rows)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestDihedralAsRecorded(t *testing.T) {
	x := readTransforms(t).Dihedral
	if len(x.Outputs) != Dihedrals {
		t.Fatalf("%d outputs", len(x.Outputs))
	}
	for i := range Dihedrals {
		if d := cmp.Diff(gridOf(t, x.Outputs[i]), gridOf(t, x.Input).Dihedral(i)); d != "" {
			t.Errorf("symmetry %d: %s", i, d)
		}
		if got := DihedralInverse(i); got != x.Inverse[i] {
			t.Errorf("inverse of %d: %d, want %d", i, got, x.Inverse[i])
		}
	}
}

// digits turns text ('0' or '.' empty) into sudoku tokens.
func digits(text string) (v []int32) {
	for _, c := range []byte(text) {
		if c == '.' {
			c = '0'
		}
		v = append(v, int32(c-'0')+1)
	}
	return v
}

func TestSudokuMapAsRecorded(t *testing.T) {
	for i, x := range readTransforms(t).Sudoku {
		m := SudokuMap{x.DigitMap, x.Transpose, x.RowPerm, x.ColPerm}
		got := make([]int32, 81)
		for in, out := range map[string]string{x.Question: x.QuestionOut, x.Answer: x.AnswerOut} {
			if m.Apply(got, digits(in)); !slices.Equal(got, digits(out)) {
				t.Errorf("case %d: %v becomes %v, want %v", i, in, got, out)
			}
			if m.Undo(got, digits(out)); !slices.Equal(got, digits(in)) {
				t.Errorf("case %d: %v undone is %v, want %v", i, out, got, in)
			}
		}
	}
}

// Undo is the inverse of Apply on any board, and lines and boxes stay lines and boxes: every image
// of a solution is a solution.
func TestSudokuMapKeepsSolutions(t *testing.T) {
	for _, box := range [][2]int{{2, 2}, {2, 3}, {3, 3}} {
		t.Run(fmt.Sprint(box), rapid.MakeCheck(func(t *rapid.T) {
			m := RandomSudokuMap(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), box[0], box[1])
			side := box[0] * box[1]
			board := make([]int32, side*side)
			for i := range board { // row r is row 0 shifted by boxCols a row, by one more a band
				r, c := i/side, i%side
				board[i] = int32((r%box[0]*box[1]+r/box[0]+c)%side) + 2
			}
			got, back := make([]int32, len(board)), make([]int32, len(board))
			if err := checkSolution(board, box[0], box[1]); err != nil {
				t.Fatal(err)
			}
			m.Apply(got, board)
			if err := checkSolution(got, box[0], box[1]); err != nil {
				t.Fatalf("%+v: %v", m, err)
			}
			for i := range got {
				if rapid.Bool().Draw(t, "hide") {
					board[i] = []int32{SudokuEmpty, Ignore, 0}[i%3]
				}
			}
			m.Apply(got, board)
			if m.Undo(back, got); !slices.Equal(back, board) {
				t.Fatalf("%+v: undone %v, want %v", m, back, board)
			}
		}))
	}
}

func TestFrameAsRecorded(t *testing.T) {
	for i, x := range readTransforms(t).Frame {
		got := make([]int32, ARCSide*ARCSide)
		for _, c := range []struct {
			grid [][]int
			want []int32
		}{{x.Input, x.InputTokens}, {x.Output, x.OutputTokens}} {
			if gridOf(t, c.grid).Frame(got, x.PadR, x.PadC); !slices.Equal(got, c.want) {
				t.Errorf("case %d: %s", i, cmp.Diff(c.want, got))
			}
		}
	}
}

func TestCropAsRecorded(t *testing.T) {
	for i, x := range readTransforms(t).Crop {
		got, want := Crop(x.Tokens), gridOf(t, x.Grid)
		if want.Rows != x.Rows || (want.Cols != x.Cols && x.Rows > 0) {
			t.Fatalf("case %d of the fixture: %d x %d, grid of %d x %d", i, x.Rows, x.Cols, want.Rows, want.Cols)
		}
		if x.Rows > 0 && !got.Equal(want) || x.Rows == 0 && len(got.Cells) > 0 {
			t.Errorf("case %d: %+v, want %+v", i, got, want)
		}
	}
}

func TestInverseAsRecorded(t *testing.T) {
	for _, x := range readTransforms(t).Inverse {
		_, aug := ParseName(x.Name)
		if got, want := aug.Undo(gridOf(t, x.Grid)), gridOf(t, x.Out); !got.Equal(want) {
			t.Errorf("%s: %+v, want %+v", x.Name, got, want)
		}
	}
}

func TestParseName(t *testing.T) {
	perm := [10]uint8{0, 2, 1, 3, 4, 5, 6, 7, 8, 9}
	tests := []struct {
		name, task string
		aug        Augmentation
	}{
		{"00576224", "00576224", Identity()},
		{"a_t3_0213456789", "a", Augmentation{3, perm}},
		{"a|||t7|||0213456789", "a", Augmentation{7, perm}},
		{"Above_t1_Below_t0_0213456789", "Above_t1_Below", Augmentation{0, perm}},
		{"a_t8_0213456789", "a_t8_0213456789", Identity()},   // no such symmetry
		{"a_t3_0113456789", "a_t3_0113456789", Identity()},   // no permutation
		{"a_t3_02134567890", "a_t3_02134567890", Identity()}, // eleven digits
		{"", "", Identity()},
	}
	for _, tt := range tests {
		task, aug := ParseName(tt.name)
		if task != tt.task || aug != tt.aug {
			t.Errorf("%q: %q %v, want %q %v", tt.name, task, aug, tt.task, tt.aug)
		}
	}
}

func TestHashAsRecorded(t *testing.T) {
	x := readTransforms(t).Hash
	tasks, _, err := ReadTasks(filepath.Join(fixtures(t), "arc-tiny", "source", x.Task+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := tasks[0].Hash(); got != x.Hash {
		t.Errorf("hash %s, want %s", got, x.Hash)
	}
}

func randomGrid(t *rapid.T) Grid {
	g := Grid{Rows: rapid.IntRange(1, ARCSide).Draw(t, "rows"), Cols: rapid.IntRange(1, ARCSide).Draw(t, "cols")}
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "cells"), 0))
	for range g.Rows * g.Cols {
		g.Cells = append(g.Cells, uint8(rng.IntN(10)))
	}
	return g
}

// Augment, frame, crop and undo bring every grid back, and the name says how.
func TestARCRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := randomGrid(t)
		a := RandomAugmentation(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)))
		if a.Colours[0] != 0 {
			t.Fatalf("%v moves colour 0", a)
		}
		task, b := ParseName(a.Name("x_y"))
		if task != "x_y" || b != a {
			t.Fatalf("name %q reads back as %q %v, want %v", a.Name("x_y"), task, b, a)
		}
		frame := make([]int32, ARCSide*ARCSide)
		a.Apply(g).Frame(frame, 0, 0)
		if got := b.Undo(Crop(frame)); !got.Equal(g) {
			t.Fatalf("%v: got %v, want %v", a, got, g)
		}
	})
}

func TestCopies(t *testing.T) {
	one := Grid{1, 1, []uint8{5}}
	few := Task{Name: "few", Train: []Pair{{one, one}}, Test: []Pair{{one, one}}}
	if got := len(few.Copies(rand.New(rand.NewPCG(1, 0)), 100)); got != 9 {
		t.Errorf("a task of one cell has %d copies, want 9: its colour is one of 1 to 9", got)
	}
	rng := rand.New(rand.NewPCG(2, 0))
	big := Grid{3, 3, []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8}}
	copies := Task{Name: "many", Train: []Pair{{big, one}}, Test: []Pair{{big, big}}}.Copies(rng, 1000)
	if len(copies) != 1001 || copies[0].Name != "many" {
		t.Fatalf("%d copies, the first %q; want 1001 and the task itself", len(copies), copies[0].Name)
	}
	seen := map[string]bool{}
	for _, c := range copies {
		if seen[c.Hash()] {
			t.Fatalf("%s repeats the content of another copy", c.Name)
		}
		seen[c.Hash()] = true
	}
}

// The votes the original evaluator counted, their order and the percentages.
func TestVotingAsRecorded(t *testing.T) {
	x, meta := readTensors(t, filepath.Join(fixtures(t), "arc_voting.safetensors"))
	names, err := readNames(filepath.Join(fixtures(t), "arc-tiny", "identifiers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v Voter
	q := x["q_halt_logits"].floats()
	row := func(name string, i int) []int32 { return x[name].data[i*900 : (i+1)*900] }
	for i, id := range x["puzzle_identifiers"].data {
		v.Add(names[id], row("inputs", i), row("labels", i), row("preds", i), q[i])
	}
	tasks := v.Tasks()

	type ranking struct {
		Rank  int `json:"rank_of_answer"`
		Votes [][2]float64
	}
	var want map[string][]ranking
	if err := json.Unmarshal([]byte(meta["ranking"]), &want); err != nil {
		t.Fatal(err)
	}
	if len(tasks) != len(want) {
		t.Fatalf("%d tasks, want %d", len(tasks), len(want))
	}
	for _, task := range tasks {
		var got []ranking
		for _, test := range task.Tests {
			r := ranking{Rank: test.Rank()}
			for _, a := range test.Answers {
				r.Votes = append(r.Votes, [2]float64{float64(a.Votes), math.Round(a.Confidence*1e6) / 1e6})
			}
			got = append(got, r)
		}
		if d := cmp.Diff(want[task.Task], got); d != "" {
			t.Errorf("%s: %s", task.Task, d)
		}
	}
	var strict, partial map[int]float64
	if err := json.Unmarshal([]byte(meta["expected_percent_all_tests"]), &strict); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(meta["expected_percent_partial_credit"]), &partial); err != nil {
		t.Fatal(err)
	}
	for k := range strict {
		s, p := Pass(tasks, k)
		if math.Abs(100*s-strict[k]) > 0.005 || math.Abs(100*p-partial[k]) > 0.005 { // recorded with 2 to 4 decimals
			t.Errorf("pass@%d: %.4f %% strict, %.4f %% partial, want %v and %v", k, 100*s, 100*p, strict[k], partial[k])
		}
	}
}

func TestPassNeedsATruth(t *testing.T) {
	var v Voter
	in, none := make([]int32, 900), make([]int32, 900)
	Grid{1, 1, []uint8{3}}.Frame(in, 0, 0)
	v.Add("hidden", in, none, none, 9)
	if strict, partial := Pass(v.Tasks(), 2); strict != 0 || partial != 0 {
		t.Errorf("an empty answer to a test without a known truth passes: %v %v", strict, partial)
	}
}
