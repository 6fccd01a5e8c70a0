package gym

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ponder-agents/ponder/env"
)

const protocol = 1

// A Config says what a worker runs.
type Config struct {
	ID        string          // for gymnasium.make; required
	N         int             // environments; 0 means 1
	Kwargs    json.RawMessage // a JSON object of further arguments of make; may be empty
	Imports   []string        // modules to import first, as "minigrid", which register their ids
	Autoreset env.Autoreset   // 0 means same step
	Python    string          // the interpreter; empty finds python3 or python
	Dir       string          // the worker's folder; empty means this process's
	Stderr    io.Writer       // what the environments print; nil drops it but for errors
	TextBytes int             // length of a Text in bytes; 0 means 256
}

// Info is what a worker says of itself.
type Info struct {
	ID          string            // with its version
	Versions    map[string]string // of python, gymnasium, numpy and the imports
	MaxSteps    int               // limit of an episode; 0 if it is not known
	Observation Space
	Action      Space
}

// A Worker is a process with N environments. One goroutine uses it at a time, but Close, which may be
// called at any time. After an error that ended the process all calls return that error.
//
// The slices are the Worker's, written by Reset and Step.
type Worker struct {
	Obs        []byte    // [N][ObsLen]
	Final      []byte    // [N][ObsLen], the last observation of the rows whose episode ended now
	Rewards    []float64 // [N]
	Terminated []bool    // [N]
	Truncated  []bool    // [N]
	Fresh      []bool    // [N], Obs is the first observation of an episode

	cfg       Config
	info      Info
	obsLen    int
	actionLen int // bytes
	obs       []Leaf
	actions   []Leaf
	numbers   int // of an action
	state     []rowState
	all       []int

	mu      sync.Mutex // of a call, so that Close waits for it
	p       *process
	closing atomic.Bool // Close ended the call in progress
	dead    error       // of all further calls
	in, out []byte
}

type rowState uint8

const (
	rowNew   rowState = iota // never reset, or an exception left it in the dark
	rowLive                  // in an episode
	rowEnded                 // its episode ended in the last step
)

// Start runs a worker and opens its environments. ctx bounds that; the worker outlives it.
func Start(ctx context.Context, cfg Config) (*Worker, error) {
	return start(ctx, cfg, workerScript)
}

