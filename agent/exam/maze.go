package exam

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ponder-agents/ponder/act"
	"github.com/ponder-agents/ponder/agent"
	"github.com/ponder-agents/ponder/agent/task/mazes"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
)

// A MazeResult is what a model achieved in mazes. Of a model that marks the way (target "path") it
// tells one answer a maze; one that gives directions (target "directions") decides before every move.
type MazeResult struct {
	Model            string          `json:"model"`
	Engine           string          `json:"engine"`    // what computed it: "torch" or "go"
	Precision        think.Precision `json:"precision"` // of its products, and the choice
	Target           string          `json:"target"`    // of the model: "directions" or "path"
	Count            int             `json:"count"`
	Success          float64         `json:"success"`         // share that reached the goal
	Optimal          float64         `json:"optimal"`         // share that reached it by a shortest path
	ExactAccuracy    float64         `json:"exact_accuracy"`  // share of mazes with every scored cell answered as labelled: path: the way of the row marked, no other
	JudgedAccuracy   float64         `json:"judged_accuracy"` // share of answers that do what q_halt foresees
	QHaltAccuracy    float64         `json:"q_halt_accuracy"` // share where q_halt ≥ 0 agrees with that
	CellAccuracy     float64         `json:"cell_accuracy"`
	MeanPath         float64         `json:"mean_path"`     // moves of a shortest path
	MeanSegments     float64         `json:"mean_segments"` // of a decision, by the model's own halting
	MaxSegments      int             `json:"max_segments"`
	PuzzlesPerSecond float64         `json:"puzzles_per_second"`

	SegmentsShortest float64 `json:"mean_segments_shortest_quarter"` // on the quarter with the shortest paths
	SegmentsLongest  float64 `json:"mean_segments_longest_quarter"`

	Valid     float64     `json:"valid,omitempty"`            // path: share whose marks are one shortest way and nothing else
	Calls     float64     `json:"calls,omitempty"`            // of a search: segments of all branches, a maze
	Branches  float64     `json:"branches,omitempty"`         // of a search, a maze
	Pick      think.Pick  `json:"pick,omitempty"`             // of several thoughts or copies
	Votes     int         `json:"votes,omitempty"`            // path: symmetric copies of a maze, itself included
	BySegment []float64   `json:"exact_by_segment,omitempty"` // exact accuracy of one answer a maze had it ended with segment k
	AlwaysMax *MazeResult `json:"always_max,omitempty"`       // the same without halting, where it was asked for
	InFloat32 *MazeResult `json:"in_float32,omitempty"`       // the same in float32, where another precision was asked for

	*Several
	*Sureness // path: that the marks are a shortest way, where it was asked for

	answered []answered
}

// The targets of networks for mazes.
const (
	targetDirections = "directions"
	targetPath       = "path"
)

// mazeTargets names what the networks for mazes answer.
var mazeTargets = map[string]string{mazes.DirectionsTask: targetDirections, mazes.PathTask: targetPath, mazes.RouteTask: targetPath}

// A Maze is one to ask about.
type Maze struct {
	*maze.Maze
	Way []int // the cells of the way that counts as marked exactly, as its row is labelled; nil for one that the solver finds
}

// ReadMazes reads the first n mazes, n 0 meaning all, of a dataset's folder (its split test), of a CSV as
// published, or of a text file in which empty lines are between them; "-" is standard input.
func ReadMazes(path string, n int) (list []Maze, err error) {
	from, err := openSet(path)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	if !from.rows {
		all, err := maze.ReadAll(from.text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from.name, err)
		}
		for _, m := range all {
			list = append(list, Maze{Maze: m})
		}
	}
	for row, err := range from.all("maze") {
		if err != nil {
			return nil, err
		}
		m, err := mazes.OfRow(row.in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row.at, err)
		}
		one := Maze{Maze: m, Way: []int{}}
		for cell, t := range row.label {
			if t == int32(maze.TokenPath) {
				one.Way = append(one.Way, cell)
			}
		}
		if list = append(list, one); len(list) == n {
			break
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no maze in it", from.name)
	}
	if n > 0 && len(list) > n {
		list = list[:n]
	}
	return list, nil
}

// DrawMazes draws n mazes as cfg says, of the wall layouts that training leaves out.
func DrawMazes(cfg maze.Config, n int, seed uint64) ([]Maze, error) {
	cfg.Split = maze.Test
	gen, err := maze.NewGenerator(cfg)
	if err != nil {
		return nil, err
	}
	r := rng.Stream(seed, "eval/maze")
	list := make([]Maze, n)
	for i := range list {
		list[i].Maze = new(maze.Maze)
		gen.Next(list[i].Maze, r.Rand)
	}
	return list, nil
}

