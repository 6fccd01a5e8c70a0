//go:build cgo && !notorch

package torch

// const char *ponder_native_hash(void);
import "C"

import (
	"errors"

	"github.com/ponder-agents/ponder/torch/native"
)

// ErrLibrary says that libtch was compiled from other sources than this package was.
var ErrLibrary = errors.New("torch: libtch is not of this version of ponder; run: go run github.com/ponder-agents/ponder/cmd/setup")

// Native names the native code in use.
func Native() string { return C.GoString(C.ponder_native_hash()) }

// CheckLibrary returns ErrLibrary if the native code in use is not the one in torch/native.
func CheckLibrary() error {
	if Native() != native.Hash() {
		return ErrLibrary
	}
	return nil
}
