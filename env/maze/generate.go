package maze

import (
	"fmt"
	"math/rand/v2"
)

// A Config says what mazes a Generator makes. Rooms lie on every other cell, a wall around all; in
// an even number of rows or columns one wall, drawn anew for each maze, is two cells thick.
type Config struct {
	Rows, Cols int // at least 5; required

	// MaxOpenings is the largest chance p that a wall between two rooms of the perfect maze is
	// opened; each maze draws its own p in [0, MaxOpenings). 0 means perfect mazes.
	MaxOpenings float64

	// MinPath is the least number of moves from start to goal. 0 means drawn for each pair tried:
	// n/2 + U(0, n), n the mean of rows and columns.
	MinPath int

	// MaxPath is the most moves from start to goal; 0 means no bound.
	MaxPath int

	// Split leaves out layouts: Train those that HeldOut holds out, Test all others.
	Split Split
}

// A Split is a part of all wall layouts.
type Split uint8

// The parts: a layout and its mirrored and turned copies are always in the same one.
const (
	All   Split = iota
	Train       // nine tenths
	Test        // the tenth held out
)

// Recipe is the distribution on which models are trained and judged: mazes with extra openings,
// p ~ U(0, 0.2), and one shortest way of at least n/2 + U(0, n) moves.
func Recipe(size int) Config { return Config{Rows: size, Cols: size, MaxOpenings: 0.2} }

// Hard is 30x30 with a shortest way of more than 110 moves, the bound of the published Maze-Hard.
func Hard() Config { return Config{Rows: 30, Cols: 30, MaxOpenings: 0.2, MinPath: 111} }

// A Generator makes mazes. It reuses its memory; one goroutine uses it at a time.
type Generator struct {
	cfg     Config
	rooms   [2]int // down and across
	rowOf   []int  // cell row of each row of rooms
	colOf   []int
	active  []int32 // rooms of the growing tree that may still grow
	open    []int32 // open cells
	visited []bool
	solver  Solver
}

// NewGenerator reports what of cfg cannot be made.
func NewGenerator(cfg Config) (*Generator, error) {
	g := &Generator{cfg: cfg, rooms: [2]int{(cfg.Rows - 1) / 2, (cfg.Cols - 1) / 2}}
	switch {
	case cfg.Rows < 5 || cfg.Cols < 5 || cfg.Rows > MaxSide || cfg.Cols > MaxSide:
		return nil, fmt.Errorf("maze: %d rows, %d columns: want 5 to %d of each", cfg.Rows, cfg.Cols, MaxSide)
	case !(cfg.MaxOpenings >= 0 && cfg.MaxOpenings <= 1):
		return nil, fmt.Errorf("maze: openings %v: want a chance in [0, 1]", cfg.MaxOpenings)
	case cfg.MinPath < 0 || cfg.MinPath > g.longest():
		return nil, fmt.Errorf("maze: least path %d: want 0 to %d for %d rows, %d columns",
			cfg.MinPath, g.longest(), cfg.Rows, cfg.Cols)
	case cfg.MaxPath < 0 || cfg.MaxPath > 0 && cfg.MaxPath < cfg.MinPath:
		return nil, fmt.Errorf("maze: longest path %d is under the least, %d", cfg.MaxPath, cfg.MinPath)
	case cfg.Split == Test && max(cfg.Rows, cfg.Cols) < 7: // there are too few layouts for a tenth of them to be one
		return nil, fmt.Errorf("maze: %d rows, %d columns: none of so small ones is held out, want 7 or more", cfg.Rows, cfg.Cols)
	case cfg.Split > Test:
		return nil, fmt.Errorf("maze: split %d: want All, Train or Test", cfg.Split)
	}
	g.rowOf = make([]int, g.rooms[0])
	g.colOf = make([]int, g.rooms[1])
	g.visited = make([]bool, g.rooms[0]*g.rooms[1])
	return g, nil
}

// longest bounds MinPath by what random mazes reach within a second: half of the way that winds
// through all rooms, and not more than twice around the maze.
func (g *Generator) longest() int {
	return min(g.rooms[0]*g.rooms[1], 4*(g.cfg.Rows+g.cfg.Cols))
}

// Next makes m a new maze, in m's own memory if that suffices. All of it follows from rng.
func (g *Generator) Next(m *Maze, rng *rand.Rand) {
	for {
		g.layout(m, rng)
		if g.cfg.Split != All && HeldOut(m) != (g.cfg.Split == Test) {
			continue
		}
		if g.ends(m, rng) {
			return
		}
	}
}

