package rl

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/ponder-agents/ponder/env"
)

// A BonusConfig says what seeing something new is worth. The zero value is no bonus.
type BonusConfig struct {
	Size float64 `json:"size" toml:"size"` // reward of an observation not seen before in the episode
	Kind string  `json:"kind" toml:"kind"` // "first": that alone (the default); "count": Size/sqrt(times seen)
}

// Bonus counts what every row has seen in its episode: the grid of the observation, if it has one (a turn
// that shows nothing new is not new), told apart by a 64-bit hash.
type bonus struct {
	cfg    BonusConfig
	lo, hi int                // bytes of an observation that count
	seen   []map[uint64]int32 // by row
}

func newBonus(cfg BonusConfig, spec env.Spec, rows int) *bonus {
	b := &bonus{cfg: cfg, hi: spec.ObsLen, seen: make([]map[uint64]int32, rows)}
	at := 0
	for _, f := range spec.Layout {
		if len(f.Shape) >= 2 {
			b.lo, b.hi = at, at+f.Len()
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
func (b *bonus) forget(i int) { clear(b.seen[i]) }

// of is what row i is paid for seeing obs.
func (b *bonus) of(i int, obs []byte) float32 {
	if b.cfg.Size == 0 {
		return 0
	}
	h := hashObs(obs[b.lo:b.hi])
	b.seen[i][h]++
	n := b.seen[i][h]
	if b.cfg.Kind == "count" {
		return float32(b.cfg.Size / math.Sqrt(float64(n)))
	}
	if n > 1 {
		return 0
	}
	return float32(b.cfg.Size)
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

// appendState appends the counts of all rows, in a fixed order.
func (b *bonus) appendState(dst []byte) []byte {
	for _, seen := range b.seen {
		keys := make([]uint64, 0, len(seen))
		for k := range seen {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(keys)))
		for _, k := range keys {
			dst = binary.LittleEndian.AppendUint64(dst, k)
			dst = binary.LittleEndian.AppendUint32(dst, uint32(seen[k]))
		}
	}
	return dst
}

// setState restores what appendState appended and returns what follows it; ok is false if it is cut.
func (b *bonus) setState(state []byte) (rest []byte, ok bool) {
	le := binary.LittleEndian
	for i := range b.seen {
		if len(state) < 4 {
			return state, false
		}
		n := int(le.Uint32(state))
		state = state[4:]
		if n > len(state)/12 {
			return state, false
		}
		clear(b.seen[i])
		for range n {
			b.seen[i][le.Uint64(state)] = int32(le.Uint32(state[8:]))
			state = state[12:]
		}
	}
	return state, true
}
