package minigrid

import "github.com/ponder-agents/ponder/env/rng"

// The layouts follow MiniGrid 3.2.0, the order of draws included. Each returns false where the
// reference would raise an exception because something finds no place.

var (
	missionGoal     = phrase("get to the green goal square")
	missionRooms4   = phrase("reach the goal")
	missionDoorKey  = phrase("use the key to open the door and then get to the goal")
	missionLava     = phrase("avoid the lava and get to the green goal square")
	missionOpening  = phrase("find the opening and get to the green goal square")
	missionTraverse = phrase("traverse the rooms to get to the goal")
	missionMemory   = phrase("go to the matching object at the end of the hallway")
	missionPickup   = phrase("pick up the % %")
	missionUnlock   = phrase("open the door")
	missionGoTo     = phrase("go to the % %")
	missionPutNear  = phrase("put the % % near the % %")
	missionRedBlue  = phrase("open the red door then the blue door")
	missionLocked   = phrase("get the % key from the % room, unlock the % door and go to the goal")
	missionsFetch   = [...][]byte{
		phrase("get a % %"), phrase("go get a % %"), phrase("fetch a % %"),
		phrase("go fetch a % %"), phrase("you must fetch a % %"),
	}
)

// sayObject says a phrase with the colour and type of c.
func (e *Env) sayObject(p []byte, c Cell) { e.say(p, colorToken[c.Color()], typeToken[c.Type()]) }

// border draws the outer walls and, in the bottom right corner, the goal.
func (e *Env) border() {
	e.walls(e.whole())
	e.set(e.w-2, e.h-2, Goal)
}

// empty is a room with a goal and the agent in a corner or anywhere.
func (e *Env) empty(random bool) {
	e.border()
	e.say(missionGoal)
	if random {
		e.placeAgent(e.whole(), endless)
	} else {
		e.stand(1, 1)
	}
}

func layEmpty(random bool) func(*Env) bool {
	return func(e *Env) bool {
		e.empty(random)
		return true
	}
}

func layFourRooms(e *Env) bool {
	e.walls(e.whole())
	s := e.w / 2
	for j := range 2 {
		for i := range 2 {
			x, y := i*s, j*s
			if i == 0 {
				e.column(x+s, y, s, Wall)
				e.set(x+s, e.rng.Int(y+1, y+s), Empty)
			}
			if j == 0 {
				e.row(x, y+s, s, Wall)
				e.set(e.rng.Int(x+1, x+s), y+s, Empty)
			}
		}
	}
	e.placeAgent(e.whole(), endless)
	e.place(Goal, e.whole(), endless, nil)
	e.say(missionRooms4)
	return true
}

func layDoorKey(e *Env) bool {
	e.border()
	p := e.rng.Int(2, e.w-2)
	e.column(p, 0, e.h, Wall)
	left := rect{0, 0, p, e.h}
	e.placeAgent(left, endless)
	e.set(p, e.rng.Int(1, e.w-2), door(Yellow, DoorLocked))
	e.place(key(Yellow), left, endless, nil)
	e.say(missionDoorKey)
	return true
}

func layCrossing(obstacle Cell, mission []byte, crossings int) func(*Env) bool {
	return func(e *Env) bool {
		e.border()
		e.stand(1, 1)
		e.say(mission)
		// A river is a position, negative if it is horizontal.
		var all [16]int
		n := 0
		for x := 2; x < e.h-2; x += 2 {
			all[n], n = x, n+1
		}
		for y := 2; y < e.w-2; y += 2 {
			all[n], n = -y, n+1
		}
		e.rng.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
		// The rivers that stay, sorted, between the walls on both sides.
		var vertical, horizontal [18]int
		nv, nh := 1, 1
		for p := 2; p < e.w-2; p += 2 {
			for _, r := range all[:min(crossings, n)] {
				if r == p {
					vertical[nv], nv = p, nv+1
					e.column(p, 1, e.h-2, obstacle)
				}
				if r == -p {
					horizontal[nh], nh = p, nh+1
					e.row(1, p, e.w-2, obstacle)
				}
			}
		}
		vertical[nv], horizontal[nh] = e.h-1, e.w-1
		// The path crosses every river once; true is a step over a vertical one.
		var path [32]bool
		for i := range nv - 1 {
			path[i] = true
		}
		steps := nv - 1 + nh - 1
		e.rng.Shuffle(steps, func(i, j int) { path[i], path[j] = path[j], path[i] })
		i, j := 0, 0
		for _, over := range path[:steps] {
			if over {
				e.set(vertical[i+1], e.rng.Int(horizontal[j]+1, horizontal[j+1]), Empty)
				i++
			} else {
				e.set(e.rng.Int(vertical[i]+1, vertical[i+1]), horizontal[j+1], Empty)
				j++
			}
		}
		return true
	}
}

