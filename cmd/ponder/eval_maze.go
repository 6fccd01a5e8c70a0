//go:build cgo && !notorch

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/spf13/cobra"
)

// mazeResult is what eval maze prints. Of a model that marks the way (target "path") it tells one answer
// a maze; one that gives directions (target "directions") decides before every move.
type mazeResult struct {
	Model            string  `json:"model"`
	Target           string  `json:"target"` // of the model: "directions" or "path"
	Count            int     `json:"count"`
	Success          float64 `json:"success"`        // share that reached the goal
	Optimal          float64 `json:"optimal"`        // share that reached it by a shortest path
	ExactAccuracy    float64 `json:"exact_accuracy"` // share of mazes with every open cell answered as labelled
	CellAccuracy     float64 `json:"cell_accuracy"`
	MeanPath         float64 `json:"mean_path"`     // moves of a shortest path
	MeanSegments     float64 `json:"mean_segments"` // of a decision, by the model's own halting
	MaxSegments      int     `json:"max_segments"`
	PuzzlesPerSecond float64 `json:"puzzles_per_second"`

	SegmentsShortest float64 `json:"mean_segments_shortest_quarter"` // on the quarter with the shortest paths
	SegmentsLongest  float64 `json:"mean_segments_longest_quarter"`

	Valid     float64     `json:"valid,omitempty"`            // path: share whose marks are one shortest way and nothing else
	Votes     int         `json:"votes,omitempty"`            // path: symmetric copies of a maze, itself included
	BySegment []float64   `json:"exact_by_segment,omitempty"` // exact accuracy of one answer a maze had it ended with segment k
	AlwaysMax *mazeResult `json:"always_max,omitempty"`
}

// mazeTargets names what the networks for mazes answer.
var mazeTargets = map[string]string{task.MazeDirectionsTask: "directions", task.MazePathTask: "path", task.MazeWayTask: "path"}

func newEvalMazeCmd() *cobra.Command {
	var net netFlags
	var halt haltFlags
	var cfg mazeExamConfig
	var file string
	var asJSON, compare bool
	var min float64
	cmd := &cobra.Command{
		Use:   "maze",
		Short: "Let the agent walk through mazes that it has not seen",
		Long: `The agent stands at the start, thinks until it halts, makes the move that the answer says, and
thinks again, until the goal or the limit of steps. Every move is the network's: there is no search, no
list of visited cells, no help from an oracle. A model that marks the way is asked once a maze, and the
agent follows the marks. Mazes are drawn as in training but from the tenth of wall layouts that training
leaves out.`,
		Example: "  ponder eval maze --size 15 --count 1000 --seed 1\n  ponder eval maze --model maze-path --hard --count 100\n  ponder eval maze --mazes mine.txt --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cfg.count < 1 || cfg.batch < 1 || cfg.votes < 1 {
				return usagef("--count %d, --batch %d, --votes %d: want 1 or more", cfg.count, cfg.batch, cfg.votes)
			}
			mazes, err := cfg.mazes(file)
			if err != nil {
				return err
			}
			n, err := net.open()
			if err != nil {
				return err
			}
			defer n.Close()
			if err := halt.apply(cmd, n); err != nil {
				return err
			}
			cfg.halt = &halt
			res, err := examineMazes(cmd.Context(), n, mazes, cfg)
			if err != nil {
				return err
			}
			if compare {
				n.Recipe.Evaluation.Rule = act.Never
				all, err := examineMazes(cmd.Context(), n, mazes, cfg)
				if err != nil {
					return err
				}
				res.AlwaysMax = &all
			}
			return report(cmd, asJSON, &res, res.Optimal, min, "by a shortest path")
		},
	}
	f := cmd.Flags()
	net.add(f, "maze")
	halt.add(cmd)
	f.IntVar(&cfg.size, "size", 15, "rows and columns, walls included")
	f.BoolVar(&cfg.hard, "hard", false, "30x30 with shortest paths of more than 110 moves, as Maze-Hard, in place of --size")
	f.IntVar(&cfg.count, "count", 500, "number of mazes")
	f.Uint64Var(&cfg.seed, "seed", 0, "of the mazes")
	f.StringVar(&file, "mazes", "", "evaluate the mazes in this text file, separated by empty lines, instead")
	f.IntVar(&cfg.batch, "batch", 64, "mazes thought about at once")
	f.IntVar(&cfg.votes, "votes", 1, "turned and mirrored copies that vote on the way to mark, the maze itself included")
	f.BoolVar(&cfg.keep, "keep-carry", false, "start a decision where the last one of the episode ended, not afresh")
	f.BoolVar(&compare, "compare", false, "do it all again without halting before the limit")
	f.Float64Var(&min, "min-accuracy", 0, "exit with 3 if a smaller share goes by a shortest path")
	f.BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

// print writes the result for people.
func (r *mazeResult) print(w io.Writer) {
	fmt.Fprintf(w, "%d mazes, shortest paths of %.1f moves on average; the model answers with %s\n"+
		"reached the goal       %6.2f %%\nby a shortest path     %6.2f %%\n", r.Count, r.MeanPath, r.Target, 100*r.Success, 100*r.Optimal)
	decision := "decision"
	if r.Target == mazeTargets[task.MazePathTask] {
		fmt.Fprintf(w, "marked exactly         %6.2f %% of mazes, %.2f %% of cells\na valid shortest path  %6.2f %%\n", 100*r.ExactAccuracy, 100*r.CellAccuracy, 100*r.Valid)
		decision = "maze"
	} else {
		fmt.Fprintf(w, "every direction right  %6.2f %% of mazes, %.2f %% of cells\n", 100*r.ExactAccuracy, 100*r.CellAccuracy)
	}
	fmt.Fprintf(w, "segments a %-10s  %6.2f of at most %d (%.2f on the shortest quarter, %.2f on the longest)\nmazes/second           %6.1f\n",
		decision, r.MeanSegments, r.MaxSegments, r.SegmentsShortest, r.SegmentsLongest, r.PuzzlesPerSecond)
	if m := r.AlwaysMax; m != nil {
		fmt.Fprintf(w, "without halting: reached %.2f %%, shortest %.2f %%, exact %.2f %%, %.2f segments, %.1f mazes/second\n",
			100*m.Success, 100*m.Optimal, 100*m.ExactAccuracy, m.MeanSegments, m.PuzzlesPerSecond)
	}
}

