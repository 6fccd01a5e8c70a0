package maze

import "slices"

// A Solver finds shortest ways by breadth-first search. The zero value is ready; it reuses its
// memory, and what it returns is valid until its next use.
type Solver struct {
	dist  []int32 // [(rows+2)*(cols+2)] moves from the source; wall or unreached below 0
	ways  []uint8 // number of shortest ways from the source, 2 means two or more
	queue []int32
	out   []int32
}

const (
	blocked   = -2 // in Solver.dist: a wall or the frame around the maze
	unreached = -1
)

// search fills dist and ways, in a frame one cell wide, from the cell source. It stops when all
// cells as near as until are done, if until is a cell.
func (s *Solver) search(m *Maze, source, until int) {
	stride := m.Cols + 2
	n := stride * (m.Rows + 2)
	s.dist = slices.Grow(s.dist[:0], n)[:n]
	s.ways = slices.Grow(s.ways[:0], n)[:n]
	s.queue = slices.Grow(s.queue[:0], n)
	for i := range s.dist {
		s.dist[i] = blocked
	}
	i := stride + 1
	for r := range m.Rows {
		for c, wall := range m.Wall[r*m.Cols : (r+1)*m.Cols] {
			if !wall {
				s.dist[i+c] = unreached
			}
		}
		i += stride
	}
	stop := int32(-1)
	if until >= 0 {
		stop = int32(s.at(m, until))
	}
	first := int32(s.at(m, source))
	s.dist[first], s.ways[first] = 0, 1
	dist, ways := s.dist, s.ways
	queue := append(s.queue[:0], first)
	steps := [4]int32{-int32(stride), int32(stride), -1, 1}
	for k := 0; k < len(queue); k++ {
		at := queue[k]
		if at == stop { // every cell before it on a shortest way has been expanded
			break
		}
		d, w := dist[at]+1, ways[at]
		for _, step := range steps {
			next := at + step
			switch dist[next] {
			case unreached:
				dist[next], ways[next] = d, w
				queue = append(queue, next)
			case d:
				ways[next] = 2
			}
		}
	}
	s.queue = queue
}

// at is the cell's place in the framed arrays.
func (s *Solver) at(m *Maze, cell int) int {
	return (cell/m.Cols+1)*(m.Cols+2) + cell%m.Cols + 1
}

// Len is the number of moves of the shortest ways from start to goal, -1 if there is none, and
// whether there is exactly one such way.
func (s *Solver) Len(m *Maze) (moves int, unique bool) {
	s.search(m, m.Start, m.Goal)
	g := s.at(m, m.Goal)
	return int(s.dist[g]), s.dist[g] >= 0 && s.ways[g] == 1
}

// Distances is, for every cell [rows*cols], the number of moves to the goal: 0 at the goal, -1 for
// walls and cells that cannot reach it.
func (s *Solver) Distances(m *Maze) []int32 {
	s.search(m, m.Goal, -1)
	n := len(m.Wall)
	s.out = slices.Grow(s.out[:0], n)[:n]
	for r := range m.Rows {
		row := s.dist[(r+1)*(m.Cols+2)+1:]
		for c := range m.Cols {
			s.out[r*m.Cols+c] = max(row[c], -1)
		}
	}
	return s.out
}

// AppendDirections appends, for every cell [rows*cols], the set of all directions that begin a
// shortest way to the goal: bit 1<<Up and so on. It is 0 at the goal, in walls and where no way
// leads to the goal.
func (s *Solver) AppendDirections(dst []uint8, m *Maze) []uint8 {
	s.search(m, m.Goal, -1)
	stride := m.Cols + 2
	steps := [4]int{-stride, stride, -1, 1}
	for r := range m.Rows {
		for i := (r+1)*stride + 1; i < (r+1)*stride+1+m.Cols; i++ {
			var set uint8
			if d := s.dist[i]; d > 0 {
				for dir, step := range steps {
					if s.dist[i+step] == d-1 {
						set |= 1 << dir
					}
				}
			}
			dst = append(dst, set)
		}
	}
	return dst
}

// AppendPath appends the cells of a shortest way, the start first and the goal last; where several
// directions are as good, it goes up, else down, else left. It appends nothing if there is no way.
func (s *Solver) AppendPath(dst []int, m *Maze) []int {
	s.search(m, m.Goal, m.Start)
	stride := m.Cols + 2
	steps := [4]int{-stride, stride, -1, 1}
	moves := [4]int{-m.Cols, m.Cols, -1, 1}
	at, cell := s.at(m, m.Start), m.Start
	if s.dist[at] < 0 {
		return dst
	}
	dst = append(dst, cell)
	for d := s.dist[at]; d > 0; d-- {
		for dir, step := range steps {
			if s.dist[at+step] == d-1 {
				at += step
				cell += moves[dir]
				break
			}
		}
		dst = append(dst, cell)
	}
	return dst
}

// IsShortest reports whether path is a shortest way of m: cells from start to goal, each beside
// the one before.
func (s *Solver) IsShortest(m *Maze, path []int) bool {
	if len(path) == 0 || path[0] != m.Start || path[len(path)-1] != m.Goal {
		return false
	}
	for i, cell := range path[1:] {
		from := path[i]
		if cell == from || cell != m.Next(from, Up) && cell != m.Next(from, Down) &&
			cell != m.Next(from, Left) && cell != m.Next(from, Right) {
			return false
		}
	}
	moves, _ := s.Len(m)
	return len(path)-1 == moves
}
