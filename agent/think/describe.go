package think

import (
	"math"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
)

// Describe fills in who thinks and how its segments are to be read.
func (m *Model) Describe(h *trace.Header, cfg Config, r task.Reader) {
	halting := cfg.Halting
	h.Agent, h.Model, h.Engine, h.Precision = trace.Network, m.Name, m.Engine, m.Precision.Name
	h.MaxSegments, h.Rule, h.Threshold = halting.MaxSegments, halting.Rule.String(), halting.Threshold
	h.Answer, h.Levels = r.Answer(), nil
	for _, l := range m.Core.Spec().Levels {
		h.Levels = append(h.Levels, l.Name)
	}
}

// describe fills g, what a trace keeps of a thought about in: the answer as the reader sees it, and what changed in the
// state.
func (m *Model) describe(g *trace.Segment, r task.Reader, in Input, shape Shape, th *Thought) error {
	planes, err := m.planes(in, shape)
	if err != nil {
		return err
	}
	state, err := th.State()
	if err != nil {
		return err
	}
	g.Halted = th.Halted
	if m.Usage.foresees() {
		g.QHalt = th.QHalt
	}
	if !m.Usage.NoContinue {
		g.QContinue = th.QContinue
	}
	r.Describe(g, th.Logits)
	for k, l := range m.Core.Spec().Levels {
		var old []float32
		if th.Segment > 1 {
			old = th.before[k]
		}
		g.Levels = append(g.Levels, trace.Level{Change: change(r, state[k], old, l), Path: planes[k].at(mean(state[k], l.Width))})
	}
	return nil
}

// change is how much each cell's part of z moved, the root mean square over its width; of the first
// segment how large it is. Of several positions of a cell it is the one that moved most.
func change(r task.Reader, z, before []float32, l Level) []float32 {
	if r.Cells() == 0 { // the state is not of cells
		return nil
	}
	moved := make([]float32, r.Cells())
	for p := l.Prefix; p < len(z)/l.Width; p++ {
		sum := 0.0
		for i := p * l.Width; i < (p+1)*l.Width; i++ {
			x := float64(z[i])
			if before != nil {
				x -= float64(before[i])
			}
			sum += x * x
		}
		token := p - l.Prefix
		if l.Planes {
			token %= r.Cells()
		}
		cell := r.Cell(token)
		moved[cell] = max(moved[cell], float32(math.Sqrt(sum/float64(l.Width))))
	}
	return moved
}
