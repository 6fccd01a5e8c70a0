package sudoku

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"slices"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/rng"
)

// Tokens of an observation, and of the reference's sudoku data sets: TokenBlank + d is digit d.
const (
	TokenPad   byte = 0 // data sets only
	TokenBlank byte = 1
)

// Mistakes says what becomes of a digit that breaks no rule but is not the solution's.
type Mistakes uint8

// The ways with mistakes.
const (
	Keep   Mistakes = iota // it is placed; Undo or another digit mends it
	Refuse                 // it is an invalid move
	End                    // it ends the episode
)

// Reward is the shape of the rewards, before costs. Each sums to 1 when the puzzle is solved.
type Reward uint8

// The shapes.
const (
	BySolved   Reward = iota // 1 for the last digit
	ByProgress               // for each step the change in the share of empty cells rightly filled
)

// A WorldConfig describes a World.
type WorldConfig struct {
	Puzzle      Config
	Mistakes    Mistakes
	Reward      Reward
	MoveCost    float64 // taken from the reward of every step
	InvalidCost float64 // taken besides from an invalid move
	MaxSteps    int     // truncates an episode; 0 means 3*side*side
}

// A World is a sudoku to fill in: an env.Env whose actions place a digit in a cell, action
// cell*side + digit-1, and, the last one, take back the newest placement.
//
// A digit may be placed in a cell that is not a given, over an earlier one too, unless it stands in
// the same row, column or box already; a move against that, and Undo with nothing to take back, is
// invalid and changes nothing. The episode ends when the grid is full and right.
//
// The observation is the grid in tokens, [side, side], 1 for blank and digit + 1, and, of the same
// shape, 1 for the givens.
type World struct {
	cfg  WorldConfig
	spec env.Spec
	gen  *Generator
	rng  *rng.Rand
	*layout

	givens   []uint8
	solution []uint8
	grid     []uint8
	past     []move // placements that Undo can take back
	right    int    // cells that are not givens and hold the solution's digit
	filled   int    // cells that are not empty
	holes    int    // cells that are not givens
	steps    int
	live     bool
}

// A move is a placement that can be taken back.
type move struct{ cell, old uint8 }

// NewWorld makes a World that reports id; an error says what of cfg is wrong.
func NewWorld(id string, cfg WorldConfig) (*World, error) {
	gen, err := NewGenerator(cfg.Puzzle)
	if err != nil {
		return nil, err
	}
	side := cfg.Puzzle.Side
	n := side * side
	if cfg.MaxSteps == 0 {
		cfg.MaxSteps = 3 * n
	}
	if cfg.MaxSteps < 1 || cfg.MaxSteps > 1<<20 || cfg.Mistakes > End || cfg.Reward > ByProgress {
		return nil, fmt.Errorf("sudoku: limit of %d steps (want 1 to %d), mistakes %d or reward %d",
			cfg.MaxSteps, 1<<20, cfg.Mistakes, cfg.Reward)
	}
	w := &World{
		cfg: cfg,
		spec: env.Spec{
			ID:       id,
			ObsLen:   2 * n,
			Layout:   []env.Field{{Name: "cells", Shape: []int{side, side}, Symbols: side}, {Name: "givens", Shape: []int{side, side}}},
			Vocab:    int(TokenBlank) + side + 1,
			Actions:  make([]string, n*side+1),
			MaxSteps: cfg.MaxSteps,
		},
		gen:      gen,
		rng:      rng.Stream(0, "sudoku"),
		layout:   gen.solver.layout,
		givens:   make([]uint8, n),
		solution: make([]uint8, n),
		grid:     make([]uint8, n),
		past:     make([]move, 0, cfg.MaxSteps),
	}
	for i := range n * side {
		w.spec.Actions[i] = fmt.Sprintf("r%dc%d=%d", i/side/side+1, i/side%side+1, i%side+1)
	}
	w.spec.Actions[w.Undo()] = "undo"
	w.begin() // so that there is a puzzle to show before the first Reset
	w.live = false
	w.rng.Reseed(0, "sudoku")
	return w, nil
}

