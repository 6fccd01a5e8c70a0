package think

import (
	"cmp"
	"maps"
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
	Disputed  bool // of several thoughts two, with which the rule was content, answer differently: one of them is wrong, or the question has two answers

	rows   Rows
	row    int
	k      int // which of the thoughts about the sequence
	before Memory
}

// State is a copy of the sequence's state after the segment.
func (t *Thought) State() (Memory, error) { return t.rows.Save(t.row) }

// thinking is jobs that are thought about by one rule, each until the rule is content or the most segments end; with
// Config.Many in several rows, of which one has the answer.
type thinking struct {
	rows   Rows
	cfg    Config
	spec   Spec
	asked  func(token int32) bool // of the question: whether its answer counts in a vote; nil means all do
	check  Check                  // of PickCheck
	random *rand.Rand             // of restarts
	reads  readout                // of DisturbBeliefs

	tries    []try            // by row
	active   []int            // rows that have not halted
	councils map[int]*council // by job, where there are several thoughts
	out      Output

	follow bool                 // keep what Thought.before is
	stop   func(*Thought) bool  // asked of every segment of which Config.Halting is not content; may be nil
	hear   func(*Thought) error // every segment of every thought; may be nil
	free   func(row int)        // a row is of no more use; may be nil
}

// A try is a row's thinking, from its start or from a restart.
type try struct {
	job, k   int
	draw     int    // of noise
	asked    []bool // of several thoughts: the tokens of the answer that count
	forced   int    // segments that it takes whatever the rule says; 0 means as many as the rule wants
	segments int    // of this try
	before   int    // segments of earlier tries
	restarts int
	state    Memory // before the last segment, where that is followed

	logits     []float32 // of the thought of the largest q_halt; empty for none
	halt, cont float32
}

// newThinking is thinking in n of the rows of core.
func newThinking(core Core, rows Rows, n int, cfg Config) *thinking {
	// The seed of restarts is fixed: equal questions get equal answers.
	t := &thinking{rows: rows, cfg: cfg, spec: core.Spec(), tries: make([]try, n), random: rand.New(rand.NewPCG(0, 0)), councils: map[int]*council{}}
	t.reads, _ = readoutOf(core)
	return t
}

// reset forgets the jobs under way.
func (t *thinking) reset() {
	t.active = t.active[:0]
	clear(t.councils)
}

// begin makes rows, as many as there are thoughts, think about in for a job: from the start of the network, or turn the
// state that they have to it. What disturbs the starts depends on draw.
func (t *thinking) begin(job, draw int, rows []int, in Input, turn bool) error {
	var asked []bool
	if len(rows) > 1 {
		for _, token := range in.Tokens {
			asked = append(asked, t.asked == nil || t.asked(token))
		}
	}
	for k, row := range rows {
		begin := t.rows.Begin
		if turn {
			begin = t.rows.Turn
		}
		if err := begin(row, in); err != nil {
			return err
		}
		t.tries[row] = try{job: job, draw: draw, k: k, asked: asked, logits: t.tries[row].logits[:0], state: t.tries[row].state}
		if err := t.disturb(row, nil); err != nil {
			return err
		}
		t.active = append(t.active, row)
	}
	if len(rows) > 1 {
		c := &council{open: len(rows), answers: cmp.Or(t.spec.Answers, len(in.Tokens)), asked: asked}
		if t.check != nil {
			question := slices.Clone(in.Tokens)
			c.check = func(answer []int32) (float64, bool) { return t.check(question, answer) }
		}
		t.councils[job] = c
	}
	return nil
}

// force makes row take so many segments, whatever the rule says.
func (t *thinking) force(row, segments int) { t.tries[row].forced = segments }

// segment thinks one segment about the active rows, lets go of those that halted, and hands each job's thought to each:
// of several the first that goes on, or, when one is picked, that one.
func (t *thinking) segment(each func(*Thought) error) error {
	if t.follow || t.cfg.Many.several() && t.cfg.Pick == PickResidual {
		for _, row := range t.active {
			m, err := t.rows.Save(row)
			if err != nil {
				return err
			}
			t.tries[row].state = m
		}
	}
	if err := t.rows.Segment(t.active, &t.out); err != nil {
		return err
	}
	width := len(t.out.Logits) / len(t.active)
	still := 0
	for i, row := range t.active {
		th, again := t.think(row, t.out.Logits[i*width:(i+1)*width], t.out.QHalt[i], t.out.QContinue[i])
		if th.Halted && t.free != nil {
			t.free(row)
		}
		if t.hear != nil {
			if err := t.hear(&th); err != nil {
				return err
			}
		}
		err := error(nil)
		if c := t.councils[th.Job]; c != nil {
			err = c.hear(&th, t.cfg.Pick, t.content(&th))
		} else {
			err = each(&th)
		}
		if err == nil && again {
			err = t.restart(row)
		}
		if err != nil {
			return err
		}
		if !th.Halted {
			if err := t.disturb(row, th.Logits); err != nil {
				return err
			}
			t.active[still] = row
			still++
		}
	}
	t.active = t.active[:still]
	for _, job := range slices.Sorted(maps.Keys(t.councils)) {
		c := t.councils[job]
		th := c.shown
		c.shown = nil
		if c.over() {
			t.drop(job)
			delete(t.councils, job)
			th = c.pick(cmp.Or(t.cfg.Pick, PickQ))
		}
		if err := each(th); err != nil {
			return err
		}
	}
	return nil
}

// think is what a segment of row concluded, and whether the row is to begin again.
func (t *thinking) think(row int, logits []float32, halt, cont float32) (th Thought, again bool) {
	y := &t.tries[row]
	y.segments++
	th = Thought{
		Job: y.job, Segment: y.before + y.segments, Total: y.before + y.segments, Logits: logits,
		QHalt: halt, QContinue: cont, rows: t.rows, row: row, k: y.k, before: y.state,
	}
	over := t.cfg.Halting.Halts(y.segments, th.QHalt, th.QContinue) || t.stop != nil && t.stop(&th)
	if y.forced > 0 {
		over = y.segments >= y.forced
	}
	if !t.cfg.last && (over || t.cfg.Halting.Rule != act.Never) {
		y.remember(&th)
	}
	if over && !t.content(&th) {
		if again = y.restarts < t.cfg.Restarts; !again && !t.cfg.last {
			y.recall(&th)
		}
	}
	th.Halted = over && !again
	return th, again
}

func (t *thinking) content(th *Thought) bool { return t.cfg.Halting.Content(th.QHalt, th.QContinue) }

// drop lets go of the rows that think for a job.
func (t *thinking) drop(job int) {
	t.active = slices.DeleteFunc(t.active, func(row int) bool {
		of := t.tries[row].job == job
		if of && t.free != nil {
			t.free(row)
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
