//go:build cgo && !notorch

package learn

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
	"github.com/sugarme/gotch/ts"
)

// LoopConfig says how a Loop learns. The zero values are the published HRM's but for Halting, which
// is required.
type LoopConfig struct {
	Halting      act.Config `json:"halting"`
	Loss         LossKind   `json:"loss"`         // "" means Stablemax
	NoContinue   bool       `json:"no_continue"`  // no Q-learning of q_continue and no second forward pass (TRM)
	Unanswerable bool       `json:"unanswerable"` // q_continue says instead whether the question has no right answer (puzzle.NoAnswer); with NoContinue
	StartNoise   float64    `json:"start_noise"`  // standard deviation of what is added to the start of every second row
	Judge        task.Judge `json:"-"`            // what counts as exact, for halting and metrics; nil means every cell
	Unroll       int        `json:"-"`            // segments of a step with gradients, through all of which they flow; 0 means 1
	Evaluate     bool       `json:"-"`            // halting and losses of the reference's evaluation
}

// A Loop is deep supervision over a batch of rows: each segment is thought and learned from, and
// afterwards the rows that halted are ready for new tasks. An Optimizer applies what it computes:
//
//	g, res, err := loop.Gradients(fill)
//	…
//	err = opt.Apply(g)
//	g.Close()
type Loop struct {
	cfg    LoopConfig
	net    hrm.Network
	halter *act.Halter
	carry  hrm.Carry
	batch  puzzle.Batch // what the rows think about
	Grid   [2]int       // rows and columns, if they are not the model's own
	Noise  *rand.Rand   // where StartNoise is drawn from

	// Inspect, if not nil, sees every segment before its gradients are computed, while its tensors
	// live. It may change Call.Total.
	Inspect func(s *torch.Scope, c *Call)
}

// A Fill writes a task for a row, whose number it gets, and returns its puzzle identifier.
type Fill func(row int, in, label []int32) (id int32, err error)

// A Call is what one segment computed.
type Call struct {
	In      hrm.Input
	Out     hrm.Output
	Carry   hrm.Carry
	Loss    Losses
	Total   *torch.Tensor // of the losses, a scalar; the gradients are those of Total / batch
	Target  []float32     // [batch] of q_continue; nil where it is not trained
	Batch   *puzzle.Batch // the current data
	Score   Score
	Metrics Metrics

	looked []torch.Lookup // of the puzzle table
}

// Losses are summed over the batch.
type Losses struct {
	LM        float64 // of the answers, averaged over each row's scored cells
	QHalt     float64
	QContinue float64
}

// Total is LM + (QHalt + QContinue)/2.
func (l Losses) Total() float64 { return l.LM + 0.5*(l.QHalt+l.QContinue) }

// A Result is a Call, or several, without their tensors.
type Result struct {
	Loss    Losses // mean over the segments
	Metrics Metrics
	Halted  []bool // in the last segment; valid until the next
	Rows    int
}

// add counts one of n segments.
func (r *Result) add(c *Call, halted []bool, n int) {
	r.Loss.LM += c.Loss.LM / float64(n)
	r.Loss.QHalt += c.Loss.QHalt / float64(n)
	r.Loss.QContinue += c.Loss.QContinue / float64(n)
	r.Metrics.Count += c.Metrics.Count
	r.Metrics.Accuracy += c.Metrics.Accuracy
	r.Metrics.ExactAccuracy += c.Metrics.ExactAccuracy
	r.Metrics.QHaltAccuracy += c.Metrics.QHaltAccuracy
	r.Metrics.Segments += c.Metrics.Segments
	r.Halted, r.Rows = halted, c.Batch.Rows
}

// NewLoop starts with all rows halted. draws may be nil if nothing is explored.
func NewLoop(n hrm.Network, cfg LoopConfig, rows, seq int, draws act.Draws) (*Loop, error) {
	if cfg.Loss == "" {
		cfg.Loss = Stablemax
	}
	if err := cfg.Loss.Check(); err != nil {
		return nil, err
	}
	if cfg.Evaluate {
		cfg.Halting.Rule, cfg.Halting.ExplorationProb, draws = act.Never, 0, nil
	}
	h, err := act.New(cfg.Halting, rows, draws)
	if err != nil {
		return nil, err
	}
	l := &Loop{cfg: cfg, net: n, halter: h}
	l.batch.Resize(rows, seq)
	return l, nil
}

