package trace_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"testing"
)

// deflated is n zeros, compressed.
func deflated(t *testing.T, n int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zeros{}, n); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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
