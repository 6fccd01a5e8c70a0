package verify

import (
	"fmt"
	"strings"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/engine"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/reference"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// goEngine is package engine.
type goEngine struct{}

// Go is the engine without libtorch. It does not train: losses, gradients, weights after a step and what
// follows from them are reported as not its own. What was recorded in bfloat16 it computes in float32.
func Go() Engine { return goEngine{} }

// Name implements Engine.
func (goEngine) Name() string { return "go" }

// thinking is a batch of rows under way.
type thinking struct {
	rows  *engine.Rows
	all   []int
	batch puzzle.Batch
	out   think.Output
}

func begin(cfg arch.Config, weights map[string]safetensors.Tensor, rows int) (*thinking, error) {
	m, err := engine.New(cfg, weights)
	if err != nil {
		return nil, err
	}
	t := &thinking{}
	if t.rows, err = m.Rows(rows, m.Spec().Shape); err != nil {
		return nil, err
	}
	t.batch.Resize(rows, cfg.Seq)
	for i := range rows {
		t.all = append(t.all, i)
	}
	return t, nil
}

// refill begins the rows that halted anew with those of b.
func (t *thinking) refill(b batch, halted []bool) error {
	fill := b.fill(t.batch.Seq)
	for i := range t.all {
		if !halted[i] {
			continue
		}
		in, label := t.batch.Row(i)
		t.batch.IDs[i], _ = fill(i, in, label)
		if err := t.rows.Begin(i, think.Input{Tokens: in, ID: t.batch.IDs[i]}); err != nil {
			return err
		}
	}
	return nil
}

// states are those of all rows, a slice a level.
func (t *thinking) states() ([][]float64, error) {
	var out [][]float64
	for i := range t.all {
		m, err := t.rows.Save(i)
		if err != nil {
			return nil, err
		}
		for k, z := range m {
			if k == len(out) {
				out = append(out, nil)
			}
			out[k] = append(out[k], widen(z)...)
		}
	}
	return out, nil
}

// calls implements Engine.
func (goEngine) calls(p *parity, weights map[string]safetensors.Tensor, trm bool) error {
	loss, err := p.loss()
	if err != nil {
		return err
	}
	draws, err := p.draws()
	if err != nil {
		return err
	}
	halt, calls := p.Halting, p.run.Calls
	switch p.run.Kind {
	case "eval":
		halt.Rule, halt.ExplorationProb = act.Never, 0
	case "train_halting":
	case "train_grad":
		calls = 1 // the others have other weights
	default:
		return fmt.Errorf("kind %q is unknown", p.run.Kind)
	}
	halter, err := act.New(halt, p.run.BatchSize, draws)
	if err != nil {
		return err
	}
	t, err := begin(p.Config, weights, p.run.BatchSize)
	if err != nil {
		return err
	}
	defer t.rows.Close()
	for k := range calls {
		if err := p.goCall(k, t, halter, loss, !trm && p.run.Kind != "eval" && halt.MaxSegments > 1); err != nil {
			return fmt.Errorf("call %d: %w", k, err)
		}
	}
	for _, key := range p.f.Names() {
		var k int
		if _, err := fmt.Sscanf(key, "call.%d.", &k); err == nil && !p.seen[key] && (k >= calls || ofTraining(key)) {
			p.foreign(key)
		}
	}
	return nil
}

// ofTraining reports whether a value of a call belongs to learning.
func ofTraining(key string) bool {
	for _, part := range []string{".loss.", ".grad.", ".grad_norm", ".param_after.", ".ema_after."} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

func (p *parity) goCall(k int, t *thinking, halter *act.Halter, loss learn.LossKind, target bool) error {
	b, err := p.batch(k)
	if err != nil {
		return err
	}
	if err := t.refill(b, halter.Halted()); err != nil {
		return err
	}
	if k == 0 {
		if err := p.goProbe(t); err != nil {
			return err
		}
	}
	if err := t.rows.Segment(t.all, &t.out); err != nil {
		return err
	}
	got := map[string][]float64{}
	got["logits"], got["q_halt_logits"], got["q_continue_logits"] = widen(t.out.Logits), widen(t.out.QHalt), widen(t.out.QContinue)
	z, err := t.states()
	if err != nil {
		return err
	}
	got["z_H"], got["z_L"] = z[0], z[1]

	score := loss.Compare(argmax(t.out.Logits, p.Config.WithDefaults().Outputs), t.batch.Labels, t.batch.Rows)
	halter.Step(act.Q{Halt: t.out.QHalt, Continue: t.out.QContinue})
	var m learn.Metrics
	m.Add(score, halter.Halted(), halter.Segments(), t.out.QHalt)
	answers(got, &t.batch, m)
	counts(got, halter)
	if target {
		next, err := t.peek()
		if err != nil {
			return err
		}
		got["target_q_continue"] = widen(act.AppendTargets(nil, next, halter.AppendLast(nil)))
	}
	return p.compareCall(k, got)
}

// peek is what the Q head would say of the next segment, which the rows do not move on to.
func (t *thinking) peek() (act.Q, error) {
	var q act.Q
	var saved []think.Memory
	for i := range t.all {
		m, err := t.rows.Save(i)
		if err != nil {
			return q, err
		}
		saved = append(saved, m)
	}
	var out think.Output
	err := t.rows.Segment(t.all, &out)
	for i := range t.all {
		if err == nil {
			err = t.rows.Load(i, saved[i])
		}
	}
	return act.Q{Halt: out.QHalt, Continue: out.QContinue}, err
}

// goProbe compares intermediate values of the next segment, the first of their kind each, which are
// collected row by row, and puts the rows back.
func (p *parity) goProbe(t *thinking) error {
	got := map[string][]float32{}
	for i := range t.all {
		count := map[string]int{}
		t.rows.Observe(func(name string, x []float32) {
			k := count[name]
			count[name]++
			if i > 0 && strings.HasPrefix(name, "rope.") {
				return // the same for all rows
			}
			if k == 0 {
				got["probe."+name] = append(got["probe."+name], x...)
			}
			key := fmt.Sprintf("probe.%s.%d", name, k)
			got[key] = append(got[key], x...)
		})
		before, err := t.rows.Save(i)
		if err == nil {
			err = t.rows.Segment(t.all[i:i+1], &t.out)
		}
		if err == nil {
			err = t.rows.Load(i, before)
		}
		if err != nil {
			return err
		}
	}
	t.rows.Observe(nil)
	for _, key := range p.f.Names() {
		if got[key] == nil || !strings.HasPrefix(key, "probe.") {
			continue
		}
		want, err := p.floats(key)
		if err != nil {
			return err
		}
		p.compare("probe", MaxAbs, forwardLimit, key, widen(got[key]), want)
	}
	return nil
}

// argmax is the class of the largest of each n logits, the first of equals.
func argmax(logits []float32, n int) []int32 {
	out := make([]int32, len(logits)/n)
	for i := range out {
		row := logits[i*n : (i+1)*n]
		for k, v := range row {
			if v > row[out[i]] {
				out[i] = int32(k)
			}
		}
	}
	return out
}

// evaluate implements Engine.
func (goEngine) evaluate(n reference.Network, weights map[string]safetensors.Tensor, b batch, calls int) ([]conclusion, error) {
	t, err := begin(n.Config, weights, len(b.ids))
	if err != nil {
		return nil, err
	}
	defer t.rows.Close()
	all := make([]bool, len(b.ids))
	for i := range all {
		all[i] = true
	}
	if err := t.refill(b, all); err != nil {
		return nil, err
	}
	var out []conclusion
	for range calls {
		if err := t.rows.Segment(t.all, &t.out); err != nil {
			return nil, err
		}
		out = append(out, conclusion{widen(t.out.Logits), widen(t.out.QHalt), widen(t.out.QContinue)})
	}
	return out, nil
}
