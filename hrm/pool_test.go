//go:build cgo && !notorch

package hrm_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// TestPool compares every vector with the numbers of the carry and of the encoded input.
func TestPool(t *testing.T) {
	for _, name := range []string{"rope", "table bias", "cell"} { // no prefix, two registers, one state
		for _, prec := range []hrm.Precision{hrm.Float32, hrm.BFloat16} {
			n := networks(t)[name](prec)
			mustDo(t, torch.NoGrad, func(s *torch.Scope) {
				z, out := n.Segment(s, n.Start(s, 2, 12), grids(s))
				st := n.Spec().States[0]
				at := []int64{5, 11}
				got := out.Pool(s, hrm.Pool{First: true, Mean: true, At: s.Ints(at, 2), Input: true})
				if shape := torch.Shape(got); shape[0] != 2 || shape[1] != 3*int64(st.Width)+3*torch.Shape(out.Encoded)[len(torch.Shape(out.Encoded))-1] {
					t.Fatalf("%s: shape %v", name, shape)
				}
				var want []float64
				for b := range 2 {
					for _, x := range []*torch.Tensor{z[0], out.Encoded} {
						v := torch.Read[float64](nil, x)[b*int(x.Numel())/2 : (b+1)*int(x.Numel())/2]
						if st.Whole {
							want = append(append(append(want, v...), v...), v...)
							continue
						}
						w := st.Width
						want = append(want, v[:w]...)
						for i := range w {
							sum := 0.0
							for p := st.Prefix; p < st.Prefix+12; p++ {
								sum += v[p*w+i]
							}
							want = append(want, sum/12)
						}
						p := st.Prefix + int(at[b])
						want = append(want, v[p*w:(p+1)*w]...)
					}
				}
				for i, v := range torch.Read[float64](nil, got) {
					if math.Abs(v-want[i]) > 1e-5 { // float32, mean of 12
						t.Fatalf("%s in %s: number %d is %v, want %v", name, prec, i, v, want[i])
					}
				}
			})
		}
	}
}

// A policy and a value of one's own read what a network thinks of a grid: the mean over the cells and the
// cell where the agent stands, with the encoded input beside. They are parameters like the network's, and
// the gradient of their loss goes through the last update of each level.
func ExampleOutput_Pool() {
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	m, err := hrm.New(hrm.Config{
		Vocab: 5, Seq: 6, Rows: 2, Cols: 3, Hidden: 16, Heads: 2, Levels: hrm.HL(1, 1, 2, 2), Inner: 24, Positions: hrm.Rope2D,
	}, params, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	const actions, width = 4, 2 * 2 * 16 // mean and cell, of the state and of the input
	err = torch.Do(torch.Grad, func(s *torch.Scope) {
		gen := torch.NewGenerator(2)
		defer gen.Close()
		policy := params.Add(s, "policy.weight", gen.TruncNormal(s, 0.1, actions, width))
		value := params.Add(s, "value.weight", gen.TruncNormal(s, 0.1, 1, width))

		grid := hrm.Input{Tokens: s.Ints([]int64{0, 1, 2, 3, 4, 0}, 1, 6)}
		_, out := m.Segment(s, m.Start(s, 1, 6), grid)
		agent := s.Ints([]int64{4}, 1) // stands in row 1, column 1
		x := out.Pool(s, hrm.Pool{Mean: true, At: agent, Input: true})
		logits, worth := s.Linear(x, policy, nil), s.Linear(x, value, nil)
		fmt.Println("read-out", torch.Shape(x), "policy", torch.Shape(logits), "value", torch.Shape(worth))

		loss := s.Add(s.Sum(s.Mul(logits, logits)), s.Sum(worth))
		reached := 0
		_, trained := params.Trained()
		for _, g := range s.Gradients(loss, trained) {
			for _, v := range s.ReadFloats(nil, g) {
				if v != 0 {
					reached++
					break
				}
			}
		}
		// All but the answer's head and the two of the Q head, which the loss does not ask.
		fmt.Println(reached, "of", len(trained), "parameters have a gradient")
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// read-out [1 64] policy [1 4] value [1 1]
	// 11 of 14 parameters have a gradient
}
