//go:build cgo && !notorch

package learn

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ponder-agents/ponder/agent/think"
	"github.com/ponder-agents/ponder/env/rng"
	"github.com/ponder-agents/ponder/hrm"
	"github.com/ponder-agents/ponder/internal/cputime"
	"github.com/ponder-agents/ponder/torch"
	"github.com/ponder-agents/ponder/torch/safetensors"
)

// The measurement of a number format: segments of so many sequences, for so long and so often at least.
const (
	choiceRows  = 8
	choiceTime  = 150 * time.Millisecond
	choiceTimes = 3
)

// choose is the number format in which a network of r thinks fastest here. It is measured once for each configuration,
// machine, library and number of threads, and kept in the user's cache.
func (r Recipe) choose(weights map[string]safetensors.Tensor, run hrm.Run) (think.Precision, error) {
	file := r.choiceFile(run)
	if data, err := os.ReadFile(file); err == nil {
		var p think.Precision
		if json.Unmarshal(data, &p) == nil && hrm.Precision(p.Name).CheckThinking() == nil && len(p.Times) > 0 {
			return p, nil
		}
	}
	p := think.Precision{Times: map[string]float64{}}
	best := math.Inf(1)
	for _, name := range []hrm.Precision{hrm.Float32, hrm.BFloat16, hrm.Int8} {
		run.Precision = name
		core, err := r.LoadCore(weights, run)
		if errors.Is(err, hrm.ErrPrecision) {
			continue
		}
		if err != nil {
			return p, err
		}
		ms, err := timeSegments(NewCore(core))
		core.Close()
		if err != nil {
			return p, err
		}
		p.Times[string(name)] = math.Round(ms*1e3) / 1e3
		if ms < best {
			best, p.Name = ms, string(name)
		}
	}
	if file != "" {
		keep(file, p)
	}
	return p, nil
}

// choiceFile is where the choice is kept; "" where there is no cache.
func (r Recipe) choiceFile(run hrm.Run) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	what, err := json.Marshal(struct {
		Model hrm.Config
		Cell  *hrm.CellConfig
	}{r.Model, r.Cell})
	if err != nil {
		return ""
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s %s %d\n%s\n%s", what, run.Device, torch.Version(), torch.Threads(), torch.Native(), machine())
	return filepath.Join(dir, "ponder", "precision", hex.EncodeToString(h.Sum(nil))[:20]+".json")
}

// machine names the processor, as far as the system tells, and the kernels for it.
func machine() string {
	cpu := ""
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(data)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s %s %d %q %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpu, torch.Kernels())
}

// keep writes p; where it cannot be kept, it is measured again.
func keep(file string, p think.Precision) {
	data, err := json.Marshal(p)
	if err != nil || os.MkdirAll(filepath.Dir(file), 0o777) != nil {
		return
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), "new-*")
	if err != nil {
		return
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err == nil {
		os.Rename(tmp.Name(), file)
	}
}

// timeSegments is the least time of a segment, in milliseconds: the processor's with one thread, which others that compute
// beside disturb less, else the clock's.
func timeSegments(c think.Core) (float64, error) {
	spec := c.Spec()
	rows, err := c.Open(choiceRows, spec.Shape)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	draws := rng.Stream(0, "precision")
	all := make([]int, choiceRows)
	in := think.Input{Tokens: make([]int32, spec.Shape.Seq)}
	for i := range all {
		all[i] = i
		for t := range in.Tokens {
			in.Tokens[t] = int32(draws.Uint32N(uint32(spec.Vocab)))
		}
		if err := rows.Begin(i, in); err != nil {
			return 0, err
		}
	}
	var out think.Output
	best := math.Inf(1)
	begin := time.Now()
	for n := 0; n <= choiceTimes || time.Since(begin) < choiceTime; n++ {
		wall, cpu := time.Now(), cputime.Process()
		if err := rows.Segment(all, &out); err != nil {
			return 0, err
		}
		took := time.Since(wall)
		if used := cputime.Process() - cpu; torch.Threads() == 1 && used > 0 {
			took = used
		}
		if n > 0 { // the first fetches weights
			best = min(best, 1e3*took.Seconds())
		}
	}
	return best, nil
}
