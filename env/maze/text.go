package maze

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ponder-agents/ponder/env/grid"
)

// Parse reads a maze in text form: one line a row, all equally long, '#' a wall, ' ' open, one 'S'
// the start, one 'G' the goal; 'o', which marks a path in solved mazes, is read as open. Empty
// lines before and after are skipped. Errors are grid.TextErrors, which name line and column; that
// of a maze without a way is ErrNoWay too.
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

// parse reads rows that begin after the given number of lines.
func parse(rows []string, before int) (*Maze, error) {
	m := &Maze{Rows: len(rows), Cols: len(rows[0]), Start: -1, Goal: -1}
	bad := func(r, c int, format string, args ...any) error {
		return fmt.Errorf("maze: %w", &grid.TextError{Line: before + r + 1, Column: c + 1, Msg: fmt.Sprintf(format, args...)})
	}
	if m.Rows > MaxSide || m.Cols > MaxSide {
		return nil, bad(0, 0, "%d rows, %d columns: want at most %d of each", m.Rows, m.Cols, MaxSide)
	}
	m.Wall = make([]bool, m.Rows*m.Cols)
	for r, row := range rows {
		for c, char := range row[:min(len(row), m.Cols)] {
			end := &m.Start
			switch char {
			case '#':
				m.Wall[r*m.Cols+c] = true
				continue
			case ' ', 'o':
				continue
			case 'S':
			case 'G':
				end = &m.Goal
			default:
				return nil, bad(r, c, "%q: want '#', ' ', 'S' or 'G'", char)
			}
			if *end >= 0 {
				return nil, bad(r, c, "second %c, the first is at line %d, column %d",
					char, before+1+*end/m.Cols, 1+*end%m.Cols)
			}
			*end = r*m.Cols + c
		}
		if len(row) != m.Cols {
			return nil, bad(r, min(len(row), m.Cols), "%d cells, want %d as in line %d", len(row), m.Cols, before+1)
		}
	}
	switch {
	case m.Start < 0:
		return nil, bad(0, 0, "no S in the %d lines from here", m.Rows)
	case m.Goal < 0:
		return nil, bad(0, 0, "no G in the %d lines from here", m.Rows)
	}
	var s Solver
	if moves, _ := s.Len(m); moves < 0 {
		return nil, fmt.Errorf("%w: %w", bad(m.Start/m.Cols, m.Start%m.Cols, "here stands S"), ErrNoWay)
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
