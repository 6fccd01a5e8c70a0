//go:build cgo && !notorch

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// resumeRecipe is a run of seconds that has all that a checkpoint must hold: two stages of which the
// first ends by what was learned, exploration, an average of the weights, halted and unhalted rows.
const resumeRecipe = `preset = "maze"
steps = 500
batch = 3
lr_warmup = 20

[model]
hidden = 16
inner = 32

[[stages]]
data = "maze-directions:7"
until = 0.5
exact = 0.01
window = 5
min_steps = 40
max_segments = 2

[[stages]]
data = "maze-directions:9"
until = 1.0
`

// writeResumeRecipe writes resumeRecipe into dir and returns the file's path.
func writeResumeRecipe(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "recipe.toml")
	if err := os.WriteFile(path, []byte(resumeRecipe), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestResume kills a run 20 times with SIGKILL, many of them while a checkpoint is being written, goes
// on each time, and compares what comes of it with an uninterrupted run: weights bit for bit, and the
// lines of metrics but for fields of time.
func TestResume(t *testing.T) {
	if testing.Short() {
		t.Skip("trains twice")
	}
	root := t.TempDir()
	recipe := writeResumeRecipe(t, root)
	start := func(dir string) *exec.Cmd {
		args := []string{"train", recipe, "--out", dir, "--save-every", "5", "--log-every", "3", "--eval-every", "100", "--eval-count", "4", "--threads", "1"}
		if found, _ := filepath.Glob(filepath.Join(dir, runCheckpoints, "step-*")); len(found) > 0 {
			args = []string{"train", "--resume", dir, "--threads", "1"}
		} else if err := os.RemoveAll(dir); err != nil { // killed before there was anything to go on from
			t.Fatal(err)
		}
		return process(t, args...)
	}
	whole, torn := filepath.Join(root, "whole"), filepath.Join(root, "torn")
	if out, err := start(whole).CombinedOutput(); err != nil {
		t.Fatalf("uninterrupted run: %v\n%s", err, out)
	}

	rng := rand.New(rand.NewPCG(20, 6))
	const kills = 20
	writing := 0
	for k := range kills {
		cmd, seen := start(torn), beingWritten(torn) // what the last kill left is not counted again
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		// The moment is the beginning of one of the next checkpoints, or some time after it.
		saves := 1 + rng.IntN(3)
		after := time.Duration(0)
		if k%3 == 2 {
			after = time.Duration(rng.IntN(40)) * time.Millisecond
		}
		for n := 0; n < saves; {
			select {
			case err := <-ended:
				t.Fatalf("kill %d: the run ended before it: %v", k, err)
			default:
			}
			if now := beingWritten(torn); now != "" && now != seen {
				seen = now
				n++
			}
			time.Sleep(100 * time.Microsecond)
		}
		time.Sleep(after)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-ended
		if beingWritten(torn) != "" {
			writing++
		}
	}
	if writing < 5 {
		t.Errorf("%d of %d kills came while a checkpoint was being written, want 5 or more", writing, kills)
	}
	if out, err := start(torn).CombinedOutput(); err != nil {
		t.Fatalf("last part: %v\n%s", err, out)
	}
	t.Logf("%d kills, %d of them while a checkpoint was being written", kills, writing)

	for _, file := range []string{"model/model.safetensors", "checkpoints/step-000000500/model.safetensors", "checkpoints/step-000000500/optimizer.safetensors"} {
		want, err := os.ReadFile(filepath.Join(whole, file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(torn, file))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s differs after %d kills", file, kills)
		}
	}
	if diff := cmp.Diff(metrics(t, whole), metrics(t, torn)); diff != "" {
		t.Errorf("metrics differ (-uninterrupted +killed):\n%s", diff)
	}
}

// process is one of this command line.
func process(t *testing.T, args ...string) *exec.Cmd {
	return exec.CommandContext(t.Context(), "ponder", args...) // testscript.Main puts it on the path
}

// beingWritten is the folder of a checkpoint that is not whole yet, "" for none.
func beingWritten(run string) string {
	found, _ := filepath.Glob(filepath.Join(run, runCheckpoints, ".step-*.tmp-*"))
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// metrics are the lines of a run without the fields that tell time.
func metrics(t *testing.T, run string) (lines []string) {
	f, err := os.Open(filepath.Join(run, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var fields map[string]any
		if err := json.Unmarshal(sc.Bytes(), &fields); err != nil {
			t.Fatalf("line %d: %v", len(lines)+1, err)
		}
		for name := range fields {
			if strings.Contains(name, "time") || strings.Contains(name, "per_second") {
				delete(fields, name)
			}
		}
		lines = append(lines, fmt.Sprint(fields)) // maps print in the order of their keys
	}
	return lines
}
