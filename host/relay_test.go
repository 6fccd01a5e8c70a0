//go:build (!cgo || notorch) && linux

package host

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestSuccessor: the program with libtorch is taken where it stands beside this one and will start, and where it
// will not, what it lacks is named.
func TestSuccessor(t *testing.T) {
	shell, err := os.ReadFile("/bin/sh")
	if err != nil || !bytes.Contains(shell, []byte("\x00libc.so.6\x00")) {
		t.Skip("no program that needs libc.so.6")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	exe, other := filepath.Join(dir, "ponder"), filepath.Join(dir, withTorch)
	write := func(path string, text []byte) {
		if err := os.WriteFile(path, text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what, exe, path, why string) {
		t.Helper()
		if p, w := successor(exe); p != path || w != why {
			t.Errorf("%s: %q, %q, want %q, %q", what, p, w, path, why)
		}
	}
	write(exe, shell)
	check("alone", exe, "", "")
	write(other, shell)
	check("beside the other", exe, other, "")
	check("the other itself", other, "", "")
	link := filepath.Join(t.TempDir(), "p")
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	check("by a link", link, other, "")
	write(other, bytes.ReplaceAll(shell, []byte("\x00libc.so.6\x00"), []byte("\x00libq.so.6\x00")))
	check("a library is gone", exe, other, "libq.so.6 is not found")
}
