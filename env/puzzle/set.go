package puzzle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"sort"

	"github.com/ponder-agents/ponder/internal/text"
)

// A Set is one split of a dataset. Inputs and labels stay on disk and are read row by row; the
// indices (4 bytes a puzzle) are in memory. Any number of goroutines may read a Set.
type Set struct {
	Meta  Meta
	Names []string // identifiers.json: the name of each identifier, entry 0 "<blank>"; nil if there is none
	Path  string   // folder of the split, "" in memory

	inputs, labels *table
	ids            []int32 // [puzzles] identifiers
	puzzles        []int32 // [puzzles+1] offsets into examples
	groups         []int32 // [groups+1] offsets into puzzles
	labelRange     int     // Shape.Labels, of sets in memory
}

// Open opens a split ("train" or "test") of the dataset in dir. It reads all of the indices and
// checks them, but no token: Example does that, and Check for all of them at once. The error has
// a line for every problem, each with file and position.
func Open(dir, split string) (*Set, error) {
	s := &Set{Path: filepath.Join(dir, split)}
	data, err := text.ReadBytes(metaPath(dir, split), maxMeta)
	if err != nil {
		return nil, err
	}
	if s.Meta, err = ParseMeta(data); err != nil {
		return nil, inFile(metaPath(dir, split), err)
	}
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	s.Names, err = readNames(namesPath(dir))
	note(err)
	set := s.Meta.Sets[0]
	open := func(name string) *table {
		t, err := openTable(arrayPath(dir, split, set, name))
		note(err)
		return t
	}
	s.inputs, s.labels = open("inputs"), open("labels")
	index := func(name string) []int32 {
		t := open(name)
		defer t.close()
		if t == nil {
			return nil
		}
		if !t.flat {
			note(fmt.Errorf("%s: shape %s, want one axis", t.name, t.shape()))
			return nil
		}
		v, err := t.all()
		note(err)
		return v
	}
	s.ids, s.puzzles, s.groups = index("puzzle_identifiers"), index("puzzle_indices"), index("group_indices")
	if len(errs) == 0 {
		note(s.validate(dir, split))
	}
	if len(errs) > 0 {
		s.Close()
		return nil, errors.Join(errs...)
	}
	return s, nil
}

// validate checks what can be checked without reading tokens.
func (s *Set) validate(dir, split string) error {
	var errs []error
	m, set := s.Meta, s.Meta.Sets[0]
	for _, t := range []*table{s.inputs, s.labels} {
		if t.flat || t.cols != m.SeqLen {
			errs = append(errs, fmt.Errorf("%s: shape %s, want [examples %d] (seq_len of dataset.json)", t.name, t.shape(), m.SeqLen))
		}
	}
	if s.inputs.rows != s.labels.rows {
		errs = append(errs, fmt.Errorf("%s: %d examples, but %d in %s", s.labels.name, s.labels.rows, s.inputs.rows, s.inputs.name))
	}
	offsets := func(name string, v []int32, end int, of string) {
		path := arrayPath(dir, split, set, name)
		if len(v) == 0 {
			errs = append(errs, fmt.Errorf("%s: empty, want at least the offset 0", path))
			return
		}
		if v[0] != 0 {
			errs = append(errs, fmt.Errorf("%s: element 0: %d, want 0", path, v[0]))
		}
		for i := 1; i < len(v); i++ {
			if v[i] < v[i-1] {
				errs = append(errs, fmt.Errorf("%s: element %d: %d is less than the %d before it", path, i, v[i], v[i-1]))
				return
			}
		}
		if last := len(v) - 1; int(v[last]) != end {
			errs = append(errs, fmt.Errorf("%s: element %d: %d, want %d, the number of %s", path, last, v[last], end, of))
		}
	}
	offsets("puzzle_indices", s.puzzles, s.inputs.rows, "examples")
	offsets("group_indices", s.groups, len(s.ids), "puzzles")
	path := arrayPath(dir, split, set, "puzzle_identifiers")
	if len(s.puzzles) != len(s.ids)+1 {
		errs = append(errs, fmt.Errorf("%s: %d puzzles, but puzzle_indices has %d elements, want one more", path, len(s.ids), len(s.puzzles)))
	}
	for i, id := range s.ids {
		if id < 0 || int(id) >= m.NumIdentifiers {
			errs = append(errs, fmt.Errorf("%s: element %d: %d, want an identifier in [0, %d)", path, i, id, m.NumIdentifiers))
			break
		}
	}
	if s.Names != nil && len(s.Names) < m.NumIdentifiers {
		errs = append(errs, fmt.Errorf("%s: %d names, want %d (num_puzzle_identifiers of %s)", namesPath(dir), len(s.Names), m.NumIdentifiers, metaPath(dir, split)))
	}
	return errors.Join(errs...)
}

