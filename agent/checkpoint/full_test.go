//go:build linux

package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestDiskFull saves to a file system of 1 MiB that has room for two checkpoints, not for three.
func TestDiskFull(t *testing.T) {
	root := t.TempDir()
	if err := syscall.Mount("tmpfs", root, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(root, 0); err != nil {
			t.Error(err)
		}
	})
	dir := filepath.Join(root, "net")
	const n = 400_000
	for step := 1; step <= 2; step++ {
		if err := Save(dir, snapshot(step, n)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := Save(dir, snapshot(3, n)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("error = %v, want ENOSPC", err)
		}
		if got, warning := loadStep(t, dir, n); got != 2 || warning != nil {
			t.Errorf("after a full disk: step %d (%v), want 2", got, warning)
		}
	}
	// With room again it goes on.
	if err := os.RemoveAll(previous(dir)); err != nil {
		t.Fatal(err)
	}
	if err := Save(dir, snapshot(4, n)); err != nil {
		t.Fatal(err)
	}
	if got, _ := loadStep(t, dir, n); got != 4 {
		t.Errorf("step %d, want 4", got)
	}
}
