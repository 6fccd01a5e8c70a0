package window

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
)

// A Config is what an App shows. Either Open or Traces is set.
type Config struct {
	Open   session.Opener // opens what is to be played live
	Choice session.Choice // opened first
	Envs   []string       // that can be picked
	Agents []Agent        // that can be picked

	Gallery  []session.Show    // runs that are worth seeing; nil for none
	Examples []session.Example // levels that were tried, to be picked from; nil for none

	Traces []Trace // one or two that are replayed, side by side

	Panes    []viz.Pane // nil is viz.Panes()
	Painters viz.Painters
	Light    bool    // begin with the light theme
	Zoom     float64 // of the text and controls; 0 is 1
	Play     bool    // begin at once
	Tour     bool    // begin with the tour
	Edit     bool    // begin with a click on a cell changing it
	Dir      string  // where recordings and pictures go; without, there are none

	// OpenPath says what is at a path: something to play, or a recording; nil where there are no paths.
	OpenPath func(path string) (session.Choice, *Trace, error)
	Recent   []string // paths that were opened before, the newest first

	PickFile func()            // lets a person pick a file, which comes as Input.Files; nil where there is no such thing
	Load     func(name string) // brings a recording of the gallery, by Drop; nil where there are none
	Share    func()            // hands on what Choice says; nil where there is no such thing
}

// An Agent can be picked to play.
type Agent struct {
	Title string // on screen
	About string // one line
	Agent trace.Agent
	Model string
	Rule  string
	World string                    // the id of one that it was made for, which is its picture; empty without
	Fits  func(spec env.Spec) error // why it cannot play there; nil if it always can
}

// A Model is one that can be picked.
type Model struct {
	Name, About, World string
	Fits               func(spec env.Spec) error
}

// Agents are a network, those of models, the halting rules to compare, and those who are no network.
func Agents(models []Model) []Agent {
	list := []Agent{{Title: "HRM", About: "the model shipped for the world; the oracle where there is none", Agent: trace.Network}}
	for _, m := range models {
		list = append(list, Agent{Title: "HRM, model " + m.Name, About: m.About, Agent: trace.Network, Model: m.Name, World: m.World, Fits: m.Fits})
	}
	return append(list,
		Agent{Title: "HRM, halts when halt > continue", About: "another halting rule for the model that plays", Agent: trace.Network, Rule: "halt-over-continue"},
		Agent{Title: "HRM, halts when halt is above its threshold", About: "another halting rule for the model that plays", Agent: trace.Network, Rule: "halt-above"},
		Agent{Title: "HRM, always thinks to the limit", About: "no halting for the model that plays", Agent: trace.Network, Rule: "never"},
		Agent{Title: "Oracle", About: "a program that knows the way", Agent: trace.Oracle},
		Agent{Title: "Chance", About: "any action that changes something", Agent: trace.Chance},
		Agent{Title: "You", About: "by keys and mouse", Agent: trace.Human},
	)
}

// choice is c with g in the place of who played. One that names no model keeps that of c, so that two
// halting rules of one model can be compared.
func (g Agent) choice(c session.Choice) session.Choice {
	if g.Model != "" || g.Agent != c.Agent {
		c.Model = g.Model
	}
	c.Agent, c.Rule = g.Agent, g.Rule
	return c
}

// A Trace is a recording to replay.
type Trace struct {
	Name    string
	Header  trace.Header
	History viz.History
	Damage  string // why steps are missing, empty where none are; the window says so
}

