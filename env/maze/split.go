package maze

import "fmt"

// A view reads a maze turned or mirrored: its cell (r, c) is the maze's cell base + r*dr + c*dc.
type view struct{ rows, cols, base, dr, dc int }

// viewOf is one of the 8 symmetries, numbered as the reference's data sets do: 0 identity, 1 to 3
// turned counter-clockwise by 90, 180 and 270 degrees, 4 mirrored left to right, 5 top to bottom,
// 6 transposed, 7 mirrored at the other diagonal.
func viewOf(rows, cols, t int) view {
	last := rows*cols - 1
	switch t {
	case 0:
		return view{rows, cols, 0, cols, 1}
	case 1:
		return view{cols, rows, cols - 1, -1, cols}
	case 2:
		return view{rows, cols, last, -cols, -1}
	case 3:
		return view{cols, rows, last - cols + 1, 1, -cols}
	case 4:
		return view{rows, cols, cols - 1, cols, -1}
	case 5:
		return view{rows, cols, last - cols + 1, -cols, 1}
	case 6:
		return view{cols, rows, 0, 1, cols}
	case 7:
		return view{cols, rows, last, -1, -cols}
	}
	panic(fmt.Sprintf("maze: symmetry %d, want 0 to 7", t))
}

// Transform makes m the maze o turned or mirrored, in m's own memory if that suffices: t is 0 for
// identity, 1 to 3 for quarter turns counter-clockwise, 4 for left-right, 5 for up-down, 6 for
// transpose, 7 for the other diagonal. m and o must not be the same.
func (m *Maze) Transform(o *Maze, t int) {
	v := viewOf(o.Rows, o.Cols, t)
	m.resize(v.rows, v.cols)
	i := 0
	for r := range v.rows {
		for c := range v.cols {
			from := v.base + r*v.dr + c*v.dc
			m.Wall[i] = o.Wall[from]
			if from == o.Start {
				m.Start = i
			}
			if from == o.Goal {
				m.Goal = i
			}
			i++
		}
	}
}

// LayoutHash is a hash of the walls that the maze shares with its 8 turned and mirrored copies; it
// ignores start and goal. It is FNV-1a with 64 bits over rows, columns and cells (1 for a wall) of
// the copy that comes first in lexicographic order of these, mixed once more.
func LayoutHash(m *Maze) uint64 {
	first := viewOf(m.Rows, m.Cols, 0)
	for t := 1; t < 8; t++ {
		if v := viewOf(m.Rows, m.Cols, t); m.before(v, first) {
			first = v
		}
	}
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	h = (h ^ uint64(first.rows)) * prime
	h = (h ^ uint64(first.cols)) * prime
	for r := range first.rows {
		at := first.base + r*first.dr
		for range first.cols {
			bit := uint64(0)
			if m.Wall[at] {
				bit = 1
			}
			h = (h ^ bit) * prime
			at += first.dc
		}
	}
	h ^= h >> 32 // FNV's low bits depend on the low bits of its input alone
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// before reports whether view a comes before view b.
func (m *Maze) before(a, b view) bool {
	if a.rows != b.rows {
		return a.rows < b.rows
	}
	for r := range a.rows {
		i, j := a.base+r*a.dr, b.base+r*b.dr
		for range a.cols {
			if m.Wall[i] != m.Wall[j] {
				return m.Wall[j]
			}
			i += a.dc
			j += b.dc
		}
	}
	return false
}

// HeldOut reports whether the maze's walls belong to the tenth of all layouts that training leaves
// out: LayoutHash is divisible by 10.
func HeldOut(m *Maze) bool { return LayoutHash(m)%10 == 0 }
