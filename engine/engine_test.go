package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/think/thinktest"
	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// configs are small networks, one of each kind.
func configs() map[string]arch.Config {
	base := arch.Config{Vocab: 7, Outputs: 5, Seq: 12, Rows: 3, Cols: 4, Hidden: 24, Heads: 3, Levels: arch.HL(1, 2, 2, 2), Inner: 20}
	with := func(change func(c *arch.Config)) arch.Config {
		c := base
		change(&c)
		return c
	}
	return map[string]arch.Config{
		"rope":    base,
		"learned": with(func(c *arch.Config) { c.Positions = arch.Learned; c.PuzzleIDs = 3; c.PuzzleDim = 30 }),
		"rope-2d, registers, conv, relative bias": with(func(c *arch.Config) {
			c.Positions, c.Registers, c.Conv, c.Bias, c.BiasRadius = arch.Rope2D, 2, true, arch.RelativeBias, 1
		}),
		"local": with(func(c *arch.Config) {
			c.Positions, c.Registers, c.Conv = arch.Rope2D, 1, true
			c.Levels = []arch.Level{{Name: "H", Layers: 1, Cycles: 2}, {Name: "L", Layers: 2, Cycles: 2, Mixing: arch.Local}}
		}),
		"table bias": with(func(c *arch.Config) { c.Positions, c.Bias = arch.NoPos, arch.TableBias }),
		"static, grid": with(func(c *arch.Config) {
			c.Positions, c.Mixing, c.GridEmbed, c.Regions = arch.NoPos, arch.StaticMix, true, arch.Tiles(3, 4, 1, 2)
		}),
		"three levels": with(func(c *arch.Config) {
			c.Levels = []arch.Level{{Name: "slow", Layers: 1, Cycles: 1}, {Name: "middle", Layers: 1, Cycles: 2}, {Name: "fast", Layers: 2, Cycles: 2}}
		}),
		"groups": with(func(c *arch.Config) { *c = groups(4); c.Feedback = true }),
		"groups, settled": with(func(c *arch.Config) {
			*c = groups(6)
			c.Settled, c.Levels, c.Message, c.Hidden = true, []arch.Level{{Name: "slow", Layers: 1, Cycles: 1}, {Name: "middle", Layers: 1, Cycles: 2}, {Name: "fast", Layers: 2, Cycles: 2}}, 20, 24
		}),
		"tokens, shared": with(func(c *arch.Config) { c.Positions, c.Mixing, c.Shared = arch.NoPos, arch.TokenMLP, true }),
	}
}

// groups is a network that mixes by groups on boards of so many rows.
func groups(side int) arch.Config {
	return arch.Config{
		Vocab: side + 2, Seq: side * side, Rows: side, Cols: side, Hidden: 16, Heads: 1, Levels: arch.HL(1, 2, 2, 2), Inner: 20,
		Positions: arch.NoPos, Mixing: arch.Grouped, Kinds: []string{"line", "box", "none"},
	}
}

// random is weights for what build asks for.
func random(build func(*reader), seed uint64) map[string]safetensors.Tensor {
	r := &reader{wanted: map[string][]int{}}
	build(r)
	out := map[string]safetensors.Tensor{}
	draws := rand.New(rand.NewPCG(seed, 0))
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range r.wanted {
			if !yield(name) {
				return
			}
		}
	}) {
		var shape []int64
		n := 1
		for _, d := range r.wanted[name] {
			shape = append(shape, int64(d))
			n *= d
		}
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(draws.NormFloat64() / math.Sqrt(float64(shape[len(shape)-1])))
		}
		out[name] = safetensors.OfFloat32s(shape, x)
	}
	return out
}

// weightsOf is random weights for cfg.
func weightsOf(cfg arch.Config, seed uint64) map[string]safetensors.Tensor {
	_, build := newNetwork(cfg.WithDefaults())
	return random(build, seed)
}

// Weights are random weights for tests of what users do.
var Weights = weightsOf

