package minigrid

import (
	"fmt"
	"math/bits"

	"github.com/ponder-agents/ponder/env/rng"
)

// babyMissionLen is how many tokens of a mission an observation of a BabyAI id holds: four times
// "put the red ball in front of you next to a grey key in front of you", with words between.
const babyMissionLen = 72

// A babyMaze is a BabyAI level while it is drawn.
type babyMaze struct {
	lattice
	q      *quest
	chosen [6]uint8 // by colors
}

// A babyLevel is a kind of BabyAI level.
type babyLevel struct {
	size, rows, cols int
	limit            int // fixed; 0 derives it from the instruction
	navigations      int // most that an instruction needs; 0 means 1
	draw             func(m *babyMaze) bool
	unblocking       bool // instructions must leave alone the keys of locked doors
	carry            bool // the agent begins with the object in hand
}

// build draws a level; false asks for another, as the reference's rejection does.
func (b *babyLevel) build(e *Env) bool {
	m := e.maze
	m.q = e.quest
	m.lattice.draw(e, b.size, b.cols, b.rows)
	q := m.q
	q.n, q.carry = 0, b.carry
	if !b.draw(m) {
		return false
	}
	q.begin(e)
	for i := range q.instrs[:q.n] {
		if !m.valid(&q.instrs[i], b.unblocking) {
			return false
		}
	}
	e.task = task{kind: taskInstr}
	clear(e.mission)
	q.say(e.mission[:0], uint8(q.n-1))
	if e.cfg.MaxSteps == 0 && b.limit == 0 {
		e.limit = q.navigations(uint8(q.n-1)) * b.size * b.size * b.rows * b.cols
	}
	return true
}

// valid rejects instructions that are done already or that would use up a needed key.
func (m *babyMaze) valid(in *instr, unblocking bool) bool {
	q, e := m.q, m.e
	if in.kind == instrPutNext {
		if in.set[0]&in.set[1] != 0 {
			return false
		}
		for a := in.set[0]; a != 0; a &= a - 1 {
			for b := in.set[1]; b != 0; b &= b - 1 {
				if e.beside(int(q.cur[bits.TrailingZeros64(a)]), int(q.cur[bits.TrailingZeros64(b)])) {
					return false
				}
			}
		}
	}
	if !unblocking || in.kind >= instrBefore {
		return true
	}
	for k, d := range in.desc {
		if d.typ != TypeKey || d.color < 0 || k == 1 && in.kind != instrPutNext {
			continue
		}
		for i := range q.things {
			if Cell(e.cells[q.cur[i]]) == door(uint8(d.color), DoorLocked) {
				return false
			}
		}
	}
	return true
}

// what describes the object at a position by type and colour.
func (m *babyMaze) what(pos int) objDesc {
	c := Cell(m.e.cells[pos])
	return objDesc{c.Type(), int8(c.Color()), -1}
}

// kindOf describes it by its type alone.
func (m *babyMaze) kindOf(pos int) objDesc {
	d := m.what(pos)
	d.color = -1
	return d
}

// do adds an instruction and returns its index; the last one added is the task.
func (m *babyMaze) do(in instr) uint8 {
	m.q.instrs[m.q.n] = in
	m.q.n++
	return uint8(m.q.n - 1)
}

func (m *babyMaze) one(kind instrKind, d objDesc) uint8 {
	return m.do(instr{kind: kind, desc: [2]objDesc{d, {}}})
}

func (m *babyMaze) both(kind instrKind, a, b uint8) uint8 {
	return m.do(instr{kind: kind, a: a, b: b})
}

func (m *babyMaze) putNext(a, b objDesc) uint8 {
	return m.do(instr{kind: instrPutNext, desc: [2]objDesc{a, b}})
}

// anyDoor adds a door on a random free side, of the colour, or a random one if it is negative; locked
// is 0 or 1, or negative to draw it.
func (m *babyMaze) anyDoor(i, j int, color int, locked int) int {
	r := m.room(i, j)
	side := 0
	for {
		side = m.e.rng.Below(4)
		if r.door[side] != 0 && !r.joined[side] {
			break
		}
	}
	return m.door(i, j, side, color, locked)
}

func (m *babyMaze) door(i, j, side, color, locked int) int {
	if color < 0 {
		color = int(m.e.color())
	}
	if locked < 0 {
		locked = int(flag(m.e.rng.Bool()))
	}
	return m.addDoor(i, j, side, uint8(color), locked == 1)
}

var objectKinds = [...]Cell{key(0), ball(0), box(0)}

