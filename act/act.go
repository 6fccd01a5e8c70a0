package act

import (
	"errors"
	"fmt"
)

// A Rule says when a row halts before its last segment.
type Rule uint8

// The rules. Comparisons are strict: a tie continues, and so does a logit that is not a number.
const (
	HaltOverContinue Rule = iota // q_halt > q_continue: HRM in training
	HaltAbove                    // q_halt > Config.Threshold: TRM in training, with 0
	Never                        // always MaxSegments: the published evaluation
)

var ruleNames = [...]string{"halt-over-continue", "halt-above", "never"}

func (r Rule) String() string {
	if int(r) < len(ruleNames) {
		return ruleNames[r]
	}
	return fmt.Sprintf("Rule(%d)", uint8(r))
}

// MarshalText and UnmarshalText use the names of String, in configurations and flags.
func (r Rule) MarshalText() ([]byte, error) {
	if int(r) >= len(ruleNames) {
		return nil, fmt.Errorf("act: no halting rule %d", uint8(r))
	}
	return []byte(r.String()), nil
}

func (r *Rule) UnmarshalText(text []byte) error {
	for i, name := range ruleNames {
		if name == string(text) {
			*r = Rule(i)
			return nil
		}
	}
	return fmt.Errorf("act: no halting rule %q, want one of %q", text, ruleNames)
}

// A Config describes halting.
type Config struct {
	MaxSegments     int     `json:"max_segments"`     // M_max, at least 1; required
	ExplorationProb float64 `json:"exploration_prob"` // chance of a minimum in [2, MaxSegments]; 0 means never, as does a MaxSegments of 1
	Rule            Rule    `json:"rule"`             // the zero value is HaltOverContinue, as HRM
	Threshold       float32 `json:"threshold"`        // logit that HaltAbove compares with; TRM: 0
}

// MostSegments bounds Config.MaxSegments; published networks think 16.
const MostSegments = 1 << 12

// Check reports every problem of c at once.
func (c Config) Check() error {
	var errs []error
	if c.MaxSegments < 1 || c.MaxSegments > MostSegments {
		errs = append(errs, fmt.Errorf("act: MaxSegments is %d, want 1 to %d", c.MaxSegments, MostSegments))
	}
	if !(c.ExplorationProb >= 0 && c.ExplorationProb <= 1) {
		errs = append(errs, fmt.Errorf("act: ExplorationProb is %v, want 0 to 1", c.ExplorationProb))
	}
	if int(c.Rule) >= len(ruleNames) {
		errs = append(errs, fmt.Errorf("act: no halting rule %d", c.Rule))
	}
	if c.Threshold != c.Threshold {
		errs = append(errs, errors.New("act: Threshold is not a number"))
	}
	return errors.Join(errs...)
}

// Content reports whether the logits of one row ask to halt, however many segments it had.
func (c Config) Content(halt, cont float32) bool {
	switch c.Rule {
	case HaltOverContinue:
		return halt > cont
	case HaltAbove:
		return halt > c.Threshold
	}
	return false
}

// Halts reports whether a sequence halts after its given segment, counted from 1, without
// exploration: what a Halter decides in evaluation, for callers who keep count themselves.
func (c Config) Halts(segment int, halt, cont float32) bool {
	return segment >= c.MaxSegments || c.Content(halt, cont)
}

// Q holds the logits of the Q head, before the sigmoid, one a row. Continue is needed by
// HaltOverContinue only.
type Q struct {
	Halt, Continue []float32
}

// A Halter keeps the segment counts of a batch of rows, each thinking about a sequence of its own.
type Halter struct {
	cfg      Config
	draws    Draws
	segments []int32
	minimum  []int32
	halted   []bool
	all      []int     // 0, 1, ..., rows-1
	uniform  []float32 // scratch
	integer  []int32   // scratch
}

