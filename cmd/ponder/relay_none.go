//go:build (cgo && !notorch) || !unix

package main

// relay has nobody to hand over to: this is the program with libtorch, or there is none.
func relay([]string) {}
