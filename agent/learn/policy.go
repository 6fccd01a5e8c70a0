//go:build cgo && !notorch

package learn

import (
	"context"
	"fmt"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// A PolicyConfig says how a network acts. The zero value halts as the network was trained to and
// starts every decision afresh.
type PolicyConfig struct {
	Halting   act.Config // MaxSegments 0 means the network's own Evaluation
	KeepCarry bool       // start a decision where the last one of the episode ended
	Restarts  int        // of a decision, see Thinker; not with KeepCarry
}

// A Policy is a network acting in a batch of worlds: it encodes what it sees, thinks until its halting
// rule is content, and does what the answer says. It implements agent.Policy,
// agent.Thinker and agent.Sleeper.
type Policy struct {
	net      *Net
	cfg      PolicyConfig
	obsLen   int
	reader   func() (task.Reader, error)
	readers  []task.Reader
	segments []int32
	memory   Memory
	describe []describer
	asleep   []bool // rows to leave out; nil for none
}

// NewPolicy checks that the network fits the world.
func NewPolicy(n *Net, spec env.Spec, cfg PolicyConfig) (*Policy, error) {
	if cfg.Halting.MaxSegments == 0 {
		cfg.Halting = n.Recipe.Evaluation
	}
	cfg.Halting.ExplorationProb = 0
	if err := cfg.Halting.Validate(); err != nil {
		return nil, err
	}
	p := &Policy{net: n, cfg: cfg, obsLen: spec.ObsLen}
	p.reader = func() (task.Reader, error) { return task.NewReader(n.Recipe.Task, spec) }
	_, err := p.reader()
	return p, err
}

// Segments are the segments of each row's last decision.
func (p *Policy) Segments() []int32 { return p.segments }

// Sleep implements agent.Sleeper.
func (p *Policy) Sleep(rows []bool) { p.asleep = rows }

// Close frees what the policy remembers; the network stays its owner's.
func (p *Policy) Close() { p.memory.Close() }

// Act implements agent.Policy. Rows whose grids differ in shape cannot act together.
func (p *Policy) Act(ctx context.Context, actions []int32, obs []byte, fresh []bool, thought [][]trace.Segment) error {
	n := len(actions)
	for len(p.readers) < n {
		r, err := p.reader()
		if err != nil {
			return err
		}
		p.readers = append(p.readers, r)
		p.describe = append(p.describe, describer{})
	}
	p.segments = append(p.segments[:0], make([]int32, n)...)
	// Rows of one shape think together: a maze without an outer wall is larger by it.
	groups := map[[2]int][]int{}
	tokens := make([][]int32, n)
	for i := range n {
		if i < len(p.asleep) && p.asleep[i] {
			actions[i] = 0
			continue
		}
		var rows, cols int
		tokens[i], rows, cols = p.readers[i].Tokens(nil, obs[i*p.obsLen:(i+1)*p.obsLen])
		if thought != nil {
			if err := p.net.calibrate(tokens[i], rows, cols); err != nil {
				return err
			}
		}
		groups[[2]int{rows, cols}] = append(groups[[2]int{rows, cols}], i)
		if fresh[i] {
			p.memory.Forget(i)
		}
	}
	if len(groups) > 1 && p.cfg.KeepCarry {
		return fmt.Errorf("policy: worlds of %d shapes cannot keep their carries together", len(groups))
	}
	for shape, rows := range groups {
		t := Thinker{Model: p.net.Model, Halting: p.cfg.Halting, Restarts: p.cfg.Restarts, Slots: len(rows), Rows: shape[0], Cols: shape[1]}
		if p.cfg.KeepCarry {
			t.Memory = &p.memory
		}
		next := 0
		err := t.Run(ctx, shape[0]*shape[1], func(in []int32) (int32, bool, error) {
			if next == len(rows) {
				return 0, false, nil
			}
			copy(in, tokens[rows[next]])
			next++
			return 0, true, nil
		}, func(th *Thought) error {
			i := rows[th.Job]
			if thought != nil {
				var g trace.Segment
				p.describe[i].segment(&g, p.readers[i], p.net, th)
				thought[i] = append(thought[i], g)
			}
			if th.Halted {
				actions[i] = int32(p.readers[i].Action(th.Logits))
				p.segments[i] = int32(th.Segment)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// A describer turns thoughts of one sequence into what a trace keeps.
type describer struct {
	zh, zl []float32 // of the segment before
}

// segment fills g: the answer as the reader sees it, and what changed in z_H and z_L.
func (d *describer) segment(g *trace.Segment, r task.Reader, n *Net, th *Thought) {
	g.QHalt, g.Halted = th.QHalt, th.Halted
	if !n.Recipe.NoContinue {
		g.QContinue = th.QContinue
	}
	r.Describe(g, th.Logits)
	hidden, prefix := n.Model.Config().Hidden, n.Model.Config().Prefix()
	zh, zl := th.State()
	if th.Segment == 1 {
		d.zh, d.zl = nil, nil
	}
	g.Levels = []trace.Level{
		{Change: change(r, zh, d.zh, hidden, prefix), Path: n.planes.h.at(mean(zh, hidden))},
		{Change: change(r, zl, d.zl, hidden, prefix), Path: n.planes.l.at(mean(zl, hidden))},
	}
	d.zh, d.zl = zh, zl
}

// change is how much each cell's part of z moved.
func change(r task.Reader, z, before []float32, hidden, prefix int) []float32 {
	norm := make([]float32, r.Cells())
	for p := prefix; p < len(z)/hidden; p++ {
		sum := 0.0
		for i, x := range z[p*hidden : (p+1)*hidden] {
			if before != nil {
				x -= before[p*hidden+i]
			}
			sum += float64(x) * float64(x)
		}
		norm[r.Cell(p-prefix)] = float32(sqrt(sum / float64(hidden)))
	}
	return norm
}