// anyObject adds an object of a random kind and colour to a room.
func (m *babyMaze) anyObject(i, j int) int {
	c := objectKinds[m.e.rng.Below(3)]
	return m.object(i, j, c|Cell(m.e.color()))
}

// agentAnywhere puts the agent into a random room.
func (m *babyMaze) agentAnywhere() bool {
	i := m.e.rng.Below(m.cols)
	return m.placeAgent(i, m.e.rng.Below(m.rows))
}

// anywhere stands for a random room.
const anywhere = -1

// clutter adds n objects to a room or, each, to a random one; unique ones are unlike all objects placed
// before. It returns nil if one finds no place.
func (m *babyMaze) clutter(i, j, n int, unique bool) []int {
	first := m.placed
	for m.placed < first+n {
		c := Cell(m.e.color())
		c |= objectKinds[m.e.rng.Below(3)]
		if unique && m.has(c) {
			continue
		}
		ri, rj := i, j
		if ri == anywhere {
			ri = m.e.rng.Below(m.cols)
		}
		if rj == anywhere {
			rj = m.e.rng.Below(m.rows)
		}
		if m.object(ri, rj, c) < 0 {
			return nil
		}
	}
	return m.objects[first:m.placed]
}

// has reports whether an object like c was placed in a room.
func (m *babyMaze) has(c Cell) bool {
	for _, p := range m.objects[:m.placed] {
		if Cell(m.e.cells[p]) == c {
			return true
		}
	}
	return false
}

// reachable reports whether the agent can get at every object without moving another; doors, locked
// ones too, are no obstacle.
func (m *babyMaze) reachable() bool {
	e := m.e
	var seen [maxSize][maxSize]bool
	var stack [maxSize * maxSize]int32
	stack[0] = int32(e.pos)
	x, y := e.xy(e.pos)
	seen[y][x] = true
	for n := 1; n > 0; {
		n--
		p := int(stack[n])
		if c := Cell(e.cells[p]); c != Empty && !c.in(doors) {
			continue
		}
		for _, d := range e.ahead {
			x, y := e.xy(p + d)
			if uint(x) < uint(e.w) && uint(y) < uint(e.h) && !seen[y][x] {
				seen[y][x] = true
				stack[n] = int32(p + d)
				n++
			}
		}
	}
	for y := range e.h {
		for x := range e.w {
			if c := e.Cell(x, y); c != Empty && c.kind() != kindWall && !seen[y][x] {
				return false
			}
		}
	}
	return true
}

// pick draws as many different ones of a list as there is room for in out. It reorders the list.
func pick[T any](g *rng.Gen, list, out []T) {
	for k := range out {
		i := g.Below(len(list))
		out[k] = list[i]
		copy(list[i:], list[i+1:])
		list = list[:len(list)-1]
	}
}

// colors draws the first k of a random order of the colours.
func (m *babyMaze) colors(k int) []uint8 {
	list := drawn
	pick(&m.e.rng, list[:], m.chosen[:k])
	return m.chosen[:k]
}

// A babyGen draws instructions at random from the whole language (LevelGen).
type babyGen struct {
	dists          int
	lockedProb     float64
	locations      bool
	unblocking     bool
	implicitUnlock bool
	actions        []instrKind // nil for all
	action         bool        // only single actions; else all kinds
}

var allActions = []instrKind{instrGoTo, instrPickup, instrOpen, instrPutNext}

func (g babyGen) draw(m *babyMaze) bool {
	e := m.e
	locked := [2]int{-1, -1}
	if e.rng.Uniform(0, 1) < g.lockedProb {
		var p int
		for {
			i, j := e.rng.Below(m.cols), e.rng.Below(m.rows)
			side := e.rng.Below(4)
			if m.room(i, j).door[side] == 0 {
				continue
			}
			locked = [2]int{i, j}
			p = m.door(i, j, side, -1, 1)
			break
		}
		for {
			i, j := e.rng.Below(m.cols), e.rng.Below(m.rows)
			if [2]int{i, j} == locked {
				continue
			}
			if m.object(i, j, key(Cell(e.cells[p]).Color())) < 0 {
				return false
			}
			break
		}
	}
	if !m.connectAll() || m.clutter(anywhere, anywhere, g.dists, false) == nil && g.dists > 0 {
		return false
	}
	for {
		if !m.agentAnywhere() {
			return false
		}
		if x, y := e.xy(e.pos); [2]int{x / (m.size - 1), y / (m.size - 1)} != locked {
			break
		}
	}
	if !g.unblocking && !m.reachable() {
		return false
	}
	m.q.begin(e) // to match descriptions with what is there
	kinds := 3
	if g.action {
		kinds = 1
	}
	_, ok := g.instr(m, kinds, locked)
	return ok
}

