//go:build unix && !linux

package cputime

import (
	"syscall"
	"time"
)

// Process is the processor's time that the process has had.
func Process() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
