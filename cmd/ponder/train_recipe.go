//go:build cgo && !notorch

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/learn"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// readRecipe is a preset, or a TOML file over one.
func readRecipe(name string) (learn.Recipe, error) {
	if filepath.Ext(name) != ".toml" {
		r, err := learn.Preset(name)
		return r, withCode(exitUsage, err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return learn.Recipe{}, err
	}
	r, err := parseRecipe(name, data)
	return r, withCode(exitUsage, err)
}

// parseRecipe reads a recipe's text. The error has a line for every field that is wrong.
func parseRecipe(name string, data []byte) (learn.Recipe, error) {
	var r learn.Recipe
	var fields map[string]any
	if err := toml.Unmarshal(data, &fields); err != nil {
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, col := at.Position()
			return r, fmt.Errorf("%s:%d:%d: %w", name, line, col, err)
		}
		return r, fmt.Errorf("%s: %w", name, err)
	}
	p := recipeParser{name: name, at: keyPositions(data)}
	if v, ok := fields["preset"]; ok {
		preset, ok := v.(string)
		if !ok {
			return r, fmt.Errorf("%s: field preset: %v, want one of %q", p.where("preset"), v, learn.Presets())
		}
		var err error
		if r, err = learn.Preset(preset); err != nil {
			return r, fmt.Errorf("%s: %w", p.where("preset"), err)
		}
		delete(fields, "preset")
	}
	if stages, ok := fields["stages"].([]any); ok {
		r.Stages = make([]learn.Stage, len(stages)) // a list is replaced, not merged
		for i, st := range stages {
			p.set(&r.Stages[i], fmt.Sprintf("stages[%d]", i), nil, st)
		}
		delete(fields, "stages")
	}
	p.set(&r, "", nil, fields)
	return r, errors.Join(p.errs...)
}

// A recipeParser puts fields one by one into their places, so that each that is wrong has its own error.
type recipeParser struct {
	name string
	at   map[string]unstable.Position
	errs []error
}

// set puts v into the field of dst that keys lead to; dst is the recipe's value at path.
func (p *recipeParser) set(dst any, path string, keys []string, v any) {
	if table, ok := v.(map[string]any); ok && len(table) > 0 {
		for _, k := range slices.Sorted(maps.Keys(table)) {
			p.set(dst, path, append(keys[:len(keys):len(keys)], k), table[k])
		}
		return
	}
	field := strings.TrimPrefix(strings.Join(append([]string{path}, keys...), "."), ".")
	for _, k := range slices.Backward(keys) {
		v = map[string]any{k: v}
	}
	text, err := json.Marshal(v)
	if err == nil {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		err = dec.Decode(dst)
	}
	if err == nil {
		return
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		err = fmt.Errorf("%s, want %v", t.Value, t.Type)
	} else if json.Unmarshal(text, dst) == nil {
		err = errors.New("unknown; --dry-run prints the fields there are")
	}
	p.errs = append(p.errs, fmt.Errorf("%s: field %s: %w", p.where(field), field, err))
}

// where is FILE:LINE:COLUMN of a field, or of the table or list that it stands in.
func (p *recipeParser) where(field string) string {
	for field != "" {
		if at, ok := p.at[field]; ok {
			return fmt.Sprintf("%s:%d:%d", p.name, at.Line, at.Column)
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return p.name
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

// asTOML is a recipe as the TOML file that gives it.
func asTOML(r learn.Recipe) (map[string]any, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil {
		return nil, err
	}
	return numbers(fields).(map[string]any), nil
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
