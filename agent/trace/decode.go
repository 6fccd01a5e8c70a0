package trace

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/ponder-agents/ponder/env/grid"
)

const (
	minInfo    = 4 + 1 + 16                      // bytes of the shortest info
	minSegment = fieldHead + fieldHead + 1 + 2*4 // and of the shortest segment
	minLevel   = fieldHead + 2*4
	minPiece   = 5
)

// decodeStep reads the body of a step's record.
func (f *File) decodeStep(body []byte) (*Step, error) {
	d := decoder{b: body}
	info := d.info()
	if d.err != nil {
		return nil, d.err
	}
	var raw bytes.Buffer
	inflate := flate.NewReader(bytes.NewReader(d.b))
	n, err := raw.ReadFrom(io.LimitReader(inflate, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	if n > maxBody {
		return nil, fmt.Errorf("%w: a step of more than %d MiB", ErrDamaged, maxBody>>20)
	}
	d = decoder{b: raw.Bytes()}
	s := &Step{
		Episode: info.Episode, Index: info.Index, Action: info.Action, Reward: info.Reward,
		Return: info.Return, Terminated: info.Terminated, Truncated: info.Truncated,
	}
	s.Seed = d.u64()
	s.Board = d.board()
	if f.version == 1 {
		s.Thought = d.thoughtV1(info.Segments)
	} else {
		s.Thought = d.thought(info.Segments, len(f.header.Levels), func(tag byte, in *decoder) {
			switch tag {
			case tagBeside:
				if len(s.Board.Beside) == maxBeside {
					in.fail("more than %d boards beside the board", maxBeside)
					return
				}
				s.Board.Beside = append(s.Board.Beside, grid.Beside{Title: in.string(), Board: in.board()})
				in.end()
			case tagPerson:
				in.once(!s.Person)
				s.Person = true
				in.end()
			}
		})
	}
	d.end()
	if d.err != nil {
		return nil, d.err
	}
	return s, nil
}

// A decoder takes values from the front of b. After the first failure every value is zero.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
	}
	d.b = nil
}

// end fails if something is left.
func (d *decoder) end() {
	if len(d.b) != 0 {
		d.fail("%d bytes too many", len(d.b))
	}
}

