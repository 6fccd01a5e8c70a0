// Package text reads the texts that people have: levels, puzzles, tasks, recipes.
package text

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ReadFile reads the text in a file of at most most bytes; see Decode. Errors begin with the path.
func ReadFile(path string, most int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	s, err := Read(f, most)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Read reads a text of at most most bytes; see Decode.
func Read(r io.Reader, most int64) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		if p := (*os.PathError)(nil); errors.As(err, &p) {
			err = p.Err // the caller names the file
		}
		return "", err
	}
	if int64(len(b)) > most {
		return "", fmt.Errorf("more than %d kB, which is no text of this kind", most>>10)
	}
	return Decode(b)
}

// Decode is b as text: without a byte order mark, from UTF-16 where that mark says so, with \n alone at the
// ends of lines. What holds a zero byte or is no UTF-8 is no text.
func Decode(b []byte) (string, error) {
	for _, m := range []struct {
		mark  string
		order binary.ByteOrder
	}{{"\xff\xfe", binary.LittleEndian}, {"\xfe\xff", binary.BigEndian}} {
		if rest, ok := bytes.CutPrefix(b, []byte(m.mark)); ok {
			u := make([]uint16, len(rest)/2)
			for i := range u {
				u[i] = m.order.Uint16(rest[2*i:])
			}
			b = []byte(string(utf16.Decode(u)))
		}
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return "", fmt.Errorf("no text: byte %d is zero", i+1)
	}
	if !utf8.Valid(b) {
		i := 0
		for {
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n <= 1 {
				return "", fmt.Errorf("no text: byte %d, %#02x, is no UTF-8", i+1, b[i])
			}
			i += n
		}
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(b)), nil
}