// ErrNoAnswer is the error of a Config with Sure for a model that has no one answer to be sure of.
var ErrNoAnswer = errors.New("it has no one answer to be sure of")

// Mazes asks the model about every maze and adds up what came of it.
func Mazes(ctx context.Context, m *think.Model, list []Maze, cfg Config) (MazeResult, error) {
	if err := answers(m, "mazes", mazes.DirectionsTask, mazes.PathTask, mazes.RouteTask); err != nil {
		return MazeResult{}, err
	}
	target := mazeTargets[m.Usage.Task]
	if _, err := cfg.rules(m); err != nil {
		return MazeResult{}, err
	}
	res := MazeResult{Model: m.Name, Engine: m.Engine, Precision: m.Precision, Target: target, Count: len(list), MaxSegments: cfg.halting(m).Halting.MaxSegments}
	switch {
	case target == targetPath:
		res.Pick = cfg.picked()
	case cfg.Sure > 0:
		return MazeResult{}, fmt.Errorf("model %s decides before every move, %w", m.Name, ErrNoAnswer)
	}
	var err error
	if res.Several, err = cfg.several(m); err != nil {
		return MazeResult{}, err
	}
	byShape := map[[2]int][]Maze{}
	var shapes [][2]int
	for _, m := range list {
		shape := [2]int{m.Rows, m.Cols}
		if byShape[shape] == nil {
			shapes = append(shapes, shape)
		}
		byShape[shape] = append(byShape[shape], m)
	}
	ask := walk
	if target == targetPath {
		ask = mark
		res.Votes = cfg.votes()
	}
	var all []walked
	begin := time.Now()
	for _, shape := range shapes {
		outcome, err := ask(ctx, m, byShape[shape], cfg, &res)
		if err != nil {
			return res, err
		}
		all = append(all, outcome...)
	}
	res.PuzzlesPerSecond = float64(len(list)) / time.Since(begin).Seconds()
	if len(shapes) > 1 { // averages of groups mean nothing
		res.BySegment = nil
	}
	slices.SortStableFunc(all, func(a, b walked) int { return a.shortest - b.shortest })
	for _, w := range all {
		res.MeanPath += float64(w.shortest)
		res.Success += count(w.success)
		res.Optimal += count(w.success && w.length == w.shortest)
	}
	for _, x := range []*float64{
		&res.MeanPath, &res.Success, &res.Optimal, &res.ExactAccuracy, &res.JudgedAccuracy, &res.QHaltAccuracy, &res.CellAccuracy, &res.Valid, &res.Branches,
	} {
		*x /= float64(len(all))
	}
	quarter := max(1, len(all)/4)
	res.MeanSegments = segmentsPerDecision(all)
	if cfg.Search {
		res.Calls = res.MeanSegments
	}
	if cfg.Sure > 0 {
		res.Sureness = sureness(cfg.Sure, res.answered)
	}
	res.SegmentsShortest = segmentsPerDecision(all[:quarter])
	res.SegmentsLongest = segmentsPerDecision(all[len(all)-quarter:])
	return res, nil
}

// AlwaysMax is cfg without halting before the most segments.
func (c Config) AlwaysMax(m *think.Model) Config {
	c = c.halting(m)
	c.Halting.Rule = act.Never
	return c
}

// walked is one maze's outcome.
type walked struct {
	shortest  int // moves
	length    int // moves made
	success   bool
	decisions int
	segments  int
}

func segmentsPerDecision(all []walked) float64 {
	var segments, steps int
	for _, w := range all {
		segments += w.segments
		steps += w.decisions
	}
	return float64(segments) / float64(max(1, steps))
}

// add adds what one answer to each of n mazes of a shape came to.
func (r *MazeResult) add(e think.Evaluation, n int) {
	r.ExactAccuracy += float64(n) * e.ExactAccuracy
	r.JudgedAccuracy += float64(n) * e.JudgedAccuracy
	r.QHaltAccuracy += float64(n) * e.QHaltAccuracy
	r.CellAccuracy += float64(n) * e.CellAccuracy
	r.BySegment = e.BySegment
}

// walk lets a network that gives directions act in mazes of one shape. It adds to the sums of res.
func walk(ctx context.Context, m *think.Model, list []Maze, cfg Config, res *MazeResult) ([]walked, error) {
	v, err := newGallery(list, cfg.batch())
	if err != nil {
		return nil, err
	}
	defer v.Close()
	p, err := think.NewPolicy(m, v.Spec(), cfg.Config)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var all []walked
	var solver maze.Solver
	_, err = agent.Run(ctx, v, p, agent.Config{Episodes: len(list), Each: func(e agent.Episode) {
		moves, _ := solver.Len(list[e.Index].Maze)
		all = append(all, walked{moves, e.Length, e.Success, e.Length, e.Segments})
		cfg.tell()
	}})
	if err != nil {
		return nil, err
	}
	crop := mazes.Crop(list[0].Maze)
	rows, cols := list[0].Rows-2*crop, list[0].Cols-2*crop
	sc, err := m.Usage.Scorer(cols)
	if err != nil {
		return nil, err
	}
	e, err := cfg.thinker(m, think.Shape{Seq: rows * cols, Rows: rows, Cols: cols}).Evaluate(ctx, sc, &mazeExam{list: list, crop: crop}, nil)
	res.add(e, len(list))
	return all, err
}

