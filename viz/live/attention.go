package live

import (
	"context"
	"errors"

	"github.com/ponder-agents/ponder/agent/trace"
)

// WithAttention is t that puts the attention of every cell into each segment, so that a trace keeps it.
// That takes cells x cells bytes a level and segment, and time. It is an error if t cannot say what it
// attended to.
func WithAttention(t Thinker) (Thinker, error) {
	a, ok := t.(Attender)
	if !ok {
		return nil, errors.New("this agent has no attention to keep")
	}
	return &attentive{Attender: a, Thinker: t}, nil
}

type attentive struct {
	Thinker
	Attender
	cells    int
	segments int
}

// Begin implements Thinker.
func (a *attentive) Begin(ctx context.Context, w World, obs []byte, fresh bool) error {
	a.cells, a.segments = len(w.Board().Cells), 0
	return a.Thinker.Begin(ctx, w, obs, fresh)
}

// Think implements Thinker.
func (a *attentive) Think(ctx context.Context, g *trace.Segment) error {
	if err := a.Thinker.Think(ctx, g); err != nil {
		return err
	}
	a.segments++
	for cell := range a.cells {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		rows, err := a.Attend(ctx, a.segments-1, cell)
		if err != nil {
			return err
		}
		for i := range g.Levels {
			var row []uint8
			if i < len(rows) {
				row = rows[i]
			}
			l := &g.Levels[i]
			l.Attention = appendRow(l.Attention, row, cell, a.cells)
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
