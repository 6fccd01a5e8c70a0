package window

import (
	"bytes"
	"context"
	"errors"
	"image/gif"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/sudoku"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
	"github.com/ponder-agents/ponder/viz/viztest"
)

var testPainters = viz.Painters{"maze": maze.PaintBoard, "sudoku": sudoku.PaintBoard}

// open opens any environment with a wave, or who else is asked for.
func open(_ context.Context, c session.Choice) (*session.Scene, error) {
	if c.Model == "misfit" {
		return nil, errors.New("model misfit: vocabulary 10, the environment has 5")
	}
	e, err := env.Make(c.Env)
	if err != nil {
		return nil, err
	}
	w, err := session.WorldOf(e)
	if err != nil {
		return nil, err
	}
	reach := 4
	if c.Model == "near" {
		reach = 1
	}
	s := &session.Scene{World: w, Agent: &viztest.Wave{World: w, Name: "wave", Wall: maze.KindWall, Goal: maze.KindGoal, Reach: reach, MaxSegments: 16}}
	switch c.Agent {
	case "human":
		s.Agent = session.NewHuman()
	case "random":
		s.Agent = session.NewRandom(w, c.Seed)
	}
	return s, nil
}

// A driver is an App and the hands on it; its clock is its own.
type driver struct {
	*testing.T
	*App
	in Input
}

func liveApp(t *testing.T) *driver {
	t.Helper()
	return drive(t, Config{
		Open: open, Choice: session.Choice{Env: "maze/9x9-v0", Agent: "hrm", Seed: 3},
		Envs:     []string{"maze/9x9-v0", "sudoku", "maze/11x11-v0"},
		Agents:   []Agent{{Title: "wave", Agent: "hrm"}, {Title: "near", Agent: "hrm", Model: "near"}, {Title: "misfit", Agent: "hrm", Model: "misfit"}, {Title: "chance", Agent: "random"}},
		OpenPath: openPath,
		Gallery:  []session.Show{{Title: "a puzzle", About: "of digits", Choice: session.Choice{Env: "sudoku", Agent: "hrm"}}},
		Examples: []session.Example{{Seed: 3, Solved: true, Return: 1}, {Seed: 8, Segments: 3, Steps: 2}},
		Dir:      t.TempDir(), Painters: testPainters,
	})
}

// openPath opens a recording, or the world of which a file holds the name.
func openPath(path string) (session.Choice, *Trace, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return session.Choice{}, nil, err
	}
	if f, err := trace.NewFile(bytes.NewReader(b), int64(len(b))); err == nil {
		t := Trace{Name: filepath.Base(path), Header: f.Header(), History: f}
		if f.Damage() != nil {
			t.Damage = f.Damage().Error()
		}
		return session.Choice{}, &t, nil
	}
	return session.Choice{Env: strings.TrimSpace(string(b))}, nil, nil
}

func drive(t *testing.T, cfg Config) *driver {
	t.Helper()
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d := &driver{t, a, Input{Now: time.Unix(1000, 0), Width: 1200, Height: 800, Scale: 1, X: 2, Y: 60}}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	d.until("there is a board", func() bool { return d.view().Step != nil })
	return d
}

func (d *driver) view() *viz.View { return &d.sides[0].view }

// tick is one Update, a sixtieth of a second later.
func (d *driver) tick(keys ...Key) {
	d.in.Now = d.in.Now.Add(time.Second / 60)
	d.in.Keys = keys
	d.Update(d.in)
	d.in.Keys, d.in.Files, d.in.Wheel = nil, nil, 0
}

// until ticks until the App shows what is waited for.
func (d *driver) until(what string, ok func() bool) {
	d.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			d.Fatalf("waited in vain until %s (message %q)", what, d.message)
		}
		d.tick()
	}
}

func (d *driver) click(x, y float64) {
	d.in.X, d.in.Y = x, y
	d.tick()
	d.in.Down = true
	d.tick()
	d.in.Down = false
	d.tick()
}

func (d *driver) clickRect(r canvas.Rect) { d.click(r.X+r.W/2, r.Y+r.H/2) }

// pane is a pane of the first side at its place.
func (d *driver) pane(id string) viz.Placed {
	d.Helper()
	l := d.layout()
	i := slices.IndexFunc(l, func(p viz.Placed) bool { return p.ID == id && p.View == 0 })
	if i < 0 {
		d.Fatalf("there is no pane %s", id)
	}
	return l[i]
}

// pointAt points at a cell of the first board.
func (d *driver) pointAt(cell int) {
	p := d.pane("board")
	for y := p.Rect.Y; y < p.Rect.Y+p.Rect.H; y += 4 {
		for x := p.Rect.X; x < p.Rect.X+p.Rect.W; x += 4 {
			if h := d.hit(p, x, y); h.Kind == viz.HitCell && h.N == cell {
				_, at := d.local(p)
				d.in.X, d.in.Y = float64(at.X)/d.in.Scale+h.Rect.X+h.Rect.W/2, float64(at.Y)/d.in.Scale+h.Rect.Y+h.Rect.H/2
				return
			}
		}
	}
	d.Fatalf("cell %d is nowhere", cell)
}

