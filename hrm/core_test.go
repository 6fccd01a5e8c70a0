//go:build cgo && !notorch

package hrm_test

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

var (
	_ hrm.Network = (*hrm.Model)(nil)
	_ hrm.Network = (*hrm.Cell)(nil)
)

// cellConfig is a cell that reads sequences of six tokens.
func cellConfig() hrm.CellConfig {
	return hrm.CellConfig{Vocab: 5, Outputs: 4, Seq: 12, Rows: 3, Cols: 4, Input: 7, Low: 6, High: 9, Steps: 2}
}

// network makes a network of each kind, all weights drawn, none at its initial zero.
func networks(t *testing.T) map[string]func(hrm.Precision) hrm.Network {
	t.Helper()
	all := map[string]func(hrm.Precision) hrm.Network{}
	fresh := func() *torch.Params {
		p := torch.NewParams(torch.CPU)
		t.Cleanup(p.Close)
		return p
	}
	for name, vary := range variants {
		all[name] = func(prec hrm.Precision) hrm.Network {
			cfg := small()
			vary(&cfg)
			m, err := hrm.New(cfg, fresh(), 3)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(m.Close)
			m.Precision = prec
			stir(t, m.Params())
			return m
		}
	}
	all["cell"] = func(prec hrm.Precision) hrm.Network {
		c, err := hrm.NewCell(cellConfig(), fresh(), 3)
		if err != nil {
			t.Fatal(err)
		}
		c.Precision = prec
		stir(t, c.Params())
		return c
	}
	return all
}

// stir adds numbers to all parameters.
func stir(t *testing.T, p *torch.Params) {
	mustDo(t, torch.NoGrad, func(*torch.Scope) {
		for i, name := range p.Names() {
			x := torch.Read[float32](nil, p.Get(name))
			for j := range x {
				x[j] += 0.1 * float32(math.Sin(float64(i+j)))
			}
			torch.Write(p.Get(name), x)
		}
	})
}

// load makes a core of a kind from weights.
func load(n hrm.Network, weights map[string]safetensors.Tensor, run hrm.Run) (*hrm.Core, error) {
	if m, ok := n.(*hrm.Model); ok {
		return hrm.Load(m.Config(), weights, run)
	}
	return hrm.LoadCell(n.(*hrm.Cell).Config(), weights, run)
}

// grids are two rows of tokens for small.
func grids(s *torch.Scope) hrm.Input {
	tokens := []int64{0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 4, 1, 3, 3, 2, 0, 1, 4, 2, 2, 0, 4, 3, 1}
	return hrm.Input{Tokens: s.Ints(tokens, 2, 12), PuzzleIDs: s.Ints([]int64{2, 1}, 2), Groups: lines}
}

// conclusions are all numbers of two segments.
func conclusions(t *testing.T, start func(s *torch.Scope, batch, seq int) hrm.Carry, segment func(*torch.Scope, hrm.Carry, hrm.Input) (hrm.Carry, hrm.Output)) (out [][]float32) {
	t.Helper()
	mustDo(t, torch.NoGrad, func(s *torch.Scope) {
		c := start(s, 2, 12)
		for range 2 {
			var o hrm.Output
			c, o = segment(s, c, grids(s))
			out = append(out, c.Floats(s)...)
			out = append(out, s.ReadFloats(nil, o.Logits), s.ReadFloats(nil, o.QHalt), s.ReadFloats(nil, o.QContinue))
		}
	})
	return out
}

// TestAnyPrecision: the weights of one network, saved, run in float32 and in bfloat16, whatever it ran in
// before, bit for bit as the live network in that precision does. The two differ, but not by much.
func TestAnyPrecision(t *testing.T) {
	for name, make := range networks(t) {
		t.Run(name, func(t *testing.T) {
			got := map[hrm.Precision][][]float32{}
			for _, prec := range []hrm.Precision{hrm.Float32, hrm.BFloat16} {
				n := make(prec)
				want := conclusions(t, n.Start, n.Segment)
				weights, err := n.Params().Save()
				if err != nil {
					t.Fatal(err)
				}
				for how, core := range map[string]func(hrm.Run) (*hrm.Core, error){
					"loaded":   func(r hrm.Run) (*hrm.Core, error) { return load(n, weights, r) },
					"compiled": n.Compile,
				} {
					c, err := core(hrm.Run{Device: torch.CPU, Precision: prec})
					if err != nil {
						t.Fatal(err)
					}
					got[prec] = conclusions(t, c.Start, c.Segment)
					if diff := cmp.Diff(want, got[prec]); diff != "" {
						t.Errorf("%s in %s, as live (-want +got):\n%s", how, prec, diff)
					}
					if err := c.Close(); err != nil {
						t.Error(err)
					}
				}
			}
			n := make(hrm.Float32)
			if m, ok := n.(*hrm.Model); ok { // that has thought in float32
				conclusions(t, n.Start, n.Segment)
				m.Precision = hrm.BFloat16
				if diff := cmp.Diff(got[hrm.BFloat16], conclusions(t, n.Start, n.Segment)); diff != "" {
					t.Errorf("with another precision than before (-want +got):\n%s", diff)
				}
			}
			worst := 0.0
			for i, x := range got[hrm.Float32] {
				for j, v := range x {
					worst = max(worst, math.Abs(float64(v-got[hrm.BFloat16][i][j])))
				}
			}
			m, _ := n.(*hrm.Model)
			if m != nil && m.Config().Mixing == hrm.Grouped { // all of it is float32
				if worst != 0 {
					t.Errorf("float32 and bfloat16 differ by %v", worst)
				}
				return
			}
			if worst == 0 || worst > 0.5 { // bfloat16 has 8 bits, states are of size 1
				t.Errorf("float32 and bfloat16 differ by %v", worst)
			}
		})
	}
}

