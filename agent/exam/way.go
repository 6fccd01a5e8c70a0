package exam

import (
	"context"
	"fmt"
	"slices"

	"github.com/ponder-agents/ponder/agent/task/mazes"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/maze"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// wayExam asks for the way through every maze and its turned and mirrored copies: job j is copy
// j%votes of maze j/votes.
type wayExam struct {
	task   string
	list   []Maze
	turns  []int // symmetries, the identity first
	next   int
	copy   maze.Maze
	solver maze.Solver
}

// A VotesError says that a maze has not so many symmetric copies.
type VotesError struct{ Votes, Rows, Cols, Copies int }

func (e *VotesError) Error() string {
	return fmt.Sprintf("votes %d: a maze of %dx%d has %d copies", e.Votes, e.Rows, e.Cols, e.Copies)
}

// newWayExam is an exam of mazes of one shape. It has as many copies as keep that shape.
func newWayExam(name string, list []Maze, votes int) (*wayExam, error) {
	m := list[0]
	turns := []int{0, 4, 5, 2, 1, 3, 6, 7}
	if m.Rows != m.Cols {
		turns = turns[:4]
	}
	if votes > len(turns) {
		return nil, &VotesError{votes, m.Rows, m.Cols, len(turns)}
	}
	for i, o := range list {
		if mazes.PathCrop(o.Maze) != mazes.PathCrop(m.Maze) {
			return nil, fmt.Errorf("maze %d: mazes with and without an outer wall cannot be mixed in one size", i+1)
		}
	}
	return &wayExam{task: name, list: list, turns: turns[:votes]}, nil
}

func (x *wayExam) Next(in, label []int32) (int32, bool, error) {
	if x.next == len(x.list)*len(x.turns) {
		return 0, false, nil
	}
	m := x.list[x.next/len(x.turns)]
	if t := x.turns[x.next%len(x.turns)]; t != 0 {
		x.copy.Transform(m.Maze, t)
		m = Maze{&x.copy, turned(m, t)}
	}
	x.next++
	way := x.way(m)
	mazes.PathRow(in, label, m.Maze, way)
	if x.task == mazes.RouteTask {
		routeLabels(label, m.Maze, way)
	}
	return 0, true, nil
}

// routeLabels asks on every cell of the way for the direction of the next one; elsewhere every direction will do.
func routeLabels(label []int32, m *maze.Maze, way []int) {
	crop := mazes.PathCrop(m)
	cols := m.Cols - 2*crop
	for i, l := range label {
		if l != puzzle.Ignore {
			label[i] = 15
		}
	}
	at := func(cell int) *int32 { return &label[(cell/m.Cols-crop)*cols+cell%m.Cols-crop] }
	*at(m.Goal) = puzzle.Ignore
	marked := make([]bool, len(m.Wall))
	for _, cell := range way {
		marked[cell] = true
	}
	ordered := m.AppendMarked(nil, marked)
	for i, cell := range ordered[:max(0, len(ordered)-1)] {
		for dir := range 4 {
			if m.Next(cell, dir) == ordered[i+1] {
				*at(cell) = 1 << dir
			}
		}
	}
}

// way is the way of m that its row marks.
func (x *wayExam) way(m Maze) []int {
	if m.Way == nil {
		return x.solver.AppendPath(nil, m.Maze)
	}
	return m.Way
}

// turned are the cells of m's way in its copy under symmetry t, in another order.
func turned(m Maze, t int) (way []int) {
	if m.Way == nil {
		return nil
	}
	y := grid.SymmetryOf(m.Rows, m.Cols, t)
	for i := range m.Wall {
		if slices.Contains(m.Way, y.At(i/y.Cols, i%y.Cols)) {
			way = append(way, i)
		}
	}
	return way
}

// tokens are the tokens that the copy of job was answered with, turned back: [rows*cols], walls where
// there are walls or nothing was asked.
func (x *wayExam) tokens(job int, pred []int32) []uint8 {
	m, t := x.list[job/len(x.turns)], x.turns[job%len(x.turns)]
	if x.task == mazes.RouteTask {
		turned := m.Maze
		if t != 0 {
			turned = new(maze.Maze)
			turned.Transform(m.Maze, t)
		}
		in := make([]int32, len(pred))
		crop := mazes.PathCrop(m.Maze)
		mazes.Tokens(in, turned, turned.Start, crop)
		mazes.Marked(x.task, in, pred, m.Cols-2*crop)
	}
	return x.back(job, pred)
}

// back turns the tokens of the copy of job back.
func (x *wayExam) back(job int, tokens []int32) []uint8 {
	m, t := x.list[job/len(x.turns)], x.turns[job%len(x.turns)]
	crop := mazes.PathCrop(m.Maze)
	cols := m.Cols - 2*crop
	s := grid.SymmetryOf(m.Rows, m.Cols, t)
	out := make([]uint8, len(m.Wall))
	for i := range out {
		out[i] = maze.TokenWall
	}
	for i, t := range tokens {
		if cell := s.At(i/cols+crop, i%cols+crop); !m.Wall[cell] {
			out[cell] = uint8(t)
		}
	}
	return out
}

// marks are the cells of a maze that are marked.
func marks(cells []uint8) []bool {
	marked := make([]bool, len(cells))
	for cell, t := range cells {
		marked[cell] = t == maze.TokenPath
	}
	return marked
}

// mark lets a network that marks the way answer once for each of mazes of one shape, and follows the
// marks. It adds to the sums of res.
func mark(ctx context.Context, m *think.Model, list []Maze, cfg Config, res *MazeResult) ([]walked, error) {
	x, err := newWayExam(m.Usage.Task, list, cfg.votes())
	if err != nil {
		return nil, err
	}
	crop := mazes.PathCrop(list[0].Maze)
	rows, cols := list[0].Rows-2*crop, list[0].Cols-2*crop
	ballots := make([]ballot, len(list))
	all := make([]walked, len(list))
	ask := x.think
	if cfg.Search {
		ask = x.search
	}
	e, err := ask(ctx, m, cfg, think.Shape{Seq: rows * cols, Rows: rows, Cols: cols}, func(job int, tokens []uint8, qHalt float32, contested bool, segments, branches int) {
		i := job / cfg.votes()
		ballots[i].Add(tokens, qHalt)
		ballots[i].disputed = ballots[i].disputed || contested
		all[i].segments += segments
		all[i].decisions++
		res.Branches += float64(branches)
	})
	if err != nil {
		return nil, err
	}
	exact, cellsRight := 0.0, 0.0
	in, label := make([]int32, rows*cols), make([]int32, rows*cols)
	for i, m := range list {
		if cfg.Pick == think.PickCheck {
			ballots[i].checked = func(cells []uint8) (float64, bool) {
				way := m.AppendMarked(nil, marks(cells))
				return -float64(len(way)), len(way) > 0
			}
		}
		best, confidence := ballots[i].best()
		marked := marks(best.Cells)
		mazes.PathRow(in, label, m.Maze, x.way(m))
		right, cells := 0, 0
		for k, want := range label {
			if want != puzzle.Ignore {
				cells++
				right += int(count(int32(best.Cells[(k/cols+crop)*m.Cols+k%cols+crop]) == want))
			}
		}
		exact += count(right == cells)
		cellsRight += float64(right) / float64(max(1, cells))
		valid := x.solver.IsShortest(m.Maze, m.AppendMarked(nil, marked))
		res.Valid += count(valid)
		res.answered = append(res.answered, answered{confidence, valid})
		way := m.AppendTraced(nil, marked)
		all[i].shortest, _ = x.solver.Len(m.Maze)
		all[i].length, all[i].success = len(way)-1, way[len(way)-1] == m.Goal
	}
	// What is exact is the answer of all copies together.
	n := float64(len(list))
	e.ExactAccuracy, e.CellAccuracy = exact/n, cellsRight/n
	res.add(e, len(list))
	return all, nil
}

// An answeredCopy hears what the copy of job was answered with, as wayExam.tokens, whether another thought contests it, and what
// it took; branches are a search's.
type answeredCopy func(job int, tokens []uint8, qHalt float32, contested bool, segments, branches int)

// think asks for every maze and copy by one thought, or several as cfg says.
func (x *wayExam) think(ctx context.Context, m *think.Model, cfg Config, shape think.Shape, each answeredCopy) (think.Evaluation, error) {
	sc, err := m.Usage.Scorer(shape.Cols)
	if err != nil {
		return think.Evaluation{}, err
	}
	return cfg.thinker(m, shape).Evaluate(ctx, sc, x, cfg.telling(func(th *think.Thought, pred, _ []int32, _ think.Score) error {
		each(th.Job, x.tokens(th.Job, pred), th.QHalt, th.Disputed, th.Segment, 0)
		return nil
	}))
}

// search asks for every maze by think.Search.
func (x *wayExam) search(ctx context.Context, m *think.Model, cfg Config, shape think.Shape, each answeredCopy) (e think.Evaluation, err error) {
	label := make([]int32, shape.Seq) // which the search does not see
	err = cfg.search(ctx, m, shape, func(in []int32) (int32, bool, error) { return x.Next(in, label) }, func(f *think.Found) {
		each(f.Job, x.back(f.Job, f.Answer), f.QHalt, false, f.Calls, f.Nodes)
		e.JudgedAccuracy += count(f.Right)
		e.QHaltAccuracy += count(f.Right == (f.QHalt >= 0))
	})
	e.JudgedAccuracy /= float64(len(x.list))
	e.QHaltAccuracy /= float64(len(x.list))
	return e, err
}