func must[T any](x T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

// open makes a network with random weights, and rows of it.
func openModel(t *testing.T, cfg arch.Config, rows int) *Rows {
	t.Helper()
	m := must(New(cfg, weightsOf(cfg, 1)))(t)
	return must(m.Rows(rows, m.Spec().Shape))(t)
}

func input(cfg arch.Config, k int) think.Input {
	in := think.Input{Tokens: make([]int32, cfg.Seq)}
	for i := range in.Tokens {
		in.Tokens[i] = int32((i*5 + i*i*k + k) % cfg.Vocab)
	}
	if cfg.PuzzleDim > 0 {
		in.ID = int32(k % cfg.PuzzleIDs)
	}
	return in
}

// segment thinks once about rows.
func segment(t *testing.T, r think.Rows, rows ...int) think.Output {
	t.Helper()
	var out think.Output
	if err := r.Segment(rows, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRowsAreIndependent: a row's answers are the same, bit for bit, alone and with others, on one
// goroutine and on several, in whatever order; others stay as they are; Begin forgets; Save, Load and Turn
// say what they do.
func TestRowsAreIndependent(t *testing.T) {
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			alone := openModel(t, cfg, 1)
			var want [3][2]think.Output // of inputs 0 to 2, the first two segments
			for k := range want {
				if err := alone.Begin(0, input(cfg, k)); err != nil {
					t.Fatal(err)
				}
				want[k] = [2]think.Output{segment(t, alone, 0), segment(t, alone, 0)}
			}
			if slices.Equal(want[0][0].Logits, want[1][0].Logits) || slices.Equal(want[0][0].Logits, want[0][1].Logits) {
				t.Error("inputs or segments make no difference")
			}

			r := openModel(t, cfg, 3)
			r.employ(3) // whatever this machine has
			same := func(what string, got think.Output, i int, want think.Output) {
				t.Helper()
				n := len(want.Logits)
				if !slices.Equal(got.Logits[i*n:(i+1)*n], want.Logits) || got.QHalt[i] != want.QHalt[0] || got.QContinue[i] != want.QContinue[0] {
					t.Errorf("%s: other answers than alone", what)
				}
			}
			for k := range 3 {
				if err := r.Begin(k, input(cfg, k)); err != nil {
					t.Fatal(err)
				}
			}
			got := segment(t, r, 2, 0)
			same("row 2 with row 0", got, 0, want[2][0])
			same("row 0 with row 2", got, 1, want[0][0])
			saved := must(r.Save(2))(t)
			got = segment(t, r, 0, 1, 2)
			same("the second segment of row 0", got, 0, want[0][1])
			same("row 1, which stayed behind", got, 1, want[1][0])
			same("the second segment of row 2", got, 2, want[2][1])
			if err := r.Load(2, saved); err != nil {
				t.Fatal(err)
			}
			same("row 2 put back", segment(t, r, 2), 0, want[2][1])

			turned := must(r.Save(0))(t)
			if err := r.Turn(0, input(cfg, 1)); err != nil {
				t.Fatal(err)
			}
			if after := must(r.Save(0))(t); !slices.Equal(after[0], turned[0]) || !slices.Equal(after[1], turned[1]) {
				t.Error("Turn changes the state")
			}
			if out := segment(t, r, 0); slices.Equal(out.Logits, want[1][0].Logits) {
				t.Error("Turn forgets the state")
			}
			if err := r.Begin(0, input(cfg, 1)); err != nil {
				t.Fatal(err)
			}
			same("row 0 begun anew", segment(t, r, 0), 0, want[1][0])
		})
	}
}

// TestAsThinkAsks: what package think asks of every core, on the network's shape and, where it takes others, on
// another.
func TestAsThinkAsks(t *testing.T) {
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			m := must(New(cfg, weightsOf(cfg, 1)))(t)
			thinktest.Check(t, m, m.Spec().Shape, 0)
			if !m.Spec().Fixed && cfg.Mixing != arch.Grouped { // whose boards of other sizes have other tokens
				thinktest.Check(t, m, think.Shape{Seq: 10, Rows: 5, Cols: 2}, 0)
			}
		})
	}
}

