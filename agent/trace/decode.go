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
	minInfo    = 4 + 1 + 16 // bytes of the shortest info
	minSegment = 1 + 6*4    // and of the shortest segment
	minPiece   = 5
)

// decodeStep reads the body of a step's record.
func decodeStep(body []byte) (*Step, error) {
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
	if info.Segments > len(d.b)/minSegment {
		d.fail("%d segments in %d bytes", info.Segments, len(d.b))
	}
	if d.err == nil && info.Segments > 0 {
		s.Thought = make([]Segment, info.Segments)
		before := &Segment{}
		for i := range s.Thought {
			d.segment(&s.Thought[i], before)
			before = &s.Thought[i]
		}
	}
	if d.err == nil && len(d.b) != 0 {
		d.fail("%d bytes too many", len(d.b))
	}
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

// take returns the next n bytes.
func (d *decoder) take(n int) []byte {
	if n > len(d.b) {
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

func (d *decoder) u64() uint64 {
	if v := d.take(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

func (d *decoder) f32() float32 {
	if v := d.take(4); v != nil {
		return math.Float32frombits(binary.LittleEndian.Uint32(v))
	}
	return 0
}

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

func (d *decoder) string() string { return string(d.take(d.count(1))) }

func (d *decoder) info() Info {
	n := Info{Episode: d.number(), Index: d.number(), Segments: d.number(), Action: d.number() - 1}
	flags := d.u8()
	n.Terminated = flags&infoTerminated != 0
	n.Truncated = flags&infoTruncated != 0
	if flags >= 1<<2 {
		d.fail("flags %#x of a step", flags)
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
	if n := d.count(minPiece); n > 0 {
		b.Pieces = make([]grid.Piece, n)
		for i := range b.Pieces {
			b.Pieces[i] = grid.Piece{X: d.varint(), Y: d.varint(), Kind: d.u8(), Color: d.u8(), Dir: d.u8()}
		}
	}
	return b
}

func (d *decoder) segment(g, before *Segment) {
	flags := d.u8()
	g.Halted = flags&segHalted != 0
	g.QHalt, g.QContinue = d.f32(), d.f32()
	g.PathH = [2]float32{d.f32(), d.f32()}
	g.PathL = [2]float32{d.f32(), d.f32()}
	has := func(flag byte, size int) int {
		if flags&flag == 0 {
			return 0
		}
		n := d.count(size)
		if n == 0 {
			d.fail("an empty array")
		}
		return n
	}
	tokens := func(flag byte, before []uint8) []uint8 {
		n := has(flag, 1)
		if n == 0 {
			return nil
		}
		v := bytes.Clone(d.take(n))
		if len(before) == len(v) {
			for i := range v {
				v[i] += before[i]
			}
		}
		return v
	}
	norms := func(flag byte) []float32 {
		n := has(flag, 1)
		if n == 0 {
			return nil
		}
		largest := d.f32()
		if !(largest >= 0 && largest <= math.MaxFloat32) {
			d.fail("a norm of %v", largest)
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
	g.Answer = tokens(segAnswer, before.Answer)
	g.Confidence = tokens(segConfidence, before.Confidence)
	if n := has(segActions, 4); n > 0 {
		g.Actions = make([]float32, n)
		for i := range g.Actions {
			g.Actions[i] = d.f32()
		}
	}
	g.NormH = norms(segNormH)
	g.NormL = norms(segNormL)
	g.AttentionH = tokens(segAttentionH, nil)
	g.AttentionL = tokens(segAttentionL, nil)
}
