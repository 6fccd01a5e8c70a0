package rl

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// acted is a rollout of one row: observation and state of step t are first+t, the action is t.
func acted(first int, rewards []float32, done []bool) (*Rollout, [][]float32) {
	x := NewRollout(len(rewards), 1, 1)
	state := make([]float32, len(rewards))
	for t := range rewards {
		x.Obs[t], x.Actions[t], x.Segments[t], state[t] = byte(first+t), int32(t), 1, float32(first+t)
	}
	copy(x.Rewards, rewards)
	copy(x.Done, done)
	return x, [][]float32{state}
}

// TestReplay has returns by hand, of two steps with discount 0.5: an episode that ends with step 2, one that a
// limit cuts off after step 4, one that goes on.
func TestReplay(t *testing.T) {
	r := newReplay(16, 1, 1, []int{1}, 2, 0.5)
	x, states := acted(10, []float32{1, 2, 4, 8, 16, 32, 64, 128}, []bool{false, false, true, false, true, false, false, false})
	x.Fresh[0], x.Fresh[3], x.Fresh[5] = true, true, true
	x.cuts = []cutOff{{at: 4, obs: []byte{99}, states: [][]float32{{99}}, segments: 3}}
	r.add(x, states)
	if want := []byte{10, 11, 12, 13, 14, 99, 15, 16, 17}; r.size != len(want) || !slices.Equal(r.Obs[:r.size], want) {
		t.Fatalf("observations %v, want %v", r.Obs[:r.size], want)
	}
	type decision struct {
		rewards, discount float32
		next              byte // the observation there, if it counts
	}
	got := map[byte]decision{}
	for k := range r.size {
		if !r.known[k] {
			continue
		}
		d := decision{rewards: r.rewards[k], discount: r.discount[k]}
		if d.discount > 0 {
			d.next = r.Obs[r.next[k]]
			if r.states[0][r.next[k]] != float32(d.next) {
				t.Errorf("state %v with observation %d", r.states[0][r.next[k]], d.next)
			}
		}
		got[r.Obs[k]] = d
	}
	want := map[byte]decision{
		10: {1 + 0.5*2, 0.25, 12},
		11: {2 + 0.5*4, 0, 0}, // terminated: nothing follows
		12: {4, 0, 0},
		13: {8 + 0.5*16, 0.25, 99}, // truncated: it would have gone on from what was seen last
		14: {16, 0.5, 99},
		15: {32 + 0.5*64, 0.25, 17},
		// 16 and 17 wait for what comes.
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(decision{})); d != "" {
		t.Errorf("decisions (-want +got):\n%s", d)
	}

	// Sequences follow the row, over the ends of episodes, and not over what was cut off.
	gen := rng.Stream(1, "draw")
	starts := map[byte]bool{}
	for range 200 {
		ids, ok := r.draw(gen.IntN, nil, 3)
		if !ok {
			t.Fatal("none of three")
		}
		for i, k := range ids {
			if want := r.Obs[ids[0]] + byte(i); r.Obs[k] != want {
				t.Fatalf("observation %d, want %d", r.Obs[k], want)
			}
		}
		starts[r.Obs[ids[0]]] = true
	}
	if want := (map[byte]bool{10: true, 11: true, 12: true, 13: true}); !cmp.Equal(starts, want) {
		t.Errorf("sequences begin with %v, want %v", starts, want)
	}
	if _, ok := r.draw(gen.IntN, nil, 7); ok {
		t.Error("seven in a row, where there are six")
	}
}

// TestReplayRing: the oldest are forgotten, and what a saved replay draws afterwards is the same.
func TestReplayRing(t *testing.T) {
	r := newReplay(12, 2, 1, []int{2, 1}, 2, 0.9)
	rollout := func(n int) (*Rollout, [][]float32) {
		x := NewRollout(2, 2, 1)
		states := [][]float32{make([]float32, 8), make([]float32, 4)}
		for k := range 4 {
			x.Obs[k], x.Rewards[k], x.Segments[k] = byte(4*n+k), float32(n), 1
			states[0][2*k], states[0][2*k+1], states[1][k] = float32(4*n+k), -1, float32(4*n+k)
		}
		return x, states
	}
	for n := range 5 {
		r.add(rollout(n))
	}
	tensors := map[string]safetensors.Tensor{}
	r.save(tensors)
	again := newReplay(12, 2, 1, []int{2, 1}, 2, 0.9)
	if err := again.load(tensors); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		for _, r := range []*replay{r, again} {
			r.add(rollout(5 + n))
			for k := range r.size {
				if want := r.Obs[k]; r.states[0][2*k] != float32(want) || r.states[1][k] != float32(want) {
					t.Fatalf("slot %d: observation %d, states %v and %v", k, want, r.states[0][2*k], r.states[1][k])
				}
				if next := r.next[k]; r.known[k] && r.Obs[next] != r.Obs[k]+4 { // two steps of two rows
					t.Errorf("after observation %d comes %d", r.Obs[k], r.Obs[next])
				}
			}
		}
	}
	a, b := map[string]safetensors.Tensor{}, map[string]safetensors.Tensor{}
	r.save(a)
	again.save(b)
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("other contents:\n%.500s", d)
	}
	for name := range tensors {
		cut := map[string]safetensors.Tensor{}
		for other, x := range tensors {
			if other != name {
				cut[other] = x
			}
		}
		if err := newReplay(12, 2, 1, []int{2, 1}, 2, 0.9).load(cut); err == nil {
			t.Errorf("taken without %s", name)
		}
	}
	tensors["replay.next"] = safetensors.OfInt32s([]int64{12}, slices.Repeat([]int32{12}, 12))
	if err := again.load(tensors); err == nil || err.Error() != `tensor "replay.next": 12, want 0 to 11` {
		t.Errorf("a slot that is not: error %v", err)
	}
}
