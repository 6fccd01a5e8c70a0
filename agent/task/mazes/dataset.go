package mazes

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/env/rng"
)

// letters are the characters of the tokens from maze.TokenWall on.
const letters = "# SGo"

// kind is the rows of marked mazes in datasets and CSV files.
var kind = puzzle.Kind{
	Name:   "maze",
	Fits:   func(s puzzle.Shape) bool { return s.Vocab == Vocab && sideOf(s.SeqLen) > 0 },
	Verify: verify,
	Parse:  Parse,
	Looks:  func(question string) bool { return strings.ContainsAny(question, "#SG") },
}

// verify reports where a row's marks are no shortest way. Labels with cells that are not known are not looked at.
func verify(in, label []int32) error {
	if slices.Contains(label, puzzle.Ignore) {
		return nil
	}
	side := sideOf(len(in))
	if side == 0 {
		return fmt.Errorf("a maze of %d cells, want a square number", len(in))
	}
	moves, shortest, err := MarkedPath(in, label, side)
	if err == nil && moves != shortest {
		err = fmt.Errorf("the marked path has %d moves, a shortest one %d", moves, shortest)
	}
	return err
}

// board is tokens as a board, and the cells that they mark.
func board(_, tokens []int32) (b grid.Board, marked []int) {
	side := sideOf(len(tokens))
	b = grid.Board{Family: "maze", Rows: side, Cols: side, Cells: make([]grid.Cell, len(tokens))}
	kinds := map[int32]uint8{int32(maze.TokenWall): maze.KindWall, int32(maze.TokenStart): maze.KindStart, int32(maze.TokenGoal): maze.KindGoal}
	for i, t := range tokens {
		b.Cells[i].Kind = maze.KindFloor
		if k, ok := kinds[t]; ok {
			b.Cells[i].Kind = k
		}
		if t == int32(maze.TokenPath) {
			marked = append(marked, i)
		}
	}
	return b, marked
}

