package exam

import (
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task/arcs"
	"github.com/ponder-agents/ponder/agent/task/mazes"
	"github.com/ponder-agents/ponder/agent/task/sudokus"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// build makes the dataset of a CSV, as its split test.
func build(t *testing.T, csv string, form puzzle.Form) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "set")
	splits := []puzzle.RowSplit{{Name: "test", Rows: puzzle.ReadCSVFile(csv)}}
	if err := (puzzle.Build{}).Rows(t.Context(), dir, splits, form); err != nil {
		t.Fatal(err)
	}
	return dir
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReadMazes: a CSV as published, the dataset made of it and a text are the same mazes; the way that a row
// labels, of two shortest ones, counts as exact, in every copy.
func TestReadMazes(t *testing.T) {
	const question, above, below = "#####" + "#  G#" + "# # #" + "#S  #" + "#####", "#####" + "#ooG#" + "#o# #" + "#S  #" + "#####", "#####" + "#  G#" + "# #o#" + "#Soo#" + "#####"
	csv := file(t, "m.csv", "source,question,answer,rating\nx,"+question+","+above+",4\nx,"+question+","+below+",4\n")
	got, err := ReadMazes(csv, 0)
	if err != nil {
		t.Fatal(err)
	}
	fromSet, err := ReadMazes(build(t, csv, mazes.Form), 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, fromSet); diff != "" {
		t.Errorf("of the dataset: %s", diff)
	}
	if len(got) != 2 || !slices.Equal(got[0].Way, []int{6, 7, 11}) || !slices.Equal(got[1].Way, []int{13, 17, 18}) {
		t.Fatalf("%+v", got)
	}
	if one, err := ReadMazes(csv, 1); err != nil || len(one) != 1 {
		t.Errorf("the first: %+v, %v", one, err)
	}
	text, err := ReadMazes(file(t, "m.txt", got[0].String()), 0)
	if err != nil || len(text) != 1 || text[0].Way != nil || text[0].String() != got[0].String() {
		t.Errorf("of a text: %+v, %v", text, err)
	}

	for _, name := range []string{mazes.PathTask, mazes.RouteTask} {
		x, err := newWayExam(name, got, 8)
		if err != nil {
			t.Fatal(err)
		}
		in, label := make([]int32, 9), make([]int32, 9)
		for job := range 16 {
			if _, ok, err := x.Next(in, label); !ok || err != nil {
				t.Fatal(ok, err)
			}
			pred := slices.Clone(label) // answered as labelled
			for i, l := range label {
				if name == mazes.RouteTask && l > 0 {
					pred[i] = int32(bits.TrailingZeros32(uint32(l)))
				}
			}
			var way []int
			for cell, token := range x.tokens(job, pred) {
				if token == maze.TokenPath {
					way = append(way, cell)
				}
			}
			if !slices.Equal(way, got[job/8].Way) {
				t.Errorf("%s: copy %d of maze %d is labelled %v, want %v", name, job%8, job/8, way, got[job/8].Way)
			}
		}
	}
}

