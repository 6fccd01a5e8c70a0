package families_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/task/arcs"
	"github.com/ponder-agents/ponder/agent/task/sudokus"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/ponder-agents/ponder/internal/beside"
)

// row is one example as a value.
type row struct {
	ID        int32
	In, Label string // tokens in print
}

func open(t *testing.T, name string, seed uint64, heldOut bool) (puzzle.Source, int, int) {
	t.Helper()
	rows, err := task.Open(name, seed, heldOut)
	if err != nil {
		t.Fatal(err)
	}
	return rows.Source, rows.Rows, rows.Cols
}

func next(t *testing.T, src puzzle.Source) (id int32, in, label []int32) {
	t.Helper()
	in, label = make([]int32, src.Shape().SeqLen), make([]int32, src.Shape().SeqLen)
	id, err := src.Next(in, label)
	if err != nil {
		t.Fatal(err)
	}
	return id, in, label
}

// epoch is the next n rows, sorted.
func epoch(t *testing.T, src puzzle.Source, n int) (rows []row) {
	t.Helper()
	for range n {
		id, in, label := next(t, src)
		rows = append(rows, row{id, fmt.Sprint(in), fmt.Sprint(label)})
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return rows
}

// board is a solved board of so many rows, as text.
func board(t *testing.T, rng *rand.Rand, side int) string {
	t.Helper()
	s, err := sudoku.NewSolver(side)
	if err != nil {
		t.Fatal(err)
	}
	cells, text := make([]uint8, side*side), make([]byte, side*side)
	s.Fill(cells, rng)
	for i, d := range cells {
		text[i] = '0' + d
	}
	return string(text)
}

// question is a board of which the first n cells are given.
func question(board string, n int) string { return board[:n] + strings.Repeat(".", len(board)-n) }

// writeCSV writes n puzzles with so many givens each, by row.
func writeCSV(t *testing.T, path string, n int, givens func(row int) int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	text := "source,question,answer,rating\n"
	for i := range n {
		b := board(t, rng, 4)
		text += fmt.Sprintf("test,%s,%s,0\n", question(b, givens(i+1)), b)
	}
	write(t, path, text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// writeDataset writes 4x4 sudokus with so many givens, train and test by row, and returns their rows.
func writeDataset(t *testing.T, dir string, train, test, givens int) (rows map[string][]row) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(givens), 1))
	w, err := puzzle.Create(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	zero := 0
	rows = map[string][]row{}
	for split, n := range map[string]int{"train": train, "test": test} {
		s, err := w.Split(split, puzzle.Meta{IgnoreLabelID: &zero, VocabSize: sudokus.Vocab(9), SeqLen: 16}, true)
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			b := board(t, rng, 4)
			in, label, err := sudokus.Parse(puzzle.Row{Question: question(b, givens), Answer: b})
			if err != nil {
				t.Fatal(err)
			}
			s.Example(in, label)
			s.EndPuzzle(0)
			s.EndGroup()
			rows[split] = append(rows[split], row{0, fmt.Sprint(in), fmt.Sprint(label)})
		}
		slices.SortFunc(rows[split], func(a, b row) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	if err := w.Commit(nil); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestDataset: an epoch of each split is its rows, each once; the order is the seed's.
func TestDataset(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	want := writeDataset(t, dir, 12, 5, 6)
	for split, heldOut := range map[string]bool{"train": false, "test": true} {
		src, rows, cols := open(t, "dataset:"+dir, 1, heldOut)
		if shape := (puzzle.Shape{SeqLen: 16, Vocab: 11, Identifiers: 1}); src.Shape() != shape || rows != 4 || cols != 4 {
			t.Errorf("%s: rows of %+v in a grid of %dx%d, want %+v in 4x4", split, src.Shape(), rows, cols, shape)
		}
		for range 2 {
			if diff := cmp.Diff(want[split], epoch(t, src, len(want[split]))); diff != "" {
				t.Errorf("%s: an epoch differs (-want +got):\n%s", split, diff)
			}
		}
		if got, err := task.Open("dataset:"+dir, 1, heldOut); err != nil || got.Task != sudokus.Task {
			t.Errorf("the rows are for %q, want %q; %v", got.Task, sudokus.Task, err)
		}
	}
	first := func(seed uint64) (in []string) {
		src, _, _ := open(t, "dataset:"+dir, seed, false)
		for range 12 {
			_, x, _ := next(t, src)
			in = append(in, fmt.Sprint(x))
		}
		return in
	}
	if a, b, c := first(1), first(1), first(2); !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("want one order a seed, another one for another")
	}
}

// TestSudokuCSV: training rows are symmetric copies of other puzzles than the held-out ones, which
// number of givens tells apart, and every label solves its board.
func TestSudokuCSV(t *testing.T) {
	dir := t.TempDir()
	one, train, test := filepath.Join(dir, "one.csv"), filepath.Join(dir, "train.csv"), filepath.Join(dir, "test.csv")
	writeCSV(t, one, 30, func(row int) int { return 5 + 4*((10-row%10)/10) }) // 9 in rows 10, 20 and 30
	writeCSV(t, train, 4, func(int) int { return 5 })
	writeCSV(t, test, 3, func(int) int { return 9 })
	for _, tt := range []struct {
		name         string
		train, tests int
	}{{"sudoku-csv:" + one, 27, 3}, {"sudoku-csv:" + train + "," + test, 4, 3}} {
		for _, part := range []struct {
			heldOut   bool
			n, givens int
		}{{false, tt.train, 5}, {true, tt.tests, 9}} {
			src, rows, cols := open(t, tt.name, 3, part.heldOut)
			if rows != 4 || cols != 4 || src.Shape().Vocab != sudokus.Vocab(4) {
				t.Errorf("%s: %dx%d, vocabulary %d; want 4x4 and %d", tt.name, rows, cols, src.Shape().Vocab, sudokus.Vocab(4))
			}
			seen := map[string]bool{}
			for range 4 * part.n {
				_, in, label := next(t, src)
				seen[fmt.Sprint(in)] = true
				givens := 0
				for i, x := range in {
					if x != int32(sudoku.TokenBlank) {
						givens++
						if label[i] != puzzle.Ignore {
							t.Fatalf("%s: cell %d is given and scored", tt.name, i)
						}
						label[i] = x
					}
				}
				if givens != part.givens {
					t.Fatalf("%s: held out %v: a board with %d givens, want only ones with %d", tt.name, part.heldOut, givens, part.givens)
				}
				if err := task.RowKind(puzzle.Shape{SeqLen: len(in), Vocab: sudokus.Vocab(9)}).Verify(in, label); err != nil {
					t.Fatalf("%s: %v", tt.name, err)
				}
			}
			if got := len(seen); part.heldOut && got != part.n || !part.heldOut && got < 3*part.n {
				t.Errorf("%s: held out %v: %d boards in 4 epochs of %d; want those of the file if held out, else new ones", tt.name, part.heldOut, got, part.n)
			}
		}
	}
}

// TestSudokuCSVOfShared: of real puzzles too the held-out ones are never trained on, not even as they
// are in the file.
func TestSudokuCSVOfShared(t *testing.T) {
	file := beside.Shared(t, "data", "sudoku", "train.csv")
	m := map[string]bool{}
	src, _, _ := open(t, "sudoku-csv:"+file, 0, true)
	for range 100 {
		_, in, _ := next(t, src)
		m[fmt.Sprint(in)] = true
	}
	if len(m) != 100 {
		t.Errorf("%d held-out puzzles, want 100 of the 1,000", len(m))
	}
	src, _, _ = open(t, "sudoku-csv:"+file, 0, false)
	for range 1800 {
		_, in, label := next(t, src)
		if m[fmt.Sprint(in)] {
			t.Fatal("a held-out puzzle is trained on")
		}
		for i, x := range in {
			if x != int32(sudoku.TokenBlank) {
				label[i] = x
			}
		}
		if err := task.RowKind(puzzle.Shape{SeqLen: len(in), Vocab: sudokus.Vocab(9)}).Verify(in, label); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMixShares(t *testing.T) {
	dir := t.TempDir()
	var parts []string
	for _, givens := range []int{4, 8, 12} {
		part := filepath.Join(dir, fmt.Sprint(givens))
		writeDataset(t, part, 3, 2, givens)
		parts = append(parts, fmt.Sprintf("%d*dataset:%s", givens/4, part)) // one, two and three shares of six
	}
	src, rows, cols := open(t, "mix:"+strings.Join(parts, "|"), 1, false)
	count := map[int]int{}
	const n = 3000
	for range n {
		_, in, _ := next(t, src)
		givens := 0
		for _, x := range in {
			if x != int32(sudoku.TokenBlank) {
				givens++
			}
		}
		count[givens]++
	}
	for _, givens := range []int{4, 8, 12} {
		share := givens / 4
		if d := count[givens] - n*share/6; d*d > 6*6*n/4 { // 6 standard deviations at most
			t.Errorf("%d of %d rows are of the part of %d shares in 6", count[givens], n, share)
		}
	}
	if rows != 4 || cols != 4 || len(count) != 3 {
		t.Errorf("%dx%d, rows with givens %v", rows, cols, count)
	}
}

const (
	taskA = `{"train": [{"input": [[1, 2], [3, 4]], "output": [[2, 1], [4, 3]]}, {"input": [[5, 6, 7]], "output": [[7, 6, 5]]}],
		"test": [{"input": [[8, 9]], "output": [[9, 8]]}, {"input": [[1], [2]]}]}`
	taskB   = `{"train": [{"input": [[1, 0], [0, 4]], "output": [[1]]}], "test": [{"input": [[0, 3], [3, 0]], "output": [[3]]}]}`
	taskBig = `{"train": [{"input": [[1, 2, 3, 4, 5]], "output": [[1]]}], "test": [{"input": [[3]], "output": [[3]]}]}`
)

func TestARC(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a": taskA, "b": taskB, "big": taskBig} {
		write(t, filepath.Join(dir, name+".json"), text)
	}
	a, err := arcs.ReadCorpus(arc.Reading{}, dir, 4, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Tasks) != 2 || a.Tasks[0].Name != "a" || a.Tasks[1].Name != "b" {
		t.Fatalf("tasks %+v, want a and b, which fit into 4x4", a.Tasks)
	}
	demos, tests := a.Sets()
	checkARC(t, a, demos, tests)
	if demos.Len() != 4*2+4*1 || tests.Len() != 4*2+4*1 {
		t.Errorf("%d demonstrations and %d tests, want 12 and 12: each task and 3 copies", demos.Len(), tests.Len())
	}
	again, _ := a.Sets()
	if diff := cmp.Diff(demos.Names, again.Names); diff != "" {
		t.Errorf("the copies differ from call to call:\n%s", diff)
	}
	name := "arc:4:3:" + dir
	train, rows, cols := open(t, name, 1, false)
	held, _, _ := open(t, name, 1, true)
	if rows != 4 || cols != 4 || train.Shape() != held.Shape() || train.Shape().Identifiers != 9 {
		t.Errorf("%dx%d, rows of %+v and %+v; want 4x4 and 9 identifiers", rows, cols, train.Shape(), held.Shape())
	}
	trained := epoch(t, train, 12)
	for _, r := range epoch(t, held, 12) {
		if slices.Contains(trained, r) {
			t.Errorf("test %v is trained on", r)
		}
	}
}

// TestARCOfShared has all tasks of the public training set that fit into 10x10.
func TestARCOfShared(t *testing.T) {
	a, err := arcs.ReadCorpus(arc.Reading{}, beside.Shared(t, "data", "arc", "training"), 10, 2)
	if err != nil {
		t.Fatal(err)
	}
	demos, tests := a.Sets()
	checkARC(t, a, demos, tests)
	t.Logf("%d tasks, %d demonstrations, %d tests", len(a.Tasks), demos.Len(), tests.Len())
}

// checkARC: demonstrations and tests have the same identifiers, no test is a demonstration of its
// puzzle, and a frame gives back the grid of the task that the identifier's name tells.
func checkARC(t *testing.T, a *arcs.Corpus, demos, tests *puzzle.Set) {
	t.Helper()
	if diff := cmp.Diff(demos.Names, tests.Names); diff != "" || demos.Names[0] != "<blank>" || demos.Shape() != tests.Shape() {
		t.Fatalf("identifiers differ, or rows of %+v and %+v (-demonstrations +tests):\n%s", demos.Shape(), tests.Shape(), diff)
	}
	tasks := map[string]*arc.Task{}
	for _, x := range a.Tasks {
		tasks[x.Name] = x
	}
	n := a.Side * a.Side
	in, label, frame := make([]int32, n), make([]int32, n), []int32(nil)
	learned, seen := map[row]bool{}, map[string]int{}
	for _, part := range []struct {
		set   *puzzle.Set
		pairs func(*arc.Task) []arc.Pair
	}{{demos, func(t *arc.Task) []arc.Pair { return t.Train }}, {tests, func(t *arc.Task) []arc.Pair { return t.Test }}} {
		clear(seen)
		for i := range part.set.Len() {
			id, err := part.set.Example(i, in, label)
			if err != nil {
				t.Fatal(err)
			}
			name := part.set.Name(id)
			source, augmentation := arcs.ParseName(name)
			pairs := part.pairs(tasks[source])
			if id < 1 || seen[name] == len(pairs) {
				t.Fatalf("example %d: identifier %d, %q, of %d pairs", i, id, name, len(pairs))
			}
			want := pairs[seen[name]]
			seen[name]++
			for _, g := range []struct {
				tokens []int32
				grid   arc.Grid
			}{{in, want.Input}, {label, want.Output}} {
				frame = a.Frame(frame, g.tokens)
				got := arcs.Crop(frame)
				if back := augmentation.Undo(got); !cmp.Equal(back, g.grid) && g.grid.Rows > 0 {
					t.Fatalf("example %d, %q: grid %+v, want %+v", i, name, back, g.grid)
				}
			}
			key := row{id, fmt.Sprint(in), fmt.Sprint(label)}
			if part.set == demos {
				learned[key] = true
			} else if learned[key] {
				t.Errorf("test %d of %q is among its demonstrations", i, name)
			}
		}
	}
}

// TestOpenErrors: what is wrong with a data name, or with what it names, is told with file and field.
func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	set := func(name string) string {
		writeDataset(t, at(name), 2, 2, 6)
		return at(name)
	}
	set("good")
	set("many")
	for _, split := range []string{"train", "test"} {
		path := filepath.Join(at("many"), split, "dataset.json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, strings.Replace(string(text), `"num_puzzle_identifiers": 1`, `"num_puzzle_identifiers": 3`, 1))
	}
	if err := os.Remove(filepath.Join(at("many"), "identifiers.json")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(set("meta"), "train", "dataset.json"), `{"vocab_size": 11, "seq_len": -4, "num_puzzle_identifiers": 1, "sets": ["all"]}`)
	write(t, filepath.Join(set("array"), "train", "all__labels.npy"), "no array")
	if err := os.RemoveAll(filepath.Join(set("untested"), "test")); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	b, large := board(t, rng, 4), board(t, rng, 6)
	write(t, at("short.csv"), "question,answer\n"+question(b, 9)+","+b+"\n")
	write(t, at("size.csv"), "question,answer\n"+question(b, 9)+","+b+"\n"+large+","+large+"\n")
	write(t, at("answer.csv"), "question,answer\n"+question(b, 9)+","+b[:15]+"\n")
	write(t, at("head.csv"), "first,second\n")
	write(t, at("none.csv"), "question,answer\n")
	write(t, at("arc/a.json"), taskA)
	write(t, at("cell/a.json"), strings.Replace(taskA, "9", "10", 1))
	writeCSV(t, at("ten.csv"), 10, func(int) int { return 9 })
	write(t, at("exam.csv"), "question,answer\n"+question(b, 8)+","+b+"\n"+strings.ReplaceAll(question(b, 9), ".", "0")+","+b+"\n")
	write(t, at("learn.csv"), "source,question,answer\nx,"+question(b, 7)+","+b+"\nx,"+question(b, 9)+","+b+"\n")

	tests := []struct {
		name    string // of the data, DIR for the folder
		heldOut bool
		want    []string
	}{
		{"dataset:DIR/none", false, []string{"none/train/dataset.json", "no such file"}},
		{"dataset:DIR/untested", true, []string{"untested/test/dataset.json", "no such file"}},
		{"dataset:DIR/many", false, []string{"many/identifiers.json: missing", "3 identifiers"}},
		{"dataset:DIR/meta", false, []string{"meta/train/dataset.json: field seq_len: -4, want 1"}},
		{"dataset:DIR/array", false, []string{"array/train/all__labels.npy", ".npy"}},
		{"sudoku-csv:DIR/none", false, []string{"DIR/none", "no such file"}},
		{"sudoku-csv:DIR/short.csv", true, []string{"short.csv: every tenth row is held out, of 1 none", "sudoku-csv:TRAIN,TEST"}},
		{"sudoku-csv:DIR/none.csv", false, []string{"none.csv: no puzzle in it"}},
		{"sudoku-csv:DIR/head.csv", false, []string{"head.csv: line 1", "want question and answer"}},
		{"sudoku-csv:DIR/answer.csv", false, []string{"answer.csv: line 2, column answer: 15 characters"}},
		{"sudoku-csv:DIR/size.csv", false, []string{"size.csv: line 3, column question: a board of 36 cells, those before have 16"}},
		{"sudoku-csv:DIR/learn.csv,DIR/exam.csv", false, []string{"learn.csv: line 3, column question: the puzzle of DIR/exam.csv: line 3, which is held out"}},
		{"sudoku-csv:DIR/learn.csv,DIR/none", false, []string{"DIR/none", "no such file"}},
		{"mix:dataset:DIR/good|sudoku:40-50", false, []string{`"sudoku:40-50" has a grid of 9x9, those before 4x4`}},
		{"mix:dataset:DIR/good|sudoku-csv:DIR/ten.csv", false, []string{"source 1", "Vocab:6", "Vocab:11"}},
		{"mix:dataset:DIR/good|dataset:DIR/none", false, []string{"none/train/dataset.json"}},
		{"arc:10", false, []string{"want arc:SIDE:COPIES:DIR"}},
		{"arc:31:1:DIR/arc", false, []string{`side "31"`, "want 1 to 30"}},
		{"arc:4:-1:DIR/arc", false, []string{`copies "-1"`}},
		{"arc:2:1:DIR/arc", false, []string{"DIR/arc: none of 1 tasks fits into 2x2"}},
		{"arc:4:1:DIR/cell", false, []string{"cell/a.json", "colour 10, want 0 to 9"}},
		{"arc:4:1:DIR/good/train", false, []string{"DIR/good/train: no tasks in .json or .jsonl files"}},
		{"sudoku:many", false, []string{`givens "many": want N or LOW-HIGH, minimal or hard`}},
		{"mix:sudoku:30-40|0*sudoku:minimal", false, []string{`"0*sudoku:minimal": weight 0, want more than 0`}},
		{"reveal:x:sudoku:minimal", false, []string{`reveal "x", want reveal:N:A`}},
		{"reveal:9:maze-path:7", false, []string{`the answers of task "maze-path" are no inputs`}},
		{"maze-directions:4", false, []string{`size "4", want`}},
		{"maze-path:7-900", false, []string{"least path 900"}},
		{"sudoku6:3-4", false, []string{"at most 4 givens"}},
		{"sudokus:30-40", false, []string{"unknown kind", "sudoku-csv"}},
		{"mix:sudoku:30-40|sudokus:30-40", false, []string{`"sudokus:30-40": unknown kind`}},
	}
	badNames := []string{
		"arc:10", "arc:31:1:DIR/arc", "arc:4:-1:DIR/arc", "sudoku:many", "maze-directions:4", "maze-path:7-900", "sudoku6:3-4",
		"sudokus:30-40", "mix:sudoku:30-40|sudokus:30-40", "mix:sudoku:30-40|0*sudoku:minimal",
		"reveal:x:sudoku:minimal", "reveal:9:maze-path:7",
	}
	for _, tt := range tests {
		_, err := task.Open(strings.ReplaceAll(tt.name, "DIR", dir), 0, tt.heldOut)
		if err == nil {
			t.Errorf("%s: no error", tt.name)
			continue
		}
		_, ofName := errors.AsType[*task.NameError](err)
		if want := slices.Contains(badNames, tt.name); ofName != want {
			t.Errorf("%s: an error of the name itself: %v, want %v", tt.name, ofName, want)
		}
		text := strings.ReplaceAll(err.Error(), dir, "DIR")
		for _, want := range append(tt.want, fmt.Sprintf("data %q: ", tt.name)) {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s; want %q in it", tt.name, text, want)
			}
		}
	}
}
