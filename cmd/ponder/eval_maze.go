//go:build cgo && !notorch

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/spf13/cobra"
)

// mazeResult is what eval maze prints.
type mazeResult struct {
	Model         string  `json:"model"`
	Count         int     `json:"count"`
	Success       float64 `json:"success"`        // share that reached the goal
	Optimal       float64 `json:"optimal"`        // share that reached it by a shortest path
	ExactAccuracy float64 `json:"exact_accuracy"` // share of mazes with every open cell's direction optimal
	CellAccuracy  float64 `json:"cell_accuracy"`
	MeanPath      float64 `json:"mean_path"`     // moves of a shortest path
	MeanSegments  float64 `json:"mean_segments"` // of a decision, by the model's own halting
	MaxSegments   int     `json:"max_segments"`

	SegmentsShortest float64 `json:"mean_segments_shortest_quarter"` // on the quarter with the shortest paths
	SegmentsLongest  float64 `json:"mean_segments_longest_quarter"`
}

func newEvalMazeCmd() *cobra.Command {
	var net netFlags
	var size, count, batch, segments int
	var seed uint64
	var file string
	var asJSON, keep bool
	var min float64
	cmd := &cobra.Command{
		Use:   "maze",
		Short: "Let the agent walk through mazes that it has not seen",
		Long: `The agent stands at the start, thinks until it halts, makes the move that the answer says, and
thinks again, until the goal or the limit of steps. Every move is the network's: there is no search, no
list of visited cells, no help from an oracle. Mazes are drawn as in training but from the tenth of wall
layouts that training leaves out.`,
		Example: "  ponder eval maze --size 15 --count 1000 --seed 1\n  ponder eval maze --mazes mine.txt --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if count < 1 || batch < 1 {
				return usagef("--count %d, --batch %d: want 1 or more", count, batch)
			}
			mazes, err := evalMazes(file, size, count, seed)
			if err != nil {
				return err
			}
			n, err := net.open()
			if err != nil {
				return err
			}
			defer n.Close()
			if segments > 0 {
				n.Recipe.Evaluation.MaxSegments = segments
			}
			res, err := walk(cmd.Context(), n, mazes, batch, learn.PolicyConfig{KeepCarry: keep})
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(res)
			} else {
				fmt.Fprintf(cmd.OutOrStdout(), "%d mazes, shortest paths of %.1f moves on average\n"+
					"reached the goal       %6.2f %%\nby a shortest path     %6.2f %%\nevery direction right  %6.2f %% of mazes, %.2f %% of cells\n"+
					"segments a decision    %.2f of at most %d (%.2f on the shortest quarter, %.2f on the longest)\n",
					res.Count, res.MeanPath, 100*res.Success, 100*res.Optimal, 100*res.ExactAccuracy, 100*res.CellAccuracy,
					res.MeanSegments, res.MaxSegments, res.SegmentsShortest, res.SegmentsLongest)
			}
			if err == nil && res.Optimal < min {
				err = withCode(exitUnsolved, fmt.Errorf("%.4f by a shortest path, asked for %.4f", res.Optimal, min))
			}
			return err
		},
	}
	f := cmd.Flags()
	net.add(f, "maze")
	f.IntVar(&size, "size", 15, "rows and columns, walls included")
	f.IntVar(&count, "count", 500, "number of mazes")
	f.Uint64Var(&seed, "seed", 0, "of the mazes")
	f.StringVar(&file, "mazes", "", "evaluate the mazes in this text file, separated by empty lines, instead")
	f.IntVar(&batch, "batch", 64, "mazes walked through at once")
	f.IntVar(&segments, "segments", 0, "most segments a decision; 0 means the model's own limit")
	f.BoolVar(&keep, "keep-carry", false, "start a decision where the last one of the episode ended, not afresh")
	f.Float64Var(&min, "min-accuracy", 0, "exit with 3 if a smaller share goes by a shortest path")
	f.BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

// evalMazes reads mazes from a file, or draws held-out ones.
func evalMazes(file string, size, count int, seed uint64) ([]*maze.Maze, error) {
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		mazes, err := maze.ReadAll(f)
		if err == nil && len(mazes) == 0 {
			err = fmt.Errorf("no maze in it")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return mazes, nil
	}
	cfg := maze.Recipe(size)
	cfg.Split = maze.Test
	gen, err := maze.NewGenerator(cfg)
	if err != nil {
		return nil, usagef("--size %d: %v", size, err)
	}
	r := rng.Stream(seed, "eval/maze")
	mazes := make([]*maze.Maze, count)
	for i := range mazes {
		mazes[i] = new(maze.Maze)
		gen.Next(mazes[i], r.Rand)
	}
	return mazes, nil
}

// A gallery is a world whose episode k is in maze k.
type gallery struct {
	*maze.World
	mazes []*maze.Maze
	at    int
}

func (g *gallery) Seed(k uint64) { g.at = int(k % uint64(len(g.mazes))) }

func (g *gallery) Reset(obs []byte) {
	g.World.Reset(obs)
	if err := g.World.SetLevel(g.mazes[g.at].String()); err != nil {
		panic(err) // a maze that was read or drawn is one that can be set
	}
	g.World.Observe(obs)
}

