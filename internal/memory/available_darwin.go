package memory

import "golang.org/x/sys/unix"

// Available is the number of bytes that programs can take, or false where that is not known: here the
// memory of the machine, since macOS compresses and swaps before it refuses.
func Available() (uint64, bool) {
	n, err := unix.SysctlUint64("hw.memsize")
	return n, err == nil
}