// instr draws an instruction of the first kinds of action, and, sequence.
func (g babyGen) instr(m *babyMaze, kinds int, locked [2]int) (uint8, bool) {
	r := &m.e.rng
	switch r.Below(kinds) {
	case 0:
		actions := g.actions
		if actions == nil {
			actions = allActions
		}
		kind := rng.Elem(r, actions)
		types := [...][]uint8{instrOpen: {TypeDoor}, instrGoTo: anyType, instrPickup: anyType[:3], instrPutNext: anyType[:3]}[kind]
		a, ok := g.object(m, types, locked)
		if !ok {
			return 0, false
		}
		if kind != instrPutNext {
			return m.one(kind, a), true
		}
		b, ok := g.object(m, anyType, locked)
		return m.putNext(a, b), ok
	case 1:
		a, ok1 := g.instr(m, 1, locked)
		if !ok1 {
			return 0, false
		}
		b, ok2 := g.instr(m, 1, locked)
		return m.both(instrAnd, a, b), ok2
	}
	a, ok1 := g.instr(m, 2, locked)
	if !ok1 {
		return 0, false
	}
	b, ok2 := g.instr(m, 2, locked)
	if !ok2 {
		return 0, false
	}
	return m.both([...]instrKind{instrBefore, instrAfter}[r.Below(2)], a, b), true
}

var anyType = []uint8{TypeBox, TypeBall, TypeKey, TypeDoor}

// object draws a description that something matches; false after 101 that do not.
func (g babyGen) object(m *babyMaze, types []uint8, locked [2]int) (objDesc, bool) {
	r := &m.e.rng
	for range 101 {
		d := objDesc{color: -1, loc: -1}
		if c := r.Below(7); c > 0 {
			d.color = int8(drawn[c-1])
		}
		d.typ = rng.Elem(r, types)
		if g.locations && r.Bool() {
			d.loc = int8(r.Below(4))
		}
		set := m.q.match(m.e, d)
		if set == 0 {
			continue
		}
		if !g.implicitUnlock && locked[0] >= 0 && m.allInside(set, locked) {
			continue
		}
		return d, true
	}
	return objDesc{}, false
}

// allInside reports whether all objects of a set lie in a room or its walls.
func (m *babyMaze) allInside(set uint64, room [2]int) bool {
	a := m.area(room[0], room[1])
	for ; set != 0; set &= set - 1 {
		x, y := m.e.xy(int(m.q.cur[bits.TrailingZeros64(set)]))
		if x < a.x || y < a.y || x >= a.x+a.w || y >= a.y+a.h {
			return false
		}
	}
	return true
}

// openAll opens every door.
func (m *babyMaze) openAll() {
	for p, c := range m.e.cells {
		if Cell(c).in(doors) {
			m.e.cells[p] = byte(door(Cell(c).Color(), DoorOpen))
		}
	}
}

func (m *babyMaze) goTo(p int) bool {
	m.one(instrGoTo, m.what(p))
	return true
}

// redBall is GoToRedBall; grey recolours the distractors.
func redBall(dists int, grey bool) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		if !m.agentAnywhere() {
			return false
		}
		p := m.object(0, 0, ball(Red))
		if p < 0 || m.clutter(anywhere, anywhere, dists, false) == nil && dists > 0 {
			return false
		}
		if grey {
			for _, d := range m.objects[1:m.placed] {
				m.e.cells[d] = m.e.cells[d]&^7 | Grey
			}
		}
		return m.reachable() && m.goTo(p)
	}
}

// someObject puts the agent anywhere, connects the rooms if there are several, adds objects and asks
// for one.
func someObject(dists int, unique, check, open bool, kind instrKind) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		if !m.agentAnywhere() || m.rows*m.cols > 1 && !m.connectAll() {
			return false
		}
		objects := m.clutter(anywhere, anywhere, dists, unique)
		if objects == nil || check && !m.reachable() {
			return false
		}
		p := objects[0]
		if check {
			p = rng.Elem(&m.e.rng, objects)
		}
		m.one(kind, m.what(p))
		if open {
			m.openAll()
		}
		return true
	}
}

