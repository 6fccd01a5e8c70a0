//go:build !cgo || notorch || !unix

package host

// settleOpenMP has nothing to settle in a build without libtorch.
func settleOpenMP([]string) {}
