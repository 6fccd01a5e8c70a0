//go:build !cgo || notorch

package verify

func engines() []Engine { return []Engine{Go()} }
