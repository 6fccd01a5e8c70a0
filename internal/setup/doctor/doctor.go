// Package doctor looks at everything that ponder needs from a machine and says what is missing and
// which command mends it.
package doctor

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/ponder-agents/ponder/internal/setup/gotch"
	"github.com/ponder-agents/ponder/internal/setup/libtorch"
	"github.com/ponder-agents/ponder/internal/setup/workspace"
	"github.com/ponder-agents/ponder/torch/native"
)

// A Level is how bad a finding is.
type Level string

// The levels: Fail keeps networks from running, Warn makes something slow or absent.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Fail Level = "fail"
)

// A Finding is one line of the report.
type Finding struct {
	Name  string `json:"name"`
	Level Level  `json:"level"`
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"` // a command or what to do
}

// Config says what to look at.
type Config struct {
	Lib    *libtorch.Lib // nil if there is none
	Cache  string        // folder of the prepared copies
	CXX    string        // the C++ compiler, "" if there is none
	Module string        // folder of gotch's source, "" if it was not downloaded
}

// setupCommand is what mends most.
const setupCommand = "go run github.com/ponder-agents/ponder/cmd/setup"

// vendoredCommand is setupCommand in a module whose vendor folder has not what only set-up needs.
const vendoredCommand = "go run -mod=mod github.com/ponder-agents/ponder/cmd/setup"

// Check returns a finding for each thing looked at.
func Check(ctx context.Context, cfg Config) []Finding {
	list := []Finding{checkGo(ctx), checkFlags(ctx), checkCompiler(ctx, cfg.CXX), checkLibtorch(cfg.Lib)}
	if cfg.Lib != nil {
		list = append(list, checkBLAS(cfg.Lib))
		dir, prepared := checkPrepared(cfg)
		list = append(list, prepared, checkWorkspace(ctx, dir))
		if prepared.Level == OK {
			list = append(list, measure(ctx, cfg, dir)...)
		}
	}
	return append(list, checkOMP(), checkDisplay())
}

// Broken reports whether networks cannot run.
func Broken(list []Finding) bool {
	for _, f := range list {
		if f.Level == Fail {
			return true
		}
	}
	return false
}

func checkGo(ctx context.Context) Finding {
	out, err := exec.CommandContext(ctx, "go", "env", "GOVERSION", "CGO_ENABLED").Output()
	if err != nil {
		return Finding{"Go", Fail, "no go command", "install Go from https://go.dev/dl"}
	}
	version, cgo, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if cgo != "1" {
		return Finding{"Go", Fail, version + ", CGO_ENABLED=" + cgo + ": only the worlds and the viewer build", "export CGO_ENABLED=1"}
	}
	return Finding{"Go", OK, version, ""}
}

// checkFlags looks for what keeps the go command from using a go.work.
func checkFlags(ctx context.Context) Finding {
	flag, rest, err := workspace.Refused(ctx)
	switch {
	case err != nil:
		return Finding{"GOFLAGS", Warn, err.Error(), ""}
	case flag != "":
		return Finding{"GOFLAGS", Fail, flag + " is set, and go refuses to build with a go.work then", MendFlags(rest)}
	}
	return Finding{"GOFLAGS", OK, "no -mod=mod", ""}
}

// MendFlags is the command that sets GOFLAGS to rest, where it came from.
func MendFlags(rest []string) string {
	if value := strings.Join(rest, " "); os.Getenv("GOFLAGS") != "" {
		return fmt.Sprintf("export GOFLAGS=%q", value)
	} else if value != "" {
		return fmt.Sprintf("go env -w GOFLAGS=%q", value)
	}
	return "go env -u GOFLAGS"
}

func checkCompiler(ctx context.Context, cxx string) Finding {
	if cxx == "" {
		return Finding{"C++ compiler", Fail, "none (g++ or clang++)", compilerFix()}
	}
	out, err := exec.CommandContext(ctx, cxx, "--version").Output()
	if err != nil {
		return Finding{"C++ compiler", Fail, cxx + " does not run: " + err.Error(), compilerFix()}
	}
	line, _, _ := strings.Cut(string(out), "\n")
	if _, err := exec.LookPath(cCompiler()); err != nil {
		return Finding{"C++ compiler", Fail, line + ", but no C compiler for cgo (" + cCompiler() + ")", compilerFix()}
	}
	return Finding{"C++ compiler", OK, line, ""}
}

