//go:build !cgo || notorch || !unix

package main

// settleOpenMP has nothing to settle in a build without libtorch.
func settleOpenMP([]string) {}
