package sudokus

import (
	"math/rand/v2"

	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/sudoku"
)

// draw is a random symmetry of boards whose boxes have so many rows and columns, drawn in the order of datasets:
// the digits, the transpose, then rows and columns. (sudoku.Symmetry.Draw has another order, on which the
// generator's puzzles depend.)
func draw(rng *rand.Rand, boxRows, boxCols int) (y sudoku.Symmetry) {
	side := boxRows * boxCols
	for i, d := range rng.Perm(side) {
		y.Digits[i+1] = uint8(d + 1)
	}
	transpose := boxRows == boxCols && rng.IntN(2) == 0
	lines := func(height int) (v []int) {
		for _, band := range rng.Perm(side / height) {
			for _, line := range rng.Perm(height) {
				v = append(v, band*height+line)
			}
		}
		return v
	}
	rows, cols := lines(boxRows), lines(boxCols)
	y.Cells = symmetry(transpose, rows, cols).Cells
	return y
}

// symmetry transposes a board, if it is to, and then puts row rows[i] of it at row i, likewise columns. It renames no digit.
func symmetry(transpose bool, rows, cols []int) (y sudoku.Symmetry) {
	for _, r := range rows {
		for _, c := range cols {
			from := r*len(rows) + c
			if transpose {
				from = c*len(rows) + r
			}
			y.Cells = append(y.Cells, uint8(from))
		}
	}
	return y
}

// turn writes the image of tokens under y into dst; what is no digit moves with its cell and keeps its value.
func turn(y *sudoku.Symmetry, dst, tokens []int32) {
	for i, from := range y.Cells {
		t := tokens[from]
		if d := t - 1; d > 0 && int(d) < len(y.Digits) && y.Digits[d] != 0 {
			t = int32(y.Digits[d]) + 1
		}
		dst[i] = t
	}
}

// Augment turns a row in place into another one by a random symmetry, for puzzle.Augmented.
func Augment(rng *rand.Rand, in, label []int32) {
	boxRows, boxCols, _ := sudoku.Boxes(len(in))
	y, old := draw(rng, boxRows, boxCols), make([]int32, len(in))
	for _, row := range [][]int32{in, label} {
		copy(old, row)
		turn(&y, row, old)
	}
}

// Form is sudokus as datasets hold them.
var Form = puzzle.Form{
	Vocab: func(cells int) int { // small boards are held in that of 9x9
		boxRows, boxCols, _ := sudoku.Boxes(cells)
		return max(Vocab(9), Vocab(boxRows*boxCols))
	},
	Wide:  true,
	Parse: Parse,
	Augment: func(rng *rand.Rand, _ int, dst, src [2][]int32) {
		boxRows, boxCols, _ := sudoku.Boxes(len(src[0]))
		y := draw(rng, boxRows, boxCols)
		for k := range src {
			turn(&y, dst[k], src[k])
		}
	},
}
