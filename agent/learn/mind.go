//go:build cgo && !notorch

package learn

import (
	"context"
	"errors"
	"fmt"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// A Mind is a network thinking about one world, a segment at a time, for whoever wants to watch or to
// decide how long it thinks. It belongs to one goroutine.
type Mind struct {
	net      *Net
	halting  act.Config
	reader   task.Reader
	id       int32 // of the puzzle
	rows     int
	cols     int
	batch    puzzle.Batch
	carries  []hrm.Carry // before each segment of the decision, and after the last
	logits   []float32
	best     try // of the decision
	describe describer
}

// mostCarries bounds what a decision keeps for Attend; later segments overwrite the last.
const mostCarries = 256

// NewMind checks that the network fits the world.
func NewMind(n *Net, spec env.Spec, cfg PolicyConfig) (*Mind, error) {
	if cfg.Halting.MaxSegments == 0 {
		cfg.Halting = n.Recipe.Evaluation
	}
	if err := cfg.Halting.Validate(); err != nil {
		return nil, err
	}
	r, err := task.NewReader(n.Recipe.Task, spec)
	return &Mind{net: n, halting: cfg.Halting, reader: r}, err
}

// MindOf is a mind that thinks, by the network's own halting, about puzzle id of its puzzle table, seen
// through r.
func MindOf(n *Net, r task.Reader, id int32) *Mind {
	return &Mind{net: n, halting: n.Recipe.Evaluation, reader: r, id: id}
}

// Describe fills in who thinks and how its segments are to be read.
func (m *Mind) Describe(h *trace.Header) {
	h.Agent, h.Model, h.Engine, h.Levels = "hrm", m.net.Name, "libtorch", []string{"H", "L"}
	h.MaxSegments, h.Rule, h.Threshold = m.halting.MaxSegments, m.halting.Rule.String(), m.halting.Threshold
	h.Answer = m.reader.Answer()
}

// Begin starts a decision about an observation.
func (m *Mind) Begin(obs []byte) {
	m.forget()
	tokens, rows, cols := m.reader.Tokens(m.batch.Inputs[:0], obs)
	m.rows, m.cols = rows, cols
	m.batch = puzzle.Batch{Inputs: tokens, IDs: []int32{m.id}, Rows: 1, Seq: len(tokens)}
}

// Think does one segment and describes it in g.
func (m *Mind) Think(ctx context.Context, g *trace.Segment) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if m.batch.Seq == 0 {
		return errors.New("mind: Think before Begin")
	}
	if err := checkInput(m.net.Model.Config(), m.batch.Inputs, m.id); err != nil {
		return fmt.Errorf("mind: %w", err)
	}
	if err := m.net.calibrate(m.batch.Inputs, m.rows, m.cols); err != nil {
		return err
	}
	return torch.Do(torch.NoGrad, func(s *torch.Scope) {
		model := m.net.Model
		if len(m.carries) == 0 {
			m.carries = append(m.carries, model.Start(s, 1, m.batch.Seq).Keep(s))
		}
		last := len(m.carries) - 1
		c, out := model.Segment(s, m.carries[last], input(s, model, &m.batch, [2]int{m.rows, m.cols}))
		m.logits = s.ReadFloats(m.logits, out.Logits)
		th := Thought{
			Segment: len(m.carries), Logits: m.logits,
			QHalt: s.ReadFloats(nil, out.QHalt)[0], QContinue: s.ReadFloats(nil, out.QContinue)[0],
			State: func() (zh, zl []float32) { return s.ReadFloats(nil, c.ZH), s.ReadFloats(nil, c.ZL) },
		}
		th.Halted = m.halting.Halts(th.Segment, th.QHalt, th.QContinue)
		if m.halting.Rule != act.Never {
			m.best.remember(&th)
			if th.Halted && !m.halting.Content(th.QHalt, th.QContinue) { // as a Thinker ends
				m.best.recall(&th)
				m.logits = append(m.logits[:0], th.Logits...)
			}
		}
		m.describe.segment(g, m.reader, m.net, &th)
		if len(m.carries) == mostCarries {
			m.carries[last].Drop()
			m.carries = m.carries[:last]
		}
		m.carries = append(m.carries, c.Keep(s))
	})
}

// Action is what the answer says to do, as a Thinker would end with it; -1 if the answer itself is all.
func (m *Mind) Action() (int, error) {
	if m.logits == nil {
		return 0, errors.New("mind: Action before Think")
	}
	return m.reader.Action(m.logits), nil
}

// Attend is what a cell of the board attended to in a segment of the decision, counted from 0: at each
// level, for each cell, the mean over heads in the last block, 255 the largest; nil for a level without
// attention, and nil altogether where the cell has no token.
func (m *Mind) Attend(segment, cell int) (levels [][]uint8, err error) {
	if segment < 0 || segment >= len(m.carries)-1 {
		return nil, fmt.Errorf("mind: segment %d of a decision of %d", segment, max(0, len(m.carries)-1))
	}
	prefix, n := m.net.Model.Config().Prefix(), m.net.Model.Config().Prefix()+m.batch.Seq
	from := -1
	for t := range m.batch.Seq {
		if m.reader.Cell(t) == cell {
			from = prefix + t
		}
	}
	if from < 0 {
		return nil, nil
	}
	err = torch.Do(torch.NoGrad, func(s *torch.Scope) {
		fh, fl := m.net.Model.AttentionMaps(s, m.carries[segment], input(s, m.net.Model, &m.batch, [2]int{m.rows, m.cols}))
		row := func(w []float32) []uint8 {
			if w == nil {
				return nil
			}
			w = w[from*n : (from+1)*n]
			top := float32(1e-12)
			for _, x := range w[prefix:] {
				top = max(top, x)
			}
			out := make([]uint8, m.reader.Cells())
			for t, x := range w[prefix:] {
				out[m.reader.Cell(t)] = uint8(255*x/top + 0.5)
			}
			return out
		}
		levels = [][]uint8{row(fh), row(fl)}
	})
	return levels, err
}

func (m *Mind) forget() {
	for _, c := range m.carries {
		c.Drop()
	}
	m.carries, m.logits, m.best = nil, nil, try{}
}

// Close frees what the mind remembers; the network stays its owner's.
func (m *Mind) Close() error {
	m.forget()
	return nil
}
