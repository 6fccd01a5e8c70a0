package ponder_test

import (
	"image/gif"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHost: a program of another module with a world of its own has ponder's commands for it.
func TestHost(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("examples", "env"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.org/corridor\n\ngo 1.26.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	work := "go 1.26.0\n\nuse (\n\t.\n\t" + root + "\n)\n"
	if err := os.WriteFile(filepath.Join(dir, "go.work"), []byte(work), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(dir, "go.work"), "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	run("go", "build", "-o", "corridor", ".")
	own := filepath.Join(dir, "corridor")
	if got := run(own, "env", "check", "corridor"); got != "ok   corridor\n" {
		t.Errorf("env check: %s", got)
	}
	if got := run(own, "env", "solve", "corridor", "--levels", "50"); !strings.Contains(got, "corridor  plan    50      50") {
		t.Errorf("env solve:\n%s", got)
	}
	run(own, "record", "corridor", "--agent", "oracle", "--seed", "3", "--size", "320x240", "--out", "c.gif")
	f, err := os.Open(filepath.Join(dir, "c.gif"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if film, err := gif.DecodeAll(f); err != nil || len(film.Image) < 2 {
		t.Errorf("the recording: %v", err)
	}
}