func start(ctx context.Context, cfg Config, script string) (*Worker, error) {
	if cfg.N == 0 {
		cfg.N = 1
	}
	if cfg.TextBytes == 0 {
		cfg.TextBytes = 256
	}
	if len(cfg.Kwargs) == 0 {
		cfg.Kwargs = json.RawMessage("{}")
	}
	var object map[string]json.RawMessage
	switch {
	case cfg.ID == "":
		return nil, errors.New("gym: no ID")
	case cfg.N < 1 || cfg.N > 1<<16:
		return nil, fmt.Errorf("gym %s: %d environments: want 1 to %d", cfg.ID, cfg.N, 1<<16)
	case cfg.TextBytes < 1 || cfg.TextBytes > 1<<20:
		return nil, fmt.Errorf("gym %s: texts of %d bytes: want 1 to %d", cfg.ID, cfg.TextBytes, 1<<20)
	case cfg.Autoreset > env.NoReset:
		return nil, fmt.Errorf("gym %s: unknown autoreset %d", cfg.ID, cfg.Autoreset)
	case json.Unmarshal(cfg.Kwargs, &object) != nil || object == nil:
		return nil, fmt.Errorf("gym %s: Kwargs %q is not a JSON object", cfg.ID, cfg.Kwargs)
	}
	python, err := findPython(cfg.Python)
	if err != nil {
		return nil, fmt.Errorf("gym %s: %w", cfg.ID, err)
	}
	p, err := startProcess(python, cfg.Dir, script, cfg.Stderr)
	if err != nil {
		return nil, fmt.Errorf("gym %s: %w", cfg.ID, err)
	}
	w := &Worker{cfg: cfg, p: p}
	if err := w.hello(ctx); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// hello agrees with the worker on what it runs.
func (w *Worker) hello(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	imports := w.cfg.Imports
	if imports == nil {
		imports = []string{}
	}
	body, err := json.Marshal(map[string]any{
		"protocol": protocol, "id": w.cfg.ID, "n": w.cfg.N, "kwargs": w.cfg.Kwargs, "imports": imports,
		"autoreset": w.cfg.Autoreset.String(), "text_bytes": w.cfg.TextBytes,
	})
	if err != nil {
		return err
	}
	w.in = append(beginFrame(w.in, frameInit), body...)
	answer, err := w.exchange(ctx, "start", frameHello, 0)
	if err != nil {
		return w.fail("start", err)
	}
	var h struct {
		Protocol    int
		ID          string
		Versions    map[string]string
		MaxSteps    int `json:"max_steps"`
		Observation Space
		Action      Space
	}
	if err := json.Unmarshal(answer, &h); err != nil {
		return w.fail("start", fmt.Errorf("handshake: %w", err))
	}
	if h.Protocol != protocol {
		return w.fail("start", fmt.Errorf("handshake: protocol %d, want %d", h.Protocol, protocol))
	}
	w.info = Info{h.ID, h.Versions, max(h.MaxSteps, 0), h.Observation, h.Action}
	if w.obs, w.obsLen, err = h.Observation.leaves(nil, "", 0); err != nil {
		return w.fail("start", fmt.Errorf("handshake: observation %w", err))
	}
	if w.actions, w.actionLen, err = h.Action.leaves(nil, "", 0); err != nil {
		return w.fail("start", fmt.Errorf("handshake: action %w", err))
	}
	for _, l := range w.actions {
		w.numbers += l.Elems
	}
	n := w.cfg.N
	if total := n * (w.obsLen + 9 + w.actionLen); total > maxElems*8 {
		return w.fail("start", fmt.Errorf("%d environments of %d bytes are too many", n, w.obsLen))
	}
	w.Obs, w.Final = make([]byte, n*w.obsLen), make([]byte, n*w.obsLen)
	w.Rewards, w.state, w.all = make([]float64, n), make([]rowState, n), make([]int, n)
	w.Terminated, w.Truncated, w.Fresh = make([]bool, n), make([]bool, n), make([]bool, n)
	for i := range w.all {
		w.all[i] = i
	}
	return nil
}

// Info tells what the worker runs.
func (w *Worker) Info() Info { return w.info }

// Len is the number of environments.
func (w *Worker) Len() int { return w.cfg.N }

// ObsLen is the number of bytes of an observation.
func (w *Worker) ObsLen() int { return w.obsLen }

// ActionLen is how many numbers make an action: one of a Discrete space.
func (w *Worker) ActionLen() int { return w.numbers }

// Leaves are the arrays that make an observation.
func (w *Worker) Leaves() []Leaf { return w.obs }

// ActionLeaves are the arrays that make an action, their elements in the order that Step takes.
func (w *Worker) ActionLeaves() []Leaf { return w.actions }

// ObsRow is the observation of environment i, a view into Obs.
func (w *Worker) ObsRow(i int) []byte {
	return w.Obs[i*w.obsLen : (i+1)*w.obsLen : (i+1)*w.obsLen]
}

// FinalRow is the last observation of environment i's ended episode, a view into Final.
func (w *Worker) FinalRow(i int) []byte {
	return w.Final[i*w.obsLen : (i+1)*w.obsLen : (i+1)*w.obsLen]
}

// Floats appends the numbers of environment i's observation, leaf after leaf.
func (w *Worker) Floats(dst []float64, i int) []float64 {
	for k := range w.obs {
		dst = w.obs[k].AppendFloats(dst, w.ObsRow(i))
	}
	return dst
}

// Reset seeds environment i with seed+i and begins an episode in each.
func (w *Worker) Reset(ctx context.Context, seed uint64) error {
	seeds := make([]uint64, w.cfg.N)
	for i := range seeds {
		seeds[i] = seed + uint64(i)
	}
	return w.ResetRows(ctx, w.all, seeds)
}

// ResetRows begins an episode in some environments, from a seed each, or continuing their random
// streams if seeds is nil.
func (w *Worker) ResetRows(ctx context.Context, rows []int, seeds []uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if seeds != nil && len(seeds) != len(rows) {
		return fmt.Errorf("gym %s: reset: %d seeds for %d environments", w.cfg.ID, len(seeds), len(rows))
	}
	if err := w.begin("reset", frameReset, rows); err != nil {
		return err
	}
	seeded := byte(0)
	if seeds != nil {
		seeded = 1
	}
	for range rows {
		w.in = append(w.in, seeded)
	}
	for i := range rows {
		s := uint64(0)
		if seeds != nil {
			s = seeds[i]
		}
		w.in = binary.LittleEndian.AppendUint64(w.in, s)
	}
	return w.call(ctx, "reset", rows)
}

// Step acts in all environments. actions is [N][ActionLen], an action's leaves one after the other. It
// checks first: a number out of its space is an error, and then nothing has changed. In next-step mode
// the actions of environments that begin an episode are ignored. After an exception in Python the
// environments must be reset.
func (w *Worker) Step(ctx context.Context, actions []float64) error {
	return w.StepRows(ctx, w.all, actions)
}

// StepRows acts in some environments; actions is [len(rows)][ActionLen].
func (w *Worker) StepRows(ctx context.Context, rows []int, actions []float64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(actions) != len(rows)*w.numbers {
		return fmt.Errorf("gym %s: step: %d numbers for %d actions of %d", w.cfg.ID, len(actions), len(rows), w.numbers)
	}
	if err := w.begin("step", frameStep, rows); err != nil {
		return err
	}
	for k, row := range rows {
		ignored := false
		switch w.state[row] {
		case rowNew:
			return fmt.Errorf("gym %s: step: environment %d is not in an episode; reset it first", w.cfg.ID, row)
		case rowEnded:
			if ignored = w.cfg.Autoreset == env.NextStep; !ignored {
				return fmt.Errorf("gym %s: step: the episode of environment %d has ended; reset it first", w.cfg.ID, row)
			}
		}
		if err := w.appendAction(actions[k*w.numbers:(k+1)*w.numbers], ignored); err != nil {
			return fmt.Errorf("gym %s: step: action of environment %d: %w", w.cfg.ID, row, err)
		}
	}
	return w.call(ctx, "step", rows)
}

// appendAction adds an action to the frame, zeros if it is ignored anyway.
func (w *Worker) appendAction(action []float64, ignored bool) error {
	at, i := len(w.in), 0
	w.in = append(w.in, make([]byte, w.actionLen)...)
	if ignored {
		return nil
	}
	for k := range w.actions {
		l := &w.actions[k]
		for e := range l.Elems {
			v := action[i]
			i++
			if got := l.put(w.in[at+l.Offset+e*l.size:], v); isFloat(l) {
				v = got // a bound of float32 is met by what it rounds to
			}
			if err := l.check(e, v); err != nil {
				return l.at(e, err)
			}
		}
	}
	return nil
}

// at says where in an action an error is.
func (l *Leaf) at(elem int, err error) error {
	if l.Elems > 1 {
		err = fmt.Errorf("number %d: %w", elem, err)
	}
	if l.Name != "" {
		err = fmt.Errorf("%s: %w", l.Name, err)
	}
	return err
}

func isFloat(l *Leaf) bool { return strings.HasPrefix(l.Space.DType, "float") }

// begin checks the rows of a call and starts its frame.
func (w *Worker) begin(op string, kind byte, rows []int) error {
	if w.dead != nil {
		return w.dead
	}
	w.in = binary.LittleEndian.AppendUint32(beginFrame(w.in, kind), uint32(len(rows)))
	last := -1
	for _, r := range rows {
		if r <= last || r >= w.cfg.N {
			return fmt.Errorf("gym %s: %s: rows %v: want them in order and in [0, %d)", w.cfg.ID, op, rows, w.cfg.N)
		}
		last = r
		w.in = binary.LittleEndian.AppendUint32(w.in, uint32(r))
	}
	return nil
}

// call sends the frame and takes in the result.
func (w *Worker) call(ctx context.Context, op string, rows []int) error {
	answer, err := w.exchange(ctx, op, frameResult, len(rows)*(2*w.obsLen+9))
	if err != nil {
		var e *Error
		if errors.As(err, &e) && e.Exit == "" { // an exception: the process lives
			for _, r := range rows {
				w.state[r] = rowNew
			}
			return err
		}
		return w.fail(op, err)
	}
	res, err := parseResult(answer, len(rows), w.obsLen)
	if err != nil {
		return w.fail(op, err)
	}
	final := 0
	for k, r := range rows {
		f := res.flags[k]
		copy(w.ObsRow(r), res.obs[k*w.obsLen:])
		w.Rewards[r] = res.reward(k)
		w.Terminated[r], w.Truncated[r], w.Fresh[r] = f&flagTerminated != 0, f&flagTruncated != 0, f&flagFresh != 0
		if f&flagFinal != 0 {
			copy(w.FinalRow(r), res.final[final:])
			final += w.obsLen
		}
		w.state[r] = rowLive
		if f&(flagTerminated|flagTruncated) != 0 && f&flagFresh == 0 {
			w.state[r] = rowEnded
		}
	}
	return nil
}

// exchange sends the frame w.in and reads the answer, which is to be of a kind. Its error is an *Error
// if Python raised an exception.
func (w *Worker) exchange(ctx context.Context, op string, want byte, limit int) ([]byte, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	release := w.p.guard(ctx)
	_, err := w.p.in.Write(endFrame(w.in))
	var kind byte
	var payload []byte
	if err == nil {
		kind, payload, err = readFrame(w.p.out, w.out, limit)
		w.out = payload
	}
	switch inTime := release(); {
	case !inTime: // the process was killed
		return nil, context.Cause(ctx)
	case w.closing.Load():
		return nil, ErrClosed
	case err != nil:
		return nil, err
	case kind == frameError:
		var e struct{ Type, Message, Traceback string }
		if err := json.Unmarshal(payload, &e); err != nil {
			return nil, fmt.Errorf("error frame: %w", err)
		}
		return nil, &Error{ID: w.cfg.ID, Op: op, Exception: e.Type + ": " + e.Message, Traceback: e.Traceback}
	case kind != want:
		return nil, fmt.Errorf("frame %c, want %c", kind, want)
	}
	return payload, nil
}

// fail ends the process and returns the error of this and all further calls.
func (w *Worker) fail(op string, err error) error {
	gone := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE)
	grace := time.Duration(0)
	if gone { // it ends by itself
		grace = graceTime
	}
	exit := w.p.finish(grace)
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{ID: w.cfg.ID, Op: op, Err: err}
		if gone {
			e.Err = fmt.Errorf("no answer: %w", err)
		}
		e.Exit, e.Traceback = exit, w.p.stderr.String()
	}
	w.dead = e
	return e
}

// Close ends the worker and waits for its end: it may close its environments, but is killed if that takes
// more than two seconds or a call is in progress. Further calls return ErrClosed.
func (w *Worker) Close() error {
	if !w.mu.TryLock() {
		w.closing.Store(true)
		w.p.kill()
		w.mu.Lock()
	}
	defer w.mu.Unlock()
	if w.dead != nil {
		return nil
	}
	w.p.in.Write(endFrame(beginFrame(w.in, frameClose))) // closing the pipe says the same
	w.p.finish(graceTime)
	w.dead = fmt.Errorf("gym %s: %w", w.cfg.ID, ErrClosed)
	return nil
}
