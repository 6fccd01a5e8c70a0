package puzzle

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Kind is what the rows of a family of puzzles mean.
type Kind struct {
	Name   string
	Fits   func(s Shape) bool                         // rows of this shape are likely to be of this kind
	Verify func(in, label []int32) error              // what is wrong with a row, and where; nil asks nothing
	Parse  func(r Row) (in, label []int32, err error) // reads a row of a CSV; nil if there are none
	Looks  func(question string) bool                 // the question of a CSV's row is likely to be of this kind
}

// A Report is what Check found. Each problem and note is a line that names file, field and position.
type Report struct {
	Dir      string        `json:"dir"`
	Kind     string        `json:"kind"`
	Splits   []SplitReport `json:"splits"`
	Problems []string      `json:"problems"` // must not be
	Notes    []string      `json:"notes"`    // worth a look
}

// A SplitReport counts what a split has.
type SplitReport struct {
	Name     string `json:"name"`
	Examples int    `json:"examples"`
	Puzzles  int    `json:"puzzles"`
	Groups   int    `json:"groups"`
	Scored   int64  `json:"scored_cells,omitempty"`
}

// A Summary says what the splits of a dataset have, but for scored cells.
type Summary struct {
	Dir    string        `json:"dir"`
	Splits []SplitReport `json:"splits"`
}

// Summarize reads the Summary of the dataset in dir.
func Summarize(dir string) (*Summary, error) {
	sum := &Summary{Dir: dir}
	for _, split := range []string{"train", "test"} {
		s, err := Open(dir, split)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sum.Splits = append(sum.Splits, SplitReport{Name: split, Examples: s.Len(), Puzzles: s.Puzzles(), Groups: s.Groups()})
		s.Close()
	}
	return sum, nil
}

// Print writes the summary for people.
func (s *Summary) Print(w io.Writer) error {
	for _, p := range s.Splits {
		if _, err := fmt.Fprintf(w, "%s: %d examples of %d puzzles in %d groups\n", filepath.Join(s.Dir, p.Name), p.Examples, p.Puzzles, p.Groups); err != nil {
			return err
		}
	}
	return nil
}

// maxLines is how many problems of one sort Check lists before it only counts them.
const maxLines = 10

// lines collects messages, a limited number of each sort.
type lines struct {
	list  []string
	count map[string]int
}

func (l *lines) add(sort, format string, args ...any) {
	if l.count == nil {
		l.count = map[string]int{}
	}
	if l.count[sort]++; l.count[sort] <= maxLines {
		l.list = append(l.list, fmt.Sprintf(format, args...))
	}
}

func (l *lines) all() []string {
	var more []string
	for sort, n := range l.count {
		if n > maxLines {
			more = append(more, fmt.Sprintf("%s: %d more like these", sort, n-maxLines))
		}
	}
	slices.Sort(more)
	return append(append([]string{}, l.list...), more...)
}

