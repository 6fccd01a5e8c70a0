package puzzle

import (
	"encoding/json"
	"slices"
)

// A Grid is cells in row-major order.
type Grid struct {
	Rows, Cols int
	Cells      []uint8
}

// Equal compares size and content.
func (g Grid) Equal(h Grid) bool {
	return g.Rows == h.Rows && g.Cols == h.Cols && slices.Equal(g.Cells, h.Cells)
}

// MarshalJSON writes the rows as lists of numbers, as ARC task files have them.
func (g Grid) MarshalJSON() ([]byte, error) {
	rows := make([][]int, g.Rows)
	for r := range rows {
		rows[r] = make([]int, g.Cols)
		for c := range rows[r] {
			rows[r][c] = int(g.Cells[r*g.Cols+c])
		}
	}
	return json.Marshal(rows)
}

// Dihedrals is the number of symmetries of the square. In the order of the format: 0 identity, 1 to
// 3 rotations by 90, 180 and 270 degrees counter-clockwise, 4 mirrored left-right, 5 mirrored
// up-down, 6 transposed, 7 reflected in the other diagonal.
const Dihedrals = 8

// DihedralInverse is the symmetry that undoes t.
func DihedralInverse(t int) int { return [Dihedrals]int{0, 3, 2, 1, 4, 5, 6, 7}[t] }

// Dihedral writes the image of the rows x cols grid src under symmetry t into dst, which has the
// same length and does not overlap src. It returns the size of the image.
func Dihedral[T any](dst, src []T, rows, cols, t int) (dstRows, dstCols int) {
	dstRows, dstCols = rows, cols
	if t == 1 || t == 3 || t >= 6 {
		dstRows, dstCols = cols, rows
	}
	for i := range dstRows {
		for j := range dstCols {
			r, c := i, j
			switch t {
			case 1:
				r, c = j, cols-1-i
			case 2:
				r, c = rows-1-i, cols-1-j
			case 3:
				r, c = rows-1-j, i
			case 4:
				c = cols - 1 - j
			case 5:
				r = rows - 1 - i
			case 6:
				r, c = j, i
			case 7:
				r, c = rows-1-j, cols-1-i
			}
			dst[i*dstCols+j] = src[r*cols+c]
		}
	}
	return dstRows, dstCols
}

// Dihedral is the image of g under symmetry t.
func (g Grid) Dihedral(t int) Grid {
	out := Grid{Cells: make([]uint8, len(g.Cells))}
	out.Rows, out.Cols = Dihedral(out.Cells, g.Cells, g.Rows, g.Cols, t)
	return out
}
