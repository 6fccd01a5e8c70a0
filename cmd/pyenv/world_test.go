package main

import (
	"bytes"
	"encoding/json"
	"errors"
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
		"tiles of 0 pixels":           func() error { _, _, err := w.size(0, 0); return err },
		"picture has 1 bytes":         func() error { return w.render(0, 1, make([]byte, 1)) },
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
		"layout":  []any{map[string]any{"name": "cells", "shape": []any{7., 9.}}},
		"actions": []any{"up", "down", "left", "right"},
		"family":  "maze", "mission": true, "autoreset": "next-step", "rows": 3.,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
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
	build := exec.Command("go", "build", "-tags", "notorch", "-buildmode=c-shared", "-o", filepath.Join(dir, "ponder_env", name), ".")
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
