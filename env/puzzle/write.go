package puzzle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/ponder-agents/ponder/internal/durable"
)

// A Writer writes a dataset. Everything goes to a temporary folder beside the final one until
// Commit, so that a dataset is there as a whole or not at all.
type Writer struct {
	dir, tmp string
	replace  bool
	splits   []*SplitWriter
}

// Create begins a dataset in dir, which must not exist yet, be empty, or be replaced.
func Create(dir string, replace bool) (*Writer, error) {
	dir = filepath.Clean(dir)
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case len(entries) > 0 && !replace:
		return nil, fmt.Errorf("%s: the folder is not empty", dir)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".tmp-")
	if err != nil {
		return nil, err
	}
	return &Writer{dir: dir, tmp: tmp, replace: replace}, os.Chmod(tmp, 0o755)
}

// Split begins a split ("train" or "test"). The counts in meta are filled in by Commit. Tokens are
// written as uint8, or as int64 if wide.
func (w *Writer) Split(name string, meta Meta, wide bool) (*SplitWriter, error) {
	if err := os.Mkdir(filepath.Join(w.tmp, name), 0o777); err != nil {
		return nil, err
	}
	s := &SplitWriter{name: name, meta: meta, lowest: 0, highest: math.MaxUint8}
	tokens := "|u1"
	if wide {
		tokens, s.lowest, s.highest = "<i8", math.MinInt32, math.MaxInt32
	}
	s.meta.Sets = []string{"all"}
	w.splits = append(w.splits, s)
	for _, a := range []struct {
		dst         **npyWriter
		name, descr string
		cols        int
	}{
		{&s.inputs, "inputs", tokens, meta.SeqLen},
		{&s.labels, "labels", tokens, meta.SeqLen},
		{&s.ids, "puzzle_identifiers", "<i4", 0},
		{&s.puzzles, "puzzle_indices", "<i4", 0},
		{&s.groups, "group_indices", "<i4", 0},
	} {
		var err error
		if *a.dst, err = createNpy(arrayPath(w.tmp, name, "all", a.name), a.descr, a.cols); err != nil {
			return nil, err
		}
	}
	s.puzzles.row(0)
	s.groups.row(0)
	return s, nil
}

