//go:build !(linux || darwin || windows)

package memory

import (
	"runtime"
	"strconv"
)

// Available is the number of bytes that programs can take, or false where that is not known. A program
// of 32 bits, and one in a browser, has 4 GiB at most and rarely more than half of it.
func Available() (uint64, bool) {
	return 2 << 30, strconv.IntSize == 32 || runtime.GOARCH == "wasm"
}
