package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// A Port carries a request to a Server that is somewhere else, and its reply back: to a worker of the
// page in the browser, which the thinking would block. The request goes out also if ctx has ended; then nobody waits.
type Port func(ctx context.Context, request []byte) (reply []byte, err error)

// What a request asks of a Server. Requests and replies are JSON.
const (
	farOpen   = "open"
	farBegin  = "begin"
	farThink  = "think"
	farAction = "action"
	farAttend = "attend"
	farAgain  = "again"
	farPrice  = "price"
	farClose  = "close"
)

type farRequest struct {
	Op            string
	Agent         int       `json:",omitempty"` // that open gave
	Choice        *Choice   `json:",omitempty"` // of open
	Spec          *env.Spec `json:",omitempty"` // of open
	Obs           []byte    `json:",omitempty"` // of begin
	Fresh         bool      `json:",omitempty"` // of begin
	Segment, Cell int       `json:",omitempty"` // of attend
	Start         int       `json:",omitempty"` // of again
	Price         float64   `json:",omitempty"` // of price
}

type farReply struct {
	Agent   int            `json:",omitempty"` // of open
	Attends bool           `json:",omitempty"` // of open: it is an Attender
	Header  *trace.Header  `json:",omitempty"` // of open and price
	Segment *trace.Segment `json:",omitempty"` // of think
	Action  int            `json:",omitempty"` // of action
	Levels  [][]uint8      `json:",omitempty"` // of attend
	Error   string         `json:",omitempty"`
	Kind    string         `json:",omitempty"` // of the error, if callers tell it from others
}

// kinds are the errors that stay themselves on their way.
var kinds = map[string]error{"no model": ErrNoModel, "no thought": ErrNoThought}

func (r *farReply) fail(err error) {
	r.Error = err.Error()
	for name, kind := range kinds {
		if errors.Is(err, kind) {
			r.Kind = name
		}
	}
}

// A farError has the text of an error elsewhere, and its kind.
type farError struct {
	text string
	kind error // or nil
}

func (e *farError) Error() string { return e.text }
func (e *farError) Unwrap() error { return e.kind }

// A Server keeps agents for those at the other end of a Port. It is not for concurrent use.
type Server struct {
	open   func(c Choice, spec env.Spec) (Agent, error)
	agents map[int]Agent
	last   int
}

// NewServer makes a Server that opens agents with open.
func NewServer(open func(c Choice, spec env.Spec) (Agent, error)) *Server {
	return &Server{open: open, agents: map[int]Agent{}}
}

// Answer does what a request asks and returns the reply.
func (s *Server) Answer(ctx context.Context, request []byte) []byte {
	var q farRequest
	var r farReply
	err := json.Unmarshal(request, &q)
	if err == nil {
		err = s.answer(ctx, &q, &r)
	}
	if err != nil {
		r = farReply{}
		r.fail(err)
	}
	b, err := json.Marshal(&r)
	if err != nil { // a number that is none
		r = farReply{}
		r.fail(fmt.Errorf("%s: %w", q.Op, err))
		b, _ = json.Marshal(&r) // a text is no reason to fail
	}
	return b
}

