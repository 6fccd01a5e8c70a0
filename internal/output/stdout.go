package output

import "os"

// A Stdout passes on what a program prints and keeps the first error, so that callers may print by
// fmt.Fprintf and yet no full disk goes unnoticed. It is not for concurrent use.
type Stdout struct {
	file *os.File
	used bool
	err  error
}

// NewStdout prints to file.
func NewStdout(file *os.File) *Stdout { return &Stdout{file: file} }

// Write returns the first error of all writes; nothing is written after it.
func (s *Stdout) Write(b []byte) (n int, err error) {
	if s.err != nil {
		return 0, s.err
	}
	s.used = true
	n, s.err = s.file.Write(b)
	return n, s.err
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
