package sudokus

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// blank is the token of an empty cell.
const blank = int32(sudoku.TokenBlank)

// kind is the rows of sudokus in datasets and CSV files.
var kind = puzzle.Kind{
	Name: Task,
	Fits: func(s puzzle.Shape) bool {
		_, _, ok := sudoku.Boxes(s.SeqLen)
		return ok && s.Vocab == Form.Vocab(s.SeqLen)
	},
	Verify: verify,
	Parse:  Parse,
	Looks: func(question string) bool {
		digits := ".0123456789"
		if len(question) == 16*16 {
			digits += "ABCDEFGabcdefg"
		}
		return strings.Trim(question, digits) == ""
	},
}

// verify reports where a row's label does not solve its input. Labels with cells that are not known are not
// looked at.
func verify(in, label []int32) error {
	if slices.Contains(label, puzzle.Ignore) {
		return nil
	}
	boxRows, boxCols, ok := sudoku.Boxes(len(in))
	if !ok {
		return fmt.Errorf("a sudoku of %d cells, want 256, 81, 36 or 16", len(in))
	}
	for i, t := range in {
		if t != blank && t != label[i] {
			return fmt.Errorf("cell %d: the label is %d, but the input gives %d", i, label[i], t)
		}
	}
	return checkSolution(label, boxRows, boxCols)
}

// board is tokens as a board on which those of given are.
func board(given, tokens []int32) (grid.Board, []int) {
	cells, givens := make([]uint8, len(tokens)), make([]uint8, len(tokens))
	for i := range tokens {
		cells[i], givens[i] = uint8(max(0, tokens[i]-1)), uint8(max(0, given[i]-1))
	}
	return sudoku.BoardOf(cells, givens), nil
}

// level is the puzzle of a row in one line.
func level(in []int32) string {
	cells := make([]uint8, len(in))
	for i, t := range in {
		cells[i] = uint8(max(0, t-1))
	}
	return string(sudoku.AppendLine(nil, cells))
}

// Parse turns the text of a CSV's row into tokens, '.' or '0' an empty cell, A to G the digits above 9. The board's side
// is 4, 6, 9 or 16 (boxes of 2x2, 2x3, 3x3 and 4x4 cells). The answer must solve the question.
func Parse(r puzzle.Row) (in, label []int32, err error) {
	boxRows, boxCols, ok := sudoku.Boxes(len(r.Question))
	if !ok {
		return nil, nil, r.Fault("question", "%d characters, want 81 (or 256, 36 or 16)", len(r.Question))
	}
	side := boxRows * boxCols
	top := sudoku.AppendLine(nil, []uint8{uint8(side)})[0]
	for i, c := range []byte(r.Question) {
		switch d := int(sudoku.Digit(rune(c))); {
		case c == '.' || c == '0':
			in = append(in, blank)
		case d > 0 && d <= side:
			in = append(in, int32(d)+1)
		default:
			return nil, nil, r.Fault("question", "character %d is %q, want 1 to %c, 0 or '.'", i, c, top)
		}
	}
	if len(r.Answer) != len(r.Question) {
		return nil, nil, r.Fault("answer", "%d characters, the question has %d", len(r.Answer), len(r.Question))
	}
	for i, c := range []byte(r.Answer) {
		d := int(sudoku.Digit(rune(c)))
		if d == 0 || d > side {
			return nil, nil, r.Fault("answer", "character %d is %q, want 1 to %c", i, c, top)
		}
		label = append(label, int32(d)+1)
		if in[i] != blank && in[i] != label[i] {
			return nil, nil, r.Fault("answer", "character %d is %q, the question gives %q", i, c, r.Question[i])
		}
	}
	if err := checkSolution(label, boxRows, boxCols); err != nil {
		return nil, nil, r.Fault("answer", "%w", err)
	}
	return in, label, nil
}

// checkSolution reports the first digit that a side x side board of tokens lacks or repeats in a
// row, column or box.
func checkSolution(board []int32, boxRows, boxCols int) error {
	side := boxRows * boxCols
	for kind, unit := range []string{"row", "column", "box"} {
		for u := range side {
			seen := make([]bool, side+1)
			for k := range side {
				cell := u*side + k
				switch kind {
				case 1:
					cell = k*side + u
				case 2:
					perRow := side / boxCols // boxes beside each other
					cell = (u/perRow*boxRows+k/boxCols)*side + u%perRow*boxCols + k%boxCols
				}
				d := int(board[cell]) - 1
				if d < 1 || d > side {
					return fmt.Errorf("cell %d: token %d, want a digit's, 2 to %d", cell, board[cell], side+1)
				}
				if seen[d] {
					return fmt.Errorf("cell %d: %d is twice in %s %d", cell, d, unit, u)
				}
				seen[d] = true
			}
		}
	}
	return nil
}

