package plainyaml

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// MaxBytes is the longest text that is read. The parser needs up to a second for it.
const MaxBytes = 16 << 10

// Unmarshal decodes text into v, as yaml.Unmarshal does; keys that v does not have are passed over.
func Unmarshal(text []byte, v any) (err error) {
	defer func() {
		if p := recover(); p != nil { // of the parser, over a hostile text
			err = fmt.Errorf("not YAML: %.200v", p)
		}
	}()
	if len(text) > MaxBytes {
		return fmt.Errorf("%d bytes, at most %d are read", len(text), MaxBytes)
	}
	f, err := parser.ParseBytes(text, 0)
	if err != nil {
		return oneLine(err)
	}
	for _, doc := range f.Docs {
		var aliases finder
		ast.Walk(&aliases, doc)
		if aliases > 0 {
			return errors.New("aliases (*name) are not read")
		}
	}
	if err := yaml.Unmarshal(text, v); err != nil {
		return oneLine(err)
	}
	return nil
}

// A finder counts aliases.
type finder int

func (f *finder) Visit(n ast.Node) ast.Visitor {
	if n.Type() == ast.AliasType {
		*f++
	}
	return f
}

// oneLine replaces the parser's picture of the place by its line and column.
func oneLine(err error) error {
	var e yaml.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("not YAML: %.200s", err)
	}
	at := ""
	if t := e.GetToken(); t != nil && t.Position != nil {
		at = fmt.Sprintf("line %d, column %d: ", t.Position.Line, t.Position.Column)
	}
	return fmt.Errorf("%s%.200s", at, e.GetMessage())
}