// Commit completes all splits and puts the folder into place. names are those of the identifiers;
// nil stands for the blank one alone.
func (w *Writer) Commit(names []string) error {
	if names == nil {
		names = []string{"<blank>"}
	}
	for _, s := range w.splits {
		s.meta.NumIdentifiers = len(names)
		if err := s.close(w.tmp); err != nil {
			return err
		}
		if err := durable.SyncDir(filepath.Join(w.tmp, s.name)); err != nil {
			return err
		}
	}
	if err := writeSynced(namesPath(w.tmp), encodeNames(names)); err != nil {
		return err
	}
	if err := durable.SyncDir(w.tmp); err != nil {
		return err
	}
	if w.replace { // the old folder steps aside, so that a failure here loses nothing
		old := w.tmp + ".old"
		switch err := os.Rename(w.dir, old); {
		case err == nil:
			defer os.RemoveAll(old)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	if err := os.Rename(w.tmp, w.dir); err != nil {
		if w.replace {
			return errors.Join(err, os.Rename(w.tmp+".old", w.dir))
		}
		return err
	}
	w.tmp = ""
	return durable.SyncDir(filepath.Dir(w.dir))
}

// Abort removes what was written; after Commit it does nothing.
func (w *Writer) Abort() {
	for _, s := range w.splits {
		for _, a := range []*npyWriter{s.inputs, s.labels, s.ids, s.puzzles, s.groups} {
			if a != nil {
				a.f.Close() // a second time if Commit failed half way
			}
		}
	}
	if w.tmp != "" {
		os.RemoveAll(w.tmp)
	}
}

func writeSynced(path string, data []byte) error {
	return durable.CreateFile(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// A SplitWriter takes examples, then the end of their puzzle, then the end of their group. Errors
// are kept for Commit.
type SplitWriter struct {
	name                                 string
	meta                                 Meta
	lowest, highest                      int32 // tokens that the element type holds
	inputs, labels, ids, puzzles, groups *npyWriter
	err                                  error
}

// Example adds an example, both rows of SeqLen tokens.
func (s *SplitWriter) Example(in, label []int32) {
	for _, row := range [][]int32{in, label} {
		for i, v := range row {
			if s.err == nil && (v < s.lowest || v > s.highest) {
				s.err = fmt.Errorf("split %s, example %d, cell %d: token %d does not fit", s.name, s.inputs.rows, i, v)
			}
		}
	}
	s.inputs.row(in...)
	s.labels.row(label...)
}

// EndPuzzle ends a puzzle: its examples are those since the last one.
func (s *SplitWriter) EndPuzzle(id int32) {
	s.ids.row(id)
	s.puzzles.row(int32(s.inputs.rows))
}

// EndGroup ends a group: its puzzles are those since the last one.
func (s *SplitWriter) EndGroup() { s.groups.row(int32(s.ids.rows)) }

// failed is the first error so far, as of a full disk, so that a build need not go on to the end.
func (s *SplitWriter) failed() error {
	for _, a := range []*npyWriter{s.inputs, s.labels, s.ids, s.puzzles, s.groups} {
		if s.err == nil {
			s.err = a.err
		}
	}
	return s.err
}

// close writes the metadata, whose counts are known now, and closes the arrays.
func (s *SplitWriter) close(dir string) error {
	err := s.failed()
	if err == nil && s.inputs.rows > math.MaxInt32 {
		err = fmt.Errorf("split %s: %d examples, the format's int32 offsets allow %d", s.name, s.inputs.rows, math.MaxInt32)
	}
	for _, a := range []*npyWriter{s.inputs, s.labels, s.ids, s.puzzles, s.groups} {
		if cerr := a.close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		return err
	}
	s.meta.count(s.inputs.rows, s.ids.rows, s.groups.rows-1)
	return writeSynced(metaPath(dir, s.name), s.meta.Encode())
}

func (m *Meta) count(examples, puzzles, groups int) {
	m.TotalGroups = groups
	m.MeanPuzzleExamples = 0
	if puzzles > 0 {
		m.MeanPuzzleExamples = float64(examples) / float64(puzzles)
	}
}

// A Memory collects examples, puzzles and groups as a SplitWriter does, for a Set in memory.
type Memory struct {
	meta           Meta
	inputs, labels []byte // int32
	rows           int
	ids            []int32
	puzzles        []int32
	groups         []int32
}

// NewMemory begins a Set whose labels equal to meta.IgnoreLabelID, or Ignore, are not scored.
func NewMemory(meta Meta) *Memory {
	meta.Sets = []string{"all"}
	return &Memory{meta: meta, puzzles: []int32{0}, groups: []int32{0}}
}

// Example adds a copy of an example.
func (m *Memory) Example(in, label []int32) {
	m.inputs, m.labels = appendRow(m.inputs, in), appendRow(m.labels, label)
	m.rows++
}

// EndPuzzle ends a puzzle: its examples are those since the last one.
func (m *Memory) EndPuzzle(id int32) {
	m.ids = append(m.ids, id)
	m.puzzles = append(m.puzzles, int32(m.rows))
}

// EndGroup ends a group: its puzzles are those since the last one.
func (m *Memory) EndGroup() { m.groups = append(m.groups, int32(len(m.ids))) }

// Set is what was collected. names are those of the identifiers; nil stands for the blank one alone.
func (m *Memory) Set(names []string) *Set {
	if names == nil {
		names = []string{"<blank>"}
	}
	s := &Set{Meta: m.meta, Names: names, ids: m.ids, puzzles: m.puzzles, groups: m.groups}
	s.Meta.NumIdentifiers = max(m.meta.NumIdentifiers, len(names))
	s.Meta.count(m.rows, len(m.ids), len(m.groups)-1)
	h := npyHeader{descr: "<i4", rows: m.rows, cols: m.meta.SeqLen}
	s.inputs = &table{npyHeader: h, name: "inputs", r: bytes.NewReader(m.inputs)}
	s.labels = &table{npyHeader: h, name: "labels", r: bytes.NewReader(m.labels)}
	return s
}
