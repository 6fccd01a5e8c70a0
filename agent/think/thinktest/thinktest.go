// Package thinktest has a small core in plain Go whose every number can be worked out by hand, for
// tests of what thinks, and a check of what think.Core asks of a core, for those who write one.
package thinktest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/ponder-agents/ponder/agent/think"
)

// Levels of a Toy: each a number a token.
var levels = []think.Level{{Name: "H", Width: 1}, {Name: "L", Width: 1}}

// A Toy is a core that counts: with every segment L grows by one and H by the token plus L; the logits
// of a token are Sign(class - H mod Outputs), that is, it answers H mod Outputs; q_halt is L less the first token,
// q_continue half of it. So a sequence that begins with token k is content, at threshold 0, after
// segment k+1.
type Toy struct {
	Vocab, Outputs int
	Opened         *int // counts Open; may be nil
}

// Spec implements think.Core.
func (c Toy) Spec() think.Spec {
	return think.Spec{Vocab: c.Vocab, Outputs: c.Outputs, IDs: 0, Levels: levels}
}

// Open implements think.Core.
func (c Toy) Open(rows int, shape think.Shape) (think.Rows, error) {
	if shape.Seq < 1 {
		return nil, fmt.Errorf("toy: %d tokens", shape.Seq)
	}
	if c.Opened != nil {
		*c.Opened++
	}
	return &toyRows{c, shape, make([]toyRow, rows)}, nil
}

type toyRow struct {
	tokens []int32
	h, l   []float32
}

type toyRows struct {
	Toy
	shape think.Shape
	rows  []toyRow
}

func (r *toyRows) Begin(row int, in think.Input) error {
	n := r.shape.Seq
	r.rows[row] = toyRow{h: make([]float32, n), l: make([]float32, n)}
	return r.Turn(row, in)
}

func (r *toyRows) Turn(row int, in think.Input) error {
	if len(in.Tokens) != r.shape.Seq {
		return fmt.Errorf("toy: %d tokens, want %d", len(in.Tokens), r.shape.Seq)
	}
	r.rows[row].tokens = slices.Clone(in.Tokens)
	return nil
}

func (r *toyRows) Segment(rows []int, out *think.Output) error {
	out.Logits, out.QHalt, out.QContinue = out.Logits[:0], out.QHalt[:0], out.QContinue[:0]
	for _, i := range rows {
		w := &r.rows[i]
		for t := range w.tokens {
			w.l[t]++
			w.h[t] += float32(w.tokens[t]) + w.l[t]
			answer := int(math.Mod(math.Abs(float64(w.h[t])), float64(r.Outputs)))
			for c := range r.Outputs {
				x := float32(-1)
				if c == answer {
					x = 1
				}
				out.Logits = append(out.Logits, x)
			}
		}
		q := w.l[0] - float32(w.tokens[0])
		out.QHalt, out.QContinue = append(out.QHalt, q), append(out.QContinue, q/2)
	}
	return nil
}

func (r *toyRows) Save(row int) (think.Memory, error) {
	return think.Memory{slices.Clone(r.rows[row].h), slices.Clone(r.rows[row].l)}, nil
}

func (r *toyRows) Load(row int, m think.Memory) error {
	copy(r.rows[row].h, m[0])
	copy(r.rows[row].l, m[1])
	return nil
}

func (r *toyRows) Close() error { return nil }

