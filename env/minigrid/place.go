package minigrid

import "github.com/ponder-agents/ponder/env/rng"

// A rect is an area of cells.
type rect struct{ x, y, w, h int }

// whole is the area of the grid.
func (e *Env) whole() rect { return rect{0, 0, e.w, e.h} }

// endless stands for place's number of tries where the reference has no limit.
const endless = 1 << 30

// place puts c on a random empty cell of the area that is not the agent's and that reject, if any,
// lets pass, and returns its position; -1 if tries+1 draws found none. Empty is drawn for, too, and
// leaves the cell as it is.
func (e *Env) place(c Cell, r rect, tries int, reject func(e *Env, x, y int) bool) int {
	x0, y0 := max(r.x, 0), max(r.y, 0)
	x1, y1 := min(x0+r.w, e.w), min(y0+r.h, e.h)
	for range tries + 1 {
		x := e.rng.Int(x0, x1)
		y := e.rng.Int(y0, y1)
		p := e.at(x, y)
		if Cell(e.cells[p]) != Empty || p == e.pos || reject != nil && reject(e, x, y) {
			continue
		}
		e.cells[p] = byte(c)
		return p
	}
	return -1
}

// placeAgent puts the agent on a random empty cell of the area, looking anywhere.
func (e *Env) placeAgent(r rect, tries int) bool {
	e.pos = -1
	p := e.place(Empty, r, tries, nil)
	if p < 0 {
		return false
	}
	e.pos = p
	e.dir = e.rng.Below(4)
	return true
}

func (e *Env) color() uint8 { return rng.Elem(&e.rng, drawn[:]) }

// stand puts the agent at (x, y), looking right.
func (e *Env) stand(x, y int) { e.pos, e.dir = e.at(x, y), East }

func (e *Env) set(x, y int, c Cell) { e.put(e.at(x, y), c) }

// column and row draw n cells down from, or right of, (x, y).
func (e *Env) column(x, y, n int, c Cell) {
	for i := range n {
		e.set(x, y+i, c)
	}
}

func (e *Env) row(x, y, n int, c Cell) {
	for i := range n {
		e.set(x+i, y, c)
	}
}

// walls draws the four walls of an area, over everything.
func (e *Env) walls(r rect) {
	e.row(r.x, r.y, r.w, Wall)
	e.row(r.x, r.y+r.h-1, r.w, Wall)
	e.column(r.x, r.y, r.h, Wall)
	e.column(r.x+r.w-1, r.y, r.h, Wall)
}

// Sides of a room, and the steps through them.
const (
	rightSide = iota
	downSide
	leftSide
	upSide
)

const maxRooms = 3 // of a lattice, each way

// A room of a lattice.
type room struct {
	door   [4]int  // position of the door on each side; 0 if there is no neighbour
	joined [4]bool // a door or a removed wall is there
	locked bool
}

// A lattice is a grid of square rooms that share walls (MiniGrid's RoomGrid).
type lattice struct {
	e          *Env
	size       int
	cols, rows int
	rooms      [maxRooms * maxRooms]room
	palette    []uint8 // colours of the doors that connectAll adds
	objects    [maxTracked]int
	placed     int // objects that were put into rooms
}

// newLattice draws the rooms, then where their doors would be, and stands the agent in the middle.
func (l *lattice) draw(e *Env, size, cols, rows int) {
	*l = lattice{e: e, size: size, cols: cols, rows: rows, palette: drawn[:]}
	for j := range rows {
		for i := range cols {
			e.walls(l.area(i, j))
		}
	}
	for j := range rows {
		for i := range cols {
			r, a := l.room(i, j), l.area(i, j)
			if i < cols-1 {
				r.door[rightSide] = e.at(a.x+size-1, e.rng.Int(a.y+1, a.y+size-1))
				l.room(i+1, j).door[leftSide] = r.door[rightSide]
			}
			if j < rows-1 {
				r.door[downSide] = e.at(e.rng.Int(a.x+1, a.x+size-1), a.y+size-1)
				l.room(i, j+1).door[upSide] = r.door[downSide]
			}
		}
	}
	e.stand(cols/2*(size-1)+size/2, rows/2*(size-1)+size/2)
}

