package think_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/think"
)

// stuck is a network that answers where two of the four cells of a question are filled: with the digits that go on from
// the first, 1 to 4 in a circle. Before that it doubts: all is as likely, but for the last cell, where 1 and 2 are.
// It knows that a question has no answer where its first and last cell say so. Its state counts the segments since the start.
type stuck struct{}

func (stuck) Spec() think.Spec {
	return think.Spec{Vocab: 5, Outputs: 5, Shape: think.Shape{Seq: 4}, Levels: []think.Level{{Name: "z", Width: 1}}}
}

func (stuck) Open(rows int, _ think.Shape) (think.Rows, error) {
	return &stuckRows{tokens: make([][]int32, rows), z: make([]float32, rows)}, nil
}

type stuckRows struct {
	tokens [][]int32
	z      []float32
}

func (r *stuckRows) Begin(row int, in think.Input) error {
	r.z[row] = 0
	return r.Turn(row, in)
}

func (r *stuckRows) Turn(row int, in think.Input) error {
	r.tokens[row] = slices.Clone(in.Tokens)
	return nil
}
func (r *stuckRows) Save(row int) (think.Memory, error) { return think.Memory{{r.z[row]}}, nil }
func (r *stuckRows) Load(row int, m think.Memory) error { r.z[row] = m[0][0]; return nil }
func (r *stuckRows) Close() error                       { return nil }
func (r *stuckRows) Segment(rows []int, out *think.Output) error {
	*out = think.Output{}
	for _, row := range rows {
		r.z[row]++
		logits := make([]float32, 20)
		filled := 0
		for _, t := range r.tokens[row] {
			if t > 0 {
				filled++
			}
		}
		halt := float32(-9)
		if filled >= 2 {
			for i := range 4 {
				logits[5*i+int((r.tokens[row][0]+int32(i)-1)%4)+1] = 9
			}
		} else {
			logits[15+1], logits[15+2] = 5, 5
		}
		out.Logits = append(out.Logits, logits...)
		unanswerable := float32(-9)
		if first, last := r.tokens[row][0], r.tokens[row][3]; last > 0 && last != (first+2)%4+1 {
			unanswerable = 9
		}
		out.QHalt, out.QContinue = append(out.QHalt, halt), append(out.QContinue, unanswerable)
	}
	return nil
}

// TestSearch: a question that thinking alone does not answer is, once the right digit is written where two were likely;
// the carry is cloned, every segment is counted, and what no branch solves ends when the calls do.
func TestSearch(t *testing.T) {
	rules := task.Filling{
		Open: func(token int32) bool { return token == 0 }, Choices: []int32{1, 2, 3, 4},
		Right: func(question, answer []int32) bool {
			for i, q := range question {
				if q != 0 && q != answer[i] || i > 0 && answer[i] != answer[i-1]%4+1 {
					return false
				}
			}
			return true
		},
	}.Rules()
	s := &think.Search{Core: stuck{}, Halting: act.Config{MaxSegments: 8, Rule: act.HaltAbove}, Shape: think.Shape{Seq: 4}, Slots: 2, Rules: rules, First: 3, Patience: 2, Calls: 40}
	list := [][]int32{{3, 0, 0, 0}, {1, 2, 0, 0}, {2, 1, 0, 0}}
	var found []think.Found
	feed := func() think.Feed {
		next := 0
		return func(in []int32) (int32, bool, error) {
			if next == len(list) {
				return 0, false, nil
			}
			copy(in, list[next])
			next++
			return 0, true, nil
		}
	}
	keep := func(f *think.Found) error {
		found = append(found, *f)
		return nil
	}
	if err := s.Run(t.Context(), feed(), keep); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(found, func(a, b think.Found) int { return a.Job - b.Job })
	// The first takes 3 segments, a wrong branch (1 in the last cell) of 2 and a right one (2) of 1, in the order in which
	// equal choices stand.
	if f := found[0]; !f.Right || !slices.Equal(f.Answer, []int32{3, 4, 1, 2}) || f.Nodes < 2 || f.Nodes > 3 || f.Calls < 4 || f.Calls > 6 {
		t.Errorf("found %+v", f)
	}
	if f := found[1]; !f.Right || f.Nodes != 1 || f.Calls != 1 {
		t.Errorf("what one segment answers: %+v", f)
	}
	if f := found[2]; f.Right || f.Calls > 40 || len(f.Answer) != 4 {
		t.Errorf("what has no answer: %+v", f)
	}
	calls := found[0].Calls
	found, s.Unanswerable = nil, true
	if err := s.Run(t.Context(), feed(), keep); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(found, func(a, b think.Found) int { return a.Job - b.Job })
	if f := found[0]; !f.Right || f.Calls != calls-1 {
		t.Errorf("found after %d segments, want one less than %d, for the wrong branch is left after its first", f.Calls, calls)
	}
	mine := errors.New("mine")
	if err := s.Run(t.Context(), feed(), func(*think.Found) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("error %v, want the caller's", err)
	}
	s.Halting.MaxSegments = 0
	if err := s.Run(t.Context(), feed(), keep); err == nil {
		t.Error("a wrong halting")
	}
}

// sure is a network that is content with a question once it has a second token, and not before.
type sure struct{ stuck }

func (sure) Open(rows int, _ think.Shape) (think.Rows, error) {
	return &sureRows{stuckRows{tokens: make([][]int32, rows), z: make([]float32, rows)}}, nil
}

type sureRows struct{ stuckRows }

func (r *sureRows) Segment(rows []int, out *think.Output) error {
	*out = think.Output{}
	for _, row := range rows {
		halt := float32(-9)
		if r.tokens[row][1] != 0 {
			halt = 9
		}
		out.Logits = append(out.Logits, make([]float32, 20)...)
		out.QHalt, out.QContinue = append(out.QHalt, halt), append(out.QContinue, -9)
	}
	return nil
}

// TestSearchCompares: where the rules do not tell a right answer, all branches that are nearly as likely as one that a
// thought was content with are looked at, and the best is the answer.
func TestSearchCompares(t *testing.T) {
	worth := map[int32]float64{1: -9, 2: -5, 3: -7, 4: -1}
	rules := task.Rules{
		Read: func(_, branch []int32, _ []float32) ([]int32, float64, bool) {
			return branch, worth[branch[1]], branch[1] != 0
		},
		Guess: func(branch []int32, _ []float32) (all []task.Guess) {
			for i, p := range []float64{0.5, 0.3, 0.19, 0.01} {
				all = append(all, task.Guess{Tokens: []int32{branch[0], int32(i + 1), 0, 0}, P: p})
			}
			return all
		},
	}
	s := &think.Search{Core: sure{}, Halting: act.Config{MaxSegments: 8, Rule: act.HaltAbove}, Shape: think.Shape{Seq: 4}, Rules: rules, First: 3, Patience: 2}
	asked := false
	err := s.Run(t.Context(), func(in []int32) (int32, bool, error) {
		ok := !asked
		asked, in[0] = true, 1
		return 0, ok, nil
	}, func(f *think.Found) error {
		if f.Answer[1] != 2 || !f.Right || f.Nodes != 4 || f.Calls != 6 {
			t.Errorf("found %+v, want the best of three, after 3 segments and one each", f)
		}
		return nil
	})
	if err != nil || !asked {
		t.Error(err)
	}
}