// inFile puts the path before every line of err.
func inFile(path string, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, fmt.Errorf("%s: %w", path, e))
		}
		return errors.Join(errs...)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Close closes the files; a Set in memory needs none.
func (s *Set) Close() error { return errors.Join(s.inputs.close(), s.labels.close()) }

// Shape is what a network must know of the rows.
func (s *Set) Shape() Shape {
	shape := s.Meta.Shape()
	shape.Labels = s.labelRange
	return shape
}

// Len is the number of examples.
func (s *Set) Len() int { return s.inputs.rows }

// Puzzles is the number of puzzles, augmented copies included.
func (s *Set) Puzzles() int { return len(s.ids) }

// Groups is the number of source puzzles.
func (s *Set) Groups() int { return len(s.groups) - 1 }

// Puzzle returns the identifier of puzzle p and its examples [first, end).
func (s *Set) Puzzle(p int) (id int32, first, end int) {
	return s.ids[p], int(s.puzzles[p]), int(s.puzzles[p+1])
}

// Group returns the puzzles [first, end) of group g.
func (s *Set) Group(g int) (first, end int) { return int(s.groups[g]), int(s.groups[g+1]) }

// Name is the name of an identifier, "" if the dataset has none.
func (s *Set) Name(id int32) string {
	if int(id) < len(s.Names) {
		return s.Names[id]
	}
	return ""
}

// Example reads example i into in and label, both [seq], and returns its identifier. Labels equal
// to the ignored one become Ignore. A token out of range is an error that names file, example and
// cell. It panics if i or a length is out of range.
func (s *Set) Example(i int, in, label []int32) (int32, error) {
	seq := s.Meta.SeqLen
	if uint(i) >= uint(s.Len()) || len(in) != seq || len(label) != seq {
		panic(fmt.Sprintf("puzzle: example %d of %d into rows of %d and %d tokens, want %d", i, s.Len(), len(in), len(label), seq))
	}
	labels := s.labelRange
	if labels == 0 {
		labels = s.Meta.VocabSize
	}
	for _, t := range []struct {
		*table
		dst   []int32
		limit int
	}{{s.inputs, in, s.Meta.VocabSize}, {s.labels, label, labels}} {
		if err := t.row(i, t.dst); err != nil {
			return 0, err
		}
		for c, v := range t.dst {
			if uint(v) >= uint(t.limit) && (t.table == s.inputs || v != Ignore) {
				return 0, fmt.Errorf("%s: example %d, cell %d: %s, want a token in [0, %d)", t.name, i, c, outOfRange(v), t.limit)
			}
		}
	}
	if p := s.Meta.IgnoreLabelID; p != nil {
		for c, v := range label {
			if int(v) == *p {
				label[c] = Ignore
			}
		}
	}
	return s.ids[s.puzzleOf(i)], nil
}

func outOfRange(v int32) string {
	if v == -1<<31 {
		return "a value beyond int32"
	}
	return fmt.Sprint(v)
}

// puzzleOf is the puzzle of example i: the last one that begins at or before i.
func (s *Set) puzzleOf(i int) int {
	return sort.Search(len(s.ids), func(p int) bool { return int(s.puzzles[p+1]) > i })
}

// Batch makes b the examples [start, start+rows) in order. Rows beyond the end are padding: inputs
// pad_id, labels Ignore, the blank identifier, as in the reference's last evaluation batch.
func (s *Set) Batch(b *Batch, start, rows int) error {
	b.Resize(rows, s.Meta.SeqLen)
	b.Valid = max(0, min(rows, s.Len()-start))
	for i := range rows {
		in, label := b.Row(i)
		if i < b.Valid {
			id, err := s.Example(start+i, in, label)
			if err != nil {
				return err
			}
			b.IDs[i] = id
			continue
		}
		for c := range in {
			in[c], label[c] = int32(s.Meta.PadID), Ignore
		}
		b.IDs[i] = int32(s.Meta.BlankIdentifierID)
	}
	return nil
}

// Collect returns a Set in memory of the next n rows of src, each a puzzle and a group of its own.
func Collect(src Source, n int) (*Set, error) {
	shape := src.Shape()
	m := NewCollector(Meta{VocabSize: shape.Vocab, SeqLen: shape.SeqLen, NumIdentifiers: shape.Identifiers})
	in, label := make([]int32, shape.SeqLen), make([]int32, shape.SeqLen)
	for range n {
		id, err := src.Next(in, label)
		if err != nil {
			return nil, err
		}
		m.Example(in, label)
		m.EndPuzzle(id)
		m.EndGroup()
	}
	s := m.Set(nil)
	s.labelRange = shape.Labels
	return s, nil
}

func appendRow(dst []byte, row []int32) []byte {
	for _, v := range row {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
	}
	return dst
}
