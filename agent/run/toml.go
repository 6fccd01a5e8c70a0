package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/internal/problems"
	"github.com/ponder-agents/ponder/internal/strictjson"
	"github.com/ponder-agents/ponder/internal/text"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// TOML is a configuration as the TOML file that gives it, under the names that it has in JSON.
func TOML(config any) ([]byte, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil {
		return nil, err
	}
	return toml.Marshal(numbers(fields))
}

// Override is a configuration with fields set, each KEY=VALUE: keys are dotted names of fields, values TOML or, where
// they are none, strings as they are.
func Override[T any](config T, sets ...string) (T, error) {
	for _, set := range sets {
		key, value, ok := strings.Cut(set, "=")
		if key = strings.TrimSpace(key); !ok || key == "" || strings.ContainsAny(key, "\n[]#\"'") {
			return config, fmt.Errorf("%q: want KEY=VALUE, as model.hidden=64", set)
		}
		var any map[string]any
		if toml.Unmarshal([]byte("x = "+value), &any) != nil || len(any) != 1 {
			value = strconv.Quote(value)
		}
		const base = "-" // no field is called so
		next, err := ParseTOML(key, []byte(base+" = \"\"\n"+key+" = "+value+"\n"), base, func(string) (T, error) { return config, nil })
		if err != nil {
			return config, fmt.Errorf("%s: %w", set, lastPart(err))
		}
		config = next
	}
	return config, nil
}

// lastPart is an error without the place in a file that there is not.
func lastPart(err error) error {
	text := err.Error()
	if _, after, ok := strings.Cut(text, ": "); ok {
		text = after
	}
	return errors.New(text)
}

// readConfig reads a TOML file as values.
func readConfig(file string) (map[string]any, error) {
	data, err := text.ReadFile(file, mostTOML)
	if err != nil {
		return nil, err
	}
	if err := CheckDepth(file, []byte(data)); err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := toml.Unmarshal([]byte(data), &fields); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return fields, nil
}

// numbers turns JSON numbers into integers where they are.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		x, _ := v.Float64()
		return x
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	}
	return v
}

// ReadTOML reads a configuration from a TOML file that overrides fields, under the names that they have
// in JSON, of the one that its field key names, as preset, or of the zero value: a table is merged, a list
// is replaced. The error has a line FILE:LINE:COLUMN for every field that is wrong: that there is none, of
// another type, or, where the configuration has a Check, a problem of a field that the file has.
func ReadTOML[T any](file, key string, base func(name string) (T, error)) (T, error) {
	data, err := text.ReadFile(file, mostTOML)
	if err != nil {
		var none T
		return none, err
	}
	return ParseTOML(file, []byte(data), key, base)
}

// HasField reports whether a TOML file has the field at its top; the error is of one that cannot be read.
func HasField(file, field string) (bool, error) {
	fields, err := readConfig(file)
	return fields[field] != nil, err
}

// ParseTOML is ReadTOML of the text of a file.
func ParseTOML[T any](file string, data []byte, key string, base func(name string) (T, error)) (config T, err error) {
	if err := CheckDepth(file, data); err != nil {
		return config, err
	}
	var fields map[string]any
	if err := toml.Unmarshal(data, &fields); err != nil {
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, col := at.Position()
			return config, fmt.Errorf("%s:%d:%d: %w", file, line, col, err)
		}
		return config, fmt.Errorf("%s: %w", file, err)
	}
	p := tomlParser{file: file, at: keyPositions(data), fresh: func() any { return new(T) }}
	if v, ok := fields[key]; ok {
		if config, err = base(fmt.Sprint(v)); err != nil {
			return config, fmt.Errorf("%s: %w", p.where(key), err)
		}
		delete(fields, key)
	}
	p.set(&config, "", func(v any) any { return v }, fields)
	if c, ok := any(config).(interface{ Check() error }); ok && len(p.errs) == 0 {
		p.locate(c.Check())
	}
	if n := len(p.errs); n > 0 {
		if n > mostErrors {
			p.errs = append(p.errs[:mostErrors:mostErrors], fmt.Errorf("%s: and %d fields more", file, n-mostErrors))
		}
		return config, errors.Join(p.errs...)
	}
	return config, nil
}

// CheckDepth refuses TOML so deep that parsing it takes minutes; the error names the place.
func CheckDepth(file string, data []byte) error {
	if at := tooDeep(data); at != nil {
		return fmt.Errorf("%s:%d:%d: a key of more than %d parts, or lists in so many lists", file, at.Line, at.Column, mostDepth)
	}
	return nil
}

// Bounds of a configuration's text. Its tables are three deep, and what is deeper costs the parser more
// than its length.
const (
	mostTOML   = 1 << 20
	mostDepth  = 32
	mostErrors = 20
)

