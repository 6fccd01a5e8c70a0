//go:build cgo && !notorch

package learn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/agent/think/thinktest"
	"github.com/ponder-agents/ponder/env/puzzle"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch"
)

var (
	_ think.Core     = (*Core)(nil)
	_ think.Attender = (*coreAttender)(nil)
)

// coreRecipes are networks that differ in what a core has to care for.
var coreRecipes = map[string]Recipe{
	"puzzle table": {Model: hrm.Config{
		Vocab: 5, Seq: 6, Hidden: 8, Heads: 2, Levels: hrm.HL(1, 2, 2, 2), Inner: 12, PuzzleIDs: 3, PuzzleDim: 8,
	}},
	"bfloat16 grid": {Precision: hrm.BFloat16, Model: hrm.Config{
		Vocab: 5, Outputs: 4, Seq: 6, Rows: 2, Cols: 3, Hidden: 8, Heads: 2, Levels: hrm.HL(0, 1, 1, 1), Inner: 12,
		Shared: true, Positions: hrm.Rope2D, Conv: true, Registers: 1,
	}},
	"static": {Model: hrm.Config{
		Vocab: 5, Seq: 6, Rows: 2, Cols: 3, Hidden: 8, Heads: 2, Levels: hrm.HL(1, 1, 1, 2), Inner: 12,
		Mixing: hrm.StaticMix, Positions: hrm.NoPos, GridEmbed: true,
	}},
	"three levels": {Model: hrm.Config{
		Vocab: 5, Seq: 6, Hidden: 8, Heads: 2, Inner: 12,
		Levels: []hrm.Level{{Name: "slow", Layers: 1, Cycles: 1}, {Name: "middle", Layers: 1, Cycles: 2}, {Name: "fast", Layers: 1, Cycles: 2}},
	}},
	"groups": {Model: hrm.Config{
		Vocab: 5, Seq: 4, Rows: 2, Cols: 2, Hidden: 8, Heads: 1, Levels: hrm.HL(1, 1, 1, 2), Inner: 12,
		Mixing: hrm.Grouped, Positions: hrm.NoPos, Kinds: []string{"line", "box", "mini"}, Feedback: true,
	}},
	"cell": {Cell: &hrm.CellConfig{Vocab: 5, Seq: 6, Input: 7, Low: 6, High: 9}},
}