// layout draws the walls: a perfect maze by the growing-tree method, then openings.
func (g *Generator) layout(m *Maze, rng *rand.Rand) {
	m.resize(g.cfg.Rows, g.cfg.Cols)
	spread(g.rowOf, g.cfg.Rows, rng)
	spread(g.colOf, g.cfg.Cols, rng)
	down, across := g.rooms[0], g.rooms[1]

	// Half of the mazes grow depth first; the others go on from a random room of the tree with
	// a chance drawn for the maze, which makes more and shorter dead ends. With the rule in ends
	// this gives the recipes' mean paths: 11, 14.6, 18, 21.5 and 28 at 9x9 to 15x15 and 19x19.
	branch := 0.0
	if rng.Uint64()&1 == 0 {
		branch = rng.Float64()
	}
	clear(g.visited)
	room := rng.IntN(down * across)
	g.visited[room] = true
	m.Wall[g.cell(room)] = false
	g.active = append(g.active[:0], int32(room))
	for len(g.active) > 0 {
		last := len(g.active) - 1
		if branch > 0 && rng.Float64() < branch {
			k := rng.IntN(last + 1)
			g.active[k], g.active[last] = g.active[last], g.active[k]
		}
		room := int(g.active[last])
		var next [4]int
		n := 0
		for _, to := range g.beside(room) {
			if to >= 0 && !g.visited[to] {
				next[n] = to
				n++
			}
		}
		if n == 0 {
			g.active = g.active[:len(g.active)-1]
			continue
		}
		to := next[rng.IntN(n)]
		g.visited[to] = true
		g.dig(m, room, to)
		g.active = append(g.active, int32(to))
	}

	if g.cfg.MaxOpenings == 0 {
		return
	}
	p := rng.Float64() * g.cfg.MaxOpenings
	for room := range down * across {
		around := g.beside(room)
		for _, to := range [2]int{around[Down], around[Right]} {
			if to >= 0 && g.closed(m, room, to) && rng.Float64() < p {
				g.dig(m, room, to)
			}
		}
	}
}

// spread puts rooms on every other line, with one gap wider if the number of lines is even.
func spread(at []int, lines int, rng *rand.Rand) {
	wide := len(at)
	if lines%2 == 0 {
		wide = 1 + rng.IntN(len(at)-1)
	}
	for i := range at {
		at[i] = 2*i + 1
		if i >= wide {
			at[i]++
		}
	}
}

func (g *Generator) cell(room int) int {
	return g.rowOf[room/g.rooms[1]]*g.cfg.Cols + g.colOf[room%g.rooms[1]]
}

// beside is the rooms up, down, left and right of a room, -1 where there is none.
func (g *Generator) beside(room int) [4]int {
	down, across := g.rooms[0], g.rooms[1]
	r, c := room/across, room%across
	to := [4]int{-1, -1, -1, -1}
	if r > 0 {
		to[Up] = room - across
	}
	if r < down-1 {
		to[Down] = room + across
	}
	if c > 0 {
		to[Left] = room - 1
	}
	if c < across-1 {
		to[Right] = room + 1
	}
	return to
}

// dig opens the cells from one room to the room beside it.
func (g *Generator) dig(m *Maze, from, to int) {
	a, b := g.cell(from), g.cell(to)
	if a > b {
		a, b = b, a
	}
	step := 1
	if b-a >= m.Cols {
		step = m.Cols
	}
	for ; a <= b; a += step {
		m.Wall[a] = false
	}
}

// closed reports whether a wall stands between a room and the one right or down of it.
func (g *Generator) closed(m *Maze, from, to int) bool {
	step := 1
	if to-from >= g.rooms[1] {
		step = m.Cols
	}
	return m.Wall[g.cell(from)+step]
}

// ends draws start and goal among the open cells until the shortest way between them is unique and
// long enough; false if this maze seems to have none.
func (g *Generator) ends(m *Maze, rng *rand.Rand) bool {
	g.open = g.open[:0]
	for i, wall := range m.Wall {
		if !wall {
			g.open = append(g.open, int32(i))
		}
	}
	least, most, n := g.cfg.MinPath, g.cfg.MaxPath, (g.cfg.Rows+g.cfg.Cols)/2
	if most == 0 {
		most = len(m.Wall)
	}
	for range 50 {
		if g.cfg.MinPath == 0 {
			least = min(most, n/2+rng.IntN(n))
		}
		m.Start = int(g.open[rng.IntN(len(g.open))])
		m.Goal = int(g.open[rng.IntN(len(g.open))])
		if m.Start == m.Goal {
			continue
		}
		if moves, unique := g.solver.Len(m); unique && moves >= least && moves <= most {
			return true
		}
	}
	return false
}
