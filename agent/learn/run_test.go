//go:build cgo && !notorch

package learn

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/checkpoint"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// lines are the lines of metrics of a run without the fields that tell time, and those that jump where a number
// differs in its last bit.
func lines(t *testing.T, dir string) (out []map[string]any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		delete(fields, "puzzles_per_second")
		delete(fields, "time")
		maps.DeleteFunc(fields, func(name string, _ any) bool { return strings.HasSuffix(name, "accuracy") })
		out = append(out, fields)
	}
	return out
}

// numbersIn are the numbers of a file of tensors, one after the other, in the order of their names.
func numbersIn(t *testing.T, path string) (all []float32) {
	t.Helper()
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names() {
		x, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := x.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v...)
	}
	return all
}

// resume goes on with the run in dir, as a program does.
func resume(t *testing.T, dir string) {
	t.Helper()
	err := run.Resume(t.Context(), dir, func(s *run.Saved) (run.Learner, error) { return Resume(s, task.Open, torch.CPU) }, run.Options{})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRunOfVersion1 goes on with a run of commit c8207de (testdata/run-v1), from before train.json had a
// version: it ends with the weights and lines that it ended with then, but for the last bits: the kernels are
// others.
func TestRunOfVersion1(t *testing.T) {
	torch.SetThreads(2) // not what the run had
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS("testdata/run-v1")); err != nil {
		t.Fatal(err)
	}
	want := lines(t, dir)
	resume(t, dir)
	info, err := run.ReadInfo(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c := info.Compute; info.State != run.Finished || info.Learner != Supervised || c.Threads != 1 || torch.Threads() != 1 {
		t.Errorf("run.json after it: %+v", info)
	}
	got, old := numbersIn(t, filepath.Join(dir, checkpoint.RunModel, checkpoint.ModelFile)), numbersIn(t, "testdata/run-v1.safetensors")
	off := 0.0
	for i := range old {
		off = max(off, math.Abs(float64(got[i]-old[i])))
	}
	if len(got) != len(old) || off > 1e-2 { // two steps of AdamW at a rate of 1e-3 or less
		t.Errorf("%d weights, %d then, off by up to %v", len(got), len(old), off)
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 1e-3*max(1, math.Abs(a)) })
	if diff := cmp.Diff(want, lines(t, dir), near); diff != "" {
		t.Errorf("metrics (-then +now):\n%s", diff)
	}
	t.Logf("with %s (%s) weights are off by up to %v", info.Compute.Library, info.Compute.Kernels, off)
}

// TestResumeOther: what another learner saved is refused, and so is what is not a state.
func TestResumeOther(t *testing.T) {
	c := &checkpoint.Checkpoint{Config: json.RawMessage(`{"batch": "many"}`)}
	for _, tt := range []struct {
		saved run.Saved
		want  string
	}{
		{run.Saved{Checkpoint: c, Learner: "ppo"}, `the run is of learner "ppo", not of "supervised" training`},
		{run.Saved{Checkpoint: c, Learner: Supervised}, "config.json: field batch: string, want int"},
		{run.Saved{Checkpoint: &checkpoint.Checkpoint{Config: []byte("{}")}, Learner: Supervised, State: []byte("[]")}, "train.json: json: cannot unmarshal array into Go value of type learn.trained"},
	} {
		if _, err := Resume(&tt.saved, task.Open, torch.CPU); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}
