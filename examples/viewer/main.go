// Program viewer is the window with a pane of its own: how many cells are still open to the agent's doubt, segment by segment.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/families"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/canvas"
	"github.com/ponder-agents/ponder/viz/window"
)

// doubt counts the cells of which the segment shown is less than 90 % sure.
func doubt(v *viz.View) int {
	if v.Step == nil || v.Segment < 0 || v.Segment >= len(v.Step.Thought) {
		return 0
	}
	n := 0
	for _, c := range v.Step.Thought[v.Segment].Confidence {
		if c > 0 && c < 230 {
			n++
		}
	}
	return n
}

// doubtPane shows that below the column beside the board; D hides it.
func doubtPane() viz.Pane {
	return viz.Pane{
		ID: "doubt", Title: "cells in doubt", Key: "D",
		Place: func(r *viz.Room) []canvas.Rect { return []canvas.Rect{r.ColumnBottom(56)} },
		Draw: func(c *canvas.Canvas, r canvas.Rect, v *viz.View) {
			c.RoundRect(r, 6, v.Theme.Panel)
			c.TextIn(r, fmt.Sprintf("%d cells in doubt", doubt(v)), canvas.Font{Size: 15}, canvas.Center, v.Theme.Text)
		},
	}
}

func main() {
	panes := viz.Panes()
	at := len(panes) - 2 // before the curve and the board, which take what is left
	app, err := window.New(window.Config{
		Open: func(_ context.Context, c session.Choice) (*session.Scene, error) {
			return open.Scene(c, think.Wishes{}, open.Run{Engine: open.Auto})
		},
		Choice: session.Choice{Env: "sudoku", Options: "difficulty=hard", Agent: trace.Network, Whole: true},
		Envs:   env.Names(), Agents: window.Agents(nil),
		Panes: append(panes[:at:at], append([]viz.Pane{doubtPane()}, panes[at:]...)...), Painters: viz.FamilyPainters(),
		Play: true,
	})
	if err == nil {
		err = window.Run(app, window.Options{Title: "with a pane of its own"})
	}
	if err != nil {
		log.Fatal(err)
	}
}
