//go:build cgo && !notorch

package engine

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// drawConfig is any network that a configuration can describe, small.
func drawConfig(t *rapid.T) arch.Config {
	side := func(name string) int { return rapid.IntRange(1, 5).Draw(t, name) }
	c := arch.Config{
		Vocab: rapid.IntRange(1, 12).Draw(t, "vocab"), Outputs: rapid.IntRange(0, 20).Draw(t, "outputs"),
		Heads: rapid.IntRange(1, 4).Draw(t, "heads"),
		Inner: rapid.IntRange(1, 70).Draw(t, "inner"), NormEps: rapid.SampledFrom([]float64{0, 1e-3}).Draw(t, "norm_eps"),
		RopeTheta: rapid.SampledFrom([]float64{0, 100}).Draw(t, "rope_theta"), Shared: rapid.Bool().Draw(t, "shared"),
		Positions: rapid.SampledFrom([]arch.Positions{arch.Rope, arch.Rope2D, arch.Learned, arch.NoPos}).Draw(t, "positions"),
		Mixing:    rapid.SampledFrom([]arch.Mixing{arch.Attention, arch.StaticMix, arch.TokenMLP}).Draw(t, "mixing"),
		Registers: rapid.IntRange(0, 2).Draw(t, "registers"),
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "levels") {
		c.Levels = append(c.Levels, arch.Level{
			Name: string(rune('a' + i)), Layers: rapid.IntRange(1, 2).Draw(t, "layers"), Cycles: rapid.IntRange(1, 3-i).Draw(t, "cycles"),
		})
	}
	c.Hidden = c.Heads * 4 * rapid.IntRange(1, 5).Draw(t, "head width / 4")
	c.Rows, c.Cols = side("rows"), side("cols")
	if c.Seq = c.Rows * c.Cols; rapid.Bool().Draw(t, "grid") {
		c.Conv, c.GridEmbed = rapid.Bool().Draw(t, "conv"), rapid.Bool().Draw(t, "grid_embed")
		if c.GridEmbed && rapid.Bool().Draw(t, "boxes") {
			c.Regions = arch.Tiles(c.Rows, c.Cols, rapid.IntRange(1, c.Rows).Draw(t, "tile rows"), rapid.IntRange(1, c.Cols).Draw(t, "tile cols"))
		}
	} else if c.Positions != arch.Rope2D {
		c.Rows, c.Cols = 0, 0
	}
	if c.Mixing == arch.Attention {
		c.Bias = rapid.SampledFrom([]arch.Bias{arch.NoBias, arch.TableBias, arch.RelativeBias}).Draw(t, "bias")
		if c.Bias == arch.RelativeBias && c.Rows == 0 {
			c.Bias = arch.NoBias
		}
		c.BiasRadius = rapid.IntRange(1, 3).Draw(t, "bias_radius")
	}
	if rapid.Bool().Draw(t, "puzzles") {
		c.PuzzleIDs, c.PuzzleDim = rapid.IntRange(1, 4).Draw(t, "puzzle_ids"), rapid.IntRange(1, 2*c.Hidden).Draw(t, "puzzle_dim")
	}
	return c
}

// disturbed is weights with every number moved by its last bit or so: what any other order of sums does.
func disturbed(weights map[string]safetensors.Tensor) map[string]safetensors.Tensor {
	out := map[string]safetensors.Tensor{}
	draws := rand.New(rand.NewPCG(6, 8))
	for name, t := range weights {
		x, err := t.Float32s()
		if err != nil {
			panic(err)
		}
		for i := range x {
			x[i] *= 1 + float32(draws.IntN(2)*2-1)*6e-8
		}
		out[name] = safetensors.OfFloat32s(t.Shape, x)
	}
	return out
}

