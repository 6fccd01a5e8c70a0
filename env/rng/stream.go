package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// A Rand is a *rand.Rand whose state can be saved.
type Rand struct {
	*rand.Rand
	src *rand.PCG
}

// Stream returns the stream of a name under a root seed: "env/3", "explore". Streams of different
// names or roots are independent; the same two give the same numbers on every platform.
func Stream(root uint64, name string) *Rand {
	r := &Rand{src: new(rand.PCG)}
	r.Rand = rand.New(r.src)
	r.Reseed(root, name)
	return r
}

// Reseed makes r what Stream(root, name) returns.
func (r *Rand) Reseed(root uint64, name string) {
	var buf [72]byte
	h := sha256.Sum256(append(binary.LittleEndian.AppendUint64(buf[:0], root), name...))
	r.src.Seed(binary.LittleEndian.Uint64(h[:]), binary.LittleEndian.Uint64(h[8:]))
}

// RandStateLen is the number of bytes that Rand.AppendState appends.
const RandStateLen = 20

// AppendState appends the state of the stream.
func (r *Rand) AppendState(dst []byte) []byte {
	dst, err := r.src.AppendBinary(dst)
	if err != nil {
		panic(err) // a PCG never fails
	}
	return dst
}

// SetState restores what AppendState appended. An error leaves r as it was.
func (r *Rand) SetState(state []byte) error {
	if err := r.src.UnmarshalBinary(state); err != nil {
		return fmt.Errorf("rng: not the state of a stream (%d bytes)", len(state))
	}
	return nil
}
