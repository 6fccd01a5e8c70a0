//go:build cgo && !notorch

package ponder_test

import (
	"fmt"
	"image/gif"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLibrary: a program with operations, networks and an agent of its own.
func TestLibrary(t *testing.T) {
	const want = "logits [1 9 5] gradients 12 moved true\nepisodes 20\n"
	if got := outside(t, "library"); got != want {
		t.Errorf("it printed\n%s\nwant\n%s", got, want)
	}
}

// TestFamily: a program with a family of its own, which is learned, evaluated, asked and recorded, and with a network
// of its own.
func TestFamily(t *testing.T) {
	dir := t.TempDir()
	const want = "nearly all exact: true\na network of one's own: 100 % exact after 5 segments\nrow 3 of 20: 8 of 8 digits right\n[3 1 4 1 5 9 2 6] backwards: [6 2 9 5 1 4 1 3]\n"
	if got := outside(t, "family", dir); got != want {
		t.Errorf("it printed\n%s\nwant\n%s", got, want)
	}
	f, err := os.Open(filepath.Join(dir, "reverse.gif"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if film, err := gif.DecodeAll(f); err != nil || len(film.Image) == 0 {
		t.Errorf("the recording: %v", err)
	}
}

// outside builds and runs the program in testdata/NAME, of another module, against this one and the prepared
// gotch that this build uses, and returns what it prints.
func outside(t *testing.T, name string, args ...string) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sugarme/gotch").Output()
	if err != nil {
		t.Fatal(err)
	}
	gotch := strings.TrimSpace(string(out))
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
		t.Fatal(err)
	}
	work := fmt.Sprintf("go 1.26.0\n\nuse (\n\t.\n\t%s\n)\n\nreplace github.com/sugarme/gotch => %s\n", root, gotch)
	if err := os.WriteFile(filepath.Join(dir, "go.work"), []byte(work), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append([]string{"run", "."}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(dir, "go.work"), "GOFLAGS=-buildvcs=false")
	printed, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go run: %v\n%s", err, printed)
	}
	return string(printed)
}
