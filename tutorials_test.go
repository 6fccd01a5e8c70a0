//go:build tutorials

package ponder_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A block of a page: what stands after the fence, and its text.
var block = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

// program finds the program that a page goes through.
var program = regexp.MustCompile(`\]\(\.\./\.\./(examples/\w+/main\.go)\)`)

// TestTutorials does what the tutorials say, each in an empty folder: files that a page shows are written, its commands are run
// by sh and must all succeed, and Go that it quotes must stand in the program that it goes through.
func TestTutorials(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("bin/ponder"); err != nil {
		t.Fatal("no bin/ponder: make build")
	}
	pages, err := filepath.Glob("docs/tutorials/*.md")
	if err != nil || len(pages) != 5 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		if filepath.Base(page) == "README.md" {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
			b, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			text, code, dir := string(b), "", t.TempDir()
			if m := program.FindStringSubmatch(text); m != nil {
				b, err := os.ReadFile(m[1])
				if err != nil {
					t.Fatal(err)
				}
				code = string(b)
			}
			ran := 0
			for _, m := range block.FindAllStringSubmatch(text, -1) {
				language, name, _ := strings.Cut(m[1], " ")
				switch {
				case name != "":
					if err := os.WriteFile(filepath.Join(dir, name), []byte(m[2]), 0o666); err != nil {
						t.Fatal(err)
					}
				case language == "go":
					if !strings.Contains(code, m[2]) {
						t.Errorf("the program has no\n%s", m[2])
					}
				case language == "sh":
					ran++
					cmd := exec.Command("sh", "-euc", m[2])
					cmd.Dir = dir
					cmd.Env = append(os.Environ(), "PONDER="+root, "PATH="+filepath.Join(root, "bin")+":"+os.Getenv("PATH"), "CGO_ENABLED=0", "GOWORK=off")
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Fatalf("%v:\n%s%s", err, m[2], out)
					}
				default:
					t.Errorf("a block of %q", m[1])
				}
			}
			if ran == 0 {
				t.Error("it has nothing to run")
			}
		})
	}
}
