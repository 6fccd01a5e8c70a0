package trace_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"testing"

	"github.com/ponder-agents/ponder/agent/trace"
)

// headOf is a trace with a header and nothing else.
func headOf(t *testing.T, h trace.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := trace.NewWriter(&b, h); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stepRecord is the record of a step that claims so many segments, with whatever there is as its
// thought.
func stepRecord(t *testing.T, segments uint64, thought io.Reader) []byte {
	t.Helper()
	body := binary.AppendUvarint([]byte{0, 0}, segments) // after episode and index
	body = append(body, make([]byte, 1+1+16)...)         // action, flags, reward, return
	var deflated bytes.Buffer
	w, err := flate.NewWriter(&deflated, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, thought); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	body = append(body, deflated.Bytes()...)
	return record('S', body)
}

// record is a record of the format.
func record(kind byte, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, kind), body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[4:], crc32.MakeTable(crc32.Castagnoli)))
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// mend sets the checksum of every record that can be found.
func mend(b []byte) []byte {
	b = bytes.Clone(b)
	for at := 10; at+9 <= len(b); {
		n := int(binary.LittleEndian.Uint32(b[at:]))
		if n < 0 || n > len(b)-at-9 {
			break
		}
		sum := crc32.Checksum(b[at+4:at+5+n], crc32.MakeTable(crc32.Castagnoli))
		binary.LittleEndian.PutUint32(b[at+5+n:], sum)
		at += 9 + n
	}
	return b
}
