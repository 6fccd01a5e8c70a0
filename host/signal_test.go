//go:build unix

package host

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ponder-agents/ponder/agent/trace"
	"github.com/ponder-agents/ponder/cli"
)

// stop runs a command of this build, sends it a signal when began says so of where its output goes, and returns what
// it said and its exit code. It is given a minute: how long it takes is for people to look at.
func stop(t *testing.T, dir string, began func(stdout string) bool, args ...string) (stderr string, code int) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.CommandContext(t.Context(), "ponder", args...)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 600 {
		if began(out.Name()) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		cmd.Process.Kill()
		<-ended
		t.Errorf("ponder %v did not end", args)
	}
	return said.String(), cmd.ProcessState.ExitCode()
}

// larger says whether there is a file of more bytes.
func larger(path string, size int64) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > size
}

// TestSignalEnds: one signal ends a command that never looks whether it is to end.
func TestSignalEnds(t *testing.T) {
	began := func(stdout string) bool { return larger(stdout, 0) } // the head of its table
	if said, code := stop(t, t.TempDir(), began, "bench", "env", "--steps", "1000000000", "--repeats", "1"); code != cli.ExitInterrupted || said != "ponder: stopped\n" {
		t.Errorf("exit code %d, %q", code, said)
	}
}

// TestRecordCutShort: what was played when the signal came is a trace that plays.
func TestRecordCutShort(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "long.trace")
	began := func(string) bool { return larger(path, 20_000) } // some steps are there
	args := []string{"record", "maze/41x41-v0", "--agent", "random", "--out", "long.trace"}
	said, code := stop(t, dir, began, args...)
	if code != cli.ExitInterrupted || !strings.Contains(said, "ponder: long.trace has the first ") {
		// It may have come to its end before the signal.
		if code != cli.ExitOK || !strings.Contains(said, "wrote long.trace") {
			t.Fatalf("exit code %d, %q", code, said)
		}
		t.Skip("the episode was over before the signal")
	}
	f, err := trace.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, end := f.Range(); end < 10 || f.Damage() != nil {
		t.Errorf("%d steps, damage %v", end, f.Damage())
	}
}

// TestRecordKilled: so is what was written when the process was killed, beside a film too.
func TestRecordKilled(t *testing.T) {
	for out, path := range map[string]string{"long.trace": "long.trace", "film.gif": "film.gif.trace"} {
		dir := t.TempDir()
		path = filepath.Join(dir, path)
		cmd := exec.CommandContext(t.Context(), "ponder", "record", "maze/41x41-v0", "--agent", "random", "--out", filepath.Join(dir, out))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for range 600 {
			if larger(path, 20_000) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		cmd.Process.Kill()
		cmd.Wait()
		f, err := trace.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, end := f.Range()
		if end < 10 {
			t.Fatalf("%s: %d steps", out, end)
		}
		if _, err := f.Step(end - 1); err != nil {
			t.Error(err)
		}
	}
}
