package minigrid

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"slices"
	"strconv"

	"github.com/ponder-agents/ponder/env"
)

// A Trace is one episode recorded from MiniGrid. Byte slices are base64 in JSON.
type Trace struct {
	ID         string              `json:"id"`
	Version    string              `json:"minigrid"`
	Seed       uint64              `json:"seed"`
	Resets     int                 `json:"resets"` // resets without a seed that came before the episode
	Width      int                 `json:"width"`
	Height     int                 `json:"height"`
	MaxSteps   int                 `json:"max_steps"`
	SeeThrough bool                `json:"see_through_walls"`
	View       int                 `json:"view"`
	NActions   int                 `json:"n_actions"`
	Mission    string              `json:"mission"`
	Grid       [][3]uint8          `json:"grid"`
	Inside     map[string][3]uint8 `json:"inside"`
	Agent      [3]int              `json:"agent"`
	Task       json.RawMessage     `json:"task"`
	Obs        []byte              `json:"obs0"`
	Full       []byte              `json:"full0"`
	Frame      []byte              `json:"frame0"` // rendered in tiles of 8, RGB; may be absent
	Steps      []TraceStep         `json:"steps"`
	Pictures   []TracePicture      `json:"pictures"` // may be absent
}

// A TraceStep is one step of a Trace.
type TraceStep struct {
	Action     int       `json:"a"`
	Obs        []byte    `json:"obs"`
	Reward     float64   `json:"r"`
	Terminated bool      `json:"term"`
	Truncated  bool      `json:"trunc"`
	Agent      [3]int    `json:"agent"`
	Carry      *[3]uint8 `json:"carry"`
	Full       []byte    `json:"full"`
	Balls      [][2]int  `json:"balls"`
}

// A TracePicture is a rendered frame, or the agent's view if POV, after so many steps.
type TracePicture struct {
	Step   int    `json:"step"`
	Tile   int    `json:"tile"`
	POV    bool   `json:"pov"`
	SHA256 string `json:"sha256"` // of the RGB bytes, row by row
}

