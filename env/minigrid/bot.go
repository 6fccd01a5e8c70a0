package minigrid

import (
	"container/heap"
	"fmt"

	"github.com/ponder-agents/ponder/env"
)

// A Bot plays any MiniGrid or BabyAI id by what the agent has seen in the episode and by the mission: it
// explores with a memory of the cells seen, fetches keys, opens doors and boxes and carries away what
// is in its way. With full knowledge it sees the whole grid and into boxes, and explores nothing.
type Bot struct {
	e     *Env
	full  bool
	known []Cell       // by position; Unseen where nothing is known
	steps int          // of the episode when the memory was last renewed; -1 before the first
	plan  []int        // actions that still hold as long as nothing new is seen
	next  int          // where its last action leads: when somebody else acted, it plans anew; -1 for anywhere
	depth int          // of regressing from obstacle to obstacle
	now   *instr       // what it pursues of BabyAI's instructions
	way   map[int]bool // positions to be kept free
	s     search
}

// NewBot returns a bot that plays e under the agent's own view.
func NewBot(e *Env) *Bot { return newBot(e, false) }

func newBot(e *Env, full bool) *Bot {
	n := len(e.cells)
	return &Bot{e: e, full: full, known: make([]Cell, n), steps: -1, way: map[int]bool{}, s: search{
		e: e, cost: make([]int32, 4*n), prev: make([]int32, 4*n),
	}}
}

// Act implements env.Oracle.
func (b *Bot) Act() (int, error) {
	e := b.e
	if e.ended {
		return 0, fmt.Errorf("minigrid: the episode has ended")
	}
	if e.steps == 0 || e.steps <= b.steps {
		clear(b.known)
		b.plan = nil
	}
	b.steps = e.steps
	news := b.remember()
	if len(b.plan) > 0 && !news && b.next == e.pos<<2|e.dir {
		a := b.plan[0]
		b.plan = b.plan[1:]
		b.next = e.poseAfter(a)
		return a, nil
	}
	b.plan, b.depth = b.plan[:0], 0
	clear(b.way)
	a, ok := b.decide()
	if !ok {
		return 0, fmt.Errorf("minigrid: no way is known to %q from step %d", e.Mission(), e.steps)
	}
	b.next = e.poseAfter(a)
	return a, nil
}

// poseAfter is the position and direction to which an action leads, or -1 for one that changes something else.
func (e *Env) poseAfter(action int) int {
	switch front := e.pos + e.ahead[e.dir]; {
	case action == Left:
		return e.pos<<2 | (e.dir+3)&3
	case action == Right:
		return e.pos<<2 | (e.dir+1)&3
	case action == Forward && Cell(e.cells[front]).in(walkable):
		return front<<2 | e.dir
	}
	return -1
}

// remember adds what the agent sees to the memory and reports whether anything is new.
func (b *Bot) remember() (news bool) {
	e := b.e
	see := func(p int, c Cell) {
		if b.known[p] != c {
			b.known[p], news = c, true
		}
	}
	if b.full {
		for y := range e.h {
			for x := range e.w {
				see(e.at(x, y), e.Cell(x, y))
			}
		}
		return news
	}
	if e.task.kind == taskDynamic { // balls out of sight are elsewhere by now
		for p, c := range b.known {
			if c.kind() == kindBall {
				see(p, Empty)
			}
		}
	}
	var s sighting
	view := e.cfg.View
	e.look(&s, view)
	ax, ay := e.xy(e.pos)
	fx, fy := [...]int{1, 0, -1, 0}[e.dir], [...]int{0, 1, 0, -1}[e.dir]
	for i := range view {
		for j := range view {
			f, r := view-1-j, i-view/2
			x, y := ax+fx*f-fy*r, ay+fy*f+fx*r
			if s.sees(i, j) && uint(x) < uint(e.w) && uint(y) < uint(e.h) && (f != 0 || r != 0) {
				see(e.at(x, y), s.cells[i*view+j])
			}
		}
	}
	// What lies under the agent is not shown; if it was not seen before, it is no obstacle at least.
	if b.known[e.pos] == Unseen {
		see(e.pos, Empty)
	}
	return news
}

