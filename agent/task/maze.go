package task

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// MazeVocab is the vocabulary of maze tokens, [maze.TokenUnknown] to [maze.TokenPath].
const MazeVocab = int(maze.TokenPath) + 1

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

// MazeTokens writes the tokens of m with its start moved to cell start, crop cells left out on each
// side; in has (Rows-2crop)·(Cols-2crop) tokens.
func MazeTokens(in []int32, m *maze.Maze, start, crop int) {
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

// MazeObservation is the tokens of a full observation of a maze.World, crop cells left out.
func MazeObservation(dst []int32, obs []byte, cols, crop int) []int32 {
	rows := len(obs) / cols
	for r := crop; r < rows-crop; r++ {
		for c := crop; c < cols-crop; c++ {
			dst = append(dst, int32(obs[r*cols+c]))
		}
	}
	return dst
}

// MazeDirections is mazes whose answer is, for every open cell but the goal, the set of directions
// that begin a shortest way to the goal, as a bit mask over up, down, left, right (LossKind any-of).
// The start shown is any open cell, since an agent that follows the answer comes to be anywhere.
func MazeDirections(cfg maze.Config, seed uint64) (puzzle.Source, error) {
	var solver maze.Solver
	var dirs []uint8
	return mazes(cfg, seed, 1, 16, func(rng *rand.Rand, m *maze.Maze, in, label []int32) error {
		if !m.Closed() {
			return fmt.Errorf("a maze of %dx%d without an outer wall", m.Rows, m.Cols)
		}
		dirs = solver.AppendDirections(dirs[:0], m)
		start := m.Start
		if rng.IntN(2) == 0 {
			start = openCell(m, rng)
		}
		MazeTokens(in, m, start, 1)
		directionLabels(label, m, 1, dirs)
		return nil
	})
}

// mazes generates mazes of which row writes tokens and labels, crop cells left out on each side; labels
// are in [0, labels), 0 meaning tokens.
func mazes(cfg maze.Config, seed uint64, crop, labels int, row func(rng *rand.Rand, m *maze.Maze, in, label []int32) error) (puzzle.Source, error) {
	gen, err := maze.NewGenerator(cfg)
	if err != nil {
		return nil, err
	}
	var m maze.Maze
	shape := puzzle.Shape{SeqLen: (cfg.Rows - 2*crop) * (cfg.Cols - 2*crop), Vocab: MazeVocab, Identifiers: 1, Labels: labels}
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

// MazePath is mazes whose answer marks the cells of one shortest way, as Maze-Hard asks; see
// MazePathRow.
func MazePath(cfg maze.Config, seed uint64) (puzzle.Source, error) {
	var solver maze.Solver
	return mazes(cfg, seed, markedCrop(cfg), 0, func(_ *rand.Rand, m *maze.Maze, in, label []int32) error {
		MazePathRow(in, label, m, &solver)
		return nil
	})
}

// MazePathRow writes a maze as tokens, PathCrop cells left out on each side, and as labels the same
// tokens but for TokenPath on the shortest way. Walls are not scored (they do not change).
func MazePathRow(in, label []int32, m *maze.Maze, solver *maze.Solver) {
	crop := PathCrop(m)
	cols := m.Cols - 2*crop
	MazeTokens(in, m, m.Start, crop)
	for i, t := range in {
		label[i] = t
		if t == int32(maze.TokenWall) {
			label[i] = puzzle.Ignore
		}
	}
	for _, cell := range solver.AppendPath(nil, m) {
		if cell != m.Start && cell != m.Goal {
			label[(cell/m.Cols-crop)*cols+cell%m.Cols-crop] = int32(maze.TokenPath)
		}
	}
}

// WayMark is the class of MazeWay's answer that marks a cell; those below it are directions.
const WayMark = 4

// MazeWay is mazes whose answer marks the shortest way, as [MazePath], but says of every open cell off
// it which directions lead from there to the goal, as [MazeDirections]: each cell then has something to
// learn from. Only the marks are the answer.
func MazeWay(cfg maze.Config, seed uint64) (puzzle.Source, error) {
	var solver maze.Solver
	var path []int
	var dirs []uint8
	crop := markedCrop(cfg)
	return mazes(cfg, seed, crop, 2<<WayMark, func(_ *rand.Rand, m *maze.Maze, in, label []int32) error {
		MazeTokens(in, m, m.Start, crop)
		dirs = solver.AppendDirections(dirs[:0], m)
		path = solver.AppendPath(path[:0], m)
		for _, cell := range path[:len(path)-1] {
			dirs[cell] = 1 << WayMark
		}
		directionLabels(label, m, crop, dirs)
		return nil
	})
}

// Marked turns the classes that a network of the task answered, MazePathTask's or MazeWayTask's, into
// tokens as MazePath labels them; in are the maze's tokens.
func Marked(task string, in, pred []int32) {
	if task != MazeWayTask {
		return
	}
	for i, t := range in {
		if t == int32(maze.TokenOpen) && pred[i] == WayMark {
			t = int32(maze.TokenPath)
		}
		pred[i] = t
	}
}

// A Judge says whether an answer does what the task is for, where that is less than every cell being
// right; it is what halting learns to foresee. The slices are one row's tokens, labels and classes.
type Judge func(in, label, pred []int32) bool

// NewJudge is the judge of that name for a grid of cols columns; nil for "", every cell.
func NewJudge(name string, cols int) (Judge, error) {
	switch name {
	case "":
		return nil, nil
	case "path":
		return func(in, label, pred []int32) bool { return followed(in, label, pred, cols) }, nil
	case "marks":
		return marksRight, nil
	}
	return nil, fmt.Errorf("judge %q is unknown, want path, marks or none", name)
}

// marksRight reports whether the cells marked are those labelled so; what is said of others does not matter.
func marksRight(_, label, pred []int32) bool {
	for i, l := range label {
		if l != puzzle.Ignore && (l == 1<<WayMark) != (pred[i] == WayMark) {
			return false
		}
	}
	return true
}

// followed reports whether an agent that starts at the start and moves by pred reaches the goal by a
// shortest way, that is, if every direction on its way is one of the labelled ones.
func followed(in, label, pred []int32, cols int) bool {
	at := slices.Index(in, int32(maze.TokenStart))
	for range in {
		switch {
		case at < 0 || label[at] == puzzle.Ignore:
			return at >= 0 && in[at] == int32(maze.TokenGoal)
		case label[at]>>pred[at]&1 == 0:
			return false
		}
		at += [4]int{-cols, cols, -1, 1}[pred[at]]
	}
	return false
}
