//go:build cgo && !notorch

package engine

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/learn/rl"
	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/internal/vec"
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
	if rapid.IntRange(0, 3).Draw(t, "groups") == 3 {
		return drawGroups(t, c, rapid.Bool().Draw(t, "fused"))
	}
	if last := &c.Levels[len(c.Levels)-1]; c.Conv && !c.Shared && len(c.Levels) > 1 && rapid.Bool().Draw(t, "local") {
		last.Mixing = arch.Local
	}
	if rapid.Bool().Draw(t, "puzzles") {
		c.PuzzleIDs, c.PuzzleDim = rapid.IntRange(1, 4).Draw(t, "puzzle_ids"), rapid.IntRange(1, 2*c.Hidden).Draw(t, "puzzle_dim")
	}
	return c
}

// drawGroups is a network that mixes by groups, with the levels of c; fused, of the widths of libtorch's operation for it.
func drawGroups(t *rapid.T, c arch.Config, fused bool) arch.Config {
	side := rapid.IntRange(1, 5).Draw(t, "side")
	g := arch.Config{
		Seq: side * side, Rows: side, Cols: side, Heads: 1, Levels: c.Levels, Shared: c.Shared, NormEps: c.NormEps,
		Hidden: rapid.IntRange(1, 40).Draw(t, "hidden"), Inner: c.Inner, Message: rapid.IntRange(0, 40).Draw(t, "message"),
		Mixing: arch.Grouped, Positions: arch.NoPos,
		Kinds:    rapid.SampledFrom([][]string{{"line"}, {"line", "box", "mini"}, {"other", "box"}}).Draw(t, "kinds"),
		Symbols:  rapid.IntRange(0, 4).Draw(t, "symbols"),
		Feedback: rapid.Bool().Draw(t, "feedback"), Settled: rapid.Bool().Draw(t, "settled"),
	}
	for i := range g.Levels {
		g.Levels[i].Mixing = ""
	}
	if fused {
		g.Hidden, g.Inner, g.Message = (g.Hidden+15)/16*16, (g.Inner+15)/16*16, (g.Message+15)/16*16
	}
	g.Vocab = g.SymbolsOf(g.Seq) + rapid.IntRange(1, 2).Draw(t, "marks")
	return g
}

// A rounding is what any other order of sums does: the last bit of every weight, or as much as some tens of sums add up
// to, which takes the steps of a norm of what nearly cancels more often.
type rounding struct {
	size  float64 // relative, of a disturbance
	times float64 // so much of what it changes is explained
}

// roundings are how weights are disturbed.
var roundings = slices.Repeat([]rounding{{6e-8, 100}, {1e-6, 10}}, 6)

// disturbed is weights with every number moved by size, up or down; how is drawn from seed.
func disturbed(weights map[string]safetensors.Tensor, size float64, seed uint64) map[string]safetensors.Tensor {
	out := map[string]safetensors.Tensor{}
	draws := rand.New(rand.NewPCG(6, seed))
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		x, err := weights[name].Float32s()
		if err != nil {
			panic(err)
		}
		for i := range x {
			x[i] *= 1 + float32(float64(draws.IntN(2)*2-1)*size)
		}
		out[name] = safetensors.OfFloat32s(weights[name].Shape, x)
	}
	return out
}

// TestAsTorch: on any configuration, a segment from any state is what libtorch computes, but for what
// rounding does to that network.
func TestAsTorch(t *testing.T) {
	torch.SetThreads(1) // its threads wait for each other where others compute too
	rapid.Check(t, func(rt *rapid.T) {
		cfg := drawConfig(rt)
		_, build := newNetwork(cfg.WithDefaults())
		weights := random(build, rapid.Uint64().Draw(rt, "weights"))
		net, err := hrm.Load(cfg, weights, hrm.Run{Device: torch.CPU})
		if err != nil {
			rt.Fatal(err)
		}
		core := learn.NewCore(net)
		defer core.Close()
		shape := core.Spec().Shape
		if !core.Spec().Fixed && rapid.Bool().Draw(rt, "another shape") {
			shape.Rows, shape.Cols = rapid.IntRange(1, 6).Draw(rt, "rows"), rapid.IntRange(1, 6).Draw(rt, "cols")
			if cfg.Mixing == arch.Grouped {
				shape.Cols = shape.Rows
			}
			if shape.Seq = shape.Rows * shape.Cols; cfg.Rows == 0 {
				shape.Rows, shape.Cols = 0, 0
			}
		}
		compare(rt, core, func(w map[string]safetensors.Tensor) (*Model, error) { return New(cfg, w) }, weights, shape, cfg.Spec().Tokens(shape.Seq))
	})
}

