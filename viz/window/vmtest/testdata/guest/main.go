// Command guest shows what the tests of the window look at: a trace, or a live session that thinks by
// a wave, slowly if asked to.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/viz"
	"github.com/ponder-agents/ponder/viz/viztest"
	"github.com/ponder-agents/ponder/viz/window"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(mode string, args []string) error {
	cfg := window.Config{Painters: viz.Painters{"maze": maze.PaintBoard}}
	switch mode {
	case "replay":
		f, err := trace.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		cfg.Traces = []window.Trace{{Name: "test.trace", Header: f.Header(), History: f}}
	case "slow": // each segment takes a while
		cfg.Open = open(20 * time.Millisecond)
		cfg.Dir = args[0]
	case "stuck": // a segment never ends
		cfg.Open = open(time.Hour)
	}
	cfg.Choice = session.Choice{Env: "maze", Agent: "hrm", Seed: 3}
	cfg.Agents = []window.Agent{{Title: "wave", Agent: "hrm"}}
	cfg.Envs = []string{"maze"}
	cfg.Play = mode != "replay"
	a, err := window.New(cfg)
	if err != nil {
		return err
	}
	return window.Run(a, window.Options{Title: "guest"})
}

type sleepy struct {
	*viztest.Wave
	d time.Duration
}

// Think implements session.Agent. It does not look at ctx, as a network in the middle of a product.
func (s sleepy) Think(ctx context.Context, g *trace.Segment) error {
	time.Sleep(s.d)
	return s.Wave.Think(ctx, g)
}

func open(d time.Duration) session.Opener {
	return func(_ context.Context, c session.Choice) (*session.Scene, error) {
		e, err := env.Make(c.Env)
		if err != nil {
			return nil, err
		}
		w, err := session.WorldOf(e)
		if err != nil {
			return nil, err
		}
		t := &viztest.Wave{World: w, Name: "wave", Wall: maze.KindWall, Goal: maze.KindGoal, Reach: 4, MaxSegments: 16}
		return &session.Scene{World: w, Agent: sleepy{t, d}}, nil
	}
}