// Check reads the whole dataset in dir: every index, every token, what dataset.json and
// identifiers.json claim, and every row by the kind that kindOf gives for its shape. An error
// means that dir could not be read at all or ctx ended; what is wrong with the data is in the Report.
// progress may be nil.
func Check(ctx context.Context, dir string, kindOf func(Shape) Kind, progress func(split string, done, total int)) (Report, error) {
	r := Report{Dir: dir}
	if _, err := os.ReadDir(dir); err != nil {
		return r, err
	}
	var problems, notes lines
	var sets []*Set
	for _, split := range []string{"train", "test"} {
		if _, err := os.Stat(filepath.Join(dir, split)); errors.Is(err, fs.ErrNotExist) {
			notes.add("missing", "%s: no such split", filepath.Join(dir, split))
			continue
		}
		s, err := Open(dir, split)
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				problems.add("open "+split, "%s", line)
			}
			continue
		}
		defer s.Close()
		sets = append(sets, s)
		r.Splits = append(r.Splits, SplitReport{split, s.Len(), s.Puzzles(), s.Groups(), 0})
		s.checkCounts(metaPath(dir, split), &problems, &notes)
	}
	if len(r.Splits) == 0 && len(problems.list) == 0 {
		return r, fmt.Errorf("%s: no dataset: neither train nor test in it", dir)
	}
	if len(sets) == 2 {
		a, b := sets[0].Meta, sets[1].Meta
		for _, f := range []struct {
			name        string
			train, test int
		}{
			{"vocab_size", a.VocabSize, b.VocabSize},
			{"seq_len", a.SeqLen, b.SeqLen},
			{"num_puzzle_identifiers", a.NumIdentifiers, b.NumIdentifiers},
			{"pad_id", a.PadID, b.PadID},
		} {
			if f.train != f.test {
				problems.add("splits", "%s: field %s: %d, but %d in the train split", metaPath(dir, "test"), f.name, f.test, f.train)
			}
		}
	}
	if len(sets) > 0 {
		sets[0].checkNames(namesPath(dir), &problems)
	}
	seed := maphash.MakeSeed()
	tested := map[uint64]int{}            // input of a test example -> its number
	for i := len(sets) - 1; i >= 0; i-- { // the test split first, for the comparison
		s, at := sets[i], &r.Splits[i]
		k := kindOf(s.Shape())
		r.Kind = k.Name
		in, label := make([]int32, s.Meta.SeqLen), make([]int32, s.Meta.SeqLen)
		var raw []byte
		for e := range s.Len() {
			if e%1024 == 0 {
				if err := ctx.Err(); err != nil {
					return r, context.Cause(ctx)
				}
				if progress != nil {
					progress(at.Name, e, s.Len())
				}
			}
			if _, err := s.Example(e, in, label); err != nil {
				problems.add("tokens of "+s.Path, "%v", err)
				continue
			}
			scored := 0
			for _, v := range label {
				if v != Ignore {
					scored++
				}
			}
			at.Scored += int64(scored)
			if scored == 0 {
				notes.add("labels of "+s.Path, "%s: example %d: no cell is scored", s.labels.name, e)
			} else if k.Verify != nil {
				if err := k.Verify(in, label); err != nil {
					problems.add(k.Name+" rows of "+s.Path, "%s: example %d: %v", s.labels.name, e, err)
				}
			}
			raw = appendRow(appendRow(raw[:0], in), label)
			h := maphash.Bytes(seed, raw)
			if at.Name == "test" {
				tested[h] = e
			} else if t, ok := tested[h]; ok {
				notes.add("leaks", "%s: example %d is test example %d", s.inputs.name, e, t)
			}
		}
	}
	r.Problems, r.Notes = problems.all(), notes.all()
	return r, nil
}

// checkCounts compares dataset.json with the arrays.
func (s *Set) checkCounts(path string, problems, notes *lines) {
	m := s.Meta
	if m.TotalGroups != s.Groups() {
		problems.add("counts", "%s: field total_groups: %d, but group_indices has %d groups", path, m.TotalGroups, s.Groups())
	}
	if m.TotalPuzzles != 0 && m.TotalPuzzles != s.Puzzles() {
		problems.add("counts", "%s: field total_puzzles: %d, but puzzle_identifiers has %d", path, m.TotalPuzzles, s.Puzzles())
	}
	if mean := float64(s.Len()) / math.Max(1, float64(s.Puzzles())); math.Abs(m.MeanPuzzleExamples-mean) > 1e-9*mean {
		problems.add("counts", "%s: field mean_puzzle_examples: %v, but %d examples of %d puzzles make %v", path, m.MeanPuzzleExamples, s.Len(), s.Puzzles(), mean)
	}
	for g := range s.Groups() {
		if first, end := s.Group(g); first == end {
			problems.add("groups of "+s.Path, "%s: group %d (group_indices element %d) has no puzzle", s.Path, g, g+1)
		}
	}
	for p := range s.Puzzles() {
		if _, first, end := s.Puzzle(p); first == end {
			notes.add("puzzles of "+s.Path, "%s: puzzle %d (puzzle_indices element %d) has no example", s.Path, p, p+1)
		}
	}
}

// checkNames looks at identifiers.json.
func (s *Set) checkNames(path string, problems *lines) {
	if s.Names == nil {
		problems.add("names", "%s: missing", path)
		return
	}
	if len(s.Names) != s.Meta.NumIdentifiers {
		problems.add("names", "%s: %d names, want %d (num_puzzle_identifiers)", path, len(s.Names), s.Meta.NumIdentifiers)
	}
	first := map[string]int{}
	for i, n := range s.Names {
		if i == s.Meta.BlankIdentifierID && n != "<blank>" {
			problems.add("names", "%s: entry %d: %q, want \"<blank>\"", path, i, n)
		}
		// TRM lets identifiers start later and fills the gap with blanks.
		if j, twice := first[n]; twice && n != "<blank>" {
			problems.add("names", "%s: entry %d: %q is entry %d too", path, i, n, j)
		}
		first[n] = i
	}
}