// TestCellAsTorch is TestAsTorch for recurrent networks.
func TestCellAsTorch(t *testing.T) {
	torch.SetThreads(1)
	rapid.Check(t, func(rt *rapid.T) {
		width := func(name string) int { return rapid.IntRange(1, 40).Draw(rt, name) }
		cfg := arch.CellConfig{
			Vocab: width("vocab"), Embed: rapid.IntRange(0, 20).Draw(rt, "embed"), Input: width("input"), Low: width("low"), High: width("high"),
			Steps: rapid.IntRange(0, 5).Draw(rt, "steps"), Outputs: rapid.IntRange(0, 20).Draw(rt, "outputs"),
		}
		if cfg.Seq = width("seq"); rapid.Bool().Draw(rt, "grid") {
			cfg.Rows, cfg.Cols = cfg.Seq, 1
		}
		weights := random((&cell{cfg: cfg.WithDefaults()}).build, rapid.Uint64().Draw(rt, "weights"))
		net, err := hrm.LoadCell(cfg, weights, hrm.Run{Device: torch.CPU})
		if err != nil {
			rt.Fatal(err)
		}
		core := learn.NewCore(net)
		defer core.Close()
		compare(rt, core, func(w map[string]safetensors.Tensor) (*Model, error) { return NewCell(cfg, w) }, weights, core.Spec().Shape, cfg.Vocab)
	})
}

