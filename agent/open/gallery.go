package open

import (
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
)

// Gallery are runs that show what there is to see, each live.
func Gallery() []session.Show {
	network := func(env, options, model string, seed uint64) session.Choice {
		return session.Choice{Env: env, Options: options, Agent: trace.Network, Model: model, Seed: seed}
	}
	return []session.Show{
		{Title: "Sudokus that take guesses", About: "many segments, until no digit contradicts another", Choice: Demo(0)},
		{Title: "A maze, step by step", About: "the way from every cell, thought anew at each step", Choice: network("maze/15x15-v0", "", "maze", 3)},
		{Title: "A maze of 31x31", About: "four times the size that it learned from", Choice: network("maze/31x31-v0", "", "maze", 1)},
		{Title: "Learned from reward alone", About: "how long to think, too: more where the way is not clear", Choice: network("maze/11x11-v0", "", "maze-reward", 5)},
		{Title: "A door and its key", About: "MiniGrid's DoorKey, from what the agent sees", Choice: network("MiniGrid-DoorKey-5x5-v0", "", "doorkey-5x5", 2)},
		{Title: "A key behind a door", About: "MiniGrid's KeyCorridor", Choice: network("MiniGrid-KeyCorridorS3R1-v0", "", "keycorridor-s3r1", 1)},
		{Title: "A task of ARC, by hand", About: "pick colours and tools, click, submit; no model is shipped for it", Choice: session.Choice{Env: "arc/fall-v0", Agent: trace.Human, Seed: 3}},
	}
}
