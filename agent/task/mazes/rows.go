package mazes

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// Vocab is the vocabulary of maze tokens, [maze.TokenUnknown] to [maze.TokenPath].
const Vocab = int(maze.TokenPath) + 1

// Crop is the number of cells that the network does not see on each side: a maze closed by an outer
// wall is shown without it.
func Crop(m *maze.Maze) int {
	if m.Closed() {
		return 1
	}
	return 0
}

// PathCrop is Crop where the way is to be marked: a maze with an even number of rows is shown whole, as
// the published ones of 30x30 are.
func PathCrop(m *maze.Maze) int {
	if m.Rows%2 == 0 {
		return 0
	}
	return Crop(m)
}

// Tokens writes the tokens of m with its start moved to cell start, crop cells left out on each
// side; in has (Rows-2crop)·(Cols-2crop) tokens.
func Tokens(in []int32, m *maze.Maze, start, crop int) {
	i := 0
	for r := crop; r < m.Rows-crop; r++ {
		for c := crop; c < m.Cols-crop; c++ {
			cell := r*m.Cols + c
			switch {
			case cell == start:
				in[i] = int32(maze.TokenStart)
			case cell == m.Goal:
				in[i] = int32(maze.TokenGoal)
			case m.Wall[cell]:
				in[i] = int32(maze.TokenWall)
			default:
				in[i] = int32(maze.TokenOpen)
			}
			i++
		}
	}
}

// Observation is the tokens of a full observation of a maze.World, crop cells left out.
func Observation(dst []int32, obs []byte, cols, crop int) []int32 {
	rows := len(obs) / cols
	for r := crop; r < rows-crop; r++ {
		for c := crop; c < cols-crop; c++ {
			dst = append(dst, int32(obs[r*cols+c]))
		}
	}
	return dst
}

// Directions is mazes whose answer is, for every open cell but the goal, the set of directions
// that begin a shortest way to the goal, as a bit mask over up, down, left, right (LossKind any-of).
// The start shown is any open cell, since an agent that follows the answer comes to be anywhere.
func Directions(cfg maze.Config, seed uint64) (puzzle.Source, error) {
	return directions(cfg, seed, 1, func(rng *rand.Rand, m *maze.Maze) int {
		if rng.IntN(2) == 0 {
			return openCell(m, rng)
		}
		return m.Start
	})
}

// Route is as Directions, but for the way from the maze's own start, which one walks by the answer, and with what of the
// maze Path shows.
func Route(cfg maze.Config, seed uint64) (puzzle.Source, error) {
	return directions(cfg, seed, markedCrop(cfg), func(_ *rand.Rand, m *maze.Maze) int { return m.Start })
}

func directions(cfg maze.Config, seed uint64, crop int, start func(*rand.Rand, *maze.Maze) int) (puzzle.Source, error) {
	var solver maze.Solver
	var dirs []uint8
	return generate(cfg, seed, crop, 16, func(rng *rand.Rand, m *maze.Maze, in, label []int32) error {
		if !m.Closed() {
			return fmt.Errorf("a maze of %dx%d without an outer wall", m.Rows, m.Cols)
		}
		dirs = solver.AppendDirections(dirs[:0], m)
		Tokens(in, m, start(rng, m), crop)
		directionLabels(label, m, crop, dirs)
		return nil
	})
}

// generate makes mazes of which row writes tokens and labels, crop cells left out on each side; labels
// are in [0, labels), 0 meaning tokens.
func generate(cfg maze.Config, seed uint64, crop, labels int, row func(rng *rand.Rand, m *maze.Maze, in, label []int32) error) (puzzle.Source, error) {
	gen, err := maze.NewGenerator(cfg)
	if err != nil {
		return nil, err
	}
	var m maze.Maze
	shape := puzzle.Shape{SeqLen: (cfg.Rows - 2*crop) * (cfg.Cols - 2*crop), Vocab: Vocab, Identifiers: 1, Labels: labels}
	return puzzle.Generate(shape, seed, func(rng *rand.Rand, in, label []int32) (int32, error) {
		gen.Next(&m, rng)
		return 0, row(rng, &m, in, label)
	}), nil
}

// directionLabels labels the cells for which dirs [rows*cols] has a set with it.
func directionLabels(label []int32, m *maze.Maze, crop int, dirs []uint8) {
	cols := m.Cols - 2*crop
	for i := range label {
		label[i] = puzzle.Ignore
		if d := dirs[(i/cols+crop)*m.Cols+i%cols+crop]; d != 0 {
			label[i] = int32(d)
		}
	}
}

// markedCrop is PathCrop of the mazes that cfg makes, which are closed.
func markedCrop(cfg maze.Config) int {
	if cfg.Rows%2 == 0 {
		return 0
	}
	return 1
}

// openCell is a random open cell other than the goal.
func openCell(m *maze.Maze, rng *rand.Rand) int {
	for {
		if c := rng.IntN(len(m.Wall)); !m.Wall[c] && c != m.Goal {
			return c
		}
	}
}

// Path is mazes whose answer marks the cells of one shortest way, as Maze-Hard asks; see
// PathRow.
func Path(cfg maze.Config, seed uint64) (puzzle.Source, error) {
	var solver maze.Solver
	return generate(cfg, seed, markedCrop(cfg), 0, func(_ *rand.Rand, m *maze.Maze, in, label []int32) error {
		PathRow(in, label, m, solver.AppendPath(nil, m))
		return nil
	})
}

// PathRow writes a maze as tokens, PathCrop cells left out on each side, and as labels the same
// tokens but for TokenPath on the cells of way. Walls are not scored (they do not change).
func PathRow(in, label []int32, m *maze.Maze, way []int) {
	crop := PathCrop(m)
	cols := m.Cols - 2*crop
	Tokens(in, m, m.Start, crop)
	for i, t := range in {
		label[i] = t
		if t == int32(maze.TokenWall) {
			label[i] = puzzle.Ignore
		}
	}
	for _, cell := range way {
		if cell != m.Start && cell != m.Goal {
			label[(cell/m.Cols-crop)*cols+cell%m.Cols-crop] = int32(maze.TokenPath)
		}
	}
}

// Marked turns the classes that a network of the task answered, PathTask's or RouteTask's, into
// tokens as Path labels them; in are the maze's tokens. A route marks the cells that one passes who follows its directions.
func Marked(task string, in, pred []int32, cols int) {
	if task != RouteTask {
		return
	}
	dirs := slices.Clone(pred)
	copy(pred, in)
	for at := slices.Index(in, int32(maze.TokenStart)); at >= 0; {
		if at = next(at, int(dirs[at]), len(in), cols); at < 0 || pred[at] != int32(maze.TokenOpen) { // also where it has been
			return
		}
		pred[at] = int32(maze.TokenPath)
	}
}

// next is the cell in direction dir of cell at, -1 if there is none among so many or dir is no direction.
func next(at, dir, cells, cols int) int {
	if dir < 0 || dir > 3 {
		return -1
	}
	to := at + [4]int{-cols, cols, -1, 1}[dir]
	if to < 0 || to >= cells || dir >= 2 && to/cols != at/cols {
		return -1
	}
	return to
}