func layLavaGap(e *Env) bool {
	e.border()
	e.stand(1, 1)
	x, y := e.rng.Int(2, e.w-2), e.rng.Int(1, e.h-1)
	e.column(x, 1, e.h-2, Lava)
	e.set(x, y, Empty)
	e.say(missionLava)
	return true
}

func layDistShift(second int) func(*Env) bool {
	return func(e *Env) bool {
		e.walls(e.whole())
		e.set(7, 1, Goal)
		e.row(3, 1, 3, Lava)
		e.row(3, second, 3, Lava)
		e.stand(1, 1)
		e.say(missionGoal)
		return true
	}
}

func layDynamic(random bool, balls int) func(*Env) bool {
	return func(e *Env) bool {
		e.empty(random)
		e.task = task{kind: taskDynamic, nBalls: balls}
		for i := range balls {
			p := e.place(ball(Blue), e.whole(), 100, nil)
			if p < 0 {
				return false
			}
			e.task.balls[i] = int32(p)
		}
		return true
	}
}

// maxChain is the most rooms that a MultiRoom level has.
const maxChain = 6

// A chain is a series of rooms, each entered by a door in the wall that it shares with the one before.
type chain struct {
	rooms [maxChain]rect
	doors [maxChain][2]int
	n     int
}

func layMultiRoom(lo, hi, most int) func(*Env) bool {
	return func(e *Env) bool {
		want := e.rng.Int(lo, hi+1)
		var best chain
		for best.n < want {
			var c chain
			x := e.rng.Int(0, e.w-2)
			y := e.rng.Int(0, e.w-2)
			c.grow(e, want, most, leftSide, x, y)
			if c.n > best.n {
				best = c
			}
		}
		previous := -1
		for i, r := range best.rooms[:best.n] {
			e.walls(r)
			if i == 0 {
				continue
			}
			var colors [6]uint8
			n := 0
			for _, c := range drawn {
				if int(c) != previous {
					colors[n], n = c, n+1
				}
			}
			c := rng.Elem(&e.rng, colors[:n])
			e.set(best.doors[i][0], best.doors[i][1], door(c, DoorClosed))
			previous = int(c)
		}
		e.placeAgent(best.rooms[0], endless)
		e.place(Goal, best.rooms[best.n-1], endless, nil)
		e.say(missionTraverse)
		return true
	}
}

// grow adds a room whose wall on the side entry contains the door (x, y), and tries to go on from
// it until left rooms are there. It reports whether the room itself fits.
func (c *chain) grow(e *Env, left, most, entry, x, y int) bool {
	r := rect{x: x, y: y}
	r.w = e.rng.Int(4, most+1)
	r.h = e.rng.Int(4, most+1)
	if c.n > 0 {
		switch entry {
		case rightSide:
			r.x, r.y = x-r.w+1, e.rng.Int(y-r.h+2, y)
		case downSide:
			r.x, r.y = e.rng.Int(x-r.w+2, x), y-r.h+1
		case leftSide:
			r.y = e.rng.Int(y-r.h+2, y)
		case upSide:
			r.x = e.rng.Int(x-r.w+2, x)
		}
	}
	// The comparisons are the reference's: a room may touch the right border, not the lower one.
	if r.x < 0 || r.y < 0 || r.x+r.w > e.w || r.y+r.h >= e.h {
		return false
	}
	for _, o := range c.rooms[:max(c.n-1, 0)] {
		if !(r.x+r.w < o.x || o.x+o.w <= r.x || r.y+r.h < o.y || o.y+o.h <= r.y) {
			return false
		}
	}
	c.rooms[c.n], c.doors[c.n] = r, [2]int{x, y}
	c.n++
	if left == 1 {
		return true
	}
	for range 8 {
		exit := e.rng.Below(3)
		if exit >= entry {
			exit++
		}
		dx, dy := r.x, r.y
		switch exit {
		case rightSide:
			dx, dy = r.x+r.w-1, r.y+e.rng.Int(1, r.h-1)
		case downSide:
			dx, dy = r.x+e.rng.Int(1, r.w-1), r.y+r.h-1
		case leftSide:
			dy = r.y + e.rng.Int(1, r.h-1)
		case upSide:
			dx = r.x + e.rng.Int(1, r.w-1)
		}
		if c.grow(e, left-1, most, (exit+2)%4, dx, dy) {
			break
		}
	}
	return true
}

