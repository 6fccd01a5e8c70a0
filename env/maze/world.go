package maze

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/rng"
)

// Tokens of an observation, and of the reference's maze data sets.
const (
	TokenUnknown byte = iota // not seen yet; padding in data sets
	TokenWall
	TokenOpen
	TokenStart // the start; in observations the agent
	TokenGoal
	TokenPath // data sets only: a cell of the answer
)

// View says what an agent sees.
type View uint8

// The views. In Fog and Window the agent sees along the straight corridors from where it stands,
// at most Radius cells, and the cells beside those.
const (
	Full   View = iota // the whole maze
	Fog                // the map of all that it has seen in the episode
	Window             // what it sees now, itself in the middle
)

// Reward is the shape of the rewards, before costs.
type Reward uint8

// The shapes. Each sums to 1 on a shortest way, but Time, where that is less.
const (
	ByGoal     Reward = iota // 1 at the goal
	ByTime                   // 1 - 0.9*steps/MaxSteps at the goal, as MiniGrid
	ByDistance               // each step what it shortens the way to the goal, as a share of the whole
)

// A WorldConfig describes a World.
type WorldConfig struct {
	Maze     Config
	View     View
	Radius   int     // how far Fog and Window see, at least 1; without meaning for Full
	Reward   Reward  // shape of the rewards
	MoveCost float64 // taken from the reward of every step
	BumpCost float64 // taken besides from a step into a wall
	MaxSteps int     // truncates an episode; 0 means 2*rows*cols, enough to explore all of a maze

	Doors      int     // cells that open and close during the episode; not ByDistance, which they would change
	DoorChance float64 // of each door, in a step
}

// A World is a maze to walk through, from the start to the goal: an env.Env with the actions up,
// down, left and right (Up to Right). A step into a wall leaves the agent where it is.
//
// The observation is a map in tokens, [rows, cols] or [2*radius+1, 2*radius+1]: 0 unknown, 1 wall,
// 2 open, 3 the agent, 4 the goal. A door that is shut is a wall, one that is open an open cell; what was
// seen of it once shows it as it is now.
type World struct {
	cfg    WorldConfig
	spec   env.Spec
	gen    *Generator
	rng    *rng.Rand
	solver Solver

	doors []int     // cells; as many as the maze has place for
	draws *rng.Rand // of the doors, so that mazes do not depend on how long the episodes before were

	maze  Maze
	dist  []int32 // to the goal; ByDistance only
	seen  []bool
	view  []byte // the map: tokens of what is seen
	agent int
	steps int
	live  bool
}

// NewWorld makes a World that reports id; an error says what of cfg is wrong.
func NewWorld(id string, cfg WorldConfig) (*World, error) {
	gen, err := NewGenerator(cfg.Maze)
	if err != nil {
		return nil, err
	}
	rows, cols := cfg.Maze.Rows, cfg.Maze.Cols
	if cfg.MaxSteps == 0 {
		cfg.MaxSteps = 2 * rows * cols
	}
	cells := env.Field{Name: "cells", Shape: []int{rows, cols}, Agent: TokenStart, Under: TokenOpen}
	if cfg.View == Window {
		cells = env.Field{Name: "cells", Shape: []int{2*cfg.Radius + 1, 2*cfg.Radius + 1}}
	}
	switch {
	case cfg.View > Window || cfg.Reward > ByDistance:
		return nil, fmt.Errorf("maze: view %d or reward %d is unknown", cfg.View, cfg.Reward)
	case cfg.View != Full && (cfg.Radius < 1 || cfg.Radius > MaxSide):
		return nil, fmt.Errorf("maze: radius %d: want 1 to %d", cfg.Radius, MaxSide)
	case cfg.MaxSteps < 1:
		return nil, fmt.Errorf("maze: limit of %d steps", cfg.MaxSteps)
	case cfg.Doors < 0 || cfg.Doors > rows*cols || !(cfg.DoorChance >= 0 && cfg.DoorChance <= 1):
		return nil, fmt.Errorf("maze: %d doors that change with a chance of %v: want 0 to %d, and a chance in [0, 1]", cfg.Doors, cfg.DoorChance, rows*cols)
	case cfg.Doors > 0 && cfg.Reward == ByDistance:
		return nil, errors.New("maze: doors change distances, so the reward cannot be one of them")
	}
	w := &World{
		cfg: cfg,
		spec: env.Spec{
			ID:       id,
			ObsLen:   cells.Len(),
			Layout:   []env.Field{cells},
			Vocab:    int(TokenGoal) + 1,
			Actions:  []string{"up", "down", "left", "right"},
			MaxSteps: cfg.MaxSteps,
		},
		gen:   gen,
		rng:   rng.Stream(0, "maze"),
		doors: make([]int, 0, rows*cols),
		draws: rng.Stream(0, "doors"),
		dist:  make([]int32, rows*cols),
		seen:  make([]bool, rows*cols),
		view:  make([]byte, rows*cols),
	}
	w.begin() // so that there is a maze to show before the first Reset
	w.live = false
	w.rng.Reseed(0, "maze")
	return w, nil
}

