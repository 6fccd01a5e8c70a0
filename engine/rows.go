package engine

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/memory"
	"github.com/ponder-agents/ponder/internal/vec"
)

// Rows are the rows of a Model. A segment of several of them is shared among as many goroutines as
// processors were to be used when they were opened; the answer of a row does not depend on that.
type Rows struct {
	m     *Model
	shape think.Shape
	grid  [2]int // rows and columns
	n     int    // positions
	rows  []row

	// What follows from the shape alone.
	cos, sin []float32              // [n, width of a head]; nil without rope
	bias     map[*block][][]float32 // of attention, by head, padded [n, n]; nil where scores have none

	observe func(name string, x []float32)
	workers []*worker
	wait    sync.WaitGroup
	next    atomic.Int64 // of todo
	todo    []int
	out     *think.Output
}

// A row is a sequence under way.
type row struct {
	begun  bool
	chosen bool        // during Segment
	e      []float32   // padded [n, hidden]: the input as the levels see it
	z      [][]float32 // padded [n, hidden], of each level
}

// attender are Rows of a network with attention.
type attender struct{ *Rows }

// Open implements think.Core. What it returns is a think.Attender if the network has attention.
func (m *Model) Open(rows int, shape think.Shape) (think.Rows, error) {
	r, err := m.Rows(rows, shape)
	if err != nil {
		return nil, err
	}
	if m.cfg.Mixing == arch.Attention {
		return attender{r}, nil
	}
	return r, nil
}

// Rows is Open for those who want to Observe.
func (m *Model) Rows(rows int, shape think.Shape) (*Rows, error) {
	c := m.cfg
	if rows < 0 {
		return nil, fmt.Errorf("engine: %d rows", rows)
	}
	if err := c.Fits(shape.Seq, shape.Rows, shape.Cols); err != nil {
		return nil, err
	}
	workers := max(1, min(rows, runtime.GOMAXPROCS(0)))
	if err := memory.Check(fmt.Sprintf("thinking about %d sequences of %d tokens", rows, shape.Seq), m.bytes(rows, workers, shape.Seq)); err != nil {
		return nil, err
	}
	r := &Rows{m: m, shape: shape, n: c.Prefix() + shape.Seq, rows: make([]row, rows)}
	r.grid[0], r.grid[1] = c.Grid(shape.Seq, shape.Rows, shape.Cols)
	if c.Mixing == arch.Attention {
		if c.Positions == arch.Rope || c.Positions == arch.Rope2D {
			r.cos, r.sin = c.RopeTable(r.n, r.grid[1])
		}
		r.biases()
	}
	size := vec.PadRows(r.n) * vec.Pad(c.Hidden)
	for i := range r.rows {
		all := make([]float32, (1+len(m.levels))*size)
		r.rows[i].e, all = all[:size:size], all[size:]
		for range m.levels {
			r.rows[i].z, all = append(r.rows[i].z, all[:size:size]), all[size:]
		}
	}
	for range workers {
		r.workers = append(r.workers, newWorker(r))
	}
	return r, nil
}

// bytes is about what Open takes: states, each worker's room, tables.
func (m *Model) bytes(rows, workers, seq int) float64 {
	c := m.cfg
	n, d, f := float64(c.Prefix())+float64(seq), float64(c.Hidden), float64(c.Inner)
	state := n * d * float64(1+len(m.levels)) * float64(rows)
	work := n * (8*d + 3*f + blockRows)
	tables := 2 * n * d / float64(c.Heads)
	if c.Bias == arch.RelativeBias {
		tables += n * n * 2 // the entries, 8 bytes each
		for _, l := range m.levels {
			tables += n * n * float64(c.Heads*len(l.blocks))
		}
	}
	if c.Mixing == arch.TokenMLP {
		work += 3 * d * float64(c.Width(int(n)))
	}
	return 4 * (state + work*float64(workers) + tables)
}

// biases makes what attention adds to its scores.
func (r *Rows) biases() {
	c := r.m.cfg
	if c.Bias == arch.NoBias {
		return
	}
	r.bias = map[*block][][]float32{}
	var pairs []int64
	if c.Bias == arch.RelativeBias {
		pairs = c.RelativePairs(r.n, r.grid[1])
	}
	for _, l := range r.m.levels {
		for _, b := range l.blocks {
			if r.bias[b] != nil {
				continue // of a level that shares its blocks
			}
			if c.Bias == arch.TableBias {
				r.bias[b] = b.bias
				continue
			}
			wide := vec.Pad(r.n)
			for _, entries := range b.bias {
				x := make([]float32, vec.PadRows(r.n)*wide)
				for i, k := range pairs {
					x[i/r.n*wide+i%r.n] = entries[k]
				}
				r.bias[b] = append(r.bias[b], mask(x, r.n))
			}
		}
	}
}

