//go:build cgo && !notorch

package torch

/*
#cgo linux CFLAGS: -D_GNU_SOURCE
#cgo linux LDFLAGS: -ldl
#if __has_include(<dlfcn.h>)
#include <dlfcn.h>
#endif

static int openblas_threads(void) {
#ifdef RTLD_DEFAULT
  int (*get)(void) = dlsym(RTLD_DEFAULT, "openblas_get_num_threads");
  if (get) return get();
#endif
  return 0;
}
*/
import "C"

// Threads is the largest number of threads of one operation. An OpenBLAS with threads of its own
// (Debian's libopenblas0-pthread) begins with another number than libtorch; SetThreads makes them one.
func Threads() int { return max(libtorchThreads(), int(C.openblas_threads())) }
