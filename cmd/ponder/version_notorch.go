//go:build !cgo || notorch

package main

func libtorchVersion() (version, headers string) { return "", "" }
