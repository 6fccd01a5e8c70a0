package maze

import (
	"errors"
	"fmt"
)

// A Maze is a grid of walls and open cells, one of them the start and another the goal. Cells are
// numbered row by row from the top left: cell r*Cols + c.
type Maze struct {
	Rows, Cols  int
	Wall        []bool // [rows*cols]
	Start, Goal int    // open cells
}

// MaxSide is the most rows or columns that a maze may have.
const MaxSide = 255

// Directions, in the order of the actions and of trace.AnswerDirection.
const (
	Up = iota
	Down
	Left
	Right
)

// ErrNoWay says that the walls part the start from the goal.
var ErrNoWay = errors.New("no way from S to G")

// Check reports what is wrong with the maze's own fields; it does not look for a way.
func (m *Maze) Check() error {
	n := m.Rows * m.Cols
	switch {
	case m.Rows < 1 || m.Cols < 1 || m.Rows > MaxSide || m.Cols > MaxSide:
		return fmt.Errorf("maze: %d rows, %d columns: want 1 to %d of each", m.Rows, m.Cols, MaxSide)
	case len(m.Wall) != n:
		return fmt.Errorf("maze: %d cells, want %d rows x %d columns", len(m.Wall), m.Rows, m.Cols)
	case m.Start < 0 || m.Start >= n || m.Goal < 0 || m.Goal >= n:
		return fmt.Errorf("maze: start %d or goal %d outside of %d cells", m.Start, m.Goal, n)
	case m.Start == m.Goal:
		return fmt.Errorf("maze: start and goal are the same cell %d", m.Start)
	case m.Wall[m.Start] || m.Wall[m.Goal]:
		return fmt.Errorf("maze: start %d or goal %d is a wall", m.Start, m.Goal)
	}
	return nil
}

// Closed reports whether a wall surrounds the maze, as it does in every generated one.
func (m *Maze) Closed() bool {
	for c := range m.Cols {
		if !m.Wall[c] || !m.Wall[(m.Rows-1)*m.Cols+c] {
			return false
		}
	}
	for r := range m.Rows {
		if !m.Wall[r*m.Cols] || !m.Wall[r*m.Cols+m.Cols-1] {
			return false
		}
	}
	return true
}

// Next is the cell that a move from cell leads to: cell itself if a wall or the border is in the
// way.
func (m *Maze) Next(cell, dir int) int {
	next := cell
	switch dir {
	case Up:
		next -= m.Cols
	case Down:
		next += m.Cols
	case Left:
		if cell%m.Cols > 0 {
			next--
		}
	case Right:
		if cell%m.Cols < m.Cols-1 {
			next++
		}
	default:
		panic(fmt.Sprintf("maze: direction %d, want 0 to 3", dir))
	}
	if next < 0 || next >= len(m.Wall) || m.Wall[next] {
		return cell
	}
	return next
}

// resize gives m the shape rows x cols and fills it with walls, in its own memory if that suffices.
func (m *Maze) resize(rows, cols int) {
	m.Rows, m.Cols = rows, cols
	if cap(m.Wall) < rows*cols {
		m.Wall = make([]bool, rows*cols)
	}
	m.Wall = m.Wall[:rows*cols]
	for i := range m.Wall {
		m.Wall[i] = true
	}
}

// CopyFrom makes m an independent copy of o, in m's own memory if that suffices.
func (m *Maze) CopyFrom(o *Maze) {
	wall := append(m.Wall[:0], o.Wall...)
	*m = *o
	m.Wall = wall
}
