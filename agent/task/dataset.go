package task

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// openDataset is the train or test split of a dataset in the reference's format, in random order. A
// split stays open as long as the process lives.
func openDataset(dir string, seed uint64, heldOut bool) (puzzle.Source, int, int, error) {
	split := "train"
	if heldOut {
		split = "test"
	}
	set, err := puzzle.Open(dir, split)
	if err != nil {
		return nil, 0, 0, err
	}
	if n := set.Meta.NumIdentifiers; n > 1 && set.Names == nil {
		err = fmt.Errorf("%s: missing, want the names of the %d identifiers", filepath.Join(dir, "identifiers.json"), n)
		return nil, 0, 0, errors.Join(err, set.Close())
	}
	src, err := set.Shuffle(puzzle.Order{Seed: seed})
	if err != nil {
		return nil, 0, 0, errors.Join(err, set.Close())
	}
	side := 0
	if shape := set.Shape(); shape.Kind() != puzzle.AnyKind {
		for side*side < shape.SeqLen {
			side++
		}
	}
	return src, side, side, nil
}

// openSudokuCSV is the puzzles of a CSV file, each time with another symmetry; the givens are not
// scored. With one file every tenth row is held out, with "TRAIN,TEST" those of the second, which the
// first must not have.
func openSudokuCSV(arg string, seed uint64, heldOut bool) (puzzle.Source, int, int, error) {
	file, test, two := strings.Cut(arg, ",")
	var exam map[string]string
	switch {
	case two && heldOut:
		file = test
	case two:
		var err error
		if exam, err = sudokuLines(test); err != nil {
			return nil, 0, 0, err
		}
	}
	var m *puzzle.Memory
	cells, n := 0, 0
	for row, err := range puzzle.ReadCSVFile(file) {
		if err != nil {
			return nil, 0, 0, err
		}
		if n++; !two && (n%10 == 0) != heldOut {
			continue
		}
		in, label, err := row.Sudoku()
		if err != nil {
			return nil, 0, 0, err
		}
		if at, ok := exam[boardKey(in)]; ok {
			return nil, 0, 0, fmt.Errorf("%s, column question: the puzzle of %s, which is held out", row.At, at)
		}
		if m == nil {
			cells = len(in)
			rows, cols, _ := puzzle.SudokuBox(cells)
			m = puzzle.NewMemory(puzzle.Meta{VocabSize: SudokuVocab(rows * cols), SeqLen: cells, NumIdentifiers: 1})
		}
		if len(in) != cells {
			return nil, 0, 0, fmt.Errorf("%s, column question: a board of %d cells, those before have %d", row.At, len(in), cells)
		}
		for i, t := range in {
			if t != int32(sudoku.TokenBlank) {
				label[i] = puzzle.Ignore
			}
		}
		m.Example(in, label)
		m.EndPuzzle(0)
		m.EndGroup()
	}
	if m == nil && n > 0 {
		return nil, 0, 0, fmt.Errorf("%s: every tenth row is held out, of %d none; name a second file, sudoku-csv:TRAIN,TEST", file, n)
	}
	if m == nil {
		return nil, 0, 0, fmt.Errorf("%s: no puzzle in it", file)
	}
	rows, cols, _ := puzzle.SudokuBox(cells)
	src, err := m.Set(nil).Shuffle(puzzle.Order{Seed: seed})
	if err != nil {
		return nil, 0, 0, err
	}
	if heldOut { // as they are
		return src, rows * cols, rows * cols, nil
	}
	return puzzle.Augmented(src, seed, puzzle.AugmentSudoku), rows * cols, rows * cols, nil
}

// sudokuLines says where each puzzle of a CSV file is, by boardKey.
func sudokuLines(file string) (map[string]string, error) {
	at := map[string]string{}
	for row, err := range puzzle.ReadCSVFile(file) {
		if err != nil {
			return nil, err
		}
		in, _, err := row.Sudoku()
		if err != nil {
			return nil, err
		}
		at[boardKey(in)] = row.At
	}
	return at, nil
}

// boardKey is the tokens of a board as a string.
func boardKey(in []int32) string {
	key := make([]byte, len(in))
	for i, t := range in {
		key[i] = byte(t)
	}
	return string(key)
}

// weighted reads N*NAME, a part of a mixture; N is 1 if there is none.
func weighted(part string) (float64, string) {
	if n, name, ok := strings.Cut(part, "*"); ok {
		if w, err := strconv.ParseFloat(n, 64); err == nil {
			return w, name
		}
	}
	return 1, part
}

// openMix takes each row from one of the parts, each as often as its weight says.
func openMix(arg string, seed uint64, heldOut bool) (puzzle.Source, int, int, error) {
	var parts []puzzle.Source
	var weights []float64
	var rows, cols int
	for i, part := range strings.Split(arg, "|") {
		weight, name := weighted(part)
		if !(weight > 0 && weight < 1e9) {
			return nil, 0, 0, nameErrorf("%q: weight %v, want more than 0", part, weight)
		}
		src, r, c, err := Open(name, rng.Stream(seed, fmt.Sprintf("mix/%d", i)).Uint64(), heldOut)
		if err != nil {
			return nil, 0, 0, err
		}
		if i > 0 && (r != rows || c != cols) {
			return nil, 0, 0, fmt.Errorf("%q has a grid of %dx%d, those before %dx%d", name, r, c, rows, cols)
		}
		rows, cols = r, c
		parts, weights = append(parts, src), append(weights, weight)
	}
	src, err := puzzle.Mix(seed, parts, weights)
	return src, rows, cols, err
}