// Spec implements env.Env.
func (w *World) Spec() env.Spec { return w.spec }

// Seed implements env.Env.
func (w *World) Seed(seed uint64) { w.rng.Reseed(seed, "sudoku") }

// Limit implements env.Limiter.
func (w *World) Limit() int { return w.cfg.MaxSteps }

// Mission implements env.Missioner.
func (w *World) Mission() string {
	return fmt.Sprintf("fill every row, column and box with 1 to %d", w.side)
}

// Undo is the action that takes the newest placement back.
func (w *World) Undo() int { return w.cells * w.side }

// Place is the action that puts a digit, 1 to side, into a cell.
func (w *World) Place(cell int, digit uint8) int { return cell*w.side + int(digit) - 1 }

// Grid is the digits that stand now, Givens the puzzle, Solution the answer, [side*side] each. They
// are the World's own: valid until its next step, not to be written.
func (w *World) Grid() []uint8 { return w.grid }

// Givens is the puzzle; see Grid.
func (w *World) Givens() []uint8 { return w.givens }

// Solution is the answer; see Grid.
func (w *World) Solution() []uint8 { return w.solution }

func (w *World) begin() {
	w.gen.Next(w.givens, w.solution, w.rng.Rand)
	w.enter()
}

// enter starts an episode with the givens and the solution.
func (w *World) enter() {
	copy(w.grid, w.givens)
	w.past = w.past[:0]
	w.steps, w.live = 0, true
	w.count()
}

func (w *World) count() {
	w.right, w.filled, w.holes = 0, 0, 0
	for i, d := range w.grid {
		if d != 0 {
			w.filled++
		}
		if w.givens[i] == 0 {
			w.holes++
			if d == w.solution[i] {
				w.right++
			}
		}
	}
}

// Observe writes the observation of the present state, as after an Edit.
func (w *World) Observe(obs []byte) {
	_ = obs[w.spec.ObsLen-1]
	given := obs[w.cells:]
	for i, d := range w.grid {
		obs[i] = TokenBlank + d
		given[i] = 0
		if w.givens[i] != 0 {
			given[i] = 1
		}
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
		panic("sudoku: step after the end of the episode")
	}
	if action < 0 || action > w.Undo() {
		panic(fmt.Sprintf("sudoku: action %d, want 0 to %d", action, w.Undo()))
	}
	w.steps++
	out := env.Outcome{Reward: -w.cfg.MoveCost, Truncated: w.steps >= w.cfg.MaxSteps}
	before := w.right
	switch cell, digit := action/w.side, uint8(action%w.side+1); {
	case action == w.Undo() && len(w.past) > 0:
		last := w.past[len(w.past)-1]
		w.past = w.past[:len(w.past)-1]
		w.put(int(last.cell), last.old)
	case action == w.Undo() || !w.allowed(cell, digit):
		out.Reward -= w.cfg.InvalidCost
	default:
		w.past = append(w.past, move{uint8(cell), w.grid[cell]})
		w.put(cell, digit)
		out.Terminated = w.cfg.Mistakes == End && digit != w.solution[cell]
	}
	if w.cfg.Reward == ByProgress {
		out.Reward += float64(w.right-before) / float64(w.holes)
	}
	if w.filled == w.cells && w.valid(w.grid) {
		out.Terminated = true
		if w.cfg.Reward == BySolved {
			out.Reward++
		}
	}
	w.live = !out.Done()
	w.Observe(obs)
	return out
}

// put changes a cell that is not a given; digit 0 empties it.
func (w *World) put(cell int, digit uint8) {
	old := w.grid[cell]
	w.grid[cell] = digit
	if old == 0 && digit != 0 {
		w.filled++
	}
	if old != 0 && digit == 0 {
		w.filled--
	}
	if old == w.solution[cell] {
		w.right--
	}
	if digit == w.solution[cell] {
		w.right++
	}
}

