package minigrid

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/internal/text"
)

// Legend explains the text form of a level.
const Legend = `A level begins with the line "minigrid level". Then come lines "key: value":

    task: goal                 reach a goal
    task: pickup key red       carry it (also fetch: and nothing else)
    task: unlock 5 2           open the door at column 5, row 2
    task: goto 5 2             say done beside it
    task: putnear key red 5 2  drop it within one cell of (5, 2)
    task: redblue 3 1 8 1      open the door at (3, 1), then that at (8, 1)
    task: memory 5 4 5 2       step on (5, 4), not on (5, 2)
    task: dynobst              reach a goal without a collision; the balls move, in the order of their lines
    task: instr                BabyAI's: follow the instructions of the do lines, of which the last is the whole
    do: goto ball red any      look at it from beside it (also pickup: carry it, and open: a door). An object is key, ball, box,
                               door or object, a colour or any, and left, right, front, behind (of the agent at the start, in its
                               room) or any
    do: putnext key any any box red any    drop one beside the other
    do: before 0 1             one do line, counted from 0, before another (also after, and: in any order)
    do: open door red any strict           the wrong door, or object to pick up, ends the episode
    rooms: 8                   cells along a side of a room, walls included (task instr)
    mission: open the door     in the words of the vocabulary
    limit: 100                 steps until the episode is truncated
    see_through: true          walls and doors hide nothing (level files only)
    agent: 1 2 right           column, row, and right, down, left or up
    carry: key red             in hand
    inside: 3 4 key red        what the box at column 3, row 4 contains
    within: key red            what the box in hand contains
    ball: 3 4                  a ball that moves (task dynobst)

and "map:", below which each row is a line and each cell two characters, separated by one blank: what, and its colour.

    ##  grey wall     ..  empty         W  wall     F  floor    G  goal     V  lava
    K   key           A   ball          B  box      D  closed door   L  locked door   O  open door
    r   red    g  green    b  blue    p  purple    y  yellow    x  grey

Lines that begin with ; are comments.
`

const (
	kindLetters  = "..WFOKABGV.DL" // by kind; . has none
	colorLetters = "rgbpyx"
)

var dirNames = [...]string{"right", "down", "left", "up"}

// A layout is a level read from text.
type layout struct {
	w, h      int
	cells     []Cell
	task      task    // positions are y*w+x
	inside    []point // of boxes
	contents  []Cell  // what they contain
	balls     []point
	agent     point
	dir       int
	carry     Cell
	within    Cell
	limit     int
	through   bool
	mission   []byte
	instrs    []instr // of task instr
	joined    uint    // those that belong to another, a bit each
	rooms     int     // level.roomSize, or 0
	hasAgent  bool
	hasTask   bool
	hasLimit  bool
	taskPoint [2]point
}

type point struct{ x, y int }

// parseLayout reads a level; all errors are grid.TextErrors.
func parseLayout(text string) (*layout, error) {
	t, err := grid.ParseText("minigrid", text)
	if err != nil {
		return nil, err
	}
	l := &layout{h: len(t.Rows), w: (len(t.Rows[0]) + 1) / 3, limit: 100}
	if l.w < 3 || l.h < 3 || l.w > maxSize || l.h > maxSize {
		return nil, &grid.TextError{
			Line: t.MapLine, Column: 1,
			Msg: fmt.Sprintf("a map of %d x %d cells: want 3 to %d", l.w, l.h, maxSize),
		}
	}
	for y, row := range t.Rows {
		if len(row) != 3*l.w-1 {
			return nil, &grid.TextError{
				Line: t.MapLine + y, Column: min(len(row), 3*l.w-1) + 1,
				Msg: fmt.Sprintf("a row of %d characters: want %d, as %d cells have", len(row), 3*l.w-1, l.w),
			}
		}
		for x := range l.w {
			if x > 0 && row[3*x-1] != ' ' {
				return nil, &grid.TextError{Line: t.MapLine + y, Column: 3 * x, Msg: "want a blank between two cells"}
			}
			c, ok := parseCell(row[3*x : 3*x+2])
			if !ok {
				return nil, &grid.TextError{Line: t.MapLine + y, Column: 3*x + 1, Msg: fmt.Sprintf("unknown cell %q", row[3*x:3*x+2])}
			}
			l.cells = append(l.cells, c)
		}
	}
	for i := range t.Fields {
		if err := l.field(&t.Fields[i]); err != nil {
			return nil, err
		}
	}
	if !l.hasAgent {
		return nil, &grid.TextError{Line: 1, Column: 1, Msg: `no "agent: COLUMN ROW DIRECTION"`}
	}
	if len(l.balls) > 0 != (l.task.kind == taskDynamic) {
		return nil, &grid.TextError{Line: 1, Column: 1, Msg: `"ball:" lines and "task: dynobst" go together`}
	}
	if l.within != 0 && l.carry.kind() != kindBox {
		return nil, &grid.TextError{Line: 1, Column: 1, Msg: `"within:" without a box in "carry:"`}
	}
	if err := l.checkInstrs(); err != nil {
		return nil, err
	}
	return l, nil
}

