package think

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// A Mind is a model thinking about one world, a segment at a time, for whoever wants to watch or to
// decide how long it thinks. It halts, keeps its carry, begins anew and has several thoughts as a Policy of the same
// Config does, and belongs to one goroutine. Of several thoughts it shows the first that goes on, and at last the one
// that answers.
type Mind struct {
	model  *Model
	cfg    Config
	reader task.Reader
	id     int32       // of the puzzle
	own    *act.Config // of halting, before a Price

	in       Input
	shape    Shape
	rows     Rows // of its thoughts about one sequence and, for Attend, one more to think again about
	thinking *thinking
	before   []Memory  // the state before each segment of the decision
	logits   []float32 // of the last segment, as the Thinker would end with it
	row      int       // that the last segment was of
}

// mostSaved bounds what a decision keeps for Attend.
const mostSaved = 256

// NewMind checks that the model fits the world.
func NewMind(m *Model, spec env.Spec, cfg Config) (*Mind, error) {
	r, err := task.NewReader(m.Usage.Task, spec)
	if err != nil {
		return nil, err
	}
	return MindOf(m, r, 0, cfg)
}

// MindOf is a mind that thinks about puzzle id of the model's puzzle table, seen through r.
func MindOf(m *Model, r task.Reader, id int32, cfg Config) (*Mind, error) {
	cfg, err := cfg.of(m)
	return &Mind{model: m, cfg: cfg, reader: r, id: id}, err
}

// Describe fills in who thinks and how its segments are to be read.
func (m *Mind) Describe(h *trace.Header) { m.model.Describe(h, m.cfg, m.reader) }

// Begin starts a decision about an observation. fresh says that an episode begins, or that the world
// was changed from outside: a kept carry is dropped then.
func (m *Mind) Begin(_ context.Context, obs []byte, fresh bool) error {
	tokens, rows, cols := m.reader.Tokens(m.in.Tokens[:0], obs)
	m.in = Input{tokens, m.id}
	if err := m.model.Core.Spec().check(m.in); err != nil {
		return fmt.Errorf("mind: %w", err)
	}
	shape := Shape{len(tokens), rows, cols}
	turn := m.cfg.KeepCarry && !fresh && m.rows != nil && shape == m.shape
	many := m.cfg.thoughts()
	if m.rows == nil || shape != m.shape {
		m.Close()
		opened, err := m.model.Core.Open(many+1, shape)
		if err != nil {
			return err
		}
		m.rows, m.shape, m.thinking = opened, shape, m.model.thinking(opened, many, m.cfg)
		m.thinking.follow = true
	}
	return m.start(0, turn)
}

// start begins all thoughts; draw says what disturbs their starts.
func (m *Mind) start(draw int, turn bool) error {
	m.thinking.reset()
	m.before, m.logits, m.row = m.before[:0], nil, 0
	mine := make([]int, m.cfg.thoughts())
	for k := range mine {
		mine[k] = k
	}
	return m.thinking.begin(0, draw, mine, m.in, turn)
}

// Think does one segment and describes it in g. It goes on beyond halting if it is asked to.
func (m *Mind) Think(ctx context.Context, g *trace.Segment) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if m.rows == nil {
		return errors.New("mind: Think before Begin")
	}
	if len(m.thinking.active) == 0 {
		m.thinking.active = append(m.thinking.active, m.row)
	}
	return m.thinking.segment(func(th *Thought) error {
		if len(m.before) < mostSaved {
			m.before = append(m.before, th.before)
		}
		m.row, m.logits = th.row, append(m.logits[:0], th.Logits...)
		return m.model.describe(g, m.reader, m.in, m.shape, th)
	})
}

// startNoise is the standard deviation of what Again adds: as large as the entries of a network's initial state.
const startNoise = 1

// Again begins the decision anew from another start: k-th of those that noise makes of the first, which is 0.
func (m *Mind) Again(_ context.Context, k int) error {
	if m.rows == nil {
		return errors.New("mind: Again before Begin")
	}
	if err := m.start(k, false); err != nil || k == 0 {
		return err
	}
	for row := range m.cfg.thoughts() {
		if err := shake(m.rows, row, startNoise, noise(k, 1+row, 0)); err != nil {
			return err
		}
	}
	return nil
}

// Price sets what a segment costs, where a right answer is worth 1: the mind then stops once even certainty would gain
// less than that, 1-p < price. 0 leaves it to the rule that it was made with.
func (m *Mind) Price(_ context.Context, price float64) error {
	if !(price >= 0 && price < 1) {
		return fmt.Errorf("mind: a segment costs %v, want 0 to less than 1", price)
	}
	if m.own == nil {
		own := m.cfg.Halting
		m.own = &own
	}
	m.cfg.Halting = *m.own
	if price > 0 {
		m.cfg.Halting.Rule, m.cfg.Halting.Threshold = act.HaltAbove, float32(math.Log((1-price)/price))
	}
	if m.thinking != nil {
		m.thinking.cfg.Halting = m.cfg.Halting
	}
	return nil
}

// Decide is the whole thought about an observation, as at the beginning of an episode: all segments, until it is
// content.
func (m *Mind) Decide(ctx context.Context, obs []byte) (thought []trace.Segment, err error) {
	if err := m.Begin(ctx, obs, true); err != nil {
		return nil, err
	}
	for n := 0; n == 0 || !thought[n-1].Halted; n++ {
		var g trace.Segment
		if err := m.Think(ctx, &g); err != nil {
			return nil, err
		}
		thought = append(thought, g)
	}
	return thought, nil
}

// Action is what the answer says to do, as a Thinker would end with it; -1 if the answer itself is all.
func (m *Mind) Action(context.Context) (int, error) {
	if len(m.logits) == 0 {
		return 0, errors.New("mind: Action before Think")
	}
	return m.reader.Action(m.logits), nil
}

// Attend is what a cell of the board attended to in a segment of the decision, counted from 0: for
// each level and each cell the mean over heads in its last block, 255 the largest. It is nil where the
// network has no attention or the cell no token.
func (m *Mind) Attend(_ context.Context, segment, cell int) ([][]uint8, error) {
	if segment < 0 || segment >= len(m.before) {
		return nil, fmt.Errorf("mind: attention of segment %d, want one of the first %d", segment+1, len(m.before))
	}
	attender, ok := m.rows.(Attender)
	token := -1
	for t := range m.shape.Seq {
		if m.reader.Cell(t) == cell {
			token = t
		}
	}
	if !ok || token < 0 {
		return nil, nil
	}
	again := m.cfg.thoughts()
	if err := m.rows.Begin(again, m.in); err != nil {
		return nil, err
	}
	if err := m.rows.Load(again, m.before[segment]); err != nil {
		return nil, err
	}
	all, err := attender.Attention(again)
	if err != nil {
		return nil, err
	}
	var out [][]uint8
	for k, l := range m.model.Core.Spec().Levels {
		if k >= len(all) || all[k] == nil {
			continue
		}
		n := l.Prefix + m.shape.Seq
		w := all[k][(l.Prefix+token)*n:][l.Prefix:n]
		top := float32(1e-12)
		for _, x := range w {
			top = max(top, x)
		}
		cells := make([]uint8, m.reader.Cells())
		for t, x := range w {
			cells[m.reader.Cell(t)] = uint8(255*x/top + 0.5)
		}
		out = append(out, cells)
	}
	return out, nil
}

// Close frees what the mind remembers; the model stays its owner's.
func (m *Mind) Close() error {
	if m.rows == nil {
		return nil
	}
	err := m.rows.Close()
	m.rows = nil
	return err
}
