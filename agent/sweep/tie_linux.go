package sweep

import (
	"os/exec"
	"syscall"
)

// tie ends the process when this one does, kill -9 included: two would train in one folder after a restart.
func tie(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
