package think

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// A Policy is a model acting in a batch of worlds: it encodes what it sees, thinks until its halting
// rule is content, and does what the answer says. It implements agent.Policy, agent.Counter and
// agent.Sleeper.
type Policy struct {
	model    *Model
	cfg      Config
	obsLen   int
	reader   func() (task.Reader, error)
	readers  []task.Reader
	inputs   []Input
	segments []int32
	asleep   []bool      // rows to leave out; nil for none
	random   []*rand.PCG // by row, of Sample and StopUniform
	said     []int       // by row, the likeliest action of the segment before, -1 for none: of StopUnchanged
	forced   []int       // by row, see Force; 0 for none
	probs    []float32
	groups   map[Shape]*group // rows of one shape think together: a maze without an outer wall is larger by it
	shapes   []Shape          // in the order in which they were met
}

// A group is the rows whose sequences have one shape.
type group struct {
	rows     Rows
	thinking *thinking
	begun    []bool // by row of the batch
}

// NewPolicy checks that the model fits the world.
func NewPolicy(m *Model, spec env.Spec, cfg Config) (*Policy, error) {
	cfg, err := cfg.of(m)
	if err != nil {
		return nil, err
	}
	p := &Policy{model: m, cfg: cfg, obsLen: spec.ObsLen, groups: map[Shape]*group{}}
	p.reader = func() (task.Reader, error) { return task.NewReader(m.Usage.Task, spec) }
	_, err = p.reader()
	return p, err
}

// Describe fills in who thinks and how its segments are to be read.
func (p *Policy) Describe(h *trace.Header) error {
	r, err := p.reader()
	if err == nil {
		p.model.Describe(h, p.cfg, r)
	}
	return err
}

// Segments are the segments of each row's last decision.
func (p *Policy) Segments() []int32 { return p.segments }

// Sleep implements agent.Sleeper.
func (p *Policy) Sleep(rows []bool) { p.asleep = rows }

// Force makes the next decision of row take so many segments, whatever the rule says.
func (p *Policy) Force(row, segments int) {
	for len(p.forced) <= row {
		p.forced = append(p.forced, 0)
	}
	p.forced[row] = segments
}

// Copy makes row to remember what row from does: what it carries, and what it would draw next.
func (p *Policy) Copy(to, from int) error {
	if err := p.grow(max(to, from) + 1); err != nil {
		return err
	}
	*p.random[to] = *p.random[from]
	for _, g := range p.groups {
		if g.begun[to] = g.begun[from]; !g.begun[to] || !p.cfg.KeepCarry {
			continue
		}
		if err := g.rows.Begin(to, p.inputs[from]); err != nil {
			return err
		}
		m, err := g.rows.Save(from)
		if err != nil {
			return err
		}
		if err := g.rows.Load(to, m); err != nil {
			return err
		}
	}
	return nil
}

// Close frees what the policy remembers; the model stays its owner's.
func (p *Policy) Close() error {
	var errs []error
	for _, g := range p.groups {
		errs = append(errs, g.rows.Close())
	}
	clear(p.groups)
	p.shapes = nil
	return errors.Join(errs...)
}

// Act implements agent.Policy.
func (p *Policy) Act(ctx context.Context, actions []int32, obs []byte, fresh []bool, thought [][]trace.Segment) error {
	n := len(actions)
	if err := p.grow(n); err != nil {
		return err
	}
	p.segments = append(p.segments[:0], make([]int32, n)...)
	for _, g := range p.groups {
		g.thinking.reset()
	}
	for i := range n {
		if i < len(p.asleep) && p.asleep[i] {
			actions[i] = 0
			continue
		}
		if err := p.look(i, n, obs[i*p.obsLen:(i+1)*p.obsLen], fresh[i]); err != nil {
			return err
		}
	}
	for _, shape := range p.shapes {
		if err := p.think(ctx, p.groups[shape], shape, actions, thought); err != nil {
			return err
		}
	}
	return nil
}