// TestReadSudokus: a CSV, the dataset made of it and a text with a puzzle a line are the same puzzles.
func TestReadSudokus(t *testing.T) {
	const question, answer = "1..4..1.2..3.32.", "1234341221434321"
	csv := file(t, "s.csv", "puzzle;solution\n"+strings.ReplaceAll(question, ".", "0")+";"+answer+"\n")
	got, err := ReadSudokus(csv, 0)
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, path := range []string{file(t, "s.sdm", question+"\n"), file(t, "bom.txt", "\xef\xbb\xbf"+question+"\r\n")} {
		list, err := ReadSudokus(path, 5)
		if err != nil || len(list) != 1 || !slices.Equal(list[0].Cells, got[0].Cells) || !slices.Equal(list[0].Solution, got[0].Solution) {
			t.Errorf("%s: %+v, %v, want %+v", filepath.Base(path), list, err, got)
		}
	}
	nine := file(t, "nine.csv", "question,answer\n53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79,534678912672195348198342567859761423426853791713924856961537284287419635345286179\n")
	want, err := ReadSudokus(nine, 0)
	if err != nil {
		t.Fatal(err)
	}
	fromSet, err := ReadSudokus(build(t, nine, sudokus.Form), 0)
	if diff := cmp.Diff(want, fromSet); diff != "" || err != nil {
		t.Errorf("of the dataset: %s, %v", diff, err)
	}
	for path, want := range map[string]string{
		t.TempDir():                              "no dataset",
		file(t, "two.txt", question+"\n"+"1\n"):  "two.txt: ",
		file(t, "none.csv", "question,answer\n"): "no puzzle in it",
		build(t, file(t, "m.csv", "question,answer\n#####"+"#  G#"+"# # #"+"#S  #"+"#####,#####"+"#ooG#"+"#o# #"+"#S  #"+"#####\n"), mazes.Form): "are none of sudoku",
	} {
		if _, err := ReadSudokus(path, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// A parrot answers the question itself, sure of it.
type parrot struct{ ids int }

func (p parrot) Spec() think.Spec {
	return think.Spec{Vocab: arcs.Vocab, Outputs: arcs.Vocab, IDs: p.ids, Levels: []think.Level{{Name: "none", Width: 1}}}
}

func (p parrot) Open(n int, shape think.Shape) (think.Rows, error) {
	return &parrots{tokens: make([][]int32, n), seq: shape.Seq}, nil
}

type parrots struct {
	tokens [][]int32
	seq    int
}

func (p *parrots) Begin(row int, in think.Input) error { return p.Turn(row, in) }

func (p *parrots) Turn(row int, in think.Input) error {
	p.tokens[row] = slices.Clone(in.Tokens)
	return nil
}

func (p *parrots) Segment(which []int, out *think.Output) error {
	out.Logits, out.QHalt, out.QContinue = out.Logits[:0], out.QHalt[:0], out.QContinue[:0]
	for _, row := range which {
		for _, t := range p.tokens[row] {
			logits := make([]float32, arcs.Vocab)
			logits[t] = 9
			out.Logits = append(out.Logits, logits...)
		}
		out.QHalt, out.QContinue = append(out.QHalt, 3), append(out.QContinue, 0)
	}
	return nil
}

func (p *parrots) Save(int) (think.Memory, error) { return think.Memory{make([]float32, p.seq)}, nil }
func (p *parrots) Load(int, think.Memory) error   { return nil }
func (p *parrots) Close() error                   { return nil }

// TestARCSet: of the dataset of two tasks a parrot answers the one whose outputs are its inputs; a model learned the
// identifiers of this dataset, or those that it tells.
func TestARCSet(t *testing.T) {
	grid := func(cells ...uint8) arc.Grid { return arc.Grid{Rows: 1, Cols: len(cells), Cells: cells} }
	same := &arc.Task{Name: "same", Train: []arc.Pair{{Input: grid(1, 2), Output: grid(1, 2)}}, Test: []arc.Pair{{Input: grid(3), Output: grid(3)}, {Input: grid(4, 5), Output: grid(4, 5)}}}
	other := &arc.Task{Name: "other", Train: []arc.Pair{{Input: grid(1), Output: grid(2)}}, Test: []arc.Pair{{Input: grid(3, 1), Output: grid(4)}}}
	dir := filepath.Join(t.TempDir(), "set")
	if err := arcs.Build(t.Context(), dir, []*arc.Task{other, same}, map[string]bool{"same": true, "other": true}, puzzle.Build{Augment: 3}); err != nil {
		t.Fatal(err)
	}
	set, err := puzzle.Open(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	model := func(ids int, names []string) *think.Model {
		return &think.Model{Name: "parrot", Core: parrot{ids}, Usage: think.Usage{Task: arcs.Task, Halting: act.Config{MaxSegments: 2, Rule: act.HaltAbove}, Identifiers: names}}
	}
	told := 0
	got, err := ARCSet(t.Context(), model(len(set.Names), nil), dir, Config{Progress: func() { told++ }})
	if err != nil {
		t.Fatal(err)
	}
	if got.Tasks != 2 || got.Skipped != 0 || got.Tests != 3 || got.Known != 3 || got.Copies != set.Len() || told != set.Len() ||
		got.Pass1 != .5 || got.Pass2 != .5 || got.Pass1Partial != .5 || got.MeanSegments != 1 {
		t.Errorf("%+v, told of %d, want one of two tasks, three tests, %d copies", got, told, set.Len())
	}
	var known []string
	for _, name := range set.Names {
		if of, _ := arcs.ParseName(name); of != "other" {
			known = append(known, name)
		}
	}
	got, err = ARCSet(t.Context(), model(len(known), known), dir, Config{})
	if err != nil || got.Tasks != 1 || got.Skipped != 1 || got.Pass1 != 1 {
		t.Errorf("of the task that was learned: %+v, %v", got, err)
	}
	for want, m := range map[string]*think.Model{
		"model parrot has learned 2 of another dataset": model(2, nil),
		"none of the 2 tasks":                           model(2, []string{"<blank>", "third"}),
	} {
		if _, err := ARCSet(t.Context(), m, dir, Config{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	stranger := model(2, nil)
	stranger.Usage.Task = sudokus.Task
	if _, err := ARCSet(t.Context(), stranger, dir, Config{}); err == nil || !strings.Contains(err.Error(), "want one for arc") {
		t.Errorf("of another task: %v", err)
	}
	if _, err := ARCSet(t.Context(), model(2, nil), t.TempDir(), Config{}); err == nil || !strings.Contains(err.Error(), "no dataset") {
		t.Errorf("of an empty folder: %v", err)
	}
}