// others are small networks that are described otherwise.
func others(t *testing.T) map[string]*Model {
	t.Helper()
	c := arch.CellConfig{Vocab: 5, Seq: 6, Rows: 2, Cols: 3, Input: 20, Low: 12, High: 18}
	all := map[string]*Model{"tokens, cell": must(NewCell(c, random((&cell{cfg: c.WithDefaults()}).build, 1)))(t)}
	spec := env.Spec{
		ObsLen: 7*7*3 + 1 + 5, Vocab: 11, Actions: []string{"left", "right", "forward"},
		Layout: []env.Field{{Name: "image", Shape: []int{7, 7, 3}}, {Name: "direction", Shape: []int{1}}, {Name: "mission", Shape: []int{5}}},
	}
	plan := env.Spec{ObsLen: 12, Vocab: 4, Actions: spec.Actions, Layout: []env.Field{{Name: "map", Shape: []int{3, 4}, Agent: 3, Under: 1}}}
	add := func(name string, c arch.PolicyConfig, spec env.Spec, gated bool) {
		_, build, _ := policyOf(c.WithDefaults(), spec, gated)
		all[name] = must(NewPolicy(c, spec, random(build, 1)))(t)
	}
	for _, kind := range arch.PolicyKinds() {
		add("policy, "+kind, arch.PolicyConfig{Kind: kind, Hidden: 20, Window: 3}, spec, kind == "gru")
	}
	add("policy, film", arch.PolicyConfig{Kind: "hrm", Hidden: 20, FiLM: true}, spec, false)
	board := env.Spec{ObsLen: 32, Vocab: 6, Actions: make([]string, 65), Layout: []env.Field{{Name: "cells", Shape: []int{4, 4}, Symbols: 4}, {Name: "givens", Shape: []int{4, 4}}}}
	add("policy, board", arch.PolicyConfig{Kind: "hrm", Hidden: 20}, board, true)
	add("policy, map", arch.PolicyConfig{Kind: "hrm", Hidden: 20}, plan, true)
	return all
}

// TestOthersAsThinkAsks is TestAsThinkAsks for them, and that a segment allocates nothing.
func TestOthersAsThinkAsks(t *testing.T) {
	for name, m := range others(t) {
		t.Run(name, func(t *testing.T) {
			thinktest.Check(t, m, m.Spec().Shape, 0)
			r := must(m.Open(1, m.Spec().Shape))(t)
			if err := r.Begin(0, think.Input{Tokens: make([]int32, m.Spec().Shape.Seq)}); err != nil {
				t.Fatal(err)
			}
			var out think.Output
			rows := []int{0}
			think := func() {
				if err := r.Segment(rows, &out); err != nil {
					t.Fatal(err)
				}
			}
			think()
			if n := testing.AllocsPerRun(20, think); n != 0 {
				t.Errorf("%v allocations a segment", n)
			}
		})
	}
}

