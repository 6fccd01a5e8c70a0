package maze_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
)

func ExampleSolver() {
	m, err := maze.Parse("#######\n#S#   #\n# # # #\n#   #G#\n#######\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	var s maze.Solver
	path := s.AppendPath(nil, m)
	fmt.Print(string(m.AppendText(nil, path)))
	fmt.Println(len(path)-1, "moves")
	// Output:
	// #######
	// #S#ooo#
	// #o#o#o#
	// #ooo#G#
	// #######
	// 10 moves
}

func ExampleGenerator() {
	g, err := maze.NewGenerator(maze.Config{Rows: 7, Cols: 11, MaxOpenings: 0.2, MinPath: 12})
	if err != nil {
		fmt.Println(err)
		return
	}
	var m maze.Maze
	g.Next(&m, rand.New(rand.NewPCG(1, 2)))
	fmt.Println(&m)
	// Output:
	// ###########
	// #   #     #
	// # ##### # #
	// #   #   # #
	// ### # # #S#
	// # G   # # #
	// ###########
}

func ExampleWorld() {
	e, err := env.Make("maze/9x9-v0", "view=fog")
	if err != nil {
		fmt.Println(err)
		return
	}
	w := e.(*maze.World)
	obs := make([]byte, w.Spec().ObsLen)
	w.Seed(5)
	w.Reset(obs)
	bot := maze.NewBot(w)
	for steps := 1; ; steps++ {
		action, err := bot.Act()
		if err != nil {
			fmt.Println(err)
			return
		}
		if out := w.Step(action, obs); out.Done() {
			fmt.Println("at the goal:", out.Terminated)
			return
		}
	}
	// Output: at the goal: true
}
