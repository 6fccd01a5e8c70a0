// Package strictjson reads JSON into configurations, in which a field that nobody knows is a mistake.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A FieldError says which field of a JSON text is wrong, and how.
type FieldError struct {
	Field string
	What  string // "unknown", or what it is and what it should be
}

func (e *FieldError) Error() string { return fmt.Sprintf("field %s: %s", e.Field, e.What) }

// Unknown reports whether what was read into has no such field.
func (e *FieldError) Unknown() bool { return e.What == "unknown" }

// Unmarshal reads data into v, also where v's UnmarshalJSON calls it; a field that v has not, or of another
// type, is a FieldError. What v points to stays where data says nothing.
func Unmarshal(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		name := t.Field[strings.LastIndexByte(t.Field, '.')+1:] // before it are names of Go's
		return &FieldError{name, fmt.Sprintf("%s, want %v", t.Value, t.Type)}
	}
	// encoding/json has no type for an unknown field.
	if err != nil {
		if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
			return &FieldError{strings.Trim(name, `"`), "unknown"}
		}
	}
	return err
}
