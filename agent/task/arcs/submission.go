package arcs

import (
	"encoding/json"
	"io"
	"maps"
	"slices"

	"github.com/ponder-agents/ponder/env/arc"
)

// Attempts are the two answers to a test that the ARC Prize takes.
type Attempts struct {
	First  arc.Grid `json:"attempt_1"`
	Second arc.Grid `json:"attempt_2"`
}

// none stands for an answer that was not given, as in Kaggle's sample_submission.json.
var none = arc.Grid{Rows: 2, Cols: 2, Cells: make([]uint8, 4)}

// WriteSubmission writes the two best answers to the tests of all tasks as Kaggle's submission.json has them: by
// task, in the order of its tests. Where there is one answer it stands twice, where there is none [[0, 0], [0, 0]];
// of tasks that only votes know the tests are those asked.
func WriteSubmission(w io.Writer, tasks []*arc.Task, votes []TaskVote) error {
	all := map[string][]Attempts{}
	byTask := map[string]TaskVote{}
	for _, v := range votes {
		byTask[v.Task] = v
		for _, t := range v.Tests {
			all[v.Task] = append(all[v.Task], t.attempts())
		}
	}
	for _, t := range tasks {
		list := make([]Attempts, len(t.Test))
		for i, p := range t.Test {
			list[i] = Attempts{none, none}
			tests := byTask[t.Name].Tests
			if k := slices.IndexFunc(tests, func(o Tested) bool { return o.Input.Equal(&p.Input) }); k >= 0 {
				list[i] = tests[k].attempts()
			}
		}
		all[t.Name] = list
	}
	// A task a line, in the order of their names.
	if _, err := io.WriteString(w, "{"); err != nil {
		return err
	}
	between := "\n"
	for _, name := range slices.Sorted(maps.Keys(all)) {
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(all[name])
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, between+string(key)+": "+string(value)); err != nil {
			return err
		}
		between = ",\n"
	}
	_, err := io.WriteString(w, "\n}\n")
	return err
}

// attempts are the two best answers.
func (t Tested) attempts() Attempts {
	two := [2]arc.Grid{none, none}
	for i := range two {
		if n := len(t.Answers); n > 0 {
			two[i] = t.Answers[min(i, n-1)].Grid
		}
		if two[i].Rows == 0 { // an empty grid is none
			two[i] = none
		}
	}
	return Attempts{two[0], two[1]}
}
