package mazes

import (
	"cmp"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/env/maze"
)

// surely is the share of the ways on from a cell from which a search takes one without looking at the others.
const surely = 0.9

// rules are those of a search for the way through mazes of cols columns, by a network of the task name that marks it or
// leads along it. An answer is the way from cell to cell, and keeps the rules where it comes to the goal without touching
// itself. A branch has gone on for as long as the way was sure, and a cell on where it was not: its start is where it
// stands, and what it has passed is wall, since nobody who takes a shortest way comes back.
func rules(name string, cols int) task.Rules {
	likely := marked
	if name == RouteTask {
		likely = led
	}
	return task.Rules{
		Read: func(question, branch []int32, logits []float32) (answer []int32, worth float64, right bool) {
			answer = slices.Clone(question)
			for i, t := range question {
				if t == int32(maze.TokenOpen) && branch[i] != t { // passed, or where it stands
					answer[i] = int32(maze.TokenPath)
				}
			}
			for _, s := range walk(branch, logits, likely, cols) {
				if question[s.to] == int32(maze.TokenOpen) {
					answer[s.to] = int32(maze.TokenPath)
				}
			}
			worth, right = wayLength(PathTask, question, answer, cols)
			return answer, worth, right
		},
		Guess: func(branch []int32, logits []float32) (all []task.Guess) {
			steps := walk(branch, logits, likely, cols)
			at := doubtful(steps)
			if at < 0 {
				return nil
			}
			passed := slices.Clone(branch)
			passed[slices.Index(passed, int32(maze.TokenStart))] = int32(maze.TokenWall)
			for _, s := range steps[:at] {
				passed[s.to] = int32(maze.TokenWall)
			}
			for _, n := range steps[at].ways {
				if n.p < task.LeastLikely {
					break
				}
				g := task.Guess{Tokens: slices.Clone(passed), P: n.p}
				g.Tokens[n.cell] = int32(maze.TokenStart)
				all = append(all, g)
			}
			return all
		},
	}
}

// A step leads to the likeliest of the cells that could have been entered.
type step struct {
	to   int
	ways []way // the likeliest first; shares that add up to 1
}

type way struct {
	cell int
	p    float64
}

// walk goes from the start to the likeliest neighbour, to none twice, until the goal or a dead end.
func walk(tokens []int32, logits []float32, likely func(logits []float32, cells, at, dir, to int) float64, cols int) (steps []step) {
	at := slices.Index(tokens, int32(maze.TokenStart))
	seen := map[int]bool{at: true}
	for at >= 0 && tokens[at] != int32(maze.TokenGoal) {
		var s step
		sum := 0.0
		for dir := range 4 {
			n := next(at, dir, len(tokens), cols)
			if n < 0 || seen[n] {
				continue
			}
			switch tokens[n] {
			case int32(maze.TokenOpen):
				p := likely(logits, len(tokens), at, dir, n)
				s.ways, sum = append(s.ways, way{n, p}), sum+p
			case int32(maze.TokenGoal):
				return append(steps, step{n, []way{{n, 1}}})
			}
		}
		if len(s.ways) == 0 {
			return steps
		}
		for i := range s.ways {
			s.ways[i].p /= sum
		}
		slices.SortStableFunc(s.ways, func(a, b way) int { return cmp.Compare(b.p, a.p) })
		at = s.ways[0].cell
		s.to, seen[at] = at, true
		steps = append(steps, s)
	}
	return steps
}

// marked is how likely PathTask's answer marks cell to.
func marked(logits []float32, cells, _, _, to int) float64 {
	return chance(logits, cells, to, int(maze.TokenPath))
}

// led is how likely RouteTask's answer leads from cell at in direction dir.
func led(logits []float32, cells, at, dir, _ int) float64 { return chance(logits, cells, at, dir) }

// chance is the probability of a class of a cell by the logits [cells*outputs]; above 0.
func chance(logits []float32, cells, at, class int) float64 {
	outputs := len(logits) / cells
	l := logits[at*outputs : (at+1)*outputs]
	most := float64(slices.Max(l))
	sum := 0.0
	for _, v := range l {
		sum += math.Exp(float64(v) - most)
	}
	return max(math.Exp(float64(l[class])-most)/sum, 1e-12)
}

// doubtful is the first step that is not sure; where all are, the least sure of those that had a choice, -1 if none had.
func doubtful(steps []step) int {
	least := -1
	for i, s := range steps {
		if len(s.ways) < 2 {
			continue
		}
		if s.ways[0].p < surely {
			return i
		}
		if least < 0 || s.ways[0].p < steps[least].ways[0].p {
			least = i
		}
	}
	return least
}