// An App is the viewer without its window. One goroutine uses it.
type App struct {
	// Budget is how long Draw may take before pictures other than the first, the board's, wait for a later frame, a few
	// at most; 0 has no bound.
	Budget time.Duration
	began  time.Time // of Draw
	forced bool      // a picture was drawn in this Draw though the time was up

	cfg   Config
	sides []*side
	more  *control // is for those that find no room

	in      Input // of the last Update
	pressed string
	theme   *viz.Theme
	zoom    float64
	layer   string // as viz.View has it
	pick    int
	edit    bool
	cursor  int  // the cell that the pad's digits go to, or -1
	tool    int  // the action that a person's click on a cell does; -1 is none
	drawer  bool // of tools that are used less is open
	asking  int  // the price that the session was asked for and has not taken yet; -1 is none
	usedAt  int  // the cell where a selection was begun and the button is held; -1 is none
	speed   int
	full    bool
	quit    atomic.Bool

	playing bool      // the view moves on by itself through what is kept
	due     time.Time // to its next segment
	drag    string    // the picture of the pane in which the button was pressed and is held
	list    *list
	help    bool
	tour    int  // the step shown, from 1; 0 is none
	unasked bool // nobody asked for it: it waits for an agent that thinks
	toured  bool // it was seen or left

	message string
	said    time.Time
	stays   bool          // it is shown until a person closes it
	heard   map[*side]int // messages of sessions that were shown
	asked   attention     // for last

	hidden   map[string]bool // panes, by ID
	pictures map[string]*picture
	inView   *moment
	next     *moment // being drawn, or nil
	number   int     // of pictures so far
	numbers  map[*image.RGBA]int
	tipped   time.Time // since when the pointer rests on a control
	tip      string

	export struct {
		sync.WaitGroup
		cancel context.CancelFunc
		state  atomic.Pointer[exportState]
		format int
		seen   *exportState
	}
	record   string // path of the recording under way
	thumbs   thumbs
	optioned struct {
		env string
		any bool // it has options
	}
	recent []string
	loaded string // the recording of the gallery that is replayed
	count  int    // files written
}

// An attention is what a session is asked for.
type attention struct {
	step          *trace.Step
	segment, cell int
}

// New makes an App; Close it.
func New(cfg Config) (*App, error) {
	a := &App{cfg: cfg, theme: viz.Dark(), zoom: cfg.Zoom, pick: -1, cursor: -1, tool: -1, asking: -1, usedAt: -1, recent: cfg.Recent, edit: cfg.Edit, speed: session.NormalSpeed, hidden: make(map[string]bool), pictures: make(map[string]*picture), heard: make(map[*side]int)}
	if cfg.Tour {
		a.tour, a.unasked = 1, true
	}
	a.more = &control{id: "more", tip: "More", icon: iconMore, do: (*App).pickMore}
	if cfg.Light {
		a.theme = viz.Light()
	}
	if a.zoom == 0 {
		a.zoom = 1
	}
	if a.cfg.Panes == nil {
		a.cfg.Panes = viz.Panes()
	}
	switch {
	case len(cfg.Traces) > 2:
		return nil, errors.New("at most two traces can be shown side by side")
	case len(cfg.Traces) > 0:
		a.replay(cfg.Traces)
	case cfg.Open != nil:
		a.sides = []*side{{session: session.Start(cfg.Open, cfg.Choice, cfg.Play), follow: true}}
	default:
		return nil, errors.New("neither an environment nor a trace to show")
	}
	return a, nil
}

// begin plays c, in the place of what was shown.
func (a *App) begin(c session.Choice, play bool) {
	a.unpick()
	a.loaded = ""
	if !a.live() {
		a.sides = []*side{{session: session.Start(a.cfg.Open, c, play), follow: true}}
		return
	}
	a.newest()
	a.send(session.Command{Op: session.OpOpen, Choice: c})
	if play {
		a.send(session.Command{Op: session.OpPlay})
	}
}

// replay shows traces in the place of what was shown.
func (a *App) replay(traces []Trace) {
	a.loaded = ""
	for _, s := range a.sides {
		a.sayError(s.close())
	}
	a.sides = nil
	for _, t := range traces {
		a.sides = append(a.sides, &side{file: t.History, header: t.Header, name: t.Name, segment: -1})
	}
	a.playing = a.cfg.Play
	a.due = time.Time{}
	for _, t := range traces {
		if t.Damage != "" {
			a.warn("%s: %s", t.Name, t.Damage)
		}
	}
}

// live reports whether there is a session to steer.
func (a *App) live() bool { return a.sides[0].session != nil }

// send hands a command to every session.
func (a *App) send(c session.Command) {
	for _, s := range a.sides {
		if s.session != nil && !s.session.Send(c) {
			a.say("the model is too busy to take commands")
		}
	}
}

// status is that of the first session, or nil.
func (a *App) status() *session.Status {
	if !a.live() {
		return nil
	}
	return a.sides[0].status()
}

// human reports whether a person acts.
func (a *App) human() bool {
	s := a.status()
	return s != nil && s.Human
}