func (s *Server) answer(ctx context.Context, q *farRequest, r *farReply) (err error) {
	if q.Op == farOpen {
		if q.Choice == nil || q.Spec == nil {
			return errors.New("open: no choice or no world")
		}
		a, err := s.open(*q.Choice, *q.Spec)
		if err != nil {
			return err
		}
		s.last++
		s.agents[s.last] = a
		r.Agent, r.Header = s.last, &trace.Header{}
		a.Describe(r.Header)
		_, r.Attends = a.(Attender)
		return nil
	}
	a := s.agents[q.Agent]
	if a == nil {
		return fmt.Errorf("%s: no agent %d", q.Op, q.Agent)
	}
	switch q.Op {
	case farBegin:
		return a.Begin(ctx, q.Obs, q.Fresh)
	case farThink:
		r.Segment = &trace.Segment{}
		return a.Think(ctx, r.Segment)
	case farAction:
		r.Action, err = a.Action(ctx)
		return err
	case farAttend:
		t, ok := a.(Attender)
		if !ok {
			return errors.New("attend: this agent has no attention")
		}
		r.Levels, err = t.Attend(ctx, q.Segment, q.Cell)
		return err
	case farAgain, farPrice:
		t, ok := a.(Steered)
		if !ok {
			return errors.New("this agent cannot be steered")
		}
		if q.Op == farAgain {
			return t.Again(ctx, q.Start)
		}
		r.Header = &trace.Header{}
		err := t.Price(ctx, q.Price)
		t.Describe(r.Header)
		return err
	case farClose:
		delete(s.agents, q.Agent)
		return a.Close()
	}
	return fmt.Errorf("no request %q", q.Op)
}

// OpenFar opens the agent of c for a world of spec at the other end of port.
func OpenFar(ctx context.Context, port Port, c Choice, spec env.Spec) (Agent, error) {
	a := far{port: port}
	r, err := a.ask(ctx, farRequest{Op: farOpen, Choice: &c, Spec: &spec})
	if err != nil {
		return nil, err
	}
	if r.Header == nil {
		return nil, errors.New("the thinker did not say who thinks")
	}
	a.id, a.header = r.Agent, r.Header
	if r.Attends {
		return farAttender{a}, nil
	}
	return a, nil
}

// A far is an agent at the other end of a port.
type far struct {
	port   Port
	id     int
	header *trace.Header
}

type farAttender struct{ far }

func (a far) ask(ctx context.Context, q farRequest) (r farReply, err error) {
	q.Agent = a.id
	b, err := json.Marshal(&q)
	if err != nil {
		return r, err
	}
	if b, err = a.port(ctx, b); err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("the thinker's reply: %w", err)
	}
	if r.Error != "" {
		return r, &farError{r.Error, kinds[r.Kind]}
	}
	return r, nil
}

// Describe implements Agent.
func (a far) Describe(h *trace.Header) {
	id, actions := h.EnvID, h.Actions
	*h = *a.header
	h.EnvID, h.Actions = id, actions
}

// Begin implements Agent.
func (a far) Begin(ctx context.Context, obs []byte, fresh bool) error {
	_, err := a.ask(ctx, farRequest{Op: farBegin, Obs: obs, Fresh: fresh})
	return err
}

// Think implements Agent.
func (a far) Think(ctx context.Context, g *trace.Segment) error {
	r, err := a.ask(ctx, farRequest{Op: farThink})
	if err != nil {
		return err
	}
	if r.Segment == nil {
		return errors.New("the thinker did not say what it thought")
	}
	*g = *r.Segment
	return nil
}

// Action implements Agent.
func (a far) Action(ctx context.Context) (int, error) {
	r, err := a.ask(ctx, farRequest{Op: farAction})
	return r.Action, err
}

// Close implements Agent. It does not wait for the reply, which cannot come while a page that ends a session waits for it.
func (a far) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := a.ask(ctx, farRequest{Op: farClose})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Again implements Steered.
func (a far) Again(ctx context.Context, k int) error {
	_, err := a.ask(ctx, farRequest{Op: farAgain, Start: k})
	return err
}

// Price implements Steered.
func (a far) Price(ctx context.Context, price float64) error {
	r, err := a.ask(ctx, farRequest{Op: farPrice, Price: price})
	if err == nil && r.Header != nil {
		*a.header = *r.Header
	}
	return err
}

// Attend implements Attender.
func (a farAttender) Attend(ctx context.Context, segment, cell int) ([][]uint8, error) {
	r, err := a.ask(ctx, farRequest{Op: farAttend, Segment: segment, Cell: cell})
	return r.Levels, err
}
