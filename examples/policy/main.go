// Program policy has a network of its own, in plain Go: it spreads word of the goal through a maze, some cells a segment, and
// halts when the word has come to the agent. It plays mazes, and records a thought. docs/tutorials/network.md tells more.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/session"
	_ "github.com/ponder-agents/ponder/agent/task/families"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/viz/record"
)

// A network has no parameters.
type network struct{}

// Spec implements think.Core: what is carried from segment to segment is a number for each cell.
func (network) Spec() think.Spec {
	return think.Spec{Vocab: 6, Outputs: 4, Levels: []think.Level{{Name: "word", Width: 1}}}
}

// Open implements think.Core.
func (network) Open(n int, shape think.Shape) (think.Rows, error) {
	return &rows{shape: shape, tokens: make([][]int32, n), word: make([][]float32, n)}, nil
}

// rows are mazes that are thought about at once.
type rows struct {
	shape  think.Shape
	tokens [][]int32
	word   [][]float32 // of each maze, for each cell: 1 at the goal, less the farther; 0 where nobody has heard
}

// Begin implements think.Rows.
func (r *rows) Begin(row int, in think.Input) error {
	r.word[row] = make([]float32, r.shape.Seq)
	return r.Turn(row, in)
}

// Turn implements think.Rows.
func (r *rows) Turn(row int, in think.Input) error {
	r.tokens[row] = slices.Clone(in.Tokens)
	return nil
}

// sweeps is how many cells word travels in a segment.
const sweeps = 4

// Segment implements think.Rows.
func (r *rows) Segment(which []int, out *think.Output) error {
	out.Logits, out.QHalt, out.QContinue = out.Logits[:0], out.QHalt[:0], out.QContinue[:0]
	for _, row := range which {
		for range sweeps {
			r.sweep(row)
		}
		heard := float32(-1)
		for i, token := range r.tokens[row] {
			for _, j := range r.around(i) { // up, down, left, right
				logit := float32(-20)
				if j >= 0 && r.word[row][j] > 0 {
					logit = 20 * r.word[row][j]
				}
				out.Logits = append(out.Logits, logit)
			}
			if token == int32(maze.TokenStart) && r.word[row][i] > 0 {
				heard = 1
			}
		}
		out.QHalt = append(out.QHalt, heard)
		out.QContinue = append(out.QContinue, 0)
	}
	return nil
}

// sweep lets every cell hear what its neighbours have heard.
func (r *rows) sweep(row int) {
	was := slices.Clone(r.word[row])
	for i, token := range r.tokens[row] {
		switch token {
		case int32(maze.TokenWall):
			continue
		case int32(maze.TokenGoal):
			r.word[row][i] = 1
		}
		for _, j := range r.around(i) {
			if j >= 0 {
				r.word[row][i] = max(r.word[row][i], 0.97*was[j])
			}
		}
	}
}

// around are the cells beside cell i, -1 where there is none.
func (r *rows) around(i int) [4]int {
	x, y := i%r.shape.Cols, i/r.shape.Cols
	next := [4]int{-1, -1, -1, -1}
	for k, d := range [4][2]int{{0, -1}, {0, 1}, {-1, 0}, {1, 0}} {
		if nx, ny := x+d[0], y+d[1]; nx >= 0 && ny >= 0 && nx < r.shape.Cols && ny < r.shape.Rows {
			next[k] = ny*r.shape.Cols + nx
		}
	}
	return next
}

// Save implements think.Rows.
func (r *rows) Save(row int) (think.Memory, error) {
	return think.Memory{slices.Clone(r.word[row])}, nil
}

// Load implements think.Rows.
func (r *rows) Load(row int, m think.Memory) error {
	r.word[row] = slices.Clone(m[0])
	return nil
}

// Close implements think.Rows.
func (r *rows) Close() error { return nil }

// model says how the network is to be used: what it answers, and when it halts.
func model() *think.Model {
	return &think.Model{Name: "word of the goal", Core: network{}, Usage: think.Usage{
		Task: "maze-directions", Halting: act.Config{MaxSegments: 32, Rule: act.HaltAbove},
	}}
}

func play(ctx context.Context) error {
	worlds, err := env.MakeVec("maze/15x15-v0", 16, env.VecConfig{})
	if err != nil {
		return err
	}
	policy, err := think.NewPolicy(model(), worlds.Spec(), think.Config{})
	if err != nil {
		return err
	}
	stats, err := agent.Run(ctx, worlds, policy, agent.Config{Episodes: 100})
	if err != nil {
		return err
	}
	fmt.Printf("%d of %d reached the goal, %.1f segments a step\n", stats.Successes, stats.Episodes, stats.Segments.Mean)
	if len(os.Args) < 2 {
		return nil
	}
	// The file named is a film of the thought: what thinks is shown, whoever made it.
	e, err := env.Make("maze/15x15-v0")
	if err != nil {
		return err
	}
	w, err := session.WorldOf(e)
	if err != nil {
		return err
	}
	mind, err := think.NewMind(model(), w.Spec(), think.Config{})
	if err != nil {
		return err
	}
	defer mind.Close()
	r := record.Recording{Out: os.Args[1]}
	return r.Play(ctx, &session.Scene{World: w, Agent: mind}, 3, 0)
}

func main() {
	if err := play(context.Background()); err != nil {
		log.Fatal(err)
	}
}