// mazeExam asks for the optimal directions of every open cell.
type mazeExam struct {
	list   []Maze
	crop   int
	solver maze.Solver
	dirs   []uint8
}

func (x *mazeExam) Next(in, label []int32) (int32, bool, error) {
	if len(x.list) == 0 {
		return 0, false, nil
	}
	m := x.list[0].Maze
	x.list = x.list[1:]
	if c := mazes.Crop(m); c != x.crop {
		return 0, false, fmt.Errorf("mazes with and without an outer wall cannot be mixed in one size")
	}
	mazes.Tokens(in, m, m.Start, x.crop)
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

// A gallery is a world whose episode k is in maze k.
type gallery struct {
	*maze.World
	list []Maze
	at   int
}

func (g *gallery) Seed(k uint64) { g.at = int(k % uint64(len(g.list))) }

func (g *gallery) Reset(obs []byte) {
	if err := g.World.SetMaze(g.list[g.at].Maze); err != nil {
		panic(err) // newGallery took mazes of the World's shape
	}
	g.World.Observe(obs)
}

// newGallery is rows worlds over mazes of one shape.
func newGallery(list []Maze, rows int) (*env.Vec, error) {
	m := list[0]
	id := fmt.Sprintf("maze/%dx%d-v0", m.Cols, m.Rows)
	var envs []env.Env
	for range min(rows, len(list)) {
		w, err := maze.NewWorld(id, maze.WorldConfig{
			Maze:     maze.Config{Rows: m.Rows, Cols: m.Cols},
			MaxSteps: m.Rows * m.Cols / 2, // twice the open cells of a perfect maze: who needs more is lost
		})
		if err != nil {
			return nil, err
		}
		envs = append(envs, &gallery{World: w, list: list})
	}
	return env.NewVec(envs, env.VecConfig{})
}

// Print writes the result for people.
func (r *MazeResult) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d mazes, shortest paths of %.1f moves on average; the model answers with %s\n"+
		"reached the goal       %6.2f %%\nby a shortest path     %6.2f %%\n", r.Count, r.MeanPath, r.Target, 100*r.Success, 100*r.Optimal)
	if err != nil {
		return err
	}
	printPick(w, r.Pick)
	decision := "decision"
	if r.Target == targetPath {
		fmt.Fprintf(w, "marked exactly         %6.2f %% of mazes, %.2f %% of cells\na valid shortest path  %6.2f %%\n", 100*r.ExactAccuracy, 100*r.CellAccuracy, 100*r.Valid)
		decision = "maze"
	} else {
		fmt.Fprintf(w, "every direction right  %6.2f %% of mazes, %.2f %% of cells\n", 100*r.ExactAccuracy, 100*r.CellAccuracy)
	}
	if r.Calls > 0 {
		_, err := fmt.Fprintf(w, "search                 %6.2f segments of %.2f branches a maze\nmazes/second           %6.1f\n", r.Calls, r.Branches, r.PuzzlesPerSecond)
		return err
	}
	_, err = fmt.Fprintf(w, "as q_halt judges       %6.2f %%, foreseen in %.2f %%\n"+
		"segments a %-10s  %6.2f of at most %d (%.2f on the shortest quarter, %.2f on the longest)\nmazes/second           %6.1f\n",
		100*r.JudgedAccuracy, 100*r.QHaltAccuracy, decision, r.MeanSegments, r.MaxSegments, r.SegmentsShortest, r.SegmentsLongest, r.PuzzlesPerSecond)
	if err == nil && r.Sureness != nil {
		err = r.Sureness.Print(w)
	}
	if m := r.AlwaysMax; err == nil && m != nil {
		_, err = fmt.Fprintf(w, "without halting: reached %.2f %%, shortest %.2f %%, exact %.2f %%, %.2f segments, %.1f mazes/second\n",
			100*m.Success, 100*m.Optimal, 100*m.ExactAccuracy, m.MeanSegments, m.PuzzlesPerSecond)
	}
	if m := r.InFloat32; err == nil && m != nil {
		err = printInFloat32(w, r.Precision, "by a shortest path", r.Optimal, m.Optimal, r.PuzzlesPerSecond, m.PuzzlesPerSecond)
	}
	return err
}
