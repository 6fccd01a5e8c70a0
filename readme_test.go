package ponder_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestReadme builds the program of the README as a module of its own, without cgo, and runs it.
func TestReadme(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command to build with")
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(package main.*?)```").FindAllSubmatch(readme, -1)
	if len(blocks) != 1 {
		t.Fatalf("README.md has %d programs, want 1", len(blocks))
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.go": string(blocks[0][1]),
		"go.mod":  "module example.com/readme\n\ngo 1.26.0\n",
		"go.work": fmt.Sprintf("go 1.26.0\n\nuse (\n\t.\n\t%q\n)\n", root),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(tool, "run", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK="+filepath.Join(dir, "go.work"), "GOFLAGS=-buildvcs=false")
	got, err := cmd.CombinedOutput()
	if err != nil || !regexp.MustCompile(`^\d+ of 16 reached the goal, <nil>\n$`).Match(got) {
		t.Errorf("go run: %v\n%s", err, got)
	}
}
