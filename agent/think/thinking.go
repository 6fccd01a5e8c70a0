package think

import (
	"math/rand/v2"
	"slices"

	"github.com/ponder-agents/ponder/act"
)

// A Thought is what a segment concluded about one sequence. Its slices are valid during the call.
type Thought struct {
	Job       int       // which sequence, in the order in which they were asked for
	Segment   int       // from 1, over all tries
	Total     int       // segments of all thoughts about the sequence; Segment where there is one
	Logits    []float32 // [seq·outputs]
	QHalt     float32
	QContinue float32
	Halted    bool // it was the last; if the rule is not content it says what the best one said

	rows Rows
	row  int
}

// State is a copy of the sequence's state after the segment.
func (t *Thought) State() (Memory, error) { return t.rows.Save(t.row) }

// thinking is rows that think by one rule, each until the rule is content or the most segments end.
type thinking struct {
	rows     Rows
	halting  act.Config
	restarts int
	last     bool       // see Config
	random   *rand.Rand // of restarts

	tries  []try // by row
	active []int // rows that have not halted
	out    Output
}

// A try is a row's thinking, from its start or from a restart.
type try struct {
	job      int
	forced   int // segments that it takes whatever the rule says; 0 means as many as the rule wants
	segments int // of this try
	before   int // segments of earlier tries
	restarts int

	logits     []float32 // of the thought of the largest q_halt; empty for none
	halt, cont float32
}

func newThinking(rows Rows, n int, cfg Config) *thinking {
	// The seed of restarts is fixed: equal questions get equal answers.
	return &thinking{rows: rows, halting: cfg.Halting, restarts: cfg.Restarts, last: cfg.last, tries: make([]try, n), random: rand.New(rand.NewPCG(0, 0))}
}

// begin makes row, which has begun, think for a job.
func (t *thinking) begin(row, job int) {
	t.tries[row] = try{job: job, logits: t.tries[row].logits[:0]}
	t.active = append(t.active, row)
}

// segment thinks one segment about the active rows, hands every thought to each, and lets go of the
// rows that halted.
func (t *thinking) segment(each func(*Thought) error) error {
	if err := t.rows.Segment(t.active, &t.out); err != nil {
		return err
	}
	width := len(t.out.Logits) / len(t.active)
	still := 0
	for i, row := range t.active {
		y := &t.tries[row]
		y.segments++
		th := Thought{
			Job: y.job, Segment: y.before + y.segments, Total: y.before + y.segments, Logits: t.out.Logits[i*width : (i+1)*width],
			QHalt: t.out.QHalt[i], QContinue: t.out.QContinue[i], rows: t.rows, row: row,
		}
		over := t.halting.Halts(y.segments, th.QHalt, th.QContinue)
		if y.forced > 0 {
			over = y.segments >= y.forced
		}
		if !t.last && (over || t.halting.Rule != act.Never) {
			y.remember(&th)
		}
		again := false
		if over && !t.halting.Content(th.QHalt, th.QContinue) {
			if again = y.restarts < t.restarts; !again && !t.last {
				y.recall(&th)
			}
		}
		th.Halted = over && !again
		if err := each(&th); err != nil {
			return err
		}
		if again {
			if err := t.restart(row); err != nil {
				return err
			}
		}
		if !th.Halted {
			t.active[still] = row
			still++
		}
	}
	t.active = t.active[:still]
	return nil
}

// drop lets go of the rows that think for a job and hands them to each.
func (t *thinking) drop(job int, each func(row int)) {
	t.active = slices.DeleteFunc(t.active, func(row int) bool {
		of := t.tries[row].job == job
		if of {
			each(row)
		}
		return of
	})
}

// remember keeps th if none before it had a larger q_halt.
func (y *try) remember(th *Thought) {
	if len(y.logits) == 0 || th.QHalt > y.halt {
		y.logits, y.halt, y.cont = append(y.logits[:0], th.Logits...), th.QHalt, th.QContinue
	}
}

// recall makes th say what the thought remembered says.
func (y *try) recall(th *Thought) {
	th.Logits, th.QHalt, th.QContinue = y.logits, y.halt, y.cont
}

// restart puts row into a random state: every number drawn as the entries of a network's initial
// vectors are, from the normal distribution cut at two standard deviations.
func (t *thinking) restart(row int) error {
	m, err := t.rows.Save(row)
	if err != nil {
		return err
	}
	for _, z := range m {
		for i := range z {
			x := t.random.NormFloat64()
			for x < -2 || x > 2 {
				x = t.random.NormFloat64()
			}
			z[i] = float32(x)
		}
	}
	y := &t.tries[row]
	y.before, y.segments, y.restarts = y.before+y.segments, 0, y.restarts+1
	return t.rows.Load(row, m)
}
