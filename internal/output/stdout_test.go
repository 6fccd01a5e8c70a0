package output

import (
	"errors"
	"io"
	"os"
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
