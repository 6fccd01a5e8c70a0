package libtch

// libtch.so alone knows libtorch and where it is.

// #cgo CFLAGS: -I${SRCDIR} -O1
// #cgo linux LDFLAGS: -Wl,--allow-shlib-undefined
// #cgo LDFLAGS: -L${SRCDIR}/../lib -ltch -Wl,-rpath,${SRCDIR}/../lib
import "C"
