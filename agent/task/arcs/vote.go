package arcs

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/env/arc"
	"github.com/ponder-agents/ponder/internal/logit"
)

// A Voter gathers the answers to augmented copies of ARC tests. The answers are put back into the
// original orientation and colours, and each test's distinct ones are ranked by the number of votes,
// then by their mean confidence (arc.py and evaluate of the reference).
type Voter struct {
	tasks map[string][]*Tested
}

// A Tested is a test of a task with the answers given to it, the best first.
type Tested struct {
	Input   arc.Grid `json:"input"`
	Truth   arc.Grid `json:"truth"` // empty if unknown
	Answers []Answer `json:"answers"`
}

// An Answer is one of the distinct answers to a test.
type Answer struct {
	Grid       arc.Grid `json:"grid"`
	Votes      int      `json:"votes"`
	Confidence float64  `json:"confidence"` // mean of sigmoid(q_halt)
}

// A TaskVote is a task and its tests in the order they were first seen.
type TaskVote struct {
	Task  string   `json:"task"`
	Tests []Tested `json:"tests"`
}

// Add counts a vote. name is the identifier's name (puzzle.Set.Name); in, label and answer are frames of
// tokens at (0, 0); qHalt is the logit. The blank identifier's rows, padding, are dropped.
func (v *Voter) Add(name string, in, label, answer []int32, qHalt float32) {
	if name == "" || name == "<blank>" {
		return
	}
	task, aug := ParseName(name)
	input := aug.Undo(Crop(in))
	var test *Tested
	for _, t := range v.tasks[task] {
		if t.Input.Equal(&input) {
			test = t
		}
	}
	if test == nil {
		test = &Tested{Input: input, Truth: aug.Undo(Crop(label))}
		if v.tasks == nil {
			v.tasks = map[string][]*Tested{}
		}
		v.tasks[task] = append(v.tasks[task], test)
	}
	got, p := aug.Undo(Crop(answer)), logit.P(qHalt)
	for i := range test.Answers {
		if a := &test.Answers[i]; a.Grid.Equal(&got) {
			a.Confidence += p // a sum until Tasks
			a.Votes++
			return
		}
	}
	test.Answers = append(test.Answers, Answer{got, 1, p})
}

// Tasks are the tasks by name, each test's answers ranked. Equal rank keeps the order of the votes.
func (v *Voter) Tasks() []TaskVote {
	var out []TaskVote
	for name, tests := range v.tasks {
		vote := TaskVote{Task: name}
		for _, t := range tests {
			ranked := Tested{t.Input, t.Truth, slices.Clone(t.Answers)}
			for i := range ranked.Answers {
				ranked.Answers[i].Confidence /= float64(ranked.Answers[i].Votes)
			}
			slices.SortStableFunc(ranked.Answers, func(a, b Answer) int {
				return cmp.Or(cmp.Compare(b.Votes, a.Votes), cmp.Compare(b.Confidence, a.Confidence))
			})
			vote.Tests = append(vote.Tests, ranked)
		}
		out = append(out, vote)
	}
	slices.SortFunc(out, func(a, b TaskVote) int { return strings.Compare(a.Task, b.Task) })
	return out
}

// Rank is the place of the truth among the answers, from 1 on; 0 if it was not given or is unknown.
func (t Tested) Rank() int {
	if t.Truth.Rows == 0 {
		return 0
	}
	return 1 + slices.IndexFunc(t.Answers, func(a Answer) bool { return a.Grid.Equal(&t.Truth) })
}

// Pass is pass@k over tasks: strict, the share of tasks all of whose tests have the truth among the
// first k answers (HRM, ARC Prize), and partial, the mean share of such tests in a task (TRM).
// Both are 0 without tasks.
func Pass(tasks []TaskVote, k int) (strict, partial float64) {
	for _, task := range tasks {
		passed := 0
		for _, t := range task.Tests {
			if r := t.Rank(); r > 0 && r <= k {
				passed++
			}
		}
		if passed == len(task.Tests) {
			strict++
		}
		partial += float64(passed) / float64(len(task.Tests))
	}
	n := math.Max(1, float64(len(tasks)))
	return strict / n, partial / n
}
