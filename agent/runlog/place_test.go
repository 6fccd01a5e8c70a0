package runlog

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDiscardKeeps: a run that never began leaves the folder, or the link, that it was given.
func TestDiscardKeeps(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Mkdir(at("empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{"empty": true, "new": false}
	for name, to := range map[string]string{"link": "empty", "dangling": "far"} {
		if err := os.Symlink(to, at(name)); err == nil { // Windows asks for a privilege
			kept[name] = true
		}
	}
	for name, want := range kept {
		l, err := Create(at(name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := Create(at(name)); err == nil || CheckDir(at(name)) == nil {
			t.Errorf("%s: a second run in the folder", name)
		}
		l.Discard()
		if _, err := os.Lstat(at(name)); (err == nil) != want {
			t.Errorf("%s: afterwards %v, want it kept: %v", name, err, want)
		}
	}
	if entries, err := os.ReadDir(at("empty")); err != nil || len(entries) != 0 {
		t.Errorf("the empty folder has %v (%v)", entries, err)
	}
	if _, err := os.Lstat(at("far")); err == nil {
		t.Error("the folder that was made where the link leads is still there")
	}
}