// hash renders what p asks for and hashes it.
func (p *TracePicture) hash(e *Env) string {
	var img *image.RGBA
	if p.POV {
		img = e.View(p.Tile)
	} else {
		img = image.NewRGBA(image.Rect(0, 0, e.w*p.Tile, e.h*p.Tile))
		e.Paint(img)
	}
	h := sha256.New()
	for i := 0; i < len(img.Pix); i += 4 {
		h.Write(img.Pix[i : i+3])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Bounds of what a trace may ask for: some seconds of work.
const (
	maxResets   = 10_000
	maxPictures = 100
)

// Replay plays a trace and returns what differs from it, at most ten differences in words, and how
// many steps it compared. An error means that the trace cannot be played at all.
func (t *Trace) Replay() (diffs []string, steps int, err error) {
	e, err := New(t.ID, Config{View: t.View})
	if err != nil {
		return nil, 0, err
	}
	full, err := New(t.ID, Config{View: t.View, Obs: Full})
	if err != nil {
		return nil, 0, err
	}
	if t.Resets < 0 || t.Resets > maxResets {
		return nil, 0, fmt.Errorf("resets %d, want 0 to %d", t.Resets, maxResets)
	}
	if len(t.Pictures) > maxPictures {
		return nil, 0, fmt.Errorf("%d pictures, want at most %d", len(t.Pictures), maxPictures)
	}
	at := "reset"
	differ := func(what string, got, want any) {
		if len(diffs) < 10 {
			diffs = append(diffs, fmt.Sprintf("%s seed %d %s: %s is %v, the trace has %v", t.ID, t.Seed, at, what, got, want))
		}
	}
	same := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			differ(what, got, want)
		}
	}
	bytesSame := func(what string, got, want []byte) {
		if len(want) == 0 || bytes.Equal(got, want) {
			return
		}
		if len(got) != len(want) {
			differ(what+"'s length", len(got), len(want))
			return
		}
		i := slices.Index(differences(got, want), true)
		differ(fmt.Sprintf("%s's byte %d", what, i), got[i], want[i])
	}

	obs := make([]byte, e.spec.ObsLen)
	seen := obs[:t.View*t.View*3]
	fullObs := make([]byte, full.spec.ObsLen)
	look := func(step int, wantFull []byte) {
		if len(wantFull) > 0 {
			full.copyState(e)
			full.observe(fullObs)
			bytesSame("full observation", fullObs[:e.w*e.h*3], wantFull)
		}
		for _, p := range t.Pictures {
			if p.Step == step && p.Tile > 0 && p.Tile <= 128 {
				same(fmt.Sprintf("picture in tiles of %d, pov %t", p.Tile, p.POV), p.hash(e), p.SHA256)
			}
		}
	}

	e.Seed(t.Seed)
	for range t.Resets {
		e.Reset(obs)
	}
	e.Reset(obs)
	same("size", [2]int{e.w, e.h}, [2]int{t.Width, t.Height})
	same("max_steps", e.limit, t.MaxSteps)
	same("number of actions", len(e.spec.Actions), t.NActions)
	same("see_through_walls", e.level.through, t.SeeThrough)
	same("mission", e.Mission(), t.Mission)
	if n := byte(len(e.mission)); n > 0 && obs[len(seen)] != byte(e.dir) {
		differ("direction", obs[len(seen)], e.dir)
	}
	if len(t.Grid) != e.w*e.h {
		return diffs, 0, fmt.Errorf("%s seed %d: grid of %d cells, want %d", t.ID, t.Seed, len(t.Grid), e.w*e.h)
	}
	for i, want := range t.Grid {
		x, y := i%e.w, i/e.w
		c := e.Cell(x, y)
		same(fmt.Sprintf("cell (%d, %d)", x, y), [3]uint8{c.Type(), c.Color(), c.State()}, want)
		var in, wantIn [3]uint8
		if c := e.Inside(x, y); c != 0 {
			in = [3]uint8{c.Type(), c.Color(), c.State()}
		}
		wantIn = t.Inside[strconv.Itoa(i)]
		same(fmt.Sprintf("content of (%d, %d)", x, y), in, wantIn)
	}
	agent := func() [3]int {
		x, y, dir := e.Agent()
		return [3]int{x, y, dir}
	}
	same("agent", agent(), t.Agent)
	if len(t.Task) > 0 {
		ours, err := e.taskJSON()
		if err != nil {
			return diffs, 0, err
		}
		var a, b any
		if err := json.Unmarshal(t.Task, &a); err != nil {
			return diffs, 0, fmt.Errorf("%s seed %d: task: %w", t.ID, t.Seed, err)
		}
		if err := json.Unmarshal(ours, &b); err != nil {
			return diffs, 0, err
		}
		same("task", b, a)
	}
	bytesSame("observation", seen, t.Obs)
	look(0, t.Full)

	for i, s := range t.Steps {
		at = fmt.Sprintf("step %d (action %d)", i, s.Action)
		action := s.Action
		if action < 0 || action > Done {
			return diffs, steps, fmt.Errorf("%s seed %d: step %d: action %d is not in [0, 7)", t.ID, t.Seed, i, action)
		}
		if action >= len(e.spec.Actions) {
			action = 0 // as the reference's Dynamic-Obstacles does
		}
		out := e.act(action) // the reference steps on after the end, and so do some traces
		e.observe(obs)
		steps++
		bytesSame("observation", seen, s.Obs)
		if math.Float64bits(out.Reward) != math.Float64bits(s.Reward) && !(out.Reward == 0 && s.Reward == 0) {
			differ("reward", out.Reward, s.Reward)
		}
		same("end", env.Outcome{Terminated: out.Terminated, Truncated: out.Truncated}, env.Outcome{Terminated: s.Terminated, Truncated: s.Truncated})
		same("agent", agent(), s.Agent)
		var carry *[3]uint8
		if c, ok := e.Carrying(); ok {
			carry = &[3]uint8{c.Type(), c.Color(), c.State()}
		}
		if (carry == nil) != (s.Carry == nil) || carry != nil && *carry != *s.Carry {
			differ("carried object", deref(carry), deref(s.Carry))
		}
		look(i+1, s.Full)
		if s.Balls != nil {
			same("balls", e.balls(), s.Balls)
		}
	}
	return diffs, steps, nil
}

func deref(c *[3]uint8) any {
	if c == nil {
		return "none"
	}
	return *c
}

func differences(a, b []byte) []bool {
	d := make([]bool, len(a))
	for i := range a {
		d[i] = a[i] != b[i]
	}
	return d
}

// copyState makes e show what o, of the same id, shows.
func (e *Env) copyState(o *Env) {
	copy(e.cells, o.cells)
	e.pos, e.dir, e.carry = o.pos, o.dir, o.carry
}

func (e *Env) balls() [][2]int {
	out := make([][2]int, e.task.nBalls)
	for i := range out {
		x, y := e.xy(int(e.task.balls[i]))
		out[i] = [2]int{x, y}
	}
	return out
}

// taskJSON is the task in the form of a trace.
func (e *Env) taskJSON() ([]byte, error) {
	at := func(p int32) []int {
		x, y := e.xy(int(p))
		return []int{x, y}
	}
	t := &e.task
	object := []int{int(t.target.Type()), int(t.target.Color())}
	m := map[string]any{"kind": taskNames[t.kind]}
	switch t.kind {
	case taskPickup, taskFetch:
		m["target"] = object
	case taskUnlock:
		m["door"] = at(t.a)
	case taskGoTo:
		m["pos"] = at(t.a)
	case taskPutNear:
		m["move"], m["pos"] = object, at(t.a)
	case taskRedBlue:
		m["red"], m["blue"] = at(t.a), at(t.b)
	case taskMemory:
		m["success"], m["failure"] = at(t.a), at(t.b)
	case taskDynamic:
		m["balls"] = e.balls()
	}
	return json.Marshal(m)
}
