//go:build cgo && !notorch

package host

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ponder-agents/ponder/agent/learn"
	"github.com/ponder-agents/ponder/agent/run"
	"github.com/ponder-agents/ponder/agent/task"
	"github.com/ponder-agents/ponder/torch"
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

func init() { library = train }

// train begins a run in the folder of its last argument, of the recipe of the one before, or goes on with
// it if there is no recipe.
func train() {
	torch.SetThreads(1)
	err := func() error {
		ctx, args := context.Background(), os.Args[1:]
		if len(args) == 1 {
			return run.Resume(ctx, args[0], func(s *run.Saved) (run.Learner, error) {
				return learn.Resume(s, task.Open, torch.CPU)
			}, run.Options{})
		}
		r, err := learn.ReadRecipe(args[0])
		if err != nil {
			return err
		}
		t, err := learn.NewTrainer(r, task.Open, torch.CPU)
		if err != nil {
			return err
		}
		defer t.Close()
		return run.Begin(ctx, args[1], t, run.Plan{LogEvery: 3, SaveEvery: 5, EvalEvery: 100, EvalCount: 4}, run.Options{})
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestResume kills a run 20 times with SIGKILL, many of them while a checkpoint is being written, goes
// on each time, by turns with the command and with a program of its packages, and compares what comes of
// it with an uninterrupted run: weights bit for bit, and the lines of metrics but for fields of time.
func TestResume(t *testing.T) {
	if testing.Short() {
		t.Skip("trains twice")
	}
	root := t.TempDir()
	recipe := writeResumeRecipe(t, root)
	turn := 0
	testKills(t, 20, 500, func(dir string, goOn bool) *exec.Cmd {
		args := []string{"ponder", "train", recipe, "--out", dir, "--save-every", "5", "--log-every", "3", "--eval-every", "100", "--eval-count", "4", "--threads", "1"}
		own := []string{"library", recipe, dir}
		if goOn {
			args, own = []string{"ponder", "train", "--resume", dir}, []string{"library", dir}
		}
		if turn++; turn%2 == 0 {
			args = own
		}
		return process(t, args...)
	})
}

// TestResumeAgent is TestResume of an agent that learns by acting: environments, bonus and carry go on too.
func TestResumeAgent(t *testing.T) {
	if testing.Short() {
		t.Skip("trains twice")
	}
	testKills(t, 20, 6400, func(dir string, goOn bool) *exec.Cmd {
		if goOn {
			return process(t, "ponder", "train", "--resume", dir)
		}
		return process(t, "ponder", "train", "ppo", "--env", "MiniGrid-DoorKey-5x5-v0", "--frames", "6400", "--envs", "4", "--horizon", "16", "--epochs", "2",
			"--hidden", "8", "--seed", "3", "--threads", "1", "--out", dir, "--save-every", "64", "--log-every", "64", "--eval-count", "4")
	})
}

// TestResumeDQN is TestResumeAgent of a DQN: replay, target network and the schedule of its exploration too.
func TestResumeDQN(t *testing.T) {
	if testing.Short() {
		t.Skip("trains twice")
	}
	testKills(t, 5, 1280, func(dir string, goOn bool) *exec.Cmd {
		if goOn {
			return process(t, "ponder", "train", "--resume", dir)
		}
		return process(t, "ponder", "train", "dqn", "--env", "MiniGrid-DoorKey-5x5-v0", "--frames", "1280", "--envs", "4", "--batch", "32", "--epochs", "2",
			"--hidden", "8", "--replay", "400", "--warmup", "100", "--seed", "3", "--threads", "1", "--out", dir, "--save-every", "32", "--log-every", "32", "--eval-count", "4")
	})
}

// testKills compares a run in one go with one that is killed so often. command is what begins a
// run of so many steps in dir, or goes on with the one there.
func testKills(t *testing.T, kills, steps int, command func(dir string, goOn bool) *exec.Cmd) {
	root := t.TempDir()
	start := func(dir string) *exec.Cmd {
		found, _ := filepath.Glob(filepath.Join(dir, "checkpoints", "step-*"))
		if len(found) == 0 { // killed before there was anything to go on from
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
		return command(dir, len(found) > 0)
	}
	whole, torn := filepath.Join(root, "whole"), filepath.Join(root, "torn")
	if out, err := start(whole).CombinedOutput(); err != nil {
		t.Fatalf("uninterrupted run: %v\n%s", err, out)
	}

	rng := rand.New(rand.NewPCG(20, 6))
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
	if writing < kills/4 {
		t.Errorf("%d of %d kills came while a checkpoint was being written, want a quarter or more", writing, kills)
	}
	if out, err := start(torn).CombinedOutput(); err != nil {
		t.Fatalf("last part: %v\n%s", err, out)
	}
	t.Logf("%d kills, %d of them while a checkpoint was being written", kills, writing)

	last := fmt.Sprintf("checkpoints/step-%09d/", steps)
	for _, file := range []string{"model/model.safetensors", last + "model.safetensors", last + "optimizer.safetensors"} {
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

// TestThreads: the number that the banner tells is the one that the run computes with, and --resume uses it
// again unless another is asked for, which it says.
func TestThreads(t *testing.T) {
	if testing.Short() {
		t.Skip("trains seven times")
	}
	root := t.TempDir()
	recipe := writeResumeRecipe(t, root)
	train := func(dir string, args ...string) (output string, weights []byte) {
		t.Helper()
		out, err := process(t, append([]string{"ponder", "train"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		weights, err = os.ReadFile(filepath.Join(dir, "model", "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		return string(out), weights
	}
	begin := func(name string, args ...string) (dir, output string, weights []byte) {
		t.Helper()
		dir = filepath.Join(root, name)
		output, weights = train(dir, append([]string{recipe, "--steps", "20", "--save-every", "10", "--eval-count", "1", "--out", dir}, args...)...)
		return dir, output, weights
	}
	number := func(output string) string {
		t.Helper()
		m := regexp.MustCompile(`, (\d+) threads\) into `).FindStringSubmatch(output)
		if m == nil {
			t.Fatalf("no number of threads in\n%s", output)
		}
		return m[1]
	}
	_, output, left := begin("left")
	_, _, said := begin("said", "--threads", number(output))
	if !bytes.Equal(left, said) {
		t.Errorf("without --threads the result is not that of the %s threads that the banner tells", number(output))
	}

	half := func(dir string) {
		t.Helper()
		for _, gone := range []string{"model", "checkpoints/step-000000020"} {
			if err := os.RemoveAll(filepath.Join(dir, gone)); err != nil {
				t.Fatal(err)
			}
		}
	}
	dir, _, one := begin("one", "--threads", "1")
	half(dir)
	output, again := train(dir, "--resume", dir)
	if !bytes.Equal(one, again) || number(output) != "1" || strings.Contains(output, "ponder:") {
		t.Errorf("resumed with %s threads, equal weights: %v\n%s", number(output), bytes.Equal(one, again), output)
	}
	half(dir)
	output, _ = train(dir, "--resume", dir, "--threads", "3")
	if number(output) != "3" || !strings.HasPrefix(output, "ponder: the run goes on with threads 3, was 1: it will end with other weights than a run in one go\n") {
		t.Errorf("resumed with 3 threads:\n%s", output)
	}

	dir = filepath.Join(root, "agent")
	_, one = train(dir, "ppo", "--env", "maze/5x5-v0", "--policy", "gru", "--frames", "4096", "--save-every", "512", "--eval-count", "1", "--threads", "1", "--out", dir)
	saved, err := filepath.Glob(filepath.Join(dir, "checkpoints", "step-*"))
	if err != nil || len(saved) < 2 {
		t.Fatalf("saved %q, error %v", saved, err)
	}
	for _, gone := range []string{filepath.Join(dir, "model"), saved[len(saved)-1]} { // the newest
		if err := os.RemoveAll(gone); err != nil {
			t.Fatal(err)
		}
	}
	output, again = train(dir, "--resume", dir)
	if !bytes.Equal(one, again) || number(output) != "1" || strings.Contains(output, "ponder:") {
		t.Errorf("an agent, resumed with %s threads, equal weights: %v\n%s", number(output), bytes.Equal(one, again), output)
	}
}

// process is one of the programs that testscript.Main puts on the path.
func process(t *testing.T, args ...string) *exec.Cmd {
	return exec.CommandContext(t.Context(), args[0], args[1:]...)
}

// beingWritten is the folder of a checkpoint that is not whole yet, "" for none.
func beingWritten(run string) string {
	found, _ := filepath.Glob(filepath.Join(run, "checkpoints", ".step-*.tmp-*"))
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
