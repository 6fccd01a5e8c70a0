//go:build cgo && !notorch

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/spf13/cobra"
)

// mazeSolution is what solve maze prints with --json.
type mazeSolution struct {
	Solved       bool    `json:"solved"`   // reached the goal
	Optimal      bool    `json:"optimal"`  // by a shortest path
	Moves        int     `json:"moves"`    // made
	Shortest     int     `json:"shortest"` // possible
	Segments     []int   `json:"segments"` // thought before each move
	MeanSegments float64 `json:"mean_segments"`
	Confidence   float64 `json:"confidence"` // least probability of a chosen move
	Path         string  `json:"path"`       // moves as U, D, L, R
	Maze         string  `json:"maze"`       // with the path marked by o
}

func newSolveMazeCmd() *cobra.Command {
	var net netFlags
	var asJSON bool
	var out string
	cmd := &cobra.Command{
		Use:   "maze [FILE|-]",
		Short: "Walk through one maze in text form (#, space, S, G)",
		Example: `  ponder solve maze maze.txt
  ponder env show maze --seed 3 --text | ponder solve maze -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, in := "standard input", cmd.InOrStdin()
			if len(args) == 1 && args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				name, in = args[0], f
			}
			text, err := io.ReadAll(io.LimitReader(in, maxLevel))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			m, err := maze.Parse(string(text))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			n, err := net.open()
			if err != nil {
				return err
			}
			defer n.Close()
			sol, err := solveMaze(cmd, n, m, out)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(sol)
			} else {
				fmt.Fprintln(cmd.OutOrStdout(), strings.TrimRight(sol.Maze, "\n"))
				verdict := "reached the goal by a shortest path"
				if !sol.Optimal {
					verdict = fmt.Sprintf("reached the goal, %d moves more than needed", sol.Moves-sol.Shortest)
				}
				if !sol.Solved {
					verdict = "did not reach the goal"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %d moves, %.1f segments of thought a move\n", verdict, sol.Moves, sol.MeanSegments)
			}
			if err == nil && !sol.Solved {
				err = withCode(exitUnsolved, errors.New("the agent did not reach the goal"))
			}
			return err
		},
	}
	net.add(cmd.Flags(), "maze")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.Flags().StringVar(&out, "trace", "", "write what was thought to this file, for ponder play --trace")
	return cmd
}

// mazeSink follows an episode and keeps its way.
type mazeSink struct {
	sol  *mazeSolution
	path []int
	cols int
	next trace.Sink // may be nil
}

func (k *mazeSink) Put(s *trace.Step) error {
	agentAt := s.Board.Pieces[0]
	for _, p := range s.Board.Pieces {
		if p.Kind == 0 {
			agentAt = p
		}
	}
	k.path = append(k.path, agentAt.Y*k.cols+agentAt.X)
	if n := len(s.Thought); n > 0 {
		k.sol.Segments = append(k.sol.Segments, n)
		if a := s.Thought[n-1].Actions; s.Action < len(a) {
			k.sol.Confidence = min(k.sol.Confidence, float64(a[s.Action]))
		}
	}
	k.sol.Path += string("UDLR"[s.Action])
	if k.next != nil {
		return k.next.Put(s)
	}
	return nil
}

func solveMaze(cmd *cobra.Command, n *learn.Net, m *maze.Maze, out string) (*mazeSolution, error) {
	v, err := newGallery([]*maze.Maze{m}, 1)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	p, err := learn.NewPolicy(n, v.Spec(), learn.PolicyConfig{})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var solver maze.Solver
	sol := &mazeSolution{Confidence: 1}
	sol.Shortest, _ = solver.Len(m)
	sink := &mazeSink{sol: sol, cols: m.Cols}
	if out != "" {
		w, err := createTrace(out, n, v.Spec())
		if err != nil {
			return nil, err
		}
		defer w.Close()
		sink.next = w
	}
	_, err = agent.Run(cmd.Context(), v, p, agent.Config{Episodes: 1, Sink: sink, Each: func(e agent.Episode) {
		sol.Solved, sol.Moves = e.Success, e.Length
		sol.Optimal = e.Success && e.Length == sol.Shortest
	}})
	if err != nil {
		return nil, err
	}
	for _, s := range sol.Segments {
		sol.MeanSegments += float64(s) / float64(len(sol.Segments))
	}
	sol.Maze = string(m.AppendText(nil, sink.path))
	return sol, nil
}