// Close frees the carry.
func (l *Loop) Close() {
	l.carry.Drop()
	l.carry = nil
}

// Halter is the halting state of the rows.
func (l *Loop) Halter() *act.Halter { return l.halter }

// Segment refills the halted rows by fill and thinks one segment, without gradients.
func (l *Loop) Segment(fill Fill) (Result, error) {
	return l.segments(fill, torch.NoGrad, 1, nil)
}

// Gradients is LoopConfig.Unroll times Segment with the gradients of the mean of their losses over the batch and the
// segments, which are the caller's to close. A loss that is not a number is an error.
func (l *Loop) Gradients(fill Fill) (g *Gradients, res Result, err error) {
	n := max(l.cfg.Unroll, 1)
	res, err = l.segments(fill, torch.Grad, n, func(s *torch.Scope, total *torch.Tensor, looked []torch.Lookup) {
		g = Differentiate(s, l.net.Params(), s.Scale(total, 1/float64(n*l.batch.Rows)), looked...)
	})
	return g, res, err
}

// segments thinks n segments and hands the sum of their losses to then, which may be nil, while its tensors live.
func (l *Loop) segments(fill Fill, mode torch.Mode, n int, then func(s *torch.Scope, total *torch.Tensor, looked []torch.Lookup)) (res Result, err error) {
	var next hrm.Carry
	var bad error
	err = torch.Do(mode, func(s *torch.Scope) {
		carry := l.carry
		var total *torch.Tensor
		var looked []torch.Lookup
		for range n {
			if bad = l.refill(fill); bad != nil {
				return
			}
			c := Call{Batch: &l.batch}
			l.think(s, &c, carry, mode == torch.Grad)
			l.lose(s, &c)
			if l.Inspect != nil {
				l.Inspect(s, &c)
			}
			res.add(&c, l.halter.Halted(), n)
			if bad = run.CheckFinite("loss", torch.Read[float64](nil, c.Total)[0], l.rows); bad != nil {
				return
			}
			carry, looked = c.Carry, append(looked, c.looked...)
			if total == nil {
				total = c.Total
			} else {
				total = s.Add(total, c.Total)
			}
		}
		if then != nil {
			then(s, total, looked)
		}
		next = carry.Detach(s).Keep(s)
	})
	if err = errors.Join(err, bad); err != nil {
		return res, err
	}
	l.carry.Drop()
	l.carry = next
	return res, nil
}

// refill asks for new tasks for the rows that halted.
func (l *Loop) refill(fill Fill) error {
	b := &l.batch
	for i, halted := range l.halter.Halted() {
		if !halted {
			continue
		}
		in, label := b.Row(i)
		id, err := fill(i, in, label)
		if err == nil {
			err = l.check(in, label, id)
		}
		if err != nil {
			return err
		}
		b.IDs[i] = id
	}
	return nil
}

// check reports the first value of a row that the network or its loss has no place for.
func (l *Loop) check(in, label []int32, id int32) error {
	if err := checkInput(l.net.Spec(), in, id); err != nil {
		return err
	}
	sp := l.net.Spec()
	outputs := sp.Outputs
	if sp.Symbols != 0 {
		outputs = sp.Tokens(len(in))
	}
	limit := l.cfg.Loss.labels(outputs)
	for t, v := range label {
		if v != puzzle.Ignore && v != puzzle.NoAnswer && (v < 0 || int(v) >= limit) {
			return fmt.Errorf("label, cell %d: %d, want one in [0, %d)", t, v, limit)
		}
	}
	return nil
}

