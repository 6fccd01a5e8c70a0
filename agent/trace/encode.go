package trace

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/ponder-agents/ponder/env/grid"
	"github.com/ponder-agents/ponder/internal/output"
)

// The file format, version 2. All numbers are little endian; uvarint and varint as in encoding/binary.
//
//	file    = magic version(u16) record(header) record(step)* [record(index) record(end)]
//	record  = len(u32) kind(u8) body[len] crc(u32)      CRC-32C of kind and body
//	header  = Header as JSON
//	step    = info deflate(thought)
//	index   = count(uvarint) (offset(u64) info)*        offset of the step's record in the file
//	end     = offset(u64)                               of the index's record
//	info    = episode index segments action+1 (uvarint each) flags(u8) reward return (f64 each)
//	thought = seed(u64) board field*
//	field   = tag(u8) size(u32) payload[size]           in any order; readers pass over tags they don't know
//
// The fields of a step are its segments (tagSegment) in their order, and
//
//	beside     title board                              boards beside the board, in their order
//	person     nothing                                  a person chose the action
//
// Those of a segment are
//
//	halting    halted(u8) q_halt(f32) q_continue(f32)   in every segment
//	answer     token(u8)*                               ┐ as differences from the segment before,
//	confidence probability(u8)*                         ┘ if that has as many
//	actions    probability(f32)*
//	level      path(f32 f32) field*                     one for each of Header.Levels, or none
//
// and those of a level
//
//	change     largest(f32) part(u8)*                   255 is the largest
//	attention  weight(u8)*
//
// What a later program has to say of a step, a segment or a level is one more tag, and no new version.
// Version 1, which decode_v1.go reads, had a fixed list of arrays in place of the fields.
//
// A file that was cut off lacks index and end, and perhaps the tail of its last step; [NewFile] reads
// what is whole. Differences deflate to almost nothing once the answer stands still.
const (
	magic   = "\x89ponder\n"
	version = 2

	kindHeader byte = 'H'
	kindStep   byte = 'S'
	kindIndex  byte = 'I'
	kindEnd    byte = 'E'

	headLen = len(magic) + 2
	// overhead is the length of a record without its body.
	overhead = 4 + 1 + 4
	endLen   = overhead + 8

	// maxBody bounds a record in the file and, for a step, what it inflates to.
	maxBody = 64 << 20
	// maxSide bounds a board's rows and columns; worlds have at most 255.
	maxSide = 1 << 9
	// MaxSegments bounds the segments of a decision.
	MaxSegments = 1 << 12
	// maxText bounds names and captions, in bytes, and maxNames how many of them a header lists.
	maxText  = 1 << 10
	maxNames = 4500 // a sudoku of 16x16 has 4,097 actions
	// maxBeside bounds the boards beside a board.
	maxBeside = 64
	// spare is how many more pieces than cells a board may have.
	spare = 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A Writer appends steps to a trace file. Every step is one write, so a process that is killed loses
// no step that was put; only the machine's own crash can. It is not for concurrent use.
type Writer struct {
	w      io.Writer
	file   *output.Growing // nil unless Create made it
	levels int             // of the header
	offset int64
	index  []entry
	record []byte
	raw    []byte
	flated bytes.Buffer
	deflat *flate.Writer
	err    error // the first failure of w; nothing is written after it
}

// An entry says where a step is and what a timeline shows of it.
type entry struct {
	offset int64
	info   Info
}

// Create begins the file at path, or writes to what is no regular file. Close ends it. A file that was
// there stays until then, and for good where no step was put or writing failed.
func Create(path string, h Header) (*Writer, error) {
	if _, err := h.encode(); err != nil {
		return nil, err
	}
	f, err := output.Create(path)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	w, err := NewWriter(f, h)
	if err != nil {
		return nil, errors.Join(err, f.Abort())
	}
	w.file = f
	return w, nil
}

func (h Header) encode() ([]byte, error) {
	body, err := json.Marshal(h)
	if err == nil {
		err = h.check()
	}
	if err != nil {
		return nil, fmt.Errorf("trace: header: %w", err)
	}
	return body, nil
}

// NewWriter begins a trace on w.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	body, err := h.encode()
	if err != nil {
		return nil, err
	}
	deflater, err := flate.NewWriter(io.Discard, flate.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	t := &Writer{w: w, levels: len(h.Levels), deflat: deflater}
	head := binary.LittleEndian.AppendUint16([]byte(magic), version)
	if err := t.write(head); err != nil {
		return nil, err
	}
	return t, t.put(kindHeader, body)
}

// Put appends s. It refuses a step that does not fit the format (a board whose cells are not
// rows x cols or has many more pieces than these, other levels than the header's, more than MaxSegments segments,
// or more than 64 MiB, which attention of large boards can reach) and goes on.
func (w *Writer) Put(s *Step) error {
	if w.err != nil {
		return w.err
	}
	raw, err := appendThought(w.raw[:0], s, w.levels)
	w.raw = raw
	if err != nil {
		return err
	}
	if len(raw) > maxBody {
		return fmt.Errorf("trace: step %d of episode %d takes %d MiB, more than %d: record without attention or with fewer segments",
			s.Index, s.Episode, len(raw)>>20, maxBody>>20)
	}
	w.flated.Reset()
	w.flated.Write(appendInfo(nil, s.Info()))
	w.deflat.Reset(&w.flated)
	if _, err := w.deflat.Write(raw); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	if err := w.deflat.Close(); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	at := w.offset
	if err := w.put(kindStep, w.flated.Bytes()); err != nil {
		return err
	}
	w.index = append(w.index, entry{at, s.Info()})
	return nil
}

// Close writes the index and, after [Create], closes the file.
func (w *Writer) Close() error {
	if w.err == nil {
		at := w.offset
		body := binary.AppendUvarint(nil, uint64(len(w.index)))
		for _, e := range w.index {
			body = binary.LittleEndian.AppendUint64(body, uint64(e.offset))
			body = appendInfo(body, e.info)
		}
		// An index too long for a record is left out: the reader then scans.
		if len(body) <= maxBody {
			if w.put(kindIndex, body) == nil {
				w.put(kindEnd, binary.LittleEndian.AppendUint64(nil, uint64(at)))
			}
		}
	}
	err := w.err
	if w.file != nil {
		end := w.file.Close
		if err != nil || len(w.index) == 0 {
			end = w.file.Abort
		}
		err = errors.Join(err, end())
		w.file = nil
	}
	if w.err == nil {
		w.err = errors.New("trace: the writer is closed")
	}
	return err
}

// put writes one record in one write.
func (w *Writer) put(kind byte, body []byte) error {
	b := binary.LittleEndian.AppendUint32(w.record[:0], uint32(len(body)))
	b = append(b, kind)
	b = append(b, body...)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[4:], castagnoli))
	w.record = b
	return w.write(b)
}

