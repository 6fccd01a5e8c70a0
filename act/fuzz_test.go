package act

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// FuzzHalter checks the invariants of halting over any logits, and that a Halter restored in the
// middle goes on exactly as the first one.
func FuzzHalter(f *testing.F) {
	f.Add(uint8(4), uint8(2), uint8(0), uint8(128), uint64(1), []byte{0, 255, 3, 128, 7, 90, 200, 1})
	f.Add(uint8(1), uint8(1), uint8(2), uint8(0), uint64(2), []byte{9, 9, 9, 9})
	f.Add(uint8(16), uint8(3), uint8(1), uint8(255), uint64(3), bytes.Repeat([]byte{250, 10, 130}, 40))
	f.Fuzz(func(t *testing.T, most, rows, rule, prob uint8, seed uint64, logits []byte) {
		n := int(rows%8) + 1
		cfg := Config{MaxSegments: int(most%20) + 1, ExplorationProb: float64(prob) / 255, Rule: Rule(rule % 3)}
		pcg := rand.NewPCG(seed, 0)
		h, err := New(cfg, n, FromRand(rand.New(pcg)))
		if err != nil {
			t.Fatal(err)
		}
		var twin *Halter
		before := make([]int32, n)
		for step := 0; len(logits) >= 2*n; step++ {
			q := Q{make([]float32, n), make([]float32, n)}
			for b := range n {
				q.Halt[b], q.Continue[b] = logitOf(logits[b]), logitOf(logits[n+b])
			}
			logits = logits[2*n:]
			wasHalted := append([]bool(nil), h.Halted()...)
			copy(before, h.Segments())
			h.Step(q)
			for b := range n {
				seg, min, halted := h.Segments()[b], h.MinSegments()[b], h.Halted()[b]
				want := before[b] + 1
				if wasHalted[b] {
					want = 1
				}
				if seg != want || seg < 1 || int(seg) > cfg.MaxSegments {
					t.Fatalf("row %d: segment %d after %d (halted %v), at most %d", b, seg, before[b], wasHalted[b], cfg.MaxSegments)
				}
				if min != 0 && (min < 2 || int(min) > cfg.MaxSegments) {
					t.Fatalf("row %d: minimum %d", b, min)
				}
				if int(seg) == cfg.MaxSegments && !halted || int(seg) < cfg.MaxSegments && halted && seg < min {
					t.Fatalf("row %d: halted = %v at segment %d of %d, minimum %d", b, halted, seg, cfg.MaxSegments, min)
				}
			}
			if twin != nil {
				twin.Step(q)
				if a, b := h.AppendState(nil), twin.AppendState(nil); !bytes.Equal(a, b) {
					t.Fatalf("the restored Halter is at %v, the first one at %v", b, a)
				}
			}
			if step == 2 {
				stream, err := pcg.MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				var copied rand.PCG
				if err := copied.UnmarshalBinary(stream); err != nil {
					t.Fatal(err)
				}
				if twin, err = New(cfg, n, FromRand(rand.New(&copied))); err != nil {
					t.Fatal(err)
				}
				if err := twin.SetState(h.AppendState(nil)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(logits) > 0 {
			if err := h.SetState(logits); err == nil {
				if !bytes.Equal(h.AppendState(nil), logits) {
					t.Fatal("a state was accepted and changed")
				}
			}
		}
	})
}

func logitOf(b byte) float32 {
	switch b {
	case 255:
		return float32(math.NaN())
	case 254:
		return float32(math.Inf(1))
	}
	return float32(b)/16 - 8
}
