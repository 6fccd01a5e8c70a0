package minigrid

import (
	"encoding/binary"
	"fmt"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/rng"
)

// The actions.
const (
	Left = iota
	Right
	Forward
	Pickup
	Drop
	Toggle
	Done
)

var actionNames = []string{"left", "right", "forward", "pickup", "drop", "toggle", "done"}

// The directions, as the agent looks.
const (
	East = iota
	South
	West
	North
)

// pad is how far a view of 7 reaches over the border: that many walls lie around the grid, those
// between two rows shared by both, so that a view needs no bounds.
const pad = 6

// An Env is one MiniGrid world.
type Env struct {
	level level
	cfg   Config
	spec  env.Spec

	w, h    int
	pitch   int    // cells from a row to the next
	origin  int    // position of (0, 0)
	cells   []byte // [pad+h+pad rows of pitch] Cells, the border included
	ahead   [4]int // what a step in a direction adds to a position
	inside  []content
	carry   Cell // 0 if nothing
	within  Cell // what the carried box contains, or 0
	pos     int  // of the agent; -1 while it is off the grid
	dir     int
	steps   int
	limit   int
	task    task
	mission []byte // [missionLen] tokens
	ended   bool
	rng     rng.Gen
	quest   *quest    // of BabyAI levels; nil in others
	maze    *babyMaze // scratch of theirs, while a level is drawn

	tiles *tileSet // of observations in pixels
}

// A content is what the box at a position contains.
type content struct {
	pos  int32
	cell Cell
}

func newEnv(l level, cfg Config) *Env {
	e := &Env{level: l, cfg: cfg, w: l.w, h: l.h}
	e.pitch = e.w + pad
	e.origin = pad*e.pitch + pad
	e.cells = make([]byte, (e.h+2*pad)*e.pitch+pad+8)
	e.ahead = [4]int{1, e.pitch, -1, -e.pitch}
	e.mission = make([]byte, l.missionLen)
	e.inside = make([]content, 0, 16)
	for i := range e.cells {
		e.cells[i] = byte(Wall)
	}
	if l.roomSize > 0 {
		e.quest, e.maze = &quest{n: 1, hand: notHeld}, new(babyMaze)
	}
	e.spec = e.makeSpec()
	e.rng.Seed(0)
	e.clear()
	if e.quest != nil {
		e.task.kind = taskInstr
	}
	e.pos, e.ended = e.at(1, 1), true
	return e
}

// Spec describes the Env.
func (e *Env) Spec() env.Spec { return e.spec }

// Mission is the task of the episode in words.
func (e *Env) Mission() string { return Sentence(e.mission) }

// Limit is the number of steps after which the episode is truncated.
func (e *Env) Limit() int { return e.limit }

// Steps is the number of steps taken in the episode.
func (e *Env) Steps() int { return e.steps }

// Size is the grid's width and height in cells.
func (e *Env) Size() (w, h int) { return e.w, e.h }

// Agent is where the agent stands and the direction in which it looks.
func (e *Env) Agent() (x, y, dir int) {
	x, y = e.xy(e.pos)
	return x, y, e.dir
}

// Carrying is the object that the agent carries; ok is false if it carries none.
func (e *Env) Carrying() (c Cell, ok bool) { return e.carry, e.carry != 0 }

// Within is what the box that the agent carries contains, or 0.
func (e *Env) Within() Cell { return e.within }

// Sight is the width of the agent's view in cells, and whether it sees through walls and doors.
func (e *Env) Sight() (view int, through bool) { return e.cfg.View, e.level.through }

// Cell is the object at (x, y); outside of the grid it is a grey wall.
func (e *Env) Cell(x, y int) Cell {
	if uint(x) >= uint(e.w) || uint(y) >= uint(e.h) {
		return Wall
	}
	return Cell(e.cells[e.at(x, y)])
}

// Inside is what the box at (x, y) contains, or 0.
func (e *Env) Inside(x, y int) Cell { return e.contentAt(e.at(x, y)) }

func (e *Env) at(x, y int) int { return e.origin + y*e.pitch + x }

func (e *Env) xy(pos int) (x, y int) {
	// Columns right of the grid belong to the next row's left border; no object lies there.
	pos -= e.origin
	y = pos / e.pitch
	return pos - y*e.pitch, y
}

func (e *Env) contentAt(pos int) Cell {
	for _, c := range e.inside {
		if int(c.pos) == pos {
			return c.cell
		}
	}
	return 0
}

// put replaces what is at a position.
func (e *Env) put(pos int, c Cell) {
	e.cells[pos] = byte(c)
	if len(e.inside) > 0 {
		e.takeContent(pos)
	}
}

