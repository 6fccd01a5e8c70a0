package env

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// An Option is a setting that an Entry understands.
type Option struct {
	Name    string
	Default string
	About   string // one line, with the values allowed
}

// Options are the settings that Make was given, over the defaults of the Entry. The getters panic
// on a name that the Entry doesn't declare; a bad value is remembered for Err and yields the
// smallest allowed.
type Options struct {
	values map[string]string
	errs   []error
}

func parseOptions(known []Option, given []string) (*Options, error) {
	o := &Options{values: make(map[string]string, len(known))}
	names := make([]string, len(known))
	for i, k := range known {
		o.values[k.Name] = k.Default
		names[i] = k.Name
	}
	var errs []error
	for _, g := range given {
		name, value, ok := strings.Cut(g, "=")
		if !ok {
			errs = append(errs, fmt.Errorf("option %q: want name=value", g))
			continue
		}
		if _, ok := o.values[name]; !ok {
			hint := "it has " + strings.Join(names, ", ")
			if near := Near(name, names); len(near) > 0 {
				hint = "did you mean " + near[0] + "?"
			}
			errs = append(errs, fmt.Errorf("unknown option %q: %s", name, hint))
			continue
		}
		o.values[name] = value
	}
	return o, errors.Join(errs...)
}

// String returns the value of an option.
func (o *Options) String(name string) string {
	v, ok := o.values[name]
	if !ok {
		panic(fmt.Sprintf("env.Options: %q is not declared", name))
	}
	return v
}

// Int returns the value of a whole number in [lo, hi].
func (o *Options) Int(name string, lo, hi int) int {
	s := o.String(name)
	v, err := strconv.Atoi(s)
	if err != nil || v < lo || v > hi {
		o.errs = append(o.errs, fmt.Errorf("option %s=%s: want a whole number from %d to %d", name, s, lo, hi))
		return lo
	}
	return v
}

// Float returns the value of a number in [lo, hi].
func (o *Options) Float(name string, lo, hi float64) float64 {
	s := o.String(name)
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= lo && v <= hi) {
		o.errs = append(o.errs, fmt.Errorf("option %s=%s: want a number from %g to %g", name, s, lo, hi))
		return lo
	}
	return v
}

// Bool returns the value of a truth value: true or false.
func (o *Options) Bool(name string) bool {
	s := o.String(name)
	v, err := strconv.ParseBool(s)
	if err != nil {
		o.errs = append(o.errs, fmt.Errorf("option %s=%s: want true or false", name, s))
	}
	return v
}

// Choice returns the index of the value in the choices.
func (o *Options) Choice(name string, choices ...string) int {
	s := o.String(name)
	for i, c := range choices {
		if s == c {
			return i
		}
	}
	o.errs = append(o.errs, fmt.Errorf("option %s=%s: want one of %s", name, s, strings.Join(choices, ", ")))
	return 0
}

// Err joins the errors of all getters so far.
func (o *Options) Err() error { return errors.Join(o.errs...) }
