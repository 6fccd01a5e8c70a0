package task

import (
	"bytes"

	"github.com/ponder-agents/ponder/internal/logit"
)

// A Ballot gathers the answers to symmetric copies of one puzzle, each turned back. An answer's weight
// is the sum of sigmoid(q_halt) over the copies that gave it: q_halt is the judge (arXiv:2601.10679
// votes so). The zero value is empty.
type Ballot struct {
	answers []Candidate
	asked   int
}

// A Candidate is one of the distinct answers.
type Candidate struct {
	Cells  []uint8
	Votes  int
	Weight float64
}

// Add counts a copy's answer, which the caller has turned back.
func (b *Ballot) Add(answer []uint8, qHalt float32) {
	b.asked++
	p := logit.P(qHalt)
	for i := range b.answers {
		if a := &b.answers[i]; bytes.Equal(a.Cells, answer) {
			a.Votes++
			a.Weight += p
			return
		}
	}
	b.answers = append(b.answers, Candidate{bytes.Clone(answer), 1, p})
}

// Best is the answer of the largest weight, the first of equals, and its share: the weight a copy,
// which is sigmoid(q_halt) where there is one.
func (b *Ballot) Best() (best Candidate, share float64) {
	for _, a := range b.answers {
		if best.Cells == nil || a.Weight > best.Weight {
			best = a
		}
	}
	return best, best.Weight / float64(max(1, b.asked))
}

// BestBy is the candidate that check finds worth the most, and among equals the one of the largest weight; where it holds with
// none it is Best.
func (b *Ballot) BestBy(check func(cells []uint8) (worth float64, ok bool)) (best Candidate, share float64) {
	most := 0.0
	for _, a := range b.answers {
		if worth, ok := check(a.Cells); ok && (best.Cells == nil || worth > most || worth == most && a.Weight > best.Weight) {
			best, most = a, worth
		}
	}
	if best.Cells == nil {
		return b.Best()
	}
	return best, best.Weight / float64(b.asked)
}

// Answers are all distinct answers in the order in which they came.
func (b *Ballot) Answers() []Candidate { return b.answers }
