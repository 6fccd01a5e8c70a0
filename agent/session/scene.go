package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// A World is what can be acted in and shown.
type World interface {
	env.Env
	env.Boarder
}

// An Agent decides what to do in a World, a segment of thought at a time. A network joins as a
// think.Mind.
type Agent interface {
	// Describe fills in who thinks and how its segments are to be read: all fields of h but EnvID and
	// Actions, as far as they apply.
	Describe(h *trace.Header)
	// Begin starts a decision about the present state of the world, of which obs is the observation.
	// fresh says that an episode begins, or that the world was changed from outside.
	Begin(ctx context.Context, obs []byte, fresh bool) error
	// Think does one more segment and describes it in g, which is zero and whose slices it must not
	// touch afterwards: they are shown at once. It sets g.Halted by its rule, and is called again all
	// the same if a person wants it to think longer. ErrNoThought says that this agent chooses without
	// showing thought; Action may be asked at once then.
	Think(ctx context.Context, g *trace.Segment) error
	// Action is the action after the segments thought so far, or -1 if the answer itself is all.
	// An error ends the episode, as when an oracle knows no way.
	Action(ctx context.Context) (int, error)
	// Close frees what the agent holds.
	Close() error
}

// An Attender is an Agent that can say what a cell attended to in a segment of the decision under way:
// for each level and each cell of the board the mean over heads of its last block, 255 the largest.
type Attender interface {
	Agent
	Attend(ctx context.Context, segment, cell int) ([][]uint8, error)
}

// A Steered is an Agent whose thought a person can steer.
type Steered interface {
	Agent
	// Again begins the decision under way anew from its k-th start; 0 is the usual one.
	Again(ctx context.Context, k int) error
	// Price is what a segment costs from now on, where a right answer is worth 1; 0 leaves it to the agent's own rule.
	// It changes what Describe says, and takes effect with the next Begin.
	Price(ctx context.Context, price float64) error
}

// A Brancher is an Agent that can say what acting after other numbers of segments would bring.
type Brancher interface {
	Agent
	// Worth is the return of acting in w, a copy of the world of which obs is the observation, after so many segments at the
	// decision under way, and of going on from there to the end of the episode. It uses up w and obs.
	Worth(ctx context.Context, w env.Env, obs []byte, segments int) (float64, error)
}

// ErrNoThought is returned by the Think of agents that have none.
var ErrNoThought = errors.New("this agent shows no thought")

// A Choice is what a person can pick from lists.
type Choice struct {
	Env     string
	Options string // of Env, a line of NAME=VALUE each
	Agent   trace.Agent
	Model   string // of a Network: name or path; empty for the one shipped for Env
	Rule    string // halting rule; empty for the model's own
	Seed    uint64
	Edits   string // of the seed's level, as FormatEdits writes them
	Seeds   string // that follow one another, with blanks between them; empty: every number
	Whole   bool   // a thought is an episode: its answer is given as a whole, not acted on step by step
}

// OptionList is the options one by one, as env.Make takes them.
func (c Choice) OptionList() []string {
	return strings.FieldsFunc(c.Options, func(r rune) bool { return r == '\n' })
}

// A Show is a choice that is worth seeing, and what there is to see.
type Show struct {
	Title, About string
	Choice       Choice
	Recording    string // its name, to be replayed in the place of Choice; empty of what is live
}

// next is the seed after c's.
func (c Choice) next() uint64 {
	seeds := strings.Fields(c.Seeds)
	if len(seeds) == 0 {
		return c.Seed + 1
	}
	i := slices.Index(seeds, strconv.FormatUint(c.Seed, 10))
	n, _ := strconv.ParseUint(seeds[(i+1)%len(seeds)], 10, 64) // as Check has seen
	return n
}

// A Scene is an opened Choice.
type Scene struct {
	World World
	Agent Agent
	Whole bool // as in Choice
}

// An Opener opens a choice. It is called in the session's goroutine and may take its time. Where
// there is no model for a Network it may open another agent, which the header of the trace then names.
type Opener func(ctx context.Context, c Choice) (*Scene, error)

// Header describes the scene for a trace.
func (s *Scene) Header() trace.Header {
	spec := s.World.Spec()
	h := trace.Header{EnvID: spec.ID, Actions: spec.Actions}
	s.Agent.Describe(&h)
	return h
}

// NewOracle makes an Agent of an oracle.
func NewOracle(o env.Oracle) Agent { return &chooser{trace.Oracle, o.Act} }

// NewRandom makes an Agent that chooses evenly among the actions that change anything, as far as w
// tells, with the generator of that seed.
func NewRandom(w World, seed uint64) Agent {
	r := rand.New(rand.NewPCG(seed, 0))
	n := len(w.Spec().Actions)
	mask := make([]bool, n)
	masker, _ := env.As[env.Masker](w)
	return &chooser{trace.Chance, func() (int, error) {
		if masker == nil {
			return r.IntN(n), nil
		}
		masker.ActionMask(mask)
		chosen, seen := 0, 0
		for a, allowed := range mask {
			if !allowed {
				continue
			}
			// The k-th takes the place of the one chosen before with chance 1/k.
			if seen++; r.IntN(seen) == 0 {
				chosen = a
			}
		}
		if seen == 0 {
			return r.IntN(n), nil
		}
		return chosen, nil
	}}
}

// NewHuman makes the Agent of a world that a person plays: it never chooses.
func NewHuman() Agent {
	return &chooser{trace.Human, func() (int, error) { return -1, errors.New("a person plays: choose an action") }}
}

// A chooser acts without thought.
type chooser struct {
	agent trace.Agent
	act   func() (int, error)
}

func (c *chooser) Describe(h *trace.Header) { h.Agent = c.agent }

func (c *chooser) Begin(context.Context, []byte, bool) error { return nil }

func (c *chooser) Think(context.Context, *trace.Segment) error { return ErrNoThought }

func (c *chooser) Action(context.Context) (int, error) { return c.act() }

func (c *chooser) Close() error { return nil }

// WorldOf makes a World of e, whose Board may be that of an Env that e wraps.
func WorldOf(e env.Env) (World, error) {
	if w, ok := e.(World); ok {
		return w, nil
	}
	b, ok := env.As[env.Boarder](e)
	if !ok {
		return nil, fmt.Errorf("%s shows no board, so there is nothing to draw", e.Spec().ID)
	}
	return wrapped{e, b}, nil
}

type wrapped struct {
	env.Env
	env.Boarder
}

func (w wrapped) Unwrap() env.Env { return w.Env }
