package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"math"
	"runtime/debug"
	"sync"

	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/minigrid"
)

// Limits of what one handle holds.
const (
	maxEnvs  = 1 << 20
	maxSlab  = 1 << 32 // bytes of observations
	maxImage = 1 << 28 // bytes of a picture
)

// abi changes with the C interface; ponder_env refuses another.
const abi = 3

// What a step or reset answers, bits of one number.
const (
	someEnded = 1 << iota // the episode of a row ended
	someFresh             // a row shows the first observation of an episode
)

// A world is what a handle stands for.
type world struct {
	mu      sync.Mutex
	closed  bool
	vec     *env.Vec
	family  string
	rewards []float64 // of the last step; Vec's own are float32, MiniGrid's are not
	actions []int32
}

// A scored Env notes its rewards as they are.
type scored struct {
	env.Env
	reward *float64
}

func (s scored) Unwrap() env.Env { return s.Env }

func (s scored) Step(action int, obs []byte) env.Outcome {
	out := s.Env.Step(action, obs)
	*s.reward = out.Reward
	return out
}

func openWorld(id string, n int64, options []string, autoreset, workers int64) (*world, error) {
	switch {
	case n < 1 || n > maxEnvs:
		return nil, fmt.Errorf("%d environments: want 1 to %d", n, maxEnvs)
	case workers < 0 || workers > 4096:
		return nil, fmt.Errorf("%d threads: want 0 to 4096", workers)
	case autoreset < 0 || autoreset > int64(env.NoReset):
		return nil, fmt.Errorf("autoreset %d: want 0 (same step), 1 (next step) or 2 (none)", autoreset)
	}
	entry, _, err := env.Lookup(id)
	if err != nil {
		return nil, err
	}
	w := &world{family: entry.Family, rewards: make([]float64, n), actions: make([]int32, n)}
	envs := make([]env.Env, n)
	for i := range envs {
		e, err := env.Make(id, options...)
		if err != nil {
			return nil, err
		}
		if l := e.Spec().ObsLen; int64(l)*n > maxSlab {
			return nil, fmt.Errorf("%s: %d observations of %d bytes are more than %d MiB", id, n, l, maxSlab>>20)
		}
		envs[i] = scored{e, &w.rewards[i]}
	}
	w.vec, err = env.NewVec(envs, env.VecConfig{Autoreset: env.Autoreset(autoreset), Workers: int(workers)})
	return w, err
}

func (w *world) close() {
	w.vec.Close()
	w.closed = true
}

// buffers are the caller's memory; a nil one is not wanted, an empty one is wrong.
type buffers struct {
	obs, final                   []byte // [n][ObsLen]
	rewards                      []float64
	terminated, truncated, fresh []bool
}

func (w *world) check(b buffers) error {
	n, l := w.vec.Len(), w.vec.Spec().ObsLen
	return errors.Join(
		fits("obs", b.obs, n*l), fits("final", b.final, n*l), fits("rewards", b.rewards, n),
		fits("terminated", b.terminated, n), fits("truncated", b.truncated, n), fits("fresh", b.fresh, n))
}

func fits[T any](name string, buf []T, want int) error {
	if buf != nil && len(buf) != want {
		return fmt.Errorf("buffer %s has %d elements, want %d", name, len(buf), want)
	}
	return nil
}

// show copies the slab to the caller.
func (w *world) show(b buffers) (bits int) {
	v := w.vec
	for i := range v.Len() {
		if v.Done(i) {
			bits |= someEnded
		}
		if v.Fresh[i] {
			bits |= someFresh
		}
	}
	copy(b.obs, v.Obs)
	copy(b.rewards, w.rewards)
	copy(b.terminated, v.Terminated)
	copy(b.truncated, v.Truncated)
	copy(b.fresh, v.Fresh)
	if bits&someEnded != 0 {
		copy(b.final, v.Final)
	}
	return bits
}

// reset begins an episode in the rows where mask is not 0 (nil: all), from the seed where seeded is
// not 0 (nil: nowhere).
func (w *world) reset(seeds []uint64, seeded, mask []byte, b buffers) (int, error) {
	n := w.vec.Len()
	if err := w.check(b); err != nil {
		return 0, err
	}
	if (seeded != nil && (len(seeded) != n || len(seeds) != n)) || (mask != nil && len(mask) != n) {
		return 0, fmt.Errorf("%d seeds, %d of them used, and a mask of %d for %d environments", len(seeds), len(seeded), len(mask), n)
	}
	clear(w.rewards)
	for i := range n {
		switch {
		case mask != nil && mask[i] == 0:
		case seeded != nil && seeded[i] != 0:
			w.vec.ResetRow(i, seeds[i])
		default:
			w.vec.RestartRow(i)
		}
	}
	return w.show(b), nil
}