// takeContent removes and returns what the box at a position contains.
func (e *Env) takeContent(pos int) Cell {
	for i, c := range e.inside {
		if int(c.pos) == pos {
			last := len(e.inside) - 1
			e.inside[i] = e.inside[last]
			e.inside = e.inside[:last]
			return c.cell
		}
	}
	return 0
}

// Seed starts NumPy's generator anew, as MiniGrid's reset(seed=seed).
func (e *Env) Seed(seed uint64) { e.rng.Seed(seed) }

// Reset begins an episode on a new layout.
func (e *Env) Reset(obs []byte) {
	e.build()
	e.observe(obs)
	if e.quest != nil && e.quest.carry {
		e.takeFirst()
	}
}

// takeFirst gives the agent the object that it is to put down. MiniGrid does so after the first
// observation.
func (e *Env) takeFirst() {
	q := e.quest
	for i := range q.things {
		if q.instrs[0].set[0]>>i&1 != 0 {
			p := q.cur[i]
			e.carry, e.cells[p] = Cell(e.cells[p]), byte(Empty)
			q.hand = int8(i)
			q.on &^= 1 << i
			return
		}
	}
}

// build makes the layout. Where the reference gives up with an exception because something finds
// no place, it draws a whole new layout from the same stream (docs/deviations.md, MG-1).
func (e *Env) build() {
	for ok := false; !ok; {
		e.clear()
		ok = e.level.build(e)
	}
	e.carry, e.within, e.steps, e.ended = 0, 0, 0, false
	if e.level.start != nil {
		e.level.start(e)
	}
}

// clear empties the grid, takes the agent off it and sets the id's own limit.
func (e *Env) clear() {
	for y := range e.h {
		row := e.cells[e.at(0, y) : e.at(0, y)+e.w]
		for x := range row {
			row[x] = byte(Empty)
		}
	}
	e.inside = e.inside[:0]
	e.pos, e.dir = -1, East
	e.task = task{}
	e.limit = e.cfg.MaxSteps
	if e.limit == 0 {
		e.limit = e.level.limit
	}
}

// Step acts. It panics on a bad action and after the end.
func (e *Env) Step(action int, obs []byte) env.Outcome {
	if uint(action) >= uint(len(e.spec.Actions)) {
		panic(fmt.Sprintf("minigrid: action %d is not in [0, %d)", action, len(e.spec.Actions)))
	}
	if e.ended {
		panic("minigrid: step after the end of the episode")
	}
	out := e.act(action)
	e.ended = out.Done()
	e.observe(obs)
	return out
}

// act is a step without its observation.
func (e *Env) act(action int) (out env.Outcome) {
	t := &e.task
	front := e.pos + e.ahead[e.dir]
	carried, redOpen, blueOpen, blocked := e.carry, false, false, false
	switch t.kind {
	case taskDynamic:
		blocked = !Cell(e.cells[front]).in(1<<kindEmpty | 1<<kindGoal)
		e.moveBalls()
	case taskMemory:
		if action == Pickup {
			action = Toggle
		}
	case taskRedBlue:
		redOpen, blueOpen = e.isOpen(t.a), e.isOpen(t.b)
	}

	e.steps++
	success := false
	c := Cell(e.cells[front])
	switch action {
	case Left:
		e.dir = (e.dir - 1) & 3
	case Right:
		e.dir = (e.dir + 1) & 3
	case Forward:
		if c.in(walkable) {
			e.pos = front
			success = c.kind() == kindGoal
			out.Terminated = success || c.kind() == kindLava
		}
	case Pickup:
		if e.carry == 0 && c.in(portable) {
			e.carry, e.cells[front] = c, byte(Empty)
			if len(e.inside) > 0 {
				e.within = e.takeContent(front)
			}
		}
	case Drop:
		if e.carry != 0 && c == Empty {
			e.cells[front] = byte(e.carry)
			if e.within != 0 {
				e.inside = append(e.inside, content{int32(front), e.within})
			}
			e.carry, e.within = 0, 0
		}
	case Toggle:
		switch c.kind() {
		case kindDoorOpen:
			e.cells[front] = byte(door(c.Color(), DoorClosed))
		case kindDoorClosed:
			e.cells[front] = byte(door(c.Color(), DoorOpen))
		case kindDoorLocked:
			if e.carry == key(c.Color()) {
				e.cells[front] = byte(door(c.Color(), DoorOpen))
			}
		case kindBox:
			in := e.takeContent(front)
			if in == 0 {
				in = Empty
			}
			e.cells[front] = byte(in)
		}
	}
	out.Truncated = e.steps >= e.limit

	switch t.kind {
	case taskPickup:
		if action == Pickup && e.carry != 0 && same(e.carry, t.target) {
			success, out.Terminated = true, true
		}
	case taskUnlock:
		if action == Toggle && e.isOpen(t.a) {
			success, out.Terminated = true, true
		}
	case taskGoTo:
		if action == Done && e.beside(e.pos, int(t.a)) {
			success = true
		}
		out.Terminated = out.Terminated || action == Done || action == Toggle
	case taskFetch:
		if e.carry != 0 {
			success, out.Terminated = same(e.carry, t.target), true
		}
	case taskPutNear:
		if action == Pickup && e.carry != 0 && !same(e.carry, t.target) {
			out.Terminated = true
		}
		if action == Drop && carried != 0 {
			success = e.carry == 0 && e.near(e.pos+e.ahead[e.dir], int(t.a))
			out.Terminated = true
		}
	case taskRedBlue:
		if e.isOpen(t.b) {
			success, out.Terminated = redOpen, true
		} else if blueOpen && e.isOpen(t.a) {
			success, out.Terminated = false, true
		}
	case taskMemory:
		switch int32(e.pos) {
		case t.a:
			success, out.Terminated = true, true
		case t.b:
			success, out.Terminated = false, true
		}
	case taskInstr:
		e.quest.follow(e, action, front, c, carried)
		v := e.quest.verify(e, uint8(e.quest.n-1), action)
		success, out.Terminated = v == succeeded, v != goesOn
	case taskDynamic:
		if blocked && action == Forward {
			out.Terminated, out.Reward = true, -1
			return out
		}
	}
	if success {
		out.Reward = 1 - 0.9*(float64(e.steps)/float64(e.limit))
	}
	return out
}

