//go:build linux && cgo && !notorch

package host

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/ponder-agents/ponder/cli"
)

// TestTrainDiskFull trains into a small file system that has room for two checkpoints, not for three,
// and goes on when it is larger: the weights are those of a run that had room.
func TestTrainDiskFull(t *testing.T) {
	if testing.Short() {
		t.Skip("trains twice")
	}
	root := t.TempDir()
	recipe := writeResumeRecipe(t, root)
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(small, 0); err != nil {
			t.Error(err)
		}
	})
	resize := func(bytes int64) {
		t.Helper()
		if err := syscall.Mount("", small, "", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", bytes)); err != nil {
			t.Fatal(err)
		}
	}
	train := func(args ...string) (string, int) {
		t.Helper()
		cmd := process(t, append([]string{"ponder", "train", "--threads", "1"}, args...)...)
		out, _ := cmd.CombinedOutput() // the exit code tells
		return string(out), cmd.ProcessState.ExitCode()
	}
	begin := []string{recipe, "--save-every", "5", "--steps", "20", "--eval-count", "4", "--out"}

	whole, run := filepath.Join(root, "whole"), filepath.Join(small, "run")
	if out, code := train(append(begin, whole)...); code != cli.ExitOK {
		t.Fatalf("with room: exit code %d\n%s", code, out)
	}
	size := int64(0)
	err := filepath.WalkDir(filepath.Join(whole, "checkpoints", "step-000000020"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		size += (info.Size() + 4095) / 4096 * 4096
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	resize(size*5/2 + 32<<10)

	out, code := train(append(begin, run)...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	want := regexp.MustCompile(`^ponder: save checkpoint .*/step-000000015: .*: no space left on device; step 10 is saved, .*: ponder train --resume ` + regexp.QuoteMeta(run) + `$`)
	if last := lines[len(lines)-1]; code != cli.ExitFailure || !want.MatchString(last) || strings.Count(out, "ponder:") != 1 {
		t.Fatalf("exit code %d, want %d and one last line that matches %s:\n%s", code, cli.ExitFailure, want, out)
	}
	if steps, _ := filepath.Glob(filepath.Join(run, "checkpoints", "*")); len(steps) != 2 || filepath.Base(steps[1]) != "step-000000010" {
		t.Errorf("checkpoints %v, want those of steps 5 and 10", steps)
	}
	// Still full: no worse.
	if out, code := train("--resume", run); code != cli.ExitFailure || !strings.Contains(out, "no space left on device; step 10 is saved") {
		t.Errorf("resumed on the full disk: exit code %d\n%s", code, out)
	}
	resize(64 << 20)
	if out, code := train("--resume", run); code != cli.ExitOK {
		t.Fatalf("with room again: exit code %d\n%s", code, out)
	}
	got, err := os.ReadFile(filepath.Join(run, "model/model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	same, err := os.ReadFile(filepath.Join(whole, "model/model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, same) {
		t.Error("the weights are not those of the run that had room")
	}
}