// New returns a Halter all of whose rows are halted, that is, ready for a new sequence. It reports
// every problem of cfg at once. draws may be nil if nothing is explored, as in evaluation.
func New(cfg Config, rows int, draws Draws) (*Halter, error) {
	err := cfg.Check()
	if rows < 1 {
		err = errors.Join(err, fmt.Errorf("act: %d rows, want at least 1", rows))
	}
	if cfg.ExplorationProb > 0 && cfg.MaxSegments > 1 && draws == nil {
		err = errors.Join(err, fmt.Errorf("act: ExplorationProb %v needs draws; evaluation sets it to 0", cfg.ExplorationProb))
	}
	if err != nil {
		return nil, err
	}
	h := &Halter{
		cfg:      cfg,
		draws:    draws,
		segments: make([]int32, rows),
		minimum:  make([]int32, rows),
		halted:   make([]bool, rows),
		all:      make([]int, rows),
		uniform:  make([]float32, rows),
		integer:  make([]int32, rows),
	}
	for b := range h.all {
		h.all[b] = b
	}
	h.Reset()
	return h, nil
}

// Config returns what New was given.
func (h *Halter) Config() Config { return h.cfg }

// Rows is the number of rows.
func (h *Halter) Rows() int { return len(h.all) }

// Step takes the logits of one segment of every row and decides which rows halt. A row that was
// halted before has begun a new sequence with this segment.
//
// It panics if q does not have a logit for each row.
func (h *Halter) Step(q Q) { h.StepRows(h.all, q) }

// StepRows is Step for some of the rows: q.Halt[i] belongs to rows[i], other rows stay as they are.
// In each call, if there are draws and MaxSegments is above 1, len(rows) uniforms are drawn, then
// len(rows) integers, whether they are needed or not, as the reference does.
func (h *Halter) StepRows(rows []int, q Q) {
	n := len(rows)
	if len(q.Halt) != n || h.cfg.Rule == HaltOverContinue && len(q.Continue) != n {
		panic(fmt.Sprintf("act: %d and %d logits for %d rows under the rule %v", len(q.Halt), len(q.Continue), n, h.cfg.Rule))
	}
	explore := h.draws != nil && h.cfg.MaxSegments > 1
	if explore {
		h.draws.Uniforms(h.uniform[:n])
		h.draws.Integers(h.integer[:n], 2, int32(h.cfg.MaxSegments))
	}
	for i, b := range rows {
		if h.halted[b] {
			h.segments[b] = 0
		}
		h.segments[b]++
		// The minimum is drawn anew at every segment, not once a sequence, as in hrm_act_v1.py
		// (docs/deviations.md, ACT-1).
		h.minimum[b] = 0
		if explore && h.uniform[i] < float32(h.cfg.ExplorationProb) {
			h.minimum[b] = h.integer[i]
		}
		var cont float32
		if h.cfg.Rule == HaltOverContinue {
			cont = q.Continue[i]
		}
		h.halted[b] = h.last(b) || h.cfg.Content(q.Halt[i], cont) && h.segments[b] >= h.minimum[b]
	}
}

func (h *Halter) last(b int) bool { return h.segments[b] >= int32(h.cfg.MaxSegments) }

// Halted says of each row whether it has halted, so that it is to be filled anew and its carry to
// be reset before the next segment. It is true of all rows at the beginning. The slice is valid
// until the next Step and must not be changed.
func (h *Halter) Halted() []bool { return h.halted }

// Segments counts the segments of each row's sequence so far, 0 before the first. The slice is
// valid until the next Step and must not be changed.
func (h *Halter) Segments() []int32 { return h.segments }

// MinSegments is the minimum drawn for each row in the last Step, 0 where none was. The slice is
// valid until the next Step and must not be changed.
func (h *Halter) MinSegments() []int32 { return h.minimum }

// AppendLast appends for each row whether its last Step was segment MaxSegments, which is what
// AppendTargets asks for.
func (h *Halter) AppendLast(dst []bool) []bool {
	for b := range h.all {
		dst = append(dst, h.last(b))
	}
	return dst
}

// Compact appends the rows that still think, in ascending order: what StepRows is to be called
// with next if halted rows wait for the others instead of being refilled.
func (h *Halter) Compact(dst []int) []int {
	for b, halted := range h.halted {
		if !halted {
			dst = append(dst, b)
		}
	}
	return dst
}

// Reset makes every row halted with no segments, as New does. Draws go on where they were.
func (h *Halter) Reset() {
	for b := range h.all {
		h.ResetRow(b)
	}
}

// ResetRow makes row b halted with no segments: its next segment begins a new sequence.
func (h *Halter) ResetRow(b int) {
	h.segments[b], h.minimum[b], h.halted[b] = 0, 0, true
}
