package arc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/internal/text"
)

// Bounds of a grid.
const (
	MaxSide = 30
	Colors  = 10 // 0 to 9
)

// A Grid is a picture of coloured cells, row by row.
type Grid struct {
	Rows, Cols int
	Cells      []uint8 // [rows*cols], 0 to 9
}

// A Pair is an input and the output that belongs to it. The output of a test pair may be unknown:
// then it has no rows.
type Pair struct{ Input, Output Grid }

// A Task is demonstrations and what is to be solved.
type Task struct {
	Name  string
	Train []Pair
	Test  []Pair
}

// Resize gives g another size, filled with colour 0, in g's own memory if that suffices.
func (g *Grid) Resize(rows, cols int) {
	g.Rows, g.Cols = rows, cols
	if cap(g.Cells) < rows*cols {
		g.Cells = make([]uint8, rows*cols, MaxSide*MaxSide)
	}
	g.Cells = g.Cells[:rows*cols]
	clear(g.Cells)
}

// CopyFrom makes g an independent copy of o, in g's own memory if that suffices.
func (g *Grid) CopyFrom(o *Grid) {
	g.Resize(o.Rows, o.Cols)
	copy(g.Cells, o.Cells)
}

// Equal reports whether two grids are the same.
func (g *Grid) Equal(o *Grid) bool {
	return g.Rows == o.Rows && g.Cols == o.Cols && bytes.Equal(g.Cells, o.Cells)
}

// Share is the partial credit of g for the answer o: the share of cells that agree, 0 if the sizes
// differ.
func (g *Grid) Share(o *Grid) float64 {
	if g.Rows != o.Rows || g.Cols != o.Cols {
		return 0
	}
	return float64(len(o.Cells)-g.wrong(o)) / float64(len(o.Cells))
}

// wrong is the number of cells that differ, of grids of one size.
func (g *Grid) wrong(o *Grid) int {
	n := 0
	for i, c := range g.Cells {
		if c != o.Cells[i] {
			n++
		}
	}
	return n
}

// Transform makes g the grid o turned or mirrored, t as for grid.SymmetryOf, its colours renamed by
// colors. g and o must not be the same.
func (g *Grid) Transform(o *Grid, t int, colors *[Colors]uint8) {
	s := grid.SymmetryOf(o.Rows, o.Cols, t)
	g.Resize(s.Rows, s.Cols)
	i := 0
	for r := range s.Rows {
		for c := range s.Cols {
			g.Cells[i] = colors[o.Cells[s.At(r, c)]]
			i++
		}
	}
}

// Tokens of a frame, and of the reference's ARC data sets: TokenColor + c is colour c.
const (
	TokenNone  byte = iota // outside of the grid
	TokenEnd               // the row below the grid and the column right of it
	TokenColor             // colour 0
)

// FrameLen is the number of tokens of a frame.
const FrameLen = MaxSide * MaxSide

// Frame writes the grid as tokens into the top left corner of dst, [30, 30], with end markers as in
// the reference's data sets.
func (g *Grid) Frame(dst []byte) {
	clear(dst[:FrameLen])
	for r := range g.Rows {
		for c, color := range g.Cells[r*g.Cols : (r+1)*g.Cols] {
			dst[r*MaxSide+c] = TokenColor + color
		}
		if g.Cols < MaxSide {
			dst[r*MaxSide+g.Cols] = TokenEnd
		}
	}
	if g.Rows < MaxSide {
		for c := range g.Cols {
			dst[g.Rows*MaxSide+c] = TokenEnd
		}
	}
}

