package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/ponder-agents/ponder/internal/output"
)

// Write makes the file at path, by way of a synced temporary file in the same folder: whatever
// happens, path is either what it was or complete.
func Write(path string, metadata map[string]string, tensors map[string]Tensor) error {
	err := output.WriteFile(path, func(w io.Writer) error { return Encode(w, metadata, tensors) })
	if err != nil {
		return fmt.Errorf("safetensors %s: %w", path, err)
	}
	return nil
}

// Encode writes a file to w. The bytes depend on nothing but the arguments.
func Encode(w io.Writer, metadata map[string]string, tensors map[string]Tensor) error {
	entries := make([]Entry, 0, len(tensors))
	for name, t := range tensors {
		entries = append(entries, Entry{name, t.DType, t.Shape})
	}
	return Stream(w, metadata, entries, func(name string) ([]byte, error) { return tensors[name].Data, nil })
}

// An Entry announces a tensor to Stream.
type Entry struct {
	Name  string
	DType DType
	Shape []int64
}

// Stream writes a file whose tensors need not be in memory together. It asks data for the bytes of
// each entry once, in the order of the file: widest elements first, then by name; whatever the
// order of entries. The bytes are used up when data is called again.
func Stream(w io.Writer, metadata map[string]string, entries []Entry, data func(name string) ([]byte, error)) error {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(b.DType.rank(), a.DType.rank()), cmp.Compare(a.Name, b.Name))
	})
	header, err := encodeHeader(metadata, entries)
	if err != nil {
		return err
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, e := range entries {
		b, err := data(e.Name)
		if err == nil {
			err = Tensor{e.DType, e.Shape, b}.check()
		}
		if err != nil {
			return fmt.Errorf("tensor %q: %w", e.Name, err)
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// encodeHeader is the JSON object, padded by spaces so that the data begins at a multiple of 8.
func encodeHeader(metadata map[string]string, entries []Entry) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if len(metadata) > 0 {
		b.WriteString(`"` + metadataKey + `":{`)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := quote(&b, key); err != nil {
				return nil, fmt.Errorf("metadata key %q: %w", key, err)
			}
			b.WriteByte(':')
			if err := quote(&b, metadata[key]); err != nil {
				return nil, fmt.Errorf("metadata %q: %w", key, err)
			}
		}
		b.WriteByte('}')
	}
	var end uint64
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		if e.Name == metadataKey || seen[e.Name] {
			return nil, fmt.Errorf("tensor %q: the name is taken", e.Name)
		}
		seen[e.Name] = true
		size, known, err := byteLen(e.DType, e.Shape)
		if err == nil && !known {
			err = fmt.Errorf("unknown dtype %q", e.DType)
		}
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", e.Name, err)
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		if err := quote(&b, e.Name); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", e.Name, err)
		}
		b.WriteString(`:{"dtype":"` + string(e.DType) + `","shape":[`)
		for i, d := range e.Shape {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.FormatInt(d, 10))
		}
		fmt.Fprintf(&b, `],"data_offsets":[%d,%d]}`, end, end+size)
		end += size
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > MaxHeader {
		return nil, fmt.Errorf("header of %d bytes, at most %d allowed", b.Len(), MaxHeader)
	}
	return b.Bytes(), nil
}

// quote writes s as a JSON string with the escapes of the reference (serde_json), which unlike
// encoding/json leaves <, > and U+2028 alone.
func quote(b *bytes.Buffer, s string) error {
	if !utf8.ValidString(s) {
		return errors.New("not UTF-8")
	}
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b.Write([]byte{'\\', c})
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			if c < ' ' {
				fmt.Fprintf(b, `\u%04x`, c)
			} else {
				b.WriteByte(c)
			}
		}
	}
	b.WriteByte('"')
	return nil
}
