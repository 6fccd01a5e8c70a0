package memory

import (
	"bytes"
	"os"
	"strconv"
)

// Available is the number of bytes that programs can take without driving others out of memory, or
// false where that is not known: MemAvailable of /proc/meminfo, less where a container has a limit.
func Available() (uint64, bool) {
	free, known := meminfo()
	limit, err := number("/sys/fs/cgroup/memory.max") // "max" where there is none
	if err != nil {
		return free, known
	}
	used, err := number("/sys/fs/cgroup/memory.current")
	if err != nil {
		return free, known
	}
	left := limit - min(used, limit)
	if known {
		left = min(left, free)
	}
	return left, true
}

func meminfo() (uint64, bool) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("MemAvailable:")); ok {
			kB, err := strconv.ParseUint(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 50)
			return kB << 10, err == nil
		}
	}
	return 0, false
}

// number reads a file that holds one.
func number(path string) (uint64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
}