// Spec implements env.Env.
func (w *World) Spec() env.Spec { return w.spec }

// Seed implements env.Env.
func (w *World) Seed(seed uint64) { w.rng.Reseed(seed, "maze") }

// Limit implements env.Limiter.
func (w *World) Limit() int { return w.cfg.MaxSteps }

// Mission implements env.Missioner.
func (w *World) Mission() string { return "go to the goal" }

// Maze is the maze of the episode, with the start where the episode began. It is the World's own:
// valid until the next Reset, not to be written.
func (w *World) Maze() *Maze { return &w.maze }

// Agent is the cell that the agent stands on.
func (w *World) Agent() int { return w.agent }

// Shortest implements env.Guide: the moves of a shortest way to the goal.
func (w *World) Shortest() (steps int, ok bool) {
	d := w.solver.Distances(&w.maze)[w.agent]
	return int(d), d >= 0
}

// begin draws a maze and starts an episode in it.
func (w *World) begin() {
	w.gen.Next(&w.maze, w.rng.Rand)
	w.enter()
}

// enter starts an episode in the maze.
func (w *World) enter() {
	w.agent, w.steps, w.live = w.maze.Start, 0, true
	w.hang()
	w.measure()
	full := w.cfg.View == Full
	for i := range w.seen {
		w.seen[i] = full
	}
	w.draw()
	w.look(nil)
}

// hang draws the doors: cells, walls or not, with open ones on two opposite sides and walls on the others.
func (w *World) hang() {
	w.doors = w.doors[:0]
	if w.cfg.Doors == 0 {
		return
	}
	w.draws.Reseed(w.rng.Uint64(), "doors")
	for cell := range w.maze.Wall {
		if w.maze.doorway(cell) {
			w.doors = append(w.doors, cell)
		}
	}
	n := min(w.cfg.Doors, len(w.doors))
	for i := range n {
		k := i + w.draws.IntN(len(w.doors)-i)
		w.doors[i], w.doors[k] = w.doors[k], w.doors[i]
	}
	w.doors = w.doors[:n]
}

func (m *Maze) doorway(cell int) bool {
	x, y := cell%m.Cols, cell/m.Cols
	if x == 0 || y == 0 || x == m.Cols-1 || y == m.Rows-1 || cell == m.Start || cell == m.Goal {
		return false
	}
	up, down, left, right := m.Wall[cell-m.Cols], m.Wall[cell+m.Cols], m.Wall[cell-1], m.Wall[cell+1]
	return up == down && left == right && up != left
}

// swing opens and shuts doors, but not the one where the agent stands, nor one whose shutting would part
// the agent or the start from the goal.
func (w *World) swing() {
	for _, cell := range w.doors {
		if w.draws.Float64() >= w.cfg.DoorChance || cell == w.agent {
			continue
		}
		m := &w.maze
		m.Wall[cell] = !m.Wall[cell]
		if m.Wall[cell] && !w.leads(m, w.agent) {
			m.Wall[cell] = false
		}
		if w.seen[cell] {
			w.view[cell] = w.token(cell)
		}
	}
}

// leads reports whether ways lead from the cell and from the start to the goal.
func (w *World) leads(m *Maze, cell int) bool {
	d := w.solver.Distances(m)
	return d[cell] >= 0 && d[m.Start] >= 0
}