func (w *Writer) write(b []byte) error {
	if w.err != nil {
		return w.err
	}
	n, err := w.w.Write(b)
	w.offset += int64(n)
	if err != nil {
		w.err = fmt.Errorf("trace: %w", err)
	}
	return w.err
}

// Flags of an info.
const (
	infoTerminated = 1 << iota
	infoTruncated
)

func appendInfo(b []byte, n Info) []byte {
	b = binary.AppendUvarint(b, uint64(max(n.Episode, 0)))
	b = binary.AppendUvarint(b, uint64(max(n.Index, 0)))
	b = binary.AppendUvarint(b, uint64(n.Segments))
	b = binary.AppendUvarint(b, uint64(max(n.Action, -1)+1))
	var flags byte
	if n.Terminated {
		flags |= infoTerminated
	}
	if n.Truncated {
		flags |= infoTruncated
	}
	b = append(b, flags)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(n.Reward))
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(n.Return))
}

func appendThought(b []byte, s *Step, levels int) ([]byte, error) {
	cols, rows := s.Board.Cols, s.Board.Rows
	if cols < 0 || rows < 0 || cols > maxSide || rows > maxSide || len(s.Board.Cells) != cols*rows {
		return b, fmt.Errorf("trace: step %d of episode %d: board of %dx%d with %d cells", s.Index, s.Episode, cols, rows, len(s.Board.Cells))
	}
	if n := s.Episode; n < 0 || s.Index < 0 || s.Action < -1 {
		return b, fmt.Errorf("trace: step %d of episode %d: action %d: negative numbers", s.Index, n, s.Action)
	}
	if len(s.Board.Family) > maxText || len(s.Board.Caption) > maxText || len(s.Board.Pieces) > cols*rows+spare || len(s.Thought) > MaxSegments {
		return b, fmt.Errorf("trace: step %d of episode %d: a caption of %d bytes, %d pieces on %d cells, %d segments: more than the format holds",
			s.Index, s.Episode, len(s.Board.Caption), len(s.Board.Pieces), cols*rows, len(s.Thought))
	}
	if len(s.Board.Beside) > maxBeside {
		return b, fmt.Errorf("trace: step %d of episode %d: %d boards beside the board, more than %d", s.Index, s.Episode, len(s.Board.Beside), maxBeside)
	}
	for i := range s.Board.Beside {
		if d := &s.Board.Beside[i]; len(d.Title) > maxText || !fits(&d.Board) {
			return b, fmt.Errorf("trace: step %d of episode %d: board %d beside the board is more than the format holds", s.Index, s.Episode, i)
		}
	}
	for i := range s.Thought {
		if n := len(s.Thought[i].Levels); n != 0 && n != levels {
			return b, fmt.Errorf("trace: step %d of episode %d: segment %d has %d levels, the header %d", s.Index, s.Episode, i, n, levels)
		}
	}
	b = appendBoard(binary.LittleEndian.AppendUint64(b, s.Seed), &s.Board)
	for i := range s.Board.Beside {
		d := &s.Board.Beside[i]
		b = appendField(b, tagBeside, func(b []byte) []byte { return appendBoard(appendString(b, d.Title), &d.Board) })
	}
	if s.Person {
		b = appendField(b, tagPerson, func(b []byte) []byte { return b })
	}
	before := &Segment{}
	for i := range s.Thought {
		b = appendSegment(b, &s.Thought[i], before)
		before = &s.Thought[i]
	}
	return b, nil
}

