package window

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/env"
)

// compare shows a second agent on the same level, or ends that.
func (a *App) compare() {
	if len(a.sides) == 2 {
		a.sayError(a.sides[1].close())
		delete(a.heard, a.sides[1])
		a.sides = a.sides[:1]
		a.sides[0].name = ""
		return
	}
	a.list = a.agentList("Compare with", func(g Agent) {
		c := g.choice(a.status().Choice)
		first := a.sides[0].status().Choice
		s := &side{session: session.Start(a.cfg.Open, c, false), follow: true, name: g.Title}
		s.session.Send(session.Command{Op: session.OpSpeed, Value: a.speed})
		a.sides = append(a.sides, s)
		// Both begin at the beginning, with traces of their own.
		a.hold()
		a.newest()
		a.sides[0].name = a.titleOf(first)
		a.sides[0].session.Send(session.Command{Op: session.OpOpen, Choice: first})
	})
}

// titleOf is how the list of agents names the one of c.
func (a *App) titleOf(c session.Choice) string {
	for _, g := range a.cfg.Agents {
		if g.choice(c) == c {
			return g.Title
		}
	}
	return ""
}

// agentList lists who can play, those who cannot play here last and with the reason.
func (a *App) agentList(title string, choose func(Agent)) *list {
	l := &list{title: title}
	t := a.status()
	agents := slices.Clone(a.cfg.Agents)
	why := func(g Agent) error {
		if g.Fits == nil || t.Header.EnvID == "" {
			return nil
		}
		return g.Fits(t.Spec)
	}
	slices.SortStableFunc(agents, func(g, h Agent) int { return bit(why(g) != nil) - bit(why(h) != nil) })
	for _, g := range agents {
		it := item{title: g.Title, line: g.About, current: g.choice(t.Choice) == t.Choice, world: g.World}
		if err := why(g); err != nil {
			it.why = "not here: " + err.Error()
		}
		l.items = append(l.items, it)
	}
	l.choose = func(i int) { choose(agents[i]) }
	return l
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// pickAgent opens the list of agents.
func (a *App) pickAgent() {
	a.list = a.agentList("Who plays", func(g Agent) {
		c := g.choice(a.status().Choice)
		a.newest()
		a.sides[0].name = ""
		if len(a.sides) == 2 {
			a.sides[0].name = g.Title
		}
		a.sides[0].session.Send(session.Command{Op: session.OpOpen, Choice: c})
	})
}

// pickEnv opens the list of environments, which takes any other id that is typed.
func (a *App) pickEnv() {
	l := &list{title: "Environment"}
	now := a.status().Choice.Env
	for _, id := range a.cfg.Envs {
		it := item{title: id, world: id}
		if e, full, err := env.Lookup(id); err == nil {
			it.line = e.About
			it.current = full == now || id == now
			if e.Form != "" {
				it.line += ", or type " + e.Form
			}
		}
		l.items = append(l.items, it)
	}
	l.choose = func(i int) { a.openEnv(a.cfg.Envs[i], "") }
	l.other = func(typed string) (it item, choose func(), ok bool) {
		e, _, err := env.Lookup(typed)
		if err != nil || slices.Contains(a.cfg.Envs, typed) {
			return it, nil, false
		}
		return item{title: typed, line: e.About, world: typed}, func() { a.openEnv(typed, "") }, true
	}
	a.list = l
}

// openEnv opens a world for all agents that are shown.
func (a *App) openEnv(id, options string) {
	a.newest()
	a.unpick()
	for _, s := range a.sides {
		c := s.status().Choice
		c = session.Choice{Env: id, Options: options, Agent: c.Agent, Model: c.Model, Rule: c.Rule, Seed: c.Seed, Whole: c.Whole}
		c.Whole = c.Whole && takesWhole(id)
		s.session.Send(session.Command{Op: session.OpOpen, Choice: c})
	}
}

// takesWhole reports whether the world of an id takes an answer as a whole.
func takesWhole(id string) bool {
	e, err := env.Make(id)
	if err != nil {
		return false
	}
	defer env.Close(e)
	_, ok := env.As[env.Grader](e)
	return ok
}

// unpick forgets what was picked on the board, for another one.
func (a *App) unpick() { a.pick, a.cursor, a.tool, a.edit = -1, -1, -1, a.cfg.Edit }

// pickShow opens the list of runs that are worth seeing.
func (a *App) pickShow() {
	l := &list{title: "What is worth seeing"}
	shows := slices.DeleteFunc(slices.Clone(a.cfg.Gallery), func(s session.Show) bool { return s.Recording != "" && a.cfg.Load == nil })
	var now session.Choice
	if t := a.status(); t != nil {
		now = t.Choice
	}
	for _, s := range shows {
		current := a.live() && s.Recording == "" && s.Choice.Env == now.Env && s.Choice.Model == now.Model && s.Choice.Agent == now.Agent
		current = current || s.Recording != "" && s.Recording == a.loaded
		l.items = append(l.items, item{title: s.Title, line: s.About, world: s.Choice.Env, current: current})
	}
	l.choose = func(i int) {
		if s := shows[i]; s.Recording != "" {
			a.cfg.Load(s.Recording)
		} else {
			a.begin(s.Choice, true)
		}
	}
	a.list = l
}

// pickExample opens the list of levels that were tried, those that failed first.
func (a *App) pickExample() {
	all := slices.Clone(a.cfg.Examples)
	slices.SortStableFunc(all, func(x, y session.Example) int { return bit(x.Solved) - bit(y.Solved) })
	l := &list{title: "Examples"}
	for _, e := range all {
		l.items = append(l.items, item{title: fmt.Sprintf("seed %d", e.Seed), line: e.String(), current: e.Seed == a.status().Choice.Seed})
	}
	l.choose = func(i int) {
		a.newest()
		a.send(session.Command{Op: session.OpSeed, Choice: session.Choice{Seed: all[i].Seed}})
	}
	a.list = l
}

// optionsOf are those of the world that is played, with their values now; none of what is no id.
func (a *App) optionsOf() (id string, list []env.Option, values map[string]string) {
	t := a.status()
	if t == nil {
		return "", nil, nil
	}
	e, _, err := env.Lookup(t.Choice.Env)
	if err != nil {
		return "", nil, nil
	}
	values = make(map[string]string)
	for _, o := range e.Options {
		values[o.Name] = o.Default
	}
	for _, o := range t.Choice.OptionList() {
		name, value, _ := strings.Cut(o, "=")
		values[name] = value
	}
	return t.Choice.Env, e.Options, values
}

// hasOptions reports whether the world that is played has any; it is asked in every frame.
func (a *App) hasOptions() bool {
	id := a.status().Choice.Env
	if a.optioned.env != id {
		_, list, _ := a.optionsOf()
		a.optioned.env, a.optioned.any = id, len(list) > 0
	}
	return a.optioned.any
}

// pickOptions opens the form of the world's options.
func (a *App) pickOptions() {
	id, options, values := a.optionsOf()
	if len(options) == 0 {
		a.say("%s has no options", a.envText())
		return
	}
	l := &list{title: "Options of " + id}
	for _, o := range options {
		value := values[o.Name]
		if value == "" {
			value = "none"
		}
		l.items = append(l.items, item{title: o.Name + ": " + value, line: o.About, current: values[o.Name] != o.Default})
	}
	l.choose = func(i int) { a.pickOption(id, options[i], values) }
	a.list = l
}

// words are what a value of an option may be, among the words of its explanation.
var words = regexp.MustCompile(`[\w.:]+`)

// pickOption opens the list of the values of an option: those that its explanation names, or any that is typed.
func (a *App) pickOption(id string, o env.Option, values map[string]string) {
	with := func(value string) []string {
		list := slices.DeleteFunc(a.status().Choice.OptionList(), func(s string) bool { return strings.HasPrefix(s, o.Name+"=") })
		if value != o.Default {
			list = append(list, o.Name+"="+value)
		}
		return list
	}
	try := func(value string) error {
		e, err := env.Make(id, with(value)...)
		if err != nil {
			return err
		}
		return env.Close(e)
	}
	choose := func(value string) {
		a.openEnv(id, strings.Join(with(value), "\n"))
		a.say("%s: %s", o.Name, value)
	}
	l := &list{title: fmt.Sprintf("%s of %s: pick, or type another", o.Name, id)}
	var all []string
	for _, w := range append([]string{o.Default, values[o.Name], "true", "false"}, words.FindAllString(o.About, -1)...) {
		if w = strings.TrimRight(w, ".:"); w == "" || slices.Contains(all, w) || try(w) != nil {
			continue
		}
		all = append(all, w)
		it := item{title: w, current: w == values[o.Name]}
		if w == o.Default {
			it.line = "as it is without this option"
		}
		l.items = append(l.items, it)
	}
	l.choose = func(i int) { choose(all[i]) }
	l.other = func(typed string) (it item, _ func(), ok bool) {
		if slices.Contains(all, typed) {
			return it, nil, false
		}
		it = item{title: typed, line: o.About}
		if err := try(typed); err != nil {
			it.why = err.Error()
		}
		return it, func() { choose(typed) }, true
	}
	a.list = l
}

// maxRecent is how many paths are remembered.
const maxRecent = 8

// Recent are the paths that were opened, the newest first.
func (a *App) Recent() []string { return a.recent }

// pickFile lets a person open a file or a folder.
func (a *App) pickFile() {
	if a.cfg.PickFile != nil {
		a.cfg.PickFile()
		return
	}
	dir, err := os.Getwd()
	if err != nil {
		a.sayError(err)
		return
	}
	a.pickIn(dir, true)
}

// pickIn lists a folder, under the paths that were opened before if recent.
func (a *App) pickIn(dir string, recent bool) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		a.sayError(err)
		return
	}
	l := &list{title: "Open " + dir}
	var do []func()
	add := func(it item, f func()) { l.items, do = append(l.items, it), append(do, f) }
	open := func(path string) func() { return func() { a.openPath(path) } }
	if recent {
		for _, path := range a.recent {
			add(item{title: filepath.Base(path), line: "recently: " + path}, open(path))
		}
	} else {
		add(item{title: "this folder", line: "a run, a checkpoint or a dataset"}, open(dir))
	}
	if up := filepath.Dir(dir); up != dir {
		add(item{title: "..", line: up}, func() { a.pickIn(up, false) })
	}
	slices.SortStableFunc(entries, func(x, y os.DirEntry) int { return bit(y.IsDir()) - bit(x.IsDir()) })
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch info, err := os.Stat(path); {
		case strings.HasPrefix(e.Name(), "."), err != nil:
		case info.IsDir():
			add(item{title: e.Name() + string(filepath.Separator), line: "folder"}, func() { a.pickIn(path, false) })
		case info.Mode().IsRegular():
			add(item{title: e.Name(), line: fmt.Sprintf("%d bytes, %s", info.Size(), info.ModTime().Format("2006-01-02 15:04"))}, open(path))
		}
	}
	l.choose = func(i int) { do[i]() }
	l.other = func(typed string) (it item, _ func(), ok bool) {
		info, err := os.Stat(typed)
		switch {
		case err != nil || !strings.ContainsRune(typed, filepath.Separator): // what is here is in the list
			return it, nil, false
		case info.IsDir():
			return item{title: typed, line: "folder"}, func() { a.pickIn(filepath.Clean(typed), false) }, true
		}
		return item{title: typed}, open(typed), true
	}
	a.list = l
}