func (w *World) measure() {
	if w.cfg.Reward == ByDistance {
		copy(w.dist, w.solver.Distances(&w.maze))
	}
}

// draw makes the map anew from what is seen.
func (w *World) draw() {
	for i, seen := range w.seen {
		w.view[i] = TokenUnknown
		if seen {
			w.view[i] = w.token(i)
		}
	}
}

func (w *World) token(cell int) byte {
	switch {
	case w.maze.Wall[cell]:
		return TokenWall
	case cell == w.agent:
		return TokenStart
	case cell == w.maze.Goal:
		return TokenGoal
	}
	return TokenOpen
}

// look adds to the map what the agent sees from its cell; a window, if not nil, shows just that.
func (w *World) look(window []byte) {
	if w.cfg.View == Full {
		return
	}
	clear(window)
	rows, cols, side := w.maze.Rows, w.maze.Cols, 2*w.cfg.Radius+1
	row, col := w.agent/cols, w.agent%cols
	see := func(r, c int) {
		if r < 0 || r >= rows || c < 0 || c >= cols {
			return
		}
		i := r*cols + c
		token := w.token(i)
		w.seen[i], w.view[i] = true, token
		r, c = r-row+w.cfg.Radius, c-col+w.cfg.Radius
		if window != nil && r >= 0 && r < side && c >= 0 && c < side {
			window[r*side+c] = token
		}
	}
	around := func(r, c int) {
		for dr := -1; dr <= 1; dr++ {
			for dc := -1; dc <= 1; dc++ {
				see(r+dr, c+dc)
			}
		}
	}
	around(row, col)
	for dir := range 4 {
		at := w.agent
		for range w.cfg.Radius - 1 {
			next := w.maze.Next(at, dir)
			if next == at {
				break
			}
			at = next
			around(at/cols, at%cols)
		}
	}
}

// Observe writes the observation of the present state, as after an Edit.
func (w *World) Observe(obs []byte) {
	_ = obs[w.spec.ObsLen-1]
	switch w.cfg.View {
	case Window:
		w.look(obs[:w.spec.ObsLen])
	case Fog:
		w.look(nil)
		copy(obs, w.view)
	default:
		copy(obs, w.view)
	}
}

// Reset implements env.Env.
func (w *World) Reset(obs []byte) {
	w.begin()
	w.Observe(obs)
}

// Step implements env.Env.
func (w *World) Step(action int, obs []byte) env.Outcome {
	if !w.live {
		panic("maze: step after the end of the episode")
	}
	if action < 0 || action > Right {
		panic(fmt.Sprintf("maze: action %d, want 0 to %d", action, Right))
	}
	w.steps++
	out := env.Outcome{Reward: -w.cfg.MoveCost, Truncated: w.steps >= w.cfg.MaxSteps}
	from := w.agent
	w.agent = w.maze.Next(from, action)
	if w.agent == from {
		out.Reward -= w.cfg.BumpCost
	} else {
		w.view[from] = TokenOpen
		w.view[w.agent] = TokenStart
		if w.cfg.Reward == ByDistance {
			out.Reward += float64(w.dist[from]-w.dist[w.agent]) / float64(w.dist[w.maze.Start])
		}
	}
	if w.agent == w.maze.Goal {
		out.Terminated = true
		switch w.cfg.Reward {
		case ByGoal:
			out.Reward++
		case ByTime:
			out.Reward += 1 - 0.9*float64(w.steps)/float64(w.cfg.MaxSteps)
		}
	}
	if w.live = !out.Done(); w.live {
		w.swing()
	}
	w.Observe(obs)
	return out
}

// ActionMask implements env.Masker: a step into a wall changes nothing.
func (w *World) ActionMask(dst []bool) {
	for dir := range 4 {
		dst[dir] = w.maze.Next(w.agent, dir) != w.agent
	}
}

// Level implements env.Leveler: the text form of the maze.
func (w *World) Level() (string, error) { return w.maze.String(), nil }

