package minigrid

import (
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/env"
)

// A Plan is the oracle that sees everything. It looks for a shortest plan by A* over the whole
// state (the agent, what it carries, where every object lies, which doors are open), bounded by the
// plan of a [Bot] with full knowledge; where the search runs out of nodes it follows the best plan
// found. In Dynamic-Obstacles, where the balls move by chance, it plans anew at every step.
type Plan struct {
	e      *Env
	bot    *Bot
	nodes  int
	left   []int  // actions still to take
	at     [4]int // steps, pose, hand, and the cell ahead that are expected now
	proved bool
}

// planNodes is how many states a search looks at by default: well under a second.
const planNodes = 200_000

// NewPlan plans for e; nodes bounds the states that a search looks at, 0 means 200,000.
func NewPlan(e *Env, nodes int) *Plan {
	if nodes <= 0 {
		nodes = planNodes
	}
	return &Plan{e: e, bot: newBot(e, true), nodes: nodes, at: [4]int{-1}}
}

// Shortest reports whether the plan in force was proved to be as short as any.
func (p *Plan) Shortest() bool { return p.proved }

// Act implements env.Oracle.
func (p *Plan) Act() (int, error) {
	e := p.e
	if e.ended {
		return 0, fmt.Errorf("minigrid: the episode has ended")
	}
	if e.task.kind == taskDynamic {
		p.proved = false
		return p.bot.Act()
	}
	if now := e.situation(); len(p.left) == 0 || now != p.at || e.steps == 0 {
		if err := p.replan(); err != nil {
			return 0, err
		}
	}
	a := p.left[0]
	p.left = p.left[1:]
	// Where the plan leads to next, to notice when somebody else acts.
	next := e.clone()
	next.act(a)
	p.at = next.situation()
	return a, nil
}

func (e *Env) situation() [4]int {
	return [4]int{e.steps, e.pos<<2 | e.dir, int(e.carry), int(e.cells[e.pos+e.ahead[e.dir]])}
}

func (p *Plan) replan() error {
	upper, err := botPlan(p.e)
	limit := len(upper)
	if err != nil {
		limit = p.e.limit - p.e.steps + 1
	}
	better, exhausted := shortest(p.e, limit, p.nodes, false)
	p.proved = exhausted
	switch {
	case better != nil:
		p.left = better
	case err == nil:
		p.left = upper
	default:
		return err
	}
	return nil
}

// botPlan is what a bot with full knowledge does on a copy of e, to success.
func botPlan(e *Env) ([]int, error) {
	c := e.clone()
	b := newBot(c, true)
	var plan []int
	for {
		a, err := b.Act()
		if err != nil {
			return nil, err
		}
		plan = append(plan, a)
		out := c.act(a)
		c.ended = out.Done()
		if out.Reward > 0 {
			return plan, nil
		}
		if c.ended {
			return nil, fmt.Errorf("minigrid: no plan for %q succeeds within %d steps", e.Mission(), e.limit)
		}
	}
}

const (
	maxThings = 28 // objects that can be carried, contents of boxes included
	maxDoors  = 16
)

// A planState is everything that changes.
type planState struct {
	pose   uint16            // position<<2 | direction
	hand   uint8             // index of the thing carried + 1, or 0
	doors  uint32            // two bits a door, its state
	things [maxThings]uint16 // position of each thing; 0 if gone, in a box or in hand
}

// A planner holds what doesn't change during a search.
type planner struct {
	e       *Env
	task    task
	base    []byte // the grid without things, doors open
	doors   []int  // positions
	colors  []uint8
	doorAt  []int8 // index of the door at a position, or -1
	things  []Cell
	inside  []int   // index of the thing in a box, or -1
	dist    [][]int // lazily, from a position to all, walls and lava alone in the way
	target  int     // index of the thing to take or move, or -1
	needed  map[wayKey]int8
	goal    int  // position of the goal, the door, the place
	anyGoal bool // there are several goals
	blind   bool // the bound is 0: for tests of the bound
}

// A wayKey asks for the door needed from one position to another.
type wayKey struct {
	from, to uint16
	locked   uint32
}