func (a *App) say(format string, args ...any) {
	a.message, a.said, a.stays = fmt.Sprintf(format, args...), a.in.Now, false
}

// warn says what stays until Esc closes it.
func (a *App) warn(format string, args ...any) {
	a.say(format, args...)
	a.stays = true
}

func (a *App) sayError(err error) {
	if err != nil {
		a.say("%v", err)
	}
}

// Update takes what a person did and brings the view up to date. It reports whether to go on.
func (a *App) Update(in Input) bool {
	in.Width, in.Height = in.Width/a.zoom, in.Height/a.zoom
	in.X, in.Y = in.X/a.zoom, in.Y/a.zoom
	in.Scale *= a.zoom
	pressed := in.Down && !a.in.Down
	released := !in.Down && a.in.Down
	moved := in.X != a.in.X || in.Y != a.in.Y
	a.in = in
	for _, s := range a.sides {
		s.now = nil
	}
	for _, k := range in.Keys {
		a.key(k)
	}
	for _, f := range in.Files {
		a.Drop(f)
	}
	a.pointer(pressed, released, moved)
	a.advance()
	a.listen()
	if t := a.status(); t == nil || t.Price == a.asking {
		a.asking = -1
	}
	a.pace()
	for _, s := range a.sides {
		if err := s.look(in.Now, a.cfg.Painters); err != nil {
			a.playing = false
			a.say("%v", err)
			s.view.Step = nil
		}
	}
	a.dress()
	return !a.quit.Load()
}

// dress gives the views what the person chose.
func (a *App) dress() {
	for i, s := range a.sides {
		v := &s.view
		v.Theme, v.Layer, v.Pick, v.Attention, v.Other, v.Name = a.theme, a.layer, -1, nil, nil, ""
		v.Speed, v.Against, v.Hand = session.SpeedName(a.speed), nil, a.handOf(s)
		if v.Hand.Tries {
			v.Name = "a demonstration, to try"
		}
		v.Branches, v.Price = nil, viz.Price{}
		if s.session != nil && viz.Thinks(s.header) {
			v.Price = viz.Price{Of: session.Prices[:], At: s.status().Price}
		}
		if s.session != nil && v.Step != nil {
			if b := s.status().Branches; b != nil && b.Episode == v.Step.Episode && b.Index == v.Step.Index {
				v.Branches = b
			}
			// What was thought from another start, as far as this thought has come.
			if t := s.status().Against; t != nil && t.Episode == v.Step.Episode && t.Index == v.Step.Index && v.Segment >= 0 {
				v.Against = t
				v.Other = &t.Thought[min(v.Segment, len(t.Thought)-1)]
			}
		}
		if len(a.sides) == 2 {
			v.Name = s.title()
			o := &a.sides[1-i].view
			if v.Step != nil && o.Step != nil && o.Step.Index == v.Step.Index && o.Segment >= 0 && o.Segment < len(o.Step.Thought) {
				v.Other = &o.Step.Thought[o.Segment]
				if s.header.Model == a.sides[1-i].header.Model { // in the same plane
					v.Against = o.Step
				}
			}
		}
		if v.Step == nil || a.pick >= len(v.Step.Board.Cells) {
			continue
		}
		v.Pick = a.pick
		if s.session == nil {
			continue
		}
		if t := s.status().Attention; t != nil && t.Episode == v.Step.Episode && t.Index == v.Step.Index && t.Segment == v.Segment && t.Cell == a.pick {
			v.Attention = t.Levels
			continue
		}
		// Attention is computed when it is looked at, once for each segment.
		want := attention{v.Step, v.Segment, a.pick}
		if i == 0 && a.pick >= 0 && a.picks() && want != a.asked {
			a.asked = want
			a.send(session.Command{Op: session.OpAttend, X: v.Segment, Y: a.pick})
		}
	}
}

// listen shows what sessions and exports have to say.
func (a *App) listen() {
	for _, s := range a.sides {
		if s.session == nil {
			continue
		}
		t := s.status()
		if t.Messages != a.heard[s] {
			a.heard[s] = t.Messages
			a.say("%s", t.Message)
			a.stays = t.Failed
			if s == a.sides[0] && t.Recording == "" {
				a.record = "" // it could not be begun, or has ended
			}
		}
	}
	if e := a.export.state.Load(); e != nil && e != a.export.seen {
		a.export.seen = e
		if e.done {
			a.say("%s", e.text)
		}
	}
}