// TestPolicyAsTorch is TestAsTorch for networks that act, in worlds of any observation.
func TestPolicyAsTorch(t *testing.T) {
	torch.SetThreads(1)
	rapid.Check(t, func(rt *rapid.T) {
		cfg := arch.PolicyConfig{
			Kind: rapid.SampledFrom(arch.PolicyKinds()).Draw(rt, "kind"), Hidden: rapid.IntRange(1, 40).Draw(rt, "hidden"),
			LCycles: rapid.IntRange(0, 3).Draw(rt, "l_cycles"), Window: rapid.IntRange(1, 9).Draw(rt, "window"),
		}
		spec, gated := drawSpec(rt), rapid.Bool().Draw(rt, "gated")
		cfg.FiLM = checkFilm(spec) == nil && rapid.Bool().Draw(rt, "film")
		_, build, _ := policyOf(cfg.WithDefaults(), spec, gated)
		weights := random(build, rapid.Uint64().Draw(rt, "weights"))
		net, err := rl.NewNetwork(cfg, spec, torch.CPU, 1)
		if err != nil {
			rt.Fatal(err)
		}
		own, ofGate := maps.Clone(weights), maps.Clone(weights)
		isGate := func(name string, _ safetensors.Tensor) bool { return strings.HasPrefix(name, "gate.") }
		maps.DeleteFunc(own, isGate)
		maps.DeleteFunc(ofGate, func(name string, t safetensors.Tensor) bool { return !isGate(name, t) })
		if err := net.Params().Load(own); err != nil {
			rt.Fatal(err)
		}
		var gate *rl.Gate
		if gated {
			if gate, err = rl.NewGate(net, spec, 1); err == nil {
				err = gate.Params().Load(ofGate)
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		core, err := rl.NewCore(net, gate, spec)
		if err != nil {
			rt.Fatal(err)
		}
		defer core.Close()
		compare(rt, core, func(w map[string]safetensors.Tensor) (*Model, error) { return NewPolicy(cfg, spec, w) }, weights, core.Spec().Shape, spec.Vocab)
	})
}

// drawBoard is of a world that is filled in.
func drawBoard(t *rapid.T) env.Spec {
	side, symbols := rapid.IntRange(1, 6).Draw(t, "side"), rapid.IntRange(1, 5).Draw(t, "symbols")
	f := env.Field{Name: "cells", Shape: []int{side, side}, Symbols: symbols}
	return env.Spec{
		ID: "drawn", ObsLen: 2 * f.Len(), Layout: []env.Field{f, {Name: "givens", Shape: f.Shape}}, Vocab: symbols + rapid.IntRange(1, 3).Draw(t, "marks"),
		Actions: make([]string, f.Len()*symbols+rapid.IntRange(0, 2).Draw(t, "other actions")),
	}
}

// drawSpec is of any world whose observations are small.
func drawSpec(t *rapid.T) env.Spec {
	if rapid.IntRange(0, 4).Draw(t, "a board") == 0 {
		return drawBoard(t)
	}
	s := env.Spec{ID: "drawn", Vocab: rapid.IntRange(1, 20).Draw(t, "vocab"), Actions: make([]string, rapid.IntRange(1, 9).Draw(t, "actions"))}
	fields := rapid.Permutation([]string{"image", "more", "mission", "direction"}).Draw(t, "fields")
	for i, name := range fields[:rapid.IntRange(1, 4).Draw(t, "how many")] {
		f := env.Field{Name: name, Shape: []int{rapid.IntRange(1, 9).Draw(t, "rows")}}
		if name == "image" || i == 2 {
			f.Shape = append(f.Shape, rapid.IntRange(1, 9).Draw(t, "cols"))
			if rapid.Bool().Draw(t, "channels, too") {
				f.Shape = append(f.Shape, rapid.IntRange(1, 5).Draw(t, "channels"))
			}
		}
		s.Layout = append(s.Layout, f)
		s.ObsLen += f.Len()
	}
	if f := &s.Layout[0]; len(s.Layout) == 1 && len(f.Shape) == 2 && s.Vocab > 1 && rapid.Bool().Draw(t, "a map") {
		f.Agent, f.Under = byte(rapid.IntRange(1, s.Vocab-1).Draw(t, "agent")), byte(rapid.IntRange(0, s.Vocab-1).Draw(t, "under"))
	}
	return s
}

// TestGroupBits: a network that mixes by groups, of widths that libtorch's operation for it takes, is the same on both
// engines bit for bit, where either or none multiplies and adds at once.
func TestGroupBits(t *testing.T) {
	torch.SetThreads(1)
	isa, _, _ := strings.Cut(torch.Kernels(), " ")
	defer torch.UseKernels(isa)
	defer vec.Use(vec.Kernels())
	for _, kernels := range []struct{ theirs, ours string }{{"base", "go"}, {"avx2", "avx2"}, {"avx512", "avx2"}} {
		t.Run(kernels.theirs, func(t *testing.T) {
			if torch.UseKernels(kernels.theirs) != nil || !vec.Use(kernels.ours) {
				t.Skip("not on this processor")
			}
			rapid.Check(t, func(rt *rapid.T) {
				cfg := drawGroups(rt, drawConfig(rt), true)
				_, build := newNetwork(cfg.WithDefaults())
				weights := random(build, rapid.Uint64().Draw(rt, "weights"))
				net, err := hrm.Load(cfg, weights, hrm.Run{Device: torch.CPU})
				if err != nil {
					rt.Fatal(err)
				}
				theirs := learn.NewCore(net)
				defer theirs.Close()
				ours, err := New(cfg, weights)
				if err != nil {
					rt.Fatal(err)
				}
				sameBits(rt, theirs, ours, cfg.Spec().Tokens(cfg.Seq))
			})
		})
	}
}

// sameBits thinks three segments about three boards of random tokens.
func sameBits(t *rapid.T, theirs, ours think.Core, tokens int) {
	const n = 3
	shape := ours.Spec().Shape
	draws := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "tokens")))
	in := think.Input{Tokens: make([]int32, shape.Seq)}
	var rows [2]think.Rows
	for i, core := range []think.Core{theirs, ours} {
		var err error
		if rows[i], err = core.Open(n, shape); err != nil {
			t.Fatal(err)
		}
		defer rows[i].Close()
	}
	for i := range n {
		for k := range in.Tokens {
			in.Tokens[k] = int32(draws.IntN(tokens))
		}
		for _, r := range rows {
			if err := r.Begin(i, in); err != nil {
				t.Fatal(err)
			}
		}
	}
	for segment := range 3 {
		var out [2]think.Output
		for i, r := range rows {
			if err := r.Segment([]int{0, 1, 2}, &out[i]); err != nil {
				t.Fatal(err)
			}
		}
		want, got := out[0], out[1]
		for what, pair := range map[string][2][]float32{
			"logits": {want.Logits, got.Logits}, "q_halt": {want.QHalt, got.QHalt}, "q_continue": {want.QContinue, got.QContinue},
		} {
			if !slices.Equal(pair[0], pair[1]) {
				t.Fatalf("segment %d: %s differ:\n%v\n%v", segment, what, pair[0], pair[1])
			}
		}
	}
}

