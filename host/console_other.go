//go:build !windows

package host

// ownConsole reports whether the terminal is this process's alone.
func ownConsole() bool { return false }
