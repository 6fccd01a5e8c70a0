//go:build !cgo || notorch

package host

func libtorchVersion() (version, headers string) { return "", "" }