// allowed reports whether the digit may be placed in the cell.
func (w *World) allowed(cell int, digit uint8) bool {
	if w.givens[cell] != 0 || w.grid[cell] == digit || w.cfg.Mistakes == Refuse && digit != w.solution[cell] {
		return false
	}
	for _, p := range w.peers[cell][:w.peerN] {
		if w.grid[p] == digit {
			return false
		}
	}
	return true
}

// valid reports whether no digit of the grid stands twice.
func (w *World) valid(cells []uint8) bool {
	for _, unit := range w.units[:3*w.side] {
		var seen uint32
		for _, cell := range unit[:w.side] {
			if d := cells[cell]; d != 0 {
				if seen>>d&1 == 1 {
					return false
				}
				seen |= 1 << d
			}
		}
	}
	return true
}

// ActionMask implements env.Masker: the moves that are valid.
func (w *World) ActionMask(dst []bool) {
	for cell := range w.cells {
		for d := 1; d <= w.side; d++ {
			dst[w.Place(cell, uint8(d))] = w.allowed(cell, uint8(d))
		}
	}
	dst[w.Undo()] = len(w.past) > 0
}

// Level implements env.Leveler: the givens, in the form of AppendText.
func (w *World) Level() (string, error) { return string(AppendText(nil, w.givens)), nil }

// SetLevel implements env.Leveler: a puzzle in a form of Parse, of the World's size and with
// exactly one solution.
func (w *World) SetLevel(text string) error {
	puzzle, err := Parse(text)
	if err != nil {
		return err
	}
	if len(puzzle) != w.cells {
		return fmt.Errorf("sudoku: %d cells: %s has %d", len(puzzle), w.spec.ID, w.cells)
	}
	solution := make([]uint8, w.cells)
	if _, err := w.gen.solver.Check(solution, puzzle); err != nil {
		return err
	}
	if w.full(puzzle) {
		return errors.New("sudoku: no empty cell")
	}
	copy(w.givens, puzzle)
	copy(w.solution, solution)
	w.enter()
	return nil
}

func (w *World) full(cells []uint8) bool {
	for _, d := range cells {
		if d == 0 {
			return false
		}
	}
	return true
}

// Grade implements env.Grader: 1 for a solution, 0 for all else.
func (w *World) Grade(answer []uint8) float64 {
	if len(answer) != w.cells || !w.full(answer) || slices.Max(answer) > uint8(w.side) || !w.valid(answer) {
		return 0
	}
	for i, d := range w.givens {
		if d != 0 && d != answer[i] {
			return 0
		}
	}
	return 1
}

// Edit changes the givens: value 1 to side makes the cell in column x of row y a given, 0 empties
// it, -1 puts the next digit there that is possible, or nothing after the last. The puzzle that
// comes of it may have several solutions, of which any counts, but must have one. The episode begins
// again with it.
func (w *World) Edit(x, y, value int) error {
	if x < 0 || y < 0 || x >= w.side || y >= w.side {
		return fmt.Errorf("sudoku: cell (%d, %d) is outside of %d columns and rows", x, y, w.side)
	}
	if value < -1 || value > w.side {
		return fmt.Errorf("sudoku: value %d: want a digit 1 to %d, 0 to empty the cell or -1 for the next", value, w.side)
	}
	cell := y*w.side + x
	if value >= 0 {
		return w.give(cell, uint8(value))
	}
	for d := int(w.givens[cell]) + 1; d <= w.side; d++ {
		if err := w.give(cell, uint8(d)); err == nil {
			return nil
		}
	}
	return w.give(cell, 0)
}

