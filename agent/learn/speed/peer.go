//go:build cgo && !notorch

package speed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/bench"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// ErrPython is that of a Python that cannot compare: it does not start, or has no torch.
var ErrPython = errors.New("no Python with torch")

// FindPython is a Python on the path that has torch, "" if there is none.
func FindPython(ctx context.Context) string {
	for _, name := range []string{"python3", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		find := exec.CommandContext(ctx, path, "-c", "import importlib.util as u, sys; s = u.find_spec('torch'); sys.exit(not (s and s.origin))")
		find.Dir = os.TempDir() // a folder called torch where we stand is none
		if find.Run() == nil {
			return path
		}
	}
	return ""
}

// A peer is bench/hrm.py in a process of its own. It is sent the name of a folder with a case a line, and answers
// with an answer a line.
type peer struct {
	dir string
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
	log *bytes.Buffer // what it wrote to stderr
}

// An answer is what Python says of a case; what it did not measure is nil.
type answer struct {
	Eager    *float64 `json:"eager_ms"`
	Compiled *float64 `json:"compiled_ms"`
	Diff     *float64 `json:"max_abs_diff"`
	Rate     float64  `json:"product_gflops"` // of its products, as productRate
	Note     string   `json:"note"`
}

// startPeer starts Python and awaits its version.
func startPeer(ctx context.Context, cfg Config, dir string) (*peer, error) {
	script := filepath.Join(dir, "hrm.py")
	if err := os.WriteFile(script, bench.HRM, 0o600); err != nil {
		return nil, err
	}
	program, err := exec.LookPath(cfg.Python)
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPython, err)
	}
	precision := cfg.Precision
	if precision == hrm.Int8 {
		precision = hrm.Float32
	}
	args := []string{script, "--threads", strconv.Itoa(cfg.Threads), "--precision", string(precision), "--seconds", fmt.Sprint(cfg.Each.Seconds()), "--device", cfg.dev.String()}
	if cfg.Compile {
		args = append(args, "--compile")
	}
	p := &peer{dir: dir, log: &bytes.Buffer{}, cmd: exec.CommandContext(ctx, program, args...)}
	p.cmd.Dir, p.cmd.Stderr = dir, p.log
	p.cmd.WaitDelay = time.Second // for those that it started
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPython, err)
	}
	p.out = json.NewDecoder(out)
	var hello struct {
		Torch string `json:"torch"`
	}
	err = p.out.Decode(&hello)
	if err == nil && hello.Torch == "" {
		err = errors.New("it is none")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrPython, cfg.Python, p.failed(err))
	}
	if cfg.Note != nil {
		cfg.Note("beside PyTorch " + hello.Torch)
	}
	return p, nil
}

// failed ends Python and is the last line that it had to say, or err.
func (p *peer) failed(err error) error {
	p.close()
	lines := strings.Split(strings.TrimSpace(p.log.String()), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return errors.New(last)
	}
	return err
}

// close ends Python.
func (p *peer) close() {
	_ = p.in.Close()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed
}

// hand writes w where Python reads it.
func (p *peer) hand(w *work) error {
	b, err := json.Marshal(w.plan)
	if err == nil {
		err = os.WriteFile(filepath.Join(p.dir, "plan.json"), b, 0o600)
	}
	for name, x := range map[string]map[string]safetensors.Tensor{"weights.safetensors": w.weights, "case.safetensors": w.tensors} {
		if err == nil {
			err = safetensors.Write(filepath.Join(p.dir, name), nil, x)
		}
	}
	w.weights, w.tensors = nil, nil
	return err
}

// ask makes Python measure what was handed to it.
func (p *peer) ask() (a answer, err error) {
	if _, err = fmt.Fprintln(p.in, p.dir); err == nil {
		err = p.out.Decode(&a)
	}
	if err != nil {
		return a, fmt.Errorf("python: %w", p.failed(err))
	}
	return a, nil
}
