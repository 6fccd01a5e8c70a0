//go:build cgo && !notorch && unix

package host

import (
	"os"
	"slices"
	"syscall"
)

// settleOpenMP starts the program again, once, with idle OpenMP threads sleeping instead of spinning
// if the user has not said which: libgomp reads OMP_WAIT_POLICY when it is loaded, and a spinning
// thread beside a busy neighbour costs a small network a factor of 20.
func settleOpenMP(args []string) {
	if os.Getenv("OMP_WAIT_POLICY") != "" || len(args) == 0 || !slices.Contains(torchUsers, args[0]) {
		return
	}
	exe, err := os.Executable()
	if err != nil {
		return
	}
	os.Setenv("OMP_WAIT_POLICY", "PASSIVE")
	// It returns only if it could not; slower is better than not at all.
	_ = syscall.Exec(exe, os.Args, os.Environ())
}
