package elflibs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ponder-agents/ponder/internal/elflibs"
)

// TestMissing takes a program of this system and lets it ask for a library that there is not, then says where
// it is.
func TestMissing(t *testing.T) {
	const program, library, other = "/bin/sh", "libc.so.6", "libq.so.6"
	text, err := os.ReadFile(program)
	if runtime.GOOS != "linux" || err != nil || !bytes.Contains(text, []byte("\x00"+library+"\x00")) {
		t.Skip("no program that needs libc.so.6")
	}
	if lost, err := elflibs.Missing(program); lost != "" || err != nil {
		t.Errorf("of %s %q is missing, error %v", program, lost, err)
	}
	dir := t.TempDir()
	odd := filepath.Join(dir, "odd")
	text = bytes.ReplaceAll(text, []byte("\x00"+library+"\x00"), []byte("\x00"+other+"\x00"))
	if err := os.WriteFile(odd, text, 0o755); err != nil {
		t.Fatal(err)
	}
	if lost, err := elflibs.Missing(odd); lost != other || err != nil {
		t.Errorf("%q is missing, error %v, want %q", lost, err, other)
	}
	// A library that is there, and needs nothing but the system's.
	if err := os.WriteFile(filepath.Join(dir, other), mustRead(t, program), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LD_LIBRARY_PATH", dir)
	if lost, err := elflibs.Missing(odd); lost != "" || err != nil {
		t.Errorf("with LD_LIBRARY_PATH %q is missing, error %v", lost, err)
	}
	// And one that needs another itself.
	if err := os.WriteFile(filepath.Join(dir, other), bytes.ReplaceAll(mustRead(t, program), []byte("\x00"+library+"\x00"), []byte("\x00libw.so.6\x00")), 0o755); err != nil {
		t.Fatal(err)
	}
	if lost, err := elflibs.Missing(odd); lost != "libw.so.6" || err != nil {
		t.Errorf("%q is missing, error %v, want libw.so.6", lost, err)
	}
}

// TestNoProgram: what cannot be read is an error.
func TestNoProgram(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{text, filepath.Join(t.TempDir(), "none")} {
		if lost, err := elflibs.Missing(file); err == nil {
			t.Errorf("%s: no error, %q is missing", file, lost)
		}
	}
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
