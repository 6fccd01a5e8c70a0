package puzzle

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/internal/beside"
)

func openFixture(t testing.TB, name, split string) *Set {
	t.Helper()
	s, err := Open(filepath.Join(fixtures(t), name), split)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// The reference's evaluation batches, cell for cell.
func TestBatchesAsRecorded(t *testing.T) {
	want, _ := beside.Tensors(t, filepath.Join(fixtures(t), "expected_test_batches.safetensors"))
	compared := 0
	for name, rows := range map[string]int{"sudoku9-tiny": 4, "maze9-tiny": 2, "arc-tiny": 8} {
		s := openFixture(t, name, "test")
		var b Batch
		for i, start := 0, 0; start < s.Len(); i, start = i+1, start+rows {
			if err := s.Batch(&b, start, rows); err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprintf("%s.%d.", name, i)
			for field, got := range map[string][]int32{
				"inputs": b.Inputs, "labels": b.Labels, "puzzle_identifiers": b.IDs, "valid": {int32(b.Valid)},
			} {
				w, ok := want[key+field]
				if !ok {
					t.Fatalf("no fixture %s", key+field)
				}
				if !slices.Equal(got, w.Data) {
					t.Errorf("%s%s differs: %s", key, field, cmp.Diff(w.Data, got))
				}
				compared++
			}
		}
	}
	if compared != len(want) {
		t.Errorf("compared %d arrays, the fixture has %d", compared, len(want))
	}
}

// grouped is a Set in memory: group g has puzzles of the given numbers of examples. A row is its
// example, twice.
func grouped(t testing.TB, groups ...[]int) *Set {
	t.Helper()
	n := 0
	for _, g := range groups {
		for _, k := range g {
			n += k
		}
	}
	i := int32(-1)
	s, err := Collect(Generate(Shape{SeqLen: 2, Vocab: n + 1, Identifiers: 1}, 0, func(_ *rand.Rand, in, label []int32) (int32, error) {
		i++
		in[0], in[1], label[0], label[1] = i, i, i, i
		return 0, nil
	}), n)
	if err != nil {
		t.Fatal(err)
	}
	s.ids, s.puzzles, s.groups = nil, []int32{0}, []int32{0}
	for _, g := range groups {
		for _, k := range g {
			s.puzzles = append(s.puzzles, s.puzzles[len(s.puzzles)-1]+int32(k))
			s.ids = append(s.ids, 0)
		}
		s.groups = append(s.groups, int32(len(s.ids)))
	}
	return s
}

// next is the example that the source yields.
func next(t testing.TB, src Source) int {
	t.Helper()
	in, label := make([]int32, 2), make([]int32, 2)
	if _, err := src.Next(in, label); err != nil {
		t.Fatal(err)
	}
	return int(in[0])
}

func TestShuffleShowsEveryGroupOnceAnEpoch(t *testing.T) {
	s := grouped(t, []int{1, 1, 1}, []int{1}, []int{1, 1}, []int{1, 1, 1, 1})
	sh, err := s.Shuffle(Order{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]int, s.Len())
	orders := map[string]int{}
	const epochs = 2400
	for range epochs {
		var order []int
		for range s.Groups() {
			e := next(t, sh)
			seen[e]++
			p := s.puzzleOf(e)
			g := slices.IndexFunc(s.groups[1:], func(end int32) bool { return p < int(end) })
			order = append(order, g)
		}
		orders[fmt.Sprint(order)]++
		slices.Sort(order)
		if !slices.Equal(order, []int{0, 1, 2, 3}) {
			t.Fatalf("an epoch has groups %v, want each once", order)
		}
	}
	for e, n := range seen { // each puzzle of a group equally often: 6 standard deviations
		p := 1.0
		for g := range s.Groups() {
			if first, end := s.Group(g); e >= first && e < end {
				p = 1 / float64(end-first)
			}
		}
		mean, sd := epochs*p, 25.0*2*6*p
		if d := float64(n) - mean; d > sd || d < -sd {
			t.Errorf("example %d was drawn %d times in %d epochs, want about %.0f", e, n, epochs, mean)
		}
	}
	if len(orders) != 24 {
		t.Errorf("%d orders of 4 groups in %d epochs, want all 24", len(orders), epochs)
	}
}

// Batches as the reference cuts them: the last puzzle gives what there is room for and the rest of it
// is lost, and the incomplete batch at the end of an iteration is dropped.
func TestShuffleBatches(t *testing.T) {
	s := grouped(t, []int{3}, []int{3}, []int{3})
	sh, err := s.Shuffle(Order{Seed: 1, Batch: 4, Epochs: 1})
	if err != nil {
		t.Fatal(err)
	}
	singles := map[int]int{}
	for iter := range 200 {
		// 3 rows of one group and 1 of the next fill a batch; 3 of the last one do not.
		count := map[int]int{}
		var batch []int
		for range 4 {
			e := next(t, sh)
			batch = append(batch, e)
			count[e/3]++
		}
		if sh.Iteration() != iter {
			t.Fatalf("iteration %d, want %d", sh.Iteration(), iter)
		}
		first, last := batch[0]/3, batch[3]/3
		if first == last || count[first] != 3 || count[last] != 1 {
			t.Fatalf("batch %v, want a whole puzzle and one example of another", batch)
		}
		singles[batch[3]]++
		if slices.Sort(batch); len(slices.Compact(batch)) != 4 {
			t.Fatalf("batch %v repeats an example", batch)
		}
	}
	if len(singles) != 9 {
		t.Errorf("the single row was one of %d examples in 200 batches, want any of 9", len(singles))
	}
	if _, err := s.Shuffle(Order{Batch: 10, Epochs: 1}); err == nil {
		t.Error("an iteration of 9 rows for batches of 10 was accepted: it never yields a batch")
	}
}

// Hardly a row is dropped unless that is asked for.
func TestShuffleDropsLittle(t *testing.T) {
	s := grouped(t, slices.Repeat([][]int{{1}}, 50)...)
	sh, err := s.Shuffle(Order{Seed: 1, Batch: 32})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for sh.Iteration() == 0 {
		next(t, sh)
		n++
	}
	if dropped := 64*50 - (n - 1); n < 60*50 || dropped > 31 {
		t.Errorf("%d rows in an iteration of 64 epochs of 50 rows", n-1)
	}
	if sh, err = s.Shuffle(Order{Groups: 10}); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if e := next(t, sh); e >= 10 {
			t.Fatalf("example %d of the first 10 groups", e)
		}
	}
}