// shortest looks for a plan that succeeds in fewer than limit steps. It returns the shortest, or nil
// and whether there is none.
func shortest(e *Env, limit, nodes int, blind bool) (plan []int, exhausted bool) {
	p := planner{
		e: e, blind: blind, task: e.task, base: append([]byte(nil), e.cells...), doorAt: make([]int8, len(e.cells)),
		dist: make([][]int, len(e.cells)), target: -1, needed: make(map[wayKey]int8), goal: -1,
	}
	start := planState{pose: uint16(e.pos<<2 | e.dir)}
	add := func(c, in Cell, pos int) bool {
		if len(p.things)+2 > maxThings {
			return false
		}
		i := len(p.things)
		p.things, p.inside = append(p.things, c), append(p.inside, -1)
		start.things[i] = uint16(pos)
		if in != 0 {
			if !in.in(portable) {
				return false
			}
			p.things, p.inside = append(p.things, in), append(p.inside, -1)
			p.inside[i] = i + 1
		}
		return true
	}
	for i := range p.doorAt {
		p.doorAt[i] = -1
	}
	for y := range e.h {
		for x := range e.w {
			pos := e.at(x, y)
			c := e.Cell(x, y)
			switch {
			case c.in(doors):
				if len(p.doors) == maxDoors {
					return nil, false
				}
				start.doors |= uint32(c.State()) << (2 * len(p.doors))
				p.doorAt[pos] = int8(len(p.doors))
				p.doors, p.colors = append(p.doors, pos), append(p.colors, c.Color())
				p.base[pos] = byte(door(c.Color(), DoorOpen))
			case c.in(portable):
				if !add(c, e.contentAt(pos), pos) {
					return nil, false
				}
				p.base[pos] = byte(Empty)
			case c.kind() == kindGoal:
				if p.goal >= 0 {
					p.anyGoal = true
				}
				p.goal = pos
			}
		}
	}
	if e.carry != 0 {
		if !add(e.carry, e.within, 0) {
			return nil, false
		}
		start.hand = uint8(len(p.things))
		if e.within != 0 {
			start.hand--
		}
	}
	if p.task.kind != taskGoal {
		p.goal = int(p.task.a)
	}
	if p.task.target != 0 {
		for i, c := range p.things {
			if same(c, p.task.target) {
				p.target = i
			}
		}
		if p.target < 0 {
			return nil, true
		}
	}
	return p.search(start, limit, nodes)
}

type planNode struct {
	state  planState
	parent int32
	g      int32
	action uint8
	done   bool
}

// search is A*: a plan that succeeds lowers the limit, and no state is looked at whose bound reaches it.
func (p *planner) search(start planState, limit, nodes int) (plan []int, exhausted bool) {
	var all []planNode
	index := make(map[planState]int32)
	open := make([][]int32, limit+2)
	// least is the bound of the state before: a bound never falls along a plan.
	push := func(s planState, parent int32, g, least, action int) {
		f := max(g+p.bound(&s), least)
		if f >= limit {
			return
		}
		if i, ok := index[s]; ok {
			n := &all[i]
			if int(n.g) <= g {
				return
			}
			n.g, n.parent, n.action, n.done = int32(g), parent, uint8(action), false
			open[f] = append(open[f], i)
			return
		}
		i := int32(len(all))
		index[s] = i
		all = append(all, planNode{s, parent, int32(g), uint8(action), false})
		open[f] = append(open[f], i)
	}
	push(start, -1, 0, 0, 0)
	for f := 0; f < limit; f++ {
		for len(open[f]) > 0 {
			i := open[f][len(open[f])-1]
			open[f] = open[f][:len(open[f])-1]
			if all[i].done {
				continue
			}
			all[i].done = true
			s, g := all[i].state, int(all[i].g)
			for a := range p.e.spec.Actions {
				next, success, ok := p.step(s, a)
				if success && g+1 < limit {
					limit = g + 1
					plan = append(plan[:0], a)
					for k := i; all[k].parent >= 0; k = all[k].parent {
						plan = append(plan, int(all[k].action))
					}
					slices.Reverse(plan)
				}
				if ok {
					push(next, i, g+1, f, a)
				}
			}
			if len(all) > nodes {
				return plan, false
			}
		}
	}
	return plan, true
}