// The pauses of a replay at speed 1.
const (
	segmentTime = 160 * time.Millisecond
	actionTime  = 360 * time.Millisecond
)

// advance moves a replay on.
func (a *App) advance() {
	if !a.playing || a.in.Now.Before(a.due) {
		return
	}
	moved := false
	for _, s := range a.sides {
		moved = s.moveSegment(1) || moved
	}
	if !moved {
		a.playing = false
		if a.live() {
			a.newest()
			a.send(session.Command{Op: session.OpPlay})
		}
		return
	}
	pause := segmentTime
	s := a.sides[0]
	if v := &s.view; v.Step != nil && v.Segment+1 >= len(v.Step.Thought) {
		pause = actionTime
	}
	if speed := session.Speeds[a.speed]; speed == 0 {
		pause = 0
	} else {
		pause = time.Duration(float64(pause) / speed)
	}
	a.due = a.in.Now.Add(pause)
}

// pace keeps two agents that go on side by side at one step and one segment.
func (a *App) pace() {
	both := len(a.sides) == 2 && a.live() && a.sides[0].follow && a.sides[1].follow
	var at [len(sideName)]position
	for i, s := range a.sides {
		p, ok := s.position()
		at[i], both = p, both && ok
	}
	for i, s := range a.sides {
		if s.bound = nil; both {
			s.keepUp(at[i], at[1-i])
		} else {
			s.wait(false)
		}
	}
}

// following reports whether the newest is shown as it comes.
func (a *App) following() bool { return a.live() && a.sides[0].follow }

func (a *App) newest() {
	for _, s := range a.sides {
		s.newest()
	}
}

// hold stops whatever goes on by itself.
func (a *App) hold() {
	a.playing = false
	if t := a.status(); t != nil && t.Playing {
		a.send(session.Command{Op: session.OpPause})
	}
}

// togglePlay plays or pauses.
func (a *App) togglePlay() {
	switch t := a.status(); {
	case a.playing:
		a.playing = false
	case a.following() && t.Playing:
		a.send(session.Command{Op: session.OpPause})
	case a.following():
		a.send(session.Command{Op: session.OpPlay})
	default:
		s := a.sides[0]
		if _, end := s.history().Range(); !a.live() && s.step >= end-1 && s.view.Step != nil && s.view.Segment+1 >= len(s.view.Step.Thought) {
			a.first()
		}
		a.playing, a.due = true, a.in.Now
	}
}

// isPlaying reports whether anything goes on by itself.
func (a *App) isPlaying() bool {
	t := a.status()
	return a.playing || t != nil && t.Playing && a.following()
}

func (a *App) first() {
	a.hold()
	for _, s := range a.sides {
		first, _ := s.history().Range()
		s.show(first, -1)
	}
}

func (a *App) last() {
	a.playing = false
	if a.live() {
		a.newest()
		return
	}
	for _, s := range a.sides {
		_, end := s.history().Range()
		s.show(end-1, lastSegment)
	}
}

func (a *App) back() {
	a.hold()
	for _, s := range a.sides {
		s.move(-1)
	}
}

func (a *App) forward() {
	a.playing = false
	if a.following() {
		a.send(session.Command{Op: session.OpDecision})
		return
	}
	a.hold()
	for _, s := range a.sides {
		s.move(1)
	}
}

func (a *App) segmentBack() {
	a.hold()
	for _, s := range a.sides {
		s.moveSegment(-1)
	}
}

func (a *App) segmentForward() {
	a.playing = false
	if a.following() {
		a.send(session.Command{Op: session.OpSegment})
		return
	}
	a.hold()
	moved := false
	for _, s := range a.sides {
		moved = s.moveSegment(1) || moved
	}
	if !moved && a.live() {
		a.newest()
	}
}

func (a *App) setSpeed(i int) {
	a.speed = min(max(i, 0), len(session.Speeds)-1)
	a.send(session.Command{Op: session.OpSpeed, Value: a.speed})
}

// steer sends a command about the present, which is then shown.
func (a *App) steer(op session.Op) {
	a.newest()
	a.playing = false
	a.send(session.Command{Op: op})
}

