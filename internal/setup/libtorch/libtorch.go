package libtorch

import (
	"path/filepath"
	"strconv"
	"strings"
)

// A Lib is one libtorch on this machine.
type Lib struct {
	Version  string   // as 1.13.1 or 2.15.0, without the build's suffix
	CXX11ABI bool     // std::string of the new C++ ABI; always true but on Linux
	CUDA     bool     // has libtorch_cuda and all that it needs
	Include  []string // folders for -I
	Dir      string   // the folder of libtorch_cpu
	System   bool     // Dir is searched by the loader anyway
	Source   string   // where it was found, in words

	CUDALacks   []string // what libtorch_cuda needs and the loader does not find
	CUDAInclude string   // the folder of CUDA's headers, "" if there is none; without them there are no kernels of ponder's own for a GPU
}

// String describes l in one line.
func (l *Lib) String() string {
	abi, device := "new", "CPU"
	if !l.CXX11ABI {
		abi = "old"
	}
	if l.CUDA {
		device = "CPU and CUDA"
	}
	return "libtorch " + l.Version + " (" + device + ", " + abi + " C++ ABI) in " + l.Dir + ", " + l.Source
}

// AtLeast reports whether the version is major.minor or newer.
func (l *Lib) AtLeast(major, minor int) bool {
	parts := strings.SplitN(l.Version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	a, _ := strconv.Atoi(parts[0])
	b, _ := strconv.Atoi(parts[1])
	return a > major || a == major && b >= minor
}

// Standard is the C++ standard that the headers of this version ask for.
func (l *Lib) Standard() string {
	switch {
	case l.AtLeast(2, 12):
		return "c++20"
	case l.AtLeast(2, 1):
		return "c++17"
	}
	return "c++14"
}

// Library is the file name of a shared library on this system.
func Library(goos, name string) string {
	switch goos {
	case "darwin":
		return "lib" + name + ".dylib"
	case "windows":
		return name + ".dll"
	}
	return "lib" + name + ".so"
}

// Gomp returns the OpenMP library that came with libtorch, "" if it uses the system's. A second one
// in the process would have threads of its own.
func (l *Lib) Gomp() string {
	if m, err := filepath.Glob(filepath.Join(l.Dir, "libgomp*.so*")); err == nil && len(m) > 0 {
		return m[0]
	}
	return ""
}

// FastBLAS reports whether the BLAS that a system's libtorch gets is more than Debian's reference,
// whose float32 products take ten times as long. Other libtorchs bring their own.
func (l *Lib) FastBLAS() bool {
	if !l.System {
		return true
	}
	path := l.BLAS()
	for _, fast := range []string{"openblas", "mkl", "blis", "atlas"} {
		if strings.Contains(path, fast) {
			return true
		}
	}
	return false
}

// BLAS returns the file behind a system's libblas, "" if there is none.
func (l *Lib) BLAS() string {
	path, err := filepath.EvalSymlinks(filepath.Join(l.Dir, "libblas.so.3"))
	if err != nil {
		return ""
	}
	return path
}

// Packaged is the version of a library whose headers say headers, where its package, if it is one, is called
// packaged: that of the package, if they are of one minor version, and then the headers' if it differs.
func Packaged(headers, packaged string) (version, said string) {
	minor := func(v string) string { return v[:max(0, strings.LastIndexByte(v, '.'))] }
	if packaged == "" || packaged == headers || minor(packaged) != minor(headers) {
		return headers, ""
	}
	return packaged, headers
}
