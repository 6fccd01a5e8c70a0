//go:build cgo && !notorch

package hrm

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ponder-agents/ponder/hrm/arch"
	"github.com/ponder-agents/ponder/torch"
)

// sixes is a network of 6x6 cells and 6 symbols whose widths the fused block takes.
func sixes() Config {
	return Config{
		Vocab: 8, Seq: 36, Rows: 6, Cols: 6, Hidden: 32, Heads: 1, Levels: HL(1, 1, 2, 2),
		Inner: 48, Message: 16, Positions: NoPos, Mixing: Grouped, Kinds: []string{"line", "box"}, Feedback: true,
	}
}

// boxes are rows, columns and boxes of a board of so many rows.
func boxes(side int) Groups {
	g := arch.Board(arch.Boxes(side))
	delete(g, "mini")
	return g
}

// thought is a segment about tokens, started anywhere, and its gradients by name.
type thought struct {
	zh, logits, q []float32
	grads         map[string][]float32
}

func think(t *testing.T, m *Model, tokens []int64, batch int, g Groups) thought {
	t.Helper()
	out := thought{grads: map[string][]float32{}}
	gen := torch.NewGenerator(5)
	defer gen.Close()
	err := torch.Do(torch.Grad, func(s *torch.Scope) {
		cells := len(tokens) / batch
		var c Carry // anywhere
		for _, st := range m.Spec().States {
			c = append(c, gen.TruncNormal(s, 1, stateShape(st, batch, cells)...))
		}
		next, o := m.Segment(s, c, Input{Tokens: s.Ints(tokens, int64(batch), int64(cells)), Groups: g})
		out.zh, out.logits, out.q = s.ReadFloats(nil, next[0]), s.ReadFloats(nil, o.Logits), s.ReadFloats(nil, o.QHalt)
		n := torch.Shape(o.Logits)
		w := gen.TruncNormal(s, 1, n...)
		loss := s.Add(s.Sum(s.Mul(o.Logits, w)), s.Sum(o.QHalt))
		names, trained := m.params.Trained()
		for i, g := range s.Gradients(loss, trained) {
			out.grads[names[i]] = s.ReadFloats(nil, g)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// near is the largest difference of two slices relative to the largest entry of the first.
func near(a, b []float32) float64 {
	top, diff := 1e-6, 0.0
	for i := range a {
		top, diff = max(top, math.Abs(float64(a[i]))), max(diff, math.Abs(float64(a[i]-b[i])))
	}
	return diff / top
}

func open(t *testing.T, cfg Config) *Model {
	t.Helper()
	params := torch.NewParams(torch.CPU)
	t.Cleanup(params.Close)
	m, err := New(cfg, params, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	m.Training.Gradient = LastCycle
	return m
}

func questions(r *rand.Rand, cells, symbols, batch int) []int64 {
	tokens := make([]int64, batch*cells)
	for i := range tokens {
		tokens[i] = 1
		if r.IntN(3) == 0 {
			tokens[i] = int64(2 + r.IntN(symbols))
		}
	}
	return tokens
}

// TestGroupBlock compares the fused block with libtorch's operations: what it answers and every gradient, on
// boards with groups of several sizes, cells in none, and a kind without groups.
func TestGroupBlock(t *testing.T) {
	odd := Groups{"line": {{0, 1, 2, 3, 4, 5, 6}, {3, 9}, {35}, {5, 5, 8}}}
	for _, tt := range []struct {
		name    string
		groups  Groups
		settled bool
	}{{"boxes", boxes(6), false}, {"boxes, settled", boxes(6), true}, {"odd", odd, false}, {"odd, settled", odd, true}} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := sixes()
			cfg.Settled = tt.settled
			m := open(t, cfg)
			tokens := questions(rand.New(rand.NewPCG(1, 2)), 36, 6, 6) // more rows than share a buffer
			for i := range 36 {                                        // nothing is open; all is
				tokens[i], tokens[36+i] = 2, 1
			}
			m.net.(*grouped).plain = true
			plain := think(t, m, tokens, 6, tt.groups)
			for _, isa := range kernels(t) {
				if err := torch.UseKernels(isa); err != nil {
					t.Fatal(err)
				}
				fused := think(t, open(t, cfg), tokens, 6, tt.groups) // a network of its own: packed for these
				// 1e-4: float32 through six blocks, sums over a batch of 1,296 positions in another order.
				for what, d := range map[string]float64{"z_H": near(plain.zh, fused.zh), "logits": near(plain.logits, fused.logits), "q_halt": near(plain.q, fused.q)} {
					if d > 1e-5 {
						t.Errorf("%s: %s differs by %.1e", isa, what, d)
					}
				}
				for name, p := range plain.grads {
					if d := near(p, fused.grads[name]); d > 1e-4 {
						t.Errorf("%s: gradient of %s differs by %.1e", isa, name, d)
					}
				}
			}
		})
	}
}

// kernels are the instruction sets of this machine; those in use come back after the test.
func kernels(t *testing.T) (all []string) {
	before, _, _ := strings.Cut(torch.Kernels(), " ")
	for _, isa := range []string{"base", "avx2", "avx512"} {
		if torch.UseKernels(isa) == nil {
			all = append(all, isa)
		}
	}
	t.Cleanup(func() {
		if err := torch.UseKernels(before); err != nil {
			t.Error(err)
		}
	})
	return all
}

// TestGroupThreads is the block's promise that sums do not depend on the number of threads.
func TestGroupThreads(t *testing.T) {
	m := open(t, sixes())
	tokens := questions(rand.New(rand.NewPCG(1, 2)), 36, 6, 9)
	before := torch.Threads()
	defer torch.SetThreads(before)
	torch.SetThreads(1)
	one := think(t, m, tokens, 9, boxes(6))
	torch.SetThreads(2)
	two := think(t, m, tokens, 9, boxes(6))
	for name := range one.grads {
		for i, x := range one.grads[name] {
			if x != two.grads[name][i] {
				t.Fatalf("gradient of %s, entry %d: %v on one thread, %v on two", name, i, x, two.grads[name][i])
			}
		}
	}
}

// TestGroupSymmetries permutes the symbols, and the cells by what leaves the groups as they are: the answer
// follows, segment after segment, on boards of four sizes with the same weights.
func TestGroupSymmetries(t *testing.T) {
	for i, box := range [][2]int{{2, 2}, {2, 3}, {3, 3}, {4, 4}, {2, 2}, {2, 3}, {3, 3}} {
		cfg := sixes()
		cfg.Settled = i > 3
		m := open(t, cfg)
		side := box[0] * box[1]
		cells := side * side
		r := rand.New(rand.NewPCG(7, uint64(side)))
		tokens := questions(r, cells, side, 1)
		digits := r.Perm(side)
		lines := func(height int) (order []int) {
			for _, band := range r.Perm(side / height) {
				for _, line := range r.Perm(height) {
					order = append(order, band*height+line)
				}
			}
			return order
		}
		rows, cols, turned := lines(box[0]), lines(box[1]), box[0] == box[1]
		from := func(cell int) int {
			a, b := rows[cell/side], cols[cell%side]
			if turned { // and transposed: rows and columns share their weights
				a, b = b, a
			}
			return a*side + b
		}
		image := make([]int64, cells)
		for i := range image {
			image[i] = tokens[from(i)]
			if d := image[i] - 2; d >= 0 {
				image[i] = int64(2 + digits[d])
			}
		}
		answer := func(tokens []int64) (logits, q []float32) {
			err := torch.Do(torch.NoGrad, func(s *torch.Scope) {
				c := m.Start(s, 1, cells)
				for range 3 {
					var o Output
					c, o = m.Segment(s, c, Input{Tokens: s.Ints(tokens, 1, int64(cells)), Rows: side, Cols: side})
					logits, q = s.ReadFloats(nil, o.Logits), s.ReadFloats(nil, o.QHalt)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			return logits, q
		}
		before, q0 := answer(tokens)
		after, q1 := answer(image)
		width := max(side+2, m.cfg.Outputs)
		want := make([]float32, len(before))
		for i := range cells {
			copy(want[i*width:(i+1)*width], before[from(i)*width:])
			for d := range side {
				want[i*width+2+digits[d]] = before[from(i)*width+2+d]
			}
		}
		top := 0.0
		for i := range want {
			top = max(top, math.Abs(float64(want[i]-after[i])))
		}
		// 1e-5: float32 through 18 blocks, the sums in another order.
		if top > 1e-5 || math.Abs(float64(q0[0]-q1[0])) > 1e-5 {
			t.Errorf("%dx%d: the answer of the turned board differs by %.1e, q_halt by %.1e", side, side, top, q0[0]-q1[0])
		}
		if near(before[:width], before[(cells-1)*width:]) == 0 {
			t.Errorf("%dx%d: the first and the last cell have one answer: the test would see nothing", side, side)
		}
	}
}