// openReveal makes every second row at random easier: up to so many of its answers stand in the question.
func openReveal(arg string, seed uint64, heldOut bool) (puzzle.Source, int, int, error) {
	most, name, _ := strings.Cut(arg, ":")
	n, err := strconv.Atoi(most)
	if err != nil || n < 1 {
		return nil, 0, 0, nameErrorf("reveal %q, want reveal:N:A, N answers at most of rows of A", most)
	}
	src, rows, cols, err := Open(name, rng.Stream(seed, "reveal").Uint64(), heldOut)
	if err != nil || heldOut {
		return src, rows, cols, err
	}
	if kind := Of(name, src.Shape()); kind != SudokuTask {
		return nil, 0, 0, nameErrorf("reveal: the answers of task %q are no inputs", kind)
	}
	return puzzle.Augmented(src, seed, func(rng *rand.Rand, in, label []int32) {
		if rng.IntN(2) == 0 {
			return
		}
		// Each answer with the chance p, so that n·p are expected of a board that is empty.
		p := rng.Float64() * float64(n) / float64(len(in))
		for i, l := range label {
			if l != puzzle.Ignore && rng.Float64() < p {
				in[i], label[i] = l, puzzle.Ignore
			}
		}
	}), rows, cols, nil
}

// ARC is ARC tasks whose grids fit into a frame of Side rows and columns, each with augmented copies
// that have identifiers of their own. The demonstrations of all are learned from; their tests are held
// out, under the same identifiers.
type ARC struct {
	Side   int // at most puzzle.ARCSide
	Tasks  []puzzle.Task
	copies int
}

// ParseARC reads what a data name says after "arc:": SIDE:COPIES:DIR.
func ParseARC(arg string) (*ARC, error) {
	f := strings.SplitN(arg, ":", 3)
	if len(f) < 3 {
		return nil, nameErrorf("want arc:SIDE:COPIES:DIR")
	}
	side, err1 := strconv.Atoi(f[0])
	copies, err2 := strconv.Atoi(f[1])
	if err1 != nil || err2 != nil || side < 1 || side > puzzle.ARCSide || copies < 0 {
		return nil, nameErrorf("side %q, copies %q: want 1 to %d and 0 or more", f[0], f[1], puzzle.ARCSide)
	}
	return ReadARC(f[2], side, copies)
}

// ReadARC reads the tasks below path that fit.
func ReadARC(path string, side, copies int) (*ARC, error) {
	all, _, err := puzzle.ReadTasks(path)
	if err != nil {
		return nil, err
	}
	a := &ARC{Side: side, copies: copies}
	for _, t := range all {
		if !slices.ContainsFunc(slices.Concat(t.Train, t.Test), func(p puzzle.Pair) bool {
			return max(p.Input.Rows, p.Input.Cols, p.Output.Rows, p.Output.Cols) > side
		}) {
			a.Tasks = append(a.Tasks, t)
		}
	}
	if len(a.Tasks) == 0 {
		return nil, fmt.Errorf("%s: none of %d tasks fits into %dx%d", filepath.Clean(path), len(all), side, side)
	}
	return a, nil
}

// Sets are the demonstrations and the tests of all tasks and copies in memory, frames cropped to Side:
// grids stand at the top left. The copies depend on the tasks alone.
func (a *ARC) Sets() (demos, tests *puzzle.Set) {
	meta := puzzle.Meta{VocabSize: puzzle.ARCVocab, SeqLen: a.Side * a.Side}
	d, t := puzzle.NewMemory(meta), puzzle.NewMemory(meta)
	names := []string{"<blank>"}
	for _, source := range a.Tasks {
		for _, c := range source.Copies(rng.Stream(0, "arc/"+source.Name).Rand, a.copies) {
			for _, part := range []struct {
				to    *puzzle.Memory
				pairs []puzzle.Pair
			}{{d, c.Train}, {t, c.Test}} {
				puzzle.FramePairs(nil, part.pairs, func(in, label []int32) { part.to.Example(a.crop(in), a.crop(label)) })
				part.to.EndPuzzle(int32(len(names)))
			}
			names = append(names, c.Name)
		}
		d.EndGroup()
		t.EndGroup()
	}
	return d.Set(names), t.Set(names)
}

// Question is the input of a test of a task as the tokens of a cropped frame.
func (a *ARC) Question(task, test int) []byte {
	frame := make([]int32, puzzle.ARCSide*puzzle.ARCSide)
	a.Tasks[task].Test[test].Input.Frame(frame, 0, 0)
	var out []byte
	for _, t := range a.crop(frame) {
		out = append(out, byte(t))
	}
	return out
}

// crop is the top left Side rows and columns of a frame.
func (a *ARC) crop(frame []int32) []int32 {
	out := make([]int32, 0, a.Side*a.Side)
	for r := range a.Side {
		out = append(out, frame[r*puzzle.ARCSide:r*puzzle.ARCSide+a.Side]...)
	}
	return out
}

// Frame writes cropped tokens into a whole frame, padding around; it undoes what Sets did.
func (a *ARC) Frame(dst, tokens []int32) []int32 {
	dst = append(dst[:0], make([]int32, puzzle.ARCSide*puzzle.ARCSide)...)
	for r := range a.Side {
		copy(dst[r*puzzle.ARCSide:], tokens[r*a.Side:(r+1)*a.Side])
	}
	return dst
}

func openARC(arg string, seed uint64, heldOut bool) (puzzle.Source, int, int, error) {
	a, err := ParseARC(arg)
	if err != nil {
		return nil, 0, 0, err
	}
	set, tests := a.Sets()
	if heldOut {
		set = tests
	}
	src, err := set.Shuffle(puzzle.Order{Seed: seed})
	return src, a.Side, a.Side, err
}
