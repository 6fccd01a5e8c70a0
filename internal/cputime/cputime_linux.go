package cputime

import (
	"time"

	"golang.org/x/sys/unix"
)

// Process is the processor's time that the process has had, to the nanosecond: getrusage may count by the ticks of a clock.
func Process() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
