package rl

import (
	"encoding/binary"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/ponder-agents/ponder/env"
	"github.com/ponder-agents/ponder/internal/problems"
)

// The kinds of bonus. What is seen counts once an episode, with all but KindCount; what is seen is the image,
// with all but KindThings: the grid of the observation, if it has one (a turn that shows nothing new is not new).
const (
	KindFirst = "first" // Size
	KindCount = "count" // Size/sqrt(times seen in the episode)

	// KindNovelD: Size·max(0, n - n'/2), where n is 1/sqrt(times seen in the run) of what is seen, n' of what was
	// seen the step before (0 at the first): NovelD (Zhang et al., NeurIPS 2021), with counts in the place of an RND.
	KindNovelD = "noveld"

	// KindThings: Size·min(1, sqrt(Fade/times seen in the run)), where what is seen are the things in view, wherever
	// they are and how often, and what the agent has in hand. To pick up a key or to open a door is new, to walk is not.
	KindThings = "things"
)

var bonusKinds = []string{KindFirst, KindCount, KindNovelD, KindThings}

// A BonusConfig says what seeing something new is worth. The zero value is no bonus.
type BonusConfig struct {
	Size float64 `json:"size" toml:"size"` // reward of what was not seen before in the episode
	Kind string  `json:"kind" toml:"kind"` // one of the constants; "" means KindFirst
	Fade float64 `json:"fade" toml:"fade"` // of KindThings: times seen in the run after which Size falls; 0 means 50
}

const defaultFade = 50

// Check reports every problem of c at once.
func (c BonusConfig) Check() error {
	var bad problems.List
	bad.Add(!(c.Size >= 0), "size", "%v, want 0 or more", c.Size)
	bad.Add(c.Kind != "" && !slices.Contains(bonusKinds, c.Kind), "kind", "%q, want one of %s", c.Kind, strings.Join(bonusKinds, ", "))
	bad.Add(!(c.Fade >= 0), "fade", "%v, want 0 or more", c.Fade)
	return bad.Err()
}

// Bonus counts what every row has seen in its episode, and all of them in the run, told apart by a 64-bit hash.
type bonus struct {
	cfg      BonusConfig
	lo, hi   int // bytes of an observation that count
	channels int // numbers of a thing, of KindThings
	hand     int // where in them that is that the agent has in hand; -1 where it does not show

	seen []map[uint64]int32 // by row
	run  map[uint64]int32   // of kinds that fade
	last []float64          // by row: n', of KindNovelD

	found []uint64 // things, for a call of things
}

func newBonus(cfg BonusConfig, spec env.Spec, rows int) *bonus {
	if cfg.Fade == 0 {
		cfg.Fade = defaultFade
	}
	b := &bonus{cfg: cfg, hi: spec.ObsLen, channels: 1, hand: -1, seen: make([]map[uint64]int32, rows), run: map[uint64]int32{}, last: make([]float64, rows)}
	at := 0
	for _, f := range spec.Layout {
		if len(f.Shape) >= 2 {
			b.lo, b.hi = at, at+f.Len()
			if len(f.Shape) == 3 {
				b.channels = f.Shape[2]
				// An agent in MiniGrid's view, [x][y][3], stands in the middle of the last line, under what it has in hand.
				b.hand = (f.Shape[0]/2*f.Shape[1] + f.Shape[1] - 1) * b.channels
			}
			break
		}
		at += f.Len()
	}
	for i := range b.seen {
		b.seen[i] = map[uint64]int32{}
	}
	return b
}

// forget begins an episode in row i.
func (b *bonus) forget(i int) {
	clear(b.seen[i])
	b.last[i] = 0
}

// of is what row i is paid for seeing obs.
func (b *bonus) of(i int, obs []byte) float32 {
	if b.cfg.Size == 0 {
		return 0
	}
	obs = obs[b.lo:b.hi]
	var h uint64
	if b.cfg.Kind == KindThings {
		h = b.things(obs)
	} else {
		h = hashObs(obs)
	}
	b.seen[i][h]++
	inEpisode, inRun := float64(b.seen[i][h]), 0.0
	if b.fades() {
		b.run[h] = min(b.run[h], math.MaxInt32-1) + 1
		inRun = float64(b.run[h])
	}
	share := 1.0
	switch b.cfg.Kind {
	case KindCount:
		return float32(b.cfg.Size / math.Sqrt(inEpisode))
	case KindNovelD:
		n := 1 / math.Sqrt(inRun)
		share = max(0, n-b.last[i]/2)
		b.last[i] = n
	case KindThings:
		share = min(1, math.Sqrt(b.cfg.Fade/inRun))
	}
	if inEpisode > 1 {
		return 0
	}
	return float32(b.cfg.Size * share)
}

// fades reports whether what is seen often in the run is paid less.
func (b *bonus) fades() bool { return b.cfg.Kind == KindNovelD || b.cfg.Kind == KindThings }

// things is a hash of the different things in an image, and of what is in hand.
func (b *bonus) things(image []byte) uint64 {
	b.found = b.found[:0]
	for thing := range slices.Chunk(image, b.channels) {
		h := hashObs(thing)
		if !slices.Contains(b.found, h) {
			b.found = append(b.found, h)
		}
	}
	sum := uint64(0) // in any order
	for _, h := range b.found {
		sum += h
	}
	if b.hand >= 0 {
		sum ^= bits.RotateLeft64(hashObs(image[b.hand:b.hand+b.channels]), 32)
	}
	return sum
}

// hashObs is FNV-1a's 64 bits, eight bytes at a time: equal on every machine, so that a run resumed
// elsewhere counts alike.
func hashObs(obs []byte) uint64 {
	h := uint64(14695981039346656037)
	for len(obs) >= 8 {
		h = (h ^ binary.LittleEndian.Uint64(obs)) * 1099511628211
		h ^= h >> 29
		obs = obs[8:]
	}
	for _, c := range obs {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h ^ h>>32
}

// appendState appends the counts of all rows and of the run, in a fixed order.
func (b *bonus) appendState(dst []byte) []byte {
	le := binary.LittleEndian
	for _, seen := range b.counts() {
		dst = le.AppendUint32(dst, uint32(len(seen)))
		for _, k := range slices.Sorted(maps.Keys(seen)) {
			dst = le.AppendUint64(dst, k)
			dst = le.AppendUint32(dst, uint32(seen[k]))
		}
	}
	if b.fades() {
		for _, x := range b.last {
			dst = le.AppendUint64(dst, math.Float64bits(x))
		}
	}
	return dst
}

// counts are what a checkpoint holds.
func (b *bonus) counts() []map[uint64]int32 {
	if b.fades() {
		return append(slices.Clone(b.seen), b.run)
	}
	return b.seen
}

// setState restores what appendState appended and returns what follows it; ok is false if it is cut.
func (b *bonus) setState(state []byte) (rest []byte, ok bool) {
	le := binary.LittleEndian
	for _, seen := range b.counts() {
		if len(state) < 4 {
			return state, false
		}
		n := int(le.Uint32(state))
		state = state[4:]
		if n > len(state)/12 {
			return state, false
		}
		clear(seen)
		for range n {
			seen[le.Uint64(state)] = int32(le.Uint32(state[8:]))
			state = state[12:]
		}
	}
	if b.fades() {
		if len(state) < 8*len(b.last) {
			return state, false
		}
		for i := range b.last {
			b.last[i] = math.Float64frombits(le.Uint64(state))
			state = state[8:]
		}
	}
	return state, true
}