// openPath opens what is at a path, with who plays now where it names nobody.
func (a *App) openPath(path string) {
	c, t, err := a.cfg.OpenPath(path)
	if err != nil {
		a.say("%v", err)
		return
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	a.recent = slices.Insert(slices.DeleteFunc(slices.Clone(a.recent), func(s string) bool { return s == path }), 0, path)
	a.recent = a.recent[:min(len(a.recent), maxRecent)]
	if t != nil {
		a.unpick()
		a.replay([]Trace{*t})
		return
	}
	if a.cfg.Open == nil {
		a.sayError(errors.New("only a trace can be shown here"))
		return
	}
	if now := a.status(); now != nil && c.Model == "" {
		c.Agent, c.Rule = now.Choice.Agent, now.Choice.Rule
	}
	a.begin(c, a.cfg.Play && !a.live())
}

// thumbs are the pictures in lists, by the world's id, drawn one after the other besides.
type thumbs struct {
	sync.Mutex
	drawn map[string]*image.RGBA // nil of what cannot be drawn
	busy  bool
	wait  sync.WaitGroup
}

// thumb is the picture of a world, nil as long as there is none.
func (a *App) thumb(id string) *image.RGBA {
	t := &a.thumbs
	t.Lock()
	defer t.Unlock()
	img, ok := t.drawn[id]
	if ok || t.busy {
		return img
	}
	t.busy = true
	t.wait.Go(func() {
		img := a.paintWorld(id)
		t.Lock()
		defer t.Unlock()
		if t.drawn == nil {
			t.drawn = make(map[string]*image.RGBA)
		}
		t.drawn[id], t.busy = img, false
	})
	return nil
}

// thumbsDrawn is how many there are.
func (a *App) thumbsDrawn() int {
	a.thumbs.Lock()
	defer a.thumbs.Unlock()
	return len(a.thumbs.drawn)
}

// thumbSide is the largest side of a picture in a list, in pixels.
const thumbSide = 96

// paintWorld is the first board of a world, nil if it has none.
func (a *App) paintWorld(id string) *image.RGBA {
	e, err := env.Make(id)
	if err != nil {
		return nil
	}
	defer env.Close(e)
	b, ok := env.As[env.Boarder](e)
	if !ok {
		return nil
	}
	e.Seed(0)
	e.Reset(make([]byte, e.Spec().ObsLen))
	board := b.Board()
	tile := thumbSide / max(board.Cols, board.Rows, 1)
	if tile < 1 {
		return nil
	}
	img := image.NewRGBA(image.Rect(0, 0, board.Cols*tile, board.Rows*tile))
	a.cfg.Painters.Of(board)(board, img)
	return img
}
