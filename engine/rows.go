package engine

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/internal/vec"
)

// Rows are the rows of a Model. A segment of several of them is shared among as many goroutines as
// processors were to be used when they were opened; the answer of a row does not depend on that.
type Rows struct {
	formulas
	is    layout
	shape think.Shape
	rows  []row

	view    view
	workers []worker
	helpers []func() // a worker's work for others, in a goroutine of its own
	wait    sync.WaitGroup
	next    atomic.Int64 // of asked
	asked   []int
	out     *think.Output
}

// A row is a sequence under way.
type row struct {
	begun  bool
	chosen bool        // during Segment
	e      []float32   // the input as the levels see it
	z      [][]float32 // of each level: padded [places, width]
	board  *board      // of grouped mixing
}

// attender are Rows of a network with attention.
type attender struct{ *Rows }

func newRows(f formulas, shape think.Shape, rows, workers int) *Rows {
	r := &Rows{formulas: f, is: f.layout(), shape: shape, rows: make([]row, rows)}
	size := vec.Pad(r.is.width)
	for _, st := range r.is.states {
		size += vec.PadRows(st.places) * vec.Pad(st.width)
	}
	for i := range r.rows {
		all := make([]float32, size)
		take := func(n int) (part []float32) { part, all = all[:n:n], all[n:]; return part }
		r.rows[i].e = take(vec.Pad(r.is.width))
		for _, st := range r.is.states {
			r.rows[i].z = append(r.rows[i].z, take(vec.PadRows(st.places)*vec.Pad(st.width)))
		}
	}
	r.employ(workers)
	return r
}

// employ makes n workers.
func (r *Rows) employ(n int) {
	r.workers, r.helpers = nil, nil
	for range n {
		w := r.worker(&r.view)
		r.workers = append(r.workers, w)
		r.helpers = append(r.helpers, func() {
			defer r.wait.Done()
			r.work(w)
		})
	}
}

// Observe makes f see intermediate values of the segments that follow, row by row, under the names of
// hrm.Model.Observe; a nil f ends it. The slice is valid during the call. It is for rows that think alone
// or on one processor: f is called by the goroutine that computes. Networks that are no transformer show none.
func (r *Rows) Observe(f func(name string, x []float32)) { r.view.f = f }

// A view shows intermediate values to whoever observes.
type view struct {
	f    func(name string, x []float32) // nil if nobody does
	seen []float32                      // compact
}

// see shows x, rows of width numbers, padded.
func (v *view) see(name string, x []float32, rows, width int) {
	if v.f == nil {
		return
	}
	v.seen = compact(v.seen[:0], x, rows, width)
	v.f(name, v.seen)
}

// Begin implements think.Rows.
func (r *Rows) Begin(row int, in think.Input) error {
	if err := r.set(row, in); err != nil {
		return err
	}
	r.begin(r.rows[row].z)
	r.rows[row].begun = true
	return nil
}

// Turn implements think.Rows.
func (r *Rows) Turn(row int, in think.Input) error {
	if err := r.started(row); err != nil {
		return err
	}
	return r.set(row, in)
}

func (r *Rows) set(row int, in think.Input) error {
	if r.rows == nil {
		return errors.New("engine: rows are closed")
	}
	if len(in.Tokens) != r.shape.Seq {
		return fmt.Errorf("row %d: %d tokens, want %d", row, len(in.Tokens), r.shape.Seq)
	}
	for t, v := range in.Tokens {
		if v < 0 || int(v) >= r.is.tokens {
			return fmt.Errorf("row %d: input, cell %d: %d, want a token in [0, %d)", row, t, v, r.is.tokens)
		}
	}
	if n := r.is.ids; n > 0 && (in.ID < 0 || int(in.ID) >= n) {
		return fmt.Errorf("row %d: puzzle identifier %d, want one in [0, %d)", row, in.ID, n)
	}
	return r.encode(&r.rows[row], in)
}

