//go:build !cgo || notorch

package main

import "log"

func main() {
	log.Fatal("training needs libtorch, which this build lacks: run make setup, then go run ./examples/train FOLDER")
}
