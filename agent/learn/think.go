//go:build cgo && !notorch

package learn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// A Thinker thinks about sequences without learning. Where the most segments end without the rule being
// content, the segment of the largest q_halt has the answer; the rule never takes the last one's. Those that halt leave the batch: new ones take
// their place, and when there are none the batch shrinks. It belongs to one goroutine.
type Thinker struct {
	Model      *hrm.Model
	Halting    act.Config // ExplorationProb must be 0
	Slots      int        // most sequences at once; 0 means 1
	Rows, Cols int        // shape of the grid; 0 means the model's own

	Memory *Memory // where sequences start and leave their state; nil means afresh

	// Restarts is how often a sequence begins again, from a random state, if its last segment ends
	// without the rule being content. The try of the largest q_halt counts. Not with Memory.
	Restarts int
}

// A Memory keeps the carry of numbered sequences from one Run to the next, for agents that go on
// thinking where their last decision ended. Run thinks about all of them at once.
type Memory struct{ rows []hrm.Carry }

// Forget makes sequence i start afresh.
func (m *Memory) Forget(i int) {
	if i < len(m.rows) {
		m.rows[i].Drop()
		m.rows[i] = hrm.Carry{}
	}
}

// Close frees the carries.
func (m *Memory) Close() {
	for i := range m.rows {
		m.Forget(i)
	}
	m.rows = nil
}

// start is the carry of sequences 0 to n-1.
func (m *Memory) start(s *torch.Scope, model *hrm.Model, n, seq int) hrm.Carry {
	var parts []hrm.Carry
	for i := range n {
		if i == len(m.rows) {
			m.rows = append(m.rows, hrm.Carry{})
		}
		c := m.rows[i]
		if c.ZH == nil {
			c = model.Start(s, 1, seq)
		}
		parts = append(parts, c)
	}
	return hrm.Join(s, parts...)
}

// keep remembers row i of c as the state of sequence job.
func (m *Memory) keep(s *torch.Scope, job int, c hrm.Carry, i int) {
	m.Forget(job)
	row := func(z *torch.Tensor) *torch.Tensor {
		var t *torch.Tensor
		s.Do(torch.NoGrad, func(in *torch.Scope) { t = in.Keep(in.Clone(in.Narrow(z, 0, int64(i), 1), torch.DeviceOf(z))) })
		return t
	}
	m.rows[job] = hrm.Carry{ZH: row(c.ZH), ZL: row(c.ZL)}
}

// A Thought is what a segment concluded about one sequence. Its slices are valid during the call.
type Thought struct {
	Job       int       // which sequence, in the order in which they were asked for
	Segment   int       // from 1, over all tries
	Logits    []float32 // [seq·outputs]
	QHalt     float32
	QContinue float32
	Halted    bool // it was the last; if the rule is not content it says what the best one said

	// State copies z_H and z_L of the sequence, [n·hidden] each.
	State func() (zh, zl []float32)
	// Attention copies the attention weights of the last block of each level in this segment,
	// averaged over heads, [n·n] each; nil where the model has no attention.
	Attention func() (h, l []float32)
}

// A Feed yields the next sequence into in and its puzzle identifier; ok is false when there is none.
type Feed func(in []int32) (id int32, ok bool, err error)

// Run thinks about all sequences that feed yields, seq tokens each, and hands every segment of each
// to each. It returns ctx's cause if ctx ends.
func (t *Thinker) Run(ctx context.Context, seq int, feed Feed, each func(*Thought) error) error {
	if t.Restarts > 0 && t.Memory != nil {
		return errors.New("thinker: restarts and a memory exclude each other")
	}
	r := &thinking{Thinker: t, seq: seq, each: each, gen: torch.NewGenerator(0)}
	defer r.gen.Close()
	defer func() { r.carry.Drop() }()
	for {
		if err := r.fill(feed); err != nil {
			return err
		}
		if len(r.jobs) == 0 {
			return nil
		}
		if err := context.Cause(ctx); ctx.Err() != nil {
			return err
		}
		if err := r.segment(); err != nil {
			return err
		}
	}
}

// thinking is the state of one Run.
type thinking struct {
	*Thinker
	seq   int
	each  func(*Thought) error
	carry hrm.Carry
	batch puzzle.Batch // rows of the sequences that think now
	jobs  []int        // their numbers
	tries []try        // and how far they are
	again []retry      // sequences that begin again
	anew  int          // of the rows that begin with the next segment, how many do so from a random state
	gen   *torch.Generator
	gone  bool    // feed has ended
	asked int     // sequences asked for
	keep  []int64 // rows of the last segment that go on, when others left
}

// A try is one sequence's thinking, from its start or from a restart.
type try struct {
	segments int // of this try
	before   int // segments of earlier tries
	restarts int

	logits     []float32 // of the thought of the largest q_halt; nil for none
	halt, cont float32
}

// A retry is a sequence that waits to begin again.
type retry struct {
	try
	job int
	id  int32
	in  []int32
}

