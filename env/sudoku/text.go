package sudoku

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/internal/text"
)

// Parse reads one puzzle; see ParseAll.
func Parse(s string) ([]uint8, error) {
	all, err := ParseAll(s)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("sudoku: %d puzzles, want one", len(all))
	}
	return all[0], nil
}

// ParseAll reads puzzles of 16, 36, 81 or 256 cells, each in one line or in a line for every row, in the layouts that
// people have. A cell is a digit, A (10) to G (16) in either case for those above 9, or empty: '.', '0', '*', '_', 'x', '?',
// '-'. Sixteen lines of 16 cells are a puzzle of 16x16 if one of them is above 4, else sixteen of 4x4. Spaces, commas, semicolons,
// tabs, '|' and lines of box drawing set cells apart; in rows of as many characters as cells spaces are empty
// cells, as is nothing between two commas. Lines of '-', '+' and '=', lines that begin with '#' (SudoCue) or
// with a letter and are no row of 16 cells or puzzle of 256, what follows a whole puzzle in its line, and all but the section [Puzzle] (SadMan, HoDoKu) are
// passed over. Lists and lists of lists of JSON are read too. Errors are grid.TextErrors, which name line and
// column. Whether there is a solution is not asked; Solver.Check does.
func ParseAll(s string) ([][]uint8, error) {
	s, err := text.Decode([]byte(s))
	if err != nil {
		return nil, fmt.Errorf("sudoku: %w", err)
	}
	if list, ok := fromJSON(s); ok {
		s = list
	}
	lines, err := cellLines(s)
	if err != nil {
		return nil, err
	}
	var all [][]uint8
	for len(lines) > 0 {
		n := len(lines[0].cells) // of a row, or a whole puzzle
		side := sideOf(n)
		rows := 1
		if side == 0 || n == maxSide && large(lines) {
			side, rows = n, n
		}
		if sideOf(side*side) == 0 {
			return nil, lines[0].bad(0, "%d cells in this line: want a row of 16, 9, 6 or 4, or a puzzle of 256, 81, 36 or 16", n)
		}
		if len(lines) < rows {
			return nil, lines[0].bad(0, "%d lines of %d cells from here, want %d", len(lines), n, rows)
		}
		var cells []uint8
		for _, l := range lines[:rows] {
			if len(l.cells) != n {
				return nil, l.bad(len(l.cells)-1, "%d cells in this line, want %d as in line %d", len(l.cells), n, lines[0].number)
			}
			for i, d := range l.cells {
				if int(d) > side {
					return nil, l.bad(i, "%c: want 1 to %c, or '.'", char(d), char(uint8(side)))
				}
			}
			cells = append(cells, l.cells...)
		}
		all, lines = append(all, cells), lines[rows:]
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("sudoku: %w", &grid.TextError{Line: 1, Column: 1, Msg: "no puzzle: want 81 cells (9x9), 256, 36 or 16, in one line or a line for every row"})
	}
	return all, nil
}

// large reports whether the lines of 16 cells that come next are rows of a 16x16 puzzle: one of them is no 4x4 puzzle.
func large(lines []cellLine) bool {
	for _, l := range lines[:min(len(lines), maxSide)] {
		if len(l.cells) != maxSide {
			return false
		}
		if slices.Max(l.cells) > 4 {
			return true
		}
	}
	return false
}

// A cellLine is the cells of a line and their columns.
type cellLine struct {
	number  int
	cells   []uint8
	columns []int
}

func (l cellLine) bad(cell int, format string, args ...any) error {
	column := 1
	if cell >= 0 && cell < len(l.columns) {
		column = l.columns[cell]
	}
	return fmt.Errorf("sudoku: %w", &grid.TextError{Line: l.number, Column: column, Msg: fmt.Sprintf(format, args...)})
}

const (
	blanks     = ".0*_xX?-"
	separators = " \t|,;"
)

// boxDrawing reports whether r draws the lines of a table.
func boxDrawing(r rune) bool { return r >= 0x2500 && r <= 0x257f }

