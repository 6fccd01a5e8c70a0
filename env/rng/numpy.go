package rng

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// A Gen is NumPy's Generator over PCG64. Use it after Seed.
type Gen struct {
	hi, lo       uint64 // state
	incHi, incLo uint64
	kept         uint32 // the high half of a Uint64 that Uint32 has split
	hasKept      bool
}

// New returns a Gen seeded as numpy.random.default_rng(seed).
func New(seed uint64) *Gen {
	g := new(Gen)
	g.Seed(seed)
	return g
}

// Seed starts anew, as numpy.random.default_rng(seed).
func (g *Gen) Seed(seed uint64) {
	s := seedSequence(seed)
	g.incHi, g.incLo = s[2]<<1|s[3]>>63, s[3]<<1|1
	g.hi, g.lo = 0, 0
	g.step()
	var c uint64
	g.lo, c = bits.Add64(g.lo, s[1], 0)
	g.hi, _ = bits.Add64(g.hi, s[0], c)
	g.step()
	g.kept, g.hasKept = 0, false
}

// seedSequence is SeedSequence(seed).generate_state(4, uint64).
func seedSequence(seed uint64) [4]uint64 {
	h := uint32(0x43B0D7E5)
	hash := func(v uint32) uint32 {
		v ^= h
		h *= 0x931E8875
		v *= h
		return v ^ v>>16
	}
	// A number of one word and one of two differ only in that word: both are padded by zeros.
	pool := [4]uint32{uint32(seed), uint32(seed >> 32)}
	for i := range pool {
		pool[i] = hash(pool[i])
	}
	for src := range pool {
		for dst := range pool {
			if src != dst {
				r := 0xCA01F9DD*pool[dst] - 0x4973F715*hash(pool[src])
				pool[dst] = r ^ r>>16
			}
		}
	}
	var out [4]uint64
	k := uint32(0x8B51F9DD)
	for i := range 8 {
		v := pool[i%4] ^ k
		k *= 0x58F38DED
		v *= k
		v ^= v >> 16
		out[i/2] |= uint64(v) << (32 * (i % 2))
	}
	return out
}

func (g *Gen) step() {
	const mulHi, mulLo = 0x2360ED051FC65DA4, 0x4385DF649FCCF645
	hi, lo := bits.Mul64(g.lo, mulLo)
	hi += g.hi*mulLo + g.lo*mulHi
	var c uint64
	g.lo, c = bits.Add64(lo, g.incLo, 0)
	g.hi, _ = bits.Add64(hi, g.incHi, c)
}

// Uint64 is PCG64's next64; it ignores a half that Uint32 has kept.
func (g *Gen) Uint64() uint64 {
	g.step()
	return bits.RotateLeft64(g.hi^g.lo, -int(g.hi>>58))
}

// Uint32 is PCG64's next32: the low half of a Uint64 first, then its high half.
func (g *Gen) Uint32() uint32 {
	if g.hasKept {
		g.hasKept = false
		return g.kept
	}
	v := g.Uint64()
	g.kept, g.hasKept = uint32(v>>32), true
	return uint32(v)
}

// Below is integers(n): uniform in [0, n). n is at least 1 and fits 32 bits; n = 1 draws nothing.
func (g *Gen) Below(n int) int {
	if n <= 1 {
		if n < 1 {
			panic(fmt.Sprintf("rng: Below(%d)", n))
		}
		return 0
	}
	un := uint32(n)
	m := uint64(g.Uint32()) * uint64(un)
	if uint32(m) < un {
		t := -un % un
		for uint32(m) < t {
			m = uint64(g.Uint32()) * uint64(un)
		}
	}
	return int(m >> 32)
}

// Int is integers(lo, hi): uniform in [lo, hi).
func (g *Gen) Int(lo, hi int) int { return lo + g.Below(hi-lo) }

// Bool is integers(0, 2) == 0, as MiniGrid draws one.
func (g *Gen) Bool() bool { return g.Below(2) == 0 }

// Float64 is random(): uniform in [0, 1) with 53 bits.
func (g *Gen) Float64() float64 { return float64(g.Uint64()>>11) * 0x1p-53 }

// Uniform is uniform(lo, hi).
func (g *Gen) Uniform(lo, hi float64) float64 { return lo + (hi-lo)*g.Float64() }

// Interval is the masked rejection in [0, most] with which NumPy shuffles; 0 draws nothing.
func (g *Gen) Interval(most uint32) uint32 {
	if most == 0 {
		return 0
	}
	mask := uint32(1)<<bits.Len32(most) - 1
	for {
		if v := g.Uint32() & mask; v <= most {
			return v
		}
	}
}

// Shuffle is shuffle(list) of n elements.
func (g *Gen) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, int(g.Interval(uint32(i))))
	}
}

// Elem draws one element, as MiniGrid's _rand_elem.
func Elem[T any](g *Gen, list []T) T { return list[g.Below(len(list))] }

// GenStateLen is the number of bytes that Gen.AppendState appends.
const GenStateLen = 37

// AppendState appends the state, the increment and the kept half.
func (g *Gen) AppendState(dst []byte) []byte {
	for _, v := range [...]uint64{g.hi, g.lo, g.incHi, g.incLo} {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	var has byte
	if g.hasKept {
		has = 1
	}
	return append(binary.LittleEndian.AppendUint32(dst, g.kept), has)
}

// SetState restores what AppendState appended. An error leaves g as it was.
func (g *Gen) SetState(state []byte) error {
	if len(state) != GenStateLen || state[36] > 1 || state[24]&1 == 0 {
		return fmt.Errorf("rng: not the state of a PCG64 generator (%d bytes)", len(state))
	}
	u := func(i int) uint64 { return binary.LittleEndian.Uint64(state[i*8:]) }
	*g = Gen{u(0), u(1), u(2), u(3), binary.LittleEndian.Uint32(state[32:]), state[36] == 1}
	return nil
}