// The numbers of steps of the published runs (20,000 epochs of 1,000 puzzles).
func TestSteps(t *testing.T) {
	m := Meta{TotalGroups: 1000, MeanPuzzleExamples: 1}
	for batch, want := range map[int]int{768: 26041, 384: 52083} {
		if got := m.Steps(20000, batch); got != want {
			t.Errorf("batch %d: %d steps, want %d", batch, got, want)
		}
	}
}

func TestShuffleResumesAtEveryRow(t *testing.T) {
	s := grouped(t, []int{3, 2}, []int{1}, []int{4, 4, 4}, []int{2})
	for _, o := range []Order{{Seed: 5}, {Seed: 5, Batch: 4}, {Seed: 6, Batch: 5, Epochs: 3}, {Seed: 1, Groups: 2}} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			a, err := s.Shuffle(o)
			if err != nil {
				t.Fatal(err)
			}
			var rows []int
			var states [][]byte
			for range 60 {
				states = append(states, a.AppendState(nil))
				rows = append(rows, next(t, a))
			}
			b, _ := s.Shuffle(o)
			for i, state := range states {
				if err := b.SetState(state); err != nil {
					t.Fatalf("row %d: %v", i, err)
				}
				if got := b.AppendState(nil); !slices.Equal(got, state) {
					t.Fatalf("row %d: the state read back differs", i)
				}
				for j := i; j < len(rows); j++ {
					if got := next(t, b); got != rows[j] {
						t.Fatalf("resumed at row %d: row %d is example %d, want %d", i, j, got, rows[j])
					}
				}
			}
			other, _ := s.Shuffle(Order{Seed: 99})
			if err := other.SetState(states[3]); err == nil {
				t.Error("a state of another order was accepted")
			}
			for n := range states[3] {
				if err := b.SetState(states[3][:n]); err == nil {
					t.Errorf("a state cut to %d bytes was accepted", n)
				}
			}
		})
	}
}

func TestGeneratedResumes(t *testing.T) {
	shape := Shape{SeqLen: 4, Vocab: 100, Identifiers: 3}
	fill := func(rng *rand.Rand, in, label []int32) (int32, error) {
		for i := range in {
			in[i], label[i] = rng.Int32N(100), rng.Int32N(100)
		}
		return rng.Int32N(3), nil
	}
	rows := func(src Source, n int) (b Batch) {
		b.Resize(n, 4)
		if err := b.Fill(src); err != nil {
			t.Fatal(err)
		}
		return b
	}
	a := Generate(shape, 7, fill)
	rows(a, 5)
	state := a.AppendState(nil)
	want := rows(a, 8)
	b := Generate(shape, 7, fill)
	if err := b.SetState(state); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, rows(b, 8)); d != "" {
		t.Errorf("after SetState: %s", d)
	}
	if err := Generate(shape, 8, fill).SetState(state); err == nil {
		t.Error("the state of another seed was accepted")
	}
	if d := cmp.Diff(rows(Generate(shape, 8, fill), 8), rows(Generate(shape, 7, fill), 8)); d == "" {
		t.Error("seeds 7 and 8 give the same rows")
	}
}

func TestGeneratedNamesBadRows(t *testing.T) {
	src := Generate(Shape{SeqLen: 3, Vocab: 5, Identifiers: 1}, 2, func(_ *rand.Rand, in, label []int32) (int32, error) {
		copy(in, []int32{0, 4, 0})
		copy(label, []int32{Ignore, 0, 5})
		return 0, nil
	})
	_, err := src.Next(make([]int32, 3), make([]int32, 3))
	const want = "generated row 0 of seed 2: label 2 is 5, want a token in [0, 5) or -100"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