// tooDeep is where keys or lists are deeper than mostDepth, or nil: more dots in a line, or more brackets
// open, outside of strings and comments. Of strings of many lines each line counts as outside.
func tooDeep(data []byte) *unstable.Position {
	at, dots, open, in := unstable.Position{Line: 1}, 0, 0, byte(0) // in a string or comment that began so
	for i, c := range data {
		at.Column++
		switch {
		case c == '\n':
			at, dots, in = unstable.Position{Line: at.Line + 1}, 0, 0
			continue
		case in == 0 && (c == '"' || c == '\'' || c == '#'):
			in = c
			continue
		case in != 0:
			if c == in && c != '#' && (c == '\'' || !escaped(data[:i])) {
				in = 0
			}
			continue
		}
		switch c {
		case '.':
			dots++
		case '[', '{':
			open++
		case ']', '}':
			open--
		}
		if dots > mostDepth || open > mostDepth {
			return &at
		}
	}
	return nil
}

// escaped reports whether what follows before is escaped by a backslash.
func escaped(before []byte) bool {
	return (len(before)-len(bytes.TrimRight(before, "\\")))%2 == 1
}

// A tomlParser puts fields one by one into their places, so that each that is wrong has its own error.
type tomlParser struct {
	file  string
	at    map[string]unstable.Position
	fresh func() any // a pointer to a configuration to try fields on
	errs  []error
}

// set puts v into the field of dst at path; in wraps a value of that field into the tables that it is in.
func (p *tomlParser) set(dst any, path string, in func(any) any, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			p.set(dst, strings.TrimPrefix(path+"."+k, "."), func(x any) any { return in(map[string]any{k: x}) }, v[k])
		}
		if len(v) > 0 {
			return
		}
	case []any:
		before := len(p.errs)
		for i, x := range v {
			if table, ok := x.(map[string]any); ok {
				p.set(p.fresh(), fmt.Sprintf("%s[%d]", path, i), func(x any) any { return in([]any{x}) }, table)
			}
		}
		if len(p.errs) > before {
			return
		}
		_ = put(dst, in(nil)) // or what was in the list would show through; an error comes again below
	}
	if err := put(dst, in(v)); err != nil {
		p.errs = append(p.errs, fmt.Errorf("%s: field %s: %w", p.where(path), path, err))
	}
}

// put decodes v, tables with one field, into dst.
func put(dst, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	err = strictjson.Unmarshal(text, dst)
	if f, ok := errors.AsType[*strictjson.FieldError](err); ok {
		if f.Unknown() {
			return errors.New("unknown; --dry-run prints the fields there are")
		}
		return errors.New(f.What)
	}
	return err
}

// Locate gives what is wrong with fields of a configuration their places in the text of a file that it was
// read from: FILE:LINE:COLUMN.
func Locate(file string, data []byte, err error) error {
	p := tomlParser{file: file, at: keyPositions(data)}
	p.locate(err)
	for _, err := range problems.Split(err) {
		if f, ok := errors.AsType[*problems.Field](err); !ok || p.where(f.Name) == file {
			p.errs = append(p.errs, fmt.Errorf("%s: %w", file, err))
		}
	}
	return errors.Join(p.errs...)
}

// locate adds those of the problems that are of fields that the file has. What it does not say may come from
// elsewhere, as flags, and is the caller's to check.
func (p *tomlParser) locate(err error) {
	for _, err := range problems.Split(err) {
		if f, ok := errors.AsType[*problems.Field](err); ok {
			if at := p.where(f.Name); at != p.file {
				p.errs = append(p.errs, fmt.Errorf("%s: field %w", at, f))
			}
		}
	}
}

// where is FILE:LINE:COLUMN of a field, or of the table or list that it stands in.
func (p *tomlParser) where(field string) string {
	for field != "" {
		if at, ok := p.at[field]; ok {
			return fmt.Sprintf("%s:%d:%d", p.file, at.Line, at.Column)
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return p.file
}

// keyPositions says where the fields of a TOML text that is well formed are, a.b or list[0].b.
func keyPositions(data []byte) map[string]unstable.Position {
	at := map[string]unstable.Position{}
	var p unstable.Parser
	p.Reset(data)
	table, elements := "", map[string]int{}
	for p.NextExpression() {
		e := p.Expression()
		var keys []string
		var first unstable.Position
		for it := e.Key(); it.Next(); {
			if len(keys) == 0 {
				first = p.Shape(it.Node().Raw).Start
			}
			keys = append(keys, string(it.Node().Data))
		}
		field := strings.Join(keys, ".")
		switch e.Kind {
		case unstable.Table:
			table = field + "."
		case unstable.ArrayTable:
			elements[field]++
			field = fmt.Sprintf("%s[%d]", field, elements[field]-1)
			table = field + "."
		case unstable.KeyValue:
			field = table + field
		}
		at[field] = first
	}
	return at
}