func coreOf(t testing.TB, r Recipe) *hrm.Core {
	t.Helper()
	p := torch.NewParams(torch.CPU)
	defer p.Close()
	n, err := r.NewNetwork(p, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	c, err := n.Compile(r.run(hrm.Run{Device: torch.CPU}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// plain thinks by hrm.Core alone: every row's state in a carry of its own, joined for each segment.
type plain struct {
	m       *hrm.Core
	seq     int
	grid    [2]int
	tokens  [][]int32
	ids     []int32
	carries []hrm.Carry
}

func (p *plain) segment(t *testing.T, rows []int) (out think.Output) {
	t.Helper()
	b := puzzle.Batch{Rows: len(rows), Seq: p.seq}
	for _, row := range rows {
		b.Inputs, b.IDs = append(b.Inputs, p.tokens[row]...), append(b.IDs, p.ids[row])
	}
	do(t, func(s *torch.Scope) {
		var parts []hrm.Carry
		for _, row := range rows {
			parts = append(parts, p.carry(s, row))
		}
		c, o := p.m.Segment(s, hrm.Join(s, parts...), input(s, p.m.Device(), p.m.Spec(), &b, p.grid))
		out = think.Output{Logits: s.ReadFloats(nil, o.Logits), QHalt: s.ReadFloats(nil, o.QHalt), QContinue: s.ReadFloats(nil, o.QContinue)}
		for i, row := range rows {
			p.carries[row].Drop()
			p.carries[row] = c.Pick(s, s.Ints([]int64{int64(i)}, 1)).Keep(s)
		}
	})
	return out
}

func (p *plain) carry(s *torch.Scope, row int) hrm.Carry {
	if c := p.carries[row]; c != nil {
		return c
	}
	return p.m.Start(s, 1, p.seq)
}

func (p *plain) save(t *testing.T, row int) (m think.Memory) {
	t.Helper()
	do(t, func(s *torch.Scope) {
		m = p.carry(s, row).Floats(s)
	})
	return m
}

func (p *plain) begin(row int) {
	p.carries[row].Drop()
	p.carries[row] = nil
}

func do(t *testing.T, f func(*torch.Scope)) {
	t.Helper()
	if err := torch.Do(torch.NoGrad, f); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestCore drives a core and hrm.Core by hand through the same random course: rows that begin, turn,
// leave, join, stay behind, change places and are put into states of other rows. All must be equal bit
// for bit.
func TestCore(t *testing.T) {
	for name, recipe := range coreRecipes {
		t.Run(name, func(t *testing.T) {
			const n = 5
			m := coreOf(t, recipe)
			core := NewCore(m)
			shape := core.Spec().Shape
			rows, err := core.Open(n, shape)
			must(t, err)
			defer func() { must(t, rows.Close()) }()
			p := &plain{m: m, seq: shape.Seq, grid: [2]int{shape.Rows, shape.Cols}, tokens: make([][]int32, n), ids: make([]int32, n), carries: make([]hrm.Carry, n)}
			defer func() {
				for row := range n {
					p.begin(row)
				}
			}()
			rng := rand.New(rand.NewPCG(1, 2))
			draw := func(row int) think.Input {
				in := think.Input{Tokens: make([]int32, shape.Seq)}
				for i := range in.Tokens {
					in.Tokens[i] = int32(rng.IntN(core.Spec().Vocab))
				}
				if ids := core.Spec().IDs; ids > 0 {
					in.ID = int32(rng.IntN(ids))
				}
				p.tokens[row], p.ids[row] = slices.Clone(in.Tokens), in.ID
				return in
			}
			for row := range n {
				must(t, rows.Begin(row, draw(row)))
			}
			var out think.Output
			order := []int{0, 1, 2, 3, 4}
			for step := range 200 {
				row, other := rng.IntN(n), rng.IntN(n)
				what := ""
				switch rng.IntN(8) {
				case 0:
					what = fmt.Sprint("begin ", row)
					must(t, rows.Begin(row, draw(row)))
					p.begin(row)
				case 1:
					what = fmt.Sprint("turn ", row)
					must(t, rows.Turn(row, draw(row)))
				case 2:
					what = fmt.Sprint("load ", row, " from ", other)
					mem, err := rows.Save(other)
					must(t, err)
					must(t, rows.Load(row, mem))
					for i := range mem {
						clear(mem[i]) // Load must not have kept it
					}
					want := p.save(t, other)
					p.begin(row)
					do(t, func(s *torch.Scope) { p.carries[row] = m.CarryOf(s, shape.Seq, want).Keep(s) })
				case 3:
					rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
					order = order[:n]
				case 4:
					order = order[:1+rng.IntN(n)]
				case 5:
					slices.Sort(order)
				}
				must(t, rows.Segment(order, &out))
				if diff := cmp.Diff(p.segment(t, order), out); diff != "" {
					t.Fatalf("step %d, %s, segment of %v (-want +got):\n%s", step, what, order, diff)
				}
				got, err := rows.Save(row)
				must(t, err)
				if diff := cmp.Diff(p.save(t, row), got); diff != "" {
					t.Fatalf("step %d, %s, state of row %d after a segment of %v (-want +got):\n%s", step, what, row, order, diff)
				}
				order = order[:cap(order)]
			}
		})
	}
}

// TestCoreAsThinkAsks: what package think asks of every core.
func TestCoreAsThinkAsks(t *testing.T) {
	for name, recipe := range coreRecipes {
		t.Run(name, func(t *testing.T) {
			tolerance := 1e-4 // float32: sums of up to 24, through up to ten blocks with norms
			if recipe.Precision == hrm.BFloat16 {
				tolerance = 0.05
			}
			core := NewCore(coreOf(t, recipe))
			thinktest.Check(t, core, core.Spec().Shape, tolerance)
		})
	}
}

// TestCoreKeeps: while the same rows think in the same order, nothing is gathered or uploaded.
func TestCoreKeeps(t *testing.T) {
	m := coreOf(t, coreRecipes["puzzle table"])
	opened, err := NewCore(m).Open(3, think.Shape{Seq: 6})
	must(t, err)
	defer opened.Close()
	r := opened.(*coreAttender).coreRows
	for row := range 3 {
		must(t, r.Begin(row, think.Input{Tokens: []int32{1, 2, 3, 4, 0, int32(row)}}))
	}
	var out think.Output
	must(t, r.Segment([]int{2, 0, 1}, &out))
	in, g := r.in, r.rows[0].group
	do(t, func(s *torch.Scope) {
		if c := r.gather(s, []int{2, 0, 1}); !slices.Equal(c, g.carry) {
			t.Error("rows that go on in their order were gathered")
		}
		if c := r.gather(s, []int{0, 2, 1}); slices.Equal(c, g.carry) {
			t.Error("rows in another order were not gathered")
		}
	})
	must(t, r.Segment([]int{2, 0, 1}, &out))
	if r.in.Tokens != in.Tokens || r.in.PuzzleIDs != in.PuzzleIDs {
		t.Error("unchanged tokens were uploaded again")
	}
	must(t, r.Turn(1, think.Input{Tokens: []int32{0, 0, 0, 0, 0, 0}}))
	must(t, r.Segment([]int{2, 0, 1}, &out))
	if r.in.Tokens == in.Tokens {
		t.Error("tokens that changed were not uploaded")
	}

	// Of a group that is left by more than half, only what is in use is kept.
	must(t, r.Segment([]int{0, 1}, &out))
	if g := r.rows[2].group; g.size != 1 || g.used != 1 {
		t.Errorf("the state of the row left behind is one of %d, %d in use", g.size, g.used)
	}
}

// TestCoreAttention: the weights are those of the model's next segment; each position's sum to 1; the
// row does not move.
func TestCoreAttention(t *testing.T) {
	m := coreOf(t, coreRecipes["puzzle table"])
	rows, err := NewCore(m).Open(1, think.Shape{Seq: 6})
	must(t, err)
	defer rows.Close()
	in := think.Input{Tokens: []int32{1, 2, 3, 4, 0, 1}, ID: 2}
	must(t, rows.Begin(0, in))
	var out think.Output
	must(t, rows.Segment([]int{0}, &out))
	before, err := rows.Save(0)
	must(t, err)
	got, err := rows.(think.Attender).Attention(0)
	must(t, err)
	var want [][]float32
	do(t, func(s *torch.Scope) {
		b := puzzle.Batch{Inputs: in.Tokens, IDs: []int32{2}, Rows: 1, Seq: 6}
		want = m.AttentionMaps(s, m.CarryOf(s, 6, before), input(s, m.Device(), m.Spec(), &b, [2]int{}))
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("weights (-want +got):\n%s", diff)
	}
	n := 1 + 6 // the puzzle's place
	for i, w := range got {
		if len(w) != n*n {
			t.Fatalf("level %d has %d weights, want %d", i, len(w), n*n)
		}
		for at := range n {
			sum := float32(0)
			for _, x := range w[at*n : (at+1)*n] {
				sum += x
			}
			if sum < 0.999 || sum > 1.001 { // float32, sum of 7
				t.Errorf("level %d: the weights of position %d sum to %v", i, at, sum)
			}
		}
	}
	after, err := rows.Save(0)
	must(t, err)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("looking moved the row (-want +got):\n%s", diff)
	}

	for _, name := range []string{"static", "cell"} {
		rows, err := NewCore(coreOf(t, coreRecipes[name])).Open(1, think.Shape{Seq: 6})
		must(t, err)
		defer rows.Close()
		if _, ok := rows.(think.Attender); ok {
			t.Errorf("%s, a network without attention, is an Attender", name)
		}
	}
}

func TestCoreRefuses(t *testing.T) {
	core := NewCore(coreOf(t, coreRecipes["puzzle table"]))
	fixed := NewCore(coreOf(t, coreRecipes["static"]))
	begun := func(f func(think.Rows) error) func() error {
		return func() error {
			rows, err := core.Open(2, think.Shape{Seq: 6})
			must(t, err)
			defer rows.Close()
			must(t, rows.Begin(0, think.Input{Tokens: make([]int32, 6)}))
			return f(rows)
		}
	}
	for _, tt := range []struct {
		want string
		f    func() error
	}{
		{"8 tokens of a 2x4 grid do not fit", func() error { _, err := fixed.Open(1, think.Shape{Seq: 8, Rows: 2, Cols: 4}); return err }},
		{"0 tokens of a 1x0 grid do not fit", func() error { _, err := core.Open(1, think.Shape{}); return err }},
		{"row 1: 2 tokens, want 6", begun(func(r think.Rows) error { return r.Begin(1, think.Input{Tokens: []int32{1, 2}}) })},
		{"row 1: input, cell 2: 5, want a token in [0, 5)", begun(func(r think.Rows) error { return r.Begin(1, think.Input{Tokens: []int32{0, 0, 5, 0, 0, 0}}) })},
		{"row 0: puzzle identifier 3, want one in [0, 3)", begun(func(r think.Rows) error { return r.Turn(0, think.Input{Tokens: make([]int32, 6), ID: 3}) })},
		{"row 1 has not begun", begun(func(r think.Rows) error { return r.Turn(1, think.Input{Tokens: make([]int32, 6)}) })},
		{"row 1 has not begun", begun(func(r think.Rows) error { return r.Segment([]int{0, 1}, new(think.Output)) })},
		{"row 0 twice in one segment", begun(func(r think.Rows) error { return r.Segment([]int{0, 0}, new(think.Output)) })},
		{"row 1 has not begun", begun(func(r think.Rows) error { _, err := r.Save(1); return err })},
		{"row 0: a memory of 1 levels, want 2", begun(func(r think.Rows) error { return r.Load(0, make(think.Memory, 1)) })},
		{"row 0: a memory of 0 numbers in level H, want 56", begun(func(r think.Rows) error { return r.Load(0, make(think.Memory, 2)) })},
	} {
		if err := tt.f(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want one with %q", err, tt.want)
		}
	}
}

// BenchmarkCore is a segment about eight mazes that think on.
func BenchmarkCore(b *testing.B) {
	const n = 8
	core := NewCore(coreOf(b, preset("maze")))
	shape := core.Spec().Shape
	rows, err := core.Open(n, shape)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	order := make([]int, n)
	for i := range n {
		order[i] = i
		if err := rows.Begin(i, think.Input{Tokens: make([]int32, shape.Seq)}); err != nil {
			b.Fatal(err)
		}
	}
	var out think.Output
	for b.Loop() {
		if err := rows.Segment(order, &out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