func layMemory(random bool) func(*Env) bool {
	return func(e *Env) bool {
		e.walls(e.whole())
		m := e.h / 2
		end := e.w - 3
		if random {
			end = e.rng.Int(4, e.w-2)
		}
		e.row(1, m-2, 4, Wall)
		e.row(1, m+2, 4, Wall)
		e.set(4, m-1, Wall)
		e.set(4, m+1, Wall)
		e.row(5, m-1, end-5, Wall)
		e.row(5, m+1, end-5, Wall)
		e.column(end, 0, m, Wall)
		e.column(end, m+1, e.h-m-1, Wall)
		e.column(end+2, 0, e.h, Wall)
		e.stand(e.rng.Int(1, end+1), m)
		pair := [2]Cell{key(Green), ball(Green)}
		cue := rng.Elem(&e.rng, pair[:])
		if e.rng.Below(2) == 0 {
			pair[0], pair[1] = pair[1], pair[0]
		}
		e.set(1, m-1, cue)
		e.set(end+1, m-2, pair[0])
		e.set(end+1, m+2, pair[1])
		up, down := int32(e.at(end+1, m-1)), int32(e.at(end+1, m+1))
		e.task = task{kind: taskMemory, a: down, b: up}
		if cue == pair[0] {
			e.task.a, e.task.b = up, down
		}
		e.say(missionMemory)
		return true
	}
}

// pickUp makes carrying c the task.
func (e *Env) pickUp(c Cell) {
	e.task = task{kind: taskPickup, target: c}
	e.sayObject(missionPickup, c)
}

func layKeyCorridor(size, rows int) func(*Env) bool {
	return func(e *Env) bool {
		var l lattice
		l.draw(e, size, 3, rows)
		for j := 1; j < rows; j++ {
			l.openUp(1, j)
		}
		r := e.rng.Below(rows)
		c := e.color()
		l.addDoor(2, r, leftSide, c, true)
		target := ball(e.color())
		ok := l.object(2, r, target) >= 0
		ok = ok && l.object(0, e.rng.Below(rows), key(c)) >= 0
		ok = ok && l.placeAgent(1, rows/2) && l.connectAll()
		e.pickUp(target)
		return ok
	}
}

func layUnlock(e *Env) bool {
	var l lattice
	l.draw(e, 6, 2, 1)
	c := e.color()
	p := l.addDoor(0, 0, rightSide, c, true)
	e.task = task{kind: taskUnlock, a: int32(p)}
	e.say(missionUnlock)
	return l.object(0, 0, key(c)) >= 0 && l.placeAgent(0, 0)
}

func layUnlockPickup(blocked bool) func(*Env) bool {
	return func(e *Env) bool {
		var l lattice
		l.draw(e, 6, 2, 1)
		target := box(e.color())
		if l.object(1, 0, target) < 0 {
			return false
		}
		c := e.color()
		p := l.addDoor(0, 0, rightSide, c, true)
		if blocked {
			e.put(p-1, ball(e.color()))
		}
		e.pickUp(target)
		return l.object(0, 0, key(c)) >= 0 && l.placeAgent(0, 0)
	}
}

// colorsOfDoors draws a permutation of the colours.
func (e *Env) colorsOfDoors() (out [6]uint8) {
	left := drawn
	for n := len(left); n > 0; n-- {
		i := e.rng.Below(n)
		out[len(left)-n] = left[i]
		copy(left[i:n-1], left[i+1:n])
	}
	return out
}

