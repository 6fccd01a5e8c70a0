//go:build (cgo && !notorch) || !unix

package host

// relay has nobody to hand over to: this is the program with libtorch, or there is none.
func relay([]string) {}