// checkInput reports the first token, or the puzzle identifier, that the network has no vector for.
// libtorch would find it too, but only on a CPU and without saying where.
func checkInput(sp hrm.Spec, in []int32, id int32) error {
	vocab := sp.Tokens(len(in))
	for t, v := range in {
		if v < 0 || int(v) >= vocab {
			return fmt.Errorf("input, cell %d: %d, want a token in [0, %d)", t, v, vocab)
		}
	}
	if sp.IDs > 0 && (id < 0 || int(id) >= sp.IDs) {
		return fmt.Errorf("puzzle identifier %d, want one in [0, %d)", id, sp.IDs)
	}
	return nil
}

// think computes everything of c but its losses, from carry on; if record is set, so that they can be differentiated.
func (l *Loop) think(s *torch.Scope, c *Call, carry hrm.Carry, record bool) {
	b, n := c.Batch, l.net
	c.In = input(s, n.Params().Device(), n.Spec(), b, l.Grid)
	if record && c.In.PuzzleIDs != nil {
		c.looked = []torch.Lookup{n.Params().Lookup(s, hrm.PuzzleTable, c.In.PuzzleIDs)}
		c.In.PuzzleRows = c.looked[0].Rows
	}
	mode := torch.NoGrad
	if record && l.cfg.Unroll > 1 {
		mode = torch.Grad // of the segment before
	}
	s.Do(mode, func(t *torch.Scope) {
		if carry == nil {
			carry = n.Start(t, b.Rows, b.Seq)
		} else {
			carry = n.Reset(t, carry, l.halter.Halted())
		}
		if l.cfg.StartNoise > 0 {
			t.Do(torch.NoGrad, func(t *torch.Scope) { l.disturb(t, carry) }) // in place: Start and Reset made it anew
		}
		carry = carry.Lend(t, s)
	})
	c.Carry, c.Out = n.Segment(s, carry, c.In)

	q := act.Q{Halt: s.ReadFloats(nil, c.Out.QHalt), Continue: s.ReadFloats(nil, c.Out.QContinue)}
	pred := torch.Read[int32](nil, s.Argmax(c.Out.Logits))
	c.Score = l.cfg.Loss.Compare(pred, b.Labels, b.Rows)
	if l.cfg.Judge != nil {
		for i := range b.Rows {
			in, label := b.Row(i)
			c.Score.Exact[i] = !c.Score.Unanswerable[i] && l.cfg.Judge(in, label, pred[i*b.Seq:(i+1)*b.Seq])
		}
	}
	l.halter.Step(q)
	c.Metrics.Add(c.Score, l.halter.Halted(), l.halter.Segments(), q.Halt)

	if !l.cfg.Evaluate && !l.cfg.NoContinue && l.cfg.Halting.MaxSegments > 1 {
		s.Do(torch.NoGrad, func(t *torch.Scope) {
			again := c.In
			again.PuzzleRows = nil
			_, out := n.Segment(t, c.Carry, again)
			nextQ := act.Q{Halt: t.ReadFloats(nil, out.QHalt), Continue: t.ReadFloats(nil, out.QContinue)}
			c.Target = act.AppendTargets(nil, nextQ, l.halter.AppendLast(nil))
		})
	}
	if l.cfg.Unanswerable {
		c.Target = bools(c.Score.Unanswerable)
	}
}

// disturb adds noise, in place, to the start of half of the rows that begin, so that the network learns to
// think from many starting points (and thoughts that are to be compared may begin at different ones).
func (l *Loop) disturb(s *torch.Scope, c hrm.Carry) {
	for i, fresh := range l.halter.Halted() {
		if !fresh || l.Noise.IntN(2) == 0 {
			continue
		}
		for _, z := range c {
			row := s.Narrow(z, 0, int64(i), 1)
			x := s.ReadFloats(nil, row)
			for j := range x {
				x[j] += float32(l.cfg.StartNoise * l.Noise.NormFloat64())
			}
			torch.Write(row, x)
		}
	}
}

