package arcs

import (
	"bytes"
	"testing"

	"github.com/ponder-agents/ponder/env/arc"
)

// TestWriteSubmission: by task, in the order of its tests, whatever was asked first and however few answers came.
func TestWriteSubmission(t *testing.T) {
	grid := func(text string) arc.Grid {
		g, err := arc.ParseGrid(text)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	tasks := []*arc.Task{
		{Name: "b", Test: []arc.Pair{{Input: grid("1")}, {Input: grid("2")}, {Input: grid("3")}}},
		{Name: "a", Test: []arc.Pair{{Input: grid("1")}}},
	}
	votes := []TaskVote{
		{Task: "b", Tests: []Tested{
			{Input: grid("2"), Answers: []Answer{{Grid: grid("22")}, {Grid: grid("23")}, {Grid: grid("24")}}},
			{Input: grid("1"), Answers: []Answer{{Grid: grid("11\n12")}}},
		}},
		{Task: "set", Tests: []Tested{{Input: grid("5"), Answers: []Answer{{Grid: grid("6")}, {}}}}},
	}
	var out bytes.Buffer
	if err := WriteSubmission(&out, tasks, votes); err != nil {
		t.Fatal(err)
	}
	const want = `{
"a": [{"attempt_1":[[0,0],[0,0]],"attempt_2":[[0,0],[0,0]]}],
"b": [{"attempt_1":[[1,1],[1,2]],"attempt_2":[[1,1],[1,2]]},{"attempt_1":[[2,2]],"attempt_2":[[2,3]]},{"attempt_1":[[0,0],[0,0]],"attempt_2":[[0,0],[0,0]]}],
"set": [{"attempt_1":[[6]],"attempt_2":[[0,0],[0,0]]}]
}
`
	if out.String() != want {
		t.Errorf("%s, want %s", out.String(), want)
	}
}
