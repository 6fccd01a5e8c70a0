//go:build !cgo || notorch

package main

func libtorchVersion() string { return "" }