func (l *lattice) room(i, j int) *room { return &l.rooms[j*maxRooms+i] }

func (l *lattice) area(i, j int) rect {
	return rect{i * (l.size - 1), j * (l.size - 1), l.size, l.size}
}

// neighbor is the room beyond a side.
func (l *lattice) neighbor(i, j, side int) *room {
	return l.room(i+[...]int{1, 0, -1, 0}[side], j+[...]int{0, 1, 0, -1}[side])
}

// roomTries is how many draws the reference spends on a place in a room.
const roomTries = 1000

// object puts c into a room, not beside the agent, and returns its position or -1.
func (l *lattice) object(i, j int, c Cell) int {
	p := l.e.place(c, l.area(i, j), roomTries, besideAgent)
	if p >= 0 {
		l.objects[l.placed] = p
		l.placed++
	}
	return p
}

func besideAgent(e *Env, x, y int) bool {
	ax, ay := e.xy(e.pos)
	return abs(ax-x)+abs(ay-y) < 2
}

// addDoor puts a door on a side of a room.
func (l *lattice) addDoor(i, j, side int, color uint8, locked bool) int {
	r := l.room(i, j)
	state := DoorClosed
	if locked {
		state = DoorLocked
	}
	r.locked = locked
	l.join(i, j, side)
	l.e.put(r.door[side], door(color, state))
	return r.door[side]
}

func (l *lattice) join(i, j, side int) {
	l.room(i, j).joined[side] = true
	l.neighbor(i, j, side).joined[(side+2)%4] = true
}

// openUp removes the wall between a room and the one above it.
func (l *lattice) openUp(i, j int) {
	a := l.area(i, j)
	l.e.row(a.x+1, a.y, l.size-2, Empty)
	l.join(i, j, upSide)
}

// placeAgent puts the agent into a room, not right before an object.
func (l *lattice) placeAgent(i, j int) bool {
	e := l.e
	for {
		if !e.placeAgent(l.area(i, j), roomTries) {
			return false
		}
		if Cell(e.cells[e.pos+e.ahead[e.dir]]).in(1<<kindEmpty | 1<<kindWall) {
			return true
		}
	}
}

// connectAll adds closed doors until every room can be reached from the agent's, locked doors
// counting as ways.
func (l *lattice) connectAll() bool {
	e := l.e
	for range 5001 { // the reference's limit
		if l.connected() {
			return true
		}
		i, j, side := e.rng.Below(l.cols), e.rng.Below(l.rows), e.rng.Below(4)
		r := l.room(i, j)
		if r.door[side] == 0 || r.joined[side] || r.locked || l.neighbor(i, j, side).locked {
			continue
		}
		l.addDoor(i, j, side, rng.Elem(&e.rng, l.palette), false)
	}
	return false
}

func (l *lattice) connected() bool {
	x, y := l.e.xy(l.e.pos)
	var seen [maxRooms][maxRooms]bool
	var stack [4 * maxRooms * maxRooms][2]int8
	stack[0] = [2]int8{int8(x / (l.size - 1)), int8(y / (l.size - 1))}
	found := 0
	for n := 1; n > 0; {
		n--
		i, j := int(stack[n][0]), int(stack[n][1])
		if seen[j][i] {
			continue
		}
		seen[j][i] = true
		found++
		for side, joined := range l.room(i, j).joined {
			if joined {
				stack[n] = [2]int8{int8(i + [...]int{1, 0, -1, 0}[side]), int8(j + [...]int{0, 1, 0, -1}[side])}
				n++
			}
		}
	}
	return found == l.cols*l.rows
}