// TestInt8: where blocks are stacked a core thinks in int8, loaded as compiled, and near to float32; other networks say that they
// do not.
func TestInt8(t *testing.T) {
	for name, make := range networks(t) {
		t.Run(name, func(t *testing.T) {
			n := make(hrm.Float32)
			want := conclusions(t, n.Start, n.Segment)
			weights, err := n.Params().Save()
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := load(n, weights, hrm.Run{Device: torch.CPU, Precision: hrm.Int8})
			stacked := false
			if m, ok := n.(*hrm.Model); ok {
				c := m.Config()
				stacked = c.Mixing != hrm.Grouped && (c.Mixing != hrm.StaticMix || c.Hidden/c.Heads%16 == 0)
			}
			if !stacked {
				if !errors.Is(err, hrm.ErrPrecision) {
					t.Fatalf("error %v, want ErrPrecision", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer loaded.Close()
			compiled, err := n.Compile(hrm.Run{Device: torch.CPU, Precision: hrm.Int8})
			if err != nil {
				t.Fatal(err)
			}
			defer compiled.Close()
			got := conclusions(t, loaded.Start, loaded.Segment)
			if diff := cmp.Diff(conclusions(t, compiled.Start, compiled.Segment), got); diff != "" {
				t.Errorf("loaded, as compiled (-want +got):\n%s", diff)
			}
			var off, size float64
			for i, x := range want {
				for j, v := range x {
					off, size = off+math.Pow(float64(v-got[i][j]), 2), size+float64(v*v)
				}
			}
			if r := math.Sqrt(off / size); r == 0 || r > 0.3 { // steps of 1/127 of the largest, in some twenty products one after the other
				t.Errorf("a relative distance of %g from float32", r)
			}
		})
	}
}

// TestCoreStays: a core is that of the parameters when it was made, and goroutines share it.
func TestCoreStays(t *testing.T) {
	n := networks(t)["rope-2d and conv"](hrm.Float32)
	c, err := n.Compile(hrm.Run{Device: torch.CPU})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := conclusions(t, c.Start, c.Segment)
	stir(t, n.Params())
	if diff := cmp.Diff(want, conclusions(t, n.Start, n.Segment)); diff == "" {
		t.Error("the parameters have changed, the network has not")
	}
	fresh, err := n.Compile(hrm.Run{Device: torch.CPU}) // its tables are made while it is shared
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	changed := conclusions(t, n.Start, n.Segment)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if diff := cmp.Diff(want, conclusions(t, c.Start, c.Segment)); diff != "" {
				t.Errorf("the core has changed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(changed, conclusions(t, fresh.Start, fresh.Segment)); diff != "" {
				t.Errorf("shared (-want +got):\n%s", diff)
			}
		})
	}
	wg.Wait()
}

// TestNewFrom: a network made of weights is the one that they were saved from, its parameters in the same
// order.
func TestNewFrom(t *testing.T) {
	for name, make := range networks(t) {
		n := make(hrm.Float32)
		weights, err := n.Params().Save()
		if err != nil {
			t.Fatal(err)
		}
		p := torch.NewParams(torch.CPU)
		defer p.Close()
		var again hrm.Network
		if m, ok := n.(*hrm.Model); ok {
			again, err = hrm.NewFrom(m.Config(), p, weights)
		} else {
			again, err = hrm.NewCellFrom(n.(*hrm.Cell).Config(), p, weights)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if diff := cmp.Diff(n.Params().Names(), p.Names()); diff != "" {
			t.Errorf("%s: parameters (-want +got):\n%s", name, diff)
		}
		trained, _ := n.Params().Trained()
		if got, _ := p.Trained(); !slices.Equal(got, trained) {
			t.Errorf("%s: %q are trained, want %q", name, got, trained)
		}
		if diff := cmp.Diff(conclusions(t, n.Start, n.Segment), conclusions(t, again.Start, again.Segment)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestWeightsThatDoNotFit: all that is wrong is said, of a core and of a network.
func TestWeightsThatDoNotFit(t *testing.T) {
	n := networks(t)["rope"](hrm.Float32).(*hrm.Model)
	weights, err := n.Params().Save()
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(map[string]safetensors.Tensor){
		`tensor "inner.H_init" is missing`: func(w map[string]safetensors.Tensor) { delete(w, "inner.H_init") },
		`tensor "surprise" is unknown to this network`: func(w map[string]safetensors.Tensor) {
			w["surprise"] = safetensors.OfFloat32s([]int64{1}, []float32{1})
		},
		`tensor "inner.lm_head.weight": shape [16 5], want [5 16]`: func(w map[string]safetensors.Tensor) {
			x := w["inner.lm_head.weight"]
			x.Shape = []int64{16, 5}
			w["inner.lm_head.weight"] = x
		},
		`tensor "inner.lm_head.weight": number 3 is NaN, want a finite one`: func(w map[string]safetensors.Tensor) {
			x := make([]float32, 5*16)
			x[3] = float32(math.NaN())
			w["inner.lm_head.weight"] = safetensors.OfFloat32s([]int64{5, 16}, x)
		},
		"; and 1 more": func(w map[string]safetensors.Tensor) {
			for i, name := range n.Params().Names() {
				if i < 5 {
					delete(w, name)
				}
			}
		},
	} {
		w := maps.Clone(weights)
		change(w)
		if _, err := hrm.Load(n.Config(), w, hrm.Run{Device: torch.CPU}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("core: error %v, want one with %q", err, want)
		}
		p := torch.NewParams(torch.CPU)
		if _, err := hrm.NewFrom(n.Config(), p, w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("network: error %v, want one with %q", err, want)
		}
		p.Close()
	}
	large := n.Config()
	large.Levels = hrm.HL(200, 1, 1, 1)
	if _, err := hrm.Load(large, weights, hrm.Run{Device: torch.CPU}); err == nil || !strings.Contains(err.Error(), `tensor "inner.H_level.layers.1.mlp.down_proj.weight" is missing`) {
		t.Errorf("many layers: error %v", err)
	}
	if _, err := hrm.Load(n.Config(), weights, hrm.Run{Device: torch.CPU, Precision: "fp8"}); err == nil || !strings.Contains(err.Error(), `precision "fp8"`) {
		t.Errorf("error %v, want one with the precision", err)
	}
}

// TestRead: what a carry says without thinking is what the segment said that ended in it.
func TestRead(t *testing.T) {
	for name, make := range networks(t) {
		n := make(hrm.Float32)
		c, err := n.Compile(hrm.Run{Device: torch.CPU})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		mustDo(t, torch.NoGrad, func(s *torch.Scope) {
			z, want := c.Segment(s, c.Start(s, 2, 12), grids(s))
			got := c.Read(s, z, grids(s))
			for what, pair := range map[string][2]*torch.Tensor{
				"logits": {want.Logits, got.Logits}, "q_halt": {want.QHalt, got.QHalt}, "state": {want.State, got.State}, "input": {want.Encoded, got.Encoded},
			} {
				if diff := cmp.Diff(s.ReadFloats(nil, pair[0]), s.ReadFloats(nil, pair[1])); diff != "" {
					t.Errorf("%s: %s (-want +got):\n%s", name, what, diff)
				}
			}
			row := c.CarryOf(s, 12, z.Narrow(s, 1, 1).Floats(s))
			if diff := cmp.Diff(z.Narrow(s, 1, 1).Floats(s), row.Floats(s)); diff != "" {
				t.Errorf("%s: a carry of numbers (-want +got):\n%s", name, diff)
			}
		})
	}
}

// TestAttentionMaps: for each level its own weights, those of a position summing to 1.
func TestAttentionMaps(t *testing.T) {
	for _, name := range []string{"rope", "shared", "three levels"} {
		n := networks(t)[name](hrm.Float32)
		c, err := n.Compile(hrm.Run{Device: torch.CPU})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if !c.Attends() {
			t.Errorf("%s has no attention", name)
		}
		mustDo(t, torch.NoGrad, func(s *torch.Scope) {
			in := hrm.Input{Tokens: s.Ints([]int64{0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1}, 1, 12)}
			maps := c.AttentionMaps(s, c.Start(s, 1, 12), in)
			if len(maps) != len(n.Spec().States) {
				t.Fatalf("%s: %d maps, want one a level", name, len(maps))
			}
			for k, w := range maps {
				if len(w) != 144 {
					t.Fatalf("%s, level %d: %d weights, want 144", name, k, len(w))
				}
				if k > 0 && slices.Equal(w, maps[k-1]) {
					t.Errorf("%s: levels %d and %d have the same weights", name, k-1, k)
				}
				for i := range 12 {
					sum := float32(0)
					for _, x := range w[12*i : 12*i+12] {
						sum += x
					}
					if math.Abs(float64(sum)-1) > 1e-5 { // float32, sum of 12
						t.Errorf("%s, level %d: weights of position %d sum to %v", name, k, i, sum)
					}
				}
			}
		})
	}
	c, err := networks(t)["static mix"](hrm.Float32).Compile(hrm.Run{Device: torch.CPU})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Attends() {
		t.Error("static mixing has attention")
	}
}
