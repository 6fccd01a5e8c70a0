package maze

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/ponder-agents/ponder/env"
)

// A Plan is the oracle that sees the whole maze and goes a shortest way, with the doors as they are.
type Plan struct {
	w    *World
	maze Maze
	sets []uint8
}

// NewPlan plans for w.
func NewPlan(w *World) *Plan { return &Plan{w: w} }

// Act implements env.Oracle. Of several best directions it takes the first in the order of the
// actions.
func (p *Plan) Act() (int, error) {
	m := p.w.Maze()
	if p.w.agent == m.Goal {
		return 0, fmt.Errorf("maze: the agent is at the goal")
	}
	if p.sets == nil || p.maze.Goal != m.Goal || p.maze.Cols != m.Cols || !slices.Equal(p.maze.Wall, m.Wall) {
		p.maze.CopyFrom(m)
		p.sets = p.w.solver.AppendDirections(p.sets[:0], m)
	}
	set := p.sets[p.w.agent]
	if set == 0 {
		return 0, fmt.Errorf("maze: %w", ErrNoWay)
	}
	return bits.TrailingZeros8(set), nil
}

// Shortest says that a plan has no more steps than any other, which nobody can plan where doors change.
func (p *Plan) Shortest() bool { return p.w.cfg.Doors == 0 }

// A Bot is the oracle that knows only what the agent has seen in the episode: it goes to the goal
// by the shortest known way, or else to the nearest cell beside the unknown. It reaches the goal
// of every maze.
type Bot struct {
	w     *World
	first []int8 // direction of the first move to each cell found
	queue []int
}

// NewBot explores for w.
func NewBot(w *World) *Bot { return &Bot{w: w, first: make([]int8, len(w.seen))} }

// Act implements env.Oracle.
func (b *Bot) Act() (int, error) {
	w, m := b.w, &b.w.maze
	if w.agent == m.Goal {
		return 0, fmt.Errorf("maze: the agent is at the goal")
	}
	for i := range b.first {
		b.first[i] = -1
	}
	b.queue = append(b.queue[:0], w.agent)
	b.first[w.agent] = 4
	frontier := -1
	for k := 0; k < len(b.queue); k++ {
		at := b.queue[k]
		for dir := range 4 {
			// Next looks at the wall behind the border of the known; whether that cell is
			// seen is asked first.
			next, known := b.beside(at, dir)
			if !known {
				if frontier < 0 && at != w.agent {
					frontier = at
				}
				continue
			}
			if next == at || b.first[next] >= 0 {
				continue
			}
			b.first[next] = b.first[at]
			if at == w.agent {
				b.first[next] = int8(dir)
			}
			if next == m.Goal {
				return int(b.first[next]), nil
			}
			b.queue = append(b.queue, next)
		}
	}
	if frontier < 0 {
		return 0, fmt.Errorf("maze: all that can be reached is known, and the goal is not there")
	}
	return int(b.first[frontier]), nil
}

// beside is the cell that a move leads to, as Maze.Next, and whether the agent knows that cell.
func (b *Bot) beside(cell, dir int) (next int, known bool) {
	m := &b.w.maze
	r, c := cell/m.Cols, cell%m.Cols
	switch dir {
	case Up:
		r--
	case Down:
		r++
	case Left:
		c--
	case Right:
		c++
	}
	if r < 0 || c < 0 || r >= m.Rows || c >= m.Cols {
		return cell, true
	}
	next = r*m.Cols + c
	if !b.w.seen[next] {
		return cell, false
	}
	if m.Wall[next] {
		return cell, true
	}
	return next, true
}

var (
	_ env.Oracle = (*Plan)(nil)
	_ env.Oracle = (*Bot)(nil)
)