// find returns the position of a known cell that matches, the nearest as the crow flies; -1 if none.
func (b *Bot) find(match func(c Cell, p int) bool) int {
	e, best, at := b.e, 1<<30, -1
	ax, ay := e.xy(e.pos)
	for y := range e.h {
		for x := range e.w {
			p := e.at(x, y)
			if d := abs(x-ax) + abs(y-ay); d < best && b.known[p] != Unseen && match(b.known[p], p) {
				best, at = d, p
			}
		}
	}
	return at
}

func (b *Bot) findObject(o Cell) int {
	return b.find(func(c Cell, _ int) bool { return same(c, o) })
}

// decide chooses the next action by the task.
func (b *Bot) decide() (int, bool) {
	e := b.e
	switch t := &e.task; t.kind {
	case taskPickup, taskFetch:
		p := b.findObject(t.target)
		if p < 0 {
			return b.explore()
		}
		path := b.face(p)
		if path == nil {
			return b.explore() // there may be a way that is not known yet
		}
		if a, ok := b.obstacle(path); ok {
			return a, ok
		}
		return b.take(path)
	case taskUnlock:
		p := b.find(func(c Cell, _ int) bool { return c.kind() == kindDoorLocked })
		if p < 0 {
			return b.explore()
		}
		return b.openDoor(p)
	case taskGoTo:
		// GoToDoor has doors only, GoToObject no door.
		want := b.missionObject(3)
		p := b.find(func(c Cell, _ int) bool { return c.Type() == want.Type() && c.Color() == want.Color() })
		if p < 0 {
			return b.explore()
		}
		return b.followFree(b.s.run(func(q, _ int) bool { return e.beside(q, p) }, b.enter(0)), Done)
	case taskPutNear:
		if e.carry == 0 {
			p := b.findObject(t.target)
			if p < 0 {
				return b.explore()
			}
			return b.followFree(b.face(p), Pickup)
		}
		p := b.findObject(b.missionObject(6))
		if p < 0 {
			return b.explore()
		}
		return b.followFree(b.s.run(func(q, d int) bool {
			f := q + e.ahead[d]
			return b.known[f] == Empty && e.near(f, p)
		}, b.enter(0)), Drop)
	case taskRedBlue:
		for _, color := range []uint8{Red, Blue} {
			p := b.find(func(c Cell, _ int) bool { return c.in(doors) && c.Color() == color })
			if p < 0 {
				return b.explore()
			}
			if b.known[p].kind() != kindDoorOpen {
				return b.openDoor(p)
			}
		}
		return b.explore()
	case taskMemory:
		return b.decideMemory()
	case taskInstr:
		return b.decideQuest()
	}
	p := b.find(func(c Cell, _ int) bool { return c.kind() == kindGoal })
	if p < 0 {
		return b.explore()
	}
	path := b.s.run(func(q, _ int) bool { return q == p }, b.enter(objectCost))
	if path == nil {
		return b.explore()
	}
	if a, ok := b.obstacle(path); ok {
		return a, ok
	}
	return b.follow(path, Done)
}

// missionObject is what the words i and i+1 of the mission name: a colour and a type.
func (b *Bot) missionObject(i int) Cell {
	m := b.e.mission
	for t, tok := range typeToken[:TypeAgent] {
		for c, ctok := range colorToken[:len(ColorNames)] {
			if m[i] == ctok && m[i+1] == tok {
				o, err := NewCell(uint8(t), uint8(c), 0)
				if err == nil {
					return o
				}
			}
		}
	}
	return Unseen
}

// decideMemory looks at the cue and at the pair, then goes to the cell before the pair's equal to
// the cue. The cue is the object that is alone in its column.
func (b *Bot) decideMemory() (int, bool) {
	e := b.e
	var objects [3]int
	n := 0
	b.find(func(c Cell, p int) bool {
		if c.in(portable) && n < 3 {
			objects[n], n = p, n+1
		}
		return false
	})
	if n < 3 {
		return b.explore()
	}
	column := func(p int) int { x, _ := e.xy(p); return x }
	for i, cue := range objects {
		one, other := objects[(i+1)%3], objects[(i+2)%3]
		if column(one) != column(other) {
			continue
		}
		if b.known[one] != b.known[cue] {
			one, other = other, one
		}
		target := one + e.pitch
		if other < one {
			target = one - e.pitch
		}
		return b.followFree(b.s.run(func(q, _ int) bool { return q == target }, b.enter(0)), Done)
	}
	return b.explore()
}

