package env

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"
	"sync"

	"github.com/ponder-agents/ponder/env/grid"
)

// ErrUnknown is what Make's error is when no entry has the id.
var ErrUnknown = errors.New("unknown environment")

// An Entry is an environment, or a range of them, that Make opens.
type Entry struct {
	ID      string   // "MiniGrid-DoorKey-8x8-v0"; for a range of ids one of them
	Family  string   // "minigrid", "maze", …
	Form    string   // how the ids of a range are built, as "maze/COLSxROWS-v0"; empty for one id
	Aliases []string // short names, as "maze"
	About   string   // one line
	Options []Option // what Make's options may set, besides those of every Env

	// Match reports whether a range has the id; nil if only ID and Aliases are meant.
	Match func(id string) bool
	// Open makes the Env that is to report id as its Spec().ID.
	Open func(id string, o *Options) (Env, error)
	// OpenMany makes n at once, where that is cheaper than n times Open; nil if it is not.
	OpenMany func(id string, n int, o *Options) ([]Env, error)
	// Elsewhere says that whatever the ids name is not part of this program: List leaves the entry out.
	Elsewhere bool
	// Oracles are the ways to play it well, the best first; nil if there are none.
	Oracles []OracleEntry
	// Unsolvable proves, where it returns true, that no actions succeed from the present state of an
	// Env, unwrapped; nil if there is no such proof.
	Unsolvable func(e Env) bool

	// What one entry of a family has for all of its boards and levels; nil in the others.

	// Paint draws a board of the family, cells and pieces, over the whole of dst.
	Paint func(b grid.Board, dst *image.RGBA)
	// OpenLevel opens the levels of a text, one or many (see Level); nil if the text is of another family. An error
	// says what is wrong in a text of this one.
	OpenLevel func(text string) (Env, error)
}

// An OracleEntry opens an oracle for an Env of its Entry, unwrapped.
type OracleEntry struct {
	Name  string // "bot" sees what the agent sees, "plan" sees everything
	About string
	Open  func(e Env) (Oracle, error)
}

var registry struct {
	sync.RWMutex
	entries []*Entry          // sorted by ID
	names   map[string]*Entry // by ID and alias
}

// Register makes an environment known to Make. It panics if a name is taken or the entry cannot
// be opened, as families register in their init functions.
func Register(e Entry) {
	if e.ID == "" || e.Open == nil {
		panic("env.Register: an entry needs ID and Open")
	}
	registry.Lock()
	defer registry.Unlock()
	if registry.names == nil {
		registry.names = make(map[string]*Entry)
	}
	p := &e
	for _, name := range append([]string{e.ID}, e.Aliases...) {
		if registry.names[name] != nil {
			panic(fmt.Sprintf("env.Register: %q is registered twice", name))
		}
		registry.names[name] = p
	}
	i, _ := slices.BinarySearchFunc(registry.entries, e.ID, func(a *Entry, id string) int { return cmp.Compare(a.ID, id) })
	registry.entries = slices.Insert(registry.entries, i, p)
}

// List returns the entries whose id or an alias matches the pattern, sorted by id. In a pattern
// * stands for any characters and ? for one; one without either matches anywhere in the name.
// Case does not matter; the empty pattern matches all.
func List(pattern string) []Entry {
	pattern = strings.ToLower(pattern)
	if !strings.ContainsAny(pattern, "*?") {
		pattern = "*" + pattern + "*"
	}
	registry.RLock()
	defer registry.RUnlock()
	var out []Entry
	for _, e := range registry.entries {
		if !e.Elsewhere && slices.ContainsFunc(append([]string{e.ID}, e.Aliases...), func(name string) bool {
			return glob(pattern, strings.ToLower(name))
		}) {
			out = append(out, *e)
		}
	}
	return out
}

