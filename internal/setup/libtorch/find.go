package libtorch

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// ErrNone is returned where there is no libtorch.
var ErrNone = errors.New("no libtorch")

// At describes the libtorch in dir: an unpacked archive, a torch package of Python, or a prefix such
// as /usr.
func At(dir, source string) (*Lib, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	l := &Lib{Source: source, CXX11ABI: true}
	name := Library(runtime.GOOS, "torch_cpu")
	for _, d := range libDirs(dir) {
		if exists(filepath.Join(d, name)) {
			l.Dir = d
			break
		}
	}
	if l.Dir == "" {
		return nil, fmt.Errorf("%s: %w there (no %s in it or in its lib)", dir, ErrNone, name)
	}
	include := filepath.Join(dir, "include")
	if !exists(filepath.Join(include, "torch")) && dir == l.Dir {
		include = filepath.Join(filepath.Dir(dir), "include")
	}
	api := filepath.Join(include, "torch/csrc/api/include")
	if !exists(filepath.Join(api, "torch/torch.h")) {
		return nil, fmt.Errorf("%s: libtorch without its headers (no %s)", dir, filepath.Join(api, "torch/torch.h"))
	}
	l.Include = []string{include, api}
	if lacks := unresolved(filepath.Join(l.Dir, name)); len(lacks) > 0 {
		return nil, &LacksError{File: filepath.Join(l.Dir, name), Libraries: lacks}
	}
	if cuda := filepath.Join(l.Dir, Library(runtime.GOOS, "torch_cuda")); exists(cuda) {
		l.CUDALacks = unresolved(cuda)
		l.CUDA = len(l.CUDALacks) == 0
		l.CUDAInclude = cudaInclude(l.Dir)
	}
	if l.Version, err = version(dir, include); err != nil {
		return nil, err
	}
	if runtime.GOOS == "linux" {
		if l.CXX11ABI, err = newABI(filepath.Join(l.Dir, "libc10.so")); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// cudaInclude is the folder of CUDA's headers: of the packages beside Python's torch (with nvidia-cuda-crt among them), whose
// libraries are in lib, or of a toolkit.
func cudaInclude(lib string) string {
	dirs, _ := filepath.Glob(filepath.Join(lib, "..", "..", "nvidia", "*", "include")) // the pattern is right
	for _, root := range []string{os.Getenv("CUDA_HOME"), "/usr/local/cuda"} {
		if root != "" {
			dirs = append(dirs, filepath.Join(root, "include"))
		}
	}
	for _, d := range dirs {
		if exists(filepath.Join(d, "cuda_runtime.h")) && exists(filepath.Join(d, "crt", "host_config.h")) {
			return d
		}
	}
	return ""
}

// A LacksError says that a libtorch cannot be loaded because libraries that it needs are absent.
type LacksError struct {
	File      string
	Libraries []string
}

func (e *LacksError) Error() string {
	return fmt.Sprintf("%s cannot be loaded: it needs %s", e.File, strings.Join(e.Libraries, ", "))
}

// unresolved returns the libraries that the loader would not find for the one at path. Where there
// is no ldd it returns none.
func unresolved(path string) []string {
	if runtime.GOOS != "linux" {
		return nil
	}
	out, err := exec.Command("ldd", path).Output()
	if err != nil {
		return nil
	}
	var list []string
	for line := range strings.Lines(string(out)) {
		if name, ok := strings.CutSuffix(strings.TrimSpace(line), " => not found"); ok && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// libDirs are the folders below a prefix that may hold the libraries.
func libDirs(dir string) []string {
	dirs := []string{filepath.Join(dir, "lib"), filepath.Join(dir, "lib64"), dir}
	if triple, err := filepath.Glob(filepath.Join(dir, "lib", "*-linux-gnu")); err == nil {
		dirs = append(triple, dirs...)
	}
	return dirs
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

var (
	versionPy     = regexp.MustCompile(`(?m)^__version__ = '(\d+\.\d+\.\d+)`)
	versionNumber = regexp.MustCompile(`^(\d+\.\d+\.\d+)`)
	versionMacro  = regexp.MustCompile(`(?m)^# *define TORCH_VERSION_(MAJOR|MINOR|PATCH) (\d+)`)
)

// version reads the version from where the three kinds of libtorch have it.
func version(dir, include string) (string, error) {
	if data, err := os.ReadFile(filepath.Join(dir, "version.py")); err == nil {
		if m := versionPy.FindSubmatch(data); m != nil {
			return string(m[1]), nil
		}
	}
	if data, err := os.ReadFile(filepath.Join(dir, "build-version")); err == nil {
		if m := versionNumber.FindSubmatch(data); m != nil {
			return string(m[1]), nil
		}
	}
	for _, name := range []string{"torch/headeronly/version.h", "torch/csrc/api/include/torch/version.h"} {
		data, err := os.ReadFile(filepath.Join(include, name))
		if err != nil {
			continue
		}
		if n := versionMacro.FindAllSubmatch(data, -1); len(n) >= 3 {
			return fmt.Sprintf("%s.%s.%s", n[0][2], n[1][2], n[2][2]), nil
		}
	}
	return "", fmt.Errorf("%s: libtorch of unknown version", dir)
}

// newABI reports whether the library was built with the C++11 ABI of libstdc++: the constructor of
// c10::Error takes strings.
func newABI(path string) (bool, error) {
	f, err := elf.Open(path)
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	for _, s := range symbols {
		if strings.HasPrefix(s.Name, "_ZN3c105Error") && strings.Contains(s.Name, "__cxx11") {
			return true, nil
		}
	}
	return false, nil
}

// DebianVersion is the version of the package libtorch-dev that is installed, "" if none is. Its headers, and what
// is compiled with them, say 1.13.0 where the package is 1.13.1.
func DebianVersion(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", Packages[0]).Output()
	if installed, v, _ := strings.Cut(string(out), " "); err == nil && installed == "installed" {
		if m := versionNumber.FindStringSubmatch(v); m != nil {
			return m[1]
		}
	}
	return ""
}

// System finds the libtorch of the operating system's packages, on Linux below prefix ("" is /usr).
func System(ctx context.Context, prefix string) (*Lib, error) {
	switch runtime.GOOS {
	case "linux":
		if prefix == "" {
			prefix = "/usr"
		}
		l, err := At(prefix, "the system's package")
		if err != nil {
			return nil, err
		}
		l.System = true
		if v := DebianVersion(ctx); v != "" {
			l.Version, l.Source = v, "Debian package libtorch-dev"
		}
		return l, nil
	case "darwin":
		out, err := exec.CommandContext(ctx, "brew", "--prefix", "pytorch").Output()
		if err != nil {
			return nil, fmt.Errorf("%w of Homebrew", ErrNone)
		}
		prefix := strings.TrimSpace(string(out))
		packages, err := filepath.Glob(filepath.Join(prefix, "libexec/lib/python3*/site-packages/torch"))
		for _, dir := range append([]string{prefix}, packages...) {
			if l, err := At(dir, "Homebrew"); err == nil {
				return l, nil
			}
		}
		return nil, errors.Join(err, fmt.Errorf("%w in %s", ErrNone, prefix))
	}
	return nil, fmt.Errorf("%s: %w", runtime.GOOS, ErrNone)
}

// Python finds the torch package of the interpreter on the path, a virtual environment's if one is
// active. It asks for the place without importing torch, which takes seconds.
func Python(ctx context.Context) (*Lib, error) {
	for _, python := range []string{"python3", "python"} {
		path, err := exec.LookPath(python)
		if err != nil {
			continue
		}
		const find = "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
		out, err := exec.CommandContext(ctx, path, "-c", find).Output()
		dir := strings.TrimSpace(string(out))
		if err != nil || dir == "" {
			continue
		}
		l, err := At(dir, "torch of "+path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNone) {
			continue
		}
		return l, err
	}
	return nil, fmt.Errorf("%w of Python", ErrNone)
}
