package output

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestStdoutFull prints to Linux's full device.
func TestStdoutFull(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	s := NewStdout(f)
	io.WriteString(s, "lost")
	if _, err := io.WriteString(s, "more"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a later write: %v, want the first error", err)
	}
	if err := s.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close: %v, want ENOSPC", err)
	}
}

// TestStdoutPlain: what a file says does not steer the terminal, colours do.
func TestStdoutPlain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	s := NewStdout(f)
	io.WriteString(s, "task \x1b[2J\n")
	io.WriteString(Raw(s), "\x1b[1mbold\x1b[0m\n")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "task \\x1b[2J\n\x1b[1mbold\x1b[0m\n" {
		t.Errorf("%q, %v", got, err)
	}
}
