package engine

import (
	"fmt"
	"runtime"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/memory"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// A Model is a network of package hrm or rl as a think.Core. It does not change and may be shared.
type Model struct {
	net     network
	spec    think.Spec
	readout []float32
}

// A network is the weights of one kind of networks.
type network interface {
	// fit is the network for sequences of a shape; an error if it takes none of that shape.
	fit(shape think.Shape) (formulas, error)
	// bytes is about what so many rows of a shape take, and what each worker takes.
	bytes(shape think.Shape) (row, worker, tables float64)
}

// formulas are a network for sequences of one shape.
type formulas interface {
	// layout is what the state of each level is.
	layout() layout
	// encode makes what r thinks about of in, whose length, tokens and identifier are checked.
	encode(r *row, in think.Input) error
	// begin puts z, the states of a row, at the start.
	begin(z [][]float32)
	// worker makes what one goroutine needs to think about one row at a time; v sees intermediate values.
	worker(v *view) worker
}

// A layout says what is carried of a row, and how large an answer is.
type layout struct {
	states  []state
	tokens  int // the end of the range of tokens
	ids     int // of puzzle identifiers; 0 is none
	answers int // tokens of an answer
	outputs int // logits of each
	width   int // numbers that a row has of its input
}

// A state is that of a level: places of width numbers, each padded. Outside the rows a place is that of a plane and
// then of a cell; inside, the planes of a cell are side by side.
type state struct {
	name          string
	places, width int
	planes        int
}

// at is where place p lies inside.
func (s state) at(p int) int {
	cells := s.places / s.planes
	return p%cells*s.planes + p/cells
}

// A worker thinks about one row at a time.
type worker interface {
	// segment thinks once about r and writes its logits.
	segment(r *row, logits []float32) (halt, cont float32)
}

// New makes the network that cfg describes of weights, under the names of hrm.Model, which must be all of
// them and no more. Their numbers may be float32, bfloat16 or float16 and are computed with as float32.
// The table of puzzle embeddings is read where it lies as long as the Model lives; the others are copied.
func New(cfg arch.Config, weights map[string]safetensors.Tensor) (*Model, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	net, build := newNetwork(cfg.WithDefaults())
	if err := read(weights, build); err != nil {
		return nil, err
	}
	readout, err := weights["inner.lm_head.weight"].Float32s()
	return &Model{net, open.Spec(cfg.Spec()), readout}, err
}

// newNetwork is the network that c describes, and what asks for its weights.
func newNetwork(c arch.Config) (network, func(*reader)) {
	if c.Mixing == arch.Grouped {
		g := &grouped{cfg: c}
		return g, g.build
	}
	t := &transformer{cfg: c}
	return t, t.build
}

// Spec implements think.Core.
func (m *Model) Spec() think.Spec { return m.spec }

// Readout implements think.Reader.
func (m *Model) Readout() []float32 { return m.readout }

// Open implements think.Core. What it returns is a think.Attender if the network has attention.
func (m *Model) Open(rows int, shape think.Shape) (think.Rows, error) {
	r, err := m.Rows(rows, shape)
	if err != nil {
		return nil, err
	}
	if t, ok := m.net.(*transformer); ok && t.cfg.Mixing == arch.Attention {
		return attender{r}, nil
	}
	return r, nil
}

// Rows is Open for those who want to Observe.
func (m *Model) Rows(rows int, shape think.Shape) (*Rows, error) {
	if rows < 0 {
		return nil, fmt.Errorf("engine: %d rows", rows)
	}
	workers := max(1, min(rows, runtime.GOMAXPROCS(0)))
	row, work, tables := m.net.bytes(shape)
	if err := memory.Check(fmt.Sprintf("thinking about %d sequences of %d tokens", rows, shape.Seq), 4*(row*float64(rows)+work*float64(workers)+tables)); err != nil {
		return nil, err
	}
	f, err := m.net.fit(shape)
	if err != nil {
		return nil, err
	}
	return newRows(f, shape, rows, workers), nil
}
