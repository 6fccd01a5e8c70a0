package mazes

import (
	"fmt"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/maze"
)

// mazeView is what the readers of mazes share: which cells the network sees, and where the agent is.
type mazeView struct {
	rows, cols int // of the board
	crop       int
	whole      bool // keep the outer wall, as published
	agent      int  // token on which the agent stands
	tokens     []int32
	probs      []float32
}

func newReader(name string, spec env.Spec) (task.Reader, error) {
	if len(spec.Actions) != 4 || len(spec.Layout) != 1 || len(spec.Layout[0].Shape) != 2 || spec.Vocab > Vocab {
		return nil, fmt.Errorf("a model for %s cannot act in %s: it needs a full view of a maze and the actions up, down, left, right", name, spec.ID)
	}
	v := mazeView{rows: spec.Layout[0].Shape[0], cols: spec.Layout[0].Shape[1]}
	switch name {
	case PathTask:
		v.whole = v.rows%2 == 0
		return &pathReader{v}, nil
	case RouteTask:
		v.whole = v.rows%2 == 0
		return &routeReader{directionReader: directionReader{v}}, nil
	}
	return &directionReader{v}, nil
}

func (v *mazeView) Tokens(dst []int32, obs []byte) ([]int32, int, int) {
	v.crop = 1
	for i, b := range obs {
		y, x := i/v.cols, i%v.cols
		if (y == 0 || x == 0 || y == v.rows-1 || x == v.cols-1) && b != maze.TokenWall {
			v.crop = 0
		}
	}
	if v.whole {
		v.crop = 0
	}
	begin := len(dst)
	dst = Observation(dst, obs, v.cols, v.crop)
	v.tokens = append(v.tokens[:0], dst[begin:]...)
	v.agent = 0
	for i, t := range v.tokens {
		if t == int32(maze.TokenStart) {
			v.agent = i
		}
	}
	return dst, v.rows - 2*v.crop, v.cols - 2*v.crop
}

func (v *mazeView) Cell(token int) int {
	cols := v.cols - 2*v.crop
	return (token/cols+v.crop)*v.cols + token%cols + v.crop
}

func (v *mazeView) Cells() int { return v.rows * v.cols }

// open reports whether a token is one to step on that is not the goal.
func (v *mazeView) open(token int) bool {
	t := v.tokens[token]
	return t == int32(maze.TokenStart) || t == int32(maze.TokenOpen)
}

// directionReader follows a map of directions from where the agent stands.
type directionReader struct{ mazeView }

func (r *directionReader) Answer() trace.Answer { return trace.AnswerDirection }

func (r *directionReader) Action(logits []float32) int {
	return task.Largest(logits[4*r.agent : 4*r.agent+4])
}

func (r *directionReader) Describe(g *trace.Segment, logits []float32) {
	g.Answer = task.Fill(g.Answer, r.Cells(), trace.NoAnswer)
	g.Confidence = task.Fill(g.Confidence, r.Cells(), 0)
	for i := range r.tokens {
		if !r.open(i) {
			continue
		}
		r.probs = task.Softmax(r.probs, logits[4*i:4*i+4])
		best := task.Largest(r.probs)
		g.Answer[r.Cell(i)] = uint8(best)
		g.Confidence[r.Cell(i)] = uint8(255*r.probs[best] + 0.5)
		if i == r.agent {
			g.Actions = append(g.Actions[:0], r.probs...)
		}
	}
}

// routeReader follows a map of directions as directionReader does, and shows which cells that leads over.
type routeReader struct {
	directionReader
	way []int32
}

func (r *routeReader) Answer() trace.Answer { return trace.AnswerPath }

func (r *routeReader) Describe(g *trace.Segment, logits []float32) {
	r.directionReader.Describe(g, logits)
	r.way = r.way[:0]
	for i := range r.tokens {
		r.way = append(r.way, int32(task.Largest(logits[4*i:4*i+4])))
	}
	Marked(RouteTask, r.tokens, r.way, r.cols-2*r.crop)
	for i, t := range r.way {
		switch cell := r.Cell(i); t {
		case int32(maze.TokenGoal):
			g.Answer[cell], g.Confidence[cell] = 1, 255
		case int32(maze.TokenWall):
		default:
			g.Answer[cell] = uint8(b2f(t != int32(maze.TokenOpen)))
		}
	}
}

// pathReader reads the cells marked as the way; as an agent it steps on the cell beside it that is the
// most likely to be on it.
type pathReader struct{ mazeView }

func (r *pathReader) Answer() trace.Answer { return trace.AnswerPath }

// marked is the probability that a token is on the way. The agent's cell and the goal are.
func (r *pathReader) marked(token int, logits []float32) float32 {
	if !r.open(token) || token == r.agent {
		return b2f(r.tokens[token] != int32(maze.TokenWall))
	}
	w := len(logits) / len(r.tokens)
	r.probs = task.Softmax(r.probs, logits[token*w:(token+1)*w])
	return r.probs[maze.TokenPath]
}

func b2f(yes bool) float32 {
	if yes {
		return 1
	}
	return 0
}

// beside is the probability of being marked of the cells up, down, left and right of the agent.
func (r *pathReader) beside(logits []float32) (p [4]float32) {
	cols := r.cols - 2*r.crop
	rows := len(r.tokens) / cols
	y, x := r.agent/cols, r.agent%cols
	for dir, at := range [4][2]int{{y - 1, x}, {y + 1, x}, {y, x - 1}, {y, x + 1}} {
		if at[0] >= 0 && at[0] < rows && at[1] >= 0 && at[1] < cols {
			p[dir] = r.marked(at[0]*cols+at[1], logits)
		}
	}
	return p
}

func (r *pathReader) Action(logits []float32) int {
	p := r.beside(logits)
	return task.Largest(p[:])
}

func (r *pathReader) Describe(g *trace.Segment, logits []float32) {
	g.Answer = task.Fill(g.Answer, r.Cells(), trace.NoAnswer)
	g.Confidence = task.Fill(g.Confidence, r.Cells(), 0)
	for i, t := range r.tokens {
		if t == int32(maze.TokenWall) {
			continue
		}
		p := r.marked(i, logits)
		g.Answer[r.Cell(i)] = uint8(b2f(p > 0.5))
		g.Confidence[r.Cell(i)] = uint8(255*max(p, 1-p) + 0.5)
	}
	p := r.beside(logits)
	sum := max(p[0]+p[1]+p[2]+p[3], 1e-9)
	for _, x := range p {
		g.Actions = append(g.Actions, x/sum)
	}
}
