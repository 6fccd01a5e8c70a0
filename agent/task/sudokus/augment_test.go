package sudokus

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/internal/beside"
)

func TestTurnAsRecorded(t *testing.T) {
	var recorded struct {
		Sudoku []struct {
			Question, Answer string
			DigitMap         []int32 `json:"digit_map"`
			Transpose        bool
			RowPerm          []int  `json:"row_perm"`
			ColPerm          []int  `json:"col_perm"`
			QuestionOut      string `json:"question_out"`
			AnswerOut        string `json:"answer_out"`
		} `json:"sudoku_shuffle"`
	}
	data, err := os.ReadFile(beside.Shared(t, "hrm", "dataset", "transforms.json"))
	if err == nil {
		err = json.Unmarshal(data, &recorded)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range recorded.Sudoku {
		m := symmetry(x.Transpose, x.RowPerm, x.ColPerm)
		for d, e := range x.DigitMap {
			m.Digits[d] = uint8(e)
		}
		got := make([]int32, 81)
		for in, out := range map[string]string{x.Question: x.QuestionOut, x.Answer: x.AnswerOut} {
			if turn(&m, got, digits(in)); !slices.Equal(got, digits(out)) {
				t.Errorf("case %d: %v becomes %v, want %v", i, in, got, out)
			}
		}
	}
}

// Lines and boxes stay lines and boxes: every image of a solution is a solution.
func TestTurnKeepsSolutions(t *testing.T) {
	for _, box := range [][2]int{{2, 2}, {2, 3}, {3, 3}} {
		t.Run(fmt.Sprint(box), rapid.MakeCheck(func(t *rapid.T) {
			m := draw(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), box[0], box[1])
			side := box[0] * box[1]
			board := make([]int32, side*side)
			for i := range board { // row r is row 0 shifted by boxCols a row, by one more a band
				r, c := i/side, i%side
				board[i] = int32((r%box[0]*box[1]+r/box[0]+c)%side) + 2
			}
			got := make([]int32, len(board))
			if err := checkSolution(board, box[0], box[1]); err != nil {
				t.Fatal(err)
			}
			turn(&m, got, board)
			if err := checkSolution(got, box[0], box[1]); err != nil {
				t.Fatalf("%+v: %v", m, err)
			}
			for i := range got {
				if rapid.Bool().Draw(t, "hide") {
					board[i] = []int32{blank, puzzle.Ignore, 0}[i%3]
				}
			}
			turn(&m, got, board)
			for i, from := range m.Cells { // what is no digit keeps its value, blanks stay blank
				if old := board[from]; old < 2 && got[i] != old || old >= 2 && got[i] != int32(m.Digits[old-1])+1 {
					t.Fatalf("%+v: cell %d is %d, of a cell with %d", m, i, got[i], old)
				}
			}
		}))
	}
}

// digits turns text ('0' or '.' empty) into sudoku tokens.
func digits(text string) (v []int32) {
	for _, c := range []byte(text) {
		if c == '.' {
			c = '0'
		}
		v = append(v, int32(c-'0')+1)
	}
	return v
}
