package minigrid

import (
	"testing"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/env/rng"
)

// BenchmarkStep steps 256 environments by uniformly random actions, observations and resets
// included.
func BenchmarkStep(b *testing.B) {
	for _, e := range env.List("MiniGrid-*") {
		b.Run(e.ID, func(b *testing.B) {
			const n = 256
			v, err := env.MakeVec(e.ID, n, env.VecConfig{Workers: 1})
			if err != nil {
				b.Fatal(err)
			}
			v.Reset(0)
			draws := rng.Stream(0, "bench")
			actions := make([][]int32, 64)
			for i := range actions {
				actions[i] = make([]int32, n)
				for j := range actions[i] {
					actions[i][j] = int32(draws.IntN(len(v.Spec().Actions)))
				}
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if err := v.Step(actions[i%len(actions)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(i)*n/b.Elapsed().Seconds()/1e6, "Msteps/s")
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	e, err := New("MiniGrid-DoorKey-8x8-v0", Config{})
	if err != nil {
		b.Fatal(err)
	}
	e.Reset(make([]byte, e.Spec().ObsLen))
	state := e.AppendState(nil)
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			state = e.AppendState(state[:0])
		}
	})
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			if err := e.SetState(state); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("clone", func(b *testing.B) {
		for b.Loop() {
			e.Clone()
		}
	})
}
