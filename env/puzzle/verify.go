package puzzle

import (
	"errors"
	"fmt"
)

// checkSolution reports the first digit that a side x side board of tokens lacks or repeats in a
// row, column or box.
func checkSolution(board []int32, boxRows, boxCols int) error {
	side := boxRows * boxCols
	for kind, unit := range []string{"row", "column", "box"} {
		for u := range side {
			seen := make([]bool, side+1)
			for k := range side {
				cell := u*side + k
				switch kind {
				case 1:
					cell = k*side + u
				case 2:
					perRow := side / boxCols // boxes beside each other
					cell = (u/perRow*boxRows+k/boxCols)*side + u%perRow*boxCols + k%boxCols
				}
				d := int(board[cell]) - 1
				if d < 1 || d > side {
					return fmt.Errorf("cell %d: token %d, want a digit's, 2 to %d", cell, board[cell], side+1)
				}
				if seen[d] {
					return fmt.Errorf("cell %d: %d is twice in %s %d", cell, d, unit, u)
				}
				seen[d] = true
			}
		}
	}
	return nil
}

// Maze tokens.
const (
	MazeVocab = 6 // 0 pad, then
	MazeWall  = 1 // '#'
	MazeOpen  = 2 // ' '
	MazeStart = 3 // 'S'
	MazeGoal  = 4 // 'G'
	MazePath  = 5 // 'o', in labels only
)

// mazeText are the characters of the tokens 1 to 5.
const mazeText = "# SGo"

// MarkedPath checks the label of a square maze: the same grid but for open cells marked as path,
// which lead from start to goal without a mark too many. It returns the number of moves of that way
// and of a shortest one; whether they are equal is the caller's question.
func MarkedPath(maze, label []int32, side int) (moves, shortest int, err error) {
	start, goal, marked := -1, -1, 0
	for i, m := range maze {
		switch m {
		case MazeStart, MazeGoal:
			end := &start
			if m == MazeGoal {
				end = &goal
			}
			if *end >= 0 {
				return 0, 0, fmt.Errorf("cell %d: a second %q, the first is cell %d", i, mazeText[m-1], *end)
			}
			*end = i
		case MazeWall, MazeOpen:
		default:
			return 0, 0, fmt.Errorf("cell %d: input token %d, want a wall, open cell, start or goal (1 to 4)", i, m)
		}
		switch l := label[i]; {
		case l == MazePath && m == MazeOpen:
			marked++
		case l != m:
			return 0, 0, fmt.Errorf("cell %d: label %d on input %d, want the same or a path mark on an open cell", i, l, m)
		}
	}
	if start < 0 || goal < 0 {
		return 0, 0, errors.New("no start or no goal")
	}
	if shortest = distance(maze, side, start, goal, MazeOpen); shortest < 0 {
		return 0, 0, errors.New("no way from start to goal")
	}
	switch moves = distance(label, side, start, goal, MazePath); {
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
