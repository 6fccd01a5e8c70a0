package yielding

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// TestBegin: every thread has the lowest priority, one begun afterwards too.
func TestBegin(t *testing.T) {
	if err := Begin(); err != nil {
		t.Fatal(err)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := unix.Getpriority(unix.PRIO_PROCESS, id) // 20 - niceness
		if err == unix.ESRCH {
			continue
		}
		if err != nil || raw != 20-niceness {
			t.Errorf("thread %d of %d: niceness %d (%v)", id, len(threads), 20-raw, err)
		}
	}
}