func (w *World) give(cell int, digit uint8) error {
	puzzle := append([]uint8(nil), w.givens...)
	puzzle[cell] = digit
	solution := make([]uint8, w.cells)
	if _, err := w.gen.solver.Check(solution, puzzle); err != nil && !errors.Is(err, ErrAmbiguous) {
		return err
	}
	if w.full(puzzle) {
		return errors.New("sudoku: the last empty cell stays")
	}
	copy(w.givens, puzzle)
	copy(w.solution, solution)
	w.enter()
	return nil
}

// Board implements env.Boarder, in the codes of PaintBoard: a digit of the agent that is not the
// solution's has grid.FlagWrong.
func (w *World) Board() grid.Board {
	b := BoardOf(w.grid, w.givens)
	b.Caption = w.Mission()
	for i, d := range w.grid {
		if d != 0 && d != w.solution[i] {
			b.Cells[i].Flags |= grid.FlagWrong
		}
	}
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

// A snapshot is a mark, the stream, live, steps and number of past moves, givens, grid and the
// past moves of two bytes each. The solution follows from the givens.
const (
	stateMark = 'S'
	stateHead = 1 + rng.RandStateLen + 1 + 2*4
)

// AppendState implements env.Snapshotter.
func (w *World) AppendState(dst []byte) []byte {
	dst = append(dst, stateMark)
	dst = w.rng.AppendState(dst)
	live := byte(0)
	if w.live {
		live = 1
	}
	dst = append(dst, live)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(w.steps))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(w.past)))
	dst = append(dst, w.givens...)
	dst = append(dst, w.grid...)
	for _, m := range w.past {
		dst = append(dst, m.cell, m.old)
	}
	return dst
}

// Ended implements env.Ender.
func (w *World) Ended() bool { return !w.live }

// SetState implements env.Snapshotter.
func (w *World) SetState(state []byte) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("sudoku: not a snapshot of %s: %w", w.spec.ID, fmt.Errorf(format, args...))
	}
	fixed := stateHead + 2*w.cells
	if len(state) < fixed || state[0] != stateMark {
		return bad("%d bytes, want at least %d that begin with %q", len(state), fixed, stateMark)
	}
	stream, live := state[1:1+rng.RandStateLen], state[1+rng.RandStateLen]
	steps := int(binary.LittleEndian.Uint32(state[stateHead-8:]))
	n := int(binary.LittleEndian.Uint32(state[stateHead-4:]))
	givens, cells, past := state[stateHead:stateHead+w.cells], state[stateHead+w.cells:fixed], state[fixed:]
	switch {
	case steps > w.cfg.MaxSteps || live > 1 || live == 1 && steps == w.cfg.MaxSteps:
		return bad("step %d of %d, live %d", steps, w.cfg.MaxSteps, live)
	case n > steps || len(past) != 2*n:
		return bad("%d moves in %d bytes after %d steps", n, len(past), steps)
	}
	for i, d := range cells {
		if int(d) > w.side || givens[i] != 0 && givens[i] != d {
			return bad("%s is %d, given %d", w.name(i), d, givens[i])
		}
	}
	for i := 0; i < len(past); i += 2 {
		if cell, old := int(past[i]), int(past[i+1]); cell >= w.cells || old > w.side || givens[cell] != 0 {
			return bad("move %d changed cell %d from %d", i/2, cell, old)
		}
	}
	if live == 1 && w.full(cells) && w.valid(cells) {
		return bad("live, but solved")
	}
	solution := make([]uint8, w.cells)
	if _, err := w.gen.solver.Check(solution, givens); err != nil && !errors.Is(err, ErrAmbiguous) {
		return bad("%w", err)
	}
	if err := w.rng.SetState(stream); err != nil {
		return bad("%w", err)
	}
	copy(w.givens, givens)
	copy(w.solution, solution)
	copy(w.grid, cells)
	w.past = w.past[:0]
	for i := 0; i < len(past); i += 2 {
		w.past = append(w.past, move{past[i], past[i+1]})
	}
	w.steps, w.live = steps, live == 1
	w.count()
	return nil
}