// compare thinks about random tokens on theirs, on what open makes of weights, and on what it makes of weights
// that are disturbed.
func compare(t *rapid.T, theirs think.Core, open func(map[string]safetensors.Tensor) (*Model, error), weights map[string]safetensors.Tensor, shape think.Shape, tokens int) {
	const n = 2
	m, err := open(weights)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(theirs.Spec(), m.Spec()); diff != "" {
		t.Fatalf("spec (-want +got):\n%s", diff)
	}
	cores := []think.Core{theirs, m}
	for i, r := range roundings {
		rounded, err := open(disturbed(weights, r.size, uint64(i)))
		if err != nil {
			t.Fatal(err)
		}
		cores = append(cores, rounded)
	}
	all := make([]think.Rows, len(cores))
	for i, core := range cores {
		if all[i], err = core.Open(n, shape); err != nil {
			t.Fatal(err)
		}
		defer all[i].Close()
	}
	draws := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "tokens")))
	for i := range n {
		in := think.Input{Tokens: make([]int32, shape.Seq)}
		for k := range in.Tokens {
			in.Tokens[k] = int32(draws.IntN(tokens))
		}
		if ids := m.Spec().IDs; ids > 0 {
			in.ID = int32(draws.IntN(ids))
		}
		for _, r := range all {
			if err := r.Begin(i, in); err != nil {
				t.Fatal(err)
			}
		}
	}
	// near compares, of as many as cores, what the second gives with what the first does.
	near := func(what string, of func(i int) []float32) {
		want, got := of(0), of(1)
		if len(got) != len(want) {
			t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
		}
		// Disturbances of weights alone against all roundings of a segment.
		allowed := 5e-5
		for k, r := range roundings {
			for i, x := range of(2 + k) {
				allowed = max(allowed, r.times*math.Abs(float64(x-got[i])))
			}
		}
		for i := range want {
			if d := math.Abs(float64(got[i] - want[i])); !(d <= allowed*max(1, math.Abs(float64(want[i])))) {
				t.Fatalf("%s: number %d is %v, want %v; rounding explains %v", what, i, got[i], want[i], allowed)
			}
		}
	}
	for range 3 {
		if _, ok := all[0].(think.Attender); ok {
			maps := make([][][]float32, len(all))
			for i, r := range all {
				if maps[i], err = r.(think.Attender).Attention(1); err != nil {
					t.Fatal(err)
				}
			}
			for k := range maps[0] {
				near("attention", func(i int) []float32 { return maps[i][k] })
			}
		}
		outs := make([]think.Output, len(all))
		for i, r := range all {
			if err := r.Segment([]int{1, 0}, &outs[i]); err != nil {
				t.Fatal(err)
			}
		}
		near("logits", func(i int) []float32 { return outs[i].Logits })
		near("q_halt", func(i int) []float32 { return outs[i].QHalt })
		near("q_continue", func(i int) []float32 { return outs[i].QContinue })
		for i := range n { // all go on from the same state
			z := make([]think.Memory, len(all))
			for k, r := range all {
				if z[k], err = r.Save(i); err != nil {
					t.Fatal(err)
				}
			}
			for level := range z[0] {
				near("state", func(k int) []float32 { return z[k][level] })
			}
			for _, r := range all[1:] {
				if err := r.Load(i, z[0]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
