package rl

import (
	"math"
	"slices"
	"testing"
)

// TestEstimate has values by hand: one row, discount 0.5, lambda 0.5, an episode that ends with step 1.
func TestEstimate(t *testing.T) {
	r := NewRollout(3, 1, 1)
	copy(r.Values, []float32{1, 2, 3, 4})
	copy(r.Rewards, []float32{10, 20, 30})
	copy(r.Done, []bool{false, true, false})
	r.Estimate(0.5, 0.5)
	// Step 2: 30 + 0.5·4 - 3 = 29. Step 1 ended: 20 - 2 = 18. Step 0: 10 + 0.5·2 - 1 + 0.25·18 = 14.5.
	if want := []float32{14.5, 18, 29}; !slices.Equal(r.Advantages, want) {
		t.Errorf("advantages %v, want %v", r.Advantages, want)
	}
	if want := []float32{15.5, 20, 32}; !slices.Equal(r.Returns, want) {
		t.Errorf("returns %v, want %v", r.Returns, want)
	}
}

// TestEstimateRows: rows do not mix.
func TestEstimateRows(t *testing.T) {
	r := NewRollout(2, 2, 1)
	copy(r.Values, []float32{0, 5, 0, 5, 0, 5})
	copy(r.Rewards, []float32{1, 0, 1, 0})
	copy(r.Done, []bool{false, true, true, true})
	r.Estimate(1, 1)
	if want := []float32{2, -5, 1, -5}; !slices.Equal(r.Advantages, want) {
		t.Errorf("advantages %v, want %v", r.Advantages, want)
	}
}

// TestBonus: what is new is paid once an episode, or less each time, and the counts survive a save.
func TestBonus(t *testing.T) {
	a, b := []byte("0123456789"), []byte("0123456788")
	first := newBonus(BonusConfig{Size: 2}, 2)
	got := []float32{first.of(0, a), first.of(0, a), first.of(0, b), first.of(1, a)}
	if want := []float32{2, 0, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("first visits are paid %v, want %v", got, want)
	}
	state := first.appendState(nil)
	again := newBonus(BonusConfig{Size: 2}, 2)
	if rest, ok := again.setState(append(state, 7)); !ok || len(rest) != 1 {
		t.Fatalf("setState: %v, %d bytes left", ok, len(rest))
	}
	if again.of(0, b) != 0 || again.of(1, b) != 2 {
		t.Error("the counts were not restored")
	}
	for n := range state {
		if _, ok := again.setState(state[:n]); ok {
			t.Fatalf("a state cut after %d of %d bytes was taken", n, len(state))
		}
	}
	first.forget(0)
	if first.of(0, a) != 2 {
		t.Error("the next episode remembers")
	}
	count := newBonus(BonusConfig{Size: 1, Kind: "count"}, 1)
	count.of(0, a)
	if x := count.of(0, a); math.Abs(float64(x)-1/math.Sqrt2) > 1e-6 {
		t.Errorf("the second visit is paid %v", x)
	}
	if newBonus(BonusConfig{}, 1).of(0, a) != 0 {
		t.Error("no bonus pays")
	}
}
