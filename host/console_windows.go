package host

import (
	"syscall"
	"unsafe"
)

// ownConsole reports whether the terminal is this process's alone: Windows opens one for a program of the command line that
// was double-clicked, and a shell's has the shell in it.
func ownConsole() bool {
	var ids [2]uint32
	n, _, _ := syscall.NewLazyDLL("kernel32.dll").NewProc("GetConsoleProcessList").Call(uintptr(unsafe.Pointer(&ids)), uintptr(len(ids)))
	return n == 1
}
