package maze

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// Parse reads a maze in text form: one line a row, all equally long, '#' a wall, ' ' open, one 'S'
// the start, one 'G' the goal; 'o', which marks a path in solved mazes, is read as open. Empty
// lines before and after are skipped. Errors name line and column, counted from 1; a maze without
// a way gives ErrNoWay.
func Parse(text string) (*Maze, error) {
	all, err := ReadAll(strings.NewReader(text))
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0:
		return nil, errors.New("maze: empty text: want lines of '#', ' ', 'S' and 'G'")
	case len(all) > 1:
		return nil, fmt.Errorf("maze: %d mazes, separated by empty lines: want one", len(all))
	}
	return all[0], nil
}

// ReadAll reads mazes in the form of Parse, separated by empty lines. Errors count lines from the
// beginning of r.
func ReadAll(r io.Reader) ([]*Maze, error) {
	var all []*Maze
	var rows []string
	line := 0
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		m, err := parse(rows, line-len(rows))
		if err != nil {
			return err
		}
		all = append(all, m)
		rows = rows[:0]
		return nil
	}
	in := bufio.NewScanner(r)
	for in.Scan() {
		line++
		row := strings.TrimSuffix(in.Text(), "\r")
		if row != "" {
			rows = append(rows, row)
			continue
		}
		line-- // the rows end on the line before
		if err := flush(); err != nil {
			return nil, err
		}
		line++
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("maze: line %d: %w", line+1, err)
	}
	if err := flush(); err != nil {
		return nil, err
	}
	return all, nil
}

// FromFlat reads a square maze whose rows follow each other without a break, as in the question
// column of the published CSV.
func FromFlat(cells string) (*Maze, error) {
	n := int(math.Sqrt(float64(len(cells))))
	if n == 0 || n*n != len(cells) {
		return nil, fmt.Errorf("maze: %d cells are not a square", len(cells))
	}
	rows := make([]string, n)
	for r := range rows {
		rows[r] = cells[r*n : (r+1)*n]
	}
	return parse(rows, 0)
}

// parse reads rows that begin after the given number of lines.
func parse(rows []string, before int) (*Maze, error) {
	m := &Maze{Rows: len(rows), Cols: len(rows[0]), Start: -1, Goal: -1}
	if m.Rows > MaxSide || m.Cols > MaxSide {
		return nil, fmt.Errorf("maze: line %d: %d rows, %d columns: want at most %d of each",
			before+1, m.Rows, m.Cols, MaxSide)
	}
	m.Wall = make([]bool, m.Rows*m.Cols)
	where := func(cell int) string {
		return fmt.Sprintf("line %d, column %d", before+1+cell/m.Cols, 1+cell%m.Cols)
	}
	for r, row := range rows {
		for c, char := range row {
			if c >= m.Cols {
				break
			}
			cell := r*m.Cols + c
			end := &m.Start
			switch char {
			case '#':
				m.Wall[cell] = true
				continue
			case ' ', 'o':
				continue
			case 'S':
			case 'G':
				end = &m.Goal
			default:
				return nil, fmt.Errorf("maze: %s: %q: want '#', ' ', 'S' or 'G'", where(cell), char)
			}
			if *end >= 0 {
				return nil, fmt.Errorf("maze: %s: second %c, the first is at %s", where(cell), char, where(*end))
			}
			*end = cell
		}
		if len(row) != m.Cols {
			return nil, fmt.Errorf("maze: line %d: %d cells, want %d as in line %d",
				before+1+r, len(row), m.Cols, before+1)
		}
	}
	switch {
	case m.Start < 0:
		return nil, fmt.Errorf("maze: lines %d to %d: no S", before+1, before+m.Rows)
	case m.Goal < 0:
		return nil, fmt.Errorf("maze: lines %d to %d: no G", before+1, before+m.Rows)
	}
	var s Solver
	if moves, _ := s.Len(m); moves < 0 {
		return nil, fmt.Errorf("maze: lines %d to %d: %w", before+1, before+m.Rows, ErrNoWay)
	}
	return m, nil
}

// AppendText appends the text form, a line break after every row; cells of path other than start
// and goal become 'o'. path may be nil.
func (m *Maze) AppendText(dst []byte, path []int) []byte {
	first := len(dst)
	for i, wall := range m.Wall {
		char := byte(' ')
		switch {
		case i == m.Start:
			char = 'S'
		case i == m.Goal:
			char = 'G'
		case wall:
			char = '#'
		}
		dst = append(dst, char)
		if i%m.Cols == m.Cols-1 {
			dst = append(dst, '\n')
		}
	}
	for _, cell := range path {
		if cell != m.Start && cell != m.Goal {
			dst[first+cell+cell/m.Cols] = 'o'
		}
	}
	return dst
}

// String is the text form.
func (m *Maze) String() string { return string(m.AppendText(nil, nil)) }
