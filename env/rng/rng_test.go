package rng

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
)

// TestNumPy compares with what NumPy drew (testdata/record.py).
func TestNumPy(t *testing.T) {
	data, err := os.ReadFile("testdata/numpy.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Seed    uint64 `json:",string"`
		Bounds  []int
		Below   []int
		Shuffle []int
		Raw     []string
		Below5  []int
		Uniform []float64
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		g := New(c.Seed)
		for i, want := range c.Below {
			if got := g.Below(c.Bounds[i%len(c.Bounds)]); got != want {
				t.Fatalf("seed %d: draw %d below %d = %d, want %d", c.Seed, i, c.Bounds[i%len(c.Bounds)], got, want)
			}
		}
		perm := make([]int, 10)
		for i := range perm {
			perm[i] = i
		}
		g.Shuffle(10, func(i, j int) { perm[i], perm[j] = perm[j], perm[i] })
		if !slices.Equal(perm, c.Shuffle) {
			t.Errorf("seed %d: shuffle = %v, want %v", c.Seed, perm, c.Shuffle)
		}
		for _, want := range c.Raw {
			if got := strconv.FormatUint(g.Uint64(), 10); got != want {
				t.Errorf("seed %d: raw = %s, want %s", c.Seed, got, want)
			}
		}
		for _, want := range c.Below5 {
			if got := g.Below(5); got != want {
				t.Errorf("seed %d: below 5 = %d, want %d", c.Seed, got, want)
			}
		}
		for _, want := range c.Uniform {
			if got := g.Uniform(-1, 3); got != want {
				t.Errorf("seed %d: uniform = %v, want %v", c.Seed, got, want)
			}
		}
	}
}

func TestGenState(t *testing.T) {
	g := New(5)
	g.Uint32() // half of it is kept
	state := g.AppendState([]byte("x"))[1:]
	want := []uint32{g.Uint32(), g.Uint32(), g.Uint32()}
	h := New(6)
	if err := h.SetState(state); err != nil {
		t.Fatal(err)
	}
	if got := []uint32{h.Uint32(), h.Uint32(), h.Uint32()}; !slices.Equal(got, want) {
		t.Errorf("restored draws = %v, want %v", got, want)
	}
	before := *h
	even := slices.Clone(state)
	even[16] &^= 1
	even[24] &^= 1 // PCG's increment is odd
	for _, bad := range [][]byte{nil, state[:36], append(slices.Clone(state), 0), even} {
		if h.SetState(bad) == nil || *h != before {
			t.Errorf("SetState accepted %d bad bytes, or changed the state", len(bad))
		}
	}
}

func TestStream(t *testing.T) {
	a, b := Stream(1, "env/0"), Stream(1, "env/1")
	if a.Uint64() == b.Uint64() {
		t.Error("streams of two names begin alike")
	}
	state := a.AppendState(nil)
	if len(state) != RandStateLen {
		t.Errorf("state of %d bytes, want %d", len(state), RandStateLen)
	}
	want := a.Float64()
	if err := b.SetState(state); err != nil {
		t.Fatal(err)
	}
	if got := b.Float64(); got != want {
		t.Errorf("restored draw = %v, want %v", got, want)
	}
	if b.SetState(state[:10]) == nil {
		t.Error("SetState accepted a cut state")
	}
	if a, b := Stream(math.MaxUint64, ""), Stream(math.MaxUint64, ""); a.Uint64() != b.Uint64() {
		t.Error("a stream differs from itself")
	}
}
