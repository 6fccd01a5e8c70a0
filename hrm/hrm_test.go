//go:build cgo && !notorch

package hrm_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// small is a network of 3x4 cells that every variant below starts from. One cycle of each level makes
// the recorded gradient the whole one.
func small() hrm.Config {
	return hrm.Config{
		Vocab: 5, Seq: 12, Rows: 3, Cols: 4, Hidden: 16, Heads: 2, Levels: hrm.HL(1, 1, 1, 1), Inner: 24,
	}
}

// lines are what the variants mix by that mix by groups.
var lines = hrm.Groups{"line": {{0, 1, 2, 3}, {4, 5, 6, 7}, {0, 4, 8}}, "pair": {{3, 11}}}

var variants = map[string]func(c *hrm.Config){
	"rope":             func(*hrm.Config) {},
	"learned, puzzle":  func(c *hrm.Config) { c.Positions, c.PuzzleIDs, c.PuzzleDim = hrm.Learned, 3, 20 },
	"no positions":     func(c *hrm.Config) { c.Positions, c.Levels = hrm.NoPos, hrm.HL(1, 2, 1, 1) },
	"rope-2d and conv": func(c *hrm.Config) { c.Positions, c.Conv, c.Registers, c.Outputs = hrm.Rope2D, true, 1, 4 },
	"table bias": func(c *hrm.Config) {
		c.Bias, c.GroupBias, c.Regions, c.Registers = hrm.TableBias, true, hrm.Tiles(3, 4, 3, 2), 2
	},
	"relative bias": func(c *hrm.Config) { c.Bias, c.BiasRadius, c.Registers = hrm.RelativeBias, 1, 1 },
	"token mlp":     func(c *hrm.Config) { c.Mixing, c.Positions = hrm.TokenMLP, hrm.NoPos },
	"static mix": func(c *hrm.Config) {
		c.Mixing, c.GridEmbed, c.Regions, c.GroupBias, c.Positions = hrm.StaticMix, true, hrm.Tiles(3, 4, 3, 2), true, hrm.NoPos
	},
	"groups": func(c *hrm.Config) {
		c.Mixing, c.Positions, c.Symbols, c.Kinds = hrm.Grouped, hrm.NoPos, 3, []string{"line", "pair"}
	},
	"groups, settled": func(c *hrm.Config) {
		c.Mixing, c.Positions, c.Symbols, c.Kinds, c.Settled = hrm.Grouped, hrm.NoPos, 3, []string{"line", "pair"}, true
	},
	"shared": func(c *hrm.Config) { c.Shared, c.Levels = true, hrm.HL(0, 1, 1, 1) },
	"three levels": func(c *hrm.Config) {
		c.Levels = []hrm.Level{{Name: "slow", Layers: 1, Cycles: 1}, {Name: "middle", Layers: 1, Cycles: 1}, {Name: "fast", Layers: 2, Cycles: 1}}
	},
	"local": func(c *hrm.Config) {
		c.Positions, c.Conv, c.Registers, c.Levels = hrm.Rope2D, true, 1, hrm.HL(1, 2, 1, 1)
		c.Levels[1].Mixing = hrm.Local
	},
	"one level": func(c *hrm.Config) { c.Levels = []hrm.Level{{Name: "only", Layers: 2, Cycles: 1}} },
}

// TestGradients compares every parameter's gradient with the change of the output along it.
func TestGradients(t *testing.T) {
	for name, vary := range variants {
		t.Run(name, func(t *testing.T) {
			cfg := small()
			vary(&cfg)
			params := torch.NewParams(torch.CPU)
			defer params.Close()
			m, err := hrm.New(cfg, params, 3)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			gen := torch.NewGenerator(4)
			defer gen.Close()
			names, trained := params.Trained()
			var grads [][]float32
			mustDo(t, torch.Grad, func(s *torch.Scope) {
				for _, g := range s.Gradients(output(s, m), trained) {
					grads = append(grads, s.ReadFloats(nil, g))
				}
			})
			for i, p := range trained {
				old := torch.Read[float32](nil, p)
				norm := 0.0
				for _, g := range grads[i] {
					norm += float64(g) * float64(g)
				}
				if norm == 0 && !strings.Contains(names[i], "q_head") {
					t.Errorf("%s: no gradient", names[i])
				}
				if norm == 0 {
					continue
				}
				h := 2e-3 / math.Sqrt(norm)
				at := func(step float64) (y float64) {
					moved := make([]float32, len(old))
					for j := range old {
						moved[j] = old[j] + float32(step*h*float64(grads[i][j]))
					}
					mustDo(t, torch.NoGrad, func(s *torch.Scope) {
						torch.Write(p, moved)
						y = torch.Read[float64](nil, output(s, m))[0]
						torch.Write(p, old)
					})
					return y
				}
				slope := (at(1) - at(-1)) / (2 * h)
				// 2 %: float32 outputs near 1 at a step that moves them by 1e-3.
				if math.Abs(slope-norm) > 0.02*norm+2e-3*math.Sqrt(norm) {
					t.Errorf("%s: slope along the gradient %v, want its squared norm %v", names[i], slope, norm)
				}
			}
		})
	}
}