// lockedGoal is GoToImpUnlock and Unlock: a locked room, its key anywhere, objects in every room. The
// reference means to keep key and distractors out of the locked room, but compares numbers by "is",
// which is never true of NumPy's.
func lockedGoal(unlock bool) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		e := m.e
		id, jd := e.rng.Below(m.cols), e.rng.Below(m.rows)
		p := m.anyDoor(id, jd, -1, 1)
		color := Cell(e.cells[p]).Color()
		i, j := e.rng.Below(m.cols), e.rng.Below(m.rows)
		if m.object(i, j, key(color)) < 0 {
			return false
		}
		n := 2
		m.palette = drawn[:]
		if unlock {
			n = 3
			if e.rng.Bool() {
				var others [6]uint8
				k := 0
				for _, c := range drawn {
					if c != color {
						others[k], k = c, k+1
					}
				}
				m.palette = others[:k]
			}
		}
		if !m.connectAll() {
			return false
		}
		for i := range m.cols {
			for j := range m.rows {
				if m.clutter(i, j, n, false) == nil {
					return false
				}
			}
		}
		for {
			if !m.agentAnywhere() {
				return false
			}
			if x, y := e.xy(e.pos); x/(m.size-1) != id || y/(m.size-1) != jd {
				break
			}
		}
		if !m.reachable() {
			return false
		}
		if unlock {
			m.one(instrOpen, m.what(p))
			return true
		}
		o := m.clutter(id, jd, 1, false)
		return o != nil && m.goTo(o[0])
	}
}

func drawRedBlueBall(m *babyMaze) bool {
	if !m.agentAnywhere() {
		return false
	}
	for _, p := range m.clutter(anywhere, anywhere, 7, false) {
		if c := Cell(m.e.cells[p]); c == ball(Red) || c == ball(Blue) {
			return false
		}
	}
	if m.placed < 7 {
		return false
	}
	p := m.object(0, 0, ball([...]uint8{Red, Blue}[m.e.rng.Below(2)]))
	return p >= 0 && m.reachable() && m.goTo(p)
}

func drawGoToDoor(m *babyMaze) bool {
	var at [4]int
	for i := range at {
		at[i] = m.anyDoor(1, 1, -1, -1)
	}
	return m.placeAgent(1, 1) && m.goTo(rng.Elem(&m.e.rng, at[:]))
}

func drawGoToObjDoor(m *babyMaze) bool {
	if !m.placeAgent(1, 1) || m.clutter(1, 1, 8, false) == nil {
		return false
	}
	var at [12]int
	copy(at[:], m.objects[:8])
	for i := range 4 {
		at[8+i] = m.anyDoor(1, 1, -1, -1)
	}
	return m.reachable() && m.goTo(rng.Elem(&m.e.rng, at[:]))
}

func drawOpen(m *babyMaze) bool {
	if !m.agentAnywhere() || !m.connectAll() || m.clutter(anywhere, anywhere, 18, false) == nil || !m.reachable() {
		return false
	}
	var at [4 * maxRooms * maxRooms]int
	n := 0
	for i := range m.cols {
		for j := range m.rows {
			r := m.room(i, j)
			for side, joined := range r.joined {
				if joined {
					at[n], n = r.door[side], n+1
				}
			}
		}
	}
	m.one(instrOpen, m.what(rng.Elem(&m.e.rng, at[:n])))
	return true
}

func drawOpenRedDoor(m *babyMaze) bool {
	p := m.door(0, 0, rightSide, int(Red), 0)
	m.one(instrOpen, m.what(p))
	return m.placeAgent(0, 0)
}

// openDoor selects by 'c' the colour, 'l' the location, or 0 either.
func openDoor(by byte, strict bool) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		var first int
		for side, c := range m.colors(4) {
			if p := m.door(1, 1, side, int(c), 0); side == 0 {
				first = p
			}
		}
		how := by
		if how == 0 {
			how = "cl"[m.e.rng.Below(2)]
		}
		d := m.what(first)
		if how == 'l' {
			d = objDesc{TypeDoor, -1, int8(m.e.rng.Below(4))}
		}
		m.do(instr{kind: instrOpen, strict: strict, desc: [2]objDesc{d, {}}})
		return m.placeAgent(1, 1)
	}
}

// openTwo asks for two doors in order, red and blue or of random colours.
func openTwo(redBlue, strict bool) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		c := m.colors(2)
		if redBlue {
			c = []uint8{Red, Blue}
		}
		p := m.door(1, 1, leftSide, int(c[0]), 0)
		q := m.door(1, 1, rightSide, int(c[1]), 0)
		a := m.do(instr{kind: instrOpen, strict: strict, desc: [2]objDesc{m.what(p), {}}})
		m.both(instrBefore, a, m.one(instrOpen, m.what(q)))
		return m.placeAgent(1, 1)
	}
}