// Check tests what think.Rows promises of the rows of c, on sequences of the given shape: rows are
// independent of one another, of their order and of those that join and leave; Begin forgets; Turn and
// Load set what they should; Segment leaves other rows alone. Numbers may differ by tolerance, since
// products of other shapes round otherwise.
func Check(t *testing.T, c think.Core, shape think.Shape, tolerance float64) {
	t.Helper()
	spec := c.Spec()
	input := func(k int) think.Input {
		in := think.Input{Tokens: make([]int32, shape.Seq)}
		for i := range in.Tokens {
			in.Tokens[i] = int32((i*7 + k*3 + i/5) % spec.Vocab)
		}
		if spec.IDs > 0 {
			in.ID = int32(k % spec.IDs)
		}
		return in
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	type answer struct {
		logits  []float32
		halt, c float32
	}
	const n, segments = 4, 3
	open := func(k int) think.Rows {
		r, err := c.Open(k, shape)
		must(err)
		t.Cleanup(func() { r.Close() })
		return r
	}
	loose := func(what string, got, want []float32, tolerance float64) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
		}
		for i := range want {
			if d := math.Abs(float64(got[i] - want[i])); !(d <= tolerance) {
				t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], want[i])
			}
		}
	}
	near := func(what string, got, want []float32) {
		t.Helper()
		loose(what, got, want, tolerance)
	}
	split := func(o *think.Output, rows int) (all []answer) {
		t.Helper()
		w := spec.Outputs * cmp.Or(spec.Answers, shape.Seq) // logits of a row
		if len(o.QHalt) != rows || len(o.QContinue) != rows || len(o.Logits) != rows*w {
			t.Fatalf("a segment of %d rows gave %d logits, %d and %d of halting", rows, len(o.Logits), len(o.QHalt), len(o.QContinue))
		}
		for i := range rows {
			all = append(all, answer{slices.Clone(o.Logits[i*w : (i+1)*w]), o.QHalt[i], o.QContinue[i]})
		}
		return all
	}
	same := func(what string, got, want answer) {
		t.Helper()
		near(what+", logits", got.logits, want.logits)
		near(what+", q", []float32{got.halt, got.c}, []float32{want.halt, want.c})
	}

	// Alone, row by row: what all else is compared with.
	var out think.Output
	var want [n][segments]answer
	var after [n]think.Memory
	one := open(1)
	for k := range n {
		must(one.Begin(0, input(k)))
		for s := range segments {
			must(one.Segment([]int{0}, &out))
			want[k][s] = split(&out, 1)[0]
		}
		m, err := one.Save(0)
		must(err)
		if len(m) != len(spec.Levels) {
			t.Fatalf("a memory of %d levels, want %d", len(m), len(spec.Levels))
		}
		after[k] = m
		if r, ok := c.(think.Reader); ok && len(r.Readout()) > 0 {
			read, said := readOff(spec, r.Readout(), input(k).Tokens, m[0], want[k][segments-1].logits)
			loose("logits read off the state", read, said, max(tolerance, 1e-4))
		}
	}

	// Together, joining and leaving, in changing order.
	rows := open(n)
	at := [n]int{}
	for _, step := range [][]int{{0}, {1, 0}, {2, 1, 3}, {3}, {0, 3, 2}, {2, 1}} {
		for _, k := range step {
			if at[k] == 0 {
				must(rows.Begin(k, input(k)))
			}
		}
		must(rows.Segment(step, &out))
		for i, got := range split(&out, len(step)) {
			k := step[i]
			same(fmt.Sprintf("row %d of %v, segment %d", k, step, at[k]+1), got, want[k][at[k]])
			at[k]++
		}
	}
	for k := range n {
		if at[k] != segments {
			t.Fatalf("row %d thought %d segments", k, at[k])
		}
		m, err := rows.Save(k)
		must(err)
		for l := range m {
			near(fmt.Sprintf("state %s of row %d", spec.Levels[l].Name, k), m[l], after[k][l])
		}
	}

	// Begin forgets, Load remembers, a loaded memory stays the caller's.
	must(rows.Begin(1, input(2)))
	start, err := rows.Save(1)
	must(err)
	must(rows.Segment([]int{1}, &out))
	same("after Begin", split(&out, 1)[0], want[2][0])
	var kept [][]float32
	for _, z := range start {
		kept = append(kept, slices.Clone(z))
	}
	must(rows.Load(1, start))
	must(rows.Segment([]int{1}, &out))
	same("after Load", split(&out, 1)[0], want[2][0])
	for l, z := range start {
		if !slices.Equal(kept[l], z) {
			t.Error("a segment changed the memory that was loaded")
		}
	}

	// Turn keeps the state: it is Begin and Load of what was.
	must(rows.Turn(1, input(3)))
	must(rows.Segment([]int{1}, &out))
	turned := split(&out, 1)[0]
	must(one.Begin(0, input(2)))
	must(one.Segment([]int{0}, &out))
	m, err := one.Save(0)
	must(err)
	must(one.Begin(0, input(3)))
	must(one.Load(0, m))
	must(one.Segment([]int{0}, &out))
	same("after Turn", turned, split(&out, 1)[0])

	if err := rows.Begin(0, think.Input{Tokens: make([]int32, shape.Seq+1)}); err == nil {
		t.Error("a sequence of another length was taken")
	}
}

// readOff is logits as the readout w has them of the state z, where a token is 1: a network may know by itself what answers the others.
func readOff(spec think.Spec, w []float32, tokens []int32, z, logits []float32) (read, said []float32) {
	level, outputs := spec.Levels[0], len(logits)/len(tokens)
	places := len(z)/level.Width - level.Prefix
	for at, token := range tokens {
		if token != 1 {
			continue
		}
		for v := range outputs {
			place, factor := level.Prefix+at, w
			if level.Planes {
				plane := v - outputs + places/len(tokens)
				if plane < 0 {
					continue
				}
				place += plane * len(tokens)
			} else {
				factor = w[v*level.Width:]
			}
			sum := 0.0
			for i := range level.Width {
				sum += float64(factor[i]) * float64(z[place*level.Width+i])
			}
			read, said = append(read, float32(sum)), append(said, logits[at*outputs+v])
		}
	}
	return read, said
}