func (d *driver) clickCell(cell int) {
	d.pointAt(cell)
	d.click(d.in.X, d.in.Y)
}

// replayApp shows the trace of a whole episode.
func replayApp(t *testing.T) *driver {
	t.Helper()
	f := episode(t)
	return drive(t, Config{Traces: []Trace{{Name: "test.trace", Header: f.Header(), History: f}}, Dir: t.TempDir(), Painters: testPainters})
}

func episode(t testing.TB) *trace.File {
	b := episodeBytes(t)
	f, err := trace.NewFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func episodeBytes(t testing.TB) []byte {
	t.Helper()
	s, err := open(context.Background(), session.Choice{Env: "maze/9x9-v0", Agent: "hrm"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := trace.NewWriter(&b, s.Header())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(session.Record(context.Background(), s, 3, 8, w), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// thinkOn lets the session do n segments.
func (d *driver) thinkOn(n int) {
	d.Helper()
	for range n {
		d.tick() // the view may be of a moment ago
		k, end := len(d.view().Step.Thought), d.end()
		d.tick(".")
		d.until("it thinks on", func() bool { return len(d.view().Step.Thought) != k || d.end() != end })
	}
}

func (d *driver) end() int {
	_, end := d.sides[0].base().Range()
	return end
}

// effects are what each control must do. Each begins with a live App that has thought two segments of
// its second decision.
var effects = map[string]func(d *driver, use func()){
	"first": func(d *driver, use func()) {
		use()
		if v := d.view(); v.Step.Index != 0 || v.Segment != -1 {
			d.Errorf("step %d, segment %d", v.Step.Index, v.Segment)
		}
	},
	"back": func(d *driver, use func()) {
		use()
		if v := d.view(); v.Step.Index != 0 || v.Segment != len(v.Step.Thought)-1 {
			d.Errorf("step %d, segment %d", v.Step.Index, v.Segment)
		}
	},
	"segment-back": func(d *driver, use func()) {
		use()
		if v := d.view(); v.Step.Index != 1 || v.Segment != 0 {
			d.Errorf("step %d, segment %d", v.Step.Index, v.Segment)
		}
		use()
		if v := d.view(); v.Step.Index != 0 || v.Segment != len(v.Step.Thought)-1 {
			d.Errorf("step %d, segment %d", v.Step.Index, v.Segment)
		}
	},
	"play": func(d *driver, use func()) {
		use()
		d.until("it plays", func() bool { return d.isPlaying() && d.end() >= 2 })
		use()
		d.until("it pauses", func() bool { return !d.isPlaying() })
	},
	"segment": func(d *driver, use func()) {
		use()
		d.until("it thinks", func() bool { return len(d.view().Step.Thought) == 3 || d.end() == 2 })
	},
	"forward": func(d *driver, use func()) {
		use()
		d.until("it acts", func() bool { return d.end() == 2 })
		d.tick("home")
		use()
		if v := d.view(); v.Step.Index != 1 {
			d.Errorf("step %d", v.Step.Index)
		}
	},
	"last": func(d *driver, use func()) {
		d.tick("home")
		use()
		d.tick()
		if v := d.view(); v.Step.Index != 1 || !d.following() {
			d.Errorf("step %d", v.Step.Index)
		}
	},
	"slower": func(d *driver, use func()) {
		use()
		d.until("it is slower", func() bool { return d.status().Speed == session.NormalSpeed-1 })
	},
	"speed": func(d *driver, use func()) {
		d.tick("]", "]")
		use()
		d.until("it is normal", func() bool { return d.status().Speed == session.NormalSpeed })
	},
	"faster": func(d *driver, use func()) {
		use()
		d.until("it is faster", func() bool { return d.status().Speed == session.NormalSpeed+1 })
	},
	"longer": func(d *driver, use func()) {
		for n := 3; n < 8; n++ {
			use()
			d.until("it thinks longer", func() bool { return len(d.view().Step.Thought) == n })
		}
		if d.end() != 1 || viz.HaltedAt(d.view().Step) > 5 {
			d.Error("it was not forced beyond halting")
		}
	},
	"again": func(d *driver, use func()) {
		first := d.view().Step
		use()
		d.until("it has thought again", func() bool {
			v := d.view()
			return v.Against != nil && v.Step != first && len(v.Step.Thought) > 0 && v.Step.Thought[len(v.Step.Thought)-1].Halted
		})
		if v := d.view(); v.Against.Index != v.Step.Index || len(v.Against.Thought) != 2 || v.Other == nil || d.end() != 1 {
			d.Errorf("against %d segments of step %d", len(v.Against.Thought), v.Against.Index)
		}
		// Going on, what was is forgotten.
		d.tick("enter")
		d.until("it acts", func() bool { return d.end() == 2 && d.view().Against == nil })
	},
	"branch": func(d *driver, use func()) {
		use()
		d.until("it says what else would have come", func() bool { return d.view().Branches != nil })
		thought := viz.HaltedAt(d.view().Step) + 1
		want := []int{1, 2, 4, 8, 16}
		if !slices.Contains(want, thought) {
			want = append(want, thought)
			slices.Sort(want)
		}
		if b := d.view().Branches; !slices.Equal(b.Segments, want) || b.Worth[0] != 0.875 || b.Index != d.view().Step.Index {
			d.Errorf("%+v, want %v segments", b, want)
		}
		p := d.pane("regret")
		if _, value, ok := viz.Explain("regret", d.view()); !ok || !strings.Contains(value, "the most, 16, bring 0.") {
			d.Errorf("it is explained by %q", value)
		}
		d.click(p.Rect.X+p.Rect.W-20, p.Rect.Y+p.Rect.H/2)
		if d.view().Segment != len(d.view().Step.Thought)-1 {
			d.Errorf("a click at its end shows segment %d", d.view().Segment+1)
		}
		d.tick("end")
		d.tick("enter")
		d.until("it is of the past", func() bool { return d.view().Branches == nil })
		if slices.ContainsFunc(d.layout(), func(p viz.Placed) bool { return p.ID == "regret" }) {
			d.Error("the pane stays")
		}
	},
	"price": func(d *driver, use func()) {
		halts := func(price int) int {
			var n int
			d.until("it has thought at the price", func() bool {
				n = viz.HaltedAt(d.view().Step)
				return d.status().Price == price && d.status().Busy == "" && n >= 0 && n == d.view().Segment
			})
			return n + 1
		}
		use()
		// Nearly nothing buys near certainty, which the wave never has.
		d.until("it thinks to the limit", func() bool { return viz.HaltedAt(d.view().Step) == 15 })
		dear := 16
		for n := 2; n < len(session.Prices); n++ {
			use()
			if k := halts(n); k > dear {
				d.Errorf("at %v it thinks %d segments, at a lower price %d", session.Prices[n], k, dear)
			} else {
				dear = k
			}
		}
		if first := 16; dear >= first || d.view().Header.Rule != "halt-above" {
			d.Errorf("the highest price leaves %d segments, rule %s", dear, d.view().Header.Rule)
		}
		use()
		d.until("it is free again", func() bool { return d.status().Price == 0 && d.view().Header.Rule == "halt-over-continue" })
	},
	"cheaper": func(d *driver, use func()) {
		use()
		d.until("the highest price", func() bool { return d.status().Price == len(session.Prices)-1 })
	},
	"undo": func(d *driver, use func()) {
		use()
		d.until("it says that there is nothing", func() bool { return strings.Contains(d.message, "no edit") })
		before := d.view().Step.Board
		d.send(session.Command{Op: session.OpEdit, X: 4, Y: 3, Value: -1})
		d.send(session.Command{Op: session.OpEdit, X: 3, Y: 4, Value: -1})
		d.until("it is edited", func() bool { return strings.Count(d.status().Choice.Edits, "_") == 1 })
		use()
		use()
		d.until("it is as before", func() bool {
			return d.status().Choice.Edits == "" && cmp.Equal(before, d.view().Step.Board) && len(d.view().Step.Thought) > 0
		})
	},
	"redo": func(d *driver, use func()) {
		d.send(session.Command{Op: session.OpEdit, X: 4, Y: 3, Value: -1})
		d.until("it is edited", func() bool { return d.status().Choice.Edits != "" })
		after := d.view().Step.Board
		d.tick("u")
		d.until("it is undone", func() bool { return d.status().Choice.Edits == "" })
		use()
		d.until("it is done again", func() bool { return d.status().Choice.Edits != "" && cmp.Equal(after, d.view().Step.Board) })
		use()
		d.until("it says that there is nothing", func() bool { return strings.Contains(d.message, "nothing was undone") })
	},
	"now": func(d *driver, use func()) {
		use()
		d.until("it acts", func() bool { return d.end() == 2 })
		if s, _ := d.status().Trace.Step(1); len(s.Thought) != 2 {
			d.Errorf("%d segments were used", len(s.Thought))
		}
	},
	"restart": func(d *driver, use func()) {
		use()
		d.until("it begins again", func() bool { s := d.view().Step; return s.Index == 0 && s.Seed == 3 && s.Episode == 1 })
	},
	"next": func(d *driver, use func()) {
		use()
		d.until("it begins another", func() bool { s := d.view().Step; return s.Index == 0 && s.Seed == 4 })
	},
	"edit": func(d *driver, use func()) {
		use()
		wall := slices.IndexFunc(d.view().Step.Board.Cells[10:], func(c cell) bool { return c.Kind == maze.KindWall }) + 10
		if x := wall % 9; x == 0 || x == 8 {
			wall = 9 + 9 + 1 + slices.IndexFunc(d.view().Step.Board.Cells[19:26], func(c cell) bool { return c.Kind == maze.KindWall })
		}
		d.clickCell(wall)
		d.until("the wall is gone and it has thought again", func() bool {
			s := d.view().Step
			return s.Board.Cells[wall].Kind == maze.KindFloor && len(s.Thought) > 0 && s.Thought[len(s.Thought)-1].Halted
		})
		use()
		if d.edit {
			d.Error("still editing")
		}
	},
	"take": func(d *driver, use func()) {
		use()
		d.until("a person plays", d.human)
		d.tick("up")
		d.until("the person has acted", func() bool { return d.end() == 2 })
		if s, _ := d.status().Trace.Step(1); s.Action != maze.Up {
			d.Errorf("action %d", s.Action)
		}
		d.tick("3")
		d.until("the person has acted by number", func() bool { return d.end() == 3 })
		if s, _ := d.status().Trace.Step(2); s.Action != maze.Left {
			d.Errorf("action %d", s.Action)
		}
		p := d.pane("actions")
		for y := p.Rect.Y; y < p.Rect.Y+p.Rect.H; y++ {
			if d.hit(p, p.Rect.X, y) == (viz.Hit{Kind: viz.HitAction, N: maze.Down}) {
				d.click(p.Rect.X+40, y+9)
				break
			}
		}
		d.until("the person has acted by mouse", func() bool { return d.end() == 4 })
		if s, _ := d.status().Trace.Step(3); s.Action != maze.Down {
			d.Errorf("action %d", s.Action)
		}
		use()
		d.until("handed back", func() bool { return !d.human() })
	},
	"layer": func(d *driver, use func()) {
		all := viz.Layers(d.view().Header)
		for _, want := range append(all[1:], all[0]) {
			use()
			if d.layer != want.ID || d.view().Layer != want.ID {
				d.Errorf("layer %s, want %s", d.layer, want.ID)
			}
		}
	},
	"layer-back": func(d *driver, use func()) {
		use()
		if d.layer != "none" {
			d.Errorf("layer %s", d.layer)
		}
	},
	"record": func(d *driver, use func()) {
		use()
		d.until("it records", func() bool { return d.status().Recording != "" })
		d.thinkOn(5)
		steps := d.status().Recorded
		use()
		d.until("the film is written", func() bool { return strings.HasPrefix(d.message, "saved") })
		files, _ := filepath.Glob(filepath.Join(d.cfg.Dir, "*"))
		if len(files) != 2 || filepath.Ext(files[0]) != ".gif" || filepath.Ext(files[1]) != ".trace" {
			d.Fatalf("files %v", files)
		}
		f, err := trace.Open(files[1])
		if err != nil || f.Damage() != nil {
			d.Fatal(err, f.Damage())
		}
		defer f.Close()
		if _, end := f.Range(); end < max(1, steps) || end > steps+1 { // one may end while it stops
			d.Errorf("%d steps in the file, %d recorded", end, steps)
		}
		r, err := os.Open(files[0])
		if err != nil {
			d.Fatal(err)
		}
		defer r.Close()
		if g, err := gif.DecodeAll(r); err != nil || len(g.Image) < steps || g.Config.Width != 960 {
			d.Errorf("the GIF: %v", err)
		}
	},
	"format": func(d *driver, use func()) {
		use()
		if formats[d.export.format] != "MP4" {
			d.Error("the format stays")
		}
	},
	"picture": func(d *driver, use func()) { savesPNG(d, use, 1200) },
	"sheet":   func(d *driver, use func()) { savesPNG(d, use, 0) },
	"env": func(d *driver, use func()) {
		use()
		d.tick("s", "u", "enter")
		d.until("the sudoku is open", func() bool { return d.view().Header.EnvID == "sudoku/9x9-v0" && d.view().Step.Board.Family == "sudoku" })
	},
	"agent": func(d *driver, use func()) {
		use()
		d.tick("end", "enter")
		d.until("chance plays", func() bool { return d.view().Header.Agent == "random" })
	},
	"compare": func(d *driver, use func()) {
		use()
		d.tick("down", "enter")
		d.until("both are there", func() bool { return len(d.sides) == 2 && d.sides[1].view.Step != nil && d.end() == 0 })
		d.tick("right")
		d.until("both have acted", func() bool {
			_, b := d.sides[1].base().Range()
			return d.end() == 1 && b == 1
		})
		d.tick("home")
		d.tick(".")
		a, b := &d.sides[0].view, &d.sides[1].view
		if !cmp.Equal(a.Step.Board, b.Step.Board) || a.Segment != b.Segment || a.Other == nil {
			d.Errorf("the sides show different moments: segments %d, %d", a.Segment, b.Segment)
		}
		if a.Name != "wave" || b.Name != "near" {
			d.Errorf("names %q, %q", a.Name, b.Name)
		}
		use()
		if len(d.sides) != 1 {
			d.Error("still two")
		}
	},
	"smaller": func(d *driver, use func()) {
		use()
		if d.Zoom() != 0.9 {
			d.Errorf("zoom %v", d.Zoom())
		}
	},
	"larger": func(d *driver, use func()) {
		use()
		if d.Zoom() != 1.15 {
			d.Errorf("zoom %v", d.Zoom())
		}
	},
	"gallery": func(d *driver, use func()) {
		use()
		if it := d.list.items[0]; it.title != "a puzzle" || it.line != "of digits" || it.world != "sudoku" || it.current {
			d.Errorf("the first item is %+v", it)
		}
		d.tick("enter")
		d.until("it plays", func() bool { return d.status().Header.EnvID == "sudoku/9x9-v0" && d.status().Playing })
	},
	"examples": func(d *driver, use func()) {
		use()
		if now := d.list.items[0]; now.title != "seed 8" || now.line != "failed: return 0, 3 segments in 2 steps" {
			d.Errorf("the first item is %+v", now)
		}
		d.tick("enter")
		d.until("it is shown", func() bool { return d.view().Step.Seed == 8 })
	},
	"options": func(d *driver, use func()) {
		use()
		d.tick("v", "i", "e", "w", ":", "enter") // of view
		d.tick("f", "o", "g", "enter")
		d.until("there is fog", func() bool { return d.status().Choice.Options == "view=fog" && d.view().Step != nil })
	},
	"file": func(d *driver, use func()) {
		use()
		if d.list == nil || !strings.HasPrefix(d.list.title, "Open ") {
			d.Errorf("the list %+v", d.list)
		}
	},
	"theme": func(d *driver, use func()) {
		use()
		if !d.Light() || d.view().Theme.Name != "light" {
			d.Error("still dark")
		}
	},
	"full": func(d *driver, use func()) {
		use()
		if !d.Full() {
			d.Error("not full")
		}
	},
	"tour": func(d *driver, use func()) {
		for n := range len(stations) {
			if use(); d.tour != n+1 || d.Toured() {
				d.Errorf("step %d of the tour, want %d", d.tour, n+1)
			}
		}
		if use(); d.tour != 0 || !d.Toured() {
			d.Error("the tour does not end")
		}
	},
	"help": func(d *driver, use func()) {
		use()
		if !d.help {
			d.Error("no help")
		}
		d.tick("esc")
		if d.help {
			d.Error("the help stays")
		}
	},
	"close": func(d *driver, use func()) {
		d.say("a message")
		use()
		if d.message != "" {
			d.Error("the message stays")
		}
		d.tick("e")
		d.message = ""
		use()
		if d.edit {
			d.Error("still editing")
		}
	},
	"pane latent": hides("latent"),
	"pane strip":  hides("strip"),
	"quit": func(d *driver, use func()) {
		use()
		if d.Update(d.in) {
			d.Error("it goes on")
		}
	},
}

// hides is the effect of a pane's key: the others take its room, and get it back.
func hides(id string) func(d *driver, use func()) {
	return func(d *driver, use func()) {
		before := d.layout()
		use()
		var area float64
		for _, p := range d.layout() {
			area += p.Rect.W * p.Rect.H
			if p.ID == id {
				d.Error("it is not hidden")
			}
		}
		all := 0.0
		for _, p := range before {
			all += p.Rect.W * p.Rect.H
		}
		if area < 0.98*all { // but for gaps
			d.Errorf("%.0f square points are used, %.0f before", area, all)
		}
		use()
		if n := len(d.layout()); n != len(before) {
			d.Errorf("%d panes, %d before", n, len(before))
		}
	}
}

func savesPNG(d *driver, use func(), width int) {
	use()
	d.until("the picture is written", func() bool { return strings.HasPrefix(d.message, "saved") })
	f, err := os.Open(strings.TrimPrefix(d.message, "saved "))
	if err != nil {
		d.Fatal(err)
	}
	defer f.Close()
	if c, err := png.DecodeConfig(f); err != nil || width > 0 && c.Width != width {
		d.Errorf("%+v, %v", c, err)
	}
}

type cell = grid.Cell

// TestEveryControl uses every control by each of its keys and by its button.
func TestEveryControl(t *testing.T) {
	begin := func(t *testing.T) *driver {
		d := liveApp(t)
		// The session does not dawdle, whatever the speed on screen.
		d.sides[0].session.Send(session.Command{Op: session.OpSpeed, Value: len(session.Speeds) - 1})
		d.tick("right")
		d.until("the first step is over", func() bool { return d.end() == 1 })
		d.thinkOn(2)
		return d
	}
	keys := make(map[Key]string)
	d := liveApp(t)
	var buttons []string
	for _, b := range d.buttons() {
		buttons = append(buttons, b.id)
	}
	for _, c := range d.controls() {
		if effects[c.id] == nil {
			t.Errorf("the control %q is not tested", c.id)
			continue
		}
		for _, k := range c.keys {
			if keys[k] != "" {
				t.Errorf("key %q of %s is that of %s", k, c.id, keys[k])
			}
			keys[k] = c.id
			t.Run(c.id+" by "+string(k), func(t *testing.T) {
				d := begin(t)
				effects[c.id](d, func() { d.tick(k) })
			})
		}
		if !slices.Contains(buttons, c.id) {
			continue
		}
		t.Run(c.id+" by mouse", func(t *testing.T) {
			d := begin(t)
			effects[c.id](d, func() {
				for _, b := range d.buttons() {
					if b.id == c.id {
						d.clickRect(b.r)
						return
					}
				}
				t.Fatal("it has no button")
			})
		})
	}
}

// TestButtonsFit looks at the bars at every size of window and text that can be chosen.
func TestButtonsFit(t *testing.T) {
	d := liveApp(t)
	rapid.Check(t, func(rt *rapid.T) {
		d.in.Width, d.in.Height = float64(rapid.IntRange(640, 4000).Draw(rt, "w")), float64(rapid.IntRange(480, 2400).Draw(rt, "h"))
		d.in.Scale = rapid.SampledFrom([]float64{1, 1.25, 1.5, 2}).Draw(rt, "scale")
		d.zoom = rapid.SampledFrom([]float64{0.75, 1, 1.15}).Draw(rt, "zoom")
		d.tick()
		all := d.buttons()
		for i, b := range all {
			if b.r.X < 0 || b.r.Y < 0 || b.r.X+b.r.W > d.App.in.Width+0.01 || b.r.Y+b.r.H > d.App.in.Height || b.r.W < 16 {
				rt.Errorf("%s at %+v in a window of %vx%v", b.id, b.r, d.App.in.Width, d.App.in.Height)
			}
			for _, c := range all[:i] {
				if b.r.X < c.r.X+c.r.W && c.r.X < b.r.X+b.r.W && b.r.Y < c.r.Y+c.r.H && c.r.Y < b.r.Y+b.r.H {
					rt.Errorf("%s covers %s", b.id, c.id)
				}
			}
			if b.tip == "" || len(b.keys) == 0 {
				rt.Errorf("%s has no tooltip or no key", b.id)
			}
		}
	})
	d.zoom = 1
}

// TestAnySize draws the window as small and as oddly as a person can make it.
func TestAnySize(t *testing.T) {
	d := liveApp(t)
	d.thinkOn(3)
	rapid.Check(t, func(rt *rapid.T) {
		d.in.Width, d.in.Height = float64(rapid.IntRange(1, 900).Draw(rt, "w")), float64(rapid.IntRange(1, 700).Draw(rt, "h"))
		d.in.Scale = rapid.SampledFrom([]float64{0.5, 1, 1.25}).Draw(rt, "scale")
		d.zoom = rapid.SampledFrom(zooms[:]).Draw(rt, "zoom")
		d.in.X, d.in.Y = rapid.Float64Range(-50, 900).Draw(rt, "x"), rapid.Float64Range(-50, 700).Draw(rt, "y")
		d.tick(rapid.SampledFrom([]Key{"?", "o", "esc", "down", "x", "backspace", "l", "t", "c", "m", "pgdn", "end", "[", "enter"}).Draw(rt, "key"))
		img := d.Compose()
		if w, h := img.Rect.Dx(), img.Rect.Dy(); math.Abs(float64(w)-d.in.Width*d.in.Scale) > 1 || math.Abs(float64(h)-d.in.Height*d.in.Scale) > 1 {
			rt.Errorf("a picture of %dx%d for a window of %vx%v at scale %v", w, h, d.in.Width, d.in.Height, d.in.Scale)
		}
	})
	d.zoom, d.list, d.help = 1, nil, false
}

func TestTooltip(t *testing.T) {
	d := liveApp(t)
	for _, b := range d.buttons() {
		d.in.X, d.in.Y = b.r.X+4, b.r.Y+4
		d.tick()
		d.Draw()
		d.in.Now = d.in.Now.Add(time.Second)
		d.tick()
		if !slices.ContainsFunc(d.Draw(), func(b Blit) bool { return b.ID == "tip" }) {
			t.Errorf("%s shows no tooltip", b.id)
		}
	}
}

// TestScrub goes through a replay by every way there is; the view is always one of the trace's.
func TestScrub(t *testing.T) {
	d := replayApp(t)
	f := episode(t)
	_, end := f.Range()
	rapid.Check(t, func(rt *rapid.T) {
		line, curve, strip := d.pane("timeline"), d.pane("curve"), d.pane("strip")
		switch rapid.IntRange(0, 4).Draw(rt, "by") {
		case 0:
			d.tick(rapid.SampledFrom([]Key{"left", "right", ",", ".", "home", "end", "shift+left", "shift+right", "space"}).Draw(rt, "key"))
		case 1:
			x := rapid.Float64Range(0, 1199).Draw(rt, "x")
			d.click(x, line.Rect.Y+40)
			if h := d.hit(line, x, 0); h.Kind != viz.HitStep || d.view().Step.Index != h.N {
				rt.Errorf("a click at %v shows step %d, want %+v", x, d.view().Step.Index, h)
			}
		case 2:
			x := rapid.Float64Range(curve.Rect.X, curve.Rect.X+curve.Rect.W-1).Draw(rt, "x")
			d.click(x, curve.Rect.Y+60)
			if h := d.hit(curve, x, 0); h.Kind == viz.HitSegment && d.view().Segment != h.N {
				rt.Errorf("a click at %v shows segment %d, want %d", x, d.view().Segment, h.N)
			}
		case 3:
			x := rapid.Float64Range(0, 600).Draw(rt, "x")
			before := d.view().Segment
			want := d.hit(strip, x, 0)
			d.click(x, strip.Rect.Y+20)
			if got := d.view().Segment; want.Kind == viz.HitSegment && got != want.N || want.Kind == viz.HitNone && got != before && !d.playing {
				rt.Errorf("a click at %v in the strip shows segment %d, want %+v", x, got, want)
			}
		case 4:
			d.in.X, d.in.Y = line.Rect.X+50, line.Rect.Y+30
			d.in.Wheel = rapid.Float64Range(-3, 3).Draw(rt, "wheel")
			d.tick()
		}
		v := d.view()
		if v.Step == nil || v.Step.Index < 0 || v.Step.Index >= end || v.Segment < -1 || v.Segment >= len(v.Step.Thought) {
			rt.Fatalf("the view is nowhere: %+v", v)
		}
		want, err := f.Step(v.Step.Index)
		if err != nil || len(want.Thought) != len(v.Step.Thought) || want.Action != v.Step.Action {
			rt.Fatalf("step %d is not the trace's: %v", v.Step.Index, err)
		}
		d.Draw()
	})
}

func TestReplayPlaysToItsEnd(t *testing.T) {
	d := replayApp(t)
	d.tick("]", "]", "]", "]", "]")
	d.tick("space")
	shown := make(map[[2]int]bool)
	total := 0
	f := episode(t)
	for n := range 8 {
		i, _ := f.Info(n)
		total += i.Segments
	}
	for n := 0; d.playing && n < 10_000; n++ {
		shown[[2]int{d.view().Step.Index, d.view().Segment}] = true
		d.tick()
	}
	for n := range 8 {
		i, _ := f.Info(n)
		for k := range i.Segments {
			if !shown[[2]int{n, k}] {
				t.Errorf("segment %d of step %d was not shown", k, n)
			}
		}
	}
	// Play at the end begins again.
	d.tick("space")
	if d.view().Step.Index != 0 {
		t.Errorf("play at the end goes on at step %d", d.view().Step.Index)
	}
}

func TestReplayRefusesWhatNeedsASession(t *testing.T) {
	d := replayApp(t)
	for _, c := range d.controls() {
		if !c.live {
			continue
		}
		d.message = ""
		d.tick(c.keys[0])
		if !strings.Contains(d.message, "not in a replay") {
			t.Errorf("%s in a replay: message %q", c.id, d.message)
		}
	}
	d.message = ""
	d.tick("v")
	d.until("the film is written", func() bool { return strings.HasPrefix(d.message, "saved") })
	if _, err := os.Stat(strings.TrimPrefix(d.message, "saved ")); err != nil {
		t.Error(err)
	}
}

func TestNothingIsWrittenWithoutAFolder(t *testing.T) {
	f := episode(t)
	d := drive(t, Config{Traces: []Trace{{Name: "x", Header: f.Header(), History: f}}})
	if saves := d.named("record", "format", "picture", "sheet"); len(saves) > 0 {
		t.Errorf("it offers to save: %s", saves[0].tip)
	}
	d.message = ""
	for _, k := range []Key{"v", "p", "s", "f"} {
		d.tick(k)
	}
	if d.message != "" {
		t.Errorf("message %q", d.message)
	}
}

func TestDroppedFiles(t *testing.T) {
	whole := episodeBytes(t)
	other := bytes.Clone(whole)
	other[8] = 9
	level := "#########\n#S      #\n####### #\n#       #\n# #######\n#       #\n####### #\n#G      #\n#########\n"
	for _, tt := range []struct {
		name, message string
		data          []byte
		err           error
		replaced      bool
	}{
		{"good.trace", "", whole, nil, true},
		{"cut.trace", "cut off", whole[:len(whole)*2/3], nil, true},
		{"other.trace", "version 9", other, nil, false},
		{"text.trace", "not a trace", []byte("hello"), nil, false},
		{"picture.png", "neither", []byte("\x89PNG\r\n\x1a\n\x00\x00"), nil, false},
		{"bad.txt", "line 1", []byte("#?#\n"), nil, false},
		{"level.txt", "", []byte(level), nil, false},
		{"gone.txt", "permission denied", nil, os.ErrPermission, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := liveApp(t)
			d.thinkOn(1)
			d.in.Files = []File{{Name: tt.name, Data: tt.data, Err: tt.err}}
			d.tick()
			switch {
			case tt.message != "":
				d.until("the message comes", func() bool { return strings.Contains(d.message, tt.message) })
			case tt.name == "level.txt":
				d.until("the level is there", func() bool {
					return d.view().Step.Board.Cells[9+2].Kind == maze.KindFloor && d.view().Step.Episode == 1
				})
			}
			if got := !d.live(); got != tt.replaced {
				t.Errorf("replaced by a replay: %v", got)
			}
			if !tt.replaced && tt.name != "level.txt" && (d.view().Step == nil || len(d.view().Step.Thought) != 1) {
				t.Error("what was shown is lost")
			}
			d.tick()
			d.Draw()
		})
	}
}

func TestAMisfitIsSaidAndTheRestStays(t *testing.T) {
	d := liveApp(t)
	d.thinkOn(2)
	d.tick("m")
	d.tick("down")
	d.tick("down")
	d.tick("enter")
	d.until("it is said", func() bool { return strings.Contains(d.message, "vocabulary") })
	if len(d.view().Step.Thought) != 2 || d.view().Header.Model != "wave" {
		t.Error("what was shown is lost")
	}
}

// TestMean counts every finished decision once, and not the one under way.
func TestMean(t *testing.T) {
	d := liveApp(t)
	d.thinkOn(12)
	l := d.status().Trace
	_, end := l.Range()
	sum := 0
	for n := range end {
		i, _ := l.Info(n)
		sum += i.Segments
	}
	d.tick()
	if want := float64(sum) / float64(end); end < 2 || d.view().Mean != want {
		t.Errorf("mean %v of %d decisions, want %v", d.view().Mean, end, want)
	}
}

func TestListByMouse(t *testing.T) {
	d := liveApp(t)
	d.tick("o")
	r, _ := d.listArea()
	d.in.Wheel = -1
	d.tick()
	d.click(r.X+40, r.Y+listHead+d.listRow()*1.5)
	d.until("the second is open", func() bool { return d.view().Header.EnvID == "sudoku/9x9-v0" })
	d.tick("o")
	d.click(4, 400)
	if d.list != nil {
		t.Error("a click outside does not close the list")
	}
}

func TestEditByTypingADigit(t *testing.T) {
	d := liveApp(t)
	d.tick("o", "s", "u", "enter")
	d.until("the sudoku is open", func() bool { return d.view().Header.EnvID == "sudoku/9x9-v0" })
	d.tick("e")
	given := slices.IndexFunc(d.view().Step.Board.Cells, func(c cell) bool { return c.Flags&1 != 0 })
	d.pointAt(given)
	d.tick()
	before := d.view().Step.Board.Cells[given]
	d.tick("0")
	d.until("the given is gone", func() bool { return d.view().Step.Board.Cells[given] != before })
	d.in.X, d.in.Y = 4, 60
	d.tick()
	d.message = ""
	d.tick("5")
	if !strings.Contains(d.message, "point at the cell") {
		t.Errorf("message %q", d.message)
	}
}

func TestAttentionIsAskedFor(t *testing.T) {
	d := liveApp(t)
	d.thinkOn(2)
	d.clickCell(40)
	d.until("the attention is there", func() bool { return len(d.view().Attention) == 2 })
	if d.view().Attention[0][40] != 255 || d.layer != "attention-h" {
		t.Errorf("attention %d of the cell to itself", d.view().Attention[0][40])
	}
	before := d.view().Attention
	d.thinkOn(1)
	d.until("it follows the segment", func() bool { return len(d.view().Attention) == 2 && &d.view().Attention[0] != &before[0] })
	d.clickCell(40)
	if d.pick != -1 {
		t.Error("a second click does not put it down")
	}
}

type slow struct{ *viztest.Wave }

// Think implements session.Agent.
func (slow) Think(ctx context.Context, _ *trace.Segment) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestASlowModelIsSaid(t *testing.T) {
	d := drive(t, Config{Open: func(ctx context.Context, c session.Choice) (*session.Scene, error) {
		s, err := open(ctx, c)
		if err == nil {
			s.Agent = slow{s.Agent.(*viztest.Wave)}
		}
		return s, err
	}, Choice: session.Choice{Env: "maze", Agent: "hrm"}, Play: true, Painters: testPainters})
	d.in.Now = time.Now()
	d.until("it thinks", func() bool { return d.status().Busy == "thinking" })
	d.in.Now = time.Now().Add(3 * time.Second)
	d.tick()
	if n := d.note(); !strings.Contains(n, "thinking for") {
		t.Errorf("note %q", n)
	}
	// The window goes on all the same.
	d.tick("t")
	if !d.Light() {
		t.Error("the keys are dead")
	}
}

func TestPanesAreDrawnOnlyWhenTheyChange(t *testing.T) {
	d := replayApp(t)
	for range 30 { // the glide ends
		d.tick()
	}
	versions := func() map[string]int {
		m := make(map[string]int)
		for _, b := range d.Draw() {
			m[b.ID] = b.Version
		}
		return m
	}
	before := versions()
	d.tick()
	for id, v := range versions() {
		if v != before[id] {
			t.Errorf("%s was drawn again", id)
		}
	}
	d.tick(".")
	after := versions()
	for _, id := range []string{"board", "curve", "thought", "strip", "latent", "timeline"} {
		if after[id] == before[id] {
			t.Errorf("%s is not drawn again for another segment", id)
		}
	}
	for _, id := range []string{"bottom", "top"} {
		if after[id] != before[id] {
			t.Errorf("%s is drawn again for another segment", id)
		}
	}
}

func TestPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ponder", "window.json")
	want := place{Known: true, X: 10, Y: -20, W: 900, H: 700, Light: true, Zoom: 1.5}
	if err := want.write(path); err != nil {
		t.Fatal(err)
	}
	if got := readPlace(path); !cmp.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, bad := range []string{"", "{", `{"W":-5,"H":1e9,"Zoom":-1}`, `{"W":"x"}`} {
		if err := os.WriteFile(path, []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := readPlace(path); got.W < 640 || got.W > 16384 || got.H < 480 || got.H > 16384 || got.Zoom != 1 {
			t.Errorf("from %q: %+v", bad, got)
		}
	}
}
