// Package swap is a network of one's own, in plain Go: it reverses a sequence from outside inwards, a pair of
// cells a segment, and wishes to halt when it has met in the middle.
package swap

import (
	"slices"

	"github.com/ponder-agents/ponder/agent/think"
)

// A Core answers sequences of digits below Vocab.
type Core struct{ Vocab int }

// Spec implements think.Core. The state is the answer so far, a number a token, and how many pairs are done.
func (c Core) Spec() think.Spec {
	return think.Spec{Vocab: c.Vocab, Outputs: c.Vocab, Levels: []think.Level{{Name: "pairs", Width: 1, Prefix: 1}, {Name: "answer", Width: 1}}}
}

// Open implements think.Core.
func (c Core) Open(n int, shape think.Shape) (think.Rows, error) {
	return &rows{vocab: c.Vocab, seq: shape.Seq, tokens: make([][]int32, n), state: make([]think.Memory, n)}, nil
}

type rows struct {
	vocab, seq int
	tokens     [][]int32
	state      []think.Memory
}

func (r *rows) Begin(row int, in think.Input) error {
	r.state[row] = think.Memory{make([]float32, 1+r.seq), make([]float32, r.seq)}
	return r.Turn(row, in)
}

func (r *rows) Turn(row int, in think.Input) error {
	r.tokens[row] = slices.Clone(in.Tokens)
	return nil
}

func (r *rows) Segment(which []int, out *think.Output) error {
	out.Logits, out.QHalt, out.QContinue = out.Logits[:0], out.QHalt[:0], out.QContinue[:0]
	for _, row := range which {
		in, done, answer := r.tokens[row], r.state[row][0], r.state[row][1]
		if i := int(done[0]); 2*i < r.seq {
			answer[i], answer[r.seq-1-i] = float32(in[r.seq-1-i]), float32(in[i])
			done[0]++
		}
		for _, digit := range answer {
			for c := range r.vocab {
				out.Logits = append(out.Logits, -(digit-float32(c))*(digit-float32(c)))
			}
		}
		out.QHalt = append(out.QHalt, 2*done[0]-float32(r.seq)+0.5)
		out.QContinue = append(out.QContinue, 0)
	}
	return nil
}

func (r *rows) Save(row int) (think.Memory, error) {
	m := r.state[row]
	return think.Memory{slices.Clone(m[0]), slices.Clone(m[1])}, nil
}

func (r *rows) Load(row int, m think.Memory) error {
	r.state[row] = think.Memory{slices.Clone(m[0]), slices.Clone(m[1])}
	return nil
}

func (r *rows) Close() error { return nil }
