package puzzle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
)

// A Transform is a Source whose rows are those of another one, changed at random: augmentation
// without copies on disk. Row n's chance depends on the seed and n alone.
type Transform struct {
	src    Source
	seed   uint64
	change func(rng *rand.Rand, in, label []int32)
	next   uint64
}

// Augmented returns the rows of src, each changed in place by change.
func Augmented(src Source, seed uint64, change func(rng *rand.Rand, in, label []int32)) *Transform {
	return &Transform{src: src, seed: seed, change: change}
}

// Shape is that of the source.
func (t *Transform) Shape() Shape { return t.src.Shape() }

// Next changes the next row.
func (t *Transform) Next(in, label []int32) (int32, error) {
	id, err := t.src.Next(in, label)
	if err == nil {
		t.change(rowRand(t.seed, t.next), in, label)
		t.next++
	}
	return id, err
}

// AppendState appends the number of the next row and the source's state.
func (t *Transform) AppendState(dst []byte) []byte {
	dst = append(dst, "aug1"...)
	dst = binary.LittleEndian.AppendUint64(dst, t.seed)
	dst = binary.LittleEndian.AppendUint64(dst, t.next)
	return t.src.AppendState(dst)
}

// SetState continues where AppendState was.
func (t *Transform) SetState(state []byte) error {
	if len(state) < 20 || string(state[:4]) != "aug1" {
		return errors.New("puzzle: the bytes are no state of an augmented source")
	}
	if seed := binary.LittleEndian.Uint64(state[4:]); seed != t.seed {
		return fmt.Errorf("puzzle: state of an augmented source with seed %d, this one has seed %d", seed, t.seed)
	}
	if err := t.src.SetState(state[20:]); err != nil {
		return err
	}
	t.next = binary.LittleEndian.Uint64(state[12:])
	return nil
}

// A Mixture is a Source that takes each row from one of several at random, as when easier puzzles
// are mixed in (arXiv:2601.10679).
type Mixture struct {
	parts   []Source
	weights []float64
	total   float64
	seed    uint64
	next    uint64
}

// Mix returns the Mixture of parts, which have one shape. weights are positive and need not sum to 1.
func Mix(seed uint64, parts []Source, weights []float64) (*Mixture, error) {
	if len(parts) == 0 || len(parts) != len(weights) {
		return nil, fmt.Errorf("mixture of %d sources with %d weights", len(parts), len(weights))
	}
	m := &Mixture{parts: parts, weights: weights, seed: seed}
	for i, w := range weights {
		if !(w > 0) || w > 1e9 {
			return nil, fmt.Errorf("mixture: weight %d is %v, want a positive one", i, w)
		}
		if got, want := parts[i].Shape(), parts[0].Shape(); got != want {
			return nil, fmt.Errorf("mixture: source %d has rows of %+v, source 0 of %+v", i, got, want)
		}
		m.total += w
	}
	return m, nil
}

// Shape is that of the parts.
func (m *Mixture) Shape() Shape { return m.parts[0].Shape() }

// Next takes the next row of a part.
func (m *Mixture) Next(in, label []int32) (int32, error) {
	x, part := rowRand(m.seed, m.next).Float64()*m.total, 0
	for x -= m.weights[0]; x >= 0 && part < len(m.parts)-1; x -= m.weights[part] {
		part++
	}
	id, err := m.parts[part].Next(in, label)
	if err == nil {
		m.next++
	}
	return id, err
}

// AppendState appends the number of the next row and every part's state.
func (m *Mixture) AppendState(dst []byte) []byte {
	dst = append(dst, "mix1"...)
	dst = binary.LittleEndian.AppendUint64(dst, m.seed)
	dst = binary.LittleEndian.AppendUint64(dst, m.next)
	for _, p := range m.parts {
		at := len(dst)
		dst = p.AppendState(append(dst, 0, 0, 0, 0))
		binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	return dst
}

// SetState continues where AppendState was.
func (m *Mixture) SetState(state []byte) error {
	if len(state) < 20 || string(state[:4]) != "mix1" {
		return errors.New("puzzle: the bytes are no state of a mixture")
	}
	if seed := binary.LittleEndian.Uint64(state[4:]); seed != m.seed {
		return fmt.Errorf("puzzle: state of a mixture with seed %d, this one has seed %d", seed, m.seed)
	}
	var states [][]byte
	for rest := state[20:]; len(rest) > 0; {
		if len(rest) < 4 || uint64(len(rest)-4) < uint64(binary.LittleEndian.Uint32(rest)) {
			return errors.New("puzzle: the state of a mixture is cut off")
		}
		n := 4 + int(binary.LittleEndian.Uint32(rest))
		states, rest = append(states, rest[4:n]), rest[n:]
	}
	if len(states) != len(m.parts) {
		return fmt.Errorf("puzzle: state of a mixture of %d sources, this one has %d", len(states), len(m.parts))
	}
	var before [][]byte
	for i, p := range m.parts {
		before = append(before, p.AppendState(nil))
		if err := p.SetState(states[i]); err != nil {
			for j := range i { // those that changed go back
				m.parts[j].SetState(before[j])
			}
			return fmt.Errorf("mixture, source %d: %w", i, err)
		}
	}
	m.next = binary.LittleEndian.Uint64(state[12:])
	return nil
}
