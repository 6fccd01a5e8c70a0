//go:build unix

package viz

import (
	"os/exec"
	"syscall"
)

// apart lets cmd have a process group of its own, which a terminal's Ctrl-C does not reach.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