// lockedDoor adds a locked door and, if it is blocked, a green ball before it.
func (l *lattice) lockedDoor(i, j, side int, color uint8, blocked bool) {
	p := l.addDoor(i, j, side, color, true)
	if blocked {
		l.e.put(p-l.e.ahead[side], ball(Green))
	}
}

// hideKey puts a key into a room, in a grey box if it is hidden.
func (l *lattice) hideKey(i, j int, color uint8, hidden bool) bool {
	if !hidden {
		return l.object(i, j, key(color)) >= 0
	}
	p := l.object(i, j, box(Grey))
	if p < 0 {
		return false
	}
	l.e.inside = append(l.e.inside, content{int32(p), key(color)})
	return true
}

func layObstructed1(hidden, blocked bool) func(*Env) bool {
	return func(e *Env) bool {
		var l lattice
		l.draw(e, 6, 2, 1)
		colors := e.colorsOfDoors()
		e.pickUp(ball(Blue))
		l.lockedDoor(0, 0, rightSide, colors[0], blocked)
		return l.hideKey(0, 0, colors[0], hidden) && l.object(1, 0, ball(Blue)) >= 0 && l.placeAgent(0, 0)
	}
}

// layObstructed3 has 3x3 rooms, of which the first quarters are in play. In v0 a key can end up
// under the ball before the second door of its room; late keys, as in v1, cannot.
func layObstructed3(agent [2]int, hidden, blocked bool, quarters int, lateKeys bool) func(*Env) bool {
	return func(e *Env) bool {
		var l lattice
		l.draw(e, 6, 3, 3)
		colors := e.colorsOfDoors()
		e.pickUp(ball(Blue))
		for s, r := range [][2]int{{2, 1}, {1, 2}, {0, 1}, {1, 0}}[:quarters] {
			l.addDoor(1, 1, s, colors[s], false)
			for _, side := range [...]int{(s + 3) % 4, (s + 1) % 4} {
				// (s-1) mod 6 and (s+1) mod 6
				c := colors[(s+5)%6]
				if side == (s+1)%4 {
					c = colors[(s+1)%6]
				}
				l.lockedDoor(r[0], r[1], side, c, blocked)
				if !lateKeys && !l.hideKey(r[0], r[1], c, hidden) {
					return false
				}
			}
			if lateKeys && !(l.hideKey(r[0], r[1], colors[(s+5)%6], hidden) && l.hideKey(r[0], r[1], colors[(s+1)%6], hidden)) {
				return false
			}
		}
		r := [...][2]int{{2, 0}, {2, 2}, {0, 2}, {0, 0}}[e.rng.Below(quarters)]
		return l.object(r[0], r[1], ball(Blue)) >= 0 && l.placeAgent(agent[0], agent[1])
	}
}

func layGoToDoor(e *Env) bool {
	w := e.rng.Int(5, e.w+1)
	h := e.rng.Int(5, e.h+1)
	e.walls(rect{0, 0, w, h})
	var at [4]int
	at[0] = e.at(e.rng.Int(2, w-2), 0)
	at[1] = e.at(e.rng.Int(2, w-2), h-1)
	at[2] = e.at(0, e.rng.Int(2, h-2))
	at[3] = e.at(w-1, e.rng.Int(2, h-2))
	var colors [4]uint8
	used := 0
	for n := 0; n < len(colors); {
		if c := e.color(); used>>c&1 == 0 {
			used |= 1 << c
			colors[n], n = c, n+1
		}
	}
	for i, p := range at {
		e.put(p, door(colors[i], DoorClosed))
	}
	e.placeAgent(rect{0, 0, w, h}, endless)
	i := e.rng.Below(4)
	e.task = task{kind: taskGoTo, a: int32(at[i])}
	e.sayObject(missionGoTo, door(colors[i], DoorClosed))
	return true
}