func openOrder(n int, strict bool) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		var at [4]int
		for i, c := range m.colors(n) {
			at[i] = m.anyDoor(1, 1, int(c), 0)
		}
		if !m.placeAgent(1, 1) {
			return false
		}
		var two [2]int
		pick(&m.e.rng, at[:n], two[:])
		open := func(p int) uint8 {
			return m.do(instr{kind: instrOpen, strict: strict, desc: [2]objDesc{m.what(p), {}}})
		}
		switch m.e.rng.Below(3) {
		case 0:
			open(two[0])
		case 1:
			m.both(instrBefore, open(two[0]), open(two[1]))
		case 2:
			m.both(instrAfter, open(two[0]), open(two[1]))
		}
		return true
	}
}

func drawActionObjDoor(m *babyMaze) bool {
	if m.clutter(1, 1, 5, true) == nil {
		return false
	}
	var at [9]int
	copy(at[:], m.objects[:5])
	for i := range 4 {
		at[5+i] = m.anyDoor(1, 1, -1, 0)
	}
	if !m.placeAgent(1, 1) {
		return false
	}
	d := m.what(rng.Elem(&m.e.rng, at[:]))
	kind := instrGoTo
	if !m.e.rng.Bool() {
		kind = instrPickup
		if d.typ == TypeDoor {
			kind = instrOpen
		}
	}
	m.one(kind, d)
	return true
}

func drawFindObj(m *babyMaze) bool {
	i, j := m.e.rng.Below(m.rows), m.e.rng.Below(m.cols)
	p := m.anyObject(i, j)
	if p < 0 || !m.placeAgent(1, 1) || !m.connectAll() {
		return false
	}
	m.one(instrPickup, m.kindOf(p))
	return true
}

func drawBabyCorridor(m *babyMaze) bool {
	e := m.e
	for j := 1; j < m.rows; j++ {
		m.openUp(1, j)
	}
	r := e.rng.Below(m.rows)
	c := e.color()
	m.addDoor(2, r, leftSide, c, true)
	p := m.object(2, r, ball(e.color()))
	if p < 0 || m.object(0, e.rng.Below(m.rows), key(c)) < 0 || !m.placeAgent(1, m.rows/2) || !m.connectAll() {
		return false
	}
	m.one(instrPickup, m.kindOf(p))
	return true
}

func drawOneRoom(m *babyMaze) bool {
	p := m.object(0, 0, ball(m.e.color()))
	if p < 0 || !m.agentAnywhere() {
		return false
	}
	m.one(instrPickup, m.kindOf(p))
	return true
}

// sides fills two rooms with n unlike objects each and removes the wall between them.
func (m *babyMaze) sides(n int) (left, right []int) {
	if !m.placeAgent(0, 0) {
		return nil, nil
	}
	left = m.clutter(0, 0, n, true)
	if left == nil {
		return nil, nil
	}
	if right = m.clutter(1, 0, n, true); right == nil {
		return nil, nil
	}
	a := m.area(0, 0)
	m.e.column(a.x+a.w-1, 1, m.size-2, Empty)
	m.join(0, 0, rightSide)
	return left, right
}

func moveTwo(n int) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		left, right := m.sides(n)
		if right == nil {
			return false
		}
		var l, r [2]int
		pick(&m.e.rng, left, l[:])
		pick(&m.e.rng, right, r[:])
		a := m.putNext(m.what(l[0]), m.what(r[0]))
		m.both(instrBefore, a, m.putNext(m.what(r[1]), m.what(l[1])))
		return true
	}
}

func putNextRoom(n int) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		left, right := m.sides(n)
		if right == nil {
			return false
		}
		a := rng.Elem(&m.e.rng, left)
		b := rng.Elem(&m.e.rng, right)
		if m.e.rng.Bool() {
			a, b = b, a
		}
		m.putNext(m.what(a), m.what(b))
		return true
	}
}

func putNextLocal(n int) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		if !m.agentAnywhere() {
			return false
		}
		objects := m.clutter(anywhere, anywhere, n, true)
		if objects == nil || !m.reachable() {
			return false
		}
		var two [2]int
		pick(&m.e.rng, objects, two[:])
		m.putNext(m.what(two[0]), m.what(two[1]))
		return true
	}
}

func drawUnblockPickup(m *babyMaze) bool {
	if !m.agentAnywhere() || !m.connectAll() {
		return false
	}
	objects := m.clutter(anywhere, anywhere, 20, false)
	if objects == nil || m.reachable() {
		return false
	}
	m.one(instrPickup, m.what(rng.Elem(&m.e.rng, objects)))
	return true
}

