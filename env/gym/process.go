package gym

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

//go:embed worker.py
var workerScript string

// ErrClosed is the error of a call after Close.
var ErrClosed = errors.New("the worker is closed")

// An Error says what failed in a worker.
type Error struct {
	ID        string // of the environment
	Op        string // start, reset or step
	Exception string // "ValueError: text" if Python raised one
	Traceback string // its, or else the last that the worker wrote to its standard error
	Exit      string // how the process ended, as "exit status 1"; empty if it lives
	Err       error  // what else went wrong, as ctx's error; may be nil
}

func (e *Error) Error() string {
	var parts []string
	if e.Exception != "" {
		parts = append(parts, e.Exception)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	if e.Exit != "" {
		parts = append(parts, "the worker ended with "+e.Exit)
	}
	if e.Exception == "" && e.Traceback != "" {
		parts = append(parts, "last on its standard error: "+lastLine(e.Traceback))
	}
	return fmt.Sprintf("gym %s: %s: %s", e.ID, e.Op, strings.Join(parts, "; "))
}

func (e *Error) Unwrap() error { return e.Err }

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return strings.TrimSpace(s[strings.LastIndexByte(s, '\n')+1:])
}

// A tail keeps the last bytes written to it and passes all on.
type tail struct {
	mu   sync.Mutex
	last []byte
	next io.Writer
}

const tailLen = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	if n := len(t.last) - tailLen; n > 0 {
		t.last = append(t.last[:0], t.last[n:]...)
	}
	if t.next != nil {
		return t.next.Write(p)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.last)
}

// A process is a Python with our script and pipes to it.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *os.File
	stderr *tail
	ended  chan struct{} // closed when the process is gone and waited for
}

// How long a process may take to end by itself, and, killed, what holds its standard error.
const (
	graceTime = 2 * time.Second
	waitDelay = time.Second
)

// findPython is the interpreter to run.
func findPython(given string) (string, error) {
	names := []string{"python3", "python"}
	if given != "" {
		names = []string{given}
	}
	var errs []error
	for _, n := range names {
		path, err := exec.LookPath(n)
		if err == nil {
			return path, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("no Python: %w", errors.Join(errs...))
}

func startProcess(python, dir string, script string, stderr io.Writer) (*process, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(python, "-c", script), out: r, stderr: &tail{next: stderr}, ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr, p.cmd.WaitDelay = dir, w, p.stderr, waitDelay
	p.in, err = p.cmd.StdinPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	go func() {
		p.cmd.Wait() // its error is in ProcessState
		close(p.ended)
	}()
	return p, nil
}

// kill ends the process and unblocks who reads from it.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.out.SetReadDeadline(time.Now()) // if a child of it holds the pipe open; not on every system
}

// finish waits for the end of the process, kills it if it takes longer than grace, and returns how it
// ended. Nothing of it is left.
func (p *process) finish(grace time.Duration) (exit string) {
	p.in.Close()
	timer := time.AfterFunc(grace, p.kill)
	<-p.ended
	timer.Stop()
	p.out.Close()
	return p.cmd.ProcessState.String()
}

// guard kills the process if ctx ends before release is called.
func (p *process) guard(ctx context.Context) (release func() bool) {
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, p.kill)
}
