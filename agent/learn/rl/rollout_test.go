package rl

import (
	"math"
	"slices"
	"testing"

	"github.com/ponder-agents/ponder/env"
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
	a, b, ten := []byte("0123456789"), []byte("0123456788"), env.Spec{ObsLen: 10}
	first := newBonus(BonusConfig{Size: 2}, ten, 2)
	got := []float32{first.of(0, a), first.of(0, a), first.of(0, b), first.of(1, a)}
	if want := []float32{2, 0, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("first visits are paid %v, want %v", got, want)
	}
	state := first.appendState(nil)
	again := newBonus(BonusConfig{Size: 2}, ten, 2)
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
	count := newBonus(BonusConfig{Size: 1, Kind: KindCount}, ten, 1)
	count.of(0, a)
	if x := count.of(0, a); math.Abs(float64(x)-1/math.Sqrt2) > 1e-6 {
		t.Errorf("the second visit is paid %v", x)
	}
	image := newBonus(BonusConfig{Size: 1}, env.Spec{ObsLen: 10, Layout: []env.Field{{Name: "image", Shape: []int{3, 3}}, {Name: "direction", Shape: []int{1}}}}, 1)
	image.of(0, a)
	if image.of(0, b) != 0 {
		t.Error("another direction is paid as another image")
	}
	if newBonus(BonusConfig{}, ten, 1).of(0, a) != 0 {
		t.Error("no bonus pays")
	}
}

// TestBonusNovelD has values by hand: what is new in the run is worth 1, what was seen twice 1/sqrt(2).
func TestBonusNovelD(t *testing.T) {
	b := newBonus(BonusConfig{Size: 2, Kind: KindNovelD}, env.Spec{ObsLen: 1}, 2)
	got := []float32{
		b.of(0, []byte{1}), // 2·1
		b.of(0, []byte{2}), // 2·(1 - 1/2)
		b.of(0, []byte{1}), // seen before
		b.of(1, []byte{1}), // 2/sqrt(3)
		b.of(1, []byte{2}), // 2·(1/sqrt(2) - 1/(2·sqrt(3)))
	}
	want := []float32{2, 1, 0, float32(2 / math.Sqrt(3)), float32(2 * (1/math.Sqrt2 - 1/(2*math.Sqrt(3))))}
	if !slices.Equal(got, want) {
		t.Errorf("paid %v, want %v", got, want)
	}
	b.forget(1)
	if got, want := b.of(1, []byte{2}), float32(2/math.Sqrt(3)); got != want {
		t.Errorf("the first of an episode is paid %v, want %v", got, want)
	}
}

// TestBonusThings: where things are is not new, another thing is, and to have it in hand; what was seen often in the run is
// paid less.
func TestBonusThings(t *testing.T) {
	spec := env.Spec{ObsLen: 19, Layout: []env.Field{{Name: "image", Shape: []int{3, 3, 2}}, {Name: "direction", Shape: []int{1}}}}
	image := func(hand byte, cells ...byte) []byte { // in [x][y][2]; hand is at (1, 2)
		obs := make([]byte, 19)
		for i, c := range cells {
			obs[2*i] = c
		}
		obs[2*5+1] = hand
		return obs
	}
	b := newBonus(BonusConfig{Size: 2, Kind: KindThings, Fade: 3}, spec, 2)
	got := []float32{
		b.of(0, image(0, 1, 2, 1)),
		b.of(0, image(0, 2, 1, 0, 2)), // elsewhere, and more of them
		b.of(0, image(0, 1, 2, 3)),
		b.of(0, image(9, 1, 2, 3)),
		b.of(0, image(0, 1, 2, 1)),
		b.of(1, image(0, 1, 2, 1)), // for the fourth time in the run
	}
	if want := []float32{2, 0, 2, 2, 0, float32(2 * math.Sqrt(0.75))}; !slices.Equal(got, want) {
		t.Errorf("paid %v, want %v", got, want)
	}
	state := b.appendState(nil)
	again := newBonus(b.cfg, spec, 2)
	if rest, ok := again.setState(append(state, 7)); !ok || len(rest) != 1 {
		t.Fatalf("setState: %v, %d bytes left", ok, len(rest))
	}
	if x, y := again.of(0, image(0, 1, 2, 3)), again.of(1, image(0, 2, 1, 1, 3)); x != 0 || y != 2 {
		t.Errorf("after a save %v and %v are paid, want 0 and 2", x, y)
	}
	if s := again.appendState(nil); slices.Equal(s, state) {
		t.Error("the counts do not grow")
	}
	for n := range state {
		if _, ok := again.setState(state[:n]); ok {
			t.Fatalf("a state cut after %d of %d bytes was taken", n, len(state))
		}
	}
}

// TestEstimateThoughts has values by hand: discount 0.5, lambda 0.5, a price of 1. A decision of two
// thoughts is rewarded with 10, one of one thought with 20; then an episode would go on with value 6.
func TestEstimateThoughts(t *testing.T) {
	r := newThoughts(2, 1, 2, 0)
	copy(r.segments, []int32{2, 1})
	copy(r.at, []int32{0, 1, 2, 0})
	copy(r.rewards, []float32{10, 20})
	r.next[0] = 6
	r.values = []float32{1, 2, 3}
	r.estimate(0.5, 0.5, 1)
	// Thought 2 acts: 20 + 0.5·(6-1) - 3 = 19.5. Thought 1 acts: 10 + 0.5·(3-1) - 2 + 0.25·19.5 = 13.875.
	// Thought 0 goes on: 2 - 1 - 1 + 13.875.
	if want := []float32{13.875, 13.875, 19.5}; !slices.Equal(r.advantages, want) {
		t.Errorf("advantages %v, want %v", r.advantages, want)
	}
	if want := []float32{14.875, 15.875, 22.5}; !slices.Equal(r.returns, want) {
		t.Errorf("returns %v, want %v", r.returns, want)
	}
	r.done[0] = true // nothing comes after 10
	r.estimate(0.5, 0.5, 1)
	if want := []float32{8, 8, 19.5}; !slices.Equal(r.advantages, want) {
		t.Errorf("at an end: advantages %v, want %v", r.advantages, want)
	}
}