// Costs of entering a cell, in steps.
const (
	objectCost = 12 // to carry an object away
	lockCost   = 30 // to fetch a known key
	noEntry    = -1
)

// enter returns what entering a known cell costs. object is the cost of one with something to
// carry away; 0 means that nothing is carried away.
func (b *Bot) enter(object int32) func(p int) int32 {
	e := b.e
	kind := e.task.kind
	strict := kind == taskInstr && b.now.strict
	movable := object > 0 && !(strict && b.now.kind == instrPickup) && kind != taskFetch && kind != taskPutNear && kind != taskMemory && kind != taskDynamic
	return func(p int) int32 {
		c := b.known[p]
		switch {
		case c.in(1 << kindLava), c == Unseen:
			return noEntry
		case c.in(walkable):
			if kind == taskMemory && b.besideObject(p) && !b.knowsAll() {
				return noEntry
			}
			return 0
		case c.kind() == kindDoorClosed:
			if strict && b.now.kind == instrOpen || kind == taskRedBlue && c.Color() == Blue && !b.open(Red) || kind == taskGoTo || b.elsewhere(c.Color()) {
				return noEntry
			}
			return 1
		case c.kind() == kindDoorLocked:
			if e.carry == key(c.Color()) {
				return 1
			}
			if b.findKey(c.Color()) >= 0 && object > 0 {
				return lockCost
			}
		case movable && c.in(portable):
			return object
		}
		return noEntry
	}
}

// open reports whether the door of a colour is known to be open.
func (b *Bot) open(color uint8) bool {
	return b.find(func(c Cell, _ int) bool { return c.kind() == kindDoorOpen && c.Color() == color }) >= 0
}

// elsewhere reports whether the mission names the room of the key, and it is not behind doors of
// this colour.
func (b *Bot) elsewhere(color uint8) bool {
	m := b.e.mission
	return m[0] == tokens["get"] && m[4] == tokens["from"] && m[6] != colorToken[color] && m[2] != colorToken[color]
}

func (b *Bot) besideObject(p int) bool {
	for _, d := range b.e.ahead {
		if b.known[p+d].in(portable) {
			return true
		}
	}
	return false
}

// knowsAll reports whether the three objects of a Memory level have been seen.
func (b *Bot) knowsAll() bool {
	n := 0
	b.find(func(c Cell, _ int) bool {
		if c.in(portable) {
			n++
		}
		return false
	})
	return n >= 3
}

// findKey returns where a key of the colour lies, in a box that is known to hold it if need be; -1 if
// that is not known.
func (b *Bot) findKey(color uint8) int {
	if p := b.findObject(key(color)); p >= 0 {
		return p
	}
	if b.full {
		for _, c := range b.e.inside {
			if c.cell == key(color) {
				return int(c.pos)
			}
		}
	}
	return -1
}

// face finds the cheapest way to look at p from beside it, carrying things away if need be.
func (b *Bot) face(p int) []int32 {
	return b.s.run(func(q, d int) bool { return q+b.e.ahead[d] == p }, b.enter(objectCost))
}

// obstacle looks along a path for the first thing that must be dealt with before: a locked door
// without its key in hand, or an object. It reports false if there is none, or no path.
func (b *Bot) obstacle(path []int32) (int, bool) {
	e := b.e
	for i, pose := range path {
		q := int(pose >> 2)
		c := b.known[q]
		if i == 0 || c.in(walkable) || c.kind() == kindDoorClosed {
			continue
		}
		if b.depth++; b.depth > 12 {
			return 0, false
		}
		if c.kind() == kindDoorLocked {
			if e.carry == key(c.Color()) {
				continue
			}
			return b.fetchKey(c.Color())
		}
		if c.kind() == kindBox && !same(c, e.task.target) && !b.meant(q) {
			return b.follow(path[:i], Toggle) // it vanishes, or leaves what it holds
		}
		if e.carry != 0 {
			return b.putAside(path)
		}
		return b.follow(path[:i], Pickup)
	}
	return 0, false
}

