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

// Recordings are runs that were recorded (`make recordings`), which show at once what would take its time live. The choice is
// what was recorded.
func Recordings() []session.Show {
	recorded := func(title, about, name, env, model string) session.Show {
		return session.Show{Title: "Recorded: " + title, About: about, Choice: session.Choice{Env: env, Agent: trace.Network, Model: model}, Recording: name}
	}
	return []session.Show{
		recorded("the way through 31x31", "all of it in one answer, put right segment by segment", "way.trace", "maze/31x31-v0", "maze-path"),
		recorded("a sudoku that takes guesses", "digits firm up, and are taken back", "sudoku.trace", "sudoku/9x9-v0", "sudoku"),
		recorded("one that it does not solve", "64 segments, and never sure: it says so", "stuck.trace", "sudoku/9x9-v0", "sudoku"),
		recorded("when to think, and when not", "a gate that learned from return: 9 segments at first, then mostly one", "gate.trace", "maze/11x11-v0", "maze-reward"),
		recorded("a door and its key", "a whole episode of DoorKey", "door.trace", "MiniGrid-DoorKey-5x5-v0", "doorkey-5x5"),
	}
}