// thingAt is the index of the thing at a position, or -1.
func (p *planner) thingAt(s *planState, pos int) int {
	for i := range p.things {
		if int(s.things[i]) == pos {
			return i
		}
	}
	return -1
}

func (s *planState) door(i int) uint8 { return uint8(s.doors >> (2 * i) & 3) }

// step acts; ok is false where the action changes nothing, fails the task or cannot help.
func (p *planner) step(s planState, action int) (next planState, success, ok bool) {
	pos, dir := int(s.pose>>2), int(s.pose&3)
	front := pos + p.e.ahead[dir]
	kind := p.task.kind
	if kind == taskMemory && action == Pickup {
		return s, false, false
	}
	switch action {
	case Left:
		s.pose = uint16(pos<<2 | (dir+3)&3)
		return s, false, true
	case Right:
		s.pose = uint16(pos<<2 | (dir+1)&3)
		return s, false, true
	case Forward:
		c := Cell(p.base[front])
		if !c.in(walkable) || c.kind() == kindLava || p.thingAt(&s, front) >= 0 {
			return s, false, false
		}
		if d := p.doorAt[front]; d >= 0 && s.door(int(d)) != DoorOpen {
			return s, false, false
		}
		if c.kind() == kindGoal {
			return s, kind == taskGoal, false
		}
		if kind == taskMemory {
			if front == int(p.task.a) {
				return s, true, false
			}
			if front == int(p.task.b) {
				return s, false, false
			}
		}
		s.pose = uint16(front<<2 | dir)
		return s, false, true
	case Pickup:
		i := p.thingAt(&s, front)
		if i < 0 || s.hand != 0 {
			return s, false, false
		}
		if kind == taskPickup || kind == taskFetch {
			if i == p.target || same(p.things[i], p.task.target) {
				return s, true, false
			}
		}
		if kind == taskFetch || kind == taskPutNear && i != p.target {
			return s, false, false
		}
		s.hand, s.things[i] = uint8(i+1), 0
		return s, false, true
	case Drop:
		if s.hand == 0 || Cell(p.base[front]) != Empty || p.thingAt(&s, front) >= 0 {
			return s, false, false
		}
		if kind == taskPutNear {
			return s, p.e.near(front, int(p.task.a)), false
		}
		if !p.mayDrop(&s) {
			return s, false, false
		}
		s.things[s.hand-1], s.hand = uint16(front), 0
		return s, false, true
	case Toggle:
		if kind == taskGoTo {
			return s, false, false
		}
		if d := int(p.doorAt[front]); d >= 0 {
			switch s.door(d) {
			case DoorOpen:
				return s, false, false // to close one never helps
			case DoorLocked:
				if s.hand == 0 || p.things[s.hand-1] != key(p.colors[d]) {
					return s, false, false
				}
			}
			s.doors &^= 3 << (2 * d)
			switch kind {
			case taskUnlock:
				return s, front == int(p.task.a), front != int(p.task.a)
			case taskRedBlue:
				if front == int(p.task.b) {
					red := s.door(int(p.doorAt[p.task.a]))
					return s, red == DoorOpen, false
				}
			}
			return s, false, true
		}
		i := p.thingAt(&s, front)
		if i < 0 || p.things[i].kind() != kindBox || i == p.target {
			return s, false, false
		}
		s.things[i] = 0
		if in := p.inside[i]; in >= 0 {
			s.things[in] = uint16(front)
		}
		return s, false, true
	case Done:
		return s, kind == taskGoTo && p.e.beside(pos, int(p.task.a)), false
	}
	return s, false, false
}

// mayDrop reports whether free hands can help: something is left to pick up.
func (p *planner) mayDrop(s *planState) bool {
	for i := range p.things {
		if i != int(s.hand)-1 && (s.things[i] != 0 || p.hidden(s, i)) {
			return true
		}
	}
	return false
}

// hidden reports whether thing i is in a box that is not open.
func (p *planner) hidden(s *planState, i int) bool {
	return i > 0 && p.inside[i-1] == i && (s.things[i-1] != 0 || int(s.hand) == i)
}

