//go:build cgo && !notorch && unix

package speed

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/torch"
)

// TestCases: the names that scripts rely on, and that every network is one.
func TestCases(t *testing.T) {
	cases, err := Cases(torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range cases {
		names = append(names, c.Name)
		if c.Model != "" {
			continue
		}
		if err := c.Recipe.Model.Check(); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if strings.HasPrefix(c.Name, "train") != (c.Data != "") {
			t.Errorf("%s learns from %q", c.Name, c.Data)
		}
	}
	want := []string{
		"27M sudoku, batch 1", "27M sudoku, batch 8", "27M sudoku, batch 32", "27M maze 30x30, batch 1",
		"128 sudoku, batch 1", "128 sudoku, batch 32", "128 sudoku, batch 256",
		"model maze, batch 1", "model maze, batch 32", "model maze-path, batch 1", "model maze-path, batch 32",
		"model sudoku, batch 1", "model sudoku, batch 32", "model sudoku-static, batch 1", "model sudoku-static, batch 32",
		"train sudoku, batch 64", "train maze, batch 64", "train 128 sudoku, batch 64", "train 27M sudoku, batch 16",
	}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// measured are the results of cfg.
func measured(t *testing.T, cfg Config) ([]Result, error) {
	t.Helper()
	cfg.Threads, cfg.Each = 1, time.Millisecond
	var all []Result
	err := Measure(t.Context(), cfg, func(r Result) error { all = append(all, r); return nil })
	return all, err
}

// TestMeasure: a segment and a training step are measured without Python, and a result has the fields that scripts
// rely on.
func TestMeasure(t *testing.T) {
	all, err := measured(t, Config{Cases: regexp.MustCompile("^(model sudoku, batch 1|train sudoku, batch 64)$")})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 {
		t.Fatalf("%d results, want 2", len(all))
	}
	for _, r := range all {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(b, &fields); err != nil {
			t.Fatal(err)
		}
		keys := slices.Sorted(maps.Keys(fields))
		want := []string{"case", "device", "gflops", "max_abs_diff", "ms", "precision", "ratio_compile", "ratio_eager", "repeats", "share_of_product_rate", "threads", "wall_ms"}
		if d := cmp.Diff(want, keys); d != "" {
			t.Errorf("fields, -want +got:\n%s", d)
		}
		if fields["ratio_eager"] != nil || fields["ratio_compile"] != nil || fields["max_abs_diff"] != nil {
			t.Errorf("compared with nothing: %s", b)
		}
		if fields["precision"] != "float32" || fields["threads"] != 1.0 || r.MS <= 0 || r.Repeats < 2 || *r.GFLOPS <= 0 || *r.Share <= 0 {
			t.Errorf("measured %s", b)
		}
	}
}

// script is a program of sh in place of Python.
func script(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPeer: what Python answers becomes ratios, a share of its products where they are the faster, a word, and an
// error if outputs differ; it finds what it needs in the folder.
func TestPeer(t *testing.T) {
	var notes []string
	all, err := measured(t, Config{
		Cases: regexp.MustCompile("^model maze, batch 1$"),
		Note:  func(s string) { notes = append(notes, s) },
		Python: script(t, `echo '{"torch": "9.9"}'
while read dir; do
	ls "$dir/plan.json" "$dir/weights.safetensors" "$dir/case.safetensors" "$dir/hrm.py" >/dev/null || exit 1
	echo '{"eager_ms": 4000, "max_abs_diff": 0.5, "product_gflops": 1e9, "note": "a word"}'
done`),
	})
	if !errors.Is(err, ErrDiffers) || !strings.Contains(err.Error(), "model maze, batch 1: ") {
		t.Errorf("error %v, want that the outputs differ", err)
	}
	if len(all) != 1 {
		t.Fatalf("results %v", all)
	}
	if r := all[0]; *r.RatioEager != 4000/r.MS || r.RatioCompile != nil || *r.MaxAbsDiff != 0.5 || *r.Share != *r.GFLOPS/1e9 {
		t.Errorf("result %+v", r)
	}
	if d := cmp.Diff([]string{"beside PyTorch 9.9", "model maze, batch 1: a word"}, notes); d != "" {
		t.Errorf("notes, -want +got:\n%s", d)
	}
}

// TestBadPeer: what is no Python with torch is told in a line, of which the last word is its own.
func TestBadPeer(t *testing.T) {
	for _, tt := range []struct {
		name, python, want string
		is                 error
	}{
		{"nothing", "no-such-python", "no-such-python", exec.ErrNotFound},
		{"no file", filepath.Join(t.TempDir(), "python"), "python", fs.ErrNotExist},
		{"no torch", script(t, "echo Traceback >&2; echo 'ModuleNotFoundError: no torch' >&2; exit 1"), "ModuleNotFoundError: no torch", ErrPython},
		{"another program", script(t, "echo hello"), "invalid character", ErrPython},
		{"silent", script(t, "exit 0"), "EOF", ErrPython},
		{"dies later", script(t, `echo '{"torch": "9.9"}'; read dir; echo 'out of memory' >&2`), "out of memory", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := measured(t, Config{Cases: regexp.MustCompile("^model maze, batch 1$"), Python: tt.python})
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want a line with %q", err, tt.want)
			}
		})
	}
}

// TestCancel: Measure ends with its context, whatever Python does, and leaves nothing behind.
func TestCancel(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	ctx, cancel := context.WithCancel(t.Context())
	err := Measure(ctx, Config{
		Cases: regexp.MustCompile("^model maze, batch 1$"), Threads: 1, Note: func(string) { cancel() },
		Python: script(t, `echo '{"torch": "9.9"}'; sleep 600`),
	}, func(Result) error { t.Error("a result"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it was cancelled", err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestPyTorch: bench/hrm.py gives the outputs, and of training steps the gradients, that we give. It needs a Python
// with torch on the path.
func TestPyTorch(t *testing.T) {
	python := FindPython(t.Context())
	if python == "" {
		t.Skip("no Python with torch on the path")
	}
	all, err := measured(t, Config{Cases: regexp.MustCompile("^(model .*, batch 1|128 sudoku, batch 1|train (sudoku|maze|128 sudoku), .*)$"), Python: python})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 8 {
		t.Errorf("%d results, want 8", len(all))
	}
	for _, r := range all {
		// Twenty sums of up to 256 products in float32, of numbers below 100, in another order.
		if r.MaxAbsDiff == nil || !(*r.MaxAbsDiff < 1e-3) || r.RatioEager == nil || !(*r.RatioEager > 0) {
			b, _ := json.Marshal(r)
			t.Errorf("%s", b)
		}
	}
}
