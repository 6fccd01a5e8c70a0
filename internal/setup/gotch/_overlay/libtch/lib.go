package libtch

// libtch.so alone knows libtorch and where it is.

// #cgo CFLAGS: -I${SRCDIR} -O1
// #cgo LDFLAGS: -L${SRCDIR}/../lib -ltch -Wl,-rpath,${SRCDIR}/../lib
import "C"
