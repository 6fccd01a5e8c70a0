//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package safetensors

import (
	"fmt"
	"math"
	"os"
	"syscall"
)

// mapFile maps the file; what cannot be mapped (a pipe, an empty file) is read instead.
func mapFile(path string) (data []byte, unmap func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !st.Mode().IsRegular() || st.Size() == 0 {
		return readAll(path)
	}
	if st.Size() > math.MaxInt {
		return nil, nil, fmt.Errorf("map %s: %d bytes are too many for this system", path, st.Size())
	}
	data, err = syscall.Mmap(int(f.Fd()), 0, int(st.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil { // some network file systems
		return readAll(path)
	}
	return data, func() error { return syscall.Munmap(data) }, nil
}
