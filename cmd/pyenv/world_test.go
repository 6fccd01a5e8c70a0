package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/env"
)

// What the handles do; the tests of python/tests try the same through C.

func open(t *testing.T, id string, n int64, options ...string) *world {
	t.Helper()
	w, err := openWorld(id, n, options, int64(env.NextStep), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.vec.Close() })
	return w
}

// TestRewards: MiniGrid's rewards are not float32 numbers, and a row that only begins an episode has none.
func TestRewards(t *testing.T) {
	w := open(t, "MiniGrid-Empty-5x5-v0", 1)
	if _, err := w.reset([]uint64{0}, []byte{1}, nil, buffers{}); err != nil {
		t.Fatal(err)
	}
	var bits int
	for _, a := range []int64{2, 2, 1, 2, 2} {
		var err error
		if bits, err = w.step([]int64{a}, buffers{}); err != nil {
			t.Fatal(err)
		}
	}
	if want := 1 - 0.9*(5/100.); w.rewards[0] != want || bits != someEnded {
		t.Errorf("reward %v and bits %d, want %v (MiniGrid's _reward) and %d", w.rewards[0], bits, want, someEnded)
	}
	if bits, err := w.step([]int64{1 << 40}, buffers{}); err != nil || bits != someFresh || w.rewards[0] != 0 {
		t.Errorf("the step that begins an episode: bits %d, reward %v, error %v", bits, w.rewards[0], err)
	}
}

func TestRefused(t *testing.T) {
	w := open(t, "maze", 2)
	if _, err := w.reset(nil, nil, nil, buffers{}); err != nil {
		t.Fatal(err)
	}
	obs := bytes.Clone(w.vec.Obs)
	for name, f := range map[string]func() error{
		"0 actions for 2":             func() error { _, err := w.step(nil, buffers{}); return err },
		"action 4 of environment 1":   func() error { _, err := w.step([]int64{0, 4}, buffers{}); return err },
		"action -2147483648 of":       func() error { _, err := w.step([]int64{-1 << 60, 0}, buffers{}); return err },
		"buffer obs has 3 elements":   func() error { _, err := w.step([]int64{0, 0}, buffers{obs: make([]byte, 3)}); return err },
		"buffer fresh has 0 elements": func() error { _, err := w.reset(nil, nil, nil, buffers{fresh: []bool{}}); return err },
		"a mask of 1":                 func() error { _, err := w.reset(nil, nil, []byte{1}, buffers{}); return err },
		"1 of them used":              func() error { _, err := w.reset([]uint64{1, 2}, []byte{1}, nil, buffers{}); return err },
		"row 2 is not in":             func() error { _, err := w.snapshot(2); return err },
		"or cut":                      func() error { _, err := w.restore(0, []byte("VR1"), buffers{}); return err },
		"tiles of 0 pixels":           func() error { _, _, err := w.size(0, 0, whole); return err },
		"picture has 1 bytes":         func() error { return w.render(0, 1, whole, make([]byte, 1)) },
		"picture 3: want 0 to 2":      func() error { _, _, err := w.size(0, 1, shown); return err },
		"not of MiniGrid's family":    func() error { return w.render(0, 1, seen, nil) },
		"maze/15x15-v0 is not of":     func() error { _, err := w.miniGridState(0); return err },
		"mask has 1 elements":         func() error { return w.mask(0, make([]bool, 1)) },
	} {
		err := f()
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one with %q", err, name)
		}
	}
	if !bytes.Equal(obs, w.vec.Obs) {
		t.Error("what was refused changed the observations")
	}
}

func TestHandles(t *testing.T) {
	h := keep(open(t, "maze", 1))
	if n, err := with(h, func(w *world) (int64, error) { return int64(w.vec.Len()), nil }); n != 1 || err != nil {
		t.Errorf("with = %d, %v", n, err)
	}
	_, err := with(h, func(*world) (int64, error) { panic("oh") })
	if err == nil || !strings.Contains(err.Error(), "panic: oh") {
		t.Errorf("a panic became %v", err)
	}
	if err := drop(h); err != nil {
		t.Error(err)
	}
	if err := drop(h); err == nil || !strings.Contains(err.Error(), "not open") {
		t.Errorf("closed twice: %v", err)
	}
	if h2 := keep(open(t, "maze", 1)); h2 == h {
		t.Error("a handle was given twice")
	}
}