func (w *world) step(actions []int64, b buffers) (int, error) {
	if len(actions) != len(w.actions) {
		return 0, fmt.Errorf("%d actions for %d environments", len(actions), len(w.actions))
	}
	if err := w.check(b); err != nil {
		return 0, err
	}
	for i, a := range actions {
		// What is out of this range is out of every space and stays so.
		w.actions[i] = int32(min(max(a, math.MinInt32), math.MaxInt32))
	}
	if err := w.vec.Step(w.actions); err != nil {
		return 0, err
	}
	if w.vec.Config().Autoreset == env.NextStep {
		for i, fresh := range w.vec.Fresh {
			if fresh { // the row only began an episode
				w.rewards[i] = 0
			}
		}
	}
	return w.show(b), nil
}

// row is the environment of a row.
func (w *world) row(i int64) (env.Env, error) {
	if i < 0 || i >= int64(w.vec.Len()) {
		return nil, fmt.Errorf("row %d is not in [0, %d)", i, w.vec.Len())
	}
	return w.vec.Env(int(i)), nil
}

// snapshot is the whole state of a row.
func (w *world) snapshot(i int64) ([]byte, error) {
	if _, err := w.row(i); err != nil {
		return nil, err
	}
	return w.vec.AppendRow(int(i), make([]byte, 0, 1024))
}

func (w *world) restore(i int64, state []byte, b buffers) (int, error) {
	if _, err := w.row(i); err != nil {
		return 0, err
	}
	if err := w.check(b); err != nil {
		return 0, err
	}
	if err := w.vec.SetRow(int(i), state); err != nil {
		return 0, err
	}
	return w.show(b), nil
}

// mission is what the row's episode asks for; empty if it is not said in words.
func (w *world) mission(i int64) (string, error) {
	e, err := w.row(i)
	if err != nil {
		return "", err
	}
	if m, ok := env.As[env.Missioner](e); ok {
		return m.Mission(), nil
	}
	return "", nil
}

// text is the row as its family's text form.
func (w *world) text(i int64) (string, error) {
	e, err := w.row(i)
	if err != nil {
		return "", err
	}
	l, ok := env.As[env.Leveler](e)
	if !ok {
		return "", fmt.Errorf("%s has no text form", e.Spec().ID)
	}
	return l.Level()
}

// mask tells which actions of the row would change anything.
func (w *world) mask(i int64, dst []bool) error {
	e, err := w.row(i)
	if err != nil {
		return err
	}
	m, ok := env.As[env.Masker](e)
	switch n := len(e.Spec().Actions); {
	case !ok:
		return fmt.Errorf("%s has no action mask", e.Spec().ID)
	case len(dst) != n:
		return fmt.Errorf("buffer mask has %d elements, want %d", len(dst), n)
	}
	m.ActionMask(dst)
	return nil
}

// What a picture shows.
const (
	whole = iota // everything; in MiniGrid's family what the agent sees is lit
	unlit        // everything, nothing lit; MiniGrid's family only
	seen         // what the agent sees, as it sees it; MiniGrid's family only
	shown        // their number
)

// size is that of the row's picture, tile pixels a cell.
func (w *world) size(i, tile, what int64) (width, height int64, err error) {
	e, err := w.row(i)
	if err != nil {
		return 0, 0, err
	}
	if what < 0 || what >= shown {
		return 0, 0, fmt.Errorf("picture %d: want 0 to %d", what, shown-1)
	}
	b, ok := env.As[env.Boarder](e)
	if _, paints := env.As[env.Painter](e); !ok || !paints {
		return 0, 0, fmt.Errorf("%s cannot be drawn", e.Spec().ID)
	}
	board := b.Board()
	cols, rows := int64(board.Cols), int64(board.Rows)
	if what != whole {
		m, err := miniGrid(e)
		if err != nil {
			return 0, 0, err
		}
		if n, _ := m.Sight(); what == seen {
			cols, rows = int64(n), int64(n)
		}
	}
	if tile < 1 || tile > 1024 || 4*tile*tile*cols*rows > maxImage {
		return 0, 0, fmt.Errorf("%s: tiles of %d pixels: want at least 1 and a picture under %d MiB", e.Spec().ID, tile, maxImage>>20)
	}
	return cols * tile, rows * tile, nil
}

// render draws the row into pix, [height][width][3].
func (w *world) render(i, tile, what int64, pix []byte) error {
	width, height, err := w.size(i, tile, what)
	if err != nil {
		return err
	}
	if int64(len(pix)) != 3*width*height {
		return fmt.Errorf("buffer of the picture has %d bytes, want %d", len(pix), 3*width*height)
	}
	e := w.vec.Env(int(i))
	img := image.NewRGBA(image.Rect(0, 0, int(width), int(height)))
	switch what {
	case whole:
		p, _ := env.As[env.Painter](e)
		p.Paint(img)
	case unlit:
		b, _ := env.As[env.Boarder](e)
		board := b.Board()
		for k := range board.Cells {
			board.Cells[k].Flags &^= grid.FlagSeen
		}
		minigrid.PaintBoard(board, img)
	case seen:
		m, _ := env.As[*minigrid.Env](e)
		img = m.View(int(tile))
	}
	for k := range width * height {
		copy(pix[3*k:3*k+3], img.Pix[4*k:])
	}
	return nil
}

func miniGrid(e env.Env) (*minigrid.Env, error) {
	m, ok := env.As[*minigrid.Env](e)
	if !ok {
		return nil, fmt.Errorf("%s is not of MiniGrid's family", e.Spec().ID)
	}
	return m, nil
}

