package viztest

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"

	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
)

// A Wave is an Agent that finds the way through a maze by a wave from the goal that advances Reach
// cells a segment; where it has not been, the answer is a guess. It halts once the wave has reached
// the agent, at MaxSegments at the latest. It is exact and repeatable, and a stand-in for a network
// in tests of what shows one.
type Wave struct {
	Name        string // model name in the header
	Wall, Goal  uint8  // kinds of cell
	Reach       int
	MaxSegments int
	Path        bool // answer with the cells of the way instead of directions
	World       session.World

	board grid.Board
	dist  []int // to the goal, -1 where there is no way
	order []int // way of the agent
	n     int   // segments thought
	last  trace.Segment
	rng   *rand.Rand
	start int     // of the decision
	price float64 // of a segment
}

// Describe implements session.Agent.
func (w *Wave) Describe(h *trace.Header) {
	h.Agent, h.Model, h.MaxSegments, h.Rule = "hrm", w.Name, w.MaxSegments, "halt-over-continue"
	if w.price > 0 {
		h.Rule, h.Threshold = "halt-above", float32(math.Log((1-w.price)/w.price))
	}
	h.Levels = []string{"H", "L"}
	h.Answer = trace.AnswerDirection
	if w.Path {
		h.Answer = trace.AnswerPath
	}
}

// Begin implements session.Agent.
func (w *Wave) Begin(context.Context, []byte, bool) error {
	w.board = w.World.Board()
	return w.Again(context.Background(), 0)
}

// Again implements session.Steered: other guesses, and a way of the state that is turned.
func (w *Wave) Again(_ context.Context, k int) error {
	w.n, w.start = 0, k
	w.last = trace.Segment{}
	w.rng = rand.New(rand.NewPCG(7, 11+uint64(k)))
	w.flood()
	return nil
}

// Price implements session.Steered.
func (w *Wave) Price(_ context.Context, price float64) error {
	w.price = price
	return nil
}

// Board lets w think about a board without a world.
func (w *Wave) Board(b grid.Board) *Wave {
	w.board, w.n, w.last = b, 0, trace.Segment{}
	w.rng = rand.New(rand.NewPCG(7, 11))
	w.flood()
	return w
}

// Steps of trace.AnswerDirection.
var dirX, dirY = [4]int{0, 0, -1, 1}, [4]int{-1, 1, 0, 0}

func (w *Wave) next(cell, d int) int {
	x, y := cell%w.board.Cols+dirX[d], cell/w.board.Cols+dirY[d]
	if x < 0 || y < 0 || x >= w.board.Cols || y >= w.board.Rows || w.board.Cells[y*w.board.Cols+x].Kind == w.Wall {
		return -1
	}
	return y*w.board.Cols + x
}

// flood fills dist from the goals.
func (w *Wave) flood() {
	w.dist = make([]int, len(w.board.Cells))
	var queue []int
	for i, c := range w.board.Cells {
		w.dist[i] = -1
		if c.Kind == w.Goal {
			w.dist[i] = 0
			queue = append(queue, i)
		}
	}
	for k := 0; k < len(queue); k++ {
		for d := range 4 {
			if n := w.next(queue[k], d); n >= 0 && w.dist[n] < 0 {
				w.dist[n] = w.dist[queue[k]] + 1
				queue = append(queue, n)
			}
		}
	}
	w.order = w.order[:0]
	at := w.agent()
	for at >= 0 && w.dist[at] >= 0 {
		w.order = append(w.order, at)
		if w.dist[at] == 0 {
			break
		}
		at = w.next(at, w.best(at))
	}
}

func (w *Wave) agent() int {
	for _, p := range w.board.Pieces {
		if p.Kind == grid.PieceAgent {
			return p.Y*w.board.Cols + p.X
		}
	}
	return -1
}

// best is the direction towards the goal.
func (w *Wave) best(cell int) int {
	for d := range 4 {
		if n := w.next(cell, d); n >= 0 && w.dist[n] >= 0 && w.dist[n] < w.dist[cell] {
			return d
		}
	}
	return 0
}