// TestAsTorch: on any configuration, a segment from any state is what libtorch computes, but for what
// rounding does to that network.
func TestAsTorch(t *testing.T) {
	torch.SetThreads(1) // its threads wait for each other where others compute too
	rapid.Check(t, func(rt *rapid.T) {
		cfg := drawConfig(rt)
		weights := random(cfg, rapid.Uint64().Draw(rt, "weights"))
		m, err := New(cfg, weights)
		if err != nil {
			rt.Fatal(err)
		}
		rounded, err := New(cfg, disturbed(weights))
		if err != nil {
			rt.Fatal(err)
		}
		net, err := hrm.Load(cfg, weights, hrm.Run{Device: torch.CPU})
		if err != nil {
			rt.Fatal(err)
		}
		core := learn.NewCore(net)
		defer core.Close()
		if got, want := m.Spec(), core.Spec(); !slices.Equal(got.Levels, want.Levels) || got.Shape != want.Shape || got.Fixed != want.Fixed || got.IDs != want.IDs || got.Outputs != want.Outputs {
			rt.Fatalf("spec %+v, want %+v", got, want)
		}
		shape := m.Spec().Shape
		if !m.Spec().Fixed && rapid.Bool().Draw(rt, "another shape") {
			shape.Rows, shape.Cols = rapid.IntRange(1, 6).Draw(rt, "rows"), rapid.IntRange(1, 6).Draw(rt, "cols")
			if shape.Seq = shape.Rows * shape.Cols; cfg.Rows == 0 {
				shape.Rows, shape.Cols = 0, 0
			}
		}
		const n = 2
		ours, err := m.Open(n, shape)
		if err != nil {
			rt.Fatal(err)
		}
		defer ours.Close()
		noisy, err := rounded.Open(n, shape)
		if err != nil {
			rt.Fatal(err)
		}
		defer noisy.Close()
		theirs, err := core.Open(n, shape)
		if err != nil {
			rt.Fatal(err)
		}
		defer theirs.Close()
		draws := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(rt, "tokens")))
		for i := range n {
			in := think.Input{Tokens: make([]int32, shape.Seq)}
			for t := range in.Tokens {
				in.Tokens[t] = int32(draws.IntN(cfg.Vocab))
			}
			if cfg.PuzzleDim > 0 {
				in.ID = int32(draws.IntN(cfg.PuzzleIDs))
			}
			for _, r := range []think.Rows{ours, noisy, theirs} {
				if err := r.Begin(i, in); err != nil {
					rt.Fatal(err)
				}
			}
		}
		near := func(what string, got, noise, want []float32) {
			if len(got) != len(want) {
				rt.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
			}
			// A disturbance of weights alone, once, against all roundings of a segment.
			allowed := 5e-5
			for i := range noise {
				allowed = max(allowed, 100*math.Abs(float64(noise[i]-got[i])))
			}
			for i := range want {
				if d := math.Abs(float64(got[i] - want[i])); !(d <= allowed*max(1, math.Abs(float64(want[i])))) {
					rt.Fatalf("%s: number %d is %v, want %v; rounding explains %v", what, i, got[i], want[i], allowed)
				}
			}
		}
		for range 3 {
			if a, ok := theirs.(think.Attender); ok {
				want, err := a.Attention(1)
				if err != nil {
					rt.Fatal(err)
				}
				got, err := ours.(think.Attender).Attention(1)
				if err != nil {
					rt.Fatal(err)
				}
				noise, err := noisy.(think.Attender).Attention(1)
				if err != nil {
					rt.Fatal(err)
				}
				for k := range want {
					near("attention", got[k], noise[k], want[k])
				}
			}
			var got, noise, want think.Output
			if err := noisy.Segment([]int{1, 0}, &noise); err != nil {
				rt.Fatal(err)
			}
			if err := ours.Segment([]int{1, 0}, &got); err != nil {
				rt.Fatal(err)
			}
			if err := theirs.Segment([]int{1, 0}, &want); err != nil {
				rt.Fatal(err)
			}
			near("logits", got.Logits, noise.Logits, want.Logits)
			near("q_halt", got.QHalt, noise.QHalt, want.QHalt)
			near("q_continue", got.QContinue, noise.QContinue, want.QContinue)
			for i := range n { // both go on from the same state
				mine, err := ours.Save(i)
				if err != nil {
					rt.Fatal(err)
				}
				other, err := theirs.Save(i)
				if err != nil {
					rt.Fatal(err)
				}
				third, err := noisy.Save(i)
				if err != nil {
					rt.Fatal(err)
				}
				for k := range other {
					near("state", mine[k], third[k], other[k])
				}
				if err := noisy.Load(i, other); err != nil {
					rt.Fatal(err)
				}
				if err := ours.Load(i, other); err != nil {
					rt.Fatal(err)
				}
			}
		}
	})
}