// output is a scalar that depends on all that a segment concludes.
func output(s *torch.Scope, m *hrm.Model) *torch.Tensor {
	tokens := []int64{0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 4, 1, 3, 3, 2, 0, 1, 4, 2, 2, 0, 4, 3, 1}
	in := hrm.Input{Tokens: s.Ints(tokens, 2, 12), PuzzleIDs: s.Ints([]int64{2, 1}, 2), Groups: lines}
	_, out := m.Segment(s, m.Start(s, 2, 12), in)
	n := out.Logits.Numel()
	w := make([]float32, n)
	for i := range w {
		w[i] = float32(math.Sin(float64(i))) / float32(n)
	}
	sum := s.Sum(s.Mul(out.Logits, s.Floats(w, torch.Shape(out.Logits)...)))
	return s.Add(sum, s.Scale(s.Add(s.Sum(out.QHalt), s.Scale(s.Sum(out.QContinue), 0.5)), 0.1))
}

func mustDo(t *testing.T, mode torch.Mode, f func(*torch.Scope)) {
	t.Helper()
	if err := torch.Do(mode, f); err != nil {
		t.Fatal(err)
	}
}

// TestBase27M has the count of the published network (issue 12 of its repository).
func TestBase27M(t *testing.T) {
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	m, err := hrm.New(hrm.Base27M(), params, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got, want := params.Count(), 27_275_266; got != want {
		t.Errorf("%d parameters, want %d", got, want)
	}
}

func TestConfigProblems(t *testing.T) {
	tests := []struct {
		want string
		vary func(*hrm.Config)
	}{
		{"vocab is 0", func(c *hrm.Config) { c.Vocab = 0 }},
		{"hidden is 65536, want 1 to 16384", func(c *hrm.Config) { c.Hidden = 65536 }},
		{"layers of level H is 1000000, want 1 to 256", func(c *hrm.Config) { c.Levels[0].Layers = 1_000_000 }},
		{"cycles and layers make", func(c *hrm.Config) { c.Levels[0].Cycles = 1_000_000_000 }},
		{"hidden 16 is not a multiple of heads 3", func(c *hrm.Config) { c.Heads = 3 }},
		{"rows 3 times cols 5 is not seq 12", func(c *hrm.Config) { c.Cols = 5 }},
		{"need rows and cols", func(c *hrm.Config) { c.Rows, c.Cols, c.Conv = 0, 0, true }},
		{"does not fit into 1 positions", func(c *hrm.Config) { c.PuzzleIDs, c.PuzzleDim, c.PuzzlePositions = 1, 17, 1 }},
		{`positions "spiral" is unknown`, func(c *hrm.Config) { c.Positions = "spiral" }},
		{"head width 2 is not a multiple of 4", func(c *hrm.Config) { c.Heads, c.Positions = 8, hrm.Rope2D }},
	}
	for _, tt := range tests {
		c := small()
		tt.vary(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want one with %q", err, tt.want)
		}
	}
}

// TestCarry: Reset puts rows back to the start, Pick chooses rows, a segment leaves its carry alone.
func TestCarry(t *testing.T) {
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	m, err := hrm.New(small(), params, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	mustDo(t, torch.NoGrad, func(s *torch.Scope) {
		read := func(c hrm.Carry) string { return fmt.Sprint(c.Floats(s)) }
		start := m.Start(s, 2, 12)
		before := read(start)
		in := hrm.Input{Tokens: s.Ints(make([]int64, 24), 2, 12)}
		c, _ := m.Segment(s, start, in)
		if read(start) != before {
			t.Error("Segment changed the carry it was given")
		}
		fresh := m.Reset(s, c, []bool{true, false})
		for row, want := range []hrm.Carry{start, c} {
			ids := s.Ints([]int64{int64(row)}, 1)
			if read(fresh.Pick(s, ids)) != read(want.Pick(s, ids)) {
				t.Errorf("row %d after Reset is not as expected", row)
			}
		}
		if read(fresh) == read(c) {
			t.Error("Reset changed nothing")
		}
	})
}

// TestCell compares a segment with PyTorch's formula of GRUCell, written out in float64:
// r = σ(W_ir x + b_ir + W_hr h + b_hr), z likewise, n = tanh(W_in x + b_in + r (W_hn h + b_hn)),
// h' = (1-z) n + z h.
func TestCell(t *testing.T) {
	cfg := hrm.CellConfig{Input: 3, Low: 5, High: 4, Steps: 4, Outputs: 2}
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	c, err := hrm.NewCell(cfg, params, 1)
	if err != nil {
		t.Fatal(err)
	}
	get := func(name string) []float64 { return torch.Read[float64](nil, params.Get(name)) }
	step := func(name string, x, h []float64) []float64 {
		wi, wh, bi, bh := get(name+".weight_ih"), get(name+".weight_hh"), get(name+".bias_ih"), get(name+".bias_hh")
		n := len(h)
		gate := func(k int) (i, s float64) {
			i, s = bi[k], bh[k]
			for j, v := range x {
				i += wi[k*len(x)+j] * v
			}
			for j, v := range h {
				s += wh[k*n+j] * v
			}
			return i, s
		}
		sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
		out := make([]float64, n)
		for k := range n {
			ri, rh := gate(k)
			zi, zh := gate(n + k)
			ni, nh := gate(2*n + k)
			z := sigmoid(zi + zh)
			out[k] = (1-z)*math.Tanh(ni+sigmoid(ri+rh)*nh) + z*h[k]
		}
		return out
	}
	x := []float64{0.5, -1, 2}
	low, high := make([]float64, 5), make([]float64, 4)
	mustDo(t, torch.NoGrad, func(s *torch.Scope) {
		h := c.Start(s, 1, 0)
		for range 3 {
			h, _ = c.Think(s, h, s.Floats([]float32{0.5, -1, 2}, 1, 3))
			in := append(append([]float64{}, x...), high...)
			for range cfg.Steps {
				low = step("low", in, low)
			}
			high = step("high", low, high)
		}
		for name, pair := range map[string][2][]float64{
			"low": {torch.Read[float64](nil, h[1]), low}, "high": {torch.Read[float64](nil, h[0]), high},
		} {
			for k, want := range pair[1] {
				if got := pair[0][k]; math.Abs(got-want) > 1e-6 { // float32 after 15 steps
					t.Errorf("%s[%d] = %v, want %v", name, k, got, want)
				}
			}
		}
	})
}

// TestCellGradients compares the gradients of a cell with the change along them.
func TestCellGradients(t *testing.T) {
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	c, err := hrm.NewCell(hrm.CellConfig{Input: 3, Low: 5, High: 4, Outputs: 2}, params, 1)
	if err != nil {
		t.Fatal(err)
	}
	y := func(s *torch.Scope) *torch.Tensor {
		_, out := c.Think(s, c.Start(s, 2, 0), s.Floats([]float32{1, -1, 2, 0.5, 1, -2}, 2, 3))
		return s.Add(s.Sum(out.Logits), s.Sum(out.QHalt))
	}
	names, trained := params.Trained()
	var grads [][]float64
	mustDo(t, torch.Grad, func(s *torch.Scope) {
		for _, g := range s.Gradients(y(s), trained) {
			grads = append(grads, torch.Read[float64](nil, g))
		}
	})
	for i, p := range trained {
		old := torch.Read[float32](nil, p)
		norm := 0.0
		for _, g := range grads[i] {
			norm += g * g
		}
		if norm == 0 {
			continue // h_low starts at 0: nothing flows into low.weight_hh of the first step alone
		}
		h := 1e-2 / math.Sqrt(norm)
		at := func(step float64) (v float64) {
			moved := make([]float32, len(old))
			for j := range old {
				moved[j] = old[j] + float32(step*h*grads[i][j])
			}
			mustDo(t, torch.NoGrad, func(s *torch.Scope) {
				torch.Write(p, moved)
				v = torch.Read[float64](nil, y(s))[0]
				torch.Write(p, old)
			})
			return v
		}
		if slope := (at(1) - at(-1)) / (2 * h); math.Abs(slope-norm) > 0.01*norm+1e-3*math.Sqrt(norm) {
			t.Errorf("%s: slope along the gradient %v, want its squared norm %v", names[i], slope, norm)
		}
	}
}

// TestCellRecorded compares three segments of a batch, and their gradients, with what two GRUCells of
// PyTorch made of them (testdata/cell.py).
func TestCellRecorded(t *testing.T) {
	f, err := safetensors.Open("testdata/cell.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	read := func(key string) []float32 {
		x, err := f.Tensor(key)
		if err != nil {
			t.Fatal(err)
		}
		v, err := x.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	compare := func(key string, got []float32) {
		t.Helper()
		for i, want := range read(key) {
			if math.Abs(float64(got[i]-want)) > 1e-6 {
				t.Errorf("%s[%d] = %v, want %v", key, i, got[i], want)
				return
			}
		}
	}
	params := torch.NewParams(torch.CPU)
	defer params.Close()
	c, err := hrm.NewCell(hrm.CellConfig{Input: 6, Low: 10, High: 8, Outputs: 2}, params, 1)
	if err != nil {
		t.Fatal(err)
	}
	names, trained := params.Trained()
	mustDo(t, torch.Grad, func(s *torch.Scope) {
		for i, n := range names {
			if f.Has("param." + n) {
				torch.Write(trained[i], read("param."+n))
			}
		}
		h, x := c.Start(s, 3, 0), s.Floats(read("x"), 3, 6)
		for k := range 3 {
			h, _ = c.Think(s, h, x)
			compare(fmt.Sprintf("low.%d", k), s.ReadFloats(nil, h[1]))
			compare(fmt.Sprintf("high.%d", k), s.ReadFloats(nil, h[0]))
		}
		for i, g := range s.Gradients(s.Sum(h[0]), trained) {
			if f.Has("grad." + names[i]) {
				compare("grad."+names[i], s.ReadFloats(nil, g))
			}
		}
	})
}