func (e *Env) isOpen(pos int32) bool { return Cell(e.cells[pos]).kind() == kindDoorOpen }

// ActionMask tells which actions would change anything, the drawn moves of balls and the count of
// steps left aside. done counts where the task listens to it.
func (e *Env) ActionMask(dst []bool) {
	c := Cell(e.cells[e.pos+e.ahead[e.dir]])
	memory := e.task.kind == taskMemory
	mask := [...]bool{
		Left: true, Right: true,
		Forward: c.in(walkable) || e.task.kind == taskDynamic && c != Empty && c != Goal,
		Pickup:  !memory && e.carry == 0 && c.in(portable) || memory && c.in(toggles),
		Drop:    e.carry != 0 && (c == Empty || e.task.kind == taskPutNear),
		Toggle: c.in(toggles) && (c.kind() != kindDoorLocked || e.carry == key(c.Color())) ||
			e.task.kind == taskGoTo,
		Done: e.task.kind == taskGoTo || e.task.kind == taskInstr,
	}
	copy(dst, mask[:len(e.spec.Actions)])
}

// Clone returns an Env that goes on by itself from the same state.
func (e *Env) Clone() env.Env { return e.clone() }

func (e *Env) clone() *Env {
	c := *e
	c.cells = append([]byte(nil), e.cells...)
	c.mission = append([]byte(nil), e.mission...)
	c.inside = append(make([]content, 0, cap(e.inside)), e.inside...)
	if e.quest != nil {
		q := *e.quest
		c.quest, c.maze = &q, new(babyMaze)
	}
	return &c
}

// A snapshot is a header, the mission, the grid row by row, the contents of boxes and the random
// stream, little-endian.
const (
	snapshotMagic  = "MG1"
	snapshotHeader = 3 + 4 + 4*3 + 4*2 + 8 + 4*maxBalls
)

// AppendState appends the whole state.
func (e *Env) AppendState(dst []byte) []byte {
	le := binary.LittleEndian
	dst = append(dst, snapshotMagic...)
	dst = le.AppendUint32(dst, e.level.hash)
	for _, v := range [...]int{e.pos, e.steps, e.limit, int(e.task.a), int(e.task.b)} {
		dst = le.AppendUint32(dst, uint32(v))
	}
	ended := byte(0)
	if e.ended {
		ended = 1
	}
	dst = append(dst, byte(e.dir), byte(e.carry), byte(e.within), ended,
		byte(e.task.kind), byte(e.task.target), byte(e.task.nBalls), byte(len(e.inside)))
	for _, b := range e.task.balls {
		dst = le.AppendUint32(dst, uint32(b))
	}
	dst = append(dst, e.mission...)
	for y := range e.h {
		dst = append(dst, e.cells[e.at(0, y):e.at(0, y)+e.w]...)
	}
	for _, c := range e.inside {
		dst = append(le.AppendUint32(dst, uint32(c.pos)), byte(c.cell))
	}
	if e.quest != nil {
		dst = e.quest.appendState(dst)
	}
	return e.rng.AppendState(dst)
}