// mazeExamConfig says which mazes to draw and how to ask.
type mazeExamConfig struct {
	halt                      *haltFlags
	size, count, batch, votes int
	hard, keep                bool
	seed                      uint64
}

// mazes reads mazes from a file, or draws held-out ones.
func (c mazeExamConfig) mazes(file string) ([]*maze.Maze, error) {
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
	cfg := maze.Recipe(c.size)
	if c.hard {
		cfg = maze.Hard()
	}
	cfg.Split = maze.Test
	gen, err := maze.NewGenerator(cfg)
	if err != nil {
		return nil, usagef("--size %d: %v", c.size, err)
	}
	r := rng.Stream(c.seed, "eval/maze")
	mazes := make([]*maze.Maze, c.count)
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
	shortest  int // moves
	length    int // moves made
	success   bool
	decisions int
	segments  int
}

// examineMazes asks the network about every maze and adds up what came of it.
func examineMazes(ctx context.Context, n *learn.Net, mazes []*maze.Maze, cfg mazeExamConfig) (mazeResult, error) {
	target, ok := mazeTargets[n.Recipe.Task]
	if !ok {
		return mazeResult{}, fmt.Errorf("model %s answers %s, want one for mazes", n.Name, n.Recipe.Task)
	}
	res := mazeResult{Model: n.Name, Target: target, Count: len(mazes), MaxSegments: n.Recipe.Evaluation.MaxSegments}
	byShape := map[[2]int][]*maze.Maze{}
	var shapes [][2]int
	for _, m := range mazes {
		shape := [2]int{m.Rows, m.Cols}
		if byShape[shape] == nil {
			shapes = append(shapes, shape)
		}
		byShape[shape] = append(byShape[shape], m)
	}
	ask := walk
	if target != mazeTargets[task.MazeDirectionsTask] {
		ask = mark
		res.Votes = cfg.votes
	}
	var all []walked
	begin := time.Now()
	for _, shape := range shapes {
		group := byShape[shape]
		outcome, err := ask(ctx, n, group, cfg, &res)
		if err != nil {
			return res, err
		}
		all = append(all, outcome...)
	}
	res.PuzzlesPerSecond = float64(len(mazes)) / time.Since(begin).Seconds()
	total := float64(len(all))
	if len(shapes) > 1 { // averages of groups mean nothing
		res.BySegment = nil
	}
	slices.SortStableFunc(all, func(a, b walked) int { return a.shortest - b.shortest })
	for _, w := range all {
		res.MeanPath += float64(w.shortest)
		res.Success += count(w.success)
		res.Optimal += count(w.success && w.length == w.shortest)
	}
	for _, x := range []*float64{&res.MeanPath, &res.Success, &res.Optimal, &res.ExactAccuracy, &res.CellAccuracy, &res.Valid} {
		*x /= total
	}
	quarter := max(1, len(all)/4)
	res.MeanSegments = segmentsPerDecision(all)
	res.SegmentsShortest = segmentsPerDecision(all[:quarter])
	res.SegmentsLongest = segmentsPerDecision(all[len(all)-quarter:])
	return res, nil
}

// walk lets a network that gives directions act in mazes of one shape. It adds to the sums of res.
func walk(ctx context.Context, n *learn.Net, mazes []*maze.Maze, cfg mazeExamConfig, res *mazeResult) ([]walked, error) {
	v, err := newGallery(mazes, cfg.batch)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	p, err := learn.NewPolicy(n, v.Spec(), learn.PolicyConfig{KeepCarry: cfg.keep, Restarts: cfg.halt.restarts})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var all []walked
	var solver maze.Solver
	_, err = agent.Run(ctx, v, p, agent.Config{Episodes: len(mazes), Each: func(e agent.Episode) {
		moves, _ := solver.Len(mazes[e.Index])
		all = append(all, walked{moves, e.Length, e.Success, e.Length, e.Segments})
	}})
	if err != nil {
		return nil, err
	}
	crop := task.Crop(mazes[0])
	rows, cols := mazes[0].Rows-2*crop, mazes[0].Cols-2*crop
	t := learn.Thinker{Model: n.Model, Halting: n.Recipe.Evaluation, Slots: cfg.batch, Rows: rows, Cols: cols}
	exact, err := t.Evaluate(ctx, n.Recipe.Loss, rows*cols, &mazeExam{mazes: mazes, crop: crop}, nil)
	res.ExactAccuracy += float64(len(mazes)) * exact.ExactAccuracy
	res.CellAccuracy += float64(len(mazes)) * exact.CellAccuracy
	res.BySegment = exact.BySegment
	return all, err
}

func segmentsPerDecision(all []walked) float64 {
	var segments, steps int
	for _, w := range all {
		segments += w.segments
		steps += w.decisions
	}
	return float64(segments) / float64(max(1, steps))
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
