package task

import (
	"cmp"
	"math"
	"slices"
)

// Rules are what a search (think.Search) knows of a task. The label is not known to it, and nothing is deduced: probabilities
// are the network's. A branch is the question with something written into it.
type Rules struct {
	// Read is the likeliest answer by the logits [seq*outputs] of a thought about a branch, as tokens, whether it keeps the
	// rules of the question, and how good it then is, for answers that are compared.
	Read func(question, branch []int32, logits []float32) (answer []int32, worth float64, right bool)

	// Guess is what may be written into a branch where a thought about it is unsure, the likeliest first; none where
	// it is sure of all.
	Guess func(branch []int32, logits []float32) []Guess

	// Enough says that an answer that keeps the rules is the right one. Otherwise the thought must be content with it
	// too, and the other branches that are nearly as likely are looked at.
	Enough bool
}

// A Guess is a branch and the probability that the network gives to what was written.
type Guess struct {
	Tokens []int32
	P      float64
}

// LeastLikely is the probability from which something is a Guess.
const LeastLikely = 0.01

// A Filling is a task whose answer fills the open cells of its question.
type Filling struct {
	Open    func(token int32) bool              // of a question: whether the cell is to be answered
	Choices []int32                             // tokens that its answer may be, and that a question may hold
	Right   func(question, answer []int32) bool // an answer keeps the rules and the question
}

// Rules guesses what a doubtful cell may be.
func (f Filling) Rules() Rules { return Rules{Read: f.read, Guess: f.guess, Enough: true} }

func (f Filling) read(question, branch []int32, logits []float32) (answer []int32, worth float64, right bool) {
	answer = slices.Clone(branch)
	for _, c := range f.cells(branch, logits) {
		answer[c.at] = c.choices[0].token
	}
	return answer, 0, f.Right(question, answer)
}

func (f Filling) guess(branch []int32, logits []float32) (all []Guess) {
	c := doubtful(f.cells(branch, logits))
	if c == nil {
		return nil
	}
	for _, x := range c.choices {
		if x.p < LeastLikely {
			break
		}
		g := Guess{slices.Clone(branch), x.p}
		g.Tokens[c.at] = x.token
		all = append(all, g)
	}
	return all
}

// A cell is an open one of a branch, and what it may be, the likeliest first.
type cell struct {
	at      int
	choices []choice
}

type choice struct {
	token int32
	p     float64
}

// cells are what a segment says of the open cells.
func (f Filling) cells(tokens []int32, logits []float32) []cell {
	outputs := len(logits) / len(tokens)
	var all []cell
	for at, token := range tokens {
		if !f.Open(token) {
			continue
		}
		l := logits[at*outputs : (at+1)*outputs]
		c := cell{at: at}
		most := float32(math.Inf(-1))
		for _, v := range f.Choices {
			most = max(most, l[v])
		}
		sum := 0.0
		for _, v := range f.Choices {
			p := math.Exp(float64(l[v] - most))
			c.choices = append(c.choices, choice{v, p})
			sum += p
		}
		for i := range c.choices {
			c.choices[i].p /= sum
		}
		slices.SortStableFunc(c.choices, func(a, b choice) int { return cmp.Compare(b.p, a.p) })
		all = append(all, c)
	}
	return all
}

// doubtful is the cell to guess: of those where no choice is more likely than not, the one where two are nearly
// all; where there is none, the least sure of all. It is nil where no cell is open.
func doubtful(cells []cell) *cell {
	var best *cell
	key := func(c *cell) float64 {
		if c.choices[0].p > 0.5 || len(c.choices) < 2 {
			return -c.choices[0].p
		}
		return c.choices[0].p + c.choices[1].p
	}
	for i := range cells {
		if best == nil || key(&cells[i]) > key(best) {
			best = &cells[i]
		}
	}
	return best
}
