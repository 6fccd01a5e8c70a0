package puzzle

import "math/rand/v2"

// Sudoku tokens: 0 pad, 1 an empty cell, then the digits from 1 on as digit + 1.
const (
	SudokuVocab = 11 // of the 9x9 board
	SudokuEmpty = 1
)

// A SudokuMap is a relabelling that makes a sudoku another one: digits permuted, perhaps the board
// transposed, then bands, rows inside bands, stacks and columns inside stacks permuted.
//
//	new[i][j] = Digits[old'[Rows[i]][Cols[j]]],  old' = old or its transpose
type SudokuMap struct {
	Digits     []int32 // [side+1], Digits[0] = 0
	Transpose  bool
	Rows, Cols []int // [side]
}

// RandomSudokuMap draws a SudokuMap for boards whose boxes have boxRows x boxCols cells; 3 and 3 for
// the 9x9 board. Only square boxes allow the transpose, which then has probability 1/2.
func RandomSudokuMap(rng *rand.Rand, boxRows, boxCols int) SudokuMap {
	side := boxRows * boxCols
	m := SudokuMap{Digits: make([]int32, side+1)}
	for i, d := range rng.Perm(side) {
		m.Digits[i+1] = int32(d + 1)
	}
	m.Transpose = boxRows == boxCols && rng.IntN(2) == 0
	lines := func(height int) (v []int) {
		for _, band := range rng.Perm(side / height) {
			for _, line := range rng.Perm(height) {
				v = append(v, band*height+line)
			}
		}
		return v
	}
	m.Rows, m.Cols = lines(boxRows), lines(boxCols)
	return m
}

// Apply writes the image of the tokens src into dst, both side x side. What is no digit (the empty
// cell, Ignore) moves with its cell and keeps its value.
func (m SudokuMap) Apply(dst, src []int32) {
	n := len(m.Rows)
	for i, r := range m.Rows {
		for j, c := range m.Cols {
			dst[i*n+j] = relabel(m.Digits, src[m.from(r, c)])
		}
	}
}

// Undo writes into dst the tokens whose image is src.
func (m SudokuMap) Undo(dst, src []int32) {
	n := len(m.Rows)
	inverse := make([]int32, len(m.Digits))
	for d, e := range m.Digits {
		inverse[e] = int32(d)
	}
	for i, r := range m.Rows {
		for j, c := range m.Cols {
			dst[m.from(r, c)] = relabel(inverse, src[i*n+j])
		}
	}
}

// from is the cell of the old board that comes to row r, column c before the lines are permuted.
func (m SudokuMap) from(r, c int) int {
	if m.Transpose {
		r, c = c, r
	}
	return r*len(m.Rows) + c
}

func relabel(digits []int32, token int32) int32 {
	if d := token - 1; d > 0 && int(d) < len(digits) {
		return digits[d] + 1
	}
	return token
}
