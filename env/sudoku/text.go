package sudoku

import (
	"fmt"
	"strings"
)

// Parse reads a puzzle: digits, '.' or '0' for an empty cell, in one line of 16, 36 or 81
// characters or in a line for every row. Spaces and '|' between cells, and lines of '-', '+' and
// '=', are skipped. Errors name line and column, counted from 1. Parse does not ask whether there
// is a solution; Solver.Check does.
func Parse(text string) ([]uint8, error) {
	type place struct{ line, column int }
	var cells []uint8
	var at []place
	var rowLens, rowLines []int // of lines with cells
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.Trim(line, "-+=| \t") == "" {
			continue
		}
		before := len(cells)
		column := 0
		for _, char := range line {
			column++
			switch {
			case char == '.':
				cells = append(cells, 0)
			case char >= '0' && char <= '9':
				cells = append(cells, uint8(char-'0'))
			case char == ' ' || char == '\t' || char == '|':
				continue
			default:
				return nil, fmt.Errorf("sudoku: line %d, column %d: %q: want a digit or '.'", n+1, column, char)
			}
			at = append(at, place{n + 1, column})
			if len(cells) > 81 {
				return nil, fmt.Errorf("sudoku: line %d, column %d: more than 81 cells", n+1, column)
			}
		}
		rowLens = append(rowLens, len(cells)-before)
		rowLines = append(rowLines, n+1)
	}
	for i, n := range rowLens {
		if n != rowLens[0] {
			return nil, fmt.Errorf("sudoku: line %d: %d cells, want %d as in line %d", rowLines[i], n, rowLens[0], rowLines[0])
		}
	}
	side := sideOf(len(cells))
	if side == 0 || len(rowLens) != 1 && len(rowLens) != side {
		return nil, fmt.Errorf("sudoku: %d cells in %d lines: want 81 (9x9), 36 or 16, in one line or a line for every row",
			len(cells), len(rowLens))
	}
	for i, d := range cells {
		if int(d) > side {
			return nil, fmt.Errorf("sudoku: line %d, column %d: %d: want 1 to %d, or '.'", at[i].line, at[i].column, d, side)
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
