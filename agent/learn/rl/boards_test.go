//go:build cgo && !notorch

package rl

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ponder-agents/ponder/env"
	_ "github.com/ponder-agents/ponder/env/sudoku"
	"github.com/ponder-agents/ponder/torch"
)

// TestBoard: a board that is turned over, with rows exchanged and digits renamed is answered alike, digit by digit and cell by cell,
// and valued the same; and gradients reach everything but the Q head, which is not asked.
func TestBoard(t *testing.T) {
	e, err := env.Make("sudoku/4x4-v0")
	if err != nil {
		t.Fatal(err)
	}
	spec := e.Spec()
	n, err := NewNetwork(NetworkConfig{Hidden: 32}, spec, torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	const cells, side = 16, 4
	r := rand.New(rand.NewPCG(1, 2))
	digits, lines := r.Perm(side), []int{1, 0, 3, 2} // lines change places within their bands
	to := func(cell int) int { return lines[cell%side]*side + lines[cell/side] }
	obs := make([]byte, 2*spec.ObsLen)
	for c := range cells {
		if d := r.IntN(side + 1); d > 0 {
			obs[c], obs[spec.ObsLen+to(c)] = byte(1+d), byte(2+digits[d-1])
		} else {
			obs[c], obs[spec.ObsLen+to(c)] = 1, 1
		}
	}
	err = torch.Do(torch.Grad, func(s *torch.Scope) {
		x, err := n.Encode(s, obs, 2)
		if err != nil {
			t.Fatal(err)
		}
		z := n.Start(s, 2)
		for range 2 {
			z = n.Segment(s, x, z)
		}
		h := n.Heads(s, x, z)
		logits, values := s.ReadFloats(nil, h.Logits), s.ReadFloats(nil, h.Value)
		other := logits[len(spec.Actions):]
		near := func(what string, a, b float32) {
			if math.Abs(float64(a-b)) > 1e-5 {
				t.Errorf("%s: %v and %v", what, a, b)
			}
		}
		for a := range cells * side {
			near(spec.Actions[a], logits[a], other[to(a/side)*side+digits[a%side]])
		}
		near("undo", logits[cells*side], other[cells*side])
		near("value", values[0], values[1])

		names, trained := n.Params().Trained()
		for i, g := range s.Gradients(s.Add(s.Sum(s.Mul(h.Logits, h.Logits)), s.Sum(h.Value)), trained) {
			if asked := names[i] != "inner.q_head.weight" && names[i] != "inner.q_head.bias"; (s.Norm([]*torch.Tensor{g}) > 0) != asked {
				t.Errorf("the gradient of %s has a norm of %v", names[i], s.Norm([]*torch.Tensor{g}))
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []NetworkConfig{{Hidden: -1}, {LCycles: 65}, {FiLM: true}} {
		if _, err := NewNetwork(bad, spec, torch.CPU, 1); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