func cCompiler() string {
	if cc := os.Getenv("CC"); cc != "" {
		return strings.Fields(cc)[0]
	}
	if runtime.GOOS == "darwin" {
		return "clang"
	}
	return "gcc"
}

func compilerFix() string {
	if runtime.GOOS == "darwin" {
		return "xcode-select --install"
	}
	return "sudo apt-get install gcc g++ (or your system's package)"
}

func checkLibtorch(l *libtorch.Lib) Finding {
	if l == nil {
		return Finding{"libtorch", Fail, "none", setupCommand}
	}
	return Finding{"libtorch", OK, l.String(), ""}
}

// checkBLAS looks at which BLAS Debian's libtorch gets; the others bring their own.
func checkBLAS(l *libtorch.Lib) Finding {
	if !l.System || runtime.GOOS != "linux" {
		return Finding{"BLAS", OK, "libtorch's own", ""}
	}
	const fix = "sudo apt-get install libopenblas0-pthread"
	switch path := l.BLAS(); {
	case path == "":
		return Finding{"BLAS", Warn, "none found", fix}
	case !l.FastBLAS():
		return Finding{"BLAS", Warn, path + " is the slow reference: float32 products take ten times as long", fix}
	default:
		return Finding{"BLAS", OK, path, ""}
	}
}

func checkPrepared(cfg Config) (string, Finding) {
	f := Finding{Name: "gotch", Level: Fail, Fix: setupCommand}
	dir, err := gotch.Dir(gotch.Config{Module: cfg.Module, Lib: cfg.Lib, Cache: cfg.Cache, CXX: cfg.CXX})
	if err != nil {
		f.Text = err.Error()
		return "", f
	}
	stamp, err := gotch.ReadStamp(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		f.Text = gotch.Version + " is not prepared for this libtorch"
	case err != nil:
		f.Text = err.Error()
	case stamp.Native != native.Hash():
		f.Text = "libtch was compiled from other sources of torch/native"
	default:
		return dir, Finding{"gotch", OK, fmt.Sprintf("%s, %d functions not in this libtorch, %s", stamp.Gotch, stamp.Missing, dir), ""}
	}
	return dir, f
}

func checkWorkspace(ctx context.Context, dir string) Finding {
	current, err := workspace.Current(ctx, gotch.Path)
	switch {
	case err != nil:
		return Finding{"go.work", Warn, "this folder's module does not use gotch: " + err.Error(), ""}
	case current == "":
		fix := setupCommand
		if workspace.Vendored(ctx) {
			fix = vendoredCommand
		}
		return Finding{"go.work", Fail, "no replace for " + gotch.Path, fix}
	case current != dir:
		return Finding{"go.work", Warn, "names " + current + ", not the copy for this libtorch", setupCommand}
	}
	return Finding{"go.work", OK, "names that copy", ""}
}

//go:embed program/product.c
var program embed.FS

// A product is what product.c prints; rates are in GFLOP/s.
type product struct {
	Threads   int       `json:"threads"`
	GFLOPS    float64   `json:"gflops"` // of all threads
	CUDA      int       `json:"cuda"`   // devices
	ISA       string    `json:"isa"`    // the widest of the processor that ponder has kernels for
	Peak      float64   `json:"peak"`   // of multiply-adds with that instruction set, one thread
	OneThread float64   `json:"one_thread"`
	Kernels   choice    `json:"kernels"`  // of ponder by instruction set: attention
	OpenBLAS  *openBLAS `json:"openblas"` // nil where another library multiplies
}

// A choice is which kernels are used, and the rate on one thread of each that could be.
type choice struct {
	Used   string             `json:"used"`
	Narrow string             `json:"narrow"` // the instruction set of products of bf16 and int8
	Rates  map[string]float64 `json:"rates"`
}