// Observe makes f see intermediate values of the segments that follow, row by row, under the names of
// hrm.Model.Observe; a nil f ends it. The slice is valid during the call. It is for rows that think alone
// or on one processor: f is called by the goroutine that computes.
func (r *Rows) Observe(f func(name string, x []float32)) { r.observe = f }

// Begin implements think.Rows.
func (r *Rows) Begin(row int, in think.Input) error {
	if err := r.set(row, in); err != nil {
		return err
	}
	d := r.m.cfg.Hidden
	for k, z := range r.rows[row].z {
		for i := range r.n {
			copy(z[i*vec.Pad(d):], r.m.levels[k].init)
		}
	}
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
		if v < 0 || int(v) >= r.m.cfg.Vocab {
			return fmt.Errorf("row %d: input, cell %d: %d, want a token in [0, %d)", row, t, v, r.m.cfg.Vocab)
		}
	}
	if c := r.m.cfg; c.PuzzleDim > 0 && (in.ID < 0 || int(in.ID) >= c.PuzzleIDs) {
		return fmt.Errorf("row %d: puzzle identifier %d, want one in [0, %d)", row, in.ID, c.PuzzleIDs)
	}
	return r.m.encode(r.rows[row].e, in, r.grid[1])
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
	n := len(rows)
	out.Logits = slices.Grow(out.Logits[:0], n*r.shape.Seq*r.m.cfg.Outputs)[:n*r.shape.Seq*r.m.cfg.Outputs]
	out.QHalt = slices.Grow(out.QHalt[:0], n)[:n]
	out.QContinue = slices.Grow(out.QContinue[:0], n)[:n]
	if n == 0 {
		return nil
	}
	r.todo, r.out = rows, out
	r.next.Store(0)
	helpers := r.workers[1:min(n, len(r.workers))]
	r.wait.Add(len(helpers))
	for _, w := range helpers {
		go w.help()
	}
	r.workers[0].work()
	r.wait.Wait()
	r.todo, r.out = nil, nil
	return nil
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
	d := r.m.cfg.Hidden
	var m think.Memory
	for _, z := range r.rows[row].z {
		m = append(m, compact(make([]float32, 0, r.n*d), z, r.n, d))
	}
	return m, nil
}

// Load implements think.Rows.
func (r *Rows) Load(row int, m think.Memory) error {
	if err := r.started(row); err != nil {
		return err
	}
	levels := r.m.levels
	if len(m) != len(levels) {
		return fmt.Errorf("row %d: a memory of %d levels, want %d", row, len(m), len(levels))
	}
	d := r.m.cfg.Hidden
	for k, l := range levels {
		if len(m[k]) != r.n*d {
			return fmt.Errorf("row %d: a memory of %d numbers in level %s, want %d", row, len(m[k]), l.name, r.n*d)
		}
	}
	for k := range levels {
		z := r.rows[row].z[k]
		for i := range r.n {
			copy(z[i*vec.Pad(d):], m[k][i*d:(i+1)*d])
		}
	}
	return nil
}

// Close implements think.Rows.
func (r *Rows) Close() error {
	r.rows, r.workers = nil, nil
	return nil
}

// compact appends rows rows of d numbers, which are padded in x.
func compact(dst, x []float32, rows, d int) []float32 {
	for i := range rows {
		dst = append(dst, x[i*vec.Pad(d):][:d]...)
	}
	return dst
}

// Attention implements think.Attender.
func (r attender) Attention(row int) ([][]float32, error) {
	if err := r.started(row); err != nil {
		return nil, err
	}
	w := r.workers[0]
	z := make([][]float32, len(r.m.levels)) // the row does not move on
	for k := range z {
		z[k] = slices.Clone(r.rows[row].z[k])
	}
	w.maps = make([][]float32, len(z))
	defer func() { w.maps = nil }()
	w.updates(z, r.rows[row].e)
	return w.maps, nil
}

// A worker has what one goroutine needs to think about one row at a time.
type worker struct {
	*Rows
	help func() // work for others, in a goroutine of its own

	inject  []float32 // padded [n, hidden]
	y       []float32 // padded [n, hidden]: what a part of a block adds
	wide    []float32 // padded [n, 3·hidden] or [blockRows…, 2·inner]
	mixed   []float32 // padded [n, hidden]
	act     []float32 // padded [n, inner]
	grid3x3 []float32 // [rows+2, cols+2, padded inner], a border of zeros around the grid; nil without conv
	turned  []float32 // padded [hidden, n] of token mixing
	answer  []float32 // padded [n, outputs]
	head    headRoom

	maps  [][]float32 // what Attention asked for, a level each; nil if it did not
	level int         // that is updated
	last  bool        // of its updates in the segment
	seen  []float32   // compact, for observe
}