// TestBadPolicies are refused in one line.
func TestBadPolicies(t *testing.T) {
	good := env.Spec{ObsLen: 4, Vocab: 3, Actions: []string{"go"}, Layout: []env.Field{{Name: "x", Shape: []int{4}}}}
	for _, tt := range []struct {
		cfg    arch.PolicyConfig
		change func(s *env.Spec)
		want   string
	}{
		{arch.PolicyConfig{Kind: "mlp"}, func(*env.Spec) {}, `policy: kind is "mlp", want one of hrm`},
		{arch.PolicyConfig{Hidden: 1e9}, func(*env.Spec) {}, "hidden is 1000000000, want 1 to 4096"},
		{arch.PolicyConfig{}, func(s *env.Spec) { s.Vocab = 300 }, "vocab is 300"},
		{arch.PolicyConfig{}, func(s *env.Spec) { s.Actions = nil }, "0 actions"},
		{arch.PolicyConfig{}, func(s *env.Spec) { s.Layout[0].Shape = []int{1 << 40, 1 << 40} }, "x has the shape [1099511627776 1099511627776] in an observation of 4 bytes"},
		{arch.PolicyConfig{}, func(s *env.Spec) { s.Layout[0] = env.Field{Name: "x", Shape: []int{1}, Real: true} }, "x has real numbers"},
		{arch.PolicyConfig{}, func(s *env.Spec) { s.Layout[0].Shape = []int{-4} }, "x has the shape [-4]"},
		{arch.PolicyConfig{}, func(s *env.Spec) { s.ObsLen = 5 }, "the layout has 4 bytes, obs_len is 5"},
		{arch.PolicyConfig{FiLM: true}, func(*env.Spec) {}, "policy: film, and an observation of  has no grid and mission"},
		{arch.PolicyConfig{}, func(s *env.Spec) {
			s.Layout[0], s.Actions = env.Field{Name: "x", Shape: []int{2, 2}, Symbols: 3}, make([]string, 12)
		}, "x has 3 symbols, want fewer than vocab 3"},
		{arch.PolicyConfig{}, func(*env.Spec) {}, `tensor "L_level.mlp.down_proj.weight" is missing`},
	} {
		s := good
		s.Layout = []env.Field{{Name: "x", Shape: slices.Clone(good.Layout[0].Shape)}}
		tt.change(&s)
		if _, err := NewPolicy(tt.cfg, s, nil); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %q in one line", err, tt.want)
		}
	}
	if _, err := NewCell(arch.CellConfig{Input: 2, Low: 2, High: 2, Outputs: 2}, nil); err == nil || !strings.Contains(err.Error(), "its vocab is 0") {
		t.Errorf("a cell without tokens: %v", err)
	}
}

// TestSegmentAllocatesNothing after the first.
func TestSegmentAllocatesNothing(t *testing.T) {
	for name, cfg := range configs() {
		r := openModel(t, cfg, 3)
		r.employ(2)
		for i := range 3 {
			if err := r.Begin(i, input(cfg, i)); err != nil {
				t.Fatal(err)
			}
		}
		var out think.Output
		rows := []int{0, 1, 2}
		think := func() {
			if err := r.Segment(rows, &out); err != nil {
				t.Fatal(err)
			}
		}
		think()
		if n := testing.AllocsPerRun(20, think); n != 0 {
			t.Errorf("%s: %v allocations a segment", name, n)
		}
	}
}

// TestAttention: the weights of a position sum to one, and the row does not move on.
func TestAttention(t *testing.T) {
	for name, cfg := range configs() {
		m := must(New(cfg, weightsOf(cfg, 1)))(t)
		r := must(m.Open(1, m.Spec().Shape))(t)
		a, ok := r.(think.Attender)
		if want := cfg.WithDefaults().Mixing == arch.Attention; ok != want {
			t.Errorf("%s: rows attend: %v", name, ok)
		}
		if !ok {
			continue
		}
		if err := r.Begin(0, input(cfg, 1)); err != nil {
			t.Fatal(err)
		}
		before := must(r.Save(0))(t)
		maps := must(a.Attention(0))(t)
		n := cfg.Prefix() + cfg.Seq
		if len(maps) != len(cfg.Levels) {
			t.Fatalf("%s: %d maps, want one of each level", name, len(maps))
		}
		for k, w := range maps {
			if cfg.Levels[k].Mixing == arch.Local {
				n = 0
			}
			if len(w) != n*n {
				t.Fatalf("%s: level %d has %d weights, want %d", name, k, len(w), n*n)
			}
			for i := range n {
				var sum float64
				for _, x := range w[i*n : (i+1)*n] {
					sum += float64(x)
				}
				if math.Abs(sum-1) > 1e-5 {
					t.Fatalf("%s: the weights of position %d of level %d sum to %v", name, i, k, sum)
				}
			}
		}
		if after := must(r.Save(0))(t); !slices.Equal(after[0], before[0]) || !slices.Equal(after[1], before[1]) {
			t.Errorf("%s: the row moved on", name)
		}
	}
}