// ParseGrid reads a grid in text form: a line for every row, a digit for every cell; spaces and
// commas are skipped. Errors are grid.TextErrors, which name line and column.
func ParseGrid(text string) (Grid, error) {
	var g Grid
	for n, line := range strings.Split(strings.TrimRight(text, "\r\n"), "\n") {
		before, column := len(g.Cells), 0
		bad := func(format string, args ...any) (Grid, error) {
			return Grid{}, fmt.Errorf("arc: %w",
				&grid.TextError{Line: n + 1, Column: max(column, 1), Msg: fmt.Sprintf(format, args...)})
		}
		for _, char := range strings.TrimSuffix(line, "\r") {
			column++
			switch {
			case char == ' ' || char == ',' || char == '\t':
			case char < '0' || char > '9':
				return bad("%q: want a colour 0 to 9", char)
			case n == MaxSide || len(g.Cells)-before == MaxSide:
				return bad("a grid has at most %d rows and columns", MaxSide)
			default:
				g.Cells = append(g.Cells, uint8(char-'0'))
			}
		}
		cols := len(g.Cells) - before
		if n == 0 {
			g.Cols = cols
		}
		switch {
		case cols == 0:
			return bad("no cells in this line")
		case cols != g.Cols:
			return bad("%d cells in this line, want %d as in line 1", cols, g.Cols)
		}
		g.Rows++
	}
	return g, nil
}

// AppendText appends the text form, a line break after every row.
func (g *Grid) AppendText(dst []byte) []byte {
	for i, c := range g.Cells {
		dst = append(dst, '0'+c)
		if i%g.Cols == g.Cols-1 {
			dst = append(dst, '\n')
		}
	}
	return dst
}

// maxFile bounds a file of tasks, in bytes.
const maxFile = 256 << 20

// Load reads a task from a JSON file; its name is the file's without ".json".
func Load(path string) (*Task, error) {
	data, err := text.ReadBytes(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("arc: %w", err)
	}
	t, err := Parse(strings.TrimSuffix(filepath.Base(path), ".json"), data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// A file is a task as JSON has it.
type file struct {
	Train []filePair `json:"train"`
	Test  []filePair `json:"test"`
}

type filePair struct {
	Input  rows `json:"input"`
	Output rows `json:"output"`
}

// rows are a grid as JSON has it: lists of numbers, also such as 1.0, or strings of digits, a row each or all
// in one, a line a row.
type rows [][]int

// UnmarshalJSON implements json.Unmarshaler.
func (r *rows) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		for line := range strings.SplitSeq(strings.Trim(text, "\r\n"), "\n") {
			row, err := digits(line)
			if err != nil {
				return fmt.Errorf("row %d of a grid: %w", len(*r)+1, err)
			}
			*r = append(*r, row)
		}
		return nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return errors.New("a grid is no list of rows")
	}
	*r = make(rows, len(list))
	for i, row := range list {
		if json.Unmarshal(row, &text) == nil {
			var err error
			if (*r)[i], err = digits(text); err != nil {
				return fmt.Errorf("row %d of a grid: %w", i+1, err)
			}
			continue
		}
		var numbers []float64
		if err := json.Unmarshal(row, &numbers); err != nil {
			return fmt.Errorf("row %d of a grid is neither a list of numbers nor a string of digits", i+1)
		}
		for _, v := range numbers {
			if v != math.Trunc(v) || math.Abs(v) > 1e9 {
				return fmt.Errorf("row %d of a grid: %v is no colour", i+1, v)
			}
			(*r)[i] = append((*r)[i], int(v))
		}
	}
	return nil
}

// digits are the cells of a row; spaces and commas are skipped.
func digits(row string) ([]int, error) {
	var cells []int
	for _, d := range row {
		switch {
		case d == ' ' || d == ',' || d == '\r' || d == '\t':
		case d < '0' || d > '9':
			return nil, fmt.Errorf("%q: want a colour 0 to 9", d)
		default:
			cells = append(cells, int(d-'0'))
		}
	}
	return cells, nil
}

// Parse reads a task in the JSON of ARC: {"train": [{"input": [[0, …], …], "output": …}, …],
// "test": …}. Other keys are ignored. The output of a test may be missing. The error has a line for each
// fault and names the place, as train[1].output row 3, counted from 0 for pairs and from 1 for rows and
// columns; those of the JSON itself are grid.TextErrors.
func Parse(name string, data []byte) (*Task, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var in file
	err := json.Unmarshal(data, &in)
	if err != nil && bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		// A list of pairs, as re-arc has them: the last is the test.
		var pairs []filePair
		if e := json.Unmarshal(data, &pairs); e == nil && len(pairs) >= 2 {
			in, err = file{pairs[:len(pairs)-1], pairs[len(pairs)-1:]}, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("arc: %w", jsonError(data, err))
	}
	return in.task(name)
}

