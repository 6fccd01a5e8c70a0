package puzzle

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// Ignore is the label of a cell that is not scored (IGNORE_LABEL_ID of the reference).
const Ignore = -100

// NoAnswer is the label of a cell that no answer is right for, since the question has none or several. It is not scored
// either, but its row is never exact. Only sources that spoil questions write it.
const NoAnswer = -101

// A Shape is what a network must know of its rows.
type Shape struct {
	SeqLen      int // tokens of a row
	Vocab       int // every token is in [0, Vocab)
	Identifiers int // every puzzle identifier is in [0, Identifiers); 0 is the blank one
	Labels      int // every label is in [0, Labels) or Ignore; 0 means Vocab
}

// A Source yields training rows without end. One goroutine uses it at a time.
type Source interface {
	Shape() Shape
	// Next writes the next row into in and label, both of length Shape().SeqLen, and returns the
	// puzzle's identifier. An error (a file that cannot be read, a token out of range) names file
	// and position; the row is then undefined.
	Next(in, label []int32) (id int32, err error)
	// AppendState appends the position to dst. After SetState with these bytes on a Source made
	// with the same arguments, Next yields the rows that followed AppendState.
	AppendState(dst []byte) []byte
	// SetState leaves the Source as it was when it returns an error.
	SetState(state []byte) error
}

// A Batch is rows of equal length.
type Batch struct {
	Inputs []int32 // [batch, seq] tokens
	Labels []int32 // [batch, seq] tokens or Ignore
	IDs    []int32 // [batch] puzzle identifiers
	Rows   int     // rows, padding included
	Seq    int     // tokens of a row
	Valid  int     // rows that are not padding; they come first
}

// Resize makes b a batch of rows rows of seq tokens, reusing its slices. Their content is undefined.
func (b *Batch) Resize(rows, seq int) {
	b.Inputs = grow(b.Inputs, rows*seq)
	b.Labels = grow(b.Labels, rows*seq)
	b.IDs = grow(b.IDs, rows)
	b.Rows, b.Seq, b.Valid = rows, seq, rows
}

// Row returns the input and label of row i, views into b.
func (b *Batch) Row(i int) (in, label []int32) {
	return b.Inputs[i*b.Seq : (i+1)*b.Seq : (i+1)*b.Seq], b.Labels[i*b.Seq : (i+1)*b.Seq : (i+1)*b.Seq]
}

// Fill fills all b.Rows rows from src.
func (b *Batch) Fill(src Source) error {
	for i := range b.Rows {
		in, label := b.Row(i)
		id, err := src.Next(in, label)
		if err != nil {
			return err
		}
		b.IDs[i] = id
	}
	b.Valid = b.Rows
	return nil
}

func grow(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n)
	}
	return s[:n]
}

// A Fill makes one row from rng, which is all the chance it may use. It writes every cell of in and
// label and returns the identifier of the puzzle, 0 if there is but one.
type Fill func(rng *rand.Rand, in, label []int32) (id int32, err error)

// Generated is a Source of generated rows. Row n depends on the seed and n alone, so its position is
// a number.
type Generated struct {
	shape Shape
	seed  uint64
	fill  Fill
	next  uint64
}

// Generate returns the Source of the rows that fill makes from seed.
func Generate(shape Shape, seed uint64, fill Fill) *Generated {
	return &Generated{shape: shape, seed: seed, fill: fill}
}

// Shape is the shape given to Generate.
func (g *Generated) Shape() Shape { return g.shape }

// Next makes the next row.
func (g *Generated) Next(in, label []int32) (int32, error) {
	if len(in) != g.shape.SeqLen || len(label) != g.shape.SeqLen {
		panic(fmt.Sprintf("puzzle: row of %d and %d tokens, want %d", len(in), len(label), g.shape.SeqLen))
	}
	id, err := g.fill(rowRand(g.seed, g.next), in, label)
	if err != nil {
		return 0, fmt.Errorf("generated row %d of seed %d: %w", g.next, g.seed, err)
	}
	if err := g.shape.check(in, label, id); err != nil {
		return 0, fmt.Errorf("generated row %d of seed %d: %w", g.next, g.seed, err)
	}
	g.next++
	return id, nil
}

// AppendState appends the seed and the number of the next row.
func (g *Generated) AppendState(dst []byte) []byte {
	dst = append(dst, "gen1"...)
	dst = binary.LittleEndian.AppendUint64(dst, g.seed)
	return binary.LittleEndian.AppendUint64(dst, g.next)
}

// SetState continues where AppendState was; the seed must be the one of Generate.
func (g *Generated) SetState(state []byte) error {
	if len(state) != 20 || string(state[:4]) != "gen1" {
		return fmt.Errorf("puzzle: %d bytes are not the state of a generated source", len(state))
	}
	if seed := binary.LittleEndian.Uint64(state[4:]); seed != g.seed {
		return fmt.Errorf("puzzle: state of a source with seed %d, this one has seed %d", seed, g.seed)
	}
	g.next = binary.LittleEndian.Uint64(state[12:])
	return nil
}

// rowRand is the random stream of row n: PCG-DXSM seeded by seed and by n mixed (the finaliser of
// SplitMix64, Steele et al. 2014), so that neighbouring rows do not start from neighbouring states.
func rowRand(seed, n uint64) *rand.Rand {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return rand.New(rand.NewPCG(seed, n^n>>31))
}

// check reports the first value out of range.
func (s Shape) check(in, label []int32, id int32) error {
	for i, t := range in {
		if uint(t) >= uint(s.Vocab) {
			return fmt.Errorf("input %d is %d, want a token in [0, %d)", i, t, s.Vocab)
		}
	}
	labels := s.Labels
	if labels == 0 {
		labels = s.Vocab
	}
	for i, t := range label {
		if t != Ignore && t != NoAnswer && uint(t) >= uint(labels) {
			return fmt.Errorf("label %d is %d, want a token in [0, %d) or %d", i, t, labels, Ignore)
		}
	}
	if id < 0 || int(id) >= s.Identifiers {
		return fmt.Errorf("identifier is %d, want one in [0, %d)", id, s.Identifiers)
	}
	return nil
}
