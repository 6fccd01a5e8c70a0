package maze

import "github.com/ponder-agents/ponder/env/grid"

// Transform makes m the maze o turned or mirrored, in m's own memory if that suffices; t numbers the
// symmetries as grid.SymmetryOf does. m and o must not be the same.
func (m *Maze) Transform(o *Maze, t int) {
	s := grid.SymmetryOf(o.Rows, o.Cols, t)
	m.resize(s.Rows, s.Cols)
	i := 0
	for r := range s.Rows {
		for c := range s.Cols {
			from := s.At(r, c)
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
	first := grid.SymmetryOf(m.Rows, m.Cols, 0)
	for t := 1; t < 8; t++ {
		if s := grid.SymmetryOf(m.Rows, m.Cols, t); m.before(s, first) {
			first = s
		}
	}
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	h = (h ^ uint64(first.Rows)) * prime
	h = (h ^ uint64(first.Cols)) * prime
	for r := range first.Rows {
		for c := range first.Cols {
			bit := uint64(0)
			if m.Wall[first.At(r, c)] {
				bit = 1
			}
			h = (h ^ bit) * prime
		}
	}
	h ^= h >> 32 // FNV's low bits depend on the low bits of its input alone
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// before reports whether the copy a comes before the copy b.
func (m *Maze) before(a, b grid.Symmetry) bool {
	if a.Rows != b.Rows {
		return a.Rows < b.Rows
	}
	for r := range a.Rows {
		for c := range a.Cols {
			if wa, wb := m.Wall[a.At(r, c)], m.Wall[b.At(r, c)]; wa != wb {
				return wb
			}
		}
	}
	return false
}

// HeldOut reports whether the maze's walls belong to the tenth of all layouts that training leaves
// out: LayoutHash is divisible by 10.
func HeldOut(m *Maze) bool { return LayoutHash(m)%10 == 0 }