// fetchKey goes for the key of a colour.
func (b *Bot) fetchKey(color uint8) (int, bool) {
	p := b.findKey(color)
	if p < 0 {
		return b.explore()
	}
	path := b.face(p)
	if path == nil {
		return b.explore()
	}
	if a, ok := b.obstacle(path); ok {
		return a, ok
	}
	if b.known[p].kind() == kindBox {
		return b.follow(path, Toggle)
	}
	return b.take(path)
}

// take picks up what is at the end of a free path, with what is in hand put aside once it has opened
// the doors on the way.
func (b *Bot) take(path []int32) (int, bool) {
	if b.e.carry == 0 {
		return b.follow(path, Pickup)
	}
	if i := b.lockOn(path); i > 0 {
		return b.follow(path[:i+1], Forward)
	}
	return b.putAside(path)
}

// lockOn is where a free path first enters a door that the key in hand opens; 0 if nowhere.
func (b *Bot) lockOn(path []int32) int {
	for i, pose := range path {
		if c := b.known[pose>>2]; c.kind() == kindDoorLocked {
			if b.e.carry == key(c.Color()) {
				return i
			}
			break
		}
	}
	return 0
}

// keepFree notes the rest of a path as no place to put things aside.
func (b *Bot) keepFree(path []int32) {
	for _, pose := range path {
		b.way[int(pose>>2)] = int(pose>>2) != b.e.pos
	}
}

// openDoor goes to a door and opens it.
func (b *Bot) openDoor(p int) (int, bool) {
	c := b.known[p]
	path := b.face(p)
	if c.kind() == kindDoorLocked && b.e.carry != key(c.Color()) {
		// What blocks the way to the door goes first, while the hands are free.
		if a, ok := b.obstacle(path); ok {
			return a, ok
		}
		return b.fetchKey(c.Color())
	}
	if path == nil {
		return b.explore()
	}
	if a, ok := b.obstacle(path); ok {
		return a, ok
	}
	return b.follow(path, Toggle)
}

// explore goes to look at the nearest unknown cell; if none can be reached so, it opens boxes, and
// last it carries things away and unlocks doors whose keys are known.
func (b *Bot) explore() (int, bool) {
	e := b.e
	if b.depth++; b.depth > 12 {
		return 0, false
	}
	unknown := func(q, d int) bool { return b.known[q+e.ahead[d]] == Unseen }
	boxed := func(q, d int) bool {
		c := b.known[q+e.ahead[d]]
		return c.kind() == kindBox && !same(c, e.task.target) && !b.meant(q+e.ahead[d])
	}
	if path := b.s.run(unknown, b.enter(0)); path != nil {
		return b.follow(path, Left)
	}
	switch e.task.kind {
	case taskPickup, taskGoal, taskUnlock, taskInstr:
		if path := b.s.run(boxed, b.enter(0)); path != nil {
			return b.follow(path, Toggle)
		}
	}
	either := func(q, d int) bool { return unknown(q, d) || boxed(q, d) }
	path := b.s.run(either, b.enter(objectCost))
	if path == nil {
		if e.task.kind == taskDynamic {
			return Left, true // a ball is in the way: wait
		}
		return 0, false
	}
	if a, ok := b.obstacle(path); ok {
		return a, ok
	}
	last := path[len(path)-1]
	if boxed(int(last>>2), int(last&3)) {
		return b.follow(path, Toggle)
	}
	return b.follow(path, Left)
}

// putAside drops what is carried at the nearest place where it blocks nothing, nor the rest of a path.
func (b *Bot) putAside(path []int32) (int, bool) {
	e := b.e
	b.keepFree(path)
	free := func(p int) bool { c := b.known[p]; return c.in(walkable) || c.in(doors) }
	ring := [...]int{-e.pitch - 1, -e.pitch, -e.pitch + 1, 1, e.pitch + 1, e.pitch, e.pitch - 1, -1}
	for level := range 4 {
		path := b.s.run(func(q, d int) bool {
			p := q + e.ahead[d]
			if b.known[p] != Empty || b.way[p] && level < 3 {
				return false
			}
			// The free cells around p must stay connected around it.
			runs, sides := 0, 0
			for i, r := range ring {
				if free(p+r) && !free(p+ring[(i+1)%8]) {
					runs++
				}
			}
			for _, s := range e.ahead {
				if free(p + s) {
					sides++
				}
				if level == 0 && (b.known[p+s].in(doors) || b.known[p+s] == Unseen || b.known[p+s].in(portable)) {
					return false
				}
			}
			return level >= 2 || runs <= 1 || level == 1 && sides <= 1
		}, b.enter(0))
		if path != nil {
			return b.follow(path, Drop)
		}
	}
	return 0, false
}

