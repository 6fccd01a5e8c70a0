package trace

import (
	"slices"

	"github.com/ponder-agents/ponder/env/grid"
)

// Info is what a timeline shows of a step, without its board and thought.
type Info struct {
	Episode    int
	Index      int // within the episode, from 0
	Segments   int // thought before the action
	Action     int // -1 if none was taken
	Reward     float64
	Return     float64
	Terminated bool
	Truncated  bool
}

// Info sums up s.
func (s *Step) Info() Info {
	return Info{
		Episode: s.Episode, Index: s.Index, Segments: len(s.Thought), Action: s.Action,
		Reward: s.Reward, Return: s.Return, Terminated: s.Terminated, Truncated: s.Truncated,
	}
}

// Clone is a copy of s that shares nothing with it.
func (s *Step) Clone() *Step {
	c := *s
	c.Board = cloneBoard(s.Board)
	c.Thought = make([]Segment, len(s.Thought))
	for i := range s.Thought {
		c.Thought[i] = s.Thought[i].Clone()
	}
	return &c
}

func cloneBoard(b grid.Board) grid.Board {
	b.Cells, b.Pieces, b.Beside = slices.Clone(b.Cells), slices.Clone(b.Pieces), slices.Clone(b.Beside)
	for i := range b.Beside {
		b.Beside[i].Board = cloneBoard(b.Beside[i].Board)
	}
	return b
}

// Clone is a copy of g that shares nothing with it.
func (g *Segment) Clone() Segment {
	c := *g
	c.Answer = slices.Clone(g.Answer)
	c.Confidence = slices.Clone(g.Confidence)
	c.Actions = slices.Clone(g.Actions)
	c.Levels = slices.Clone(g.Levels)
	for i := range c.Levels {
		l := &c.Levels[i]
		l.Change, l.Attention = slices.Clone(l.Change), slices.Clone(l.Attention)
	}
	return c
}

// memBytes is about what s occupies.
func (s *Step) memBytes() int {
	n := 256 + 4*len(s.Board.Cells) + 8*len(s.Board.Pieces)
	for i := range s.Board.Beside {
		b := &s.Board.Beside[i].Board
		n += 128 + 4*len(b.Cells) + 8*len(b.Pieces)
	}
	for i := range s.Thought {
		g := &s.Thought[i]
		n += 128 + len(g.Answer) + len(g.Confidence) + 4*len(g.Actions)
		for i := range g.Levels {
			n += 64 + len(g.Levels[i].Attention) + 4*len(g.Levels[i].Change)
		}
	}
	return n
}