func parseCell(s string) (Cell, bool) {
	switch s {
	case "##":
		return Wall, true
	case "..":
		return Empty, true
	}
	k, c := strings.IndexByte(kindLetters, s[0]), strings.IndexByte(colorLetters, s[1])
	if s[0] == '.' || k < 0 || c < 0 {
		return 0, false
	}
	cell := Cell(k<<3 | c)
	if cell.in(1<<kindWall | 1<<kindDoorClosed | 1<<kindDoorLocked) {
		cell |= opaque
	}
	return cell, true
}

// cellText is what parseCell reads.
func cellText(c Cell) string {
	switch c {
	case Wall:
		return "##"
	case Empty:
		return ".."
	}
	return string([]byte{kindLetters[c.kind()], colorLetters[c.Color()]})
}

// args reads words by a pattern: p a column and a row on the map, o a kind and a colour of what can
// be carried.
func (l *layout) args(f *grid.TextField, words []string, at []int, pattern string, points []point, object *Cell) error {
	need := 2 * len(pattern)
	if len(words) != need {
		return f.Errorf(0, "%d words after %s: want %d", len(words), f.Key, need)
	}
	for _, p := range pattern {
		if p == 'p' {
			x, err1 := strconv.Atoi(words[0])
			y, err2 := strconv.Atoi(words[1])
			if err1 != nil || err2 != nil || x < 0 || y < 0 || x >= l.w || y >= l.h {
				return f.Errorf(at[0], "want a column below %d and a row below %d, not %q", l.w, l.h, words[0]+" "+words[1])
			}
			points[0], points = point{x, y}, points[1:]
		} else {
			t, c := slices.Index(typeNames[:], words[0]), slices.Index(ColorNames[:], words[1])
			if t < int(TypeKey) || t > int(TypeBox) || c < 0 {
				return f.Errorf(at[0], "want key, ball or box and a colour, not %q", words[0]+" "+words[1])
			}
			*object = Cell(t<<3 | c)
		}
		words, at = words[2:], at[2:]
	}
	return nil
}

func (l *layout) field(f *grid.TextField) error {
	words, at := f.Words()
	var p [2]point
	switch f.Key {
	case "task":
		return l.taskField(f, words, at)
	case "do":
		return l.doField(f, words, at)
	case "rooms":
		n, err := strconv.Atoi(f.Value)
		if err != nil || n < 3 || n > maxSize {
			return f.Errorf(0, "want 3 to %d cells, not %q", maxSize, f.Value)
		}
		l.rooms = n
	case "mission":
		m, err := Tokenize(f.Value)
		if err != nil {
			return f.Errorf(0, "%v", err)
		}
		if slices.Contains(m, hole) {
			return f.Errorf(0, "%% is not a word")
		}
		l.mission = m
	case "limit":
		n, err := strconv.Atoi(f.Value)
		if err != nil || n < 1 || n > 1<<30 {
			return f.Errorf(0, "want a number of steps, not %q", f.Value)
		}
		l.limit, l.hasLimit = n, true
	case "see_through":
		b, err := strconv.ParseBool(f.Value)
		if err != nil {
			return f.Errorf(0, "want true or false, not %q", f.Value)
		}
		l.through = b
	case "agent":
		if len(words) != 3 {
			return f.Errorf(0, "want COLUMN ROW DIRECTION")
		}
		if err := l.args(f, words[:2], at, "p", p[:], nil); err != nil {
			return err
		}
		l.dir = slices.Index(dirNames[:], words[2])
		if l.dir < 0 {
			return f.Errorf(at[2], "want right, down, left or up, not %q", words[2])
		}
		if c := l.cells[p[0].y*l.w+p[0].x]; !c.in(walkable) {
			return f.Errorf(0, "the agent cannot stand on the %v", c)
		}
		l.agent, l.hasAgent = p[0], true
	case "carry":
		return l.args(f, words, at, "o", nil, &l.carry)
	case "within":
		return l.args(f, words, at, "o", nil, &l.within)
	case "inside":
		var c Cell
		if err := l.args(f, words, at, "po", p[:], &c); err != nil {
			return err
		}
		if l.cells[p[0].y*l.w+p[0].x].kind() != kindBox {
			return f.Errorf(0, "no box is at column %d, row %d", p[0].x, p[0].y)
		}
		if slices.Contains(l.inside, p[0]) {
			return f.Errorf(0, "the box at column %d, row %d has a content already", p[0].x, p[0].y)
		}
		l.inside, l.contents = append(l.inside, p[0]), append(l.contents, c)
	case "ball":
		if err := l.args(f, words, at, "p", p[:], nil); err != nil {
			return err
		}
		if l.cells[p[0].y*l.w+p[0].x].kind() != kindBall || slices.Contains(l.balls, p[0]) {
			return f.Errorf(0, "no ball, or one named already, is at column %d, row %d", p[0].x, p[0].y)
		}
		if len(l.balls) == maxBalls {
			return f.Errorf(0, "more than %d balls that move", maxBalls)
		}
		l.balls = append(l.balls, p[0])
	default:
		return &grid.TextError{Line: f.Line, Column: 1, Msg: fmt.Sprintf("unknown key %q", f.Key)}
	}
	return nil
}