// followFree follows a path, or explores if there is none yet.
func (b *Bot) followFree(path []int32, then int) (int, bool) {
	if path == nil {
		return b.explore()
	}
	return b.follow(path, then)
}

// follow returns the first action along a path of poses, or then at its end, and keeps the rest of
// the actions.
func (b *Bot) follow(path []int32, then int) (int, bool) {
	if path == nil {
		return 0, false
	}
	b.plan = b.plan[:0]
	for i := 1; i < len(path); i++ {
		from, to := path[i-1], path[i]
		if from>>2 == to>>2 {
			if (from+1)&3 == to&3 {
				b.plan = append(b.plan, Right)
			} else {
				b.plan = append(b.plan, Left)
			}
			continue
		}
		if c := b.known[to>>2]; c.kind() == kindDoorClosed || c.kind() == kindDoorLocked {
			b.plan = append(b.plan, Toggle)
		}
		b.plan = append(b.plan, Forward)
	}
	b.plan = append(b.plan, then)
	a := b.plan[0]
	b.plan = b.plan[1:]
	return a, true
}

// A search finds cheapest paths over poses: a position and a direction, position<<2 | direction.
type search struct {
	e    *Env
	cost []int32
	prev []int32
	open poseHeap
	path []int32
}

// run returns the poses from the agent's to the cheapest that is a goal, both included; nil if none
// can be reached. Turning and going cost 1, and entering a cell what enter says besides, which may be
// negative for never. The path is valid until the next run.
func (s *search) run(goal func(p, d int) bool, enter func(p int) int32) []int32 {
	e := s.e
	for i := range s.cost {
		s.cost[i] = 1 << 30
	}
	start := int32(e.pos<<2 | e.dir)
	s.cost[start], s.prev[start] = 0, -1
	s.open = append(s.open[:0], poseCost{start, 0})
	for len(s.open) > 0 {
		top := heap.Pop(&s.open).(poseCost)
		if top.cost > s.cost[top.pose] {
			continue
		}
		p, d := int(top.pose>>2), int(top.pose&3)
		if goal(p, d) {
			s.path = s.path[:0]
			for q := top.pose; q >= 0; q = s.prev[q] {
				s.path = append(s.path, q)
			}
			for i, j := 0, len(s.path)-1; i < j; i, j = i+1, j-1 {
				s.path[i], s.path[j] = s.path[j], s.path[i]
			}
			return s.path
		}
		s.relax(top, int32(p<<2|(d+1)&3), 1)
		s.relax(top, int32(p<<2|(d+3)&3), 1)
		if front := p + e.ahead[d]; enter(front) >= 0 {
			s.relax(top, int32(front<<2|d), 1+enter(front))
		}
	}
	return nil
}

func (s *search) relax(from poseCost, to int32, cost int32) {
	if c := from.cost + cost; c < s.cost[to] {
		s.cost[to], s.prev[to] = c, from.pose
		heap.Push(&s.open, poseCost{to, c})
	}
}

type poseCost struct{ pose, cost int32 }

// A poseHeap is ordered by cost, ties by pose, so that plans don't depend on the heap's moods.
type poseHeap []poseCost

func (h poseHeap) Len() int { return len(h) }
func (h poseHeap) Less(i, j int) bool {
	return h[i].cost < h[j].cost || h[i].cost == h[j].cost && h[i].pose < h[j].pose
}
func (h poseHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *poseHeap) Push(x any)   { *h = append(*h, x.(poseCost)) }
func (h *poseHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

var _ env.Oracle = (*Bot)(nil)
