//go:build (!cgo || notorch) && unix

package host

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	"github.com/ponder-agents/ponder/internal/elflibs"
)

// withTorch is the program with libtorch that stands beside the one without: `make build` makes both. A program
// whose libraries are not found never reaches its first line, so the one that needs none is started and
// becomes the other if it can.
const withTorch = "ponder-torch"

// relay replaces this program by the one with libtorch, or says why not where somebody wants a network. It
// returns where there is none.
func relay(args []string) {
	exe, err := os.Executable()
	if err != nil {
		return
	}
	other, why := successor(exe)
	if other != "" && why == "" {
		err := syscall.Exec(other, os.Args, os.Environ()) // returns only if it could not
		why = fmt.Sprintf("%s: %v", other, err)
	}
	if why != "" && len(args) > 0 && slices.Contains(append([]string{"import", "version"}, torchUsers...), args[0]) {
		fmt.Fprintf(os.Stderr, "ponder: no libtorch (%s): the engine go computes; `make build` sets libtorch up\n", why)
	}
}

// successor is the program with libtorch beside the program exe, "" if there is none, and why it will not start.
func successor(exe string) (path, why string) {
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	path = filepath.Join(filepath.Dir(exe), withTorch)
	if _, err := os.Stat(path); err != nil || path == exe {
		return "", ""
	}
	if runtime.GOOS != "linux" {
		return path, ""
	}
	lost, err := elflibs.Missing(path)
	switch {
	case err != nil:
		why = err.Error()
	case lost != "":
		why = lost + " is not found"
	}
	return path, why
}
