package arcs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/grid"
)

// Hash identifies the content of a task, whatever the order of its pairs: per pair the SHA-256 of
// (a byte of rows, a byte of columns, cells) of input and of output in hex, joined with '|'; these
// sorted, joined with '|', and hashed again.
func Hash(t *arc.Task) string {
	grid := func(g arc.Grid) string {
		sum := sha256.Sum256(append([]byte{byte(g.Rows), byte(g.Cols)}, g.Cells...))
		return hex.EncodeToString(sum[:])
	}
	var pairs []string
	for _, p := range slices.Concat(t.Train, t.Test) {
		pairs = append(pairs, grid(p.Input)+"|"+grid(p.Output))
	}
	slices.Sort(pairs)
	sum := sha256.Sum256([]byte(strings.Join(pairs, "|")))
	return hex.EncodeToString(sum[:])
}

// symmetries is the number of symmetries of the square, see grid.SymmetryOf.
const symmetries = 8

// An Augmentation recolours a task and turns it: Apply(g) = SymmetryOf(Colours[g], T).
type Augmentation struct {
	T       int // see grid.SymmetryOf
	Colours [arc.Colors]uint8
}

// Identity changes nothing.
func Identity() Augmentation {
	return Augmentation{Colours: [arc.Colors]uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}
}

// RandomAugmentation draws one of the 8 symmetries and a permutation of the colours 1 to 9; 0, the
// background of most tasks, stays.
func RandomAugmentation(rng *rand.Rand) Augmentation {
	a := Augmentation{T: rng.IntN(symmetries)}
	for i, c := range rng.Perm(9) {
		a.Colours[i+1] = uint8(c + 1)
	}
	return a
}

// Apply augments a grid.
func (a Augmentation) Apply(g arc.Grid) (out arc.Grid) {
	out.Transform(&g, a.T, &a.Colours)
	return out
}

// Undo is the inverse of Apply.
func (a Augmentation) Undo(g arc.Grid) (out arc.Grid) {
	inverse := Augmentation{T: grid.Inverse(a.T)}
	for c, d := range a.Colours {
		inverse.Colours[d] = uint8(c)
	}
	return inverse.Apply(g)
}

// Task augments all grids of t and names the result, unless a is the identity.
func (a Augmentation) Task(t *arc.Task) *arc.Task {
	if a == Identity() {
		return t
	}
	pairs := func(ps []arc.Pair) (out []arc.Pair) {
		for _, p := range ps {
			out = append(out, arc.Pair{Input: a.Apply(p.Input), Output: a.Apply(p.Output)})
		}
		return out
	}
	return &arc.Task{Name: a.Name(t.Name), Train: pairs(t.Train), Test: pairs(t.Test)}
}

// Name is the identifier's name of task augmented by a: TASK_tT_COLOURS, as HRM writes it.
func (a Augmentation) Name(task string) string {
	b := fmt.Appendf(nil, "%s_t%d_", task, a.T)
	for _, c := range a.Colours {
		b = append(b, '0'+c)
	}
	return string(b)
}

// TRM separates with ||| what HRM separates with _.
var augmentedName = regexp.MustCompile(`^(.*)(?:_t([0-7])_|\|\|\|t([0-7])\|\|\|)([0-9]{10})$`)

// ParseName splits an identifier's name into task and augmentation, the identity for a plain name.
func ParseName(name string) (task string, a Augmentation) {
	m := augmentedName.FindStringSubmatch(name)
	if m == nil {
		return name, Identity()
	}
	a.T = int((m[2] + m[3])[0] - '0')
	var seen [10]bool
	for i, c := range []byte(m[4]) {
		a.Colours[i] = c - '0'
		seen[c-'0'] = true
	}
	if slices.Contains(seen[:], false) { // no permutation, so no augmentation of ours
		return name, Identity()
	}
	return m[1], a
}

// Copies returns t and up to n different augmented copies of it. Each copy is tried at most five
// times, as the content may repeat (a task of one colour has few copies).
func Copies(rng *rand.Rand, t *arc.Task, n int) []*arc.Task {
	copies, seen := []*arc.Task{t}, map[string]bool{Hash(t): true}
	for range 5 * n {
		if len(copies) > n {
			break
		}
		c := RandomAugmentation(rng).Task(t)
		if h := Hash(c); !seen[h] {
			seen[h] = true
			copies = append(copies, c)
		}
	}
	return copies
}