func (a *App) nextLayer(by int) {
	list := viz.Layers(a.sides[0].header)
	now, _ := viz.LayerOf(a.sides[0].header, a.layer)
	i := max(slices.IndexFunc(list, func(l viz.Layer) bool { return l.ID == now.ID }), 0)
	a.layer = list[(i+by+len(list))%len(list)].ID
}

// picks reports whether the layer shown is about one cell.
func (a *App) picks() bool {
	l, _ := viz.LayerOf(a.sides[0].header, a.layer)
	return l.Cell
}

func (a *App) toggleTheme() {
	if a.theme.Name == "dark" {
		a.theme = viz.Light()
	} else {
		a.theme = viz.Dark()
	}
}

// Zooms are the sizes of text and controls.
var zooms = [...]float64{0.75, 0.9, 1, 1.15, 1.3, 1.5, 1.75, 2, 2.5, 3}

func (a *App) changeZoom(by int) {
	best := 0
	for i, z := range zooms {
		if abs(z-a.zoom) < abs(zooms[best]-a.zoom) {
			best = i
		}
	}
	a.zoom = zooms[min(max(best+by, 0), len(zooms)-1)]
}

func abs(x float64) float64 { return max(x, -x) }

// Drop opens a file, as if it had been dropped on the window: a trace or a level. It must be called as Say is.
func (a *App) Drop(f File) {
	switch {
	case f.Err != nil:
		a.say("%s: %v", f.Name, f.Err)
	case strings.EqualFold(filepath.Ext(f.Name), ".trace"), bytes.HasPrefix(f.Data, []byte("\x89ponder")):
		t, err := trace.NewFile(bytes.NewReader(f.Data), int64(len(f.Data)))
		if err != nil {
			a.say("%s: %v", f.Name, err)
			return
		}
		shown := Trace{Name: f.Name, Header: t.Header(), History: t}
		if t.Damage() != nil {
			shown.Damage = t.Damage().Error()
		}
		a.replay([]Trace{shown})
		a.loaded = f.Recording
	case !a.live() && a.cfg.Open == nil:
		a.say("%s: only a trace can be shown here", f.Name)
	case bytes.IndexByte(f.Data, 0) >= 0:
		a.say("%s is neither a trace nor a level's text", f.Name)
	default:
		if !a.live() {
			a.begin(a.cfg.Choice, false)
		}
		a.newest()
		a.send(session.Command{Op: session.OpLevel, Text: string(f.Data)})
	}
}

// act takes a person's action.
func (a *App) act(action int) {
	a.newest()
	a.sides[0].session.Send(session.Command{Op: session.OpAct, Value: action})
}

// Quit asks Update to end. It may be called from any goroutine.
func (a *App) Quit() { a.quit.Store(true) }

// Full reports whether the window is to fill the screen.
func (a *App) Full() bool { return a.full }

// Light reports whether the light theme is on, and Zoom the size chosen.
func (a *App) Light() bool { return a.theme.Name == "light" }

// Zoom is the size of text and controls.
func (a *App) Zoom() float64 { return a.zoom }

// Choice is what is played, of the first agent where two are compared, as far as it can be said: not a level that
// was opened from a file. It is false in a replay and before anything is open.
func (a *App) Choice() (session.Choice, bool) {
	t := a.status()
	if t == nil || t.Header.EnvID == "" {
		return session.Choice{}, false
	}
	return t.Choice, true
}

// Loaded is the recording of the gallery that is replayed, by its name; empty without.
func (a *App) Loaded() string { return a.loaded }

// Touch reports whether the last that came was from a finger.
func (a *App) Touch() bool { return a.in.Touch }

// Say shows a message. It must be called from the goroutine of Update, or while that waits.
func (a *App) Say(message string) { a.say("%s", message) }

// Close stops everything within a second or so and saves what was being recorded.
func (a *App) Close() error {
	if a.export.cancel != nil {
		a.export.cancel()
	}
	errs := make([]error, len(a.sides))
	var wait sync.WaitGroup
	for i, s := range a.sides {
		wait.Go(func() { errs[i] = s.close() })
	}
	wait.Wait()
	a.export.Wait()
	a.thumbs.wait.Wait()
	return errors.Join(errs...)
}

// bounds is the window in points.
func (a *App) bounds() canvas.Rect {
	return canvas.Rect{W: a.in.Width, H: a.in.Height}
}