func newWorker(r *Rows) *worker {
	c := r.m.cfg
	n, d := vec.PadRows(r.n), vec.Pad(c.Hidden)
	w := &worker{Rows: r}
	w.help = func() {
		defer r.wait.Done()
		w.work()
	}
	w.inject, w.y, w.mixed = make([]float32, n*d), make([]float32, n*d), make([]float32, n*d)
	w.act = make([]float32, n*vec.Pad(c.Inner))
	w.answer = make([]float32, n*vec.Pad(c.Outputs))
	wide := max(n*vec.Pad(3*c.Hidden), min(n, feedRows(c.Inner))*2*vec.Pad(c.Inner))
	if c.Conv {
		w.grid3x3 = make([]float32, (r.grid[0]+2)*(r.grid[1]+2)*vec.Pad(c.Inner))
	}
	if c.Mixing == arch.TokenMLP {
		rows, f := vec.PadRows(c.Hidden), vec.Pad(c.Width(r.n))
		w.turned = make([]float32, rows*vec.Pad(r.n))
		w.mixed = make([]float32, rows*vec.Pad(r.n))
		w.act = make([]float32, max(len(w.act), rows*f))
		wide = max(wide, rows*2*f)
	}
	w.wide = make([]float32, wide)
	w.head = newHeadRoom(c, r.n)
	return w
}

// work thinks about rows of todo until there are no more.
func (w *worker) work() {
	c := w.m.cfg
	for {
		i := int(w.next.Add(1)) - 1
		if i >= len(w.todo) {
			return
		}
		row := &w.rows[w.todo[i]]
		if w.observe != nil {
			w.observeInput(row)
		}
		w.updates(row.z, row.e)

		zh := row.z[0]
		d := vec.Pad(c.Hidden)
		vec.Product(w.answer, vec.Pad(c.Outputs), zh, d, vec.PadRows(w.n), w.m.head)
		size := w.shape.Seq * c.Outputs
		compact(w.out.Logits[i*size:i*size], w.answer[c.Prefix()*vec.Pad(c.Outputs):], w.shape.Seq, c.Outputs)
		w.out.QHalt[i] = w.q(zh, 0)
		w.out.QContinue[i] = w.q(zh, 1)
	}
}

// q reads row k of the Q head from position 0.
func (w *worker) q(zh []float32, k int) float32 {
	d := w.m.cfg.Hidden
	sum := float64(w.m.qBias[k])
	for i, v := range w.m.qWeight[k*d : (k+1)*d] {
		sum += float64(v) * float64(zh[i])
	}
	return float32(sum)
}

// updates does all updates of a segment to the states z, which see the input as e. Time scales nest: of
// two neighbours the faster level is updated its cycles times, then the slower one once.
func (w *worker) updates(z [][]float32, e []float32) {
	w.cycle(z, e, 0, true)
}

// cycle updates level k its cycles times; final says that the level before is in its last cycle.
func (w *worker) cycle(z [][]float32, e []float32, k int, final bool) {
	l := &w.m.levels[k]
	for i := range l.cycles {
		last := final && i == l.cycles-1
		inject := e
		if k+1 < len(z) {
			w.cycle(z, e, k+1, last)
			inject = z[k+1]
		}
		if k > 0 {
			vec.Add(w.inject, z[k-1], inject)
			inject = w.inject
		}
		w.level, w.last = k, last
		vec.Add(z[k], z[k], inject)
		w.apply(l, z[k])
	}
}

// see shows x, rows of width numbers, to whoever observes.
func (w *worker) see(name string, x []float32, rows, width int) {
	if w.observe == nil {
		return
	}
	w.seen = compact(w.seen[:0], x, rows, width)
	w.observe(name, w.seen)
}

func (w *worker) observeInput(row *row) {
	if w.cos != nil {
		w.observe("rope.cos", w.cos)
		w.observe("rope.sin", w.sin)
	}
	w.see("input_embeddings", row.e, w.n, w.m.cfg.Hidden)
}

// feedRows is how many rows go through a feed-forward of a width at once: as many as keep what lies
// between its products in a cache of 256 kB, and enough to be worth reading the weights.
func feedRows(inner int) int {
	return vec.PadRows(max(blockRows, 256<<10/4/(2*vec.Pad(inner))))
}

// scaleOf is what attention multiplies its scores with.
func scaleOf(c arch.Config) float32 {
	return float32(1 / math.Sqrt(float64(c.Hidden/c.Heads)))
}