// fits reports whether the format holds b.
func fits(b *grid.Board) bool {
	return b.Cols >= 0 && b.Rows >= 0 && b.Cols <= maxSide && b.Rows <= maxSide && len(b.Cells) == b.Cols*b.Rows &&
		len(b.Family) <= maxText && len(b.Caption) <= maxText && len(b.Pieces) <= len(b.Cells)+spare
}

// appendBoard appends all of o but what stands beside it.
func appendBoard(b []byte, o *grid.Board) []byte {
	b = appendString(b, o.Family)
	b = appendString(b, o.Caption)
	b = binary.AppendUvarint(b, uint64(o.Cols))
	b = binary.AppendUvarint(b, uint64(o.Rows))
	for _, c := range o.Cells {
		b = append(b, c.Kind)
	}
	for _, c := range o.Cells {
		b = append(b, c.Color)
	}
	for _, c := range o.Cells {
		b = append(b, c.State)
	}
	for _, c := range o.Cells {
		b = append(b, c.Flags)
	}
	b = binary.AppendUvarint(b, uint64(len(o.Pieces)))
	for _, p := range o.Pieces {
		b = binary.AppendVarint(b, int64(p.X))
		b = binary.AppendVarint(b, int64(p.Y))
		b = append(b, p.Kind, p.Color, p.Dir)
	}
	return b
}

// Tags of the fields of a step, of a segment and of a level. A tag never gets another meaning.
const (
	tagSegment = 1
	tagBeside  = 2
	tagPerson  = 3

	tagHalting    = 1
	tagAnswer     = 2
	tagConfidence = 3
	tagActions    = 4
	tagLevel      = 5

	tagChange    = 1
	tagAttention = 2
)

// fieldHead is the length of a field without its payload.
const fieldHead = 1 + 4

// appendField appends a field whose payload is what f appends.
func appendField(b []byte, tag byte, f func([]byte) []byte) []byte {
	b = append(b, tag, 0, 0, 0, 0)
	at := len(b)
	b = f(b)
	binary.LittleEndian.PutUint32(b[at-4:], uint32(len(b)-at))
	return b
}

func appendSegment(b []byte, g, before *Segment) []byte {
	return appendField(b, tagSegment, func(b []byte) []byte {
		b = appendField(b, tagHalting, func(b []byte) []byte {
			var halted byte
			if g.Halted {
				halted = 1
			}
			return appendF32(append(b, halted), g.QHalt, g.QContinue)
		})
		b = appendTokens(b, tagAnswer, g.Answer, before.Answer)
		b = appendTokens(b, tagConfidence, g.Confidence, before.Confidence)
		if len(g.Actions) > 0 {
			b = appendField(b, tagActions, func(b []byte) []byte { return appendF32(b, g.Actions...) })
		}
		for i := range g.Levels {
			l := &g.Levels[i]
			b = appendField(b, tagLevel, func(b []byte) []byte {
				b = appendF32(b, l.Path[:]...)
				if len(l.Change) > 0 {
					b = appendField(b, tagChange, func(b []byte) []byte { return appendChange(b, l.Change) })
				}
				return appendTokens(b, tagAttention, l.Attention, nil)
			})
		}
		return b
	})
}

// appendTokens appends a field of bytes, as differences from before if that has as many; none if v is
// empty.
func appendTokens(b []byte, tag byte, v, before []uint8) []byte {
	if len(v) == 0 {
		return b
	}
	return appendField(b, tag, func(b []byte) []byte {
		if len(before) != len(v) {
			return append(b, v...)
		}
		for i, x := range v {
			b = append(b, x-before[i])
		}
		return b
	})
}

// appendChange keeps v in 8 bits of its largest element, which is what a heat map can show; writing
// what was read gives the same bytes. NaN, infinities and negative values become 0.
func appendChange(b []byte, v []float32) []byte {
	valid := func(f float32) bool { return f > 0 && f <= math.MaxFloat32 }
	var largest float32
	for _, f := range v {
		if valid(f) {
			largest = max(largest, f)
		}
	}
	b = appendF32(b, largest)
	for _, f := range v {
		var q byte
		if valid(f) {
			q = byte(math.Round(float64(f) / float64(largest) * 255))
		}
		b = append(b, q)
	}
	return b
}

func appendF32(b []byte, v ...float32) []byte {
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
