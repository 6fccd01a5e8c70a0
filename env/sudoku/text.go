package sudoku

import (
	"fmt"
	"strings"

	"github.com/ponder-agents/ponder/env/grid"
)

// Parse reads a puzzle: digits, '.' or '0' for an empty cell, in one line of 16, 36 or 81
// characters or in a line for every row. Spaces and '|' between cells, and lines of '-', '+' and
// '=', are skipped. Errors are grid.TextErrors, which name line and column. Parse does not ask
// whether there is a solution; Solver.Check does.
func Parse(text string) ([]uint8, error) {
	type place struct{ line, column int }
	bad := func(at place, format string, args ...any) error {
		return fmt.Errorf("sudoku: %w", &grid.TextError{Line: at.line, Column: at.column, Msg: fmt.Sprintf(format, args...)})
	}
	var cells []uint8
	var at []place
	var rows []int // number of the first cell of each line that has cells
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.Trim(line, "-+=| \t") == "" {
			continue
		}
		rows = append(rows, len(cells))
		here := place{n + 1, 0}
		for _, char := range line {
			here.column++
			switch {
			case char == ' ' || char == '\t' || char == '|':
				continue
			case len(cells) == 81:
				return nil, bad(here, "more than 81 cells")
			case char == '.':
				cells = append(cells, 0)
			case char >= '0' && char <= '9':
				cells = append(cells, uint8(char-'0'))
			default:
				return nil, bad(here, "%q: want a digit or '.'", char)
			}
			at = append(at, here)
		}
	}
	rowLen := func(i int) int {
		if i == len(rows)-1 {
			return len(cells) - rows[i]
		}
		return rows[i+1] - rows[i]
	}
	for i := range rows {
		if n := rowLen(i); n != rowLen(0) {
			last := at[rows[i]+n-1]
			return nil, bad(last, "%d cells in this line, want %d as in line %d", n, rowLen(0), at[0].line)
		}
	}
	side := sideOf(len(cells))
	if side == 0 || len(rows) != 1 && len(rows) != side {
		return nil, bad(place{1, 1}, "%d cells in %d lines: want 81 (9x9), 36 or 16, in one line or a line for every row",
			len(cells), len(rows))
	}
	for i, d := range cells {
		if int(d) > side {
			return nil, bad(at[i], "%d: want 1 to %d, or '.'", d, side)
		}
	}
	return cells, nil
}

// AppendLine appends the puzzle in one line, '.' for an empty cell, without a line break.
func AppendLine(dst []byte, cells []uint8) []byte {
	for _, d := range cells {
		dst = append(dst, char(d))
	}
	return dst
}

func char(d uint8) byte {
	if d == 0 {
		return '.'
	}
	return '0' + d
}

// AppendText appends the puzzle in a line for every row, with the boxes set apart. cells must be
// 16, 36 or 81.
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
