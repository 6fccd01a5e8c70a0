package think

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// A Pick says which of several thoughts about one question has the answer.
type Pick string

// Ways to pick. None of them knows the answer.
const (
	PickQ        Pick = "q"        // the largest q_halt (PTRM, arXiv:2605.19943)
	PickFirst    Pick = "first"    // the first with which the rule is content; the others end with it (arXiv:2601.19085)
	PickVote     Pick = "vote"     // the answer that the most give, of those the largest q_halt
	PickResidual Pick = "residual" // the one whose state moved the least in its last segment
	PickCheck    Pick = "check"    // one that keeps the task's rules, the best of these: they know no answer, but are not the network's
)

// Picks are all of them.
func Picks() []Pick { return []Pick{PickQ, PickFirst, PickVote, PickResidual, PickCheck} }

// A Disturb says what of a thought noise is added to.
type Disturb string

// Where noise goes.
const (
	DisturbStart   Disturb = "start"   // the state that a thought begins in
	DisturbSteps   Disturb = "steps"   // the state after every segment (PTRM, arXiv:2605.19943)
	DisturbBeliefs Disturb = "beliefs" // what the state answers after every segment, see readout; of a Reader
)

// Disturbs are all of them.
func Disturbs() []Disturb { return []Disturb{DisturbStart, DisturbSteps, DisturbBeliefs} }

// Many is thinking several times about each question, with noise that differs, and picking one of the answers.
// The zero value thinks once.
type Many struct {
	Thoughts int     // about each question; 0 means 1
	Noise    float64 // of all thoughts but the first: standard deviation of what is added to states; of DisturbBeliefs in units of beliefLift
	Disturb  Disturb // "" means DisturbBeliefs of a Reader, DisturbStart of others
	Pick     Pick    // "" means PickQ
}

func (m Many) thoughts() int { return max(m.Thoughts, 1) }

func (m Many) several() bool { return m.Thoughts > 1 }

func (m Many) check() error {
	switch {
	case m.Thoughts < 0:
		return fmt.Errorf("think: %d thoughts, want 1 or more", m.Thoughts)
	case !(m.Noise >= 0) || m.Noise > 1e3:
		return fmt.Errorf("think: noise %v, want 0 to 1000", m.Noise)
	case m.Thoughts > 1 && m.Noise == 0:
		return fmt.Errorf("think: %d thoughts without noise are the same", m.Thoughts)
	case m.Disturb != "" && !slices.Contains(Disturbs(), m.Disturb):
		return fmt.Errorf("think: disturb %q, want one of %q", m.Disturb, Disturbs())
	case m.Pick != "" && !slices.Contains(Picks(), m.Pick):
		return fmt.Errorf("think: pick %q, want one of %q", m.Pick, Picks())
	}
	return nil
}

// For fills in what noise disturbs of thoughts of c, and reports what cannot be.
func (m Many) For(c Core) (Many, error) {
	_, reads := readoutOf(c)
	switch {
	case m.Disturb == "" && reads:
		m.Disturb = DisturbBeliefs
	case m.Disturb == "":
		m.Disturb = DisturbStart
	case m.several() && m.Disturb == DisturbBeliefs && !reads:
		return m, errors.New("its answers are not read off its state: beliefs cannot be disturbed, start and steps can")
	}
	return m, nil
}

// disturb adds noise to the state of row where there is to be any, after a segment with these logits. It depends on the row's
// try alone, so that equal questions in equal order get equal answers.
func (t *thinking) disturb(row int, logits []float32) error {
	y, m := &t.tries[row], &t.cfg.Many
	segments := y.before + y.segments
	if y.k == 0 || m.Noise == 0 || (segments == 0) != (m.Disturb == DisturbStart) {
		return nil
	}
	if m.Disturb != DisturbBeliefs {
		return shake(t.rows, row, m.Noise, noise(y.draw, y.k, segments))
	}
	if y.segments == 0 {
		return nil // it begins again, from a random state
	}
	z, err := t.rows.Save(row)
	if err != nil {
		return err
	}
	t.reads.lean(z[0], logits, y.asked, float32(beliefLift*m.Noise), noise(y.draw, y.k, segments/beliefHeld))
	return t.rows.Load(row, z)
}

