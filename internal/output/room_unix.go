//go:build linux || darwin

package output

import "syscall"

// room is the number of bytes that a user may write on the disk of path.
func room(path string) (bytes float64, known bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, false
	}
	return float64(s.Bavail) * float64(s.Bsize), true
}
