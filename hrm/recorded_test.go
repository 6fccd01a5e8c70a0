//go:build cgo && !notorch

package hrm_test

import (
	"math"
	"testing"

	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

// TestRecordedSegments thinks on a GPU, where the later segments of a shape are replayed, as on the CPU.
func TestRecordedSegments(t *testing.T) {
	dev, err := torch.ParseDevice("cuda")
	if err != nil {
		t.Skip(err)
	}
	for name, network := range networks(t) {
		n := network(hrm.Float32)
		if n.Spec().Symbols > 0 {
			continue // of groups, which are not recorded
		}
		weights, err := n.Params().Save()
		if err != nil {
			t.Fatal(err)
		}
		think := func(dev torch.Device) (out []float32) {
			core, err := load(n, weights, hrm.Run{Device: dev})
			if err != nil {
				t.Fatal(err)
			}
			defer core.Close()
			mustDo(t, torch.NoGrad, func(s *torch.Scope) {
				sp := core.Spec()
				for _, batch := range []int{2, 3} {
					z := core.Start(s, batch, sp.Seq)
					for k := range 6 {
						tokens, ids := []int64{}, []int64{}
						for i := range batch * sp.Seq {
							tokens = append(tokens, int64((i*7+k*batch)%sp.Tokens(sp.Seq)))
						}
						for i := range batch {
							ids = append(ids, int64(i%max(sp.IDs, 1)))
						}
						in := hrm.Input{Tokens: torch.From(s, dev, tokens, int64(batch), int64(sp.Seq))}
						if sp.IDs > 0 {
							in.PuzzleIDs = torch.From(s, dev, ids, int64(batch))
						}
						var o hrm.Output
						z, o = core.Segment(s, z, in)
						out = append(out, s.ReadFloats(nil, o.Logits)...)
						out = append(out, s.ReadFloats(nil, o.QHalt)...)
						out = append(out, s.ReadFloats(nil, o.State)...)
					}
				}
			})
			return out
		}
		want, got := think(torch.CPU), think(dev)
		if len(got) != len(want) {
			t.Fatalf("%s: %d numbers, want %d", name, len(got), len(want))
		}
		for i := range want {
			if !(math.Abs(float64(got[i]-want[i])) <= 2e-3) {
				t.Errorf("%s: number %d is %g, on the CPU %g", name, i, got[i], want[i])
				break
			}
		}
	}
}