func pickupDist(strict bool) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		objects := m.clutter(anywhere, anywhere, 5, true)
		if objects == nil || !m.placeAgent(0, 0) {
			return false
		}
		d := m.what(rng.Elem(&m.e.rng, objects))
		switch m.e.rng.Below(3) {
		case 0:
			d.color = -1
		case 1:
			d.typ = TypeUnseen
		}
		m.do(instr{kind: instrPickup, strict: strict, desc: [2]objDesc{d, {}}})
		return true
	}
}

func drawPickupAbove(m *babyMaze) bool {
	p := m.anyObject(1, 0)
	if p < 0 {
		return false
	}
	m.door(1, 1, upSide, -1, 0)
	m.one(instrPickup, m.what(p))
	return m.placeAgent(1, 1) && m.connectAll()
}

// unlockLocal has a locked door and its key in the middle room, in a box if hidden.
func unlockLocal(dists int, hidden bool) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		p := m.anyDoor(1, 1, -1, 1)
		k := key(Cell(m.e.cells[p]).Color())
		if hidden {
			at := m.object(1, 1, box(m.e.color()))
			if at < 0 {
				return false
			}
			m.e.inside = append(m.e.inside, content{int32(at), k})
		} else if m.object(1, 1, k) < 0 {
			return false
		}
		if dists > 0 && m.clutter(1, 1, dists, true) == nil {
			return false
		}
		m.one(instrOpen, m.kindOf(p))
		return m.placeAgent(1, 1)
	}
}

// babyUnlock is UnlockPickup, or blocked by a ball.
func babyUnlock(dists int, blocked bool) func(m *babyMaze) bool {
	return func(m *babyMaze) bool {
		e := m.e
		p := m.object(1, 0, box(e.color()))
		if p < 0 {
			return false
		}
		d := m.door(0, 0, rightSide, -1, 1)
		desc := m.what(p)
		if blocked {
			e.put(d-1, ball(e.color()))
			desc = m.kindOf(p)
		}
		if m.object(0, 0, key(Cell(e.cells[d]).Color())) < 0 || dists > 0 && m.clutter(anywhere, anywhere, dists, true) == nil {
			return false
		}
		m.one(instrPickup, desc)
		return m.placeAgent(0, 0)
	}
}

func drawUnlockToUnlock(m *babyMaze) bool {
	c := m.colors(2)
	m.door(0, 0, rightSide, int(c[0]), 1)
	if m.object(2, 0, key(c[0])) < 0 {
		return false
	}
	m.door(1, 0, rightSide, int(c[1]), 1)
	if m.object(1, 0, key(c[1])) < 0 {
		return false
	}
	p := m.object(0, 0, ball(m.e.color()))
	if p < 0 || !m.placeAgent(1, 0) {
		return false
	}
	m.one(instrPickup, m.kindOf(p))
	return true
}