// others are the rates of those that are not used, each after a semicolon.
func (c choice) others() (text string) {
	for _, name := range slices.Sorted(maps.Keys(c.Rates)) {
		if name != c.Used {
			text += fmt.Sprintf("; %s: %.0f", name, c.Rates[name])
		}
	}
	return text
}

// openBLAS is its choice, by the core that the kernels are for.
type openBLAS struct {
	choice
	Own   string `json:"own"`   // the core that it took by itself
	Wrong bool   `json:"wrong"` // those in use compute wrongly
}

// slowGFLOPS is below what one core with any vector unit and a real BLAS does.
const slowGFLOPS = 10

// slowShare of the peak is more than kernels for a narrower instruction set reach, and less than any
// made for the processor's own: measured are 0.15 to 0.46 and 0.7 to 0.9.
const slowShare = 0.5

// measure multiplies two matrices with libtch, in a process of its own.
func measure(ctx context.Context, cfg Config, dir string) []Finding {
	p, err := runProduct(ctx, cfg, dir)
	if err != nil {
		return []Finding{{"product of matrices", Fail, err.Error(), setupCommand}}
	}
	list := []Finding{
		{"threads", OK, fmt.Sprintf("%d of %d processors", p.Threads, runtime.NumCPU()), ""},
		{"product of matrices", OK, fmt.Sprintf("%.0f GFLOP/s (float32, 1024 x 1024)", p.GFLOPS), ""},
	}
	if p.GFLOPS < slowGFLOPS {
		list[1].Level, list[1].Fix = Warn, "a faster BLAS (sudo apt-get install libopenblas0-pthread), or an idle machine"
	}
	return append(list, checkProducts(p, os.Getenv("OPENBLAS_CORETYPE")), checkKernels(p), checkCUDA(ctx, cfg.Lib, p.CUDA))
}

// checkKernels says which of ponder's own kernels are used and how fast their attention is.
func checkKernels(p *product) Finding {
	k := p.Kernels
	f := Finding{Name: "kernels", Level: OK, Text: fmt.Sprintf("%s: attention at %.0f GFLOP/s a thread%s", k.Used, k.Rates[k.Used], k.others())}
	if k.Narrow != "" && k.Narrow != k.Used {
		f.Text += "; bf16 and int8 by " + k.Narrow
	}
	switch {
	case k.Used != p.ISA:
		f.Level, f.Fix = Warn, "set up again with GCC (CXX=g++): it compiles them for "+p.ISA+" too"
	case k.Rates[k.Used] < slices.Max(slices.Collect(maps.Values(k.Rates))):
		f.Level, f.Fix = Warn, "set up again with another version of GCC (CXX=g++-12): this one made the wider vectors slower"
	}
	return f
}

// checkProducts says which kernels multiply and how close they come to what the processor can do.
// coreType is the user's own choice among OpenBLAS's.
func checkProducts(p *product, coreType string) Finding {
	f := Finding{Name: "products, one thread", Level: OK}
	share := p.OneThread / p.Peak
	of := fmt.Sprintf("%.0f GFLOP/s, %.0f %% of what %s allows", p.OneThread, 100*share, p.ISA)
	if share < slowShare {
		f.Level, f.Fix = Warn, "an idle machine, or PyPI's torch, which brings a fast BLAS: "+setupCommand+" --pip 2.15.0"
	}
	b := p.OpenBLAS
	if b == nil {
		f.Text = "libtorch's own products: " + of
		return f
	}
	f.Text = fmt.Sprintf("OpenBLAS's %s kernels: %s%s", b.Used, of, b.others())
	switch {
	case coreType != "":
		f.Text += "; OPENBLAS_CORETYPE=" + coreType
		if f.Level == Warn || b.Wrong {
			f.Fix = "unset OPENBLAS_CORETYPE"
		}
	case b.Used != b.Own:
		f.Text += fmt.Sprintf("; by itself it takes %s, ponder corrects that", b.Own)
	}
	if b.Wrong {
		f.Level = Fail
		f.Text += "; they compute wrongly"
		if f.Fix == "" {
			f.Fix = "export OPENBLAS_CORETYPE=Haswell, or another OpenBLAS"
		}
	}
	return f
}