// fill asks for sequences while there is room.
func (r *thinking) fill(feed Feed) error {
	r.anew = 0
	for len(r.again) > 0 && len(r.jobs) < max(r.Slots, 1) {
		a, n := r.again[0], len(r.jobs)
		r.again = r.again[1:]
		r.batch.Inputs = append(r.batch.Inputs[:n*r.seq], a.in...)
		r.batch.IDs = append(r.batch.IDs[:n], a.id)
		r.jobs, r.tries = append(r.jobs, a.job), append(r.tries, a.try)
		r.anew++
	}
	for !r.gone && (len(r.jobs) < max(r.Slots, 1) || r.Memory != nil) {
		n := len(r.jobs)
		r.batch.Inputs = append(r.batch.Inputs[:n*r.seq], make([]int32, r.seq)...)
		id, ok, err := feed(r.batch.Inputs[n*r.seq:])
		if err != nil {
			return err
		}
		if !ok {
			r.gone = true
			break
		}
		if err := checkInput(r.Model.Config(), r.batch.Inputs[n*r.seq:], id); err != nil {
			return fmt.Errorf("sequence %d: %w", r.asked, err)
		}
		r.batch.IDs = append(r.batch.IDs[:n], id)
		r.jobs = append(r.jobs, r.asked)
		r.tries = append(r.tries, try{})
		r.asked++
	}
	r.batch.Rows, r.batch.Seq = len(r.jobs), r.seq
	r.batch.Inputs = r.batch.Inputs[:len(r.jobs)*r.seq]
	r.batch.IDs = r.batch.IDs[:len(r.jobs)]
	return nil
}

// start is the carry of the rows that think now: of those that go on, then of the fresh ones.
func (r *thinking) start(s *torch.Scope) hrm.Carry {
	m := r.Model
	if r.carry.ZH == nil && r.Memory != nil {
		return r.Memory.start(s, m, len(r.jobs), r.seq)
	}
	var parts []hrm.Carry
	old := 0
	if c := r.carry; c.ZH != nil {
		if r.keep != nil {
			c = c.Pick(s, torch.From(s, m.Params().Device(), r.keep, int64(len(r.keep))))
		}
		old = int(torch.Shape(c.ZH)[0])
		parts = append(parts, c)
	}
	if r.anew > 0 {
		parts = append(parts, m.StartAt(s, r.gen, r.anew, r.seq))
	}
	if n := len(r.jobs) - old - r.anew; n > 0 {
		parts = append(parts, m.Start(s, n, r.seq))
	}
	return hrm.Join(s, parts...)
}

func (r *thinking) segment() error {
	var next hrm.Carry
	var outer error
	err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
		in := input(s, r.Model, &r.batch, [2]int{r.Rows, r.Cols})
		before := r.start(s)
		c, out := r.Model.Segment(s, before, in)
		logits := s.ReadFloats(nil, out.Logits)
		qh, qc := s.ReadFloats(nil, out.QHalt), s.ReadFloats(nil, out.QContinue)
		width := len(logits) / len(r.jobs)
		for i, job := range r.jobs {
			t := &r.tries[i]
			t.segments++
			th := Thought{
				Job: job, Segment: t.before + t.segments, Logits: logits[i*width : (i+1)*width], QHalt: qh[i], QContinue: qc[i],
				Halted: r.Halting.Halts(t.segments, qh[i], qc[i]),
			}
			over := th.Halted
			if over || r.Halting.Rule != act.Never {
				t.remember(&th)
			}
			if over && !r.settle(i, &th) {
				th.Halted = false
			}
			th.State = func() (zh, zl []float32) {
				row := func(z *torch.Tensor) []float32 { return s.ReadFloats(nil, s.Narrow(z, 0, int64(i), 1)) }
				return row(c.ZH), row(c.ZL)
			}
			th.Attention = func() (h, l []float32) {
				one := before.Narrow(s, i, 1)
				alone := in
				alone.Tokens = s.Narrow(in.Tokens, 0, int64(i), 1)
				if in.PuzzleIDs != nil {
					alone.PuzzleIDs = s.Narrow(in.PuzzleIDs, 0, int64(i), 1)
				}
				return r.Model.AttentionMaps(s, one, alone)
			}
			if outer = r.each(&th); outer != nil {
				return
			}
			if over {
				r.jobs[i] = -1
				if r.Memory != nil {
					r.Memory.keep(s, job, c, i)
				}
			}
		}
		next = c.Keep(s)
	})
	if outer != nil {
		return outer
	}
	if err != nil {
		return err
	}
	r.carry.Drop()
	r.carry = next
	r.compact()
	return nil
}

// remember keeps th if none before it had a larger q_halt.
func (t *try) remember(th *Thought) {
	if t.logits == nil || th.QHalt > t.halt {
		t.logits, t.halt, t.cont = append(t.logits[:0], th.Logits...), th.QHalt, th.QContinue
	}
}

// recall makes th say what the thought remembered says.
func (t *try) recall(th *Thought) {
	th.Logits, th.QHalt, th.QContinue = t.logits, t.halt, t.cont
}

// settle ends the try of row i with thought th: it puts the best thought into th if the rule is not
// content with this one, or, if there is to be another try, returns false.
func (r *thinking) settle(i int, th *Thought) bool {
	t := r.tries[i]
	switch {
	case r.Halting.Content(th.QHalt, th.QContinue):
		return true
	case t.restarts == r.Restarts:
		t.recall(th)
		return true
	}
	t.before, t.segments, t.restarts = th.Segment, 0, t.restarts+1
	r.again = append(r.again, retry{t, th.Job, r.batch.IDs[i], slices.Clone(r.batch.Inputs[i*r.seq : (i+1)*r.seq])})
	return false
}

// compact removes the rows that halted.
func (r *thinking) compact() {
	r.keep = nil
	n := 0
	for i, job := range r.jobs {
		if job < 0 {
			continue
		}
		if n != i {
			copy(r.batch.Inputs[n*r.seq:(n+1)*r.seq], r.batch.Inputs[i*r.seq:])
		}
		r.jobs[n], r.tries[n], r.batch.IDs[n] = job, r.tries[i], r.batch.IDs[i]
		r.keep = append(r.keep, int64(i))
		n++
	}
	if n == len(r.jobs) {
		r.keep = nil
	}
	if n == 0 {
		r.carry.Drop()
		r.carry = hrm.Carry{}
	}
	r.jobs, r.tries = r.jobs[:n], r.tries[:n]
}
