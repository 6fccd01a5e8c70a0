package maze

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/internal/text"
)

// Parse reads a maze in text form: one line a row, '#' a wall, ' ' open, one 'S' the start, one 'G' the goal;
// 'o', which marks a path in solved mazes, is read as open. It takes what others write too: '.' for open, blocks
// for walls, 'A' and 'B' or 'E' for the ends, 1 and 0 for walls and what is open, also set apart by spaces or
// commas, walls of '+', '-' and '|', lines without the spaces at their end, and what `ponder solve maze` prints.
// Empty lines before and after are skipped. Errors are grid.TextErrors, which name line and column; that
// of a maze without a way is ErrNoWay too.
func Parse(s string) (*Maze, error) {
	s, err := text.Decode([]byte(s))
	if err != nil {
		return nil, fmt.Errorf("maze: %w", err)
	}
	all, err := ReadAll(strings.NewReader(s))
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
		m, err := parse(plainRows(rows), line-len(rows))
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
		if line == 1 {
			row = strings.TrimPrefix(row, "\ufeff")
		}
		if verdict(row) {
			row = ""
		}
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

// verdict reports whether a line is what `ponder solve maze` says below its answer.
func verdict(row string) bool {
	return strings.HasPrefix(row, "reached the goal") || strings.HasPrefix(row, "did not reach the goal")
}

// plainRows are rows in the characters '#', ' ', 'S' and 'G', as far as they are known, and of one length.
func plainRows(rows []string) []string {
	all := strings.Join(rows, "\n")
	walls := strings.ContainsAny(all, "#█▓▒■")
	if !walls && strings.HasPrefix(strings.TrimSpace(rows[0]), "+-") {
		if cells, ok := lineWalls(rows); ok {
			rows, walls = cells, true
		}
	}
	digits := !walls && strings.Contains(all, "1") && strings.Contains(all, "0")
	change := func(r rune) rune {
		switch r {
		case '█', '▓', '▒', '■':
			return '#'
		case '.', '·', '░', '\u00a0':
			return ' '
		case 'A', 's':
			return 'S'
		case 'B', 'E', 'g', 'e':
			return 'G'
		case '1':
			if digits {
				return '#'
			}
		case '0':
			if digits {
				return ' '
			}
		}
		return r
	}
	out := make([]string, len(rows))
	longest := 0
	for i, row := range rows {
		if digits && strings.ContainsAny(row, " ,") {
			row = strings.NewReplacer(" ", "", ",", "").Replace(row)
		}
		out[i] = strings.Map(change, row)
		longest = max(longest, len(out[i]))
	}
	for i := range out {
		out[i] += strings.Repeat(" ", longest-len(out[i]))
	}
	return out
}

// lineWalls are rows of cells, and of the walls between them, of a maze whose walls are lines of '+', '-' and
// '|', every cell as wide as the first.
func lineWalls(rows []string) ([]string, bool) {
	first := strings.TrimRight(rows[0], " ")
	width := strings.IndexByte(first[1:], '+') + 1
	if width < 2 || (len(first)-1)%width != 0 || strings.Trim(first, "+- ") != "" {
		return nil, false
	}
	var out []string
	for _, row := range rows {
		row += strings.Repeat(" ", max(0, len(first)-len(row)))
		var b strings.Builder
		for at := 0; at < len(first); at += width {
			wall := row[at] != ' '
			if b.WriteByte(" #"[bit(wall)]); at+width > len(first)-1 {
				break
			}
			cell := strings.Trim(row[at+1:at+width], " ")
			switch {
			case cell == "":
				b.WriteByte(' ')
			case strings.Trim(cell, "-") == "":
				b.WriteByte('#')
			default:
				b.WriteByte(cell[0])
			}
		}
		out = append(out, b.String())
	}
	return out, true
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
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
				return nil, bad(r, c, "%q: want '#' or a block for a wall, ' ' or '.', 'S' or 'A', 'G', 'E' or 'B'", char)
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
