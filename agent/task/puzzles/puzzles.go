// Package puzzles reads the puzzles of datasets, CSV and task files, of whatever family.
package puzzles

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/task/arcs"
	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// A Puzzle is an input and its answer.
type Puzzle struct {
	Title     string
	Family    *task.Family // nil: no more than tokens
	In, Label []int32      // Label is nil if it is not known or not wanted
}

// A Query says which puzzles of a file or folder are wanted.
type Query struct {
	Split        string       // of a dataset; "" means test, or train where there is no other
	Name         string       // of the identifier or task; "" means any
	Family       *task.Family // of the rows; nil means what they look like
	Plain        bool         // no family: tokens as they are
	CSV          bool         // a file is one, whatever its name
	Index, Count int          // the first puzzle, from 0 on, and how many
}

// Load reads puzzles of a dataset's folder, a CSV of rows, also from standard input ("-"), an ARC task or a folder of tasks.
func Load(path string, q Query) ([]Puzzle, error) {
	var list []Puzzle
	info, err := os.Stat(path)
	switch {
	case path == "-":
		list, err = fromCSV(path, q)
	case err != nil:
		return nil, err
	case info.IsDir() && IsDataset(path):
		list, err = fromDataset(path, q)
	case q.CSV || strings.EqualFold(filepath.Ext(path), ".csv"):
		list, err = fromCSV(path, q)
	default:
		list, err = fromTasks(path, q)
	}
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s: no puzzle %d", path, q.Index)
		if q.Name != "" {
			err = fmt.Errorf("%s: no puzzle %d of the name %q", path, q.Index, q.Name)
		}
	}
	return list, err
}

// IsDataset reports whether a folder holds a dataset.
func IsDataset(dir string) bool {
	for _, split := range []string{"train", "test"} {
		if _, err := fs.Stat(os.DirFS(dir), split+"/dataset.json"); err == nil {
			return true
		}
	}
	return false
}

func fromDataset(dir string, q Query) ([]Puzzle, error) {
	if q.Split == "" {
		q.Split = "test"
		if _, err := os.Stat(filepath.Join(dir, q.Split)); err != nil {
			q.Split = "train"
		}
	}
	s, err := puzzle.Open(dir, q.Split)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if q.Family == nil && !q.Plain {
		q.Family = task.KindOf(s.Shape())
	}
	var list []Puzzle
	for p := range s.Puzzles() {
		id, first, end := s.Puzzle(p)
		if of, _ := arcs.ParseName(s.Name(id)); q.Name != "" && q.Name != s.Name(id) && q.Name != of {
			continue
		}
		for e := first; e < end && len(list) < q.Count; e++ {
			if q.Index > 0 {
				q.Index--
				continue
			}
			shown := Puzzle{
				Title: fmt.Sprintf("%s example %d", q.Split, e), Family: q.Family,
				In: make([]int32, s.Meta.SeqLen), Label: make([]int32, s.Meta.SeqLen),
			}
			if n := s.Name(id); n != "" && id != int32(s.Meta.BlankIdentifierID) {
				shown.Title += ", " + n
			}
			if _, err := s.Example(e, shown.In, shown.Label); err != nil {
				return nil, err
			}
			list = append(list, shown)
		}
	}
	return list, nil
}

func fromCSV(path string, q Query) ([]Puzzle, error) {
	var list []Puzzle
	n := 0
	for row, err := range puzzle.ReadCSVFile(path) {
		if err != nil {
			return nil, err
		}
		if n++; n <= q.Index {
			continue
		}
		p := Puzzle{Title: fmt.Sprintf("%s, rated %d", row.At, row.Rating), Family: q.Family}
		if p.Family == nil || p.Family.Kind.Parse == nil {
			p.Family = task.LooksLike(row.Question)
		}
		if p.Family == nil {
			return nil, row.Fault("question", "%.20q looks like no puzzle that is known; name its kind", row.Question)
		}
		if p.In, p.Label, err = p.Family.Kind.Parse(row); err != nil {
			return nil, err
		}
		if list = append(list, p); len(list) == q.Count {
			break
		}
	}
	return list, nil
}

func fromTasks(path string, q Query) ([]Puzzle, error) {
	tasks, _, err := arc.Read(arc.Reading{}, path)
	if err != nil {
		return nil, err
	}
	family, err := task.Kind(arcs.Task)
	if err != nil {
		return nil, err
	}
	var list []Puzzle
	for _, t := range tasks {
		if q.Name != "" && q.Name != t.Name {
			continue
		}
		for _, part := range []struct {
			name  string
			pairs []arc.Pair
		}{{"train", t.Train}, {"test", t.Test}} {
			i := 0
			arcs.FramePairs(nil, part.pairs, func(in, label []int32) {
				title := fmt.Sprintf("%s %s pair %d", t.Name, part.name, i)
				i++
				if q.Index--; q.Index < 0 && len(list) < q.Count {
					list = append(list, Puzzle{title, family, slices.Clone(in), slices.Clone(label)})
				}
			})
		}
	}
	return list, nil
}