// noise is the random numbers of thought k at some time; draw tells questions apart.
func noise(draw, k, time int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(draw), uint64(time)<<32|uint64(k)))
}

// shake adds normal noise of standard deviation by to the state of row.
func shake(rows Rows, row int, by float64, r *rand.Rand) error {
	z, err := rows.Save(row)
	if err != nil {
		return err
	}
	for _, level := range z {
		for i := range level {
			level[i] += float32(by * r.NormFloat64())
		}
	}
	return rows.Load(row, z)
}

// A council is the thoughts about one job.
type council struct {
	open     int    // thoughts under way
	answers  int    // tokens of an answer
	asked    []bool // those that count, by token of the question
	check    func(answer []int32) (worth float64, ok bool)
	segments int // of all of them
	ended    []opinion
	decided  bool     // no other thought needs to end
	shown    *Thought // the first of those that went on in the last segment
}

// An opinion is how one thought ended.
type opinion struct {
	Thought
	answer   []int32 // of the cells that count
	content  bool    // the rule was
	worth    float64 // by the task's rules; minus infinity if it breaks them
	residual float64
}

// hear takes down a segment of one of the job's thoughts.
func (c *council) hear(th *Thought, pick Pick, content bool) error {
	c.segments++
	if !th.Halted {
		if c.shown == nil {
			c.shown = th
		}
		return nil
	}
	o := opinion{Thought: *th, content: content}
	if pick == PickResidual {
		now, err := th.State()
		if err != nil {
			return err
		}
		o.residual = Moved(now, th.before)
	}
	o.Logits = slices.Clone(th.Logits)
	o.answer = Argmax(nil, o.Logits, c.answers)
	if pick == PickCheck {
		ok := false
		if o.worth, ok = c.check(o.answer); !ok {
			o.worth = math.Inf(-1)
		}
	}
	for i := range o.answer {
		if len(c.asked) == c.answers && !c.asked[i] {
			o.answer[i] = -1
		}
	}
	c.ended = append(c.ended, o)
	c.open--
	if pick == PickFirst && content {
		c.decided = true
	}
	return nil
}

// over reports whether the answer can be picked.
func (c *council) over() bool { return c.open == 0 || c.decided }

// disputed reports whether two thoughts, with which the rule was content, answer differently.
func (c *council) disputed() bool {
	var first []int32
	for i := range c.ended {
		o := &c.ended[i]
		switch {
		case !o.content:
		case first == nil:
			first = o.answer
		case !slices.Equal(first, o.answer):
			return true
		}
	}
	return false
}

// pick is the thought that answers. Of equals it is the first to end.
func (c *council) pick(by Pick) *Thought {
	score := func(o *opinion) (first, second float64) { return 0, float64(o.QHalt) }
	switch by {
	case PickFirst:
		score = func(o *opinion) (float64, float64) {
			if o.content {
				return -float64(o.Segment), float64(o.QHalt)
			}
			return math.Inf(-1), float64(o.QHalt)
		}
	case PickVote:
		score = func(o *opinion) (float64, float64) {
			votes := 0.0
			for i := range c.ended {
				if slices.Equal(c.ended[i].answer, o.answer) {
					votes++
				}
			}
			return votes, float64(o.QHalt)
		}
	case PickCheck:
		score = func(o *opinion) (float64, float64) { return o.worth, float64(o.QHalt) }
	case PickResidual:
		score = func(o *opinion) (float64, float64) { return -o.residual, float64(o.QHalt) }
	}
	best := &c.ended[0]
	a, b := score(best)
	for i := range c.ended[1:] {
		o := &c.ended[1+i]
		if x, y := score(o); x > a || x == a && y > b {
			best, a, b = o, x, y
		}
	}
	best.Total, best.Disputed = c.segments, c.disputed()
	return &best.Thought
}

// Moved is how far a state moved, relative to its size.
func Moved(now, before Memory) float64 {
	var d, n float64
	for l := range now {
		for i, x := range now[l] {
			e := float64(x - before[l][i])
			d, n = d+e*e, n+float64(x)*float64(x)
		}
	}
	return math.Sqrt(d / max(n, 1e-30))
}
