package puzzle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ponder-agents/ponder/internal/output"
	"github.com/ponder-agents/ponder/internal/text"
)

// A Writer writes a dataset. Everything goes to a temporary folder until Commit, so that a dataset is
// there as a whole or not at all.
type Writer struct {
	folder *output.Folder
	splits []*SplitWriter
}

// Create begins a dataset in dir, which must not exist yet, be empty, or be a dataset and nothing else
// that is to be replaced.
func Create(dir string, replace bool) (*Writer, error) {
	old := output.Refuse
	if replace {
		old = output.Discard
	}
	f, err := folderKind().Make(dir, old)
	if err != nil {
		return nil, err
	}
	return &Writer{folder: f}, nil
}

// folderKind recognises a dataset's folder: by identifiers.json or a split's dataset.json.
func folderKind() output.Kind {
	return output.Kind{
		Name: "dataset",
		Is: func(folder fs.FS) bool {
			found := false
			for _, split := range []string{"train", "test"} {
				if data, err := text.ReadFS(folder, split+"/dataset.json", maxMeta); err == nil {
					if _, err := ParseMeta(data); err != nil {
						return false
					}
					found = true
				}
			}
			if data, err := text.ReadFS(folder, "identifiers.json", maxNames); err == nil {
				var names []string
				if json.Unmarshal(data, &names) != nil {
					return false
				}
				found = true
			}
			return found
		},
		Has: func(name string) bool {
			split, file := path.Split(name)
			switch split {
			case "":
				return file == "identifiers.json" || file == "test_puzzles.json" // the latter of TRM
			case "train/", "test/":
				return file == "dataset.json" || strings.HasSuffix(file, ".npy") && strings.Contains(file, "__")
			}
			return false
		},
	}
}

// Split begins a split ("train" or "test"). The counts in meta are filled in by Commit. Tokens are
// written as uint8, or as int64 if wide.
func (w *Writer) Split(name string, meta Meta, wide bool) (*SplitWriter, error) {
	if err := os.Mkdir(filepath.Join(w.folder.Tmp, name), 0o777); err != nil {
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
		if *a.dst, err = createNpy(arrayPath(w.folder.Tmp, name, "all", a.name), a.descr, a.cols); err != nil {
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
		if err := s.close(w.folder.Tmp); err != nil {
			return err
		}
		if err := output.SyncDir(filepath.Join(w.folder.Tmp, s.name)); err != nil {
			return err
		}
	}
	if err := writeSynced(namesPath(w.folder.Tmp), encodeNames(names)); err != nil {
		return err
	}
	return w.folder.Commit()
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
	w.folder.Abort()
}

func writeSynced(path string, data []byte) error {
	return output.CreateFile(path, func(w io.Writer) error {
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

// Err is the first error so far, as of a full disk, so that a build need not go on to the end.
func (s *SplitWriter) Err() error {
	for _, a := range []*npyWriter{s.inputs, s.labels, s.ids, s.puzzles, s.groups} {
		if s.err == nil {
			s.err = a.err
		}
	}
	return s.err
}

// close writes the metadata, whose counts are known now, and closes the arrays.
func (s *SplitWriter) close(dir string) error {
	err := s.Err()
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

// A Collector collects examples, puzzles and groups as a SplitWriter does, for a Set in memory.
type Collector struct {
	meta           Meta
	inputs, labels []byte // int32
	rows           int
	ids            []int32
	puzzles        []int32
	groups         []int32
}

// NewCollector begins a Set whose labels equal to meta.IgnoreLabelID, or Ignore, are not scored.
func NewCollector(meta Meta) *Collector {
	meta.Sets = []string{"all"}
	return &Collector{meta: meta, puzzles: []int32{0}, groups: []int32{0}}
}

// Example adds a copy of an example.
func (m *Collector) Example(in, label []int32) {
	m.inputs, m.labels = appendRow(m.inputs, in), appendRow(m.labels, label)
	m.rows++
}

// EndPuzzle ends a puzzle: its examples are those since the last one.
func (m *Collector) EndPuzzle(id int32) {
	m.ids = append(m.ids, id)
	m.puzzles = append(m.puzzles, int32(m.rows))
}

// EndGroup ends a group: its puzzles are those since the last one.
func (m *Collector) EndGroup() { m.groups = append(m.groups, int32(len(m.ids))) }

// Set is what was collected. names are those of the identifiers; nil stands for the blank one alone.
func (m *Collector) Set(names []string) *Set {
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
