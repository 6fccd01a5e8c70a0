package output

import (
	"io"
	"os"

	"github.com/ponder-agents/ponder/internal/text"
)

// A Stdout passes on what a program prints and keeps the first error, so that callers may print by
// fmt.Fprintf and yet no full disk goes unnoticed. Names and texts of files cannot steer the terminal: what
// it would obey is written out (text.Plain). It is not for concurrent use.
type Stdout struct {
	file *os.File
	used bool
	err  error
}

// NewStdout prints to file.
func NewStdout(file *os.File) *Stdout { return &Stdout{file: file} }

// Write returns the first error of all writes; nothing is written after it.
func (s *Stdout) Write(b []byte) (int, error) {
	if _, err := s.write([]byte(text.Plain(string(b)))); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (s *Stdout) write(b []byte) (n int, err error) {
	if s.err != nil {
		return 0, s.err
	}
	s.used = true
	n, s.err = s.file.Write(b)
	return n, s.err
}

// Raw is the same for what is meant for a terminal to obey, as colours.
func (s *Stdout) Raw() io.Writer { return raw{s} }

type raw struct{ *Stdout }

func (r raw) Write(b []byte) (int, error) { return r.write(b) }

// Raw is w for what is meant for a terminal to obey: that of a Stdout, else w itself.
func Raw(w io.Writer) io.Writer {
	if s, ok := w.(*Stdout); ok {
		return s.Raw()
	}
	return w
}

// Fd tells those who ask whether this is a terminal.
func (s *Stdout) Fd() uintptr { return s.file.Fd() }

// Close closes the file, if anything was printed, and returns the first error: some file systems report
// a full disk only now.
func (s *Stdout) Close() error {
	if err := s.err; err != nil || !s.used {
		return err
	}
	return s.file.Close()
}