func TestDescribe(t *testing.T) {
	data, err := open(t, "maze/9x7-v0", 3).describe()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": "maze/9x7-v0", "obs_len": 63., "vocab": 5., "max_steps": 126.,
		"layout":  []any{map[string]any{"name": "cells", "shape": []any{7., 9.}, "agent": 3., "under": 2.}},
		"actions": []any{"up", "down", "left", "right"},
		"family":  "maze", "mission": true, "autoreset": "next-step", "rows": 3.,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestMiniGridState looks at Empty-5x5, where the agent begins at (1, 1), looking right, and the goal is at (3, 3).
func TestMiniGridState(t *testing.T) {
	w := open(t, "MiniGrid-Empty-5x5-v0", 1, "limit=20", "view=3")
	if _, err := w.reset(nil, nil, nil, buffers{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.step([]int64{2}, buffers{}); err != nil {
		t.Fatal(err)
	}
	data, err := w.miniGridState(0)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	var cells []byte // (type, colour, state): wall is 2, 5, empty 1, 0, goal 8, 1
	for x := range 5 {
		for y := range 5 {
			switch {
			case x%4 == 0 || y%4 == 0:
				cells = append(cells, 2, 5, 0)
			case x == 3 && y == 3:
				cells = append(cells, 8, 1, 0)
			default:
				cells = append(cells, 1, 0, 0)
			}
		}
	}
	want := map[string]any{
		"width": 5., "height": 5., "x": 2., "y": 1., "dir": 0., "carrying": nil, "within": nil, "boxes": []any{},
		"steps": 1., "limit": 20., "view": 3., "through": true, "grid": base64.StdEncoding.EncodeToString(cells),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// The first pixel in the middle of the view's cells, and of the grid's: lit where it is seen.
	for what, size := range []int{whole: 5, unlit: 5, seen: 3} {
		pix := make([]byte, 3*size*size*4*4)
		if err := w.render(0, 4, int64(what), pix); err != nil {
			t.Fatal(err)
		}
		lit := 0
		for i := range size * size {
			x, y := 4*(i%size)+2, 4*(i/size)+2
			if p := pix[3*(y*4*size+x):]; p[0] == 76 && p[1] == 76 && p[2] == 76 { // black, 0.3 of the way to white
				lit++
			}
		}
		// Of the nine cells that it sees five are walls, and on one it stands.
		if want := map[int]int{whole: 3, seen: 3}[what]; lit != want {
			t.Errorf("picture %d has %d empty cells lit, want %d", what, lit, want)
		}
	}
}

var update = flag.Bool("update", false, "write python/ponder_env/_ids.py")

// TestIDs: ponder_env's list, which it reads instead of loading the library, has the ids that open
// without options.
func TestIDs(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Code generated by go test ./cmd/pyenv -run TestIDs -update; DO NOT EDIT.\n\nIDS = (\n")
	families := map[string]bool{}
	for _, e := range env.List("") {
		families[e.Family] = true
		if _, err := env.Make(e.ID); err == nil {
			fmt.Fprintf(&b, "    %q,\n", e.ID)
		}
	}
	b.WriteString(")\n\nFAMILIES = (\n")
	for _, f := range slices.Sorted(maps.Keys(families)) {
		fmt.Fprintf(&b, "    %q,\n", f)
	}
	b.WriteString(")\n")
	path := filepath.Join("..", "..", "python", "ponder_env", "_ids.py")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.String(), string(got)); d != "" {
		t.Errorf("%s is not what its first line makes:\n%s", path, d)
	}
}

// TestPython builds the library and runs the tests of python/tests, where a Python with gymnasium and
// pytest is found: $PONDER_PYTHON, python3 or python.
func TestPython(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a library: not in short mode")
	}
	python, err := findPython("gymnasium", "pytest", "numpy")
	if err != nil {
		t.Skip(err)
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		if _, err := exec.LookPath("cc"); err != nil {
			t.Skip("no C compiler: the library of cmd/pyenv cannot be built")
		}
	}
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "python"))); err != nil {
		t.Fatal(err)
	}
	name := map[string]string{"windows": "ponder_env.dll", "darwin": "libponder_env.dylib"}[runtime.GOOS]
	if name == "" {
		name = "libponder_env.so"
	}
	build := exec.Command("go", "build", "-tags", "notorch", "-ldflags=-s -w", "-buildmode=c-shared", "-o", filepath.Join(dir, "ponder_env", name), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=1", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build, err, out)
	}
	test := exec.Command(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning")
	test.Dir = dir
	test.Env = append(os.Environ(), "PYTHONPATH="+dir, "PYTHONDONTWRITEBYTECODE=1")
	if out, err := test.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// findPython is an interpreter that can import the modules.
func findPython(modules ...string) (string, error) {
	for _, name := range slices.DeleteFunc([]string{os.Getenv("PONDER_PYTHON"), "python3", "python"}, func(s string) bool { return s == "" }) {
		path, err := exec.LookPath(name)
		if err == nil && exec.Command(path, "-c", "import "+strings.Join(modules, ",")).Run() == nil {
			return path, nil
		}
	}
	return "", errors.New("no Python that imports " + strings.Join(modules, ", ") + "; PONDER_PYTHON may name one")
}
