package session

import (
	"context"
	"errors"

	"github.com/ponder-agents/ponder/agent/trace"
)

// WithAttention is a that puts the attention of every cell into each segment, so that a trace keeps it.
// That takes cells x cells bytes a level and segment, and time. It is an error if a cannot say what it
// attended to.
func WithAttention(a Agent, w World) (Agent, error) {
	t, ok := a.(Attender)
	if !ok {
		return nil, errors.New("this agent has no attention to keep")
	}
	return &attentive{Attender: t, world: w}, nil
}

type attentive struct {
	Attender
	world    World
	segments int
}

// Begin implements Agent.
func (a *attentive) Begin(ctx context.Context, obs []byte, fresh bool) error {
	a.segments = 0
	return a.Attender.Begin(ctx, obs, fresh)
}

// Think implements Agent.
func (a *attentive) Think(ctx context.Context, g *trace.Segment) error {
	if err := a.Attender.Think(ctx, g); err != nil {
		return err
	}
	a.segments++
	cells := len(a.world.Board().Cells)
	for cell := range cells {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		levels, err := a.Attend(ctx, a.segments-1, cell)
		if err != nil {
			return err
		}
		for k := range g.Levels {
			var row []uint8
			if k < len(levels) {
				row = levels[k]
			}
			g.Levels[k].Attention = appendRow(g.Levels[k].Attention, row, cell, cells)
		}
	}
	return nil
}

// appendRow appends the attention of a cell. A cell without any, as one that has no token, has a row
// of zeros; a level without any has no rows.
func appendRow(rows, row []uint8, cell, cells int) []uint8 {
	if len(row) != cells {
		if rows == nil {
			return nil
		}
		row = make([]uint8, cells)
	}
	if rows == nil {
		rows = make([]uint8, cell*cells, cells*cells)
	}
	return append(rows, row...)
}
