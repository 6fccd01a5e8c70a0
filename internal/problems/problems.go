// Package problems says what is wrong with configurations, field by field, so that whoever read one from a
// file can tell the line.
package problems

import (
	"errors"
	"fmt"
	"strings"
)

// A Field is what is wrong with a field of a configuration.
type Field struct {
	Name string // as in JSON: "ppo.lr"
	What string // " is 0, want 1 or more", or ": " and a text
}

func (e *Field) Error() string { return e.Name + e.What }

// A List is what is wrong with a configuration.
type List []error

// Add says, if cond holds, that a field is as format tells: "%d, want 1 or more".
func (l *List) Add(cond bool, name, format string, args ...any) {
	if cond {
		*l = append(*l, &Field{name, " is " + fmt.Sprintf(format, args...)})
	}
}

// In adds what is wrong with the configuration that a field is, which err says.
func (l *List) In(name string, err error) {
	for _, err := range Split(err) {
		if f, ok := errors.AsType[*Field](err); ok {
			*l = append(*l, &Field{name + "." + f.Name, f.What})
		} else {
			*l = append(*l, &Field{name, ": " + strings.TrimPrefix(err.Error(), name+": ")})
		}
	}
}

// Err is all of them, or nil.
func (l List) Err() error { return errors.Join(l...) }

// Split is the errors that were joined, one by one.
func Split(err error) (all []error) {
	if err == nil {
		return nil
	}
	joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err)
	if !ok {
		return []error{err}
	}
	for _, e := range joined.Unwrap() {
		all = append(all, Split(e)...)
	}
	return all
}
