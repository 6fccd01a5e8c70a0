package gym

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// The types of frames.
const (
	frameInit   = 'I'
	frameReset  = 'R'
	frameStep   = 'S'
	frameClose  = 'C'
	frameHello  = 'H'
	frameResult = 'O'
	frameError  = 'E'
)

const (
	frameMagic  = "PGY1"
	frameHeader = len(frameMagic) + 4 + 4
	// maxJSON bounds hello and error frames, which arrive before sizes are agreed.
	maxJSON = 64 << 20
)

// Flags of a row in a result.
const (
	flagTerminated = 1 << iota
	flagTruncated
	flagFresh
	flagFinal
	flagsEnd
)

// beginFrame starts a frame in buf's memory; endFrame writes its length.
func beginFrame(buf []byte, kind byte) []byte {
	buf = append(buf[:0], frameMagic...)
	return append(buf, kind, 0, 0, 0, 0, 0, 0, 0)
}

func endFrame(buf []byte) []byte {
	binary.LittleEndian.PutUint32(buf[frameHeader-4:], uint32(len(buf)-frameHeader))
	return buf
}

// readFrame reads a frame into buf's memory, which grows to at most limit bytes, or maxJSON if the frame
// holds JSON. The payload is valid until buf is used again.
func readFrame(r io.Reader, buf []byte, limit int) (kind byte, payload []byte, err error) {
	if cap(buf) < frameHeader {
		buf = make([]byte, frameHeader)
	}
	head := buf[:frameHeader]
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, buf, err
	}
	if string(head[:4]) != frameMagic || head[5]|head[6]|head[7] != 0 {
		return 0, buf, fmt.Errorf("not a frame: %q", head)
	}
	kind = head[4]
	switch kind {
	case frameHello, frameError:
		limit = maxJSON
	case frameResult:
	default:
		return 0, buf, fmt.Errorf("frame of the unknown type %q", kind)
	}
	n := binary.LittleEndian.Uint32(head[8:])
	if int64(n) > int64(limit) {
		return 0, buf, fmt.Errorf("frame %c of %d bytes: at most %d are expected", kind, n, limit)
	}
	// What is not there yet is not believed: memory grows with what has arrived.
	const piece = 1 << 20
	buf = buf[:0]
	for len(buf) < int(n) {
		at, more := len(buf), min(piece, int(n)-len(buf))
		if at+more > cap(buf) {
			grown := make([]byte, at, max(at+more, min(2*cap(buf), int(n))))
			copy(grown, buf)
			buf = grown
		}
		buf = buf[:at+more]
		if _, err := io.ReadFull(r, buf[at:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return 0, buf, err
		}
	}
	return kind, buf, nil
}

// A result is a frame O, its parts in the frame's memory.
type result struct {
	obs     []byte // [count][ObsLen]
	rewards []byte // [count] float64
	flags   []byte // [count]
	final   []byte // [k][ObsLen] of the k rows with flagFinal
}

func (r result) reward(k int) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(r.rewards[8*k:]))
}

// parseResult checks a frame O for count rows of obsLen bytes.
func parseResult(p []byte, count, obsLen int) (result, error) {
	need := count * (obsLen + 9)
	if len(p) < need {
		return result{}, fmt.Errorf("result of %d bytes, want at least %d", len(p), need)
	}
	var r result
	r.obs, p = p[:count*obsLen], p[count*obsLen:]
	r.rewards, p = p[:count*8], p[count*8:]
	r.flags, r.final = p[:count], p[count:]
	finals := 0
	for k, f := range r.flags {
		if f >= flagsEnd {
			return result{}, fmt.Errorf("result %d has the unknown flags %#x", k, f)
		}
		if f&flagFinal != 0 {
			finals++
		}
	}
	if len(r.final) != finals*obsLen {
		return result{}, fmt.Errorf("result has %d bytes of last observations, want %d", len(r.final), finals*obsLen)
	}
	return r, nil
}
