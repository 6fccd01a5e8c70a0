package puzzle

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// counting yields rows of one token, base, base+1, …
func counting(base int32) Source {
	n := base - 1
	return Generate(Shape{SeqLen: 1, Vocab: 1 << 20, Identifiers: 1}, uint64(base), func(_ *rand.Rand, in, label []int32) (int32, error) {
		n++
		in[0], label[0] = n, n
		return 0, nil
	})
}

// noise yields rows of two random tokens.
func noise(seed uint64) Source {
	return Generate(Shape{SeqLen: 2, Vocab: 1000, Identifiers: 1}, seed, func(rng *rand.Rand, in, label []int32) (int32, error) {
		in[0], in[1], label[0], label[1] = rng.Int32N(1000), rng.Int32N(1000), 1, Ignore
		return 0, nil
	})
}

func TestMixTakesByWeight(t *testing.T) {
	m, err := Mix(1, []Source{counting(0), counting(100_000), counting(200_000)}, []float64{1, 2, 5})
	if err != nil {
		t.Fatal(err)
	}
	var count [3]int
	in, label := make([]int32, 1), make([]int32, 1)
	for range 8000 {
		if _, err := m.Next(in, label); err != nil {
			t.Fatal(err)
		}
		part := in[0] / 100_000
		if int(in[0]%100_000) != count[part] {
			t.Fatalf("source %d: row %d, want %d: each source goes on where it was", part, in[0]%100_000, count[part])
		}
		count[part]++
	}
	for i, want := range []int{1000, 2000, 5000} { // binomial, sd at most 44
		if d := count[i] - want; d < -220 || d > 220 {
			t.Errorf("source %d gave %d of 8000 rows, want about %d", i, count[i], want)
		}
	}
	for _, tt := range []struct {
		parts   []Source
		weights []float64
	}{{nil, nil}, {[]Source{noise(1)}, []float64{1, 2}}, {[]Source{noise(1)}, []float64{0}}, {[]Source{noise(1), counting(0)}, []float64{1, 1}}} {
		if _, err := Mix(1, tt.parts, tt.weights); err == nil {
			t.Errorf("%d sources with weights %v were accepted", len(tt.parts), tt.weights)
		}
	}
}

// Sources within sources resume at every row, and refuse states of others without a change.
func TestNestedSourcesResume(t *testing.T) {
	set := grouped(t, []int{2, 1}, []int{3})
	open := func() Source {
		sh, err := set.Shuffle(Order{Seed: 4})
		if err != nil {
			t.Fatal(err)
		}
		swap := func(rng *rand.Rand, in, label []int32) {
			if rng.IntN(2) == 0 {
				in[0], label[1] = 0, Ignore
			}
		}
		aug := Augmented(sh, 9, swap)
		gen := Generate(set.Shape(), 3, func(rng *rand.Rand, in, label []int32) (int32, error) {
			in[0], in[1], label[0], label[1] = rng.Int32N(6), 0, 0, 0
			return 0, nil
		})
		m, err := Mix(5, []Source{aug, gen}, []float64{3, 1})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	a := open()
	var rows Batch
	rows.Resize(50, 2)
	var states [][]byte
	for i := range 50 {
		states = append(states, a.AppendState(nil))
		in, label := rows.Row(i)
		if _, err := a.Next(in, label); err != nil {
			t.Fatal(err)
		}
		rows.IDs[i] = 0
	}
	b := open()
	for i, state := range states {
		if err := b.SetState(state); err != nil {
			t.Fatal(err)
		}
		var got Batch
		got.Resize(50-i, 2)
		if err := got.Fill(b); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rows.Inputs[2*i:], got.Inputs); d != "" {
			t.Fatalf("resumed at row %d: %s", i, d)
		}
	}
	for n := range states[7] {
		before := b.AppendState(nil)
		if err := b.SetState(states[7][:n]); err == nil {
			t.Fatalf("a state cut to %d of %d bytes was accepted", n, len(states[7]))
		}
		if !slices.Equal(before, b.AppendState(nil)) {
			t.Fatalf("a state cut to %d bytes changed the source", n)
		}
	}
}

func FuzzStates(f *testing.F) {
	set := grouped(f, []int{2, 1}, []int{3})
	open := func() []Source {
		a, _ := set.Shuffle(Order{Seed: 4, Batch: 2})
		b, _ := set.Shuffle(Order{Seed: 4})
		m, _ := Mix(5, []Source{Augmented(b, 1, func(*rand.Rand, []int32, []int32) {}), Generate(set.Shape(), 3, nil)}, []float64{1, 1})
		return []Source{a, m, Generate(set.Shape(), 3, nil)}
	}
	for _, s := range open() {
		f.Add(s.AppendState(nil))
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		for _, s := range open() {
			before := s.AppendState(nil)
			if err := s.SetState(state); err != nil {
				if !slices.Equal(before, s.AppendState(nil)) {
					t.Errorf("%T: a refused state changed it", s)
				}
			} else if !slices.Equal(state, s.AppendState(nil)) {
				t.Errorf("%T: state %x reads back as %x", s, state, s.AppendState(nil))
			}
		}
	})
}
