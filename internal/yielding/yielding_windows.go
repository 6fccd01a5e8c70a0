package yielding

import (
	"os"

	"golang.org/x/sys/windows"
)

// Begin gives the process the lowest priority for the rest of its life.
func Begin() error {
	return os.NewSyscallError("SetPriorityClass", windows.SetPriorityClass(windows.CurrentProcess(), windows.IDLE_PRIORITY_CLASS))
}
