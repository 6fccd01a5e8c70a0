package trace

import (
	"fmt"

	"github.com/ponder-agents/ponder/env/grid"
)

// An Agent says what kind of agent acts.
type Agent string

// The kinds of agents. Whether one thinks is another matter: see Header.MaxSegments.
const (
	Network Agent = "hrm" // a model, of whatever architecture
	Oracle  Agent = "oracle"
	Chance  Agent = "random"
	Human   Agent = "human"
)

// Agents are all of them.
func Agents() []Agent { return []Agent{Network, Oracle, Chance, Human} }

// A Header describes the run that the steps of a trace belong to.
type Header struct {
	EnvID       string // id of the environment, or of the task solved
	Model       string // name or path of the model; empty for an oracle, a person or chance
	Agent       Agent
	Engine      string   // what computed the thought, "torch" or "go"; empty where there was none
	Precision   string   `json:",omitempty"` // number format of the products of thought; empty where there was none, or nobody said
	Actions     []string // names of the actions
	MaxSegments int      // most segments a decision may take; 0 for agents without thought
	Rule        string   // halting rule, as act.Rule prints
	Threshold   float32  // its threshold
	Answer      Answer   // how to read Segment.Answer
	Levels      []string // names of the parts of the network's state, the slowest first: "H", "L"
}

// check reports what no program writes, and what drawing could not bear.
func (h *Header) check() error {
	texts := append([]string{h.EnvID, h.Model, string(h.Agent), h.Engine, h.Precision, h.Rule}, append(h.Actions, h.Levels...)...)
	if h.MaxSegments < 0 || h.MaxSegments > MaxSegments {
		return fmt.Errorf("MaxSegments %d, want 0 to %d", h.MaxSegments, MaxSegments)
	}
	if len(texts) > maxNames {
		return fmt.Errorf("%d actions and levels, more than %d", len(h.Actions)+len(h.Levels), maxNames)
	}
	for _, s := range texts {
		if len(s) > maxText {
			return fmt.Errorf("a text of %d bytes, more than %d", len(s), maxText)
		}
	}
	return nil
}

// Answer says what the tokens of a segment's answer mean.
type Answer uint8

// The kinds of answer that the viewer knows how to draw over a board.
const (
	AnswerNone      Answer = iota
	AnswerPath             // 1 where the cell lies on the path
	AnswerDirection        // 0 up, 1 down, 2 left, 3 right; NoAnswer elsewhere
	AnswerDigit            // 1 to 9, of larger sudokus 16; 0 is blank
	AnswerColor            // 0 to 9, ARC's colours; NoAnswer outside of the grid
)

// NoAnswer marks a cell about which the network says nothing.
const NoAnswer uint8 = 255

// A Segment is one segment of thought of one decision.
type Segment struct {
	QHalt      float32   // logit; 0 in all segments where the model has no such head
	QContinue  float32   // logit; 0 where the model has no such head
	Halted     bool      // the thinking stopped after this segment
	Answer     []uint8   // [rows*cols] tokens, or nil
	Confidence []uint8   // [rows*cols] probability of the answer, 255 is 1; or nil
	Actions    []float32 // [actions] probability of each action, or nil
	Levels     []Level   // one for each of Header.Levels, or none
}

// A Level is what a segment did to one part of the network's state.
type Level struct {
	Change    []float32  // [rows*cols] root mean square of the state's change in this segment, or nil
	Path      [2]float32 // the state, averaged over positions, in the model's fixed 2-D projection
	Attention []uint8    // [rows*cols][rows*cols] mean over heads of the last block, 255 is the row's largest; or nil
}

// A Step is one decision: what was seen, thought and done, and what came of it.
type Step struct {
	Episode    int
	Index      int // within the episode, from 0
	Seed       uint64
	Board      grid.Board // before the action
	Thought    []Segment
	Action     int // -1 if none was taken (a puzzle's last state)
	Reward     float64
	Return     float64 // sum of rewards, this one included
	Terminated bool
	Truncated  bool
	Person     bool // a person chose the action, whoever thought
}

// A Sink takes steps. It copies what it keeps: the step is valid until Put returns.
type Sink interface {
	Put(s *Step) error
}