func (r *Rows) started(row int) error {
	if r.rows == nil {
		return errors.New("engine: rows are closed")
	}
	if !r.rows[row].begun {
		return fmt.Errorf("row %d has not begun", row)
	}
	return nil
}

// Segment implements think.Rows.
func (r *Rows) Segment(rows []int, out *think.Output) error {
	if err := r.choose(rows); err != nil {
		return err
	}
	n, size := len(rows), r.is.answers*r.is.outputs
	out.Logits = slices.Grow(out.Logits[:0], n*size)[:n*size]
	out.QHalt = slices.Grow(out.QHalt[:0], n)[:n]
	out.QContinue = slices.Grow(out.QContinue[:0], n)[:n]
	if n == 0 {
		return nil
	}
	r.asked, r.out = rows, out
	r.next.Store(0)
	helpers := r.helpers[1:min(n, len(r.helpers))]
	r.wait.Add(len(helpers))
	for _, help := range helpers {
		go help()
	}
	r.work(r.workers[0])
	r.wait.Wait()
	r.asked, r.out = nil, nil
	return nil
}

// work lets w think about the rows asked for until there are no more.
func (r *Rows) work(w worker) {
	size := r.is.answers * r.is.outputs
	for {
		i := int(r.next.Add(1)) - 1
		if i >= len(r.asked) {
			return
		}
		r.out.QHalt[i], r.out.QContinue[i] = w.segment(&r.rows[r.asked[i]], r.out.Logits[i*size:(i+1)*size])
	}
}

// choose checks that rows have begun and are different.
func (r *Rows) choose(rows []int) (err error) {
	n := 0
	for ; n < len(rows) && err == nil; n++ {
		if err = r.started(rows[n]); err != nil {
			break
		}
		w := &r.rows[rows[n]]
		if w.chosen {
			err = fmt.Errorf("row %d twice in one segment", rows[n])
			break
		}
		w.chosen = true
	}
	for _, row := range rows[:n] {
		r.rows[row].chosen = false
	}
	return err
}

// Save implements think.Rows.
func (r *Rows) Save(row int) (think.Memory, error) {
	if err := r.started(row); err != nil {
		return nil, err
	}
	var m think.Memory
	for k, st := range r.is.states {
		out := make([]float32, 0, st.places*st.width)
		for p := range st.places {
			out = append(out, r.rows[row].z[k][st.at(p)*vec.Pad(st.width):][:st.width]...)
		}
		m = append(m, out)
	}
	return m, nil
}

// Load implements think.Rows.
func (r *Rows) Load(row int, m think.Memory) error {
	if err := r.started(row); err != nil {
		return err
	}
	if len(m) != len(r.is.states) {
		return fmt.Errorf("row %d: a memory of %d levels, want %d", row, len(m), len(r.is.states))
	}
	for k, st := range r.is.states {
		if want := st.places * st.width; len(m[k]) != want {
			return fmt.Errorf("row %d: a memory of %d numbers in level %s, want %d", row, len(m[k]), st.name, want)
		}
	}
	for k, st := range r.is.states {
		for p := range st.places {
			copy(r.rows[row].z[k][st.at(p)*vec.Pad(st.width):], m[k][p*st.width:(p+1)*st.width])
		}
	}
	return nil
}

// Close implements think.Rows.
func (r *Rows) Close() error {
	r.rows, r.workers, r.helpers = nil, nil, nil
	return nil
}

// compact appends rows rows of d numbers, which are padded in x.
func compact(dst, x []float32, rows, d int) []float32 {
	for i := range rows {
		dst = append(dst, x[i*vec.Pad(d):][:d]...)
	}
	return dst
}

// dot adds the product of x and w to sum.
func dot(sum float32, x, w []float32) float32 {
	s := float64(sum)
	for i, v := range w {
		s += float64(v) * float64(x[i])
	}
	return float32(s)
}