// openCSV is the puzzles of a CSV file, each time with another symmetry; the givens are not
// scored. With one file every tenth row is held out, with "TRAIN,TEST" those of the second, which the
// first must not have.
func openCSV(arg string, seed uint64, heldOut bool) (task.Rows, error) {
	file, test, two := strings.Cut(arg, ",")
	var exam map[string]string
	switch {
	case two && heldOut:
		file = test
	case two:
		var err error
		if exam, err = linesOf(test); err != nil {
			return task.Rows{}, err
		}
	}
	var m *puzzle.Collector
	cells, n := 0, 0
	for row, err := range puzzle.ReadCSVFile(file) {
		if err != nil {
			return task.Rows{}, err
		}
		if n++; !two && (n%10 == 0) != heldOut {
			continue
		}
		in, label, err := Parse(row)
		if err != nil {
			return task.Rows{}, err
		}
		if at, ok := exam[boardKey(in)]; ok {
			return task.Rows{}, fmt.Errorf("%s, column question: the puzzle of %s, which is held out", row.At, at)
		}
		if m == nil {
			cells = len(in)
			rows, cols, _ := sudoku.Boxes(cells)
			m = puzzle.NewCollector(puzzle.Meta{VocabSize: Vocab(rows * cols), SeqLen: cells, NumIdentifiers: 1})
		}
		if len(in) != cells {
			return task.Rows{}, fmt.Errorf("%s, column question: a board of %d cells, those before have %d", row.At, len(in), cells)
		}
		for i, t := range in {
			if t != blank {
				label[i] = puzzle.Ignore
			}
		}
		m.Example(in, label)
		m.EndPuzzle(0)
		m.EndGroup()
	}
	if m == nil && n > 0 {
		return task.Rows{}, fmt.Errorf("%s: every tenth row is held out, of %d none; name a second file, sudoku-csv:TRAIN,TEST", file, n)
	}
	if m == nil {
		return task.Rows{}, fmt.Errorf("%s: no puzzle in it", file)
	}
	rows, cols, _ := sudoku.Boxes(cells)
	src, err := m.Set(nil).Shuffle(puzzle.Order{Seed: seed})
	if err != nil {
		return task.Rows{}, err
	}
	all := task.Rows{Source: src, Rows: rows * cols, Cols: rows * cols}
	if !heldOut { // those are as they are
		all.Source = puzzle.Augmented(src, seed, Augment)
	}
	return all, nil
}

// linesOf says where each puzzle of a CSV file is, by boardKey.
func linesOf(file string) (map[string]string, error) {
	at := map[string]string{}
	for row, err := range puzzle.ReadCSVFile(file) {
		if err != nil {
			return nil, err
		}
		in, _, err := Parse(row)
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

// text writes a board with its boxes set apart.
func text(b grid.Board, _ []int, _ bool) (lines []string, width int) {
	cells := make([]uint8, len(b.Cells))
	for i, c := range b.Cells {
		cells[i] = c.Kind
	}
	lines = strings.Split(strings.TrimSuffix(string(sudoku.AppendText(nil, cells)), "\n"), "\n")
	return lines, len(lines[0])
}

// Texts makes sudokus as the rows of a CSV.
func Texts(cfg sudoku.Config, seed uint64) (puzzle.Generator, error) {
	g, err := sudoku.NewGenerator(cfg)
	if err != nil {
		return nil, err
	}
	return func(split string, n int) iter.Seq2[puzzle.Row, error] { return texts(g, cfg.Side, seed, split, n) }, nil
}

func texts(g *sudoku.Generator, side int, seed uint64, split string, n int) iter.Seq2[puzzle.Row, error] {
	return func(yield func(puzzle.Row, error) bool) {
		rand := rng.Stream(seed, "data/sudoku/"+split)
		question, answer := make([]uint8, side*side), make([]uint8, side*side)
		for i := range n {
			rating := g.Next(question, answer, rand.Rand)
			row := puzzle.Row{
				Source:   "generated",
				Question: string(sudoku.AppendLine(nil, question)),
				Answer:   string(sudoku.AppendLine(nil, answer)),
				Rating:   rating,
				At:       fmt.Sprintf("generated %s puzzle %d", split, i),
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}