// level is the maze of a row in lines.
func level(in []int32) string {
	var b strings.Builder
	side := sideOf(len(in))
	for i, t := range in {
		if t < int32(maze.TokenWall) || t > int32(maze.TokenGoal) {
			t = int32(maze.TokenOpen)
		}
		if b.WriteByte(letters[t-1]); (i+1)%side == 0 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// MaxCopies is the number of symmetries of the square besides the identity.
const MaxCopies = 7

// Form is mazes as datasets hold them. Their copies are the symmetries of the square in the order of
// grid.SymmetryOf, so a Build has at most MaxCopies.
var Form = puzzle.Form{
	Vocab: func(int) int { return Vocab },
	Parse: Parse,
	Augment: func(_ *rand.Rand, i int, dst, src [2][]int32) {
		for k := range src {
			turn(dst[k], src[k], i)
		}
	},
}

// turn writes the square of tokens src under symmetry t into dst.
func turn(dst, src []int32, t int) {
	side := sideOf(len(src))
	y := grid.SymmetryOf(side, side, t)
	for i := range dst {
		dst[i] = src[y.At(i/side, i%side)]
	}
}

// Parse turns the text of a CSV's row into tokens: '#', ' ', 'S', 'G' and in the answer 'o' for the path. The
// maze is square and the path leads from S to G; whether it is a shortest one is not asked here.
func Parse(r puzzle.Row) (in, label []int32, err error) {
	side := sideOf(len(r.Question))
	if side < 2 {
		return nil, nil, r.Fault("question", "%d characters, want a square number", len(r.Question))
	}
	if len(r.Answer) != len(r.Question) {
		return nil, nil, r.Fault("answer", "%d characters, the question has %d", len(r.Answer), len(r.Question))
	}
	for i := range len(r.Question) {
		q := strings.IndexByte(letters[:4], r.Question[i])
		if q < 0 {
			return nil, nil, r.Fault("question", "character %d is %q, want one of \"# SG\"", i, r.Question[i])
		}
		a := strings.IndexByte(letters, r.Answer[i])
		if a < 0 {
			return nil, nil, r.Fault("answer", "character %d is %q, want one of \"# SGo\"", i, r.Answer[i])
		}
		in, label = append(in, int32(q+1)), append(label, int32(a+1))
	}
	if _, _, err := MarkedPath(in, label, side); err != nil {
		return nil, nil, r.Fault("answer", "%w", err)
	}
	return in, label, nil
}

// OfRow is the maze of a row's tokens.
func OfRow(in []int32) (*maze.Maze, error) {
	cells := make([]byte, len(in))
	for i, t := range in {
		if t < int32(maze.TokenWall) || t > int32(maze.TokenGoal) {
			return nil, fmt.Errorf("cell %d: input token %d, want a wall, open cell, start or goal (1 to 4)", i, t)
		}
		cells[i] = letters[t-1]
	}
	return maze.FromFlat(string(cells))
}

// sideOf is the root of cells, 0 if that is no square number.
func sideOf(cells int) int {
	side := 0
	for side*side < cells {
		side++
	}
	if side*side != cells {
		return 0
	}
	return side
}

// MarkedPath checks the label of a square maze: the same grid but for open cells marked as path,
// which lead from start to goal without a mark too many. It returns the number of moves of that way
// and of a shortest one; whether they are equal is the caller's question.
func MarkedPath(in, label []int32, side int) (moves, shortest int, err error) {
	start, goal, marked := -1, -1, 0
	for i, m := range in {
		switch m {
		case int32(maze.TokenStart), int32(maze.TokenGoal):
			end := &start
			if m == int32(maze.TokenGoal) {
				end = &goal
			}
			if *end >= 0 {
				return 0, 0, fmt.Errorf("cell %d: a second %q, the first is cell %d", i, letters[m-1], *end)
			}
			*end = i
		case int32(maze.TokenWall), int32(maze.TokenOpen):
		default:
			return 0, 0, fmt.Errorf("cell %d: input token %d, want a wall, open cell, start or goal (1 to 4)", i, m)
		}
		switch l := label[i]; {
		case l == int32(maze.TokenPath) && m == int32(maze.TokenOpen):
			marked++
		case l != m:
			return 0, 0, fmt.Errorf("cell %d: label %d on input %d, want the same or a path mark on an open cell", i, l, m)
		}
	}
	if start < 0 || goal < 0 {
		return 0, 0, errors.New("no start or no goal")
	}
	if shortest = distance(in, side, start, goal, int32(maze.TokenOpen)); shortest < 0 {
		return 0, 0, errors.New("no way from start to goal")
	}
	switch moves = distance(label, side, start, goal, int32(maze.TokenPath)); {
	case moves < 0:
		return 0, 0, fmt.Errorf("the %d marked cells do not lead from the start, cell %d, to the goal, cell %d", marked, start, goal)
	case moves != marked+1:
		return 0, 0, fmt.Errorf("%d cells are marked, but the way along them enters only %d", marked, moves-1)
	}
	return moves, shortest, nil
}

// distance is the number of moves from start to goal over cells that are floor, -1 if there is no
// way. grid is side x side.
func distance(grid []int32, side, start, goal int, floor int32) int {
	dist := make([]int, len(grid))
	dist[start] = 1
	for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at == goal {
			return dist[at] - 1
		}
		visit := func(inside bool, n int) {
			if inside && dist[n] == 0 && (grid[n] == floor || n == goal) {
				dist[n] = dist[at] + 1
				queue = append(queue, n)
			}
		}
		visit(at%side < side-1, at+1)
		visit(at/side < side-1, at+side)
		visit(at%side > 0, at-1)
		visit(at/side > 0, at-side)
	}
	return -1
}

// text writes a board in the letters of CSV files.
func text(b grid.Board, marked []int, _ bool) (lines []string, width int) {
	cells := make([]byte, len(b.Cells))
	for i, c := range b.Cells {
		cells[i] = " #SG"[c.Kind]
	}
	for _, i := range marked {
		cells[i] = 'o'
	}
	for row := range slices.Chunk(cells, b.Cols) {
		lines = append(lines, string(row))
	}
	return lines, b.Cols
}

// Texts makes mazes as the rows of a CSV; those of the train split never share their walls with test mazes. Of size 30
// they are as the published Maze-Hard (maze.Hard), unless minPath asks for another length; 0 is no bound.
func Texts(size, minPath, maxPath int, seed uint64) (puzzle.Generator, error) {
	cfg := maze.Recipe(size)
	if size == 30 && minPath == 0 {
		cfg = maze.Hard()
	}
	if minPath > 0 {
		cfg.MinPath = minPath
	}
	cfg.MaxPath = maxPath
	generators := map[string]*maze.Generator{}
	for name, split := range map[string]maze.Split{"train": maze.Train, "test": maze.Test} {
		cfg.Split = split
		g, err := maze.NewGenerator(cfg)
		if err != nil {
			return nil, err
		}
		generators[name] = g
	}
	return func(split string, n int) iter.Seq2[puzzle.Row, error] {
		return texts(generators[split], seed, split, n)
	}, nil
}

func texts(g *maze.Generator, seed uint64, split string, n int) iter.Seq2[puzzle.Row, error] {
	return func(yield func(puzzle.Row, error) bool) {
		rand := rng.Stream(seed, "data/maze/"+split)
		var m maze.Maze
		var s maze.Solver
		var path []int
		flat := func(path []int) string { return strings.ReplaceAll(string(m.AppendText(nil, path)), "\n", "") }
		for i := range n {
			g.Next(&m, rand.Rand)
			path = s.AppendPath(path[:0], &m)
			row := puzzle.Row{
				Source:   "generated",
				Question: flat(nil),
				Answer:   flat(path),
				Rating:   len(path) - 1,
				At:       fmt.Sprintf("generated %s maze %d", split, i),
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}
