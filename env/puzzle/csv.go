package puzzle

import (
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

// WriteCSV writes rows as ReadCSV reads them.
func WriteCSV(w io.Writer, rows iter.Seq2[Row, error]) error {
	c := csv.NewWriter(w)
	c.Write(csvColumns)
	for row, err := range rows {
		if err != nil {
			return err
		}
		c.Write([]string{row.Source, row.Question, row.Answer, strconv.Itoa(row.Rating)})
	}
	c.Flush()
	return c.Error()
}

// Sudoku turns a row's text into tokens, '.' or '0' an empty cell. The board's side is 4, 6 or 9
// (boxes of 2x2, 2x3 and 3x3 cells); see SudokuBox. The answer must solve the question.
func (r Row) Sudoku() (in, label []int32, err error) {
	boxRows, boxCols, ok := SudokuBox(len(r.Question))
	if !ok {
		return nil, nil, r.fault("question", fmt.Sprintf("%d characters, want 81 (or 36 or 16)", len(r.Question)))
	}
	top := byte('0' + boxRows*boxCols)
	for i, c := range []byte(r.Question) {
		switch {
		case c == '.' || c == '0':
			in = append(in, SudokuEmpty)
		case c >= '1' && c <= top:
			in = append(in, int32(c-'0')+1)
		default:
			return nil, nil, r.fault("question", fmt.Sprintf("character %d is %q, want 1 to %c, 0 or '.'", i, c, top))
		}
	}
	if len(r.Answer) != len(r.Question) {
		return nil, nil, r.fault("answer", fmt.Sprintf("%d characters, the question has %d", len(r.Answer), len(r.Question)))
	}
	for i, c := range []byte(r.Answer) {
		if c < '1' || c > top {
			return nil, nil, r.fault("answer", fmt.Sprintf("character %d is %q, want 1 to %c", i, c, top))
		}
		label = append(label, int32(c-'0')+1)
		if in[i] != SudokuEmpty && in[i] != label[i] {
			return nil, nil, r.fault("answer", fmt.Sprintf("character %d is %q, the question gives %q", i, c, r.Question[i]))
		}
	}
	if err := checkSolution(label, boxRows, boxCols); err != nil {
		return nil, nil, r.fault("answer", err.Error())
	}
	return in, label, nil
}

// SudokuBox is the size of the boxes of a board with so many cells: 81, 36 or 16.
func SudokuBox(cells int) (rows, cols int, ok bool) {
	switch cells {
	case 81:
		return 3, 3, true
	case 36:
		return 2, 3, true
	case 16:
		return 2, 2, true
	}
	return 0, 0, false
}

// Maze turns a row's text into tokens: '#', ' ', 'S', 'G' and in the answer 'o' for the path. The
// maze is square and the path leads from S to G; whether it is a shortest one is not asked here.
func (r Row) Maze() (in, label []int32, err error) {
	side := mazeSide(len(r.Question))
	if side < 2 {
		return nil, nil, r.fault("question", fmt.Sprintf("%d characters, want a square number", len(r.Question)))
	}
	if len(r.Answer) != len(r.Question) {
		return nil, nil, r.fault("answer", fmt.Sprintf("%d characters, the question has %d", len(r.Answer), len(r.Question)))
	}
	for i := range len(r.Question) {
		q := strings.IndexByte(mazeText[:4], r.Question[i])
		if q < 0 {
			return nil, nil, r.fault("question", fmt.Sprintf("character %d is %q, want one of \"# SG\"", i, r.Question[i]))
		}
		a := strings.IndexByte(mazeText, r.Answer[i])
		if a < 0 {
			return nil, nil, r.fault("answer", fmt.Sprintf("character %d is %q, want one of \"# SGo\"", i, r.Answer[i]))
		}
		in, label = append(in, int32(q+1)), append(label, int32(a+1))
	}
	if _, _, err := MarkedPath(in, label, side); err != nil {
		return nil, nil, r.fault("answer", err.Error())
	}
	return in, label, nil
}

// mazeSide is the root of cells, 0 if that is no square number.
func mazeSide(cells int) int {
	side := 0
	for side*side < cells {
		side++
	}
	if side*side != cells {
		return 0
	}
	return side
}

func (r Row) fault(column, what string) error {
	return fmt.Errorf("%s, column %s: %s", r.At, column, what)
}
