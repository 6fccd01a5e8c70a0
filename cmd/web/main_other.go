//go:build !js

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "this is the viewer for browsers: `make web` builds it with GOOS=js GOARCH=wasm")
	os.Exit(2)
}
