package grid

import "fmt"

// A Symmetry reads a grid turned or mirrored: cell (r, c) of the result, which has Rows rows and
// Cols columns, is cell At(r, c) of the grid.
type Symmetry struct {
	Rows, Cols int
	base       int
	dr, dc     int
}

// SymmetryOf is one of the 8 symmetries of a grid of rows x cols cells, in the order of the
// reference's data sets: 0 identity, 1 to 3 turned counter-clockwise by 90, 180 and 270 degrees, 4
// mirrored left to right, 5 top to bottom, 6 transposed, 7 mirrored at the other diagonal. It
// panics for another t.
func SymmetryOf(rows, cols, t int) Symmetry {
	last := rows*cols - 1
	switch t {
	case 0:
		return Symmetry{rows, cols, 0, cols, 1}
	case 1:
		return Symmetry{cols, rows, cols - 1, -1, cols}
	case 2:
		return Symmetry{rows, cols, last, -cols, -1}
	case 3:
		return Symmetry{cols, rows, last - cols + 1, 1, -cols}
	case 4:
		return Symmetry{rows, cols, cols - 1, cols, -1}
	case 5:
		return Symmetry{rows, cols, last - cols + 1, -cols, 1}
	case 6:
		return Symmetry{cols, rows, 0, 1, cols}
	case 7:
		return Symmetry{cols, rows, last, -1, -cols}
	}
	panic(fmt.Sprintf("grid: symmetry %d, want 0 to 7", t))
}

// At is the cell of the grid, counted row by row, that the result shows at (r, c).
func (s Symmetry) At(r, c int) int { return s.base + r*s.dr + c*s.dc }

// Inverse is the symmetry that undoes t.
func Inverse(t int) int { return [8]int{0, 3, 2, 1, 4, 5, 6, 7}[t] }