// An object is MiniGrid's encoding: type, colour, state.
type object [3]uint8

func objectOf(c minigrid.Cell) *object {
	if c == 0 {
		return nil
	}
	return &object{c.Type(), c.Color(), c.State()}
}

// miniGridState is a row of MiniGrid's family as JSON: what the attributes of the minigrid package's
// environments tell.
func (w *world) miniGridState(i int64) ([]byte, error) {
	e, err := w.row(i)
	if err != nil {
		return nil, err
	}
	m, err := miniGrid(e)
	if err != nil {
		return nil, err
	}
	type box struct {
		X      int     `json:"x"`
		Y      int     `json:"y"`
		Inside *object `json:"inside"`
	}
	var s struct {
		Width    int     `json:"width"`
		Height   int     `json:"height"`
		X        int     `json:"x"`
		Y        int     `json:"y"`
		Dir      int     `json:"dir"` // 0 is right, then clockwise
		Carrying *object `json:"carrying"`
		Within   *object `json:"within"` // of the carried box
		Boxes    []box   `json:"boxes"`  // those that contain something
		Steps    int     `json:"steps"`
		Limit    int     `json:"limit"`
		View     int     `json:"view"` // its width
		Through  bool    `json:"through"`
		Grid     []byte  `json:"grid"` // [width][height][3], base64
	}
	s.Width, s.Height = m.Size()
	s.X, s.Y, s.Dir = m.Agent()
	carried, _ := m.Carrying()
	s.Carrying, s.Within = objectOf(carried), objectOf(m.Within())
	s.Steps = m.Steps()
	l, _ := env.As[env.Limiter](e)
	s.Limit = l.Limit()
	s.View, s.Through = m.Sight()
	s.Boxes, s.Grid = []box{}, make([]byte, 0, 3*s.Width*s.Height)
	for x := range s.Width {
		for y := range s.Height {
			c := m.Cell(x, y)
			s.Grid = append(s.Grid, c.Type(), c.Color(), c.State())
			if in := m.Inside(x, y); in != 0 {
				s.Boxes = append(s.Boxes, box{x, y, objectOf(in)})
			}
		}
	}
	return json.Marshal(s)
}

// describe is the handle as JSON, for ponder_env.
func (w *world) describe() ([]byte, error) {
	_, mission := env.As[env.Missioner](w.vec.Env(0))
	return json.Marshal(struct {
		env.Spec
		Family    string `json:"family"`
		Mission   bool   `json:"mission"`
		Autoreset string `json:"autoreset"`
		Rows      int    `json:"rows"`
	}{w.vec.Spec(), w.family, mission, w.vec.Config().Autoreset.String(), w.vec.Len()})
}

// An entry is what ponder_env knows of an env.Entry.
type entry struct {
	ID      string   `json:"id"`
	Family  string   `json:"family"`
	Form    string   `json:"form"`
	Aliases []string `json:"aliases"`
	About   string   `json:"about"`
	Options []option `json:"options"`
}

type option struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	About   string `json:"about"`
}

func entryOf(e env.Entry) entry {
	out := entry{e.ID, e.Family, e.Form, append([]string{}, e.Aliases...), e.About, []option{}}
	for _, o := range e.Options {
		out.Options = append(out.Options, option(o))
	}
	return out
}

// list is what can be made, as JSON.
func list(pattern string) ([]byte, error) {
	all := []entry{}
	for _, e := range env.List(pattern) {
		all = append(all, entryOf(e))
	}
	return json.Marshal(all)
}

// find is the entry that opens an id, as JSON.
func find(id string) ([]byte, error) {
	e, _, err := env.Lookup(id)
	if err != nil {
		return nil, err
	}
	return json.Marshal(entryOf(e))
}

// worlds are the open handles. A number is never used twice.
var worlds struct {
	sync.RWMutex
	open map[int64]*world
	last int64
}

func keep(w *world) int64 {
	worlds.Lock()
	defer worlds.Unlock()
	if worlds.open == nil {
		worlds.open = make(map[int64]*world)
	}
	worlds.last++
	worlds.open[worlds.last] = w
	return worlds.last
}

// with runs f on the world of a handle, one at a time, and turns a panic into an error.
func with(handle int64, f func(w *world) (int64, error)) (n int64, err error) {
	worlds.RLock()
	w := worlds.open[handle]
	worlds.RUnlock()
	if w == nil {
		return 0, fmt.Errorf("handle %d is not open", handle)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, fmt.Errorf("handle %d is closed", handle)
	}
	defer caught(&err)
	return f(w)
}

// caught turns a panic into an error. None is known to be reachable; in someone else's process one
// must not end it.
func caught(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("bug in ponder: panic: %v\n%s", r, debug.Stack())
	}
}

// drop closes a handle and forgets it.
func drop(handle int64) error {
	_, err := with(handle, func(w *world) (int64, error) {
		w.close()
		return 0, nil
	})
	worlds.Lock()
	defer worlds.Unlock()
	delete(worlds.open, handle)
	return err
}
