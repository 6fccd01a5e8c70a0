//go:build cgo && !notorch

package torch

// #include <stdlib.h>
// #include "ponder.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// Kernels names the code that computes on the CPU: the instruction set of ponder's own kernels
// (amx, avx512-dots, avx512, avx2 or base), and where OpenBLAS multiplies, the core that its kernels are for.
func Kernels() string {
	own := C.GoString(C.ponder_isa())
	if core := OpenBLAS(); core != "" {
		return own + " and OpenBLAS's " + core
	}
	return own
}

// UseKernels makes ponder's own kernels those of an instruction set (amx, avx512-dots, avx512, avx2 or base): for tests and
// comparisons, while nothing computes. It is an error if the processor cannot run them. Without it the
// widest that it can are used.
func UseKernels(isa string) error {
	name := C.CString(isa)
	defer C.free(unsafe.Pointer(name))
	if C.ponder_use_isa(name) != 0 {
		return fmt.Errorf("torch: no kernels for %q on this machine", isa)
	}
	return nil
}

// OpenBLAS names the core whose kernels the OpenBLAS below libtorch uses, as "Haswell"; "" if there is
// none. It chooses by the processor's model when it is loaded; where it does not know the model,
// ponder corrects the choice, unless the environment has OPENBLAS_CORETYPE.
func OpenBLAS() string { return C.GoString(C.ponder_openblas()) }

// UseOpenBLAS makes it use the kernels of another core: for tests and comparisons, while nothing
// computes. It is an error if OpenBLAS has none for it, or the processor cannot run them.
func UseOpenBLAS(core string) error {
	name := C.CString(core)
	defer C.free(unsafe.Pointer(name))
	if C.ponder_openblas_use(name) != 0 {
		return fmt.Errorf("torch: no kernels of OpenBLAS for %q on this machine", core)
	}
	return nil
}

// chooseOpenBLAS corrects the choice anew, as is done when libtch is loaded.
func chooseOpenBLAS() bool { return C.ponder_openblas_choose() == 0 }

// openBLASRight reports whether products of whole numbers are exact.
func openBLASRight() bool { return C.ponder_openblas_right() == 1 }