// babyLevels are the 96 BabyAI ids of MiniGrid 3.2.0.
func babyLevels() []level {
	var all []level
	add := func(about string, b babyLevel, format string, args ...any) {
		if b.rows == 0 {
			b.rows, b.cols = 3, 3
		}
		if b.size == 0 {
			b.size = 8
		}
		l := level{
			id: "BabyAI-" + fmt.Sprintf(format, args...), about: about, w: b.cols*(b.size-1) + 1, h: b.rows*(b.size-1) + 1,
			limit: b.limit, missionLen: babyMissionLen, roomSize: b.size, build: b.build,
		}
		if l.limit == 0 {
			l.limit = max(b.navigations, 1) * b.size * b.size * b.rows * b.cols
		}
		all = append(all, l)
	}
	room := func(size int, draw func(*babyMaze) bool) babyLevel {
		return babyLevel{size: size, rows: 1, cols: 1, draw: draw}
	}
	two := func(size, limit int, draw func(*babyMaze) bool) babyLevel {
		return babyLevel{size: size, rows: 1, cols: 2, limit: limit, navigations: 2, draw: draw}
	}

	const goTo = "go to the object asked for"
	add(goTo, room(8, redBall(7, true)), "GoToRedBallGrey-v0")
	add(goTo, room(8, redBall(7, false)), "GoToRedBall-v0")
	add(goTo, room(8, redBall(0, false)), "GoToRedBallNoDists-v0")
	for _, c := range []struct {
		id   string
		size int
	}{{"GoToObj-v0", 8}, {"GoToObjS4-v0", 4}, {"GoToObjS6-v1", 6}} {
		add(goTo, room(c.size, someObject(1, true, false, false, instrGoTo)), "%s", c.id)
	}
	add(goTo, room(8, someObject(8, false, true, false, instrGoTo)), "GoToLocal-v0")
	for _, c := range [][2]int{{5, 2}, {6, 2}, {6, 3}, {6, 4}, {7, 4}, {7, 5}, {8, 2}, {8, 3}, {8, 4}, {8, 5}, {8, 6}, {8, 7}} {
		add(goTo, room(c[0], someObject(c[1], false, true, false, instrGoTo)), "GoToLocalS%dN%d-v0", c[0], c[1])
	}
	add(goTo, babyLevel{draw: someObject(18, false, true, false, instrGoTo)}, "GoTo-v0")
	add(goTo, babyLevel{draw: someObject(18, false, true, true, instrGoTo)}, "GoToOpen-v0")
	add(goTo, babyLevel{draw: someObject(1, false, true, false, instrGoTo)}, "GoToObjMaze-v0")
	add(goTo, babyLevel{draw: someObject(1, false, true, true, instrGoTo)}, "GoToObjMazeOpen-v0")
	add(goTo, babyLevel{size: 4, rows: 2, cols: 2, draw: someObject(1, false, true, false, instrGoTo)}, "GoToObjMazeS4R2-v0")
	for s := 4; s <= 7; s++ {
		add(goTo, babyLevel{size: s, draw: someObject(1, false, true, false, instrGoTo)}, "GoToObjMazeS%d-v0", s)
	}
	add("go to an object behind a locked door", babyLevel{draw: lockedGoal(false)}, "GoToImpUnlock-v0")
	seq := func(dists int) babyGen { return babyGen{dists: dists, implicitUnlock: true, actions: allActions[:1]} }
	add("go to objects in order", babyLevel{navigations: 4, draw: seq(18).draw}, "GoToSeq-v0")
	add("go to objects in order", babyLevel{size: 5, rows: 2, cols: 2, navigations: 4, draw: seq(4).draw}, "GoToSeqS5R2-v0")
	add(goTo, room(8, drawRedBlueBall), "GoToRedBlueBall-v0")
	add("go to the door asked for", babyLevel{size: 7, draw: drawGoToDoor}, "GoToDoor-v0")
	add("go to the object or door asked for", babyLevel{draw: drawGoToObjDoor}, "GoToObjDoor-v0")

	const open = "open the door asked for"
	add(open, babyLevel{draw: drawOpen}, "Open-v0")
	add(open, babyLevel{size: 5, rows: 1, cols: 2, draw: drawOpenRedDoor}, "OpenRedDoor-v0")
	add(open, babyLevel{draw: openDoor(0, false)}, "OpenDoor-v0")
	add(open, babyLevel{draw: openDoor(0, true)}, "OpenDoorDebug-v0")
	add(open, babyLevel{draw: openDoor('c', false)}, "OpenDoorColor-v0")
	add(open, babyLevel{draw: openDoor('l', false)}, "OpenDoorLoc-v0")
	const order = "open doors in order"
	add(order, babyLevel{size: 6, limit: 720, draw: openTwo(false, false)}, "OpenTwoDoors-v0")
	add(order, babyLevel{size: 6, limit: 720, draw: openTwo(true, false)}, "OpenRedBlueDoors-v0")
	add(order, babyLevel{size: 6, limit: 720, draw: openTwo(true, true)}, "OpenRedBlueDoorsDebug-v0")
	for _, n := range []int{2, 4} {
		add(order, babyLevel{size: 6, limit: 720, draw: openOrder(n, false)}, "OpenDoorsOrderN%d-v0", n)
		add(order, babyLevel{size: 6, limit: 720, draw: openOrder(n, true)}, "OpenDoorsOrderN%dDebug-v0", n)
	}

	const pickUp = "pick up the object asked for"
	add(pickUp, babyLevel{draw: someObject(18, false, true, false, instrPickup)}, "Pickup-v0")
	add("pick up an object, some of them behind others", babyLevel{draw: drawUnblockPickup}, "UnblockPickup-v0")
	loc := babyGen{dists: 8, locations: true, implicitUnlock: true, action: true, actions: allActions[1:2]}
	add(pickUp, room(8, loc.draw), "PickupLoc-v0")
	add(pickUp, room(7, pickupDist(false)), "PickupDist-v0")
	add(pickUp, room(7, pickupDist(true)), "PickupDistDebug-v0")
	add(pickUp, babyLevel{size: 6, limit: 288, draw: drawPickupAbove}, "PickupAbove-v0")

	const put = "put an object next to another"
	local := func(size, n int) babyLevel {
		b := room(size, putNextLocal(n))
		b.navigations = 2
		return b
	}
	add(put, local(8, 8), "PutNextLocal-v0")
	add(put, local(5, 3), "PutNextLocalS5N3-v0")
	add(put, local(6, 4), "PutNextLocalS6N4-v0")
	for _, c := range [][2]int{{4, 1}, {5, 2}, {5, 1}, {6, 3}, {7, 4}} {
		s, n := c[0], c[1]
		b := two(s, 8*s*s, putNextRoom(n))
		add(put, b, "PutNextS%dN%d-v0", s, n)
		if n > 1 {
			b.carry = true
			add(put, b, "PutNextS%dN%dCarrying-v0", s, n)
		}
	}

	add("open a locked door", babyLevel{draw: lockedGoal(true)}, "Unlock-v0")
	add("open a locked door", babyLevel{draw: unlockLocal(0, false)}, "UnlockLocal-v0")
	add("open a locked door", babyLevel{draw: unlockLocal(3, false)}, "UnlockLocalDist-v0")
	add("open a locked door whose key is in a box", babyLevel{draw: unlockLocal(0, true)}, "KeyInBox-v0")
	add("pick up the box in the locked room", babyLevel{size: 6, rows: 1, cols: 2, draw: babyUnlock(0, false)}, "UnlockPickup-v0")
	add("pick up the box in the locked room", babyLevel{size: 6, rows: 1, cols: 2, draw: babyUnlock(4, false)}, "UnlockPickupDist-v0")
	add("a ball blocks the locked door; pick up the box behind it",
		babyLevel{size: 6, rows: 1, cols: 2, limit: 576, draw: babyUnlock(0, true)}, "BlockedUnlockPickup-v0")
	add("unlock a door to fetch the key of another",
		babyLevel{size: 6, rows: 1, cols: 3, limit: 1080, draw: drawUnlockToUnlock}, "UnlockToUnlock-v0")

	add("go to, open or pick up what is asked for", babyLevel{size: 7, draw: drawActionObjDoor}, "ActionObjDoor-v0")
	for s := 5; s <= 7; s++ {
		add("find an object in a maze and pick it up", babyLevel{size: s, limit: 20 * s * s, draw: drawFindObj}, "FindObjS%d-v0", s)
	}
	const corridor = "find the key, unlock the room, pick up the ball"
	add(corridor, babyLevel{size: 6, rows: 3, cols: 3, limit: 1080, draw: drawBabyCorridor}, "KeyCorridor-v0")
	for _, c := range [][2]int{{3, 1}, {3, 2}, {3, 3}, {4, 3}, {5, 3}, {6, 3}} {
		s, r := c[0], c[1]
		add(corridor, babyLevel{size: s, rows: r, cols: 3, limit: 30 * s * s, draw: drawBabyCorridor}, "KeyCorridorS%dR%d-v0", s, r)
	}
	for _, s := range []int{8, 12, 16, 20} {
		add("pick up the ball", room(s, drawOneRoom), "OneRoomS%d-v0", s)
	}
	add("carry two objects across", two(5, 400, moveTwo(2)), "MoveTwoAcrossS5N2-v0")
	add("carry two objects across", two(8, 1024, moveTwo(9)), "MoveTwoAcrossS8N9-v0")

	const all1 = "any one instruction, perhaps behind a locked door"
	synth := babyGen{dists: 18, lockedProb: 0.5, unblocking: true, action: true}
	add(all1, babyLevel{navigations: 2, unblocking: true, draw: synth.draw}, "Synth-v0")
	add(all1, babyLevel{size: 5, rows: 2, cols: 3, navigations: 2, unblocking: true, draw: synth.draw}, "SynthS5R2-v0")
	synth.locations = true
	add(all1, babyLevel{navigations: 2, unblocking: true, draw: synth.draw}, "SynthLoc-v0")
	const allN = "up to four instructions in any order asked for"
	synth.action = false
	add(allN, babyLevel{navigations: 8, unblocking: true, draw: synth.draw}, "SynthSeq-v0")
	boss := babyGen{dists: 18, lockedProb: 0.5, locations: true, unblocking: true, implicitUnlock: true}
	mini := boss
	mini.dists, mini.lockedProb = 7, 0.25
	add(allN, babyLevel{size: 5, rows: 2, cols: 2, navigations: 8, unblocking: true, draw: mini.draw}, "MiniBossLevel-v0")
	add(allN, babyLevel{navigations: 8, unblocking: true, draw: boss.draw}, "BossLevel-v0")
	boss.lockedProb, boss.implicitUnlock = 0, false
	add(allN, babyLevel{navigations: 8, unblocking: true, draw: boss.draw}, "BossLevelNoUnlock-v0")
	return all
}