// from is the distance in steps from a position to all others, walls and lava alone in the way.
func (p *planner) from(pos int) []int {
	if d := p.dist[pos]; d != nil {
		return d
	}
	d := make([]int, len(p.base))
	for i := range d {
		d[i] = 1 << 20
	}
	d[pos] = 0
	queue := []int{pos}
	for len(queue) > 0 {
		q := queue[0]
		queue = queue[1:]
		for _, a := range p.e.ahead {
			n := q + a
			if n >= 0 && n < len(d) && d[n] == 1<<20 && Cell(p.base[n]).in(walkable&^(1<<kindLava)) {
				d[n] = d[q] + 1
				queue = append(queue, n)
			}
		}
	}
	p.dist[pos] = d
	return d
}

// turns is the least number of turns before the agent can have gone towards something.
func (p *planner) turns(pos, dir, to int) int {
	x, y := p.e.xy(pos)
	tx, ty := p.e.xy(to)
	dx, dy := tx-x, ty-y
	if dx == 0 && dy == 0 {
		return 0
	}
	ahead := [...]int{dx, dy, -dx, -dy}[dir]
	side := [...]int{dy, dx, dy, dx}[dir]
	switch {
	case ahead < 0:
		return 2
	case side != 0:
		return 1
	}
	return 0
}

// bound is a number of steps that no plan from s can do without.
func (p *planner) bound(s *planState) int {
	if p.blind {
		return 0
	}
	pos, dir := int(s.pose>>2), int(s.pose&3)
	far := func(a, b int) int { return p.from(b)[a] }
	switch p.task.kind {
	case taskGoTo:
		return max(far(pos, p.goal)-1, 0) + 1
	case taskFetch:
		return 0
	case taskMemory:
		return far(pos, p.goal) + p.turns(pos, dir, p.goal)
	case taskRedBlue:
		red, blue := int(p.task.a), int(p.task.b)
		if s.door(int(p.doorAt[red])) != DoorOpen {
			return max(far(pos, red)-1, 0) + 1 + max(far(red, blue)-2, 0) + 1
		}
		return max(far(pos, blue)-1, 0) + 1
	case taskPutNear: // the cell before the agent is within two steps of the goal when it drops
		if int(s.hand)-1 == p.target {
			return max(p.e.apart(pos, p.goal)-3, 0) + 1
		}
		at := int(s.things[p.target])
		return max(far(pos, at)-1, 0) + 1 + max(p.e.apart(at, p.goal)-4, 0) + 1
	case taskUnlock:
		return p.boundVia(s, p.goal, 0)
	case taskPickup:
		at := int(s.things[p.target])
		if at == 0 {
			return 1 << 20 // lost, or still in a box: no such level
		}
		return p.boundVia(s, at, 1)
	}
	if p.goal < 0 {
		return 1 << 20
	}
	if p.anyGoal {
		return 1
	}
	return p.boundVia(s, p.goal, 0)
}

// boundVia is the bound of going to, or beside and then acting upon, a position; act is 1 if what is
// there is picked up, which takes free hands. A locked door that must be passed adds the way over
// its key.
func (p *planner) boundVia(s *planState, to, act int) int {
	pos, dir := int(s.pose>>2), int(s.pose&3)
	far := func(a, b int) int { return p.from(b)[a] }
	d := p.neededDoor(s, to)
	if d < 0 {
		h := far(pos, to) + p.turns(pos, dir, to)
		if act == 1 && s.hand != 0 {
			h++
		}
		return h
	}
	at := p.doors[d]
	// The door is opened from the cell before it; then the way goes on through it.
	rest := 1 + far(at, to) + act
	if at == to {
		rest = 1
	} else {
		rest++ // into the door's cell
	}
	if s.hand != 0 && p.things[s.hand-1] == key(p.colors[d]) {
		return max(far(pos, at)-1, 0) + rest
	}
	best := 1 << 20
	for i, c := range p.things {
		if c != key(p.colors[d]) {
			continue
		}
		k, open := int(s.things[i]), 0
		if k == 0 && p.hidden(s, i) {
			k, open = int(s.things[i-1]), 1
			if k == 0 { // the box is in hand
				k, open = pos, 2
			}
		}
		if k == 0 {
			continue
		}
		// One step short of the key, and from there one short of the door.
		best = min(best, max(far(pos, k)-1, 0)+open+1+max(far(k, at)-2, 0)+rest)
	}
	return best
}

