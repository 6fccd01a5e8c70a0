package session

import (
	"fmt"
	"strconv"
	"strings"
)

// An Edit changes a cell of the level when the episode stands at a step.
type Edit struct {
	Step        int // of the episode, from 0
	X, Y, Value int // as env.Editor takes them
}

// maxEdits bounds those of an episode in a text.
const maxEdits = 1 << 12

// String is e as FormatEdits writes it.
func (e Edit) String() string {
	s := fmt.Sprintf("%d.%d.%d", e.X, e.Y, e.Value)
	if e.Step > 0 {
		s += fmt.Sprintf(".%d", e.Step)
	}
	return s
}

// FormatEdits writes edits so that they can stand in the address of a page: X.Y.VALUE, or
// X.Y.VALUE.STEP where the step is not the first, with _ between them.
func FormatEdits(edits []Edit) string {
	parts := make([]string, len(edits))
	for i, e := range edits {
		parts[i] = e.String()
	}
	return strings.Join(parts, "_")
}

// ParseEdits reads what FormatEdits writes.
func ParseEdits(s string) (edits []Edit, err error) {
	if s == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(s, "_") {
		e, ok := parseEdit(part)
		switch {
		case !ok:
			return nil, fmt.Errorf("edit %.40q: want X.Y.VALUE or X.Y.VALUE.STEP, as 3.4.1", part)
		case len(edits) > 0 && e.Step < edits[len(edits)-1].Step:
			return nil, fmt.Errorf("edit %v: its step is before that of the one before", e)
		case len(edits) == maxEdits:
			return nil, fmt.Errorf("more than %d edits", maxEdits)
		}
		edits = append(edits, e)
	}
	return edits, nil
}

func parseEdit(s string) (e Edit, ok bool) {
	numbers := strings.Split(s, ".")
	into := []*int{&e.X, &e.Y, &e.Value, &e.Step}
	if len(numbers) != 3 && len(numbers) != 4 {
		return e, false
	}
	for i, n := range numbers {
		v, err := strconv.ParseInt(n, 10, 32)
		if err != nil {
			return e, false
		}
		*into[i] = int(v)
	}
	return e, e.Step >= 0
}