func (l *layout) taskField(f *grid.TextField, words []string, at []int) error {
	if len(words) == 0 {
		return f.Errorf(0, "want the name of a task")
	}
	k := slices.Index(taskNames[:], words[0])
	if k < 0 {
		return f.Errorf(0, "unknown task %q: want one of %s", words[0], strings.Join(taskNames[:], ", "))
	}
	l.task.kind, l.hasTask = taskKind(k), true
	pattern := [taskKinds]string{
		taskPickup: "o", taskUnlock: "p", taskGoTo: "p", taskFetch: "o", taskPutNear: "op",
		taskRedBlue: "pp", taskMemory: "pp",
	}[k]
	if err := l.args(f, words[1:], at[1:], pattern, l.taskPoint[:], &l.task.target); err != nil {
		return err
	}
	for i, p := range l.taskPoint {
		isDoor := l.cells[p.y*l.w+p.x].in(doors)
		if (k == int(taskUnlock) && i == 0 || k == int(taskRedBlue)) && !isDoor {
			return f.Errorf(0, "no door is at column %d, row %d", p.x, p.y)
		}
	}
	return nil
}

// apply makes e begin an episode on the layout, which has its size.
func (l *layout) apply(e *Env) {
	e.clear()
	for i, c := range l.cells {
		e.cells[e.at(i%l.w, i/l.w)] = byte(c)
	}
	at := func(p point) int32 { return int32(e.at(p.x, p.y)) }
	for i, p := range l.inside {
		e.inside = append(e.inside, content{at(p), l.contents[i]})
	}
	e.pos, e.dir = e.at(l.agent.x, l.agent.y), l.dir
	e.task = task{kind: l.task.kind, target: l.task.target, nBalls: len(l.balls)}
	switch l.task.kind {
	case taskUnlock, taskGoTo, taskPutNear:
		e.task.a = at(l.taskPoint[0])
	case taskRedBlue, taskMemory:
		e.task.a, e.task.b = at(l.taskPoint[0]), at(l.taskPoint[1])
	}
	for i, p := range l.balls {
		e.task.balls[i] = at(p)
	}
	if l.hasLimit && e.cfg.MaxSteps == 0 {
		e.limit = l.limit
	}
	clear(e.mission)
	copy(e.mission, l.mission)
	if l.task.kind == taskInstr {
		l.instruct(e)
	}
}

