package env

import (
	"image"
	"io"

	"github.com/ponder-agents/ponder/env/grid"
)

// An Env is one world. One goroutine uses it at a time.
type Env interface {
	// Spec is constant over the life of the Env.
	Spec() Spec
	// Seed starts a new random stream; Reset alone continues the one in use. An Env that was
	// never seeded behaves as if by Seed(0).
	Seed(seed uint64)
	// Reset begins an episode and writes its first observation into obs, which has
	// Spec().ObsLen bytes and belongs to the caller.
	Reset(obs []byte)
	// Step acts and writes the next observation into obs. It panics if action is not in
	// [0, len(Spec().Actions)) or the episode has ended.
	Step(action int, obs []byte) Outcome
}

// An Outcome is what one step brought.
type Outcome struct {
	Reward     float64
	Terminated bool // the task ended, well or badly
	Truncated  bool // a limit stopped it
}

// Done reports whether the episode is over.
func (o Outcome) Done() bool { return o.Terminated || o.Truncated }

// A Spec describes an Env.
type Spec struct {
	ID       string   `json:"id"`
	ObsLen   int      `json:"obs_len"`         // bytes of one observation
	Layout   []Field  `json:"layout"`          // the parts of an observation, in order
	Vocab    int      `json:"vocab"`           // every observation byte is below it
	Actions  []string `json:"actions"`         // names; an action is an index into them
	MaxSteps int      `json:"max_steps"`       // upper bound of an episode's length
	Fixed    bool     `json:"fixed,omitempty"` // nothing is drawn: every seed gives the same episodes
}

// A Field is a named part of an observation, in row-major order of its shape.
type Field struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
	Agent byte   `json:"agent,omitempty"` // of a map that does not move with the agent: the number in the cell where it stands; 0 without
	Under byte   `json:"under,omitempty"` // what would stand there if it did not
	Real  bool   `json:"real,omitempty"`  // its elements are float32s, four bytes each, the lowest first

	Symbols int `json:"symbols,omitempty"` // of a board whose actions fill it in: action cell·Symbols + i puts symbol i into the cell, where the number Spec.Vocab - Symbols + i stands for it; later actions do something else; 0 without
}

// Len is the number of bytes of the field.
func (f Field) Len() int {
	n := 1
	for _, d := range f.Shape {
		n *= d
	}
	if f.Real {
		return 4 * n
	}
	return n
}

// Map is the map that an observation is, if it is a single one that shows where the agent stands.
func (s Spec) Map() (f Field, ok bool) {
	if len(s.Layout) != 1 {
		return f, false
	}
	f = s.Layout[0]
	return f, f.Agent != 0 && len(f.Shape) == 2
}

// Board is the square board that an observation begins with, if the actions fill it in.
func (s Spec) Board() (f Field, ok bool) {
	if len(s.Layout) == 0 {
		return f, false
	}
	f = s.Layout[0]
	return f, f.Symbols > 0 && len(f.Shape) == 2 && f.Shape[0] == f.Shape[1] && len(s.Actions) >= f.Len()*f.Symbols
}

// A Snapshotter saves and restores the whole state of an Env, its random stream included, bit for
// bit. SetState leaves the Env as it was when it returns an error.
type Snapshotter interface {
	AppendState(dst []byte) []byte
	SetState(state []byte) error
}

// A Counted Env has so many levels, which the seeds go round.
type Counted interface{ Levels() int }

// An Ender tells whether its episode has ended, or none has begun.
type Ender interface{ Ended() bool }

// A Cloner makes an Env that goes on by itself from the same state.
type Cloner interface{ Clone() Env }

// A Boarder shows its state as a board, which is what a trace keeps to redraw the step.
type Boarder interface{ Board() grid.Board }

// A Painter draws itself with its family's tile art; dst's size decides the size of a tile.
type Painter interface{ Paint(dst *image.RGBA) }

// A Limiter knows the limit of the episode in progress, which Spec().MaxSteps bounds.
type Limiter interface{ Limit() int }

// A Missioner says in words what the episode asks for.
type Missioner interface{ Mission() string }

// A Masker tells which actions would change anything now. dst has one entry an action.
type Masker interface{ ActionMask(dst []bool) }

// A Leveler is loaded from and saved as the text form of its family, which its package documents.
// SetLevel starts an episode on the level, at step 0; the errors of a malformed text name line and
// column ([grid.TextError]) and leave the Env as it was.
type Leveler interface {
	Level() (string, error)
	SetLevel(text string) error
}

// An Editor can be changed by a person. Edit sets cell (x, y): value is the digit or colour typed, or
// -1 for a click, which turns the cell to the family's next. It refuses with an error of one line and
// leaves the Env as it was.
type Editor interface{ Edit(x, y, value int) error }

// A Pointer is acted in by pointing at cells, as with a mouse. Point appends the actions that do at cell (x, y) of its board
// what action does where the agent is, or with action -1 only lead there; none where there is no way.
type Pointer interface {
	Point(dst []int, x, y, action int) []int
}

// A Rehearser has demonstrations that a person can try: Rehearsal is the level, for a Leveler, in which the k-th of those
// beside its board is what is asked.
type Rehearser interface {
	Rehearsal(k int) (level string, err error)
}

// An Observer writes its present observation again, as after an Edit.
type Observer interface{ Observe(obs []byte) }

// A Grader says what an answer to all of it is worth: 1 if it solves the puzzle.
type Grader interface {
	Grade(answer []uint8) (reward float64)
}

// A Guide knows the fewest steps in which the task can be done from the present state; ok is false if
// it cannot.
type Guide interface {
	Shortest() (steps int, ok bool)
}

// An Oracle plays an Env well by looking at more than the observation, or by remembering it. It
// belongs to one Env and follows its episodes by itself.
type Oracle interface {
	// Act chooses the next action for the state that the Env is in. It returns an error if it
	// knows no way to success from here.
	Act() (action int, err error)
}

// Close ends what e holds, a process say; most hold nothing.
func Close(e Env) error {
	if c, ok := As[io.Closer](e); ok {
		return c.Close()
	}
	return nil
}

// As finds an ability of e, or of what it wraps.
//
//	if b, ok := env.As[env.Boarder](e); ok { … }
func As[T any](e Env) (T, bool) {
	for {
		if t, ok := e.(T); ok {
			return t, true
		}
		w, ok := e.(interface{ Unwrap() Env })
		if !ok {
			var zero T
			return zero, false
		}
		e = w.Unwrap()
	}
}

// Innermost is e without its wrappers.
func Innermost(e Env) Env {
	for {
		w, ok := e.(interface{ Unwrap() Env })
		if !ok {
			return e
		}
		e = w.Unwrap()
	}
}