// take returns the next n bytes.
func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.fail("%d bytes wanted, %d left", n, len(d.b))
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) u8() byte {
	if v := d.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (d *decoder) u32() uint32 {
	if v := d.take(4); v != nil {
		return binary.LittleEndian.Uint32(v)
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if v := d.take(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

func (d *decoder) f32() float32 { return math.Float32frombits(d.u32()) }

// number is a uvarint that fits an int32, which every count and id of a trace does.
func (d *decoder) number() int {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > math.MaxInt32 {
		d.fail("a number that is cut off or too large")
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *decoder) varint() int {
	v, n := binary.Varint(d.b)
	if n <= 0 || v > math.MaxInt32 || v < math.MinInt32 {
		d.fail("a number that is cut off or too large")
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

// count is the number of elements that follow, each of at least size bytes.
func (d *decoder) count(size int) int {
	n := d.number()
	if n > len(d.b)/size {
		d.fail("%d elements in %d bytes", n, len(d.b))
		return 0
	}
	return n
}

func (d *decoder) string() string {
	n := d.count(1)
	if n > maxText {
		d.fail("a text of %d bytes, more than %d", n, maxText)
	}
	return string(d.take(n))
}

func (d *decoder) info() Info {
	n := Info{Episode: d.number(), Index: d.number(), Segments: d.number(), Action: d.number() - 1}
	flags := d.u8()
	n.Terminated = flags&infoTerminated != 0
	n.Truncated = flags&infoTruncated != 0
	switch {
	case flags >= 1<<2:
		d.fail("flags %#x of a step", flags)
	case n.Segments > MaxSegments:
		d.fail("a step of %d segments, more than %d", n.Segments, MaxSegments)
	}
	n.Reward = math.Float64frombits(d.u64())
	n.Return = math.Float64frombits(d.u64())
	return n
}

func (d *decoder) board() grid.Board {
	b := grid.Board{Family: d.string(), Caption: d.string(), Cols: d.number(), Rows: d.number()}
	if b.Cols > maxSide || b.Rows > maxSide || b.Cols*b.Rows > len(d.b)/4 {
		d.fail("a board of %dx%d in %d bytes", b.Cols, b.Rows, len(d.b))
		return grid.Board{}
	}
	if n := b.Cols * b.Rows; n > 0 {
		planes := d.take(4 * n)
		b.Cells = make([]grid.Cell, n)
		for i := range b.Cells {
			b.Cells[i] = grid.Cell{Kind: planes[i], Color: planes[n+i], State: planes[2*n+i], Flags: planes[3*n+i]}
		}
	}
	if n := d.count(minPiece); n > len(b.Cells)+spare {
		d.fail("%d pieces on %d cells", n, len(b.Cells))
	} else if n > 0 {
		b.Pieces = make([]grid.Piece, n)
		for i := range b.Pieces {
			b.Pieces[i] = grid.Piece{X: d.varint(), Y: d.varint(), Kind: d.u8(), Color: d.u8(), Dir: d.u8()}
		}
	}
	return b
}

// fields hands all that is left, field by field, to f, which leaves the payload of a tag it does not
// know alone.
func (d *decoder) fields(f func(tag byte, in *decoder)) {
	for d.err == nil && len(d.b) > 0 {
		tag := d.u8()
		size := d.u32()
		if int64(size) > int64(len(d.b)) {
			d.fail("a field of %d bytes, %d left", size, len(d.b))
			return
		}
		in := decoder{b: d.take(int(size))}
		f(tag, &in)
		if in.err != nil {
			d.b, d.err = nil, in.err
		}
	}
}

// thought is segments segments of so many levels; other takes the fields that are none.
func (d *decoder) thought(segments, levels int, other func(tag byte, in *decoder)) []Segment {
	if segments > len(d.b)/minSegment {
		d.fail("%d segments in %d bytes", segments, len(d.b))
	}
	if d.err != nil {
		return nil
	}
	var thought []Segment
	if segments > 0 {
		thought = make([]Segment, 0, segments)
	}
	before := &Segment{}
	d.fields(func(tag byte, in *decoder) {
		if tag != tagSegment {
			other(tag, in)
			return
		}
		if len(thought) == segments {
			in.fail("more than %d segments", segments)
			return
		}
		thought = append(thought, Segment{})
		g := &thought[len(thought)-1]
		in.segment(g, before, levels)
		before = g
	})
	if d.err == nil && len(thought) < segments {
		d.fail("%d segments of %d", len(thought), segments)
	}
	return thought
}

func (d *decoder) segment(g, before *Segment, levels int) {
	size := len(d.b)
	halting := false
	d.fields(func(tag byte, in *decoder) {
		switch tag {
		case tagHalting:
			in.once(!halting)
			halting = true
			g.Halted = in.u8() != 0
			g.QHalt, g.QContinue = in.f32(), in.f32()
			in.end()
		case tagAnswer:
			in.once(g.Answer == nil)
			g.Answer = in.tokens(before.Answer)
		case tagConfidence:
			in.once(g.Confidence == nil)
			g.Confidence = in.tokens(before.Confidence)
		case tagActions:
			in.once(g.Actions == nil)
			if len(in.b) == 0 || len(in.b)%4 != 0 {
				in.fail("actions in %d bytes", len(in.b))
				return
			}
			g.Actions = make([]float32, len(in.b)/4)
			for i := range g.Actions {
				g.Actions[i] = in.f32()
			}
		case tagLevel:
			if levels > size/minLevel || len(g.Levels) == levels {
				in.fail("a segment of other levels than the header's %d", levels)
				return
			}
			if g.Levels == nil {
				g.Levels = make([]Level, 0, levels)
			}
			g.Levels = append(g.Levels, in.level())
		}
	})
	switch {
	case d.err != nil:
	case !halting:
		d.fail("a segment that says nothing of halting")
	case len(g.Levels) != 0 && len(g.Levels) != levels:
		d.fail("a segment of %d levels, the header has %d", len(g.Levels), levels)
	}
}

func (d *decoder) level() (l Level) {
	l.Path = [2]float32{d.f32(), d.f32()}
	d.fields(func(tag byte, in *decoder) {
		switch tag {
		case tagChange:
			in.once(l.Change == nil)
			l.Change = in.change(len(in.b) - 4)
		case tagAttention:
			in.once(l.Attention == nil)
			l.Attention = in.tokens(nil)
		}
	})
	return l
}

// once fails if the field under way was there before.
func (d *decoder) once(first bool) {
	if !first {
		d.fail("a field that is there twice")
	}
}

// tokens is all that is left, which is differences from before if that is as long.
func (d *decoder) tokens(before []uint8) []uint8 {
	if len(d.b) == 0 {
		d.fail("an empty array")
		return nil
	}
	v := bytes.Clone(d.take(len(d.b)))
	if len(before) == len(v) {
		for i := range v {
			v[i] += before[i]
		}
	}
	return v
}

// change is n changes after their scale.
func (d *decoder) change(n int) []float32 {
	largest := d.f32()
	if !(largest >= 0 && largest <= math.MaxFloat32) {
		d.fail("a change of %v", largest)
	}
	if n <= 0 {
		d.fail("an empty array")
	}
	q := d.take(n)
	if q == nil {
		return nil
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(float64(largest) * float64(q[i]) / 255)
	}
	return v
}