// Level writes the present state as text ([Legend]), the count of steps, the random stream and how far
// BabyAI's instructions are followed left out.
func (e *Env) Level() (string, error) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	at := func(p int) string {
		x, y := e.xy(p)
		return fmt.Sprintf("%d %d", x, y)
	}
	object := func(c Cell) string { return typeNames[c.Type()] + " " + ColorNames[c.Color()] }
	t := &e.task
	words := []string{taskNames[t.kind]}
	if t.target != 0 {
		words = append(words, object(t.target))
	}
	for _, p := range []int32{t.a, t.b} {
		if p != 0 {
			words = append(words, at(int(p)))
		}
	}
	line("minigrid level")
	line("; %s", e.level.id)
	line("task: %s", strings.Join(words, " "))
	if e.quest != nil {
		for i := range e.quest.instrs[:e.quest.n] {
			line("do: %v", &e.quest.instrs[i])
		}
		line("rooms: %d", e.level.roomSize)
	}
	if m := e.Mission(); m != "" {
		line("mission: %s", m)
	}
	line("limit: %d", e.limit)
	line("see_through: %t", e.level.through)
	line("agent: %s %s", at(e.pos), dirNames[e.dir])
	if e.carry != 0 {
		line("carry: %s", object(e.carry))
	}
	if e.within != 0 {
		line("within: %s", object(e.within))
	}
	for _, c := range e.inside {
		line("inside: %s %s", at(int(c.pos)), object(c.cell))
	}
	for _, p := range t.balls[:t.nBalls] {
		line("ball: %s", at(int(p)))
	}
	line("map:")
	for y := range e.h {
		row := make([]string, e.w)
		for x := range row {
			row[x] = cellText(e.Cell(x, y))
		}
		line("%s", strings.Join(row, " "))
	}
	return b.String(), nil
}

// SetLevel begins an episode, at step 0, on a level in text form, which must have the Env's size. Its
// errors are grid.TextErrors and leave the Env as it was. The next Reset draws a layout of the id.
func (e *Env) SetLevel(text string) error {
	l, err := parseLayout(text)
	if err != nil {
		return err
	}
	switch {
	case l.w != e.w || l.h != e.h:
		return &grid.TextError{Line: 1, Column: 1, Msg: fmt.Sprintf("a map of %d x %d cells: %s has %d x %d", l.w, l.h, e.spec.ID, e.w, e.h)}
	case len(l.mission) > len(e.mission):
		return &grid.TextError{Line: 1, Column: 1, Msg: fmt.Sprintf("a mission of %d words: %s has room for %d", len(l.mission), e.spec.ID, len(e.mission))}
	case l.hasLimit && l.limit > e.spec.MaxSteps:
		return &grid.TextError{Line: 1, Column: 1, Msg: fmt.Sprintf("a limit of %d steps: that of %s is %d", l.limit, e.spec.ID, e.spec.MaxSteps)}
	case (l.task.kind == taskDynamic) != (e.level.actions == 3), (l.task.kind == taskInstr) != (e.quest != nil):
		return &grid.TextError{Line: 1, Column: 1, Msg: fmt.Sprintf("the task %s is not one of %s", taskNames[l.task.kind], e.spec.ID)}
	case l.rooms != e.level.roomSize:
		return &grid.TextError{Line: 1, Column: 1, Msg: fmt.Sprintf("rooms of %d cells: those of %s have %d", l.rooms, e.spec.ID, e.level.roomSize)}
	}
	l.apply(e)
	e.carry, e.within, e.steps, e.ended = l.carry, l.within, 0, false
	return nil
}

// FromText returns an Env that begins every episode on the level, of any size up to 63 x 63.
func FromText(id, text string, cfg Config) (*Env, error) {
	l, err := parseLayout(text)
	if err != nil {
		return nil, err
	}
	v := level{
		id: id, w: l.w, h: l.h, limit: l.limit, through: l.through, fixed: l.task.kind != taskDynamic,
		missionLen: max(MissionLen, len(l.mission)), roomSize: l.rooms, hash: idHash(text),
		build: func(e *Env) bool { l.apply(e); return true },
		start: func(e *Env) { e.carry, e.within = l.carry, l.within },
	}
	switch l.task.kind {
	case taskDynamic:
		v.actions = 3
	case taskInstr:
		v.missionLen = max(babyMissionLen, len(l.mission))
	}
	return open(v, cfg)
}

// levelID is the id under which env.Make opens level files.
const levelID = "minigrid/level-v0"

// openLevel opens a level in text form.
func openLevel(s string) (env.Env, error) {
	s, err := text.Decode([]byte(s))
	if err != nil || !titled(s) {
		return nil, nil
	}
	e, err := FromText(levelID, s, Config{})
	if err != nil {
		return nil, fmt.Errorf("minigrid: %w", err)
	}
	return e, nil
}

// titled reports whether a text begins as levels do.
func titled(s string) bool {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && line[0] != ';' {
			return line == "minigrid level"
		}
	}
	return false
}

func openFile(_ string, o *env.Options) (env.Env, error) {
	cfg, err := configOf(o)
	if err != nil {
		return nil, err
	}
	path := o.String("file")
	if path == "" {
		return nil, fmt.Errorf("option file: want the path of a level as text")
	}
	level, err := text.ReadFile(path, 1<<20)
	if err != nil {
		return nil, err
	}
	e, err := FromText(levelID, level, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}