// scatter draws n objects of the first kinds of key, ball, box. Unless twins are allowed, no two are
// alike; apart keeps them more than one cell from each other.
func (e *Env) scatter(n, kinds int, twins, apart bool) (objects [3]Cell, at [3]int) {
	var reject func(*Env, int, int) bool
	if apart {
		reject = nearObject
	}
	for i := 0; i < n; {
		c := [...]Cell{key(0), ball(0), box(0)}[e.rng.Below(kinds)] | Cell(e.color())
		twin := false
		for _, o := range objects[:i] {
			twin = twin || o == c
		}
		if twin && !twins {
			continue
		}
		objects[i], at[i] = c, e.place(c, e.whole(), endless, reject)
		i++
	}
	e.placeAgent(e.whole(), endless)
	return objects, at
}

// nearObject reports whether an object lies within one cell of (x, y).
func nearObject(e *Env, x, y int) bool {
	p := e.at(x, y)
	for _, dy := range [...]int{-e.pitch, 0, e.pitch} {
		for dx := -1; dx <= 1; dx++ {
			if Cell(e.cells[p+dy+dx]).in(portable) {
				return true
			}
		}
	}
	return false
}

func layGoToObject(e *Env) bool {
	e.walls(e.whole())
	objects, at := e.scatter(2, 3, false, false)
	i := e.rng.Below(2)
	e.task = task{kind: taskGoTo, a: int32(at[i])}
	e.sayObject(missionGoTo, objects[i])
	return true
}

func layFetch(n int) func(*Env) bool {
	return func(e *Env) bool {
		e.walls(e.whole())
		objects, _ := e.scatter(n, 2, true, false)
		c := objects[e.rng.Below(n)]
		e.task = task{kind: taskFetch, target: c}
		e.sayObject(missionsFetch[e.rng.Below(len(missionsFetch))], c)
		return true
	}
}

func layPutNear(n int) func(*Env) bool {
	return func(e *Env) bool {
		e.walls(e.whole())
		objects, at := e.scatter(n, 3, false, true)
		i := e.rng.Below(n)
		j := i
		for j == i {
			j = e.rng.Below(n)
		}
		a, b := objects[i], objects[j]
		e.task = task{kind: taskPutNear, target: a, a: int32(at[j])}
		e.say(missionPutNear, colorToken[a.Color()], typeToken[a.Type()], colorToken[b.Color()], typeToken[b.Type()])
		return true
	}
}

func layRedBlue(e *Env) bool {
	n := e.h
	inner := rect{n / 2, 0, n, n}
	e.walls(e.whole())
	e.walls(inner)
	e.placeAgent(inner, endless)
	red := e.at(n/2, e.rng.Int(1, n-1))
	blue := e.at(n/2+n-1, e.rng.Int(1, n-1))
	e.put(red, door(Red, DoorClosed))
	e.put(blue, door(Blue, DoorClosed))
	e.task = task{kind: taskRedBlue, a: int32(red), b: int32(blue)}
	e.say(missionRedBlue)
	return true
}

func layLockedRoom(e *Env) bool {
	e.walls(e.whole())
	left, right := e.w/2-2, e.w/2+2
	e.column(left, 0, e.h, Wall)
	e.column(right, 0, e.h, Wall)
	s := e.h / 3
	var at [6]int
	var rooms [6]rect
	for q := range 3 {
		e.row(0, q*s, left, Wall)
		e.row(right, q*s, e.w-right, Wall)
		rooms[2*q], at[2*q] = rect{0, q * s, left + 1, s + 1}, e.at(left, q*s+3)
		rooms[2*q+1], at[2*q+1] = rect{right, q * s, left + 1, s + 1}, e.at(right, q*s+3)
	}
	inner := func(r rect) int {
		x := e.rng.Int(r.x+1, r.x+r.w-1)
		return e.at(x, e.rng.Int(r.y+1, r.y+r.h-1))
	}
	locked := e.rng.Below(6)
	e.put(inner(rooms[locked]), Goal)
	colors := e.colorsOfDoors() // one a room, by the same draws
	for i, p := range at {
		state := DoorClosed
		if i == locked {
			state = DoorLocked
		}
		e.put(p, door(colors[i], state))
	}
	k := locked
	for k == locked {
		k = e.rng.Below(6)
	}
	e.put(inner(rooms[k]), key(colors[locked]))
	e.placeAgent(rect{left, 0, right - left, e.h}, endless)
	c := colorToken[colors[locked]]
	e.say(missionLocked, c, colorToken[colors[k]], c)
	return true
}