func checkCUDA(ctx context.Context, l *libtorch.Lib, devices int) Finding {
	driver := exec.CommandContext(ctx, "nvidia-smi", "-L").Run() == nil
	switch {
	case devices > 0 && l.CUDAInclude == "":
		return Finding{"CUDA", Warn, strconv.Itoa(devices) + " devices; slower without ponder's own kernels, for which CUDA's headers are missing", "pip install nvidia-cuda-crt beside torch, or CUDA's toolkit, and set up again"}
	case devices > 0:
		return Finding{"CUDA", OK, strconv.Itoa(devices) + " devices", ""}
	case driver && len(l.CUDALacks) > 0:
		return Finding{"CUDA", Warn, "a GPU, but libtorch_cuda needs " + strings.Join(l.CUDALacks, ", "), "pip install torch, with all that it requires, and set up again"}
	case driver && !l.CUDA:
		return Finding{"CUDA", Warn, "a GPU, but libtorch is for the CPU", "pip install torch, and set up again"}
	case driver:
		return Finding{"CUDA", Warn, "a GPU that libtorch does not see: is the driver older than its CUDA?", "nvidia-smi"}
	}
	return Finding{"CUDA", OK, "no GPU: everything runs on the CPU", ""}
}

func runProduct(ctx context.Context, cfg Config, dir string) (*product, error) {
	tmp, err := os.MkdirTemp("", "ponder-check-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	if err := errors.Join(os.CopyFS(tmp, program), os.CopyFS(tmp, native.Sources)); err != nil {
		return nil, err
	}
	exe := filepath.Join(tmp, "product")
	args := []string{"-O2", "-o", exe, "-I" + filepath.Join(tmp, "src"), "-I" + filepath.Join(dir, "libtch"), filepath.Join(tmp, "program/product.c"), "-L" + filepath.Join(dir, "lib"), "-ltch", "-Wl,-rpath," + filepath.Join(dir, "lib")}
	if runtime.GOOS == "linux" {
		args = append(args, "-Wl,--allow-shlib-undefined")
	}
	if out, err := exec.CommandContext(ctx, cCompiler(), args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("does not compile: %s", firstLine(out, err))
	}
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(os.Environ(), "OMP_WAIT_POLICY=passive")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("does not run: %s", firstLine(exit.Stderr, err))
		}
		return nil, err
	}
	p := new(product)
	return p, json.Unmarshal(out, p)
}

func firstLine(out []byte, err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if line == "" {
		return err.Error()
	}
	return line
}

func checkOMP() Finding {
	v := os.Getenv("OMP_WAIT_POLICY")
	switch strings.ToLower(v) {
	case "":
		return Finding{"OMP_WAIT_POLICY", OK, "unset: ponder sets it to passive for itself; programs of your own should too", ""}
	case "passive":
		return Finding{"OMP_WAIT_POLICY", OK, v, ""}
	}
	return Finding{"OMP_WAIT_POLICY", Warn, v + ": idle threads of libtorch keep the processors busy", "export OMP_WAIT_POLICY=passive"}
}

func checkDisplay() Finding {
	if runtime.GOOS != "linux" {
		return Finding{"display", OK, "the system's", ""}
	}
	for _, name := range []string{"WAYLAND_DISPLAY", "DISPLAY"} {
		if v := os.Getenv(name); v != "" {
			return Finding{"display", OK, name + "=" + v, ""}
		}
	}
	if path, err := exec.LookPath("xvfb-run"); err == nil {
		return Finding{"display", Warn, "none: pictures go to files; a hidden one is there", path + " -a COMMAND"}
	}
	return Finding{"display", Warn, "none: pictures go to files", "sudo apt-get install xvfb libgl1-mesa-dri, then xvfb-run -a COMMAND"}
}
