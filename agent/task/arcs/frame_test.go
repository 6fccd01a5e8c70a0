package arcs

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/internal/beside"
)

// What transforms.json records of the original programs.
type transforms struct {
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
	data, err := os.ReadFile(beside.Shared(t, "hrm", "dataset", "transforms.json"))
	if err == nil {
		err = json.Unmarshal(data, &x)
	}
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func gridOf(t testing.TB, rows [][]int) (g arc.Grid) {
	t.Helper()
	for _, row := range rows {
		g.Rows, g.Cols = g.Rows+1, len(row)
		for _, c := range row {
			g.Cells = append(g.Cells, uint8(c))
		}
	}
	return g
}

func TestFrameAsRecorded(t *testing.T) {
	for i, x := range readTransforms(t).Frame {
		got := make([]int32, Side*Side)
		for _, c := range []struct {
			grid [][]int
			want []int32
		}{{x.Input, x.InputTokens}, {x.Output, x.OutputTokens}} {
			g := gridOf(t, c.grid)
			if Frame(got, &g, x.PadR, x.PadC); !slices.Equal(got, c.want) {
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
		if x.Rows > 0 && !got.Equal(&want) || x.Rows == 0 && len(got.Cells) > 0 {
			t.Errorf("case %d: %+v, want %+v", i, got, want)
		}
	}
}

func TestInverseAsRecorded(t *testing.T) {
	for _, x := range readTransforms(t).Inverse {
		_, aug := ParseName(x.Name)
		if got, want := aug.Undo(gridOf(t, x.Grid)), gridOf(t, x.Out); !got.Equal(&want) {
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
	tasks, _, err := arc.Read(arc.Reading{}, beside.Shared(t, "hrm", "dataset", "arc-tiny", "source", x.Task+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := Hash(tasks[0]); got != x.Hash {
		t.Errorf("hash %s, want %s", got, x.Hash)
	}
}

func randomGrid(t *rapid.T) arc.Grid {
	g := arc.Grid{Rows: rapid.IntRange(1, Side).Draw(t, "rows"), Cols: rapid.IntRange(1, Side).Draw(t, "cols")}
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
		frame := make([]int32, Side*Side)
		turned := a.Apply(g)
		Frame(frame, &turned, 0, 0)
		if got := b.Undo(Crop(frame)); !got.Equal(&g) {
			t.Fatalf("%v: got %v, want %v", a, got, g)
		}
	})
}

func TestCopies(t *testing.T) {
	one := arc.Grid{Rows: 1, Cols: 1, Cells: []uint8{5}}
	few := &arc.Task{Name: "few", Train: []arc.Pair{{Input: one, Output: one}}, Test: []arc.Pair{{Input: one, Output: one}}}
	if got := len(Copies(rand.New(rand.NewPCG(1, 0)), few, 100)); got != 9 {
		t.Errorf("a task of one cell has %d copies, want 9: its colour is one of 1 to 9", got)
	}
	rng := rand.New(rand.NewPCG(2, 0))
	big := arc.Grid{Rows: 3, Cols: 3, Cells: []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8}}
	copies := Copies(rng, &arc.Task{Name: "many", Train: []arc.Pair{{Input: big, Output: one}}, Test: []arc.Pair{{Input: big, Output: big}}}, 1000)
	if len(copies) != 1001 || copies[0].Name != "many" {
		t.Fatalf("%d copies, the first %q; want 1001 and the task itself", len(copies), copies[0].Name)
	}
	seen := map[string]bool{}
	for _, c := range copies {
		if seen[Hash(c)] {
			t.Fatalf("%s repeats the content of another copy", c.Name)
		}
		seen[Hash(c)] = true
	}
}

// The votes the original evaluator counted, their order and the percentages.
func TestVotingAsRecorded(t *testing.T) {
	x, meta := beside.Tensors(t, beside.Shared(t, "hrm", "dataset", "arc_voting.safetensors"))
	set, err := puzzle.Open(beside.Shared(t, "hrm", "dataset", "arc-tiny"), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	names := set.Names
	var v Voter
	q := x["q_halt_logits"].Floats()
	row := func(name string, i int) []int32 { return x[name].Data[i*900 : (i+1)*900] }
	for i, id := range x["puzzle_identifiers"].Data {
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
	Frame(in, &arc.Grid{Rows: 1, Cols: 1, Cells: []uint8{3}}, 0, 0)
	v.Add("hidden", in, none, none, 9)
	if strict, partial := Pass(v.Tasks(), 2); strict != 0 || partial != 0 {
		t.Errorf("an empty answer to a test without a known truth passes: %v %v", strict, partial)
	}
}

// The original ARC test split, cell for cell, from the names of its identifiers and the sources;
// and our own build of these sources has the same metadata, types and shapes.
func TestBuildARCAsRecorded(t *testing.T) {
	root := beside.Shared(t, "hrm", "dataset", "arc-tiny")
	tasks, _, err := arc.Read(arc.Reading{}, filepath.Join(root, "source"))
	if err != nil {
		t.Fatal(err)
	}
	byName, evaluate := map[string]*arc.Task{}, map[string]bool{}
	for _, x := range tasks {
		byName[x.Name], evaluate[x.Name] = x, true
	}
	for _, split := range []string{"train", "test"} {
		s, err := puzzle.Open(root, split)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		in, label := make([]int32, 900), make([]int32, 900)
		for p := range s.Puzzles() {
			id, first, end := s.Puzzle(p)
			name, aug := ParseName(s.Name(id))
			copied := aug.Task(byName[name])
			if copied.Name != s.Name(id) {
				t.Errorf("%s: the copy is named %s", s.Name(id), copied.Name)
			}
			pairs := copied.Test
			if split == "train" {
				pairs = copied.Train
			}
			if len(pairs) != end-first {
				t.Fatalf("%s: %d pairs, want %d", copied.Name, len(pairs), end-first)
			}
			for e := first; e < end; e++ {
				if _, err := s.Example(e, in, label); err != nil {
					t.Fatal(err)
				}
				_, row, col, err := ReadFrame(in)
				if err != nil || split == "test" && row+col > 0 {
					t.Fatalf("%s, example %d: grid at (%d, %d), %v", split, e, row, col, err)
				}
				pair, wantIn, wantLabel := pairs[e-first], make([]int32, 900), make([]int32, 900)
				Frame(wantIn, &pair.Input, row, col)
				Frame(wantLabel, &pair.Output, row, col)
				for i, v := range wantLabel {
					if v == 0 {
						wantLabel[i] = puzzle.Ignore
					}
				}
				if !slices.Equal(in, wantIn) || !slices.Equal(label, wantLabel) {
					t.Errorf("%s, example %d of %s differs", split, e, copied.Name)
				}
			}
		}
	}

	dir := filepath.Join(t.TempDir(), "arc")
	if err := Build(t.Context(), dir, tasks, evaluate, puzzle.Build{Augment: 4, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	got, want := beside.Files(t, dir), beside.Files(t, root)
	for name, w := range want {
		switch g := got[name]; {
		case strings.HasPrefix(name, "source/") || name == "identifiers.json":
		case strings.HasSuffix(name, "inputs.npy") || strings.HasSuffix(name, "labels.npy"):
			if len(g) != len(w) || g[:128] != w[:128] {
				t.Errorf("%s: type or shape differs", name)
			}
		case strings.HasSuffix(name, "puzzle_indices.npy"): // sources in another order
			if len(g) != len(w) || g[:128] != w[:128] {
				t.Errorf("%s: type or shape differs", name)
			}
		case g != w:
			t.Errorf("%s differs", name)
		}
	}
	for _, d := range []string{dir, root} {
		r, err := puzzle.Check(t.Context(), d, task.RowKind, nil)
		if err != nil || len(r.Problems) > 0 || r.Kind != Task {
			t.Errorf("check: %+v %v", r, err)
		}
	}
}

func arcTask(name string, train, test int) *arc.Task {
	t := &arc.Task{Name: name}
	for i := range train + test {
		g := arc.Grid{Rows: 2, Cols: 3, Cells: []uint8{uint8(i % 10), 1, 2, 3, 4, 5}}
		if i < train {
			t.Train = append(t.Train, arc.Pair{Input: g, Output: g})
		} else {
			t.Test = append(t.Test, arc.Pair{Input: g, Output: g})
		}
	}
	return t
}

// Where the pairs of evaluated and other tasks go, and under which identifiers.
func TestSets(t *testing.T) {
	hidden := arcTask("c", 2, 2)
	hidden.Test[1].Output = arc.Grid{}
	train, test, err := Sets(t.Context(), []*arc.Task{arcTask("a", 3, 1), arcTask("b", 2, 2), hidden},
		map[string]bool{"b": true}, puzzle.Build{Augment: 2})
	if err != nil {
		t.Fatal(err)
	}
	puzzles := func(s *puzzle.Set) (out []string) {
		for p := range s.Puzzles() {
			id, first, end := s.Puzzle(p)
			name, _ := ParseName(s.Name(id))
			out = append(out, fmt.Sprintf("%d:%s x%d", id, name, end-first))
		}
		return out
	}
	want := []string{
		"1:a x4", "2:a x4", "3:a x4", // train and test pairs of a task that is not evaluated
		"4:b x2", "5:b x2", "6:b x2", // demonstrations only
		"7:c x3", "8:c x3", "9:c x3", // without the pair whose output is unknown
	}
	if d := cmp.Diff(want, puzzles(train)); d != "" {
		t.Errorf("train: %s", d)
	}
	if d := cmp.Diff([]string{"4:b x2", "5:b x2", "6:b x2"}, puzzles(test)); d != "" {
		t.Errorf("test: %s", d)
	}
	if train.Groups() != 3 || test.Groups() != 1 || train.Shape() != (puzzle.Shape{SeqLen: 900, Vocab: 12, Identifiers: 10}) || test.Shape() != train.Shape() {
		t.Errorf("%d and %d groups of %+v and %+v", train.Groups(), test.Groups(), train.Shape(), test.Shape())
	}
	in, label := make([]int32, 900), make([]int32, 900)
	moved := 0
	for p := range train.Puzzles() { // one pair stays at (0, 0), the others go anywhere
		_, first, end := train.Puzzle(p)
		stayed := 0
		for e := first; e < end; e++ {
			if _, err := train.Example(e, in, label); err != nil {
				t.Fatal(err)
			}
			if in[0] != 0 {
				stayed++
			} else {
				moved++
			}
		}
		if stayed == 0 {
			t.Errorf("puzzle %d: every pair was moved", p)
		}
	}
	if moved == 0 {
		t.Error("no pair was moved")
	}
}

func FuzzTask(f *testing.F) {
	f.Add([]byte(`{"train": [{"input": [[1,2]], "output": [[0]]}], "test": [{"input": [[9]]}]}`))
	f.Add([]byte(`{"train": [{"input": [[1,2],[3]], "output": []}], "test": null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		task, err := arc.Parse("x", data)
		if err != nil {
			return
		}
		Hash(task)
		FramePairs(nil, append(task.Train, task.Test...), func(in, label []int32) {
			if err := verify(in, label); err != nil {
				t.Errorf("%s: %v", data, err)
			}
		})
		for i, p := range task.Train {
			if p.Input.Rows == 0 || p.Output.Rows == 0 {
				t.Errorf("train pair %d has an empty grid", i)
			}
		}
	})
}

// Every task of ARC-AGI-1 is read, framed, and its frames hold.
func TestRealTasks(t *testing.T) {
	tasks, folder, err := arc.Read(arc.Reading{}, beside.Shared(t, "data", "arc"))
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) != 800 {
		t.Errorf("%d tasks, want 800", len(tasks))
	}
	n := map[string]int{}
	for _, x := range tasks {
		n[folder[x.Name]]++
		FramePairs(puzzle.Rand(0, x.Name), slices.Concat(x.Train, x.Test), func(in, label []int32) {
			if err := verify(in, label); err != nil {
				t.Errorf("%s: %v", x.Name, err)
			}
		})
	}
	if n["training"] != 400 || n["evaluation"] != 400 {
		t.Errorf("tasks by folder: %v", n)
	}
}

// BenchmarkCopies augments a task and frames it: what data build does for every task.
func BenchmarkCopies(b *testing.B) {
	tasks, _, err := arc.Read(arc.Reading{}, beside.Shared(b, "hrm", "dataset", "arc-tiny", "source"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, c := range Copies(puzzle.Rand(1, "copies"), tasks[0], 100) {
			FramePairs(puzzle.Rand(1, "place"), c.Train, func(in, label []int32) {})
		}
	}
	b.ReportMetric(float64(101*b.N)/b.Elapsed().Seconds(), "copies/s")
}