// SetLevel implements env.Leveler. The maze must have the World's rows and columns; the World's
// other rules, as its least path, don't bind it.
func (w *World) SetLevel(text string) error {
	m, err := Parse(text)
	if err != nil {
		return err
	}
	return w.SetMaze(m)
}

// SetMaze begins an episode in a copy of m, which has the World's rows and columns.
func (w *World) SetMaze(m *Maze) error {
	if m.Rows != w.maze.Rows || m.Cols != w.maze.Cols {
		return fmt.Errorf("maze: %d rows, %d columns: %s has %d and %d",
			m.Rows, m.Cols, w.spec.ID, w.maze.Rows, w.maze.Cols)
	}
	w.maze.CopyFrom(m)
	w.enter()
	return nil
}

// Edit changes the cell in column x of row y between wall and floor: value 1 makes a wall, 0
// floor, -1 the other of the two. It refuses what would spoil the maze: the outer wall, the start,
// the goal, the agent's cell, and a wall that parts the agent from the goal.
func (w *World) Edit(x, y, value int) error {
	m := &w.maze
	cell := y*m.Cols + x
	switch {
	case x < 0 || y < 0 || x >= m.Cols || y >= m.Rows:
		return fmt.Errorf("maze: cell (%d, %d) is outside of %d columns, %d rows", x, y, m.Cols, m.Rows)
	case x == 0 || y == 0 || x == m.Cols-1 || y == m.Rows-1:
		return errors.New("maze: the outer wall stays")
	case cell == m.Start || cell == m.Goal || cell == w.agent:
		return errors.New("maze: start, goal and the agent's cell stay open")
	case value < -1 || value > 1:
		return fmt.Errorf("maze: value %d: want 0 floor, 1 wall or -1 the other", value)
	}
	old := m.Wall[cell]
	m.Wall[cell] = value == 1 || value == -1 && !old
	if !w.leads(m, w.agent) {
		m.Wall[cell] = old
		return errors.New("maze: a wall there would leave no way to the goal")
	}
	w.measure()
	w.draw()
	return nil
}

// Board implements env.Boarder, in the codes of PaintBoard. What the agent doesn't know is there
// all the same, with grid.FlagHidden.
func (w *World) Board() grid.Board {
	b := BoardOf(&w.maze)
	b.Caption = w.Mission()
	for i := range b.Cells {
		if w.seen[i] {
			b.Cells[i].Flags |= grid.FlagSeen
		} else {
			b.Cells[i].Flags |= grid.FlagHidden
		}
	}
	b.Pieces = []grid.Piece{{X: w.agent % w.maze.Cols, Y: w.agent / w.maze.Cols, Kind: grid.PieceAgent}}
	return b
}

// Paint implements env.Painter.
func (w *World) Paint(dst *image.RGBA) { PaintBoard(w.Board(), dst) }

// Clone implements env.Cloner.
func (w *World) Clone() env.Env {
	c, err := NewWorld(w.spec.ID, w.cfg)
	if err != nil {
		panic(err) // the same cfg was accepted before
	}
	if err := c.SetState(w.AppendState(nil)); err != nil {
		panic(err) // its own state
	}
	return c
}

// A snapshot is stateHead bytes and one byte a cell: bit 0 wall, bit 1 seen; with doors the state
// of what they draw from, and their cells in the order in which they do, uint16 each, up to places.
const (
	stateMark = 'M'
	stateHead = 1 + rng.RandStateLen + 1 + 4*4
)

// noDoor stands in a snapshot where the maze has no place for another door.
const noDoor uint16 = math.MaxUint16

// places are how many doors a snapshot has room for.
func (w *World) places() int { return min(w.cfg.Doors, len(w.seen)) }

func abs(n int) int { return max(n, -n) }

// AppendState implements env.Snapshotter.
func (w *World) AppendState(dst []byte) []byte {
	dst = append(dst, stateMark)
	dst = w.rng.AppendState(dst)
	live := byte(0)
	if w.live {
		live = 1
	}
	dst = append(dst, live)
	for _, n := range [4]int{w.steps, w.agent, w.maze.Start, w.maze.Goal} {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	}
	for i, wall := range w.maze.Wall {
		b := byte(0)
		if wall {
			b |= 1
		}
		if w.seen[i] {
			b |= 2
		}
		dst = append(dst, b)
	}
	if w.cfg.Doors == 0 {
		return dst
	}
	dst = w.draws.AppendState(dst)
	for i := range w.places() {
		cell := noDoor
		if i < len(w.doors) {
			cell = uint16(w.doors[i])
		}
		dst = binary.LittleEndian.AppendUint16(dst, cell)
	}
	return dst
}

