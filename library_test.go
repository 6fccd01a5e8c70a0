//go:build cgo && !notorch

package ponder_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestLibrary builds and runs a program of another module against this one and the prepared gotch
// that this build uses.
func TestLibrary(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sugarme/gotch").Output()
	if err != nil {
		t.Fatal(err)
	}
	gotch := regexp.MustCompile(`\s+$`).ReplaceAllString(string(out), "")
	dir := t.TempDir()
	for _, name := range []string{"main.go", "go.mod"} {
		data, err := os.ReadFile(filepath.Join(root, "testdata", "library", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	work := fmt.Sprintf("go 1.26.0\n\nuse (\n\t.\n\t%s\n)\n\nreplace github.com/sugarme/gotch => %s\n", root, gotch)
	if err := os.WriteFile(filepath.Join(dir, "go.work"), []byte(work), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(dir, "go.work"), "GOFLAGS=-buildvcs=false")
	got, err := cmd.CombinedOutput()
	want := "logits [1 9 5] gradients 12 moved true\nepisodes 20\n"
	if err != nil || string(got) != want {
		t.Errorf("go run: %v\n%s\nwant\n%s", err, got, want)
	}
}
