package cli

import (
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A Range is what a number may be, both ends included.
type Range struct{ Least, Most float64 }

// rangeKey annotates flags with their range.
const rangeKey = "cli-range"

// Bound says what a flag's number may be. Polish's commands refuse another before they begin.
func Bound(f *pflag.FlagSet, flag string, r Range) {
	if err := f.SetAnnotation(flag, rangeKey, []string{fmt.Sprint(r.Least), fmt.Sprint(r.Most)}); err != nil {
		panic(err) // no such flag
	}
}

// BoundAll is Bound, by name, of every flag of a tree that is a number and has no range yet. Flags of unsigned
// integers, as seeds, may be any.
func BoundAll(root *cobra.Command, ranges map[string]Range) {
	for _, sub := range root.Commands() {
		BoundAll(sub, ranges)
	}
	root.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if r, ok := ranges[f.Name]; ok && isNumber(f) && f.Annotations[rangeKey] == nil {
			Bound(root.LocalFlags(), f.Name, r)
		}
	})
}

// RangeOf is the range of a flag; number is false if there is none to have, ok if it has one.
func RangeOf(f *pflag.Flag) (r Range, number, ok bool) {
	if !isNumber(f) {
		return r, false, false
	}
	a := f.Annotations[rangeKey]
	if len(a) != 2 {
		return r, true, false
	}
	least, err1 := strconv.ParseFloat(a[0], 64)
	most, err2 := strconv.ParseFloat(a[1], 64)
	return Range{least, most}, true, err1 == nil && err2 == nil
}

func isNumber(f *pflag.Flag) bool {
	switch f.Value.Type() {
	case "int", "int64", "float32", "float64":
		return true
	}
	return false
}

// checkNumbers refuses numbers out of their flags' ranges.
func checkNumbers(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		r, _, ok := RangeOf(f)
		if err != nil || !ok {
			return
		}
		// What pflag has parsed is a number; a large int64 is rounded, which no range notices.
		if v, e := strconv.ParseFloat(f.Value.String(), 64); e != nil || !(v >= r.Least && v <= r.Most) {
			err = Usagef("--%s %s: want %s to %s", f.Name, f.Value, plain(r.Least), plain(r.Most))
		}
	})
	return err
}

// plain is a number without an exponent where it is whole.
func plain(v float64) string {
	if v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
