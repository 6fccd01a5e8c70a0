package env

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseActions reads actions of an environment, numbers or names, with commas: "2,1,forward".
func ParseActions(s string, spec Spec) ([]int, error) {
	var out []int
	for i, f := range strings.Split(s, ",") {
		if f = strings.TrimSpace(f); f == "" && s == "" {
			break
		}
		a, err := strconv.Atoi(f)
		if err != nil {
			a = slices.Index(spec.Actions, f)
		}
		if a < 0 || a >= len(spec.Actions) {
			return nil, fmt.Errorf("action %d: %q is neither in [0, %d) nor one of %s", i, f, len(spec.Actions), strings.Join(spec.Actions, ", "))
		}
		out = append(out, a)
	}
	return out, nil
}
