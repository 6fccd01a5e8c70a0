package puzzle

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A Row is a line of a puzzle CSV: columns source, question, answer, rating.
type Row struct {
	Source, Question, Answer string
	Rating                   int
	At                       string // file and line, for errors
}

// csvColumns are the columns of the published CSVs.
var csvColumns = []string{"source", "question", "answer", "rating"}

// csvAliases are what others call them.
var csvAliases = map[string][]string{
	"question": {"quizzes", "quiz", "puzzle", "puzzles", "board", "grid"},
	"answer":   {"solutions", "solution", "answers"},
	"rating":   {"difficulty"},
}

// ReadCSV yields the rows of r. Its first line names the columns in any order, by the names that are about
// (question, puzzle or quizzes; answer, solution or solutions; rating or difficulty), or is a row itself: a puzzle
// and its answer. Commas, semicolons or tabs are between columns. A rating may be a fraction, of which what
// is before the point counts. It ends after an error, which names file and line. source and rating may be missing.
func ReadCSV(r io.Reader, name string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		in := bufio.NewReader(r)
		c := csv.NewReader(in)
		c.Comma = separator(in)
		if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
			in.Discard(3)
		}
		c.ReuseRecord = true
		fail := func(err error) {
			if p, ok := errors.AsType[*csv.ParseError](err); ok {
				err = fmt.Errorf("line %d, column %d: %w", p.Line, p.Column, p.Err)
			}
			yield(Row{}, fmt.Errorf("%s: %w", name, err))
		}
		head, err := c.Read()
		if err == io.EOF {
			err = fmt.Errorf("empty, want the columns %s", strings.Join(csvColumns, ","))
		}
		if err != nil {
			fail(err)
			return
		}
		var at [4]int
		for i, column := range csvColumns {
			for _, name := range append([]string{column}, csvAliases[column]...) {
				at[i] = slices.IndexFunc(head, func(h string) bool {
					return strings.EqualFold(strings.TrimSpace(h), name)
				})
				if at[i] >= 0 {
					break
				}
			}
		}
		var first []string // a row already
		if at[1] < 0 && at[2] < 0 && len(head) >= 2 && len(head[0]) >= 16 && len(head[0]) == len(head[1]) {
			at, first = [4]int{-1, 0, 1, -1}, slices.Clone(head)
		}
		if at[1] < 0 || at[2] < 0 {
			fail(fmt.Errorf("line 1: columns %q, want question and answer among them", head))
			return
		}
		for {
			rec, err := first, error(nil)
			if first = nil; rec == nil {
				rec, err = c.Read()
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				fail(err)
				return
			}
			line, _ := c.FieldPos(0)
			row := Row{Question: rec[at[1]], Answer: rec[at[2]], At: fmt.Sprintf("%s: line %d", name, line)}
			if at[0] >= 0 {
				row.Source = rec[at[0]]
			}
			if at[3] >= 0 {
				if row.Rating, err = rating(rec[at[3]]); err != nil {
					fail(fmt.Errorf("line %d, column rating: %q, want a number", line, rec[at[3]]))
					return
				}
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// rating is a number, of a fraction what is before the point.
func rating(s string) (int, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(v >= math.MinInt32 && v <= math.MaxInt32) {
		return 0, strconv.ErrRange
	}
	return int(v), nil
}

// separator is what stands between the columns of the first line.
func separator(in *bufio.Reader) rune {
	head, _ := in.Peek(4096)
	line, _, _ := strings.Cut(string(head), "\n")
	if !strings.Contains(line, ",") {
		for _, r := range ";\t" {
			if strings.ContainsRune(line, r) {
				return r
			}
		}
	}
	return ','
}

// ReadCSVFile is ReadCSV of a file, open while its rows are asked for; "-" is standard input.
func ReadCSVFile(path string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if path == "-" {
			ReadCSV(os.Stdin, "standard input")(yield)
			return
		}
		f, err := os.Open(path)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer f.Close()
		ReadCSV(f, path)(yield)
	}
}

// WriteCSV writes rows as ReadCSV reads them, until ctx ends.
func WriteCSV(ctx context.Context, w io.Writer, rows iter.Seq2[Row, error]) error {
	c := csv.NewWriter(w)
	c.Write(csvColumns)
	for row, err := range rows {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		c.Write([]string{row.Source, row.Question, row.Answer, strconv.Itoa(row.Rating)})
	}
	c.Flush()
	return c.Error()
}

// Fault is an error about a column of r, with file and line.
func (r Row) Fault(column, format string, args ...any) error {
	return fmt.Errorf("%s, column %s: %w", r.At, column, fmt.Errorf(format, args...))
}
