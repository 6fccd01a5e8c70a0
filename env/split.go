package env

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/internal/problems"
)

// LevelsOption is how the option of Make begins that draws episodes from a range of levels.
const LevelsOption = "levels="

// A Range is of the levels of the seeds Lo to Hi-1. The zero value is of none.
type Range struct{ Lo, Hi uint64 }

// ParseRange reads LO:HI.
func ParseRange(s string) (Range, error) {
	a, b, _ := strings.Cut(s, ":")
	lo, err1 := strconv.ParseUint(a, 10, 64)
	hi, err2 := strconv.ParseUint(b, 10, 64)
	if err1 != nil || err2 != nil || lo >= hi {
		return Range{}, fmt.Errorf("%s: want LO:HI with LO < HI", s)
	}
	return Range{lo, hi}, nil
}

func (r Range) String() string { return fmt.Sprintf("%d:%d", r.Lo, r.Hi) }

// Overlaps reports whether a level is in both.
func (r Range) Overlaps(o Range) bool { return r.Lo < o.Hi && o.Lo < r.Hi }

// On adds to the options of an environment that its levels are those of r; the zero value leaves them as they are.
func (r Range) On(options []string) []string {
	if r == (Range{}) {
		return options
	}
	return append(options[:len(options):len(options)], LevelsOption+r.String())
}

// A Split keeps levels to learn from and levels to be examined on apart.
type Split struct {
	Levels     string `json:"levels"`      // LO:HI, the levels to learn from; "" means any
	TestLevels string `json:"test_levels"` // LO:HI, those of examinations; "" means all from HI of Levels on
}

// Ranges are those of s, zero values for any level, or all that is wrong with them.
func (s Split) Ranges() (train, test Range, err error) {
	var bad problems.List
	if s.Levels != "" {
		if train, err = ParseRange(s.Levels); err != nil {
			bad.In("levels", err)
		}
		test = Range{train.Hi, math.MaxUint64}
		bad.Add(train.Hi == math.MaxUint64 && s.TestLevels == "", "levels", "%s, want an end that leaves levels to be examined on", s.Levels)
	}
	if s.TestLevels != "" {
		if test, err = ParseRange(s.TestLevels); err != nil {
			bad.In("test_levels", err)
		}
		bad.Add(s.Levels == "", "test_levels", "%s, want levels besides: those to learn from", s.TestLevels)
		bad.Add(bad.Err() == nil && train.Overlaps(test), "test_levels", "%s, want none of levels, which are %s", s.TestLevels, s.Levels)
	}
	return train, test, bad.Err()
}
