package open_test

import (
	"slices"
	"testing"

	"github.com/ponder-agents/ponder/agent/open"
	"github.com/ponder-agents/ponder/agent/session"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/env"
)

// TestWorth: the branch that thinks as long as the mind did is the episode itself, to the last bit, whether it keeps its carry
// or not; and a mind that was asked goes on as if it had not been.
func TestWorth(t *testing.T) {
	for name, id := range map[string]string{"doorkey-5x5": "MiniGrid-DoorKey-5x5-v0", "maze-reward": "maze/11x11-v0", "maze": "maze/7x7-v0"} {
		m, err := open.Model(name, open.Run{Engine: "go"})
		if err != nil {
			t.Fatal(err)
		}
		price, discount := m.Usage.Price, m.Usage.Discount
		if discount == 0 {
			discount = 1
		}
		e, err := env.Make(id)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := open.MindOf(m, e.Spec(), think.Wishes{}, false)
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		mind := opened.(session.Brancher)
		play := func(ask int) (total float64, segments []int, worth []float64) { // worth of what was done, and of one segment, at step ask
			obs := make([]byte, e.Spec().ObsLen)
			e.Seed(11)
			e.Reset(obs)
			weight := 1.0
			for step := 0; ; step++ {
				if err := mind.Begin(t.Context(), obs, step == 0); err != nil {
					t.Fatal(err)
				}
				n := 0
				for halted := false; !halted; n++ {
					var g trace.Segment
					if err := mind.Think(t.Context(), &g); err != nil {
						t.Fatal(err)
					}
					halted = g.Halted
				}
				for _, tries := range []int{n, 1} {
					if step != ask {
						break
					}
					copied, err := env.Make(id)
					if err != nil {
						t.Fatal(err)
					}
					from, _ := env.As[env.Snapshotter](e)
					to, _ := env.As[env.Snapshotter](copied)
					if err := to.SetState(from.AppendState(nil)); err != nil {
						t.Fatal(err)
					}
					w, err := mind.Worth(t.Context(), copied, slices.Clone(obs), tries)
					if err != nil {
						t.Fatal(err)
					}
					worth = append(worth, w)
				}
				action, err := mind.Action(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				out := e.Step(action, obs)
				segments = append(segments, n)
				if step >= ask {
					total += weight * (out.Reward - price*float64(n))
					weight *= discount
				}
				if out.Done() {
					return total, segments, worth
				}
			}
		}
		_, plain, _ := play(1 << 30)
		for ask := range 3 {
			total, segments, worth := play(ask)
			if !slices.Equal(segments, plain) {
				t.Errorf("%s: asked at step %d it thinks %d segments, else %d", name, ask, segments, plain)
			}
			if worth[0] != total {
				t.Errorf("%s, step %d: the branch of %d segments is worth %v, the episode %v", name, ask, segments[ask], worth[0], total)
			}
			if segments[ask] == 1 && worth[1] != worth[0] {
				t.Errorf("%s, step %d: one segment is worth %v and %v", name, ask, worth[0], worth[1])
			}
		}
	}
}