// newGallery is rows worlds over mazes of one shape.
func newGallery(mazes []*maze.Maze, rows int) (*env.Vec, error) {
	m := mazes[0]
	id := fmt.Sprintf("maze/%dx%d-v0", m.Cols, m.Rows)
	var envs []env.Env
	for range min(rows, len(mazes)) {
		w, err := maze.NewWorld(id, maze.WorldConfig{
			Maze:     maze.Config{Rows: m.Rows, Cols: m.Cols},
			MaxSteps: m.Rows * m.Cols / 2, // twice the open cells of a perfect maze: who needs more is lost
		})
		if err != nil {
			return nil, err
		}
		envs = append(envs, &gallery{World: w, mazes: mazes})
	}
	return env.NewVec(envs, env.VecConfig{})
}

// walked is one maze's outcome.
type walked struct {
	shortest int
	episode  agent.Episode
}

// walk lets the network act in every maze.
func walk(ctx context.Context, n *learn.Net, mazes []*maze.Maze, batch int, cfg learn.PolicyConfig) (mazeResult, error) {
	res := mazeResult{Model: n.Name, Count: len(mazes), MaxSegments: n.Recipe.Evaluation.MaxSegments}
	byShape := map[[2]int][]*maze.Maze{}
	for _, m := range mazes {
		byShape[[2]int{m.Rows, m.Cols}] = append(byShape[[2]int{m.Rows, m.Cols}], m)
	}
	var all []walked
	for _, group := range byShape {
		v, err := newGallery(group, batch)
		if err != nil {
			return res, err
		}
		p, err := learn.NewPolicy(n, v.Spec(), cfg)
		if err != nil {
			return res, err
		}
		var solver maze.Solver
		_, err = agent.Run(ctx, v, p, agent.Config{Episodes: len(group), Each: func(e agent.Episode) {
			moves, _ := solver.Len(group[e.Index])
			all = append(all, walked{moves, e})
		}})
		p.Close()
		v.Close()
		if err != nil {
			return res, err
		}
		exact, err := examine(ctx, n, group, batch)
		if err != nil {
			return res, err
		}
		share := float64(len(group)) / float64(len(mazes))
		res.ExactAccuracy += share * exact.ExactAccuracy
		res.CellAccuracy += share * exact.CellAccuracy
	}
	slices.SortStableFunc(all, func(a, b walked) int { return a.shortest - b.shortest })
	var path, success, optimal int
	for _, w := range all {
		path += w.shortest
		if w.episode.Success {
			success++
			if w.episode.Length == w.shortest {
				optimal++
			}
		}
	}
	total := float64(len(all))
	res.MeanPath, res.Success, res.Optimal = float64(path)/total, float64(success)/total, float64(optimal)/total
	quarter := max(1, len(all)/4)
	res.MeanSegments = segmentsPerDecision(all)
	res.SegmentsShortest = segmentsPerDecision(all[:quarter])
	res.SegmentsLongest = segmentsPerDecision(all[len(all)-quarter:])
	return res, nil
}

func segmentsPerDecision(all []walked) float64 {
	var segments, steps int
	for _, w := range all {
		segments += w.episode.Segments
		steps += w.episode.Length
	}
	return float64(segments) / float64(max(1, steps))
}

// examine scores the answer for every open cell, thought about once from the start.
func examine(ctx context.Context, n *learn.Net, mazes []*maze.Maze, batch int) (learn.Evaluation, error) {
	if n.Recipe.Task != task.MazeDirectionsTask {
		return learn.Evaluation{}, nil
	}
	crop := task.Crop(mazes[0])
	rows, cols := mazes[0].Rows-2*crop, mazes[0].Cols-2*crop
	t := learn.Thinker{Model: n.Model, Halting: n.Recipe.Evaluation, Slots: batch, Rows: rows, Cols: cols}
	return t.Evaluate(ctx, n.Recipe.Loss, rows*cols, &mazeExam{mazes: mazes, crop: crop}, nil)
}

// mazeExam asks for the optimal directions of every open cell.
type mazeExam struct {
	mazes  []*maze.Maze
	crop   int
	solver maze.Solver
	dirs   []uint8
}

func (x *mazeExam) Next(in, label []int32) (int32, bool, error) {
	if len(x.mazes) == 0 {
		return 0, false, nil
	}
	m := x.mazes[0]
	x.mazes = x.mazes[1:]
	if c := task.Crop(m); c != x.crop {
		return 0, false, fmt.Errorf("mazes with and without an outer wall cannot be mixed in one size")
	}
	task.MazeTokens(in, m, m.Start, x.crop)
	x.dirs = x.solver.AppendDirections(x.dirs[:0], m)
	cols := m.Cols - 2*x.crop
	for i := range label {
		label[i] = puzzle.Ignore
		if d := x.dirs[(i/cols+x.crop)*m.Cols+i%cols+x.crop]; d != 0 {
			label[i] = int32(d)
		}
	}
	return 0, true, nil
}
