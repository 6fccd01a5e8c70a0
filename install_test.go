package ponder_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestInstall: `go install` of a published version, from a proxy that is a folder, without cgo, gives a program that thinks.
func TestInstall(t *testing.T) {
	const version = "v0.0.1"
	list, err := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skipf("what would be published is unknown: %v", err)
	}
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	proxy := filepath.Join(dir, "proxy")
	publish(t, filepath.Join(proxy, filepath.FromSlash(module)), version, strings.Fields(string(list)))

	install := exec.Command("go", "install", "-trimpath", module+"cmd/ponder@latest")
	install.Dir = dir
	install.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOSUMDB=off", "GOFLAGS=-modcacherw", "GOBIN="+dir, "GOMODCACHE="+filepath.Join(dir, "mod"),
		"GOPROXY=file://"+proxy+",file://"+filepath.Join(strings.TrimSpace(string(cache)), "cache", "download"))
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("go install: %v\n%s", err, out)
	}
	run := func(args ...string) []byte {
		t.Helper()
		cmd := exec.Command(filepath.Join(dir, "ponder"), args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("ponder %q: %v", args, err)
		}
		return out
	}
	if got := run("env", "play", "--help"); !bytes.Contains(got, []byte("ponder env play")) {
		t.Errorf("env play --help: %s", got)
	}
	if got := run("play", "--help"); !bytes.Contains(got, []byte("Opens the window")) {
		t.Errorf("play --help: %s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "maze.txt"), []byte("#######\n#S    #\n# ### #\n#   # #\n### # #\n#    G#\n#######\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := run("solve", "maze", "maze.txt", "--model", "maze-path", "--json"); !bytes.Contains(got, []byte(`"solved":true`)) {
		t.Errorf("solve: %s", got)
	}
	for _, args := range [][]string{
		{"version", "--json"},
		{"eval", "maze", "--count", "5", "--size", "9", "--seed", "1", "--json"},
		{"bench", "think", "--model", "sudoku-static", "--seconds", "0.01", "--repeats", "1", "--json"},
	} {
		var got struct{ Engine, Version string }
		if err := json.Unmarshal(run(args...), &got); err != nil || got.Engine != "go" || got.Version != "" && got.Version != version {
			t.Errorf("ponder %q: %+v, %v", args, got, err)
		}
	}
	run("record", "maze/9x9-v0", "--seed", "3", "--out", "walk.trace")
	if got := run("trace", "show", "walk.trace", "--json"); !bytes.Contains(got, []byte(`"engine"`)) {
		t.Errorf("the recording: %.200s", got)
	}
}

// TestDist: a release has the files of `make dist`, made the same way.
func TestDist(t *testing.T) {
	text, err := os.ReadFile(".goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var release struct {
		Builds []struct {
			Main                         string
			Env, Flags, Ldflags, Targets []string
		}
	}
	if err := yaml.Unmarshal(text, &release); err != nil || len(release.Builds) != 1 {
		t.Fatalf("%d builds, error %v", len(release.Builds), err)
	}
	b := release.Builds[0]
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^DIST = (.*)$`).FindSubmatch(makefile)
	if list == nil {
		t.Fatal("the Makefile has no DIST")
	}
	if want := strings.Fields(strings.ReplaceAll(string(list[1]), "/", "_")); !slices.Equal(b.Targets, want) {
		t.Errorf("targets %v, make dist has %v", b.Targets, want)
	}
	if b.Main != "./cmd/ponder" || !slices.Equal(b.Env, []string{"CGO_ENABLED=0", "GOWORK=off"}) || !slices.Equal(b.Flags, []string{"-trimpath"}) ||
		len(b.Ldflags) != 1 || !strings.HasPrefix(b.Ldflags[0], "-s -w -X "+module+"internal/stamp.git=") {
		t.Errorf("another build than make dist's: %+v", b)
	}
}

// publish writes a version of the module in this folder, which has these files, as a proxy serves it.
func publish(t *testing.T, dir, version string, files []string) {
	t.Helper()
	nested := map[string]bool{} // folders with a module of their own
	for _, f := range files {
		if path.Base(f) == "go.mod" {
			nested[path.Dir(f)] = path.Dir(f) != "."
		}
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		inside := true
		for d := path.Dir(f); d != "."; d = path.Dir(d) {
			inside = inside && !nested[d]
		}
		info, err := os.Lstat(f)
		if !inside || err != nil || !info.Mode().IsRegular() {
			continue // of another module, or deleted and not yet committed
		}
		from, err := os.Open(f)
		if err != nil {
			t.Fatal(err)
		}
		to, err := w.Create(strings.TrimSuffix(module, "/") + "@" + version + "/" + f)
		if err == nil {
			_, err = io.Copy(to, from)
		}
		if from.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "@v"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": []byte(`{"Version":"` + version + `"}`),
		version + ".mod":  mod,
		version + ".zip":  b.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(dir, "@v", name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
