// Package text reads the texts that people have: levels, puzzles, tasks, recipes.
package text

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	b, err := ReadAll(r, most)
	if err != nil {
		return "", err
	}
	return Decode(b)
}

// ReadBytes reads a file of at most most bytes, whatever they are. Errors name it.
func ReadBytes(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := ReadAll(f, most)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// ReadFS reads a file of at most most bytes, whatever they are, of a folder. Errors name it.
func ReadFS(fsys fs.FS, name string, most int64) ([]byte, error) {
	f, err := OpenFS(fsys, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := ReadAll(f, most)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// OpenFS opens a file of a folder, and nothing but a file: to open a pipe would wait for who writes it.
func OpenFS(fsys fs.FS, name string) (fs.File, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	return fsys.Open(name)
}

// ReadAll reads at most most bytes; more are an error, of a file that says its size before anything is read.
func ReadAll(r io.Reader, most int64) ([]byte, error) {
	tooMany := fmt.Errorf("more than %d kB, which is no text of this kind", most>>10)
	if f, ok := r.(fs.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > most {
			return nil, tooMany
		}
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		if p := (*os.PathError)(nil); errors.As(err, &p) {
			err = p.Err // the caller names the file
		}
		return nil, err
	}
	if int64(len(b)) > most {
		return nil, tooMany
	}
	return b, nil
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