// grow makes room for n rows.
func (p *Policy) grow(n int) error {
	for len(p.readers) < n {
		r, err := p.reader()
		if err != nil {
			return err
		}
		p.readers, p.inputs = append(p.readers, r), append(p.inputs, Input{})
		p.random, p.said = append(p.random, rand.NewPCG(p.cfg.SampleSeed, uint64(len(p.random)))), append(p.said, 0)
	}
	return nil
}

// look gives row i of n something to think about.
func (p *Policy) look(i, n int, obs []byte, fresh bool) error {
	in := &p.inputs[i]
	var rows, cols int
	in.Tokens, rows, cols = p.readers[i].Tokens(in.Tokens[:0], obs)
	if err := p.model.Core.Spec().check(*in); err != nil {
		return fmt.Errorf("policy: row %d: %w", i, err)
	}
	shape := Shape{len(in.Tokens), rows, cols}
	g := p.groups[shape]
	if g == nil {
		all := n * p.cfg.thoughts()
		opened, err := p.model.Core.Open(all, shape)
		if err != nil {
			return err
		}
		g = &group{rows: opened, thinking: p.model.thinking(opened, all, p.cfg), begun: make([]bool, n)}
		if p.cfg.Stop == StopEntropy || p.cfg.Stop == StopUnchanged {
			g.thinking.stop = p.enough
		}
		p.groups[shape] = g
		p.shapes = append(p.shapes, shape)
		if len(p.groups) > 1 && p.cfg.KeepCarry {
			return errors.New("policy: worlds of two shapes cannot keep their carries together")
		}
	}
	many := p.cfg.thoughts()
	mine := make([]int, 0, many)
	for k := range many {
		mine = append(mine, i*many+k)
	}
	turn := p.cfg.KeepCarry && !fresh && g.begun[i]
	g.begun[i] = true
	if err := g.thinking.begin(i, 0, mine, *in, turn); err != nil {
		return err
	}
	p.said[i] = -1
	if p.cfg.Stop == StopUniform { // drawn for decisions that are forced as well, so that branches draw alike
		most := 1 + rand.New(p.random[i]).IntN(p.cfg.Halting.MaxSegments)
		for _, row := range mine {
			g.thinking.force(row, most)
		}
	}
	if fresh && p.cfg.First > 0 && (i >= len(p.forced) || p.forced[i] == 0) {
		p.Force(i, p.cfg.First)
	}
	if i < len(p.forced) && p.forced[i] > 0 {
		for _, row := range mine {
			g.thinking.force(row, p.forced[i])
		}
		p.forced[i] = 0
	}
	return nil
}

// think lets the rows of g think until they halt, and reads their actions.
func (p *Policy) think(ctx context.Context, g *group, shape Shape, actions []int32, thought [][]trace.Segment) error {
	g.thinking.follow = thought != nil
	for len(g.thinking.active) > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := g.thinking.segment(func(th *Thought) error {
			i := th.Job
			if thought != nil {
				var s trace.Segment
				if err := p.model.describe(&s, p.readers[i], p.inputs[i], shape, th); err != nil {
					return err
				}
				thought[i] = append(thought[i], s)
			}
			if th.Halted {
				actions[i] = int32(p.action(i, th.Logits))
				p.segments[i] = int32(th.Total)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// enough reports whether a decision is clear enough for Config.Stop.
func (p *Policy) enough(th *Thought) bool {
	if p.cfg.Stop == StopEntropy {
		p.probs = task.Softmax(p.probs, th.Logits)
		nats := 0.0
		for _, q := range p.probs {
			if q > 0 {
				nats -= float64(q) * math.Log(float64(q))
			}
		}
		return nats < p.cfg.Entropy
	}
	before := p.said[th.Job]
	p.said[th.Job] = p.readers[th.Job].Action(th.Logits)
	return p.said[th.Job] == before
}

// action is what row i does after a thought that said logits.
func (p *Policy) action(i int, logits []float32) int {
	if !p.cfg.Sample {
		return p.readers[i].Action(logits)
	}
	p.probs = task.Softmax(p.probs, logits)
	u := rand.New(p.random[i]).Float32()
	for a, q := range p.probs {
		if u -= q; u < 0 {
			return a
		}
	}
	return p.readers[i].Action(logits) // the probabilities sum to less than 1 by rounding
}