// Ended implements env.Ender.
func (w *World) Ended() bool { return !w.live }

// SetState implements env.Snapshotter.
func (w *World) SetState(state []byte) error {
	want := stateHead + len(w.seen)
	if w.cfg.Doors > 0 {
		want += rng.RandStateLen + 2*w.places()
	}
	if len(state) != want || state[0] != stateMark {
		return fmt.Errorf("maze: not a snapshot of %s: %d bytes, want %d that begin with %q",
			w.spec.ID, len(state), want, stateMark)
	}
	numbers := state[1+rng.RandStateLen+1:]
	var n [4]int
	for i := range n {
		n[i] = int(binary.LittleEndian.Uint32(numbers[4*i:]))
	}
	cells, behind := state[stateHead:stateHead+len(w.seen)], state[stateHead+len(w.seen):]
	m := Maze{Rows: w.maze.Rows, Cols: w.maze.Cols, Wall: make([]bool, len(cells)), Start: n[2], Goal: n[3]}
	for i, b := range cells {
		if b > 3 {
			return fmt.Errorf("maze: snapshot of %s: cell %d is %#x", w.spec.ID, i, b)
		}
		m.Wall[i] = b&1 == 1
		// What lies around the agent has been seen; in Full everything has.
		near := abs(i/m.Cols-n[1]/m.Cols) <= 1 && abs(i%m.Cols-n[1]%m.Cols) <= 1
		if (near || w.cfg.View == Full) && b&2 == 0 {
			return fmt.Errorf("maze: snapshot of %s: cell %d is not seen", w.spec.ID, i)
		}
	}
	live := state[1+rng.RandStateLen]
	if err := m.Check(); err != nil {
		return fmt.Errorf("maze: snapshot of %s: %w", w.spec.ID, err)
	}
	switch agent, steps := n[1], n[0]; {
	case agent >= len(cells) || m.Wall[agent]:
		return fmt.Errorf("maze: snapshot of %s: agent in cell %d", w.spec.ID, agent)
	case steps > w.cfg.MaxSteps || live > 1 || live == 1 && (steps == w.cfg.MaxSteps || agent == m.Goal):
		return fmt.Errorf("maze: snapshot of %s: step %d of %d, live %d", w.spec.ID, steps, w.cfg.MaxSteps, live)
	case !w.leads(&m, agent):
		return fmt.Errorf("maze: snapshot of %s: %w", w.spec.ID, ErrNoWay)
	}
	var doors []int
	none := false
	for at := rng.RandStateLen; at < len(behind); at += 2 {
		cell := int(binary.LittleEndian.Uint16(behind[at:]))
		if cell == int(noDoor) {
			none = true
			continue
		}
		if none || cell >= len(cells) || cell == m.Start || cell == m.Goal || slices.Contains(doors, cell) {
			return fmt.Errorf("maze: snapshot of %s: a door in cell %d", w.spec.ID, cell)
		}
		doors = append(doors, cell)
	}
	draws := *w.draws
	if w.cfg.Doors > 0 {
		if err := w.draws.SetState(behind[:rng.RandStateLen]); err != nil {
			return fmt.Errorf("maze: snapshot of %s: %w", w.spec.ID, err)
		}
	}
	if err := w.rng.SetState(state[1 : 1+rng.RandStateLen]); err != nil {
		*w.draws = draws
		return fmt.Errorf("maze: snapshot of %s: %w", w.spec.ID, err)
	}
	w.doors = append(w.doors[:0], doors...)
	w.maze.CopyFrom(&m)
	w.steps, w.agent, w.live = n[0], n[1], live == 1
	for i, b := range cells {
		w.seen[i] = b&2 != 0
	}
	w.measure()
	w.draw()
	return nil
}