// lose computes the losses.
func (l *Loop) lose(s *torch.Scope, c *Call) {
	dev, rows := l.net.Params().Device(), int64(c.Batch.Rows)
	lm := answerLoss(s, dev, l.cfg.Loss, c.Out.Logits, c.Batch.Labels, c.Score)
	halt := binaryLoss(s, c.Out.QHalt, torch.From(s, dev, bools(c.Score.Exact), rows))
	c.Total = s.Add(lm, s.Scale(halt, 0.5))
	c.Loss = Losses{LM: torch.Read[float64](nil, lm)[0], QHalt: torch.Read[float64](nil, halt)[0]}
	if c.Target != nil {
		cont := binaryLoss(s, c.Out.QContinue, torch.From(s, dev, c.Target, rows))
		c.Total = s.Add(c.Total, s.Scale(cont, 0.5))
		c.Loss.QContinue = torch.Read[float64](nil, cont)[0]
	}
}

// input uploads a batch.
func input(s *torch.Scope, dev torch.Device, sp hrm.Spec, b *puzzle.Batch, grid [2]int) hrm.Input {
	in := hrm.Input{
		Tokens: s.To(torch.From(s, dev, b.Inputs, int64(b.Rows), int64(b.Seq)), torch.Int64),
		Rows:   grid[0], Cols: grid[1],
	}
	if sp.IDs > 0 {
		in.PuzzleIDs = s.To(torch.From(s, dev, b.IDs, int64(b.Rows)), torch.Int64)
	}
	return in
}

// answerLoss is the sum over rows of the mean loss of each row's scored cells.
func answerLoss(s *torch.Scope, dev torch.Device, kind LossKind, logits *torch.Tensor, labels []int32, sc Score) *torch.Tensor {
	outputs := torch.Shape(logits)[2]
	n := int64(len(labels))
	w := torch.From(s, dev, weights(labels, sc), n)
	x := s.Reshape(s.To(logits, torch.Float32), n, outputs)
	var loss *torch.Tensor
	switch kind {
	case Softmax:
		x = s.Own(x.LogSoftmax(-1, torch.Float32, false))
		loss = s.Scale(pick(s, dev, x, labels), -1)
	case Stablemax:
		x = stable(s, s.To(x, torch.Float64))
		sum := s.Own(x.SumDimIntlist([]int64{-1}, false, torch.Float64, false))
		p := s.Own(pick(s, dev, x, labels).Div(sum, false))
		loss = s.Scale(s.Own(p.Log(false)), -1)
		w = s.To(w, torch.Float64)
	case AnyOf:
		e := torch.From(s, dev, exclusions(labels, int(outputs)), n, outputs)
		all := s.Own(x.Logsumexp([]int64{-1}, false, false))
		right := s.Own(s.Add(x, e).Logsumexp([]int64{-1}, false, false))
		loss = s.Sub(all, right)
	}
	return s.Sum(s.Mul(loss, w))
}

// pick is the entry of each row [n, classes] at its label: [n].
func pick(s *torch.Scope, dev torch.Device, x *torch.Tensor, labels []int32) *torch.Tensor {
	n := int64(len(labels))
	ids := torch.From(s, dev, classes(labels), n, 1)
	return s.Reshape(s.Own(x.Gather(-1, ids, false, false)), n)
}

// stable is s(x): x + 1 for x ≥ 0, 1 / (1 - x + 1e-30) below.
func stable(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	zero, one := ts.FloatScalar(0), ts.FloatScalar(1)
	defer zero.Drop()
	defer one.Drop()
	below := s.Own(x.Lt(zero, false))
	up := s.Own(x.AddScalar(one, false))
	tiny := ts.FloatScalar(1e-30)
	defer tiny.Drop()
	// 1e-30 comes last: where x is 1, as logits of bfloat16 often are, 1/0 would make the gradient of the branch that is not
	// taken a NaN.
	down := s.Own(s.Own(s.Own(s.Scale(x, -1).AddScalar(one, false)).AddScalar(tiny, false)).Reciprocal(false))
	return s.Own(down.WhereSelf(below, up, false))
}

// binaryLoss is the sum of the binary cross entropies of sigmoid(x) against targets: softplus(x) - x·t.
func binaryLoss(s *torch.Scope, x, target *torch.Tensor) *torch.Tensor {
	return s.Sum(s.Sub(s.Own(x.Softplus(false)), s.Mul(x, target)))
}
