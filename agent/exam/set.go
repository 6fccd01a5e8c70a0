package exam

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// A set is puzzles as people have them: rows of a dataset or of a CSV, or a text.
type set struct {
	name string // for errors
	dir  string // of a dataset; "" for a stream
	rows bool   // of a dataset or a CSV
	text *bufio.Reader
	file *os.File
}

// openSet opens a dataset's folder, a file, or "-", standard input. What has a comma, a semicolon or a tab in its
// first line is a CSV.
func openSet(path string) (*set, error) {
	if path == "-" {
		s := &set{name: "standard input", text: bufio.NewReader(os.Stdin)}
		s.look()
		return s, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if info.IsDir() {
		return &set{name: path, dir: path, rows: true}, f.Close()
	}
	s := &set{name: path, text: bufio.NewReader(f), file: f}
	s.look()
	return s, nil
}

// look finds out whether the stream is a CSV.
func (s *set) look() {
	head, _ := s.text.Peek(4096)
	line, _, _ := strings.Cut(string(head), "\n")
	s.rows = strings.ContainsAny(line, ",;\t") || strings.EqualFold(filepath.Ext(s.name), ".csv")
}

// Close closes the file, if there is one.
func (s *set) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// A row of a set, as tokens.
type row struct {
	in, label []int32 // valid until the next one
	rating    int
	at        string // for errors
}

// all yields the rows of a set that has any; they are of the family of that name.
func (s *set) all(family string) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		f, err := task.Kind(family)
		switch {
		case err != nil:
			yield(row{}, err)
		case !s.rows:
		case s.dir != "":
			s.dataset(*f.Kind, yield)
		default:
			for r, err := range puzzle.ReadCSV(s.text, s.name) {
				one := row{rating: r.Rating, at: r.At}
				if err == nil {
					one.in, one.label, err = f.Kind.Parse(r)
				}
				if !yield(one, err) || err != nil {
					return
				}
			}
		}
	}
}

// dataset yields the rows of the split test or, where there is none, of train.
func (s *set) dataset(kind puzzle.Kind, yield func(row, error) bool) {
	rows, err := puzzle.Open(s.dir, "test")
	if errors.Is(err, fs.ErrNotExist) {
		if train, e := puzzle.Open(s.dir, "train"); e == nil {
			rows, err = train, nil
		}
	}
	if err != nil {
		yield(row{}, fmt.Errorf("%s: no dataset: %w", s.dir, err))
		return
	}
	defer rows.Close()
	if shape := rows.Shape(); !kind.Fits(shape) {
		yield(row{}, fmt.Errorf("%s: rows of %d tokens of %d kinds are none of %s", rows.Path, shape.SeqLen, shape.Vocab, kind.Name))
		return
	}
	n := rows.Shape().SeqLen
	one := row{in: make([]int32, n), label: make([]int32, n)}
	for i := range rows.Len() {
		one.at = fmt.Sprintf("%s: example %d", rows.Path, i)
		_, err := rows.Example(i, one.in, one.label)
		if err == nil && kind.Verify != nil {
			if err = kind.Verify(one.in, one.label); err != nil {
				err = fmt.Errorf("%s: %w", one.at, err)
			}
		}
		if !yield(one, err) || err != nil {
			return
		}
	}
}

// maxText bounds a text of puzzles.
const maxText = 64 << 20

// readAll is a text whole.
func (s *set) readAll() (string, error) {
	b, err := io.ReadAll(io.LimitReader(s.text, maxText+1))
	if err == nil && len(b) > maxText {
		err = fmt.Errorf("more than %d MB", maxText>>20)
	}
	return string(b), err
}