// Lookup finds the entry of an id or alias, and the id that it stands for.
func Lookup(id string) (Entry, string, error) {
	registry.RLock()
	defer registry.RUnlock()
	if e := registry.names[id]; e != nil {
		if slices.Contains(e.Aliases, id) {
			id = e.ID
		}
		return *e, id, nil
	}
	for _, e := range registry.entries {
		if e.Match != nil && e.Match(id) {
			return *e, id, nil
		}
	}
	names := make([]string, 0, len(registry.names))
	for n := range registry.names {
		names = append(names, n)
	}
	slices.Sort(names)
	switch near := Near(id, names); {
	case len(names) == 0:
		return Entry{}, "", fmt.Errorf("%w %q: no family is registered; import one, as env/minigrid", ErrUnknown, id)
	case len(near) > 0:
		return Entry{}, "", fmt.Errorf("%w %q: did you mean %s?", ErrUnknown, id, strings.Join(near, ", "))
	default:
		return Entry{}, "", fmt.Errorf("%w %q: `ponder env list` shows all", ErrUnknown, id)
	}
}

// Make opens an environment by its id or alias. Each option is written "name=value"; an entry
// lists its own, and every Env has
//
//	levels=LO:HI  episodes are drawn from the levels of the seeds LO to HI-1 ([Levels])
//	limit=N       truncate after N steps ([Limit])
//	stack=N       observations are the last N frames ([Stack])
//
// The error of an unknown id is ErrUnknown and names ids near to it.
func Make(id string, options ...string) (Env, error) {
	all, err := makeMany(id, 1, options)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// makeMany opens n environments of one id.
func makeMany(id string, n int, options []string) ([]Env, error) {
	entry, id, err := Lookup(id)
	if err != nil {
		return nil, err
	}
	o, err := parseOptions(append(slices.Clone(entry.Options), wrapOptions...), options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	var all []Env
	if entry.OpenMany != nil {
		all, err = entry.OpenMany(id, n, o)
	} else {
		for len(all) < n && err == nil {
			var e Env
			e, err = entry.Open(id, o)
			all = append(all, e)
		}
	}
	if bad := o.Err(); bad != nil {
		err = bad // an opener may have said so too, or stumbled over it
	}
	for i := range all {
		if err == nil {
			all[i], err = wrap(all[i], o)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	return all, nil
}

// glob matches a whole string; both are lower case already.
func glob(pattern, s string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if len(s) < len(first) || !alike(first, s[:len(first)]) {
		return false
	}
	s = s[len(first):]
	if !star {
		return s == ""
	}
	parts := strings.Split(rest, "*")
	last := parts[len(parts)-1]
	for _, part := range parts[:len(parts)-1] { // the first place will do: what follows may skip more
		for ; len(s) >= len(part) && !alike(part, s[:len(part)]); s = s[1:] {
		}
		if len(s) < len(part) {
			return false
		}
		s = s[len(part):]
	}
	return len(s) >= len(last) && alike(last, s[len(s)-len(last):])
}

// alike matches as many characters, of which those of pattern may be ?.
func alike(pattern, s string) bool {
	for i := range len(pattern) {
		if pattern[i] != '?' && pattern[i] != s[i] {
			return false
		}
	}
	return true
}

// Near returns up to three of the names that differ least from s, if any is near enough to be
// meant.
func Near(s string, names []string) []string {
	type scored struct {
		name string
		d    int
	}
	s = strings.ToLower(s)
	var near []scored
	for _, n := range names {
		low := strings.ToLower(n)
		d := distance(s, low)
		switch {
		case len(s) >= 3 && strings.HasPrefix(low, s):
			d = min(d, 0) // as "Maz" of maze
		case len(s) >= 3 && strings.Contains(low, s):
			d = min(d, 1)
		}
		if d <= max(2, len(s)/4) {
			near = append(near, scored{n, d})
		}
	}
	slices.SortStableFunc(near, func(a, b scored) int { return cmp.Compare(a.d, b.d) })
	out := make([]string, 0, 3)
	for _, n := range near[:min(3, len(near))] {
		out = append(out, n.name)
	}
	return out
}

// distance is Levenshtein's: insertions, deletions and replacements from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diag
			if a[i] != b[j] {
				d++
			}
			diag = row[j+1]
			row[j+1] = min(d, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