// Think implements session.Agent.
func (w *Wave) Think(ctx context.Context, g *trace.Segment) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.n++
	n := len(w.board.Cells)
	front := w.n * w.Reach
	g.Answer, g.Confidence = make([]uint8, n), make([]uint8, n)
	high, low := trace.Level{Change: make([]float32, n)}, trace.Level{Change: make([]float32, n)}
	onWay := make(map[int]bool, len(w.order))
	for _, c := range w.order {
		onWay[c] = true
	}
	for i, d := range w.dist {
		switch {
		case w.board.Cells[i].Kind == w.Wall || d < 0 || d == 0 && !w.Path:
			g.Answer[i] = trace.NoAnswer
			g.Confidence[i] = 250
			if w.Path {
				g.Answer[i] = 0
			}
			low.Change[i] = 0.05 / float32(w.n)
			continue
		case d <= front:
			g.Confidence[i] = uint8(255 - 120*max(0, min(1, float64(d-front+2*w.Reach)/float64(2*w.Reach))))
		default:
			g.Confidence[i] = uint8(70 + w.rng.IntN(70))
		}
		change := math.Exp(-math.Abs(float64(d-front)) / float64(w.Reach))
		low.Change[i] = float32(0.3*change + 0.04*w.rng.Float64())
		high.Change[i] = float32(0.2*change + 0.02/float64(w.n))
		known := d <= front
		if w.Path {
			g.Answer[i] = 0
			if onWay[i] && known || !known && w.rng.IntN(4) == 0 {
				g.Answer[i] = 1
			}
			continue
		}
		switch {
		case known:
			g.Answer[i] = uint8(w.best(i))
		case len(w.last.Answer) == n && w.rng.IntN(3) > 0:
			g.Answer[i] = w.last.Answer[i]
		default:
			g.Answer[i] = uint8(w.rng.IntN(4))
		}
	}
	left := 0.0 // what the wave still has to go
	if len(w.order) > 0 {
		left = float64(w.dist[w.order[0]] - front)
	}
	g.QHalt = float32(min(max(-left/float64(2*w.Reach)+0.6, -4), 4))
	g.QContinue = float32(min(max(left/float64(3*w.Reach)+0.1, -3), 3))
	r := 2 * math.Exp(-float64(w.n)/4)
	sin, cos := math.Sincos(float64(w.n)*0.9 + float64(w.start))
	high.Path = [2]float32{float32(r*cos + 1), float32(r*sin - 0.5)}
	sin, cos = math.Sincos(float64(w.n)*1.7 + 1)
	low.Path = [2]float32{float32(1.4*r*cos - 0.3), float32(0.8*r*sin + 0.1*float64(w.n%2))}
	g.Levels = []trace.Level{high, low}
	g.Actions = make([]float32, 4)
	if at := w.agent(); at >= 0 && g.Answer[at] < 4 && !w.Path {
		p := float32(g.Confidence[at]) / 255
		for a := range g.Actions {
			g.Actions[a] = (1 - p) / 3
		}
		g.Actions[g.Answer[at]] = p
	}
	bound := float64(g.QContinue)
	if w.price > 0 {
		bound = math.Log((1 - w.price) / w.price)
	}
	g.Halted = float64(g.QHalt) > bound || w.n == w.MaxSegments
	w.last = *g
	return nil
}

// Action implements session.Agent.
func (w *Wave) Action(context.Context) (int, error) {
	at := w.agent()
	if w.Path {
		return -1, nil
	}
	if at < 0 || w.last.Answer == nil || w.last.Answer[at] > 3 {
		return 0, nil
	}
	return int(w.last.Answer[at]), nil
}

// Worth implements session.Brancher: the nearer to three segments, the better.
func (w *Wave) Worth(_ context.Context, copied env.Env, obs []byte, segments int) (float64, error) {
	if copied == env.Env(w.World) || len(obs) != copied.Spec().ObsLen {
		return 0, errors.New("wave: no copy of the world")
	}
	return 1 - math.Abs(float64(segments-3))/16, nil
}

// Attend implements session.Attender: a cell looks at those near to it along the way.
func (w *Wave) Attend(_ context.Context, segment, cell int) ([][]uint8, error) {
	n := len(w.board.Cells)
	high, low := make([]uint8, n), make([]uint8, n)
	for i := range n {
		d := math.Hypot(float64(i%w.board.Cols-cell%w.board.Cols), float64(i/w.board.Cols-cell/w.board.Cols))
		high[i] = uint8(255 * math.Exp(-d/4))
		low[i] = uint8(255 * math.Exp(-d*d/4))
	}
	return [][]uint8{high, low}, nil
}

// Close implements session.Agent.
func (w *Wave) Close() error { return nil }

// Decision is a decision about b that w thinks to its end, and extra segments beyond.
func (w *Wave) Decision(b grid.Board, extra int) *trace.Step {
	w.Board(b)
	s := &trace.Step{Board: b, Seed: 42}
	for extra >= 0 {
		var g trace.Segment
		if w.Think(context.Background(), &g) != nil {
			break // only when cancelled
		}
		s.Thought = append(s.Thought, g)
		if g.Halted {
			extra--
		}
	}
	s.Action, _ = w.Action(context.Background())
	return s
}

var (
	_ session.Agent    = (*Wave)(nil)
	_ session.Attender = (*Wave)(nil)
	_ session.Steered  = (*Wave)(nil)
)