// TestTypes: weights of half the width are computed with as float32.
func TestTypes(t *testing.T) {
	for name, cfg := range configs() {
		for _, dtype := range []safetensors.DType{safetensors.BF16, safetensors.F16} {
			short, wide := map[string]safetensors.Tensor{}, map[string]safetensors.Tensor{}
			for n, x := range weightsOf(cfg, 1) {
				short[n] = must(x.Convert(dtype))(t)
				wide[n] = must(short[n].Convert(safetensors.F32))(t)
			}
			var outs []think.Output
			for _, weights := range []map[string]safetensors.Tensor{short, wide} {
				m := must(New(cfg, weights))(t)
				r := must(m.Open(1, m.Spec().Shape))(t)
				if err := r.Begin(0, input(cfg, 1)); err != nil {
					t.Fatal(err)
				}
				outs = append(outs, segment(t, r, 0))
			}
			if !slices.Equal(outs[0].Logits, outs[1].Logits) {
				t.Errorf("%s: %s answers otherwise than the same numbers as F32", name, dtype)
			}
		}
	}
}

// TestBadWeights are refused by name, before memory is taken.
func TestBadWeights(t *testing.T) {
	good := configs()["learned"]
	const name = "inner.L_level.layers.1.mlp.down_proj.weight"
	for _, tt := range []struct {
		what   string
		change func(c *arch.Config, w map[string]safetensors.Tensor)
		want   string
	}{
		{"missing", func(_ *arch.Config, w map[string]safetensors.Tensor) { delete(w, name) }, `tensor "` + name + `" is missing`},
		{"unknown", func(_ *arch.Config, w map[string]safetensors.Tensor) { w["more"] = w[name] }, `tensor "more" is unknown`},
		{"shape", func(_ *arch.Config, w map[string]safetensors.Tensor) {
			w[name] = safetensors.OfFloat32s([]int64{24, 10, 2}, make([]float32, 480))
		}, `tensor "` + name + `": shape [24 10 2], want [24 20]`},
		{"type", func(_ *arch.Config, w map[string]safetensors.Tensor) {
			w[name] = safetensors.OfInt32s([]int64{24, 20}, make([]int32, 480))
		}, `tensor "` + name + `": type I32, want F32, BF16, F16 or F64`},
		{"not a number", func(_ *arch.Config, w map[string]safetensors.Tensor) {
			x := make([]float32, 480)
			x[7] = float32(math.NaN())
			w[name] = safetensors.OfFloat32s([]int64{24, 20}, x)
		}, `tensor "` + name + `": number 7 is NaN, want a finite one`},
		{"infinite, in a table", func(_ *arch.Config, w map[string]safetensors.Tensor) {
			x := make([]float32, 90)
			x[89] = float32(math.Inf(-1))
			w["inner.puzzle_emb.weights"] = safetensors.OfFloat32s([]int64{3, 30}, x)
		}, `tensor "inner.puzzle_emb.weights": number 89 is -Inf, want a finite one`},
		{"hidden 1e9", func(c *arch.Config, _ map[string]safetensors.Tensor) { c.Hidden, c.PuzzlePositions = 999_999_999, 1 }, "hidden is 999999999, want 1 to 16384"},
		{"a million layers", func(c *arch.Config, _ map[string]safetensors.Tensor) { c.Levels = arch.HL(1_000_000, 2, 2, 2) }, "layers of level H is 1000000, want 1 to 256"},
		{"a thousand million cycles", func(c *arch.Config, _ map[string]safetensors.Tensor) { c.Levels = arch.HL(2, 2, 1_000_000_000, 2) }, "cycles and layers make 6e+09 blocks of a segment, want at most 16384"},
		{"many layers", func(c *arch.Config, _ map[string]safetensors.Tensor) { c.Levels = arch.HL(200, 2, 2, 2) }, "is missing"},
		{"no vocabulary", func(c *arch.Config, _ map[string]safetensors.Tensor) { c.Vocab = 0 }, "vocab is 0"},
	} {
		cfg, w := good, weightsOf(good, 1)
		tt.change(&cfg, w)
		_, err := New(cfg, w)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s: error %v, want %q in one line", tt.what, err, tt.want)
		}
	}
}