func (in file) task(name string) (*Task, error) {
	t := &Task{Name: name}
	var errs []error
	grid := func(rows rows, format string, args ...any) Grid {
		g, err := gridOf(rows)
		if err != nil {
			errs = append(errs, fmt.Errorf("arc: %s%w", fmt.Sprintf(format, args...), err))
		}
		return g
	}
	for _, part := range []struct {
		name string
		in   []filePair
		out  *[]Pair
	}{{"train", in.Train, &t.Train}, {"test", in.Test, &t.Test}} {
		if len(part.in) == 0 {
			errs = append(errs, fmt.Errorf("arc: no %s pairs", part.name))
		}
		for i, p := range part.in {
			pair := Pair{Input: grid(p.Input, "%s[%d].input", part.name, i)}
			if p.Output != nil || part.name == "train" {
				pair.Output = grid(p.Output, "%s[%d].output", part.name, i)
			}
			*part.out = append(*part.out, pair)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return t, nil
}

// gridOf checks rows; its errors go on from the name of the grid.
func gridOf(rows [][]int) (Grid, error) {
	switch {
	case len(rows) == 0:
		return Grid{}, errors.New(": no rows")
	case len(rows) > MaxSide:
		return Grid{}, fmt.Errorf(": %d rows, want at most %d", len(rows), MaxSide)
	case len(rows[0]) == 0:
		return Grid{}, errors.New(" row 1: no cells")
	case len(rows[0]) > MaxSide:
		return Grid{}, fmt.Errorf(" row 1: %d cells, want at most %d", len(rows[0]), MaxSide)
	}
	g := Grid{Rows: len(rows), Cols: len(rows[0])}
	for r, row := range rows {
		if len(row) != g.Cols {
			return Grid{}, fmt.Errorf(" row %d: %d cells, want %d as in row 1", r+1, len(row), g.Cols)
		}
		for c, color := range row {
			if color < 0 || color >= Colors {
				return Grid{}, fmt.Errorf(" row %d, column %d: colour %d, want 0 to 9", r+1, c+1, color)
			}
			g.Cells = append(g.Cells, uint8(color))
		}
	}
	return g, nil
}

// jsonError adds line and column to an error of the decoder.
func jsonError(data []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	offset := 0
	switch {
	case errors.As(err, &syntax):
		offset = int(syntax.Offset)
	case errors.As(err, &kind):
		offset = int(kind.Offset)
		err = fmt.Errorf("%s where it does not belong", kind.Value)
		if kind.Field != "" {
			err = fmt.Errorf("%s: %w", kind.Field, err)
		}
	default:
		return err
	}
	before := data[:min(offset, len(data))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return &grid.TextError{Line: line, Column: max(column, 1), Msg: err.Error()}
}

// AppendJSON appends the task in the JSON that Parse reads, a grid a line.
func (t *Task) AppendJSON(dst []byte) []byte {
	part := func(name string, pairs []Pair) {
		dst = append(dst, `"`+name+`": [`...)
		for i := range pairs {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, "\n  {\"input\": "...)
			dst = pairs[i].Input.appendJSON(dst)
			if pairs[i].Output.Rows > 0 {
				dst = append(dst, ",\n   \"output\": "...)
				dst = pairs[i].Output.appendJSON(dst)
			}
			dst = append(dst, '}')
		}
		dst = append(dst, "\n]"...)
	}
	dst = append(dst, '{')
	part("train", t.Train)
	dst = append(dst, ",\n"...)
	part("test", t.Test)
	return append(dst, "}\n"...)
}

// MarshalJSON writes the rows as lists of numbers, as task files have them.
func (g Grid) MarshalJSON() ([]byte, error) { return g.appendJSON(nil), nil }

func (g *Grid) appendJSON(dst []byte) []byte {
	if g.Rows == 0 {
		return append(dst, "[]"...)
	}
	dst = append(dst, '[')
	for i, c := range g.Cells {
		switch {
		case i > 0 && i%g.Cols == 0:
			dst = append(dst, "], ["...)
		case i > 0:
			dst = append(dst, ", "...)
		default:
			dst = append(dst, '[')
		}
		dst = strconv.AppendUint(dst, uint64(c), 10)
	}
	return append(dst, "]]"...)
}