// Ended implements env.Ender.
func (e *Env) Ended() bool { return e.ended }

// SetState restores what AppendState of an Env of the same id and options appended. An error
// leaves the Env as it was.
func (e *Env) SetState(s []byte) error {
	le := binary.LittleEndian
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: snapshot: "+format, append([]any{e.spec.ID}, args...)...)
	}
	if len(s) < snapshotHeader || string(s[:3]) != snapshotMagic {
		return bad("not one of MiniGrid, or cut (%d bytes)", len(s))
	}
	if le.Uint32(s[3:]) != e.level.hash {
		return bad("it is of another environment")
	}
	u := func(i int) int { return int(int32(le.Uint32(s[7+4*i:]))) }
	b := s[27:35]
	nInside := int(b[7])
	nQuest := 0
	if e.quest != nil {
		nQuest = questLen
	}
	if want := snapshotHeader + len(e.mission) + e.w*e.h + 5*nInside + nQuest + rng.GenStateLen; len(s) != want {
		return bad("%d bytes, want %d", len(s), want)
	}
	inGrid := func(p int) bool {
		x, y := e.xy(p)
		return p >= e.origin && x < e.w && y < e.h
	}
	t := task{kind: taskKind(b[4]), a: int32(u(3)), b: int32(u(4)), target: Cell(b[5]), nBalls: int(b[6])}
	pos, steps, limit := u(0), u(1), u(2)
	carry, within := Cell(b[1]), Cell(b[2])
	switch {
	case !inGrid(pos) || b[0] > 3 || b[3] > 1:
		return bad("the agent is not on the grid")
	case steps < 0 || limit < 1 || steps > limit || steps == limit && b[3] == 0:
		return bad("step %d of %d", steps, limit)
	case carry != 0 && !(carry.valid() && carry.in(portable)), within != 0 && !(carry.kind() == kindBox && within.valid()):
		return bad("impossible object in hand")
	case t.kind >= taskKinds || (t.kind == taskInstr) != (e.quest != nil) || t.nBalls > maxBalls || t.target != 0 && !t.target.valid():
		return bad("unknown task")
	case (t.a != 0 && !inGrid(int(t.a))) || (t.b != 0 && !inGrid(int(t.b))):
		return bad("the task is not on the grid")
	}
	for i := range t.balls {
		t.balls[i] = int32(le.Uint32(s[35+4*i:]))
		if i < t.nBalls && !inGrid(int(t.balls[i])) {
			return bad("a ball is not on the grid")
		}
	}
	rest := s[snapshotHeader:]
	mission, rest := rest[:len(e.mission)], rest[len(e.mission):]
	cells, rest := rest[:e.w*e.h], rest[e.w*e.h:]
	boxes, rest := rest[:5*nInside], rest[5*nInside:]
	told, rest := rest[:nQuest], rest[nQuest:]
	for _, m := range mission {
		if int(m) >= len(Words) {
			return bad("unknown word %d", m)
		}
	}
	for i, c := range cells {
		if !validCell[c] {
			return bad("cell %d holds the unknown object %d", i, c)
		}
	}
	for i := 0; i < len(boxes); i += 5 {
		p := int(int32(le.Uint32(boxes[i:])))
		if !inGrid(p) || !validCell[boxes[i+4]] {
			return bad("bad content of a box")
		}
	}
	var q quest
	if e.quest != nil {
		var err error
		if q, err = parseQuest(told, inGrid); err != nil {
			return bad("%w", err)
		}
	}
	var gen rng.Gen
	if err := gen.SetState(rest); err != nil {
		return bad("%w", err)
	}

	e.pos, e.steps, e.limit, e.dir, e.ended = pos, steps, limit, int(b[0]), b[3] == 1
	e.carry, e.within, e.task, e.rng = carry, within, t, gen
	if e.quest != nil {
		*e.quest = q
	}
	copy(e.mission, mission)
	for y := range e.h {
		copy(e.cells[e.at(0, y):], cells[y*e.w:(y+1)*e.w])
	}
	e.inside = e.inside[:0]
	for i := 0; i < len(boxes); i += 5 {
		e.inside = append(e.inside, content{int32(le.Uint32(boxes[i:])), Cell(boxes[i+4])})
	}
	return nil
}

var validCell = func() (t [256]bool) {
	for i := range t {
		t[i] = Cell(i).valid()
	}
	return t
}()