// TestBadRows: what does not fit is an error of one line.
func TestBadRows(t *testing.T) {
	cfg := configs()["rope"]
	m := must(New(cfg, weightsOf(cfg, 1)))(t)
	for _, tt := range []struct {
		rows  int
		shape think.Shape
		want  string
	}{
		{1, think.Shape{Seq: 12, Rows: 5, Cols: 2}, "12 tokens of a 5x2 grid do not fit"},
		{1, think.Shape{}, "0 tokens"},
		{-1, think.Shape{Seq: 12, Rows: 3, Cols: 4}, "-1 rows"},
		{1, think.Shape{Seq: 1 << 40, Rows: 1 << 20, Cols: 1 << 20}, "thinking about 1 sequences of 1099511627776 tokens needs"},
		{1 << 40, think.Shape{Seq: 12, Rows: 3, Cols: 4}, "of memory"},
	} {
		if _, err := m.Open(tt.rows, tt.shape); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%d rows of %v: error %v, want %q", tt.rows, tt.shape, err, tt.want)
		}
	}
	r := must(m.Open(2, m.Spec().Shape))(t)
	in := input(cfg, 1)
	var out think.Output
	for what, err := range map[string]error{
		"row 0 has not begun":          r.Segment([]int{0}, &out),
		"row 1 has not begun":          r.Turn(1, in),
		"row 0: 2 tokens, want 12":     r.Begin(0, think.Input{Tokens: make([]int32, 2)}),
		"cell 3: 7, want a token in [": r.Begin(0, think.Input{Tokens: []int32{0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0}}),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error %v, want %q", err, what)
		}
	}
	if err := r.Begin(0, in); err != nil {
		t.Fatal(err)
	}
	if err := r.Segment([]int{0, 0}, &out); err == nil || err.Error() != "row 0 twice in one segment" {
		t.Errorf("one row twice: %v", err)
	}
	if err := r.Segment([]int{0}, &out); err != nil {
		t.Errorf("after that: %v", err)
	}
	saved := must(r.Save(0))(t)
	if err := r.Load(0, saved[:1]); err == nil {
		t.Error("a memory of one level is taken")
	}
	if err := r.Load(0, think.Memory{saved[0], saved[1][1:]}); err == nil {
		t.Error("a memory that is too short is taken")
	}
	learned := configs()["learned"]
	puzzles := openModel(t, learned, 1)
	if err := puzzles.Begin(0, think.Input{Tokens: make([]int32, 12), ID: 3}); err == nil || !strings.Contains(err.Error(), "puzzle identifier 3, want one in [0, 3)") {
		t.Errorf("an unknown puzzle: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Begin(0, in); err == nil {
		t.Error("closed rows begin")
	}
}

// TestSpec: what thinking is told of a network.
func TestSpec(t *testing.T) {
	cfg := configs()["learned"]
	got := must(New(cfg, weightsOf(cfg, 1)))(t).Spec()
	want := think.Spec{
		Vocab: 7, Outputs: 5, Shape: think.Shape{Seq: 12, Rows: 3, Cols: 4}, Fixed: true, IDs: 3,
		Levels: []think.Level{{Name: "H", Width: 24, Prefix: 2}, {Name: "L", Width: 24, Prefix: 2}},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("spec %+v, want %+v", got, want)
	}
}