// neededDoor is a locked door through which every way from the agent to a position leads; -1 if
// there is none.
func (p *planner) neededDoor(s *planState, to int) int {
	locked := uint32(0)
	for i := range p.doors {
		if s.door(i) == DoorLocked {
			locked |= 1 << i
		}
	}
	if locked == 0 {
		return -1
	}
	pos := int(s.pose >> 2)
	k := wayKey{uint16(pos), uint16(to), locked}
	if d, ok := p.needed[k]; ok {
		return int(d)
	}
	d := -1
	for i := range p.doors {
		if locked>>i&1 != 0 && !p.reaches(pos, to, 1<<i) {
			d = i
			break
		}
	}
	p.needed[k] = int8(d)
	return d
}

// reaches reports whether a way leads from a position to another with some doors shut.
func (p *planner) reaches(from, to int, shut uint32) bool {
	seen := make([]bool, len(p.base))
	seen[from] = true
	queue := []int{from}
	for len(queue) > 0 {
		q := queue[0]
		queue = queue[1:]
		if q == to {
			return true
		}
		for _, a := range p.e.ahead {
			n := q + a
			if n < 0 || n >= len(seen) || seen[n] || !Cell(p.base[n]).in(walkable&^(1<<kindLava)) {
				continue
			}
			if d := p.doorAt[n]; d >= 0 && shut>>d&1 != 0 {
				continue
			}
			seen[n] = true
			queue = append(queue, n)
		}
	}
	return false
}

// Unsolvable proves, where it returns true, that no sequence of actions succeeds from the present
// state, however many steps there were: even if the agent could carry everything at once, walk over
// objects and keep what it once had, it would not reach what it needs.
func Unsolvable(e *Env) bool {
	have := map[Cell]bool{e.carry: true, e.within: true}
	reached := make([]bool, len(e.cells))
	var succeeded bool
	for grown := true; grown && !succeeded; {
		grown = false
		clear(reached)
		reached[e.pos] = true
		queue := []int{e.pos}
		touch := func(p int) {
			c := Cell(e.cells[p])
			if c.in(portable) && !have[c] {
				have[c], grown = true, true
			}
			if in := e.contentAt(p); in != 0 && !have[in] {
				have[in], grown = true, true
			}
		}
		for len(queue) > 0 {
			q := queue[0]
			queue = queue[1:]
			for _, a := range e.ahead {
				n := q + a
				x, y := e.xy(n)
				if uint(x) >= uint(e.w) || uint(y) >= uint(e.h) || reached[n] {
					continue
				}
				c := Cell(e.cells[n])
				touch(n)
				pass := c.in(walkable|portable) && c.kind() != kindLava || c.kind() == kindDoorClosed ||
					c.kind() == kindDoorLocked && have[key(c.Color())]
				if !pass {
					continue
				}
				reached[n] = true
				queue = append(queue, n)
			}
		}
		t := &e.task
		switch t.kind {
		case taskGoal, taskDynamic:
			for p, r := range reached {
				succeeded = succeeded || r && Cell(e.cells[p]).kind() == kindGoal
			}
		case taskPickup, taskFetch:
			for c := range have {
				succeeded = succeeded || c != 0 && same(c, t.target)
			}
		case taskUnlock:
			succeeded = reached[t.a]
		case taskRedBlue:
			succeeded = reached[t.a] && reached[t.b]
		case taskMemory:
			succeeded = reached[t.a]
		case taskGoTo, taskPutNear:
			for _, a := range e.ahead {
				succeeded = succeeded || reached[int(t.a)+a]
			}
		case taskInstr:
			succeeded = e.quest.feasible(e, uint8(e.quest.n-1), reached)
		}
	}
	return !succeeded
}

var _ env.Oracle = (*Plan)(nil)
