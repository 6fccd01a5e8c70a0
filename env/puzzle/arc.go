package puzzle

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// ARC grids sit in a frame of ARCSide x ARCSide tokens: 0 pad, 1 end marker, colour + 2.
const (
	ARCSide    = 30
	ARCVocab   = 12
	arcEnd     = 1
	ARCColour0 = 2
)

// Frame writes g's tokens into dst, [ARCSide*ARCSide], with its top left cell at (row, col). End
// markers follow in the row below and the column right of g, where the frame has room; the corner
// between them stays pad. An empty grid leaves the frame empty.
func (g Grid) Frame(dst []int32, row, col int) {
	clear(dst)
	for i := range g.Rows {
		for j := range g.Cols {
			dst[(row+i)*ARCSide+col+j] = int32(g.Cells[i*g.Cols+j]) + ARCColour0
		}
		if col+g.Cols < ARCSide {
			dst[(row+i)*ARCSide+col+g.Cols] = arcEnd
		}
	}
	if row+g.Rows < ARCSide {
		for j := range g.Cols {
			dst[(row+g.Rows)*ARCSide+col+j] = arcEnd
		}
	}
}

// ReadFrame is the inverse of Frame: the grid in a frame and its place. The grid is empty if the frame
// is, and Ignore counts as pad. An error names the first cell that Frame would not have written so;
// Crop reads frames that are not perfect.
func ReadFrame(frame []int32) (g Grid, row, col int, err error) {
	if len(frame) != ARCSide*ARCSide {
		return Grid{}, 0, 0, fmt.Errorf("%d cells, want %d", len(frame), ARCSide*ARCSide)
	}
	colour := func(i int) bool { return frame[i] >= ARCColour0 && frame[i] < ARCVocab }
	first := 0
	for first < len(frame) && !colour(first) {
		first++
	}
	if first < len(frame) {
		row, col = first/ARCSide, first%ARCSide
		for col+g.Cols < ARCSide && colour(first+g.Cols) {
			g.Cols++
		}
		for row+g.Rows < ARCSide && colour(first+g.Rows*ARCSide) {
			g.Rows++
		}
	}
	for i := range g.Rows * g.Cols {
		at := first + i/g.Cols*ARCSide + i%g.Cols
		if !colour(at) {
			return Grid{}, 0, 0, fmt.Errorf("cell %d: token %d inside the grid of %d x %d", at, frame[at], g.Rows, g.Cols)
		}
		g.Cells = append(g.Cells, uint8(frame[at]-ARCColour0))
	}
	want := make([]int32, len(frame))
	g.Frame(want, row, col)
	for i, t := range frame {
		if t != want[i] && !(t == Ignore && want[i] == 0) {
			return Grid{}, 0, 0, fmt.Errorf("cell %d: token %d, want %d beside a grid of %d x %d at (%d, %d)", i, t, want[i], g.Rows, g.Cols, row, col)
		}
	}
	return g, row, col, nil
}

// Crop is the grid in a frame: the rectangle of colours with the largest area that is anchored at
// the top left. It may be empty (0 x 0).
func Crop(frame []int32) Grid {
	var rows, cols int
	width := ARCSide
	for r := range ARCSide {
		for c := range width { // the usable width never grows downwards
			if t := frame[r*ARCSide+c]; t < ARCColour0 || t >= ARCVocab {
				width = c
				break
			}
		}
		if area := (r + 1) * width; area > rows*cols { // a tie keeps the earlier one
			rows, cols = r+1, width
		}
	}
	g := Grid{rows, cols, make([]uint8, rows*cols)}
	for i := range g.Cells {
		g.Cells[i] = uint8(frame[i/cols*ARCSide+i%cols] - ARCColour0)
	}
	return g
}

// A Pair is an example of a task. Output is empty (0 x 0) if it is unknown.
type Pair struct{ Input, Output Grid }

// A Task is an ARC task: demonstrations, and tests to be answered.
type Task struct {
	Name        string
	Train, Test []Pair
}

// Hash identifies the content of a task, whatever the order of its pairs: per pair the SHA-256 of
// (a byte of rows, a byte of columns, cells) of input and of output in hex, joined with '|'; these
// sorted, joined with '|', and hashed again.
func (t Task) Hash() string {
	grid := func(g Grid) string {
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

// An Augmentation recolours a task and turns it: Apply(g) = dihedral(Colours[g], T).
type Augmentation struct {
	T       int // see Dihedrals
	Colours [10]uint8
}

// Identity changes nothing.
func Identity() Augmentation {
	return Augmentation{Colours: [10]uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}
}

// RandomAugmentation draws one of the 8 symmetries and a permutation of the colours 1 to 9; 0, the
// background of most tasks, stays.
func RandomAugmentation(rng *rand.Rand) Augmentation {
	a := Augmentation{T: rng.IntN(Dihedrals)}
	for i, c := range rng.Perm(9) {
		a.Colours[i+1] = uint8(c + 1)
	}
	return a
}

// Apply augments a grid.
func (a Augmentation) Apply(g Grid) Grid {
	out := g.Dihedral(a.T)
	for i, c := range out.Cells {
		out.Cells[i] = a.Colours[c]
	}
	return out
}

// Undo is the inverse of Apply.
func (a Augmentation) Undo(g Grid) Grid {
	var inverse [10]uint8
	for c, d := range a.Colours {
		inverse[d] = uint8(c)
	}
	out := g.Dihedral(DihedralInverse(a.T))
	for i, c := range out.Cells {
		out.Cells[i] = inverse[c]
	}
	return out
}

// Task augments all grids of t and names the result, unless a is the identity.
func (a Augmentation) Task(t Task) Task {
	if a == Identity() {
		return t
	}
	pairs := func(ps []Pair) (out []Pair) {
		for _, p := range ps {
			out = append(out, Pair{a.Apply(p.Input), a.Apply(p.Output)})
		}
		return out
	}
	return Task{a.Name(t.Name), pairs(t.Train), pairs(t.Test)}
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
func (t Task) Copies(rng *rand.Rand, n int) []Task {
	copies, seen := []Task{t}, map[string]bool{t.Hash(): true}
	for range 5 * n {
		if len(copies) > n {
			break
		}
		c := RandomAugmentation(rng).Task(t)
		if h := c.Hash(); !seen[h] {
			seen[h] = true
			copies = append(copies, c)
		}
	}
	return copies
}

// FramePairs calls example for each pair in frames of tokens, valid during the call. With a
// generator every pair but one, chosen at random, is moved to a random place where both grids fit
// (training); with nil all stay at (0, 0).
func FramePairs(rng *rand.Rand, pairs []Pair, example func(in, label []int32)) {
	in, label := make([]int32, ARCSide*ARCSide), make([]int32, ARCSide*ARCSide)
	stay := 0
	if rng != nil && len(pairs) > 0 {
		stay = rng.IntN(len(pairs))
	}
	for i, p := range pairs {
		row, col := 0, 0
		if rng != nil && i != stay {
			row = rng.IntN(ARCSide - max(p.Input.Rows, p.Output.Rows) + 1)
			col = rng.IntN(ARCSide - max(p.Input.Cols, p.Output.Cols) + 1)
		}
		p.Input.Frame(in, row, col)
		p.Output.Frame(label, row, col)
		example(in, label)
	}
}
