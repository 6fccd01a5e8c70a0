package yielding

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// niceness is the lowest priority that there is: what is left over.
const niceness = 19

// Begin gives the process the lowest priority for the rest of its life. Linux keeps one for each thread, which those begun by
// it inherit; a thread that ends meanwhile needs none.
func Begin() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, id, niceness); err != nil && err != unix.ESRCH {
			return os.NewSyscallError("setpriority", err)
		}
	}
	return nil
}
