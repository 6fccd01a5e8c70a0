// Package reverse is a family of one's own: a sequence of digits is to be answered backwards. Importing it is all
// that ponder needs to train for it, to ask, to draw and to record.
package reverse

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/env/puzzle"
)

// Vocab is the digits.
const Vocab = 10

//go:embed reverse.toml
var recipes embed.FS

func init() {
	task.Register(task.Family{
		Name:    "reverse",
		Tasks:   []task.Task{{Name: "reverse", Reader: func(env.Spec) (task.Reader, error) { return new(Reader), nil }}},
		Data:    []task.Data{{Kind: "reverse", Task: "reverse", Usage: "reverse:N  sequences of N digits", Open: open}},
		Recipes: recipes,
		Kind: &puzzle.Kind{ // of datasets
			Name: "reverse",
			Fits: func(s puzzle.Shape) bool { return s.Vocab == Vocab },
		},
		Dataset: "reverse",
		Draw: func(_, tokens []int32) (grid.Board, []int) {
			seq := make([]byte, len(tokens))
			for i, t := range tokens {
				seq[i] = byte(t)
			}
			return Board(seq), nil
		},
	})
}

// open makes sequences; those that sum to a multiple of seven are held out.
func open(arg string, seed uint64, heldOut bool) (task.Rows, error) {
	n, err := strconv.Atoi(arg)
	if err != nil || n < 2 || n > 64 {
		return task.Rows{}, task.NameErrorf("length %q, want 2 to 64", arg)
	}
	src := puzzle.Generate(puzzle.Shape{SeqLen: n, Vocab: Vocab, Identifiers: 1}, seed, func(rng *rand.Rand, in, label []int32) (int32, error) {
		for {
			sum := int32(0)
			for i := range in {
				in[i] = rng.Int32N(Vocab)
				label[n-1-i] = in[i]
				sum += in[i]
			}
			if (sum%7 == 0) == heldOut {
				return 0, nil
			}
		}
	})
	return task.Rows{Source: src, Rows: 1, Cols: n}, nil
}

// A Reader shows a sequence, a byte a digit, as tokens, and answers as digits.
type Reader struct {
	n     int
	probs []float32
}

func (r *Reader) Tokens(dst []int32, obs []byte) ([]int32, int, int) {
	r.n = len(obs)
	for _, d := range obs {
		dst = append(dst, int32(d))
	}
	return dst, 1, r.n
}

func (r *Reader) Describe(g *trace.Segment, logits []float32) {
	g.Answer, g.Confidence = make([]uint8, r.n), make([]uint8, r.n)
	for i := range r.n {
		r.probs = task.Softmax(r.probs, logits[i*Vocab:(i+1)*Vocab])
		best := task.Largest(r.probs)
		g.Answer[i], g.Confidence[i] = uint8(best), uint8(255*r.probs[best])
	}
}

func (r *Reader) Cell(token int) int   { return token }
func (r *Reader) Cells() int           { return r.n }
func (r *Reader) Action([]float32) int { return -1 }
func (r *Reader) Answer() trace.Answer { return trace.AnswerDigit }

// Board is a sequence as the viewer shows it.
func Board(seq []byte) grid.Board {
	b := grid.Board{Family: "reverse", Rows: 1, Cols: len(seq), Caption: fmt.Sprint(seq)}
	for _, d := range seq {
		b.Cells = append(b.Cells, grid.Cell{Kind: d})
	}
	return b
}