// cellLines are the lines of a text that have cells.
func cellLines(s string) (lines []cellLine, err error) {
	all := strings.Split(s, "\n")
	dashes := false // '-' is an empty cell: it stands beside digits
	for _, line := range all {
		dashes = dashes || strings.Contains(line, "-") && strings.ContainsAny(line, "123456789") && !strings.Contains(line, "+") && !title(line)
	}
	skip := false // a section that is no puzzle
	var spaced []int
	for n, line := range all {
		trimmed := strings.TrimFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || boxDrawing(r) })
		switch ruler := strings.Trim(line, "-+=| \t") == ""; {
		case strings.HasPrefix(trimmed, "["):
			skip = !strings.EqualFold(strings.TrimRight(trimmed, " \t"), "[puzzle]")
			continue
		case skip || trimmed == "" || strings.HasPrefix(trimmed, "#") || title(trimmed):
			continue
		case ruler && !(dashes && strings.Count(line, "-") >= 4 && !strings.ContainsAny(line, "+=")):
			continue
		}
		l := cellLine{number: n + 1}
		fields := strings.Count(line, ",") + strings.Count(line, ";")
		column, empty := 0, true // since the last comma
		add := func(d uint8) {
			l.cells, l.columns, empty = append(l.cells, d), append(l.columns, column), false
		}
		for _, r := range line {
			column++
			switch {
			case (r == ',' || r == ';') && (fields == 15 || fields == 8 || fields == 5 || fields == 3) && empty:
				add(0)
				empty = true
			case r == ',' || r == ';':
				empty = true
			case strings.ContainsRune(separators, r) || boxDrawing(r):
				if sideOf(len(l.cells)) > 4 && len(l.cells) > maxSide || len(l.cells) == 16 && r != '|' && !boxDrawing(r) {
					goto whole // what follows a puzzle is a comment
				}
			case strings.ContainsRune(blanks, r):
				add(0)
			case Digit(r) > 0:
				add(Digit(r))
			case sideOf(len(l.cells)) > 0:
				goto whole
			default:
				return nil, fmt.Errorf("sudoku: %w", &grid.TextError{Line: n + 1, Column: column, Msg: fmt.Sprintf("%q: want a digit or '.'", r)})
			}
			if len(l.cells) > maxCells {
				return nil, l.bad(maxCells, "more than %d cells in this line", maxCells)
			}
		}
		if fields == 8 && empty && len(l.cells) == 8 { // nothing after the last comma
			add(0)
		}
	whole:
		if n := len([]rune(line)); n <= 9 && strings.ContainsAny(line, " ,") && len(l.cells) < 9 {
			spaced = append(spaced, len(lines))
		}
		lines = append(lines, l)
	}
	if len(lines) == 9 && len(spaced) > 0 {
		for _, i := range spaced { // nine characters a row: a space is an empty cell
			l := &lines[i]
			line := []rune(all[l.number-1])
			l.cells, l.columns = l.cells[:0], l.columns[:0]
			for c := range 9 {
				d := uint8(0)
				if c < len(line) {
					d = Digit(line[c])
				}
				l.cells, l.columns = append(l.cells, d), append(l.columns, c+1)
			}
		}
	}
	return lines, nil
}

// Digit is the value of a digit as text has it, 0 of anything else.
func Digit(r rune) uint8 {
	switch {
	case r >= '1' && r <= '9':
		return uint8(r - '0')
	case r >= 'A' && r <= 'G':
		return uint8(r-'A') + 10
	case r >= 'a' && r <= 'g':
		return uint8(r-'a') + 10
	}
	return 0
}

// title reports whether a line begins with a letter that is no cell, as "Grid 01".
func title(line string) bool {
	line = strings.TrimLeft(line, separators)
	first, _ := utf8.DecodeRuneInString(line)
	if Digit(first) <= 9 {
		return unicode.IsLetter(first) && first != 'x' && first != 'X'
	}
	cells := 0
	for _, r := range line {
		switch {
		case Digit(r) > 0 || strings.ContainsRune(blanks, r):
			cells++
		case !strings.ContainsRune(separators, r) && !boxDrawing(r):
			return true
		}
	}
	return cells != maxSide && cells != maxCells
}

// fromJSON is a list of rows, of cells, or of puzzles in JSON as lines of text; ok is false for any other text.
func fromJSON(s string) (lines string, ok bool) {
	var list []any
	if json.Unmarshal([]byte(s), &list) != nil {
		return "", false
	}
	var b strings.Builder
	var write func(v any)
	write = func(v any) {
		switch v := v.(type) {
		case nil:
			b.WriteByte('.')
		case float64:
			if v > 9 && v <= maxSide && v == math.Trunc(v) { // one cell
				b.WriteByte(char(uint8(v)))
				break
			}
			fmt.Fprint(&b, v)
		case string:
			if v == "" {
				v = "."
			}
			b.WriteString(v)
		case []any:
			for i, x := range v {
				if _, deep := x.([]any); deep && i > 0 {
					b.WriteByte('\n')
				}
				write(x)
				if t, line := x.(string); line && len(t) > 1 {
					b.WriteByte('\n')
				}
			}
		default:
			b.WriteString("?!")
		}
	}
	write(list)
	return b.String(), true
}

// AppendLine appends the puzzle in one line, '.' for an empty cell, A to G for 10 to 16, without a line break.
func AppendLine(dst []byte, cells []uint8) []byte {
	for _, d := range cells {
		dst = append(dst, char(d))
	}
	return dst
}

func char(d uint8) byte {
	switch {
	case d == 0:
		return '.'
	case d > 9:
		return 'A' + d - 10
	}
	return '0' + d
}

// AppendText appends the puzzle in a line for every row, with the boxes set apart. cells must be
// 16, 36, 81 or 256.
func AppendText(dst []byte, cells []uint8) []byte {
	l := layouts[sideOf(len(cells))]
	for r := range l.side {
		if r > 0 && r%l.boxRows == 0 {
			for c := 0; c < l.side; c += l.boxCols {
				if c > 0 {
					dst = append(dst, "+-"...)
				}
				dst = append(dst, strings.Repeat("--", l.boxCols)...)
			}
			dst = append(dst[:len(dst)-1], '\n')
		}
		for c := range l.side {
			if c > 0 && c%l.boxCols == 0 {
				dst = append(dst, "| "...)
			}
			dst = append(dst, char(cells[r*l.side+c]), ' ')
		}
		dst[len(dst)-1] = '\n'
	}
	return dst
}
