package grid

import (
	"fmt"
	"strings"
)

// A TextError is a fault in a text, counted from line 1 and column 1.
type TextError struct {
	Line, Column int
	Msg          string
}

func (e *TextError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// A Text is a level as text: a first line "FAMILY level", then lines "key: value", a line "map:" and
// the rows of the map. Empty lines and lines that begin with ; are skipped, but in the map, which
// ends at the first empty line.
type Text struct {
	Fields  []TextField
	Rows    []string
	MapLine int // line of the first row
}

// A TextField is one line "key: value".
type TextField struct {
	Key, Value   string
	Line, Column int // where the value begins
}

// Errorf is an error at the value's byte i.
func (f *TextField) Errorf(i int, format string, args ...any) error {
	return &TextError{f.Line, f.Column + i, fmt.Sprintf(format, args...)}
}

// Words splits the value and tells where each word begins.
func (f *TextField) Words() (words []string, at []int) {
	for i := 0; i < len(f.Value); {
		if f.Value[i] == ' ' {
			i++
			continue
		}
		n := strings.IndexByte(f.Value[i:], ' ')
		if n < 0 {
			n = len(f.Value) - i
		}
		words, at = append(words, f.Value[i:i+n]), append(at, i)
		i += n
	}
	return words, at
}

// maxText is the largest text that is read: no level comes near it.
const maxText = 1 << 20

// ParseText reads the level of a family. Its errors are TextErrors.
func ParseText(family, text string) (*Text, error) {
	if len(text) > maxText {
		return nil, &TextError{1, 1, fmt.Sprintf("%d bytes are too many for a level", len(text))}
	}
	t := &Text{}
	titled := false
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, "\r \t")
		switch {
		case line == "" || line[0] == ';':
			continue
		case !titled:
			if line != family+" level" {
				return nil, &TextError{i + 1, 1, fmt.Sprintf("want the line %q first", family+" level")}
			}
			titled = true
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok || key == "" || strings.TrimSpace(key) != key {
			return nil, &TextError{i + 1, 1, `want "key: value", or "map:" and the map`}
		}
		if key == "map" {
			if value != "" {
				return nil, &TextError{i + 1, 5, "the map begins on the next line"}
			}
			t.MapLine = i + 2
			for _, row := range lines[i+1:] {
				if row = strings.TrimRight(row, "\r \t"); row == "" {
					break
				}
				t.Rows = append(t.Rows, row)
			}
			if len(t.Rows) == 0 {
				return nil, &TextError{i + 1, 1, "the map is empty"}
			}
			for j, rest := range lines[i+1+len(t.Rows):] {
				if s := strings.TrimSpace(rest); s != "" && s[0] != ';' {
					return nil, &TextError{i + 2 + len(t.Rows) + j, 1, "text after the map"}
				}
			}
			return t, nil
		}
		trimmed := strings.TrimLeft(value, " ")
		t.Fields = append(t.Fields, TextField{key, trimmed, i + 1, len(line) - len(trimmed) + 1})
	}
	if !titled {
		return nil, &TextError{1, 1, fmt.Sprintf("want the line %q first", family+" level")}
	}
	return nil, &TextError{len(lines), 1, `no "map:"`}
}
