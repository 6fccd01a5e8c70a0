package open

import (
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
)

// demoSeeds are sudokus that take guesses, of which the shipped model's thought is worth watching: it solves them, and
// at least six of its segments change three digits or more (TestDemo measures all).
const demoSeeds = "21 30 44 136 72 76 128 121 182 35 36 68 85 101"

// Demo is what a newcomer sees first: one sudoku after the other, beginning with the n-th of those chosen for it.
func Demo(n int) session.Choice {
	seeds := strings.Fields(demoSeeds)
	n %= len(seeds)
	seed, _ := strconv.ParseUint(seeds[n], 10, 64)
	return session.Choice{
		Env: "sudoku/9x9-v0", Options: "difficulty=hard", Agent: trace.Network, Model: "sudoku",
		Seed: seed, Seeds: strings.Join(seeds, " "), Whole: true,
	}
}

// Demos is the number of worlds of Demo.
func Demos() int { return len(strings.Fields(demoSeeds)) }
