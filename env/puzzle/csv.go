package puzzle

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
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

// ReadCSV yields the rows of r, whose first line names the columns in any order. It ends after an
// error, which names file and line. source and rating may be missing.
func ReadCSV(r io.Reader, name string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		c := csv.NewReader(r)
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
			at[i] = slices.IndexFunc(head, func(h string) bool {
				return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")), column)
			})
		}
		if at[1] < 0 || at[2] < 0 {
			fail(fmt.Errorf("line 1: columns %q, want question and answer among them", head))
			return
		}
		for {
			rec, err := c.Read()
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
				if row.Rating, err = strconv.Atoi(strings.TrimSpace(rec[at[3]])); err != nil {
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

// ReadCSVFile is ReadCSV of a file, open while its rows are asked for.
func ReadCSVFile(path string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
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
